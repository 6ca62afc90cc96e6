//! Values on their way back: the server's binary forms, in our values.

use core::error::Error;

use placet_target::SqlValue;
use tokio_postgres::types::{FromSql, Kind, Type};

use crate::{calendar, decimal};

/// A value of a row.
#[derive(Debug)]
pub(crate) struct Cell(pub(crate) SqlValue);

type Failure = Box<dyn Error + Sync + Send>;

/// Whether its binary form is read here. Anything else is asked for as text.
pub(crate) fn is_known(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::BOOL
            | Type::INT2
            | Type::INT4
            | Type::INT8
            | Type::OID
            | Type::FLOAT4
            | Type::FLOAT8
            | Type::NUMERIC
            | Type::TEXT
            | Type::VARCHAR
            | Type::BPCHAR
            | Type::NAME
            | Type::UNKNOWN
            | Type::XML
            | Type::BYTEA
            | Type::TIMESTAMPTZ
            | Type::TIMESTAMP
            | Type::DATE
            | Type::TIME
            | Type::JSON
            | Type::JSONB
            | Type::UUID
    ) || matches!(ty.kind(), Kind::Enum(_))
}

fn fixed<const N: usize>(raw: &[u8]) -> Result<[u8; N], Failure> {
    raw.try_into().map_err(|_length| "the server sent another number of bytes".into())
}

fn text(raw: &[u8]) -> Result<String, Failure> {
    Ok(core::str::from_utf8(raw)?.to_owned())
}

fn uuid(raw: &[u8]) -> Result<String, Failure> {
    let bits = u128::from_be_bytes(fixed(raw)?);
    let mut text = format!("{bits:032x}");
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    Ok(text)
}

fn json(raw: &[u8]) -> Result<SqlValue, Failure> {
    Ok(SqlValue::Json(text(raw)?))
}

impl<'a> FromSql<'a> for Cell {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        Ok(Self(match *ty {
            Type::BOOL => SqlValue::Boolean(fixed::<1>(raw)? != [0]),
            Type::INT2 => SqlValue::Int64(i64::from(i16::from_be_bytes(fixed(raw)?))),
            Type::INT4 => SqlValue::Int64(i64::from(i32::from_be_bytes(fixed(raw)?))),
            Type::INT8 => SqlValue::Int64(i64::from_be_bytes(fixed(raw)?)),
            Type::OID => SqlValue::Int64(i64::from(u32::from_be_bytes(fixed(raw)?))),
            Type::FLOAT4 => SqlValue::Float64(f64::from(f32::from_be_bytes(fixed(raw)?))),
            Type::FLOAT8 => SqlValue::Float64(f64::from_be_bytes(fixed(raw)?)),
            Type::NUMERIC => {
                SqlValue::Decimal(decimal::read(raw).ok_or("the server sent no number")?)
            }
            Type::BYTEA => SqlValue::Bytes(raw.to_vec()),
            Type::TIMESTAMPTZ => match calendar::instant(i64::from_be_bytes(fixed(raw)?)) {
                Ok(instant) => SqlValue::Timestamp(instant),
                Err(other) => SqlValue::Text(other),
            },
            Type::TIMESTAMP => SqlValue::Text(calendar::timestamp(i64::from_be_bytes(fixed(raw)?))),
            Type::DATE => SqlValue::Text(calendar::date(i32::from_be_bytes(fixed(raw)?))),
            Type::TIME => SqlValue::Text(calendar::time(i64::from_be_bytes(fixed(raw)?))),
            Type::UUID => SqlValue::Text(uuid(raw)?),
            Type::JSON => json(raw)?,
            // One byte says which form it is; there is one so far.
            Type::JSONB => match raw.split_first() {
                Some((1, rest)) => json(rest)?,
                Some(_) | None => return Err("the server sent no JSON".into()),
            },
            _ => SqlValue::Text(text(raw)?),
        }))
    }

    fn from_sql_null(_type: &Type) -> Result<Self, Failure> {
        Ok(Self(SqlValue::Null))
    }

    fn accepts(ty: &Type) -> bool {
        is_known(ty)
    }
}
