//! Values on their way to the server: as text, which it reads as whatever type stands there.

use core::error::Error;

use bytes::BytesMut;
use placet_core::digest::to_hex;
use placet_target::SqlValue;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

/// A value of a statement.
#[derive(Debug)]
pub(crate) struct Given<'a>(pub(crate) &'a SqlValue);

impl ToSql for Given<'_> {
    fn to_sql(
        &self,
        _type: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
        match self.0 {
            SqlValue::Null => return Ok(IsNull::Yes),
            SqlValue::Boolean(yes) => put(if *yes { "true" } else { "false" }),
            SqlValue::Int64(number) => put(&number.to_string()),
            // Rust's shortest form is read back as the same number; the server knows `inf` and `NaN`.
            SqlValue::Float64(number) => put(&number.to_string()),
            SqlValue::Decimal(text)
            | SqlValue::Text(text)
            | SqlValue::Timestamp(text)
            | SqlValue::Json(text) => put(text),
            SqlValue::Bytes(bytes) => {
                put("\\x");
                put(&to_hex(bytes));
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_type: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _type: &Type) -> Format {
        Format::Text
    }
}
