//! The Merkle tree of RFC 6962, section 2.1, and its two proofs as RFC 9162 verifies them.

use super::encoding::tampered;
use super::walk::{self, Subtrees, no_such_size};
use crate::digest::Digest;
use crate::error::{Code, Error};

/// The hash of a log entry: SHA-256 of a zero byte and the entry (RFC 6962, section 2.1).
///
/// ```
/// use placet_core::audit::leaf_hash;
/// assert!(leaf_hash(b"").to_string().starts_with("6e340b9cffb37a98"));
/// ```
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0x00], entry])
}

/// The hash of an inner node: SHA-256 of a one byte and the two hashes below it (RFC 6962, section 2.1).
///
/// ```
/// use placet_core::audit::{MerkleTree, leaf_hash, node_hash};
/// let (ana, bo) = (leaf_hash(b"ana asks"), leaf_hash(b"bo agrees"));
/// let tree: MerkleTree = [ana, bo].into_iter().collect();
/// assert_eq!(tree.root(), node_hash(&ana, &bo));
/// ```
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: SHA-256 of nothing (RFC 6962, section 2.1).
///
/// ```
/// use placet_core::audit::{MerkleTree, empty_root};
/// assert_eq!(MerkleTree::default().root(), empty_root());
/// assert!(empty_root().to_string().starts_with("e3b0c44298fc1c14"));
/// ```
pub fn empty_root() -> Digest {
    Digest::of(b"")
}

/// A Merkle tree that only grows (RFC 6962, section 2.1), in memory, at about 64 bytes a leaf.
///
/// It answers for its present size and for every earlier one.
///
/// ```
/// use placet_core::audit::{leaf_hash, verify_inclusion, MerkleTree};
/// let mut tree = MerkleTree::default();
/// for entry in [b"ana asks", b"bo nods ", b"it runs "] {
///     tree.append(leaf_hash(entry));
/// }
/// let proof = tree.inclusion_proof(1, 3)?;
/// verify_inclusion(&leaf_hash(b"bo nods "), 1, 3, &proof, &tree.root())?;
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MerkleTree {
    // Level `h` holds the hashes of all complete subtrees of 2^h leaves, from left to right. Right
    // edges that are still growing are never stored, so nothing here ever changes once written.
    levels: Vec<Vec<Digest>>,
}

impl MerkleTree {
    /// The number of leaves.
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| to_u64(leaves.len()))
    }

    /// Whether there are no leaves.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a leaf by its hash and returns its index, counted from 0.
    pub fn append(&mut self, leaf: Digest) -> u64 {
        let index = self.len();
        let mut carried = leaf;
        for level in &mut self.levels {
            let left = (level.len() % 2 == 1).then(|| level.last().copied()).flatten();
            level.push(carried);
            let Some(left) = left else { return index };
            carried = node_hash(&left, &carried);
        }
        self.levels.push(vec![carried]);
        index
    }

    /// The root hash of all leaves.
    pub fn root(&self) -> Digest {
        // Every subtree that makes up the whole is there.
        walk::root(self, self.len()).unwrap_or_else(|_| empty_root())
    }

    /// The root hash as it was when the tree had `size` leaves.
    ///
    /// Fails with `invalid_input` when the tree never had that size.
    pub fn root_at(&self, size: u64) -> Result<Digest, Error> {
        self.check_size(size)?;
        walk::root(self, size)
    }

    /// The hash of the complete subtree of 2^`level` leaves that starts at leaf `index` × 2^`level`,
    /// if the tree has all of its leaves.
    pub fn subtree(&self, level: u32, index: u64) -> Option<Digest> {
        let row = self.levels.get(usize::try_from(level).ok()?)?;
        row.get(usize::try_from(index).ok()?).copied()
    }

    /// The proof that leaf `index` is in the tree of the first `size` leaves: the hashes beside its
    /// path, from the leaf upwards (RFC 6962, section 2.1.1).
    ///
    /// Fails with `invalid_input` when the tree has no such size or that size no such leaf.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Digest>, Error> {
        self.check_size(size)?;
        walk::inclusion(self, index, size)
    }

    /// The proof that the first `size` leaves begin with the first `earlier` ones (RFC 6962, section 2.1.2).
    ///
    /// Every tree begins with the empty one: for `earlier` = 0 the proof is empty.
    /// Fails with `invalid_input` when the tree has no such sizes.
    pub fn consistency_proof(&self, earlier: u64, size: u64) -> Result<Vec<Digest>, Error> {
        self.check_size(size)?;
        walk::consistency(self, earlier, size)
    }

    fn check_size(&self, size: u64) -> Result<(), Error> {
        if size > self.len() { Err(no_such_size(size, self.len())) } else { Ok(()) }
    }
}

impl Subtrees for MerkleTree {
    fn hash(&self, level: u32, index: u64) -> Result<Digest, Error> {
        self.subtree(level, index).ok_or_else(|| {
            Error::new(Code::Internal, "the Merkle tree misses one of its own hashes")
                .with_help("build the tree again from the log")
        })
    }
}

