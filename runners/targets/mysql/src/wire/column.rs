//! What the server says of a column of an answer.

use crate::wire::Fault;
use crate::wire::cursor::Cursor;

/// A column of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The database of the table; empty where the table was made on the way.
    pub(crate) schema: String,
    /// The table and the column that it is unchanged; both empty where it is made.
    pub(crate) table: String,
    pub(crate) stored_as: String,
    /// 63 for bytes.
    pub(crate) character_set: u16,
    pub(crate) kind: u8,
    pub(crate) is_unsigned: bool,
    pub(crate) decimals: u8,
}

/// The character set of bytes.
pub(crate) const BINARY: u16 = 63;

const UNSIGNED_FLAG: u16 = 1 << 5;

impl Column {
    pub(crate) fn read(packet: &[u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor(packet);
        let _catalog = cursor.counted()?;
        let schema = cursor.text()?;
        let _alias = cursor.counted()?;
        let (table, name, stored_as) = (cursor.text()?, cursor.text()?, cursor.text()?);
        let _length_of_the_rest = cursor.number()?;
        let character_set = cursor.u16()?;
        let _width = cursor.u32()?;
        let kind = cursor.u8()?;
        let is_unsigned = cursor.u16()? & UNSIGNED_FLAG != 0;
        let decimals = cursor.u8()?;
        Ok(Self { name, schema, table, stored_as, character_set, kind, is_unsigned, decimals })
    }
}
