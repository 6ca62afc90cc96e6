//! The static form of a log, written: whole, or what is new since the last time.

use std::collections::BTreeMap;

use super::checkpoint::Checkpoint;
use super::encoding::{malformed, tampered};
use super::merkle::{leaf_hash, to_u64};
use super::note::SignedNote;
use super::progress::Progress;
use super::tiled::TiledTree;
use super::tiles::{
    CHECKPOINT_PATH, TilePath, bundles_since, decode_bundle, encode_bundle, hash_tiles_since,
    tile_bytes,
};
use crate::digest::Digest;
use crate::error::{Code, Error};

/// Where an export goes: a folder, a bucket, a repository. A `BTreeMap` from path to bytes is one in memory.
///
/// Paths are relative, with `/` between their parts.
///
/// ```
/// use std::collections::BTreeMap;
/// use placet_core::audit::Destination;
///
/// let mut folder = BTreeMap::new();
/// folder.write("tile/0/000.p/1", &[7; 32])?;
/// assert_eq!(folder.read("tile/0/000.p/1")?, Some(vec![7; 32]));
/// assert_eq!(folder.read("checkpoint")?, None);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait Destination {
    /// The bytes of a file; `None` where there is no such file.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Writes a whole file, in place of what was there.
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error>;

    /// Is told after each bundle of entries how far the export is. An error ends it; a later export goes on from
    /// there.
    #[expect(unused_variables, reason = "nobody has to watch")]
    fn progress(&mut self, at: Progress) -> Result<(), Error> {
        Ok(())
    }
}

impl Destination for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.get(path).cloned())
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
}

/// Writes a log as a static directory that any C2SP tlog-tiles client can read and verify: entry
/// bundles and hash tiles at the checkpoint's size, and last the checkpoint itself, so that no
/// reader sees a head whose tiles are not there yet.
///
/// `earlier` is the head that the destination has already, whose files stand there: only files that it has not are
/// written. Of these, one that is there with the right bytes, because an earlier export was interrupted, is not
/// written again, and its entries are not read. Partial tiles of earlier heads stay, for readers who still hold such
/// a head; tlog-tiles allows to clear them away once their full tile is there. Where nothing is new, nothing is
/// written: a checkpoint keeps the signatures of its witnesses.
///
/// `entries` answers entries from an index on, at most the given number, as [`Store::log_read`] does. Memory is one
/// bundle and a few tiles.
///
/// Fails with `invalid_input` when `checkpoint` is not one, or not a head of `tree`; with `log_tampered` when the
/// log does not continue `earlier`, and, with the detail `leaf`, when an entry is not what the tree has; and
/// with the errors of `entries` and of the destination.
///
/// [`Store::log_read`]: crate::store::Store::log_read
///
/// ```
/// use std::collections::BTreeMap;
/// use placet_core::audit::{Checkpoint, Ed25519Signer, MerkleTree, TiledTree, export, hash_tile, leaf_hash};
/// use placet_core::store::{Batch, MemoryStore, Store};
///
/// let store = MemoryStore::default();
/// store.commit(Batch::default().append(b"ana asks".to_vec()))?;
/// store.commit(Batch::default().append(b"bo agrees".to_vec()))?;
///
/// let tree: MerkleTree = store.log_read(0, 2)?.iter().map(|entry| leaf_hash(entry)).collect();
/// let tiled = TiledTree::new(2, |path| Ok(hash_tile(&tree, path)));
/// let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let head = Checkpoint::new("example.com/log", tree.len(), tree.root())?.sign(&[&signer])?;
///
/// let mut folder = BTreeMap::new();
/// export(&tiled, &head, None, |from, limit| Ok(store.log_read(from, limit)?), &mut folder)?;
/// let paths: Vec<_> = folder.into_keys().collect();
/// assert_eq!(paths, ["checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn export<R: Fn(TilePath) -> Result<Option<Vec<u8>>, Error>>(
    tree: &TiledTree<R>,
    checkpoint: &SignedNote,
    earlier: Option<&Checkpoint>,
    mut entries: impl FnMut(u64, usize) -> Result<Vec<Vec<u8>>, Error>,
    to: &mut dyn Destination,
) -> Result<(), Error> {
    let head: Checkpoint = checkpoint.unverified_text().parse()?;
    if tree.root_at(head.size())? != head.root() {
        return Err(malformed("the checkpoint to export is not a head of this log")
            .with_help("sign a checkpoint of this log and export with that"));
    }
    if let Some(earlier) = earlier {
        check_continues(tree, &head, earlier)?;
    }
    let from = earlier.map_or(0, Checkpoint::size);
    for path in bundles_since(from, head.size()) {
        let tile = TilePath::hashes(0, path.index(), path.width())?;
        let hashes = tree.hashes(tile)?;
        let is_there = to.read(&path.to_string())?.is_some_and(|bytes| holds(&bytes, &hashes));
        if !is_there {
            let found = entries(path.start(), usize::from(path.width()))?;
            check_entries(path, &found, &hashes)?;
            to.write(&path.to_string(), &encode_bundle(&found)?)?;
        }
        write_new(to, tile, &hashes)?;
        to.progress(Progress::at(path.end(), head.size()))?;
    }
    for path in hash_tiles_since(from, head.size(), 1) {
        write_new(to, path, &tree.hashes(path)?)?;
    }
    let is_new = earlier.is_none_or(|earlier| earlier.size() != head.size());
    if is_new { to.write(CHECKPOINT_PATH, checkpoint.to_string().as_bytes()) } else { Ok(()) }
}

