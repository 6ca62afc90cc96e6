//! Values in the binary protocol ("Binary Protocol Resultset" and `COM_STMT_EXECUTE` in the manual).

use core::fmt::Write as _;

use placet_core::clock::Timestamp;
use placet_target::SqlValue;

use crate::wire::column::{BINARY, Column};
use crate::wire::cursor::{Cursor, put_counted};
use crate::wire::{Client, Fault};

/// The types of the protocol that are looked at.
pub(crate) mod kind {
    pub(crate) const TINY: u8 = 1;
    pub(crate) const SHORT: u8 = 2;
    pub(crate) const LONG: u8 = 3;
    pub(crate) const FLOAT: u8 = 4;
    pub(crate) const DOUBLE: u8 = 5;
    pub(crate) const NULL: u8 = 6;
    pub(crate) const TIMESTAMP: u8 = 7;
    pub(crate) const LONGLONG: u8 = 8;
    pub(crate) const INT24: u8 = 9;
    pub(crate) const DATE: u8 = 10;
    pub(crate) const TIME: u8 = 11;
    pub(crate) const DATETIME: u8 = 12;
    pub(crate) const YEAR: u8 = 13;
    pub(crate) const BIT: u8 = 16;
    pub(crate) const JSON: u8 = 245;
    pub(crate) const NEWDECIMAL: u8 = 246;
    pub(crate) const BLOB: u8 = 252;
    pub(crate) const VAR_STRING: u8 = 253;
    pub(crate) const GEOMETRY: u8 = 255;
}

/// The values of one row.
pub(crate) fn row(packet: &[u8], columns: &[Column]) -> Result<Vec<SqlValue>, Fault> {
    let mut cursor = Cursor(packet);
    if cursor.u8()? != 0 {
        return Err(Fault::Malformed);
    }
    let nulls = cursor.bytes(columns.len().saturating_add(9) / 8)?;
    let mut values = Vec::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        // The first two bits are not used.
        let bit = at.saturating_add(2);
        let is_null =
            nulls.get(bit / 8).is_some_and(|byte| byte.checked_shr(low(bit)).unwrap_or(0) & 1 == 1);
        values.push(if is_null { SqlValue::Null } else { value(&mut cursor, column)? });
    }
    if cursor.is_empty() { Ok(values) } else { Err(Fault::Malformed) }
}

fn low(bit: usize) -> u32 {
    u32::try_from(bit % 8).unwrap_or(0)
}

fn value(cursor: &mut Cursor<'_>, column: &Column) -> Result<SqlValue, Fault> {
    let signed = !column.is_unsigned;
    Ok(match column.kind {
        kind::NULL => SqlValue::Null,
        kind::TINY => {
            let byte = cursor.u8()?;
            SqlValue::Int64(if signed { i64::from(byte.cast_signed()) } else { byte.into() })
        }
        kind::SHORT | kind::YEAR => {
            let number = cursor.u16()?;
            SqlValue::Int64(if signed { i64::from(number.cast_signed()) } else { number.into() })
        }
        kind::LONG | kind::INT24 => {
            let number = cursor.u32()?;
            SqlValue::Int64(if signed { i64::from(number.cast_signed()) } else { number.into() })
        }
        kind::LONGLONG => {
            let number = cursor.u64()?;
            match i64::try_from(number) {
                Ok(number) => SqlValue::Int64(number),
                Err(_) if signed => SqlValue::Int64(number.cast_signed()),
                Err(_) => SqlValue::Decimal(number.to_string()),
            }
        }
        kind::FLOAT => SqlValue::Float64(f64::from(f32::from_le_bytes(cursor.array()?))),
        kind::DOUBLE => SqlValue::Float64(f64::from_le_bytes(cursor.array()?)),
        kind::DATE | kind::DATETIME | kind::TIMESTAMP => instant(cursor, column)?,
        kind::TIME => duration(cursor, column)?,
        kind::NEWDECIMAL | 0 => SqlValue::Decimal(cursor.text()?),
        kind::JSON => SqlValue::Json(cursor.text()?),
        kind::BIT | kind::GEOMETRY => SqlValue::Bytes(cursor.counted()?.to_vec()),
        _ if column.character_set == BINARY => SqlValue::Bytes(cursor.counted()?.to_vec()),
        _ => SqlValue::Text(cursor.text()?),
    })
}

