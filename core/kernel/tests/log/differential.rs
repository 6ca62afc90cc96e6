//! Roots, proofs and tiles beside two libraries that we did not write, for every size up to 1,000.
//!
//! `PLACET_PLACES=all` compares the proofs of every place of each size, and not of some.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use placet_core::audit::{MerkleTree, TilePath, TiledTree, hash_tile, leaf_hash, tiles_of};
use placet_core::digest::Digest;
use sha2::Sha256;
use tlog_tiles::tile::Tile;
use tlog_tiles::tlog::{self, Hash, HashReader, stored_hashes};

const SIZES: u64 = 1_000;

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// The hashes in the order in which Go's sumdb stores them.
#[derive(Default)]
struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

fn bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(Digest::as_bytes).copied().collect()
}

/// Every place of `size`, where that is asked for; otherwise `some`.
fn places(size: u64, some: impl IntoIterator<Item = u64>) -> Vec<u64> {
    if every_place() {
        return (0..size).collect();
    }
    some.into_iter().filter(|place| *place < size).collect()
}

#[expect(clippy::disallowed_methods, reason = "whoever runs a test may ask for more of it")]
fn every_place() -> bool {
    std::env::var("PLACET_PLACES").is_ok_and(|places| places == "all")
}

#[test]
fn roots_and_proofs_are_those_of_ct_merkle() {
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut ours = MerkleTree::default();
    for size in 1..=SIZES {
        theirs.push(entry(size - 1));
        ours.append(leaf_hash(&entry(size - 1)));
        assert_eq!(theirs.root().as_bytes().as_slice(), ours.root().as_bytes(), "{size} leaves");
        let tiled = TiledTree::new(size, |path| Ok(hash_tile(&ours, path)));
        // Theirs is slow in a debug build; the place in the middle wanders from size to size.
        for place in places(size, [0, size * 7_919 % 1_009 % size, size - 1]) {
            let index = usize::try_from(place).unwrap();
            let included = bytes(&tiled.inclusion_proof(place, size).unwrap());
            assert_eq!(theirs.prove_inclusion(index).as_bytes(), included, "{place} of {size}");
            if place > 0 {
                let added = usize::try_from(size - place).unwrap();
                let consistent = bytes(&tiled.consistency_proof(place, size).unwrap());
                let proof = theirs.prove_consistency(added);
                assert_eq!(proof.as_bytes(), consistent, "{place} to {size}");
            }
        }
    }
}

#[test]
fn roots_proofs_and_tiles_are_those_of_tlog_tiles() {
    let (mut theirs, mut ours) = (Stored::default(), MerkleTree::default());
    for size in 1..=SIZES {
        let hashes = stored_hashes(size - 1, &entry(size - 1), &theirs).unwrap();
        theirs.0.extend(hashes);
        ours.append(leaf_hash(&entry(size - 1)));
        let root = Hash(*ours.root().as_bytes());
        assert_eq!(tlog::tree_hash(size, &theirs).unwrap(), root, "{size} leaves");
        // Near its ends and its middle; others are seen at other sizes.
        let near = [0, 1, 2, size / 3, size / 2, size.saturating_sub(2), size - 1];
        for place in places(size, near.into_iter().chain((size % 37..size).step_by(37))) {
            let proof = tlog::prove_record(size, place, &theirs).unwrap();
            let included = ours.inclusion_proof(place, size).unwrap();
            let included: Vec<_> = included.iter().map(|hash| Hash(*hash.as_bytes())).collect();
            assert_eq!(proof, included, "{place} of {size}");
            let consistent = ours.consistency_proof(place + 1, size).unwrap();
            let consistent: Vec<_> = consistent.iter().map(|hash| Hash(*hash.as_bytes())).collect();
            let proof = tlog::prove_tree(size, place + 1, &theirs).unwrap();
            assert_eq!(proof, consistent, "{} to {size}", place + 1);
        }
        // The tiles that this size adds, by their account and by ours.
        for tile in Tile::new_tiles(8, size - 1, size) {
            let width = u16::try_from(tile.width()).unwrap();
            let path = TilePath::hashes(tile.level(), tile.level_index(), width).unwrap();
            // Theirs name the height, which is always 8 here.
            assert_eq!(tile.path().replacen("tile/8/", "tile/", 1), path.to_string());
            assert!(tiles_of(size).any(|one| one == path), "{path} of {size}");
            assert_eq!(Some(tile.read_data(&theirs).unwrap()), hash_tile(&ours, path), "{path}");
        }
    }
}
