//! The root of a log that is read once, leaf by leaf: one hash for each complete subtree on its right edge.

use crate::audit::merkle::{empty_root, node_hash};
use crate::digest::Digest;

/// At most 64 hashes, however long the log is.
#[derive(Debug, Default)]
pub(super) struct Frontier {
    len: u64,
    // From the largest subtree to the smallest, as the bits of `len` that are set.
    roots: Vec<Digest>,
}

impl Frontier {
    pub(super) fn append(&mut self, leaf: Digest) {
        let mut carried = leaf;
        // Each subtree that is as large as what is carried becomes its left half.
        for _ in 0..self.len.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            carried = node_hash(&left, &carried);
        }
        self.roots.push(carried);
        self.len = self.len.saturating_add(1);
    }

    pub(super) fn root(&self) -> Digest {
        let mut from_the_right = self.roots.iter().rev().copied();
        let Some(last) = from_the_right.next() else { return empty_root() };
        from_the_right.fold(last, |right, left| node_hash(&left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{MerkleTree, leaf_hash};

    #[test]
    fn its_root_is_that_of_the_tree_at_every_length() {
        let (mut tree, mut frontier) = (MerkleTree::default(), Frontier::default());
        assert_eq!(frontier.root(), tree.root());
        for number in 0_u32..600 {
            let leaf = leaf_hash(&number.to_be_bytes());
            tree.append(leaf);
            frontier.append(leaf);
            assert_eq!(frontier.root(), tree.root(), "{number}");
            assert!(frontier.roots.len() <= 10);
        }
    }
}
