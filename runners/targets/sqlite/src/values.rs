//! Values between us and SQLite.

use rusqlite::types::{Value, ValueRef};

use placet_target::SqlValue;

/// The value as SQLite takes it.
pub(super) fn to_sqlite(value: &SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Boolean(yes) => Value::Integer(i64::from(*yes)),
        SqlValue::Int64(number) => Value::Integer(*number),
        SqlValue::Float64(number) => Value::Real(*number),
        SqlValue::Decimal(text)
        | SqlValue::Text(text)
        | SqlValue::Timestamp(text)
        | SqlValue::Json(text) => Value::Text(text.clone()),
        SqlValue::Bytes(bytes) => Value::Blob(bytes.clone()),
    }
}

/// How many bytes its text or blob has.
pub(super) const fn length_of(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
    }
}

/// A copy of a value of SQLite's.
pub(super) fn from_sqlite(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) => SqlValue::Int64(number),
        ValueRef::Real(number) => SqlValue::Float64(number),
        ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => SqlValue::Bytes(bytes.to_vec()),
    }
}
