//! The hashes of the log: full tiles stand in the store, and only the growing edge in memory.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use crate::audit::{Edge, TilePath, TiledTree, leaf_hash, tile_bytes};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::store::records::{self, Record};
use crate::store::{Key, Stored};

/// A full hash tile of the log (C2SP tlog-tiles). It can be made again from the log at any time, and two gates that
/// write one write the same.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Tile {
    pub(crate) level: u8,
    pub(crate) index: u64,
    // Invariant: 256 of them.
    pub(crate) hashes: Vec<Digest>,
}

/// How many leaves a tile of level 0 covers, and how many tiles one of the next level.
const FULL: u64 = 256;

/// How many entries are read, hashed and put away at a time.
const STRIDE: usize = 4_096;

impl Record for Tile {
    const KIND: &'static str = "tile";

    fn path(&self) -> Vec<String> {
        vec![self.level.to_string(), self.index.to_string()]
    }
}

fn key_of(level: u8, index: u64) -> Key {
    records::key_of::<Tile>(&[&level.to_string(), &index.to_string()])
}

fn read(key: &Key, stored: Option<Stored>) -> Result<Option<Tile>, Error> {
    stored.map(|stored| records::decode(key, &stored.value)).transpose()
}

impl Gate {
    /// The edge of the whole log, grown by what was appended since the last call.
    pub(in crate::gate) fn edge(&self) -> Result<Edge, Error> {
        // Replaced whole: a panic in between leaves a shorter edge, never a wrong one.
        let mut kept = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.parts.store.log_len()?;
        // A gate reads the whole log once before it signs: no tile that somebody changed gets into a head, and one
        // that is not as it must be is made again.
        while kept.size() < len {
            let entries = self.parts.store.log_read(kept.size(), STRIDE)?;
            if entries.is_empty() {
                let sentence = format!("log entry {} of {len} cannot be read", kept.size());
                return Err(Error::new(Code::StoreDamaged, sentence)
                    .with_help("restore the store from a backup"));
            }
            let (mut grown, mut full) = (kept.clone(), Vec::new());
            for entry in entries {
                grown.append(leaf_hash(&entry), |path, hashes| {
                    let (level, index) = (path.level().unwrap_or_default(), path.index());
                    full.push(Tile { level, index, hashes: hashes.to_vec() });
                    Ok(())
                })?;
            }
            self.put_away(&full)?;
            *kept = grown;
        }
        Ok(kept.clone())
    }

    /// Roots and proofs of the log whose edge is `edge`.
    pub(in crate::gate) fn tiled<'a>(
        &'a self,
        edge: &'a Edge,
    ) -> TiledTree<impl Fn(TilePath) -> Result<Option<Vec<u8>>, Error> + 'a> {
        TiledTree::new(edge.size(), move |path: TilePath| {
            let Some(level) = path.level() else { return Ok(None) };
            if u64::from(path.width()) < FULL {
                return Ok(edge.unfinished(level).map(tile_bytes));
            }
            let tile = self.tile(level, path.index())?;
            Ok(tile.map(|tile| tile_bytes(&tile.hashes)))
        })
    }

    fn tile(&self, level: u8, index: u64) -> Result<Option<Tile>, Error> {
        let key = key_of(level, index);
        read(&key, self.parts.store.get(&key)?)
    }

    /// Puts full tiles into the store, where they are not there yet.
    fn put_away(&self, tiles: &[Tile]) -> Result<(), Error> {
        let keys: Vec<Key> = tiles.iter().map(|tile| key_of(tile.level, tile.index)).collect();
        let found = self.parts.store.get_many(&keys)?;
        let mut missing = Vec::new();
        for ((tile, key), stored) in tiles.iter().zip(&keys).zip(found) {
            // One that is otherwise, or cannot be read, is of no use to anybody.
            if !read(key, stored).is_ok_and(|found| found.as_ref() == Some(tile)) {
                missing.push(tile);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        self.touch(|txn| missing.iter().try_for_each(|tile| txn.put(*tile)))?;
        // Rows that verbs decide on stay in memory, tiles need not.
        let mut memory = self.memory();
        for key in &keys {
            memory.forget(key);
        }
        Ok(())
    }
}
