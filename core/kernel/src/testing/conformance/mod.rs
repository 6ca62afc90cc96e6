//! The exam that every [`Store`] takes: each sentence of the contract is a case with its name.
//!
//! ```
//! use placet_core::store::MemoryStore;
//! use placet_core::testing::conformance;
//! conformance::check(MemoryStore::default);
//! ```

mod reading;
mod writing;
mod log;
mod together;
mod reference;
mod reopened;

use core::fmt::Debug;

use crate::store::{Batch, CommitError, Committed, Key, Store, Version};

/// A sentence of the contract and the case that tests it on an empty store.
type Case = (&'static str, fn(&dyn Store));

/// Examines a store. `make` returns a fresh, empty one each time.
///
/// # Panics
///
/// With the sentence of the contract that does not hold.
pub fn check<S: Store>(make: impl Fn() -> S) {
    let parts = [reading::CASES, writing::CASES, log::CASES, together::CASES, reference::CASES];
    for (sentence, case) in parts.concat() {
        named(sentence, || case(&make()));
    }
}

/// Examines whether a store keeps what it acknowledged. `open` opens the same store each time; what it
/// opened before is dropped by then. It must be empty at the first opening.
///
/// # Panics
///
/// With the sentence of the contract that does not hold.
pub fn check_reopen<S: Store>(open: impl Fn() -> S) {
    named("what was acknowledged is there after opening again", || reopened::keeps(&open));
    named("versions do not begin again after opening again", || reopened::goes_on(&open));
}

/// Runs `case`, and puts the sentence in front of whatever it complains about.
#[expect(clippy::panic, reason = "an exam that is not passed ends the test")]
fn named(sentence: &str, case: impl FnOnce()) {
    if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(case)) {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        panic!("the store breaks its contract: {sentence}: {}", text.unwrap_or_default());
    }
}

fn key(segments: &[&str]) -> Key {
    Key::from_segments(segments)
}

fn put(segment: &str, value: &[u8]) -> Batch {
    Batch::default().put(key(&[segment]), value.to_vec())
}

/// Takes the good end of a store's answer.
#[expect(clippy::panic, reason = "an exam that is not passed ends the test")]
fn ok<T, E: Debug>(answer: Result<T, E>) -> T {
    answer.unwrap_or_else(|error| panic!("answered {error:?}"))
}

fn commit(store: &dyn Store, batch: Batch) -> Committed {
    ok(store.commit(batch))
}

/// Commits a batch that must lose on `lost`.
#[expect(clippy::panic, reason = "an exam that is not passed ends the test")]
fn conflict(store: &dyn Store, batch: Batch, lost: &Key) {
    match store.commit(batch) {
        Err(CommitError::Conflict { key }) => assert_eq!(key, *lost, "the conflict names the key"),
        other => panic!("a conflict on {lost:?} was due, the answer was {other:?}"),
    }
}

fn value(store: &dyn Store, at: &Key) -> Option<Vec<u8>> {
    ok(store.get(at)).map(|stored| stored.value)
}

fn version(store: &dyn Store, at: &Key) -> Option<Version> {
    ok(store.get(at)).map(|stored| stored.version)
}

fn keys(store: &dyn Store, prefix: &Key, after: Option<&Key>, limit: usize) -> Vec<Key> {
    ok(store.scan(prefix, after, limit)).into_iter().map(|(key, _)| key).collect()
}

fn entries(store: &dyn Store) -> Vec<Vec<u8>> {
    ok(store.log_read(0, usize::MAX))
}

/// A key that is a prefix of all.
fn all() -> Key {
    Key::from_bytes(Vec::new())
}
