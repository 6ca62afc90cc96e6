#![cfg_attr(docsrs, feature(doc_cfg))]
//! The default store: one folder on one machine, kept by sled.
//!
//! ```
//! use placet_core::store::{Batch, Key, Store};
//! use placet_store_sled::SledStore;
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//!
//! let store = SledStore::open(folder)?;
//! let key = Key::from_segments(&["colour"]);
//! store.commit(Batch::default().expect_absent(key.clone()).put(key.clone(), b"green".to_vec()))?;
//! drop(store);
//!
//! let store = SledStore::open(folder)?;
//! assert_eq!(store.get(&key)?.map(|stored| stored.value), Some(b"green".to_vec()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it promises beyond the contract of [`Store`](placet_core::store::Store)
//!
//! - **Durable**: with [`Durability::Full`] a commit is acknowledged after an `fdatasync` of sled's data
//!   file and of a head that stands outside sled. sled's own flush is not a sync on Linux.
//! - **No early reads**: a read never sees a write that is not durable yet, so what was shown to a
//!   person or sent to another machine cannot disappear.
//! - **The end is never cut silently, and no value is invented**: sled takes damage for a torn tail and
//!   drops it. See below what is checked when.
//! - **Fail-stop**: after a failed write or sync nothing more is read or written until it is opened
//!   again. A failed sync is never repeated: the kernel may have dropped the pages and would say yes.
//! - **Group commit**: one thread writes; batches that wait while it syncs share the next sync.
//!
//! # What is checked, and what is not
//!
//! - **On opening**: the number of commits, the length of the log and the running digest, as they stand in
//!   sled, against the head; and that the last log entry is there and whole. Commits that are missing at
//!   the end are found here. The running digest is compared, not computed again from the pairs.
//! - **On reading a value or log entry**: its checksum, which covers its key and its version too, and that
//!   all its chunks are there. A byte that changed, or a value that moved to another key, is found here.
//! - **On reading the log**: that no entry is missing between the first and the last that were asked for.
//!   An entry is written once, so it cannot be an older one either.
//!
//! **Not found**: a key in the middle that is gone, or that has an earlier value again. When an older part
//! of sled's file is damaged, sled can leave out all that stands there and open as if nothing were wrong;
//! the head knows how many commits there were, not which keys they left behind. `get` answers that there
//! is nothing, `scan` leaves the key out. The log is safe from this, so it can be used to find out: the
//! kernel writes the digest of each record that it changes into the log (the leaf), and comparing the
//! records with the last leaf that names each finds what is gone or old. This crate does not do that, and
//! nothing does it on opening. Against disks that change bytes use a file system with checksums.
//!
//! Keys are at most [`KEY_BYTES_MAX`] bytes long. Values and log entries may be long: they are cut into
//! chunks, because sled would put long ones into files of their own, which it does not sync.

mod options; // what a host may choose
mod folder; // the files, the lock, the first and the next opening
mod head; // what must be there, kept outside sled
mod record; // how a value is written down
mod view; // reading, without what is not synced yet
mod group; // which batches of a group pass, and what they change together
mod sync; // the one place that calls fdatasync
mod writer; // the thread that owns the sequence
mod fault; // sled's failures in our words
mod store; // the driver itself
#[cfg(test)]
mod failing_sync; // when the disk says no, the writer panics, or batches wait together

pub use options::{Durability, Options};
pub use record::KEY_BYTES_MAX;
pub use store::SledStore;