fn check_continues<R: Fn(TilePath) -> Result<Option<Vec<u8>>, Error>>(
    tree: &TiledTree<R>,
    head: &Checkpoint,
    earlier: &Checkpoint,
) -> Result<(), Error> {
    let is_one = earlier.origin() == head.origin() && earlier.size() <= head.size();
    if is_one && tree.root_at(earlier.size())? == earlier.root() {
        return Ok(());
    }
    let sentence = format!(
        "the log of {} leaves does not continue the export of {} leaves that is there",
        head.size(),
        earlier.size()
    );
    Err(tampered(sentence)
        .with_help("keep that export: with its signed checkpoint it is evidence; export to another place, and find out who rolled the log back")
        .with_detail("size", head.size())
        .with_detail("size_earlier", earlier.size()))
}

fn write_new(to: &mut dyn Destination, path: TilePath, hashes: &[Digest]) -> Result<(), Error> {
    let (path, bytes) = (path.to_string(), tile_bytes(hashes));
    if to.read(&path)?.is_some_and(|found| found == bytes) {
        return Ok(());
    }
    to.write(&path, &bytes)
}

/// Whether a bundle holds the entries with these hashes and nothing else.
fn holds(bundle: &[u8], hashes: &[Digest]) -> bool {
    let found = decode_bundle(bundle).map(|entry| entry.map(leaf_hash));
    found.eq(hashes.iter().map(|hash| Some(*hash)))
}

fn check_entries(path: TilePath, entries: &[Vec<u8>], hashes: &[Digest]) -> Result<(), Error> {
    let same = entries.iter().zip(hashes).take_while(|(entry, hash)| leaf_hash(entry) == **hash);
    let same = same.count();
    if same == hashes.len() && entries.len() == hashes.len() {
        return Ok(());
    }
    let index = path.start().saturating_add(to_u64(same));
    let sentence = if same < entries.len().min(hashes.len()) {
        format!("log entry {index} is not what was appended")
    } else {
        format!("log entry {index} is missing, or there are too many")
    };
    Err(Error::new(Code::LogTampered, sentence)
        .with_help("verify the store and restore the entry from an earlier export")
        .with_detail("leaf", index))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
#[path = "export_tests.rs"]
mod tests;
