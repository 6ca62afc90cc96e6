//! What the server answers, apart from rows.

use crate::wire::cursor::Cursor;
use crate::wire::{Column, Fault};

/// One row in the text protocol: each value as the server wrote it.
pub(crate) type TextRow = Vec<Option<Vec<u8>>>;

/// What a statement without rows did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    /// How many rows it changed.
    pub(crate) changed: u64,
    pub(crate) warnings: u16,
}

/// What comes back first.
#[derive(Debug)]
pub(crate) enum Answer {
    Done(Done),
    /// Rows of these columns follow.
    Rows(Vec<Column>),
}

/// A statement that the server knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    pub(super) id: u32,
    pub(super) parameters: u16,
}

/// The error in a packet that is one.
pub(crate) fn error_of(packet: &[u8]) -> Fault {
    let mut cursor = Cursor(packet);
    let (Ok(_), Ok(code)) = (cursor.u8(), cursor.u16()) else { return Fault::Malformed };
    if cursor.0.first() == Some(&b'#') {
        cursor.0 = cursor.0.get(6..).unwrap_or_default();
    }
    Fault::Server { code, message: String::from_utf8_lossy(cursor.0).into_owned() }
}

/// Whether nothing follows any more.
pub(super) fn is_end(packet: &[u8], length: usize) -> bool {
    packet.first() == Some(&0xfe) && length < 9
}

pub(super) fn is_end_of(packet: &[u8]) -> bool {
    is_end(packet, packet.len())
}

pub(super) fn done_of(packet: &[u8]) -> Result<(Done, u16), Fault> {
    let mut cursor = Cursor(packet);
    let _head = cursor.u8()?;
    let changed = cursor.number()?;
    let _last_number = cursor.number()?;
    let (status, warnings) = (cursor.u16()?, cursor.u16()?);
    Ok((Done { changed, warnings }, status))
}

/// A prepared statement, and how many lists of columns follow.
pub(super) fn prepared_of(packet: &[u8]) -> Result<(Prepared, u8), Fault> {
    let mut cursor = Cursor(packet);
    if cursor.u8()? != 0 {
        return Err(Fault::Malformed);
    }
    let id = cursor.u32()?;
    let (columns, parameters) = (cursor.u16()?, cursor.u16()?);
    let lists = u8::from(columns > 0).saturating_add(u8::from(parameters > 0));
    Ok((Prepared { id, parameters }, lists))
}
