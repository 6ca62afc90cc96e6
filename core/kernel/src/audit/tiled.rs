//! Roots and proofs from tiles, of which each proof reads only the few that it needs.

use core::cell::RefCell;
use core::fmt;
use std::collections::BTreeMap;

use super::edge::fold;
use super::encoding::tampered;
use super::merkle::empty_root;
use super::tiles::{TilePath, read_hash_tile, tile_at};
use super::walk::{self, Subtrees, no_such_size};
use crate::digest::Digest;
use crate::error::Error;

/// A log whose hashes stand in tiles (C2SP tlog-tiles), somewhere else: each root and each proof reads the tiles
/// on its way, once, and keeps none. A proof out of 10,000,000 leaves reads at most 5 tiles of at most 8 KiB.
///
/// `read` answers the bytes of the hash tile at a path, and `None` where there is none. Where a partial tile was
/// cleared away, its full one is asked for. What is read is not verified, and need not be: a proof from false tiles
/// shows nothing to whoever verifies it.
///
/// ```
/// use placet_core::audit::{MerkleTree, TilePath, TiledTree, hash_tile, leaf_hash, verify_inclusion};
///
/// let leaves: Vec<_> = (0..1_000_u32).map(|number| leaf_hash(&number.to_be_bytes())).collect();
/// let tree: MerkleTree = leaves.iter().copied().collect();
/// // A host reads files, or answers from a cache.
/// let log = TiledTree::new(1_000, |path: TilePath| Ok(hash_tile(&tree, path)));
///
/// let proof = log.inclusion_proof(700, 1_000)?;
/// verify_inclusion(&leaves[700], 700, 1_000, &proof, &log.root()?)?;
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone)]
pub struct TiledTree<R> {
    size: u64,
    read: R,
}

impl<R: Fn(TilePath) -> Result<Option<Vec<u8>>, Error>> TiledTree<R> {
    /// The log of `size` leaves whose tiles are read by `read`. Reads nothing yet.
    pub fn new(size: u64, read: R) -> Self {
        Self { size, read }
    }

    /// The number of leaves.
    pub fn len(&self) -> u64 {
        self.size
    }

    /// Whether there are no leaves.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// The root hash of all leaves. Fails as [`Self::root_at`] does.
    pub fn root(&self) -> Result<Digest, Error> {
        self.root_at(self.size)
    }

    /// The root hash as it was when the log had `size` leaves.
    ///
    /// Fails with `invalid_input` when the log never had that size, with `log_tampered` when a tile is missing or is
    /// not one, and with the errors of `read`.
    pub fn root_at(&self, size: u64) -> Result<Digest, Error> {
        self.check_size(size)?;
        walk::root(&self.walk(), size)
    }

    /// The hash of leaf `index`. Fails as [`Self::inclusion_proof`] does.
    pub fn leaf(&self, index: u64) -> Result<Digest, Error> {
        if index >= self.size {
            return Err(no_such_size(index.saturating_add(1), self.size));
        }
        self.walk().hash(0, index)
    }

