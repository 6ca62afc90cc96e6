//! Roots and proofs as walks over the complete subtrees of a log, wherever their hashes are kept.

use super::encoding::malformed;
use super::merkle::{empty_root, node_hash};
use crate::digest::Digest;
use crate::error::{Code, Error};

/// Whoever knows the hashes of the complete subtrees of a log.
pub(super) trait Subtrees {
    /// The hash of the subtree of 2^`level` leaves that starts at leaf `index` × 2^`level`.
    ///
    /// Fails where the log does not have all of these leaves, or the hash cannot be had.
    fn hash(&self, level: u32, index: u64) -> Result<Digest, Error>;
}

/// The root of the first `size` leaves.
pub(super) fn root(tree: &impl Subtrees, size: u64) -> Result<Digest, Error> {
    if size == 0 { Ok(empty_root()) } else { range(tree, 0, size) }
}

/// The hashes beside the path of leaf `index` in the tree of `size` leaves, from the leaf upwards
/// (RFC 6962, section 2.1.1).
pub(super) fn inclusion(tree: &impl Subtrees, index: u64, size: u64) -> Result<Vec<Digest>, Error> {
    if index >= size {
        return Err(no_such_leaf(index, size));
    }
    let (mut low, mut high, mut proof) = (0, size, Vec::new());
    while let Some(middle) = split(low, high) {
        if index < middle {
            proof.push(range(tree, middle, high)?);
            high = middle;
        } else {
            proof.push(range(tree, low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the first `size` leaves begin with the first `earlier` ones (RFC 6962, section 2.1.2).
pub(super) fn consistency(
    tree: &impl Subtrees,
    earlier: u64,
    size: u64,
) -> Result<Vec<Digest>, Error> {
    if earlier > size {
        return Err(no_such_size(earlier, size));
    }
    if earlier == 0 {
        return Ok(Vec::new());
    }
    let (mut low, mut high, mut proof) = (0, size, Vec::new());
    while high != earlier {
        let Some(middle) = split(low, high) else { return Err(hole()) };
        if earlier <= middle {
            proof.push(range(tree, middle, high)?);
            high = middle;
        } else {
            proof.push(range(tree, low, middle)?);
            low = middle;
        }
    }
    // The verifier knows the earlier root already when it is a whole left edge.
    if low != 0 {
        proof.push(range(tree, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The hash of the leaves `low..high`, which RFC 6962 cuts so that `low` is a multiple of the power of
/// two at or above the length: a row of ever smaller complete subtrees.
fn range(tree: &impl Subtrees, low: u64, high: u64) -> Result<Digest, Error> {
    let (mut start, mut peaks) = (low, Vec::new());
    while let Some(rest) = high.checked_sub(start).filter(|rest| *rest > 0) {
        let level = rest.ilog2();
        peaks.push(tree.hash(level, start >> level)?);
        start = start.checked_add(1 << level).ok_or_else(hole)?;
    }
    let whole = peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
    whole.ok_or_else(hole)
}

/// Where RFC 6962 cuts `low..high`: after the largest power of two that is smaller than the length.
fn split(low: u64, high: u64) -> Option<u64> {
    let length = high.checked_sub(low).filter(|length| *length > 1)?;
    let level = length.checked_sub(1)?.ilog2();
    low.checked_add(1 << level)
}

pub(super) fn no_such_size(size: u64, len: u64) -> Error {
    malformed(format!("the log has {len} leaves and never had {size}"))
        .with_help("ask for a size that the log had")
}

fn no_such_leaf(index: u64, size: u64) -> Error {
    malformed(format!("the first {size} leaves of the log do not include leaf {index}"))
        .with_help("leaves are counted from 0")
}

fn hole() -> Error {
    Error::new(Code::Internal, "a walk over the Merkle tree left the tree")
}
