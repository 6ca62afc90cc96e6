use std::io::Write as _;
use std::path::Path;

use placet_core::store::{Batch, Committed, Key, Store as _, StoreErrorKind};
use placet_store_redb::RedbStore;

pub(crate) fn key(segments: &[&str]) -> Key {
    Key::from_segments(segments)
}

/// Writes number `number`: a key of its own, a counter, and a log entry.
pub(crate) fn write(store: &RedbStore, caller: &str, number: u64) -> Committed {
    let text = format!("{caller} {number}").into_bytes();
    let batch = Batch::default()
        .put(key(&["n", caller, &number.to_string()]), text.clone())
        .put(key(&["last", caller]), number.to_be_bytes().to_vec())
        .append(text);
    store.commit(batch).unwrap()
}

/// Whether number `number` is there, whole.
pub(crate) fn is_there(store: &RedbStore, caller: &str, number: u64, log_index: u64) -> bool {
    let text = format!("{caller} {number}").into_bytes();
    let stored = store.get(&key(&["n", caller, &number.to_string()])).unwrap();
    let entry = store.log_read(log_index, 1).unwrap().pop();
    stored.is_some_and(|stored| stored.value == text) && entry == Some(text)
}

/// How an opening failed: kind and sentence, with its causes.
pub(crate) fn refusal(path: &Path) -> (StoreErrorKind, String) {
    let error = RedbStore::open(path).unwrap_err();
    assert!(!error.help().unwrap().is_empty());
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    (error.kind(), format!("{error}{}", cause.unwrap_or_default()))
}

/// The seed of a test: the environment's `PLACET_SEED`, to give one back, or `default`. Printed.
pub(crate) fn seed(default: u64) -> u64 {
    let seed = std::env::var("PLACET_SEED").map_or(default, |text| {
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        let radix = if digits.len() < text.len() { 16 } else { 10 };
        u64::from_str_radix(digits, radix).unwrap()
    });
    assert_ne!(seed, 0, "zero gives only zeros");
    println!("SEED={seed:#x}");
    seed
}

/// How often a test does what it does: the environment's number, to make it longer, or `default`.
pub(crate) fn times(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// A repeatable row of numbers (xorshift64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    /// A place in a list of `length`.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u64::try_from(length).unwrap())).unwrap()
    }
}

/// Says that a test cannot check anything here. Where everything must be checked, that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI must not skip this: {why}");
    // Past the harness, which swallows what a passed test prints.
    std::io::stderr()
        .write_all(format!("SKIPPED, NOTHING WAS CHECKED: {why}\n").as_bytes())
        .unwrap();
}
