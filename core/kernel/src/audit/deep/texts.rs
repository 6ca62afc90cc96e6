//! Texts that can be erased: each that is there is the one that its record commits to, and each that is not was erased
//! by a leaf.

use super::kinds::kind;
use super::ledger::Line;
use super::report::DeepFault;
use crate::audit::Leaf;
use crate::digest::Digest;
use crate::error::Error;
use crate::store::Store;
use crate::store::erasable::{Beside, Erasable, beside};

/// What is wrong with the texts beside the record in `bytes`, which `line` vouches for without them.
pub(super) fn wrong_with(
    store: &dyn Store,
    places: &[Erasable],
    line: Line,
    bytes: &[u8],
) -> Result<Option<(DeepFault, &'static str)>, Error> {
    let Beside { there, absent } = match beside(bytes, places) {
        Ok(beside) => beside,
        Err(why) => return Ok(Some((DeepFault::TextChanged, why))),
    };
    if line.erases && there > 0 {
        return Ok(Some((DeepFault::TextChanged, "a text that was erased is there again")));
    }
    if absent.is_empty() {
        return Ok(None);
    }
    // A record that is written again has other commitments: only its last leaf can have erased these.
    let entry = if line.erases { store.log_read(line.leaf, 1)?.pop() } else { None };
    let erased = entry.map(|entry| Leaf::from_bytes(&entry)).transpose()?;
    let erased = erased.map(|leaf| leaf.erased).unwrap_or_default();
    let untold = absent.iter().any(|commitment| !erased.contains(commitment));
    Ok(untold.then_some((DeepFault::TextRemoved, "its commitment is in no leaf that erased")))
}

/// That the texts beside the record `name` in `bytes` are those that it commits to, and that those which are not there
/// are among the `erased` of its last leaf. Fails with the reason.
pub(crate) fn check(name: &str, bytes: &[u8], erased: &[Digest]) -> Result<(), &'static str> {
    let row = kind(name.split('/').next().unwrap_or_default());
    let Beside { there: _, absent } = beside(bytes, row.map_or(&[], |row| row.texts))?;
    if absent.iter().all(|commitment| erased.contains(commitment)) {
        return Ok(());
    }
    Err("lacks a text that no leaf erased")
}
