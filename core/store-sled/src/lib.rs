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
//! - **Nothing is missing, older or different in silence**: sled takes damage for a torn tail and drops
//!   it. See below what is checked when.
//! - **Fail-stop**: after a failed write or sync nothing more is read or written until it is opened
//!   again. A failed sync is never repeated: the kernel may have dropped the pages and would say yes.
//! - **Group commit**: one thread writes; batches that wait while it syncs share the next sync.
//!
//! # What is checked, and what is not
//!
//! All pairs are cut into sections of some hundred, in the order of their keys. A record for each section
//! says what the set of its pairs adds up to (key, version and checksum of each), and the head, outside
//! sled, says what all sections add up to.
//!
//! - **On opening**: the number of commits, the length of the log and the two sums, as they stand in
//!   sled, against the head; the records of all sections, against their sum; and that the last log entry
//!   is there and whole. This takes some milliseconds for each million of pairs.
//! - **When a pair of a section is first needed**, to read it, to scan over it, to find that it is not there or
//!   to write: all pairs of the section, against its record. A pair that is gone, or has an earlier value
//!   again, is found here, before anything of the section is returned. This takes about a millisecond.
//! - **On reading a value or log entry**: its checksum, which covers its key and its version too, and that
//!   all its chunks, or the file that holds it, are there.
//! - **On reading the log**: that no entry is missing between the first and the last that were asked for.
//!   An entry is written once, so it cannot be an older one either.
//! - **On opening with [`Options::full_check`]**: all of this.
//!
//! What is found is an error of the kind [`Damaged`](placet_core::store::StoreErrorKind::Damaged). Other
//! sections can still be read.
//!
//! **Not found**: what somebody does who knows how, since who may write into the folder may write the sums
//! too; and a folder that is an older copy as a whole. Both are the audit log's. Bytes that change while
//! the store is open are found when sled reads them again, not before.
//!
//! # How it is laid out
//!
//! - `db`, `conf`, `snap.…`, `blobs`: sled's. Its parts are so long, and batches so short
//!   ([`BATCH_BYTES_MAX`]), that nothing written between two syncs goes over two borders: sled would lose
//!   everything if the power failed just then.
//! - `values`: each value and log entry of more than 64 KiB in a file of its own, named by its digest, on
//!   the disk before the commit that names it. The tree counts how many name it; the last one takes it
//!   along. Shorter ones of more than 8 KiB are cut into chunks inside sled.
//! - `head`: what must be there, in two halves that are written in turn. `lock`: one process at a time.
//!
//! - `compacting`, `compacted`: while [`SledStore::compact`] is at work.
//!
//! # What was erased or overwritten
//!
//! sled writes to new places and leaves the old bytes in its file until it needs the room. Whoever must be sure that
//! an erased text is in no file closes the store and calls [`SledStore::compact`]. What the file system and the disk
//! keep of removed files, and copies and backups that were made before, are not in its reach.
//!
//! Keys are at most [`KEY_BYTES_MAX`] bytes long.

mod options; // what a host may choose
mod folder; // the files, the lock, the first and the next opening
mod head; // what must be there, kept outside sled
mod record; // how a value is written down
mod blobs; // long values, in files of their own
mod sum; // one digest for a set of pairs
mod sections; // the pairs cut into parts, and what each part adds up to
mod unchecked; // the parts that nobody has needed since the opening
mod view; // reading, without what is not synced yet
mod group; // which batches of a group pass, and what they change together
mod sync; // the one place that calls fdatasync
mod writer; // the thread that owns the sequence
mod fault; // sled's failures in our words
mod store; // the driver itself
mod compact; // written anew, without what was overwritten
#[cfg(feature = "testing")]
mod sabotage; // how to break it on purpose
#[cfg(test)]
mod failing_sync_tests; // when the disk says no, the writer panics, or batches wait together

pub use options::{Durability, Options};
pub use record::KEY_BYTES_MAX;
#[cfg(feature = "testing")]
pub use sabotage::Sabotage;
pub use store::SledStore;
pub use writer::BATCH_BYTES_MAX;