    /// The proof that leaf `index` is in the tree of the first `size` leaves, from the leaf upwards
    /// (RFC 6962, section 2.1.1).
    ///
    /// Fails with `invalid_input` when the log has no such size or that size no such leaf, with `log_tampered` when a
    /// tile is missing or is not one, and with the errors of `read`.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Digest>, Error> {
        self.check_size(size)?;
        walk::inclusion(&self.walk(), index, size)
    }

    /// The proof that the first `size` leaves begin with the first `earlier` ones (RFC 6962, section 2.1.2). For
    /// `earlier` = 0 it is empty.
    ///
    /// Fails with `invalid_input` when the log has no such sizes, with `log_tampered` when a tile is missing or is not
    /// one, and with the errors of `read`.
    pub fn consistency_proof(&self, earlier: u64, size: u64) -> Result<Vec<Digest>, Error> {
        self.check_size(size)?;
        walk::consistency(&self.walk(), earlier, size)
    }

    /// The hash of leaf `index` and its inclusion proof, for which each tile is read once.
    pub(super) fn leaf_and_proof(
        &self,
        index: u64,
        size: u64,
    ) -> Result<(Digest, Vec<Digest>), Error> {
        self.check_size(size)?;
        let walk = self.walk();
        let proof = walk::inclusion(&walk, index, size)?;
        Ok((walk.hash(0, index)?, proof))
    }

    /// The root at `earlier` and the consistency proof from there, for which each tile is read once.
    pub(super) fn root_and_proof(
        &self,
        earlier: u64,
        size: u64,
    ) -> Result<(Digest, Vec<Digest>), Error> {
        self.check_size(size)?;
        let walk = self.walk();
        let proof = walk::consistency(&walk, earlier, size)?;
        Ok((walk::root(&walk, earlier)?, proof))
    }

    fn check_size(&self, size: u64) -> Result<(), Error> {
        if size > self.size { Err(no_such_size(size, self.size)) } else { Ok(()) }
    }

    fn walk(&self) -> Walk<'_, R> {
        Walk { tree: self, seen: RefCell::default() }
    }

    /// The hashes of the tile at `path`, as it is at this size or was at an earlier one.
    pub(super) fn hashes(&self, path: TilePath) -> Result<Vec<Digest>, Error> {
        let level = path.level().ok_or_else(|| unreadable(path))?;
        let now = tile_at(level, path.index(), self.size).ok_or_else(|| unreadable(path))?;
        let mut hashes = self.tile(now)?;
        if hashes.len() < usize::from(path.width()) {
            return Err(unreadable(path));
        }
        hashes.truncate(usize::from(path.width()));
        Ok(hashes)
    }

    fn tile(&self, path: TilePath) -> Result<Vec<Digest>, Error> {
        let unreadable = || unreadable(path);
        if let Some(bytes) = (self.read)(path)? {
            return read_hash_tile(&bytes, path.width()).ok_or_else(unreadable);
        }
        // A partial tile may be cleared away once its full one is there.
        let level = path.level().filter(|_| path.width() < 256).ok_or_else(unreadable)?;
        let bytes = (self.read)(TilePath::hashes(level, path.index(), 256)?)?;
        let full = bytes.and_then(|bytes| read_hash_tile(&bytes, 256));
        let mut hashes = full.ok_or_else(unreadable)?;
        hashes.truncate(usize::from(path.width()));
        Ok(hashes)
    }
}

fn unreadable(path: TilePath) -> Error {
    tampered(format!("the hash tile `{path}` is missing or is not one"))
        .with_help("verify the whole export, or read the log from another copy")
        .with_detail("path", path)
}

impl<R> fmt::Debug for TiledTree<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TiledTree").field("size", &self.size).finish_non_exhaustive()
    }
}

/// One root or one proof in the making.
struct Walk<'a, R> {
    tree: &'a TiledTree<R>,
    // The hashes beside a path stand in the tiles of the path: each is read once.
    seen: RefCell<BTreeMap<TilePath, Vec<Digest>>>,
}

impl<R: Fn(TilePath) -> Result<Option<Vec<u8>>, Error>> Subtrees for Walk<'_, R> {
    fn hash(&self, level: u32, index: u64) -> Result<Digest, Error> {
        let size = self.tree.size;
        // Eight levels of the tree are one level of tiles.
        let (tile_level, within) = (level / 8, level % 8);
        let first = index << within;
        let path = u8::try_from(tile_level).ok();
        let path = path.and_then(|level| tile_at(level, first / 256, size));
        let path = path.ok_or_else(|| no_such_size(index, size))?;
        if !self.seen.borrow().contains_key(&path) {
            let hashes = self.tree.tile(path)?;
            self.seen.borrow_mut().insert(path, hashes);
        }
        let seen = self.seen.borrow();
        let start = usize::try_from(first % 256).unwrap_or_default();
        let end = start.saturating_add(1 << within);
        let hashes = seen.get(&path).and_then(|hashes| hashes.get(start..end));
        let mut hashes = hashes.ok_or_else(|| no_such_size(index, size))?.to_vec();
        Ok(fold(&mut hashes).unwrap_or_else(empty_root))
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
#[path = "tiled_tests.rs"]
mod tests;
