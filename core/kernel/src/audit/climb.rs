//! From the hashes of the leaves to the root, with a look at every tile on the way and none kept.

use std::collections::BTreeMap;

use super::edge::Edge;
use super::tiles::{TilePath, tile_at};
use super::verify::Files;
use crate::digest::Digest;
use crate::error::Error;

/// A tile of the export that is not what the leaves make it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mismatch {
    pub(super) path: TilePath,
    /// How many hashes it begins with that are right; nothing where there is no such file.
    pub(super) same: Option<usize>,
}

/// A log that is built again from its leaf hashes, beside the hash tiles of an export.
#[derive(Debug)]
pub(super) struct Climb<'a> {
    files: &'a Files<'a>,
    // Tiles below this level are not looked at.
    lowest: u8,
    edge: Edge,
    // The first of each level.
    wrong: BTreeMap<u8, Mismatch>,
}

impl<'a> Climb<'a> {
    pub(super) fn beside(files: &'a Files<'a>, lowest: u8) -> Self {
        Self { files, lowest, edge: Edge::default(), wrong: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, leaves: impl IntoIterator<Item = Digest>) -> Result<(), Error> {
        let Self { files, lowest, edge, wrong } = self;
        for leaf in leaves {
            edge.append(leaf, |path, hashes| compare(files, *lowest, wrong, path, hashes))?;
        }
        Ok(())
    }

    /// The root of all leaves, and the first tile that is wrong, of the lowest level.
    pub(super) fn finish(mut self) -> Result<(Digest, Option<Mismatch>), Error> {
        for level in self.lowest.. {
            let size = self.edge.size();
            let Some(count) = size.checked_shr(u32::from(level).saturating_mul(8)) else { break };
            if count == 0 {
                break;
            }
            if let (Some(hashes), Some(path)) =
                (self.edge.unfinished(level), tile_at(level, count / 256, size))
            {
                compare(self.files, self.lowest, &mut self.wrong, path, hashes)?;
            }
        }
        let first = self.wrong.first_key_value().map(|(_, mismatch)| *mismatch);
        Ok((self.edge.root(), first))
    }
}

fn compare(
    files: &Files<'_>,
    lowest: u8,
    wrong: &mut BTreeMap<u8, Mismatch>,
    path: TilePath,
    hashes: &[Digest],
) -> Result<(), Error> {
    let Some(level) = path.level().filter(|level| *level >= lowest) else { return Ok(()) };
    if wrong.contains_key(&level) {
        return Ok(());
    }
    let found = files.bytes(path)?;
    let same = found.as_deref().map(|bytes| {
        let found = bytes.chunks(32);
        found.zip(hashes).take_while(|(found, hash)| *found == hash.as_bytes()).count()
    });
    let is_whole = found.is_some_and(|bytes| bytes.len() == hashes.len().saturating_mul(32));
    if !is_whole || same != Some(hashes.len()) {
        wrong.insert(level, Mismatch { path, same });
    }
    Ok(())
}
