//! Proofs from tiles: the same as from the whole tree, and few tiles read.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::audit::{
    MerkleTree, hash_tile, leaf_hash, node_hash, tiles_of, verify_consistency, verify_inclusion,
};
use crate::error::Code;

type ReadTile<'a> = Box<dyn Fn(TilePath) -> Result<Option<Vec<u8>>, Error> + 'a>;

fn grown(size: u64) -> MerkleTree {
    (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

/// The tiles of exactly `size` leaves of `tree`, and no others.
fn tiles(tree: &MerkleTree, size: u64) -> TiledTree<ReadTile<'_>> {
    let paths: BTreeSet<_> = tiles_of(size).collect();
    let read = move |path| Ok(hash_tile(tree, path).filter(|_| paths.contains(&path)));
    TiledTree::new(size, Box::new(read))
}

#[test]
fn every_root_and_proof_of_small_logs_is_that_of_the_whole_tree() {
    let tree = grown(90);
    for size in 0..=90 {
        let tiled = tiles(&tree, size);
        assert_eq!(tiled.root().unwrap(), tree.root_at(size).unwrap(), "{size} leaves");
        for part in 0..=size {
            let case = format!("{part} of {size}");
            assert_eq!(tiled.root_at(part).unwrap(), tree.root_at(part).unwrap(), "{case}");
            let consistent = tiled.consistency_proof(part, size).unwrap();
            assert_eq!(consistent, tree.consistency_proof(part, size).unwrap(), "{case}");
            if part < size {
                let included = tiled.inclusion_proof(part, size).unwrap();
                assert_eq!(included, tree.inclusion_proof(part, size).unwrap(), "{case}");
                assert_eq!(Some(tiled.leaf(part).unwrap()), tree.subtree(0, part));
            }
        }
    }
}

#[test]
fn proofs_of_every_size_up_to_600_are_those_of_the_whole_tree() {
    let tree = grown(600);
    for size in 1..=600 {
        let tiled = tiles(&tree, size);
        for part in [1, size / 3, size / 2, size - 1, size - size % 256, size] {
            let consistent = tiled.consistency_proof(part, size).unwrap();
            assert_eq!(consistent, tree.consistency_proof(part, size).unwrap(), "{part} of {size}");
            let index = part.min(size - 1);
            let included = tiled.inclusion_proof(index, size).unwrap();
            assert_eq!(included, tree.inclusion_proof(index, size).unwrap(), "{index} of {size}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn proofs_of_random_logs_are_those_of_the_whole_tree(size in 1_u64..140_000, a: u64, b: u64) {
        // Grown once: the largest is a tree of each smaller size.
        static LARGE: std::sync::LazyLock<MerkleTree> = std::sync::LazyLock::new(|| grown(140_000));
        let tiled = TiledTree::new(size, |path| Ok(hash_tile(&LARGE, path)));
        let earlier = a % size + 1;
        let index = b % earlier;
        prop_assert_eq!(tiled.root().unwrap(), LARGE.root_at(size).unwrap());
        // A proof in an earlier tree is made from the tiles of the later one.
        let proof = tiled.inclusion_proof(index, earlier).unwrap();
        prop_assert_eq!(proof, LARGE.inclusion_proof(index, earlier).unwrap());
        let proof = tiled.consistency_proof(earlier, size).unwrap();
        prop_assert_eq!(proof, LARGE.consistency_proof(earlier, size).unwrap());
    }
}

/// A log of equal leaves: each subtree of one height has one hash, so that every tile is known without a tree.
struct Alike {
    // By height.
    hashes: Vec<Digest>,
    size: u64,
    read: RefCell<Vec<TilePath>>,
}

impl Alike {
    fn of(size: u64) -> Self {
        let mut hashes = vec![leaf_hash(b"the same again")];
        for _ in 0..63 {
            let below = hashes[hashes.len() - 1];
            hashes.push(node_hash(&below, &below));
        }
        Self { hashes, size, read: RefCell::default() }
    }

    fn tiles(&self) -> TiledTree<ReadTile<'_>> {
        let read = |path: TilePath| {
            self.read.borrow_mut().push(path);
            let level = path.level().unwrap();
            assert_eq!(tile_at(level, path.index(), self.size), Some(path), "no such tile");
            let hash = self.hashes[usize::from(level) * 8];
            Ok(Some(hash.as_bytes().repeat(usize::from(path.width()))))
        };
        TiledTree::new(self.size, Box::new(read))
    }

    /// Which tiles were read since the last call, each once.
    fn taken(&self) -> BTreeSet<TilePath> {
        let read = self.read.take();
        let distinct: BTreeSet<_> = read.iter().copied().collect();
        assert_eq!(distinct.len(), read.len(), "a tile was read twice: {read:?}");
        distinct
    }

    fn count(&self) -> usize {
        self.taken().len()
    }
}

/// The tiles on the way from leaf `index` to the root, and those of the right edge that are not complete.
fn on_the_way(index: u64, size: u64) -> BTreeSet<TilePath> {
    let mut due = BTreeSet::new();
    for level in 0.. {
        let count = size >> (8 * u32::from(level));
        if count == 0 {
            return due;
        }
        let at = index >> (8 * (u32::from(level) + 1));
        due.extend(tile_at(level, at, size));
        due.extend(tile_at(level, count / 256, size));
    }
    due
}

#[test]
fn a_proof_out_of_ten_million_leaves_reads_at_most_five_tiles() {
    let size = 10_000_000;
    let log = Alike::of(size);
    let (tiled, leaf) = (log.tiles(), log.hashes[0]);
    let root = tiled.root().unwrap();
    // The right edge: one unfinished tile on each of three levels.
    assert_eq!(log.count(), 3);
    for (index, reads) in [
        (0, 5),
        (1, 5),
        (255, 5),
        (256, 5),
        (5_000_000, 5),
        (8_388_607, 5),
        (9_961_471, 5),
        // Its level 1 is on the right edge already.
        (9_961_472, 4),
        (9_999_000, 4),
        // Everything is.
        (9_999_872, 3),
        (9_999_999, 3),
    ] {
        let proof = tiled.inclusion_proof(index, size).unwrap();
        let taken = log.taken();
        assert_eq!(taken.len(), reads, "leaf {index}");
        assert_eq!(taken, on_the_way(index, size), "leaf {index}");
        verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
    }
    for (earlier, most) in [(1, 5), (255, 5), (256, 5), (65_536, 5), (1_234_567, 5), (9_999_999, 3)]
    {
        let before = tiled.root_at(earlier).unwrap();
        log.count();
        let proof = tiled.consistency_proof(earlier, size).unwrap();
        let reads = log.count();
        assert!(reads <= most, "{reads} tiles from {earlier}");
        verify_consistency(earlier, size, &proof, &before, &root).unwrap();
    }
}

proptest! {
    #[test]
    fn no_proof_reads_more_than_two_tiles_a_level(size in 1_u64.., a: u64, b: u64) {
        let size = size >> 1;
        prop_assume!(size > 0);
        let log = Alike::of(size);
        let tiled = log.tiles();
        let (index, earlier) = (a % size, b % size + 1);
        let levels = usize::try_from(size.ilog2() / 8 + 1).unwrap();
        tiled.inclusion_proof(index, size).unwrap();
        let reads = log.count();
        prop_assert!(reads < 2 * levels, "{} tiles, {} levels", reads, levels);
        tiled.consistency_proof(earlier, size).unwrap();
        let reads = log.count();
        prop_assert!(reads < 2 * levels, "{} tiles, {} levels", reads, levels);
    }
}

/// The count would notice a proof that is made by reading along the leaves.
#[test]
fn a_walk_over_the_leaves_is_caught_by_the_count() {
    let log = Alike::of(10_000);
    let tiled = log.tiles();
    for index in (0..10_000).step_by(256) {
        tiled.leaf(index).unwrap();
    }
    assert_eq!(log.count(), 40);
}

#[test]
fn a_partial_tile_that_was_cleared_away_is_read_from_its_full_one() {
    let tree = grown(600);
    let read = |path: TilePath| Ok(hash_tile(&tree, path).filter(|_| path.width() == 256));
    let tiled = TiledTree::new(300, read);
    let proof = tiled.inclusion_proof(299, 256 + 44);
    // The top of the tree is always partial, and nothing stands in for it.
    assert_eq!(proof.unwrap_err().code(), Code::LogTampered);
    let read = |path: TilePath| {
        let is_there = path.width() == 256 || path.level() == Some(1);
        Ok(hash_tile(&tree, path).filter(|_| is_there))
    };
    let tiled = TiledTree::new(300, read);
    let proof = tiled.inclusion_proof(299, 300).unwrap();
    assert_eq!(proof, tree.inclusion_proof(299, 300).unwrap());
}

#[test]
fn what_is_not_there_is_refused() {
    let tree = grown(300);
    let tiled = tiles(&tree, 300);
    for error in [
        tiled.root_at(301).unwrap_err(),
        tiled.leaf(300).unwrap_err(),
        tiled.inclusion_proof(300, 300).unwrap_err(),
        tiled.inclusion_proof(0, 301).unwrap_err(),
        tiled.inclusion_proof(0, 0).unwrap_err(),
        tiled.consistency_proof(4, 3).unwrap_err(),
        tiled.consistency_proof(4, u64::MAX).unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::InvalidInput, "{error:?}");
    }
    let short = TiledTree::new(300, |path| {
        Ok(hash_tile(&tree, path).map(|mut bytes| {
            bytes.pop();
            bytes
        }))
    });
    let error = short.root().unwrap_err();
    assert_eq!((error.code(), error.help().is_some()), (Code::LogTampered, true));
    let gone = TiledTree::new(300, |_| Err(Error::new(Code::StoreUnavailable, "the disk is gone")));
    assert_eq!(gone.leaf(0).unwrap_err().code(), Code::StoreUnavailable);
}
