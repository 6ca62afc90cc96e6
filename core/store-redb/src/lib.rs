#![cfg_attr(docsrs, feature(doc_cfg))]
//! A store in one file on one machine, kept by redb.
//!
//! ```
//! use placet_core::store::{Batch, Key, Store};
//! use placet_store_redb::RedbStore;
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("store.redb");
//!
//! let store = RedbStore::open(&file)?;
//! let key = Key::from_segments(&["colour"]);
//! store.commit(Batch::default().expect_absent(key.clone()).put(key.clone(), b"green".to_vec()))?;
//! drop(store);
//!
//! let store = RedbStore::open(&file)?;
//! assert_eq!(store.get(&key)?.map(|stored| stored.value), Some(b"green".to_vec()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It has nothing in common with the sled store but the contract, and so it serves as a second opinion
//! too: the same history must have the same answers in both (`tests/differential.rs`).
//!
//! # What it promises beyond the contract of [`Store`](placet_core::store::Store)
//!
//! - **Durable**: a commit is acknowledged after two syncs of the file: one for what was written, one for
//!   the byte that makes it count. With a single sync redb would have to take a commit whose pages are
//!   damaged for one that was never finished, and would go back to the commit before it.
//! - **No early reads**: readers see the last commit that is on the disk.
//! - **Fail-stop**: after a failed write or sync nothing more is read or written until it is opened again.
//! - **Group commit**: one thread writes; batches that wait while it syncs share the next two syncs.
//!
//! # What is checked, and what is not
//!
//! - **On opening**: the checksum of every page that is in use, so opening reads the whole file; that the
//!   log is as long as the store says and that its last entry is there.
//! - **On reading a value or log entry**: a checksum of its own, which covers its key and its version.
//! - **On reading the log**: that no entry is missing between the first and the last that were asked for.
//!
//! # What was erased or overwritten
//!
//! redb writes to free pages and leaves the old bytes in others until it needs them. Whoever must be sure that an erased
//! text is not in the file closes the store and calls [`RedbStore::compact`]. What the file system and the disk keep of
//! removed files, and copies and backups that were made before, are not in its reach.
//!
//! # What is not found
//!
//! **Not found**: a file that was replaced by an older copy of itself. In a file whose process was killed
//! also one single bit: the one that says which of redb's two last commits counts. Flipped, it looks like
//! a commit that was cut off before it was acknowledged.

mod fault; // redb's failures in our words
mod record; // how a value is written down
mod disk; // the file as redb sees it, with its syncs counted
mod file; // the first and the next opening
mod writer; // the thread that owns the sequence
mod compact; // written anew, without what was overwritten
mod store; // the driver itself
#[cfg(test)]
mod failing_sync_tests; // when the disk says no

pub use store::{PAIR_BYTES_MAX, RedbStore};
