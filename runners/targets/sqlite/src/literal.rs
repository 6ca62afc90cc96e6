//! Values as SQL, exactly: what SQLite reads out of the text has every bit of the value.

use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};

use crate::guard::names_ours;

/// A name in quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The value as SQL; none where SQLite would not read the same value out of it.
pub(super) fn of(connection: &Connection, value: &Value) -> rusqlite::Result<Option<String>> {
    let (sql, is_sure) = match value {
        Value::Null => ("NULL".to_owned(), true),
        // The smallest number is not the negative of any that can be written.
        Value::Integer(i64::MIN) => ("(-9223372036854775807 - 1)".to_owned(), true),
        Value::Integer(number) => (number.to_string(), true),
        // Text that stands for a number is made of Rust's shortest digits that read back.
        Value::Real(number) if number.is_infinite() => {
            ((if *number > 0.0 { "9e999" } else { "-9e999" }).to_owned(), false)
        }
        Value::Real(number) => (format!("{number:?}"), false),
        Value::Text(text) if is_plain(text) => (format!("'{}'", text.replace('\'', "''")), true),
        Value::Text(text) => (format!("CAST({} AS TEXT)", blob(text.as_bytes())), false),
        Value::Blob(bytes) => (blob(bytes), true),
    };
    Ok((is_sure || reads_back(connection, &sql, value)?).then_some(sql))
}

fn blob(bytes: &[u8]) -> String {
    format!("x'{}'", placet_core::digest::to_hex(bytes))
}

/// Whether the text can stand in quotes: a statement holds no zero character and names no table of the host.
fn is_plain(text: &str) -> bool {
    !text.contains('\0') && names_ours(text).is_none()
}

fn reads_back(connection: &Connection, sql: &str, value: &Value) -> rusqlite::Result<bool> {
    connection.query_row(&format!("SELECT {sql}"), [], |row| {
        Ok(match (row.get_ref(0)?, value) {
            (ValueRef::Real(found), Value::Real(wanted)) => found.to_bits() == wanted.to_bits(),
            (ValueRef::Text(found), Value::Text(wanted)) => found == wanted.as_bytes(),
            _ => false,
        })
    })
}
