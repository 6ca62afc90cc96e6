//! The growing edge of a log: for each level the tile that is not full yet, and nothing else.

use super::merkle::{empty_root, node_hash};
use super::tiles::TilePath;
use crate::digest::Digest;
use crate::error::Error;

/// How many hashes a full tile has.
const FULL: usize = 256;

/// What is left of a log of any size when its full tiles are put away: at most 255 hashes for each level of
/// tiles, which is enough to let it grow and to know its root. A log of 2^63 leaves has 8 levels.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Edge {
    size: u64,
    // Level by level, from the leaves. Invariant: each row is shorter than a full tile.
    rows: Vec<Vec<Digest>>,
}

impl Edge {
    /// The number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. Each tile that becomes full is handed to `full` with its hashes and let go, from the
    /// leaves upwards. Where `full` fails, this edge is of no more use.
    pub(crate) fn append(
        &mut self,
        leaf: Digest,
        mut full: impl FnMut(TilePath, &[Digest]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut carried = leaf;
        let mut before = self.size;
        for level in 0_u8.. {
            if self.rows.len() <= usize::from(level) {
                self.rows.push(Vec::with_capacity(FULL));
            }
            let Some(row) = self.rows.get_mut(usize::from(level)) else { break };
            row.push(carried);
            if row.len() < FULL {
                break;
            }
            before /= 256;
            full(TilePath::hashes(level, before, 256)?, row)?;
            carried = fold(row).unwrap_or_else(empty_root);
            row.clear();
        }
        self.size = self.size.saturating_add(1);
        #[cfg(test)]
        counted::note(self.held());
        Ok(())
    }

    /// The root hash of all leaves.
    pub(crate) fn root(&self) -> Digest {
        let mut below = None;
        for row in &self.rows {
            let mut row: Vec<Digest> = row.iter().copied().chain(below).collect();
            below = fold(&mut row);
        }
        below.unwrap_or_else(empty_root)
    }

    /// The hashes of the unfinished tile of `level`, unless it has none.
    pub(crate) fn unfinished(&self, level: u8) -> Option<&[Digest]> {
        self.rows.get(usize::from(level)).map(Vec::as_slice).filter(|row| !row.is_empty())
    }

    /// How many hashes are in memory.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.rows.iter().map(Vec::len).sum()
    }
}

/// The hash of a row of nodes of one height, of which the last may be the unfinished right edge
/// (RFC 6962, section 2.1). Nothing for no nodes. What is left in `row` means nothing.
pub(crate) fn fold(row: &mut Vec<Digest>) -> Option<Digest> {
    while row.len() > 1 {
        let (pairs, odd) = row.as_chunks::<2>();
        let odd = odd.first().copied();
        let half = pairs.len();
        for place in 0..half {
            let from = place.saturating_mul(2);
            if let Some([left, right]) = row.get(from..from.saturating_add(2)) {
                let hash = node_hash(left, right);
                if let Some(to) = row.get_mut(place) {
                    *to = hash;
                }
            }
        }
        row.truncate(half);
        row.extend(odd);
    }
    row.first().copied()
}

/// How many hashes an edge ever held on this thread, for the test that says that it is few.
#[cfg(test)]
pub(super) mod counted {
    use core::cell::Cell;

    thread_local!(static MOST: Cell<usize> = const { Cell::new(0) });

    pub(super) fn note(held: usize) {
        MOST.set(MOST.get().max(held));
    }

    /// The most since the last call.
    pub(crate) fn take() -> usize {
        MOST.take()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::audit::tiles::{hash_tile, tiles_of};
    use crate::audit::{MerkleTree, leaf_hash};

    fn leaf(index: u64) -> Digest {
        leaf_hash(&index.to_be_bytes())
    }

    #[test]
    fn an_edge_has_the_root_and_the_tiles_of_the_tree_at_every_size() {
        let (mut edge, mut tree, mut full) = (Edge::default(), MerkleTree::default(), 0);
        for size in 0..=1_100 {
            assert_eq!((edge.size(), edge.root()), (size, tree.root()), "{size} leaves");
            for path in tiles_of(size).filter(|path| path.width() < 256) {
                let Some(level) = path.level() else { continue };
                let unfinished = edge.unfinished(level).unwrap();
                let bytes: Vec<u8> = unfinished.iter().flat_map(|hash| *hash.as_bytes()).collect();
                assert_eq!(Some(bytes), hash_tile(&tree, path), "{path}");
            }
            tree.append(leaf(size));
            let at = |path: TilePath, hashes: &[Digest]| {
                full += 1;
                let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
                assert_eq!(Some(bytes), hash_tile(&tree, path), "{path}");
                Ok(())
            };
            edge.append(leaf(size), at).unwrap();
        }
        assert_eq!(full, 4);
    }

    #[test]
    fn full_tiles_of_each_level_are_handed_over_once_and_in_order() {
        let (mut edge, mut seen) = (Edge::default(), BTreeMap::<u8, u64>::new());
        for _ in 0..256 * 256 + 300 {
            edge.append(leaf(7), |path, hashes| {
                let next = seen.entry(path.level().unwrap()).or_default();
                assert_eq!((path.index(), hashes.len()), (*next, 256));
                *next += 1;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(seen, BTreeMap::from([(0, 257), (1, 1)]));
        assert_eq!(edge.held(), 44 + 1 + 1);
    }
}
