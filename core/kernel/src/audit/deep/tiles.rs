//! The tiles of the log, made again from its entries and from each other.

use super::derived::{Look, Verdict, Wrong, own};
use crate::audit::{fold, leaf_hash};
use crate::digest::Digest;
use crate::error::Error;
use crate::gate::Tile;
use crate::store::Key;
use crate::store::records;

/// How many hashes a tile has.
const FULL: u64 = 256;

/// A tile has the hashes of the entries, or of the tiles, under it; and those that were written before it are there.
/// The last tile of a level need not be there: a gate makes it again when it needs it.
pub(super) fn tile(look: &Look<'_>, key: &Key, bytes: &[u8]) -> Verdict {
    let tile: Tile = match own(key, bytes) {
        Ok(tile) => tile,
        Err(wrong) => return Ok(wrong),
    };
    let (level, index) = (tile.level, tile.index);
    let covers = FULL.checked_pow(u32::from(level).saturating_add(1));
    let end = covers.and_then(|entries| entries.checked_mul(index.checked_add(1)?));
    let len = look.store.log_len()?;
    if end.is_none_or(|end| end > len) {
        return Ok(Wrong::unfit(key, "it covers more entries than there are"));
    }
    let mut wrong = Vec::new();
    let due = under(look, &tile, &mut wrong)?;
    if wrong.is_empty() && due != tile.hashes {
        wrong.extend(Wrong::unfit(key, "its hashes are not those of the log"));
    }
    let before = index.checked_sub(1).map(|before| (level, before));
    // Both come into the store in one commit.
    let above =
        (index % FULL == FULL.saturating_sub(1)).then(|| (level.saturating_add(1), index / FULL));
    for (level, index) in before.into_iter().chain(above) {
        if there(look, level, index)?.is_none() {
            wrong.extend(Wrong::missing(key_of(level, index), "a later tile is there"));
        }
    }
    Ok(wrong)
}

/// The hashes that a tile must have.
fn under(look: &Look<'_>, tile: &Tile, wrong: &mut Vec<Wrong>) -> Result<Vec<Digest>, Error> {
    let first = tile.index.saturating_mul(FULL);
    let Some(below) = tile.level.checked_sub(1) else {
        let entries = look.store.log_read(first, 256)?;
        return Ok(entries.iter().map(|entry| leaf_hash(entry)).collect());
    };
    let mut hashes = Vec::new();
    for index in first..first.saturating_add(FULL) {
        match there(look, below, index)? {
            Some(mut tile) => hashes.extend(fold(&mut tile.hashes)),
            None => {
                wrong.extend(Wrong::missing(key_of(below, index), "the tile above it is there"));
            }
        }
    }
    Ok(hashes)
}

fn there(look: &Look<'_>, level: u8, index: u64) -> Result<Option<Tile>, Error> {
    look.get::<Tile>(&[&level.to_string(), &index.to_string()])
}

fn key_of(level: u8, index: u64) -> Key {
    records::key_of::<Tile>(&[&level.to_string(), &index.to_string()])
}
