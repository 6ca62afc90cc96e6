//! Names, as the database knows them.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use sqlparser::ast::{Ident, ObjectName};

use crate::dialect::Dialect;

/// PostgreSQL cuts a longer name, and so would look for another one.
const NAME_BYTES_MAX: usize = 63;

/// A name without quotes, in the case that the database would look for. SQLite and MySQL compare as written, or
/// without regard to case: there it stays as it is.
pub(super) fn folded(name: &Ident, dialect: Dialect) -> Result<String, String> {
    let is_long = dialect == Dialect::PostgreSql && name.value.len() > NAME_BYTES_MAX;
    if name.value.is_empty() || is_long {
        return Err("a name in it is empty or too long".to_owned());
    }
    if dialect == Dialect::PostgreSql && name.quote_style.is_none() {
        return Ok(name.value.to_ascii_lowercase());
    }
    Ok(name.value.clone())
}

/// Schema, where there is one, and name.
pub(super) fn table_of(name: &ObjectName, dialect: Dialect) -> Result<Vec<String>, String> {
    let parts = parts_of(name)?;
    if !(1..=2).contains(&parts.len()) {
        return Err("its table has a name of more than two parts".to_owned());
    }
    parts.into_iter().map(|part| folded(part, dialect)).collect()
}

/// The column that is set. In PostgreSQL, `a.b` is a field of the column `a`; elsewhere a column of the table `a`.
pub(super) fn column_of(name: &ObjectName, dialect: Dialect) -> Result<String, String> {
    let parts = parts_of(name)?;
    let column = if dialect == Dialect::PostgreSql { parts.first() } else { parts.last() };
    folded(column.ok_or("a column in it has no name")?, dialect)
}

fn parts_of(name: &ObjectName) -> Result<Vec<&Ident>, String> {
    let parts = name.0.iter().map(|part| part.as_ident().ok_or("a name in it is computed"));
    parts.collect::<Result<_, &str>>().map_err(str::to_owned)
}
