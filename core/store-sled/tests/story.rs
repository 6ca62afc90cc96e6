use std::io::Write as _;
use std::path::Path;

use placet_core::store::{Batch, Committed, Key, Store as _, StoreError, StoreErrorKind};
use placet_store_sled::SledStore;

pub(crate) fn key(segments: &[&str]) -> Key {
    Key::from_segments(segments)
}

/// Writes each of `numbers`.
pub(crate) fn write_all(store: &SledStore, caller: &str, numbers: core::ops::Range<u64>) {
    for number in numbers {
        write(store, caller, number);
    }
}

/// Writes number `number`: a key of its own, a counter, and a log entry.
pub(crate) fn write(store: &SledStore, caller: &str, number: u64) -> Committed {
    let text = format!("{caller} {number}").into_bytes();
    let batch = Batch::default()
        .put(key(&["n", caller, &number.to_string()]), text.clone())
        .put(key(&["last", caller]), number.to_be_bytes().to_vec())
        .append(text);
    store.commit(batch).unwrap()
}

/// How an opening failed: kind, sentence and help.
pub(crate) fn refusal(folder: &Path) -> (StoreErrorKind, String) {
    let error: StoreError = SledStore::open(folder).unwrap_err();
    let help = error.help().unwrap();
    assert!(!help.is_empty());
    (error.kind(), error.to_string())
}

/// Copies the files of a closed store.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
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

/// The seed of a test: `SEED` of the environment, to give one back, or `default`. Printed.
pub(crate) fn seed(default: u64) -> u64 {
    let seed = std::env::var("SEED").map_or(default, |text| {
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        let radix = if digits.len() < text.len() { 16 } else { 10 };
        u64::from_str_radix(digits, radix).unwrap()
    });
    assert_ne!(seed, 0, "zero gives only zeros");
    println!("SEED={seed:#x}");
    seed
}

/// Leaves out what sled's own panics print: on damaged files it has thousands, and the store answers each
/// with an error.
pub(crate) fn without_panics_of_sled() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/sled-0.34")) {
                others(panic);
            }
        }));
    });
}

/// How often a test does what it does: as the environment says, to do it longer, or `default`.
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

    pub(crate) fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }
}
