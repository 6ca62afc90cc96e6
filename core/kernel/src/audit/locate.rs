//! Where an export was tampered with, once it is known that it was.

use super::checkpoint::Checkpoint;
use super::encoding::tampered;
use super::merkle::{MerkleTree, to_u64};
use super::tiles::{
    CHECKPOINT_PATH, TilePath, bundles_of, hash_tile, hash_tiles_of, read_hash_tile, tile_at,
};
use super::verify::{Bundle, Files};
use crate::digest::Digest;
use crate::error::Error;

/// Names the first place where an export, whose entries do not give the root of `head`, differs from
/// what was logged.
///
/// The signed root tells which of two files is right. Level 0 of the tiles is asked first: if it gives
/// the root, it says of every single entry whether it is the logged one.
pub(super) fn locate(files: &Files<'_>, head: &Checkpoint) -> Result<Error, Error> {
    let tiled = tiled_tree(files, head.size())?;
    let tiles_are_right = tiled.as_ref().is_some_and(|tree| tree.root() == head.root());
    for path in bundles_of(head.size()) {
        if let Some(found) = differs(files, path, head, tiles_are_right)? {
            return Ok(found);
        }
    }
    // The entries agree with level 0, and both are wrong: the levels above narrow it down.
    for path in hash_tiles_of(head.size(), 1) {
        let computed = tiled.as_ref().and_then(|tree| hash_tile(tree, path));
        let found = files.bytes(path)?;
        if found != computed {
            return Ok(wrong_range(path, computed.as_deref(), found.as_deref(), head.size()));
        }
    }
    Ok(tampered("entries and tiles of the export agree, but not with its signed checkpoint")
        .with_help("all of it was written anew, or the checkpoint is of another state of the log; compare with an earlier copy")
        .with_detail("path", CHECKPOINT_PATH))
}

/// The tree that level 0 of the tiles claims, if all of these tiles can be read.
fn tiled_tree(files: &Files<'_>, size: u64) -> Result<Option<MerkleTree>, Error> {
    let mut tree = MerkleTree::default();
    for path in hash_tiles_of(size, 0).take_while(|path| path.level() == Some(0)) {
        let Some(hashes) = hashes(files, path)? else { return Ok(None) };
        tree.extend(hashes);
    }
    Ok(Some(tree))
}

fn hashes(files: &Files<'_>, path: TilePath) -> Result<Option<Vec<Digest>>, Error> {
    Ok(files.bytes(path)?.and_then(|bytes| read_hash_tile(&bytes, path.width())))
}

/// What is wrong between the entry bundle at `path` and the hash tile above it.
fn differs(
    files: &Files<'_>,
    path: TilePath,
    head: &Checkpoint,
    tile_is_right: bool,
) -> Result<Option<Error>, Error> {
    let bundle = files.bundle(path)?;
    let tile_path = TilePath::hashes(0, path.index(), path.width())?;
    let Some(tile) = hashes(files, tile_path)? else {
        let blamed = if bundle.whole { wrong_tile(tile_path) } else { unreadable(path, &bundle) };
        return Ok(Some(blamed));
    };
    let same = bundle.hashes.iter().zip(&tile).take_while(|(entry, hash)| entry == hash).count();
    if same == tile.len() {
        return Ok((!bundle.whole).then(|| surplus(path)));
    }
    // Both cannot be right. The level above knows, unless it is the growing edge, which has none.
    let parent = parent(files, path, head.size())?;
    let root_is = |hashes: &[Digest]| {
        let tree: MerkleTree = hashes.iter().copied().collect();
        parent == Some(tree.root())
    };
    let tile_is_wrong =
        !tile_is_right && bundle.whole && !root_is(&tile) && root_is(&bundle.hashes);
    if tile_is_wrong {
        return Ok(Some(wrong_tile(tile_path)));
    }
    let blamed =
        if same == bundle.hashes.len() { unreadable(path, &bundle) } else { altered(path, same) };
    Ok(Some(blamed))
}

/// What level 1 of the tiles claims about the full bundle at `path`.
fn parent(files: &Files<'_>, path: TilePath, size: u64) -> Result<Option<Digest>, Error> {
    let (tile, place) = (path.index() / 256, path.index() % 256);
    let Some(above) = tile_at(1, tile, size) else { return Ok(None) };
    let hashes = hashes(files, above)?.unwrap_or_default();
    Ok(usize::try_from(place).ok().and_then(|place| hashes.get(place)).copied())
}

fn index_of(path: TilePath, place: usize) -> u64 {
    path.start().saturating_add(to_u64(place))
}

fn altered(path: TilePath, place: usize) -> Error {
    let leaf = index_of(path, place);
    damaged(format!("entry {leaf} of the export is not what was logged"), path)
        .with_detail("leaf", leaf)
}

fn unreadable(path: TilePath, bundle: &Bundle) -> Error {
    let leaf = index_of(path, bundle.hashes.len());
    damaged(format!("entry {leaf} of the export cannot be read"), path).with_detail("leaf", leaf)
}

fn surplus(path: TilePath) -> Error {
    damaged(format!("`{path}` goes on after its last entry"), path)
}

pub(super) fn wrong_tile(path: TilePath) -> Error {
    damaged(format!("the hash tile `{path}` is missing or was altered"), path)
}

fn wrong_range(path: TilePath, computed: Option<&[u8]>, found: Option<&[u8]>, size: u64) -> Error {
    let Some((computed, found)) = computed.zip(found) else { return wrong_tile(path) };
    let (computed, found) = (computed.chunks(32), found.chunks(32));
    let place = computed.zip(found).take_while(|(left, right)| left == right).count();
    // One hash of this tile covers 256^level entries.
    let bits = u32::from(path.level().unwrap_or(0)).saturating_mul(8);
    let leaves = 1_u64.checked_shl(bits).unwrap_or(u64::MAX);
    let first = index_of(path, place).saturating_mul(leaves);
    let last = first.saturating_add(leaves).min(size).saturating_sub(1);
    let sentence = format!(
        "entries {first} to {last} of the export, or the hash tile `{path}`, are not what was logged"
    );
    damaged(sentence, path).with_detail("leaf_first", first).with_detail("leaf_last", last)
}

fn damaged(sentence: String, path: TilePath) -> Error {
    tampered(sentence)
        .with_help("compare the file with another copy of the export: the signed checkpoint proves which one is right")
        .with_detail("path", path)
}