/// A day, and perhaps a time of it. A TIMESTAMP is an instant, because the session lives in UTC; a DATETIME is what
/// somebody wrote down.
fn instant(cursor: &mut Cursor<'_>, column: &Column) -> Result<SqlValue, Fault> {
    let mut cursor = Cursor(cursor.counted()?);
    let (year, month, day) =
        if cursor.is_empty() { (0, 0, 0) } else { (cursor.u16()?, cursor.u8()?, cursor.u8()?) };
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if column.kind == kind::DATE {
        return Ok(SqlValue::Text(text));
    }
    let (hour, minute, second) =
        if cursor.is_empty() { (0, 0, 0) } else { (cursor.u8()?, cursor.u8()?, cursor.u8()?) };
    let micros = if cursor.is_empty() { 0 } else { cursor.u32()? };
    let is_instant = column.kind == kind::TIMESTAMP && year != 0;
    let between = if is_instant { 'T' } else { ' ' };
    let _always = write!(text, "{between}{hour:02}:{minute:02}:{second:02}");
    put_fraction(&mut text, micros, column.decimals);
    if is_instant {
        text.push('Z');
        return Ok(SqlValue::Timestamp(text));
    }
    Ok(SqlValue::Text(text))
}

fn duration(cursor: &mut Cursor<'_>, column: &Column) -> Result<SqlValue, Fault> {
    let mut cursor = Cursor(cursor.counted()?);
    let (mut text, mut hours, mut minute, mut second, mut micros) = (String::new(), 0, 0, 0, 0);
    if !cursor.is_empty() {
        if cursor.u8()? == 1 {
            text.push('-');
        }
        let days = cursor.u32()?;
        hours = days.saturating_mul(24).saturating_add(u32::from(cursor.u8()?));
        (minute, second) = (cursor.u8()?, cursor.u8()?);
        micros = if cursor.is_empty() { 0 } else { cursor.u32()? };
    }
    let _always = write!(text, "{hours:02}:{minute:02}:{second:02}");
    put_fraction(&mut text, micros, column.decimals);
    Ok(SqlValue::Text(text))
}

/// As many digits as the column has.
fn put_fraction(text: &mut String, micros: u32, decimals: u8) {
    let digits = format!("{micros:06}");
    if let Some(digits) = digits.get(..usize::from(decimals)).filter(|digits| !digits.is_empty()) {
        let _always = write!(text, ".{digits}");
    }
}

/// The packet that executes the statement `id` with `values`.
pub(crate) fn execution(id: u32, values: &[SqlValue]) -> Vec<u8> {
    let mut packet = vec![Client::STMT_EXECUTE];
    packet.extend(id.to_le_bytes());
    // No cursor, once.
    packet.extend([0, 1, 0, 0, 0]);
    if values.is_empty() {
        return packet;
    }
    let mut nulls = vec![0_u8; values.len().div_ceil(8)];
    for (at, _) in values.iter().enumerate().filter(|(_, value)| **value == SqlValue::Null) {
        if let Some(byte) = nulls.get_mut(at / 8) {
            *byte |= 1_u8.checked_shl(low(at)).unwrap_or(0);
        }
    }
    packet.extend(nulls);
    packet.push(1);
    packet.extend(values.iter().flat_map(|value| [kind_of(value), 0]));
    for value in values {
        match value {
            SqlValue::Null => {}
            SqlValue::Boolean(yes) => packet.push(u8::from(*yes)),
            SqlValue::Int64(number) => packet.extend(number.to_le_bytes()),
            SqlValue::Float64(number) => packet.extend(number.to_le_bytes()),
            SqlValue::Decimal(text) | SqlValue::Text(text) | SqlValue::Json(text) => {
                put_counted(&mut packet, text.as_bytes());
            }
            SqlValue::Timestamp(text) => put_counted(&mut packet, in_utc(text).as_bytes()),
            SqlValue::Bytes(bytes) => put_counted(&mut packet, bytes),
        }
    }
    packet
}

const fn kind_of(value: &SqlValue) -> u8 {
    match value {
        SqlValue::Null => kind::NULL,
        SqlValue::Boolean(_) => kind::TINY,
        SqlValue::Int64(_) => kind::LONGLONG,
        SqlValue::Float64(_) => kind::DOUBLE,
        SqlValue::Decimal(_) => kind::NEWDECIMAL,
        SqlValue::Text(_) | SqlValue::Timestamp(_) | SqlValue::Json(_) => kind::VAR_STRING,
        SqlValue::Bytes(_) => kind::BLOB,
    }
}

/// An instant as the server reads it: its session is in UTC, and MariaDB knows no offsets.
fn in_utc(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(at) => at.to_string().replace('T', " ").trim_end_matches('Z').to_owned(),
        // What is no instant, the server refuses.
        Err(_) => text.to_owned(),
    }
}
