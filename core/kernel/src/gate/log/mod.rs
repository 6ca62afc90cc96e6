//! The log: its hashes, index, proofs and witnesses, and what is erased beside it.

pub(super) mod rows;
pub(super) mod compare;
pub(super) mod index;
pub(super) mod walk;
pub(super) mod check;
pub(super) mod query;
pub(super) mod export_events;
pub(super) mod hashes;
pub(super) mod keys;
pub(super) mod years;
pub(super) mod proof;
pub(super) mod witness;
pub(super) mod deep;
pub(super) mod evidence;
pub(super) mod erase;
pub(super) mod retention;
