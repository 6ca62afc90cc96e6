//! The durable head: what must be in sled, kept outside it.
//!
//! sled cannot tell damage from an unfinished write and drops both. The head can: it says how many
//! commits and log entries were acknowledged, and what all that is there adds up to.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use placet_core::digest::Digest;
use placet_core::store::{StoreError, StoreErrorKind};

use crate::fault::{damaged, unavailable};
use crate::record::{Position, SUM_BYTES, short};

/// The format that this version writes.
const FORMAT: u32 = 2;

// A slot is one disk sector: `magic, format, position`, zeros, and at its end the sum. Magic, format and sum keep
// their places from format 2 on, so that any version can tell a newer format from damage.
const MAGIC: &[u8; 8] = b"placet-h";
const SLOT_BYTES: usize = 512;
const SUMMED_BYTES: usize = SLOT_BYTES - SUM_BYTES;
const FIRST_FORMAT_SUMMED_BYTES: usize = 60;

/// Slots stand this far apart: a torn write of one cannot reach the other.
const SLOT_DISTANCE: u64 = 4_096;

/// The file `head`: two slots, written in turn.
#[derive(Debug)]
pub(crate) struct Head {
    file: File,
    next_slot: u64,
}

impl Head {
    /// Opens the head, and says what it holds; `None` when there is none yet.
    pub(crate) fn open(path: &Path) -> Result<Option<(Self, Position)>, StoreError> {
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(unavailable("open", path, cause)),
        };
        let mut raw = Vec::new();
        // A head is two slots long; more is not ours.
        let read = (&mut file).take(SLOT_DISTANCE.saturating_mul(2)).read_to_end(&mut raw);
        read.map_err(|cause| unavailable("read", path, cause))?;
        let (first, second) = raw.split_at_checked(4_096).unwrap_or((&raw, &[]));
        let slots = [parse(first)?, parse(second)?];
        match slots {
            [None, None] if raw.iter().all(|byte| *byte == 0) => Ok(None),
            [None, None] => Err(damaged(format!("neither half of `{}` is whole", path.display()))),
            [Some(first), Some(second)] if second.commits >= first.commits => {
                Ok(Some((Self { file, next_slot: 0 }, second)))
            }
            [Some(first), _] => Ok(Some((Self { file, next_slot: 1 }, first))),
            [None, Some(second)] => Ok(Some((Self { file, next_slot: 0 }, second))),
        }
    }

    /// Makes an empty head, or takes one that was never written.
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        let make = || {
            let options =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
            let file = options?;
            file.set_len(SLOT_DISTANCE.saturating_mul(2))?;
            Ok(Self { file, next_slot: 0 })
        };
        make().map_err(|cause| unavailable("create", path, cause))
    }

    /// Writes `position` over the older slot. It counts once [`Self::file`] is synced.
    pub(crate) fn write(&mut self, position: Position) -> io::Result<()> {
        let mut slot = [MAGIC.as_slice(), &FORMAT.to_be_bytes(), &position.to_bytes()].concat();
        slot.resize(SUMMED_BYTES, 0);
        let sum = short(&Digest::of(&slot));
        slot.extend_from_slice(&sum);
        self.file.seek(SeekFrom::Start(self.next_slot.saturating_mul(SLOT_DISTANCE)))?;
        self.file.write_all(&slot)?;
        self.next_slot ^= 1;
        Ok(())
    }

    /// The file, for syncing.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// Reads one slot; `None` when it was never written, or torn.
fn parse(raw: &[u8]) -> Result<Option<Position>, StoreError> {
    let Some(summed) = whole(raw, SUMMED_BYTES) else {
        // Never released, so nothing reads it. It is not damage either.
        let first_format = whole(raw, FIRST_FORMAT_SUMMED_BYTES).and_then(format);
        return first_format.map_or(Ok(None), |(format, _)| Err(other(format)));
    };
    match format(summed) {
        Some((FORMAT, rest)) => Ok(rest.get(..Position::BYTES).and_then(Position::from_bytes)),
        Some((format, _)) => Err(other(format)),
        None => Ok(None),
    }
}

/// The first bytes of a slot, when the sum behind them is right.
fn whole(raw: &[u8], summed_bytes: usize) -> Option<&[u8]> {
    let (summed, rest) = raw.split_at_checked(summed_bytes)?;
    rest.starts_with(&short(&Digest::of(summed))).then_some(summed)
}

fn format(summed: &[u8]) -> Option<(u32, &[u8])> {
    let (format, rest) = summed.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*format), rest))
}

fn other(format: u32) -> StoreError {
    if format > FORMAT {
        let message = format!("the folder has format {format}, this version knows up to {FORMAT}");
        return StoreError::new(StoreErrorKind::NewerFormat, message)
            .with_help("open it with the version that wrote it, or a newer one");
    }
    let message = format!("the folder has format {format}, this version reads only {FORMAT}");
    StoreError::new(StoreErrorKind::Unavailable, message)
        .with_help("open it with the version that wrote it, and copy what is in it to a new store")
}
