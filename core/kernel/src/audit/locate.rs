//! Where an export was tampered with, once it is known that it was.

use super::checkpoint::Checkpoint;
use super::climb::{Climb, Mismatch};
use super::edge::fold;
use super::encoding::tampered;
use super::merkle::to_u64;
use super::progress::Progress;
use super::tiles::{CHECKPOINT_PATH, TilePath, bundles_of, read_hash_tile, tile_at};
use super::verify::{Bundle, Files};
use crate::digest::Digest;
use crate::error::Error;

type Told<'a> = dyn FnMut(Progress) -> Result<(), Error> + 'a;

/// Names the first place where an export, whose entries do not give the root of `head`, differs from
/// what was logged.
///
/// The signed root tells which of two files is right. Level 0 of the tiles is asked first: if it gives
/// the root, it says of every single entry whether it is the logged one.
pub(super) fn locate(
    files: &Files<'_>,
    head: &Checkpoint,
    progress: &mut Told<'_>,
) -> Result<Error, Error> {
    let tiled = climb_tiles(files, head.size(), progress)?;
    let tiles_are_right = tiled.is_some_and(|(root, _)| root == head.root());
    for path in bundles_of(head.size()) {
        if let Some(found) = differs(files, path, head, tiles_are_right)? {
            return Ok(found);
        }
        progress(Progress::at(path.end(), head.size()))?;
    }
    // The entries agree with level 0, and both are wrong: the levels above narrow it down.
    if let Some((_, Some(mismatch))) = tiled {
        return Ok(wrong_range(mismatch, head.size()));
    }
    Ok(tampered("entries and tiles of the export agree, but not with its signed checkpoint")
        .with_help("all of it was written anew, or the checkpoint is of another state of the log; compare with an earlier copy")
        .with_detail("path", CHECKPOINT_PATH))
}

/// The root that level 0 of the tiles gives, if all of these tiles can be read, and the first tile above that
/// says otherwise.
fn climb_tiles(
    files: &Files<'_>,
    size: u64,
    progress: &mut Told<'_>,
) -> Result<Option<(Digest, Option<Mismatch>)>, Error> {
    let mut climb = Climb::beside(files, 1);
    for bundle in bundles_of(size) {
        let path = TilePath::hashes(0, bundle.index(), bundle.width())?;
        let Some(hashes) = hashes(files, path)? else { return Ok(None) };
        climb.add(hashes)?;
        progress(Progress::at(path.end(), size))?;
    }
    climb.finish().map(Some)
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
    let root_is = |hashes: &[Digest]| parent.is_some() && parent == fold(&mut hashes.to_vec());
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

fn wrong_range(Mismatch { path, same }: Mismatch, size: u64) -> Error {
    let within = same.filter(|place| *place < usize::from(path.width()));
    let Some(place) = within else { return wrong_tile(path) };
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