impl Extend<Digest> for MerkleTree {
    fn extend<I: IntoIterator<Item = Digest>>(&mut self, leaves: I) {
        for leaf in leaves {
            self.append(leaf);
        }
    }
}

impl FromIterator<Digest> for MerkleTree {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::default();
        tree.extend(leaves);
        tree
    }
}

/// Checks that the leaf with hash `leaf` is at `index` of the tree with `size` leaves and this `root`
/// (RFC 9162, section 2.1.3.2).
///
/// Fails with `log_tampered` when it is not, or the proof does not show it.
///
/// ```
/// use placet_core::audit::{MerkleTree, leaf_hash, verify_inclusion};
/// use placet_core::error::Code;
///
/// let log: MerkleTree = [b"ana", b"bo.", b"zoe"].map(|entry| leaf_hash(entry)).into_iter().collect();
/// let (root, proof) = (log.root(), log.inclusion_proof(2, 3)?);
///
/// // The auditor holds the root, and is handed an entry, its place and the proof.
/// verify_inclusion(&leaf_hash(b"zoe"), 2, 3, &proof, &root)?;
/// let error = verify_inclusion(&leaf_hash(b"eve"), 2, 3, &proof, &root).expect_err("never logged");
/// assert_eq!(error.code(), Code::LogTampered);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), Error> {
    let failed = || {
        tampered(format!("the proof does not show leaf {index} in the tree of {size} leaves"))
            .with_help("ask for a new proof for this leaf and this size")
            .with_detail("leaf", index)
    };
    if index >= size {
        return Err(failed());
    }
    let mut node = index;
    let mut last = size.checked_sub(1).ok_or_else(failed)?;
    let mut hash = *leaf;
    for beside in proof {
        if last == 0 {
            return Err(failed());
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(beside, &hash);
            while node.is_multiple_of(2) && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(failed()) }
}

/// Checks that the tree with `size` leaves and `root` begins with the one that had `earlier` leaves
/// and `earlier_root` (RFC 9162, section 2.1.4.2).
///
/// The empty tree needs an empty proof and its fixed root. Fails with `log_tampered` when the later
/// tree does not continue the earlier one, or the proof does not show it.
///
/// ```
/// use placet_core::audit::{MerkleTree, leaf_hash, verify_consistency};
///
/// let mut log: MerkleTree = [b"ana", b"bo."].map(|entry| leaf_hash(entry)).into_iter().collect();
/// let kept = log.root(); // what an auditor wrote down when there were two leaves
/// log.append(leaf_hash(b"zoe"));
///
/// verify_consistency(2, 3, &log.consistency_proof(2, 3)?, &kept, &log.root())?;
/// let rewritten: MerkleTree = [b"eve", b"bo.", b"zoe"].map(|entry| leaf_hash(entry)).into_iter().collect();
/// let proof = rewritten.consistency_proof(2, 3)?;
/// assert!(verify_consistency(2, 3, &proof, &kept, &rewritten.root()).is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn verify_consistency(
    earlier: u64,
    size: u64,
    proof: &[Digest],
    earlier_root: &Digest,
    root: &Digest,
) -> Result<(), Error> {
    let shown = match earlier {
        _ if earlier > size => false,
        0 => {
            let size_fits = size > 0 || *root == empty_root();
            proof.is_empty() && *earlier_root == empty_root() && size_fits
        }
        _ if earlier == size => proof.is_empty() && earlier_root == root,
        _ => roots_of_consistency(earlier, size, proof, earlier_root)
            .is_some_and(|(before, after)| before == *earlier_root && after == *root),
    };
    if shown {
        return Ok(());
    }
    let sentence =
        format!("the log of {size} leaves does not continue the one of {earlier} leaves");
    Err(tampered(sentence).with_help("keep both checkpoints: together they are the evidence"))
}

/// Both roots as the proof has them, for `0 < earlier < size`.
fn roots_of_consistency(
    earlier: u64,
    size: u64,
    proof: &[Digest],
    earlier_root: &Digest,
) -> Option<(Digest, Digest)> {
    let mut node = earlier.checked_sub(1)?;
    let mut last = size.checked_sub(1)?;
    while node % 2 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // An earlier tree that is complete is a node of the later one: the proof leaves out its root.
    let (first, rest) =
        if earlier.is_power_of_two() { (earlier_root, proof) } else { proof.split_first()? };
    if rest.is_empty() {
        return None;
    }
    let (mut before, mut after) = (*first, *first);
    for beside in rest {
        if last == 0 {
            return None;
        }
        if node % 2 == 1 || node == last {
            before = node_hash(beside, &before);
            after = node_hash(beside, &after);
            while node.is_multiple_of(2) && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            after = node_hash(&after, beside);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((before, after))
}

pub(super) fn to_u64(number: usize) -> u64 {
    // usize is at most 64 bits wide on every target of Rust.
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
#[path = "merkle_tests.rs"]
mod tests;
