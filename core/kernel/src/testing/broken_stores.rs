//! Stores with one fault each: the exam must find it, and say which sentence it breaks.

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use super::conformance;
use crate::store::{
    Batch, CommitError, Committed, Key, MemoryStore, Store, StoreError, StoreErrorKind, Stored,
    Version,
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    None,
    IgnoresExpectations,
    ReusesVersions,
    EntryDespiteConflict,
    ScanIgnoresAfter,
    ScanIgnoresLimit,
    LogSkipsFirst,
    LosesRemovals,
    ChecksBeforeLock,
    // While many work together, it says that the caller lost, again and again, or fails.
    ConflictsForEver,
    FailsHalfway,
}

#[derive(Debug)]
struct Broken {
    inner: MemoryStore,
    fault: Fault,
    pauses: AtomicU64,
    versions: Mutex<BTreeMap<Key, Version>>,
}

impl Broken {
    fn new(fault: Fault) -> Self {
        Self {
            inner: MemoryStore::default(),
            fault,
            pauses: AtomicU64::new(0),
            versions: Mutex::default(),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// `stored` with the version of a store that counts for each key, where that is the fault.
    fn renumbered(&self, key: &Key, stored: Stored) -> Stored {
        match self.versions.lock().unwrap().get(key) {
            Some(version) => Stored::new(*version, stored.value),
            None => stored,
        }
    }
}

impl Store for Broken {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        Ok(self.inner.get(key)?.map(|stored| self.renumbered(key, stored)))
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let after = after.filter(|_| !self.has(Fault::ScanIgnoresAfter));
        let more = usize::from(self.has(Fault::ScanIgnoresLimit));
        let found = self.inner.scan(prefix, after, limit.saturating_add(more))?;
        let renumber = |(key, stored)| {
            let stored = self.renumbered(&key, stored);
            (key, stored)
        };
        Ok(found.into_iter().map(renumber).collect())
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.inner.log_len()
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let skip = u64::from(self.has(Fault::LogSkipsFirst));
        self.inner.log_read(from.saturating_add(skip), limit)
    }

    fn commit(&self, mut batch: Batch) -> Result<Committed, CommitError> {
        match self.fault {
            Fault::IgnoresExpectations => batch.expected.clear(),
            Fault::LosesRemovals => batch.writes.retain(|(_, value)| value.is_some()),
            Fault::EntryDespiteConflict => {
                let entry = batch.entry.clone();
                let ended = self.inner.commit(batch);
                if let (Err(CommitError::Conflict { .. }), Some(entry)) = (&ended, entry) {
                    self.inner.commit(Batch::default().append(entry))?;
                }
                return ended;
            }
            Fault::ReusesVersions => {
                let mut versions = self.versions.lock().unwrap();
                for (key, expected) in std::mem::take(&mut batch.expected) {
                    if versions.get(&key).copied() != expected {
                        return Err(CommitError::Conflict { key });
                    }
                }
                // The next number of these keys; a removed key is forgotten with its number.
                let last = batch.writes.iter().filter_map(|(key, _)| versions.get(key)).max();
                let version = Version::new(last.map_or(1, |last| last.get().saturating_add(1)));
                for (key, value) in &batch.writes {
                    match value {
                        Some(_) => versions.insert(key.clone(), version),
                        None => versions.remove(key),
                    };
                }
                let committed = self.inner.commit(batch)?;
                return Ok(Committed::new(version, committed.log_index));
            }
            Fault::ChecksBeforeLock => {
                for (key, expected) in std::mem::take(&mut batch.expected) {
                    if self.get(&key)?.map(|stored| stored.version) != expected {
                        return Err(CommitError::Conflict { key });
                    }
                }
                // Long enough for another caller to come between.
                for _ in 0..self.pauses.fetch_add(1, Ordering::Relaxed) % 50 {
                    std::thread::yield_now();
                }
            }
            Fault::ConflictsForEver if self.inner.log_len()? >= 100 => {
                if let Some((key, _)) = batch.expected.first() {
                    return Err(CommitError::Conflict { key: key.clone() });
                }
            }
            Fault::FailsHalfway if self.inner.log_len()? >= 100 => {
                let (kind, why) = (StoreErrorKind::Unavailable, "its disk is full");
                let is_pair = |key: &Key| key.as_bytes().starts_with(b"pair");
                if batch.writes.iter().any(|(key, _)| is_pair(key)) {
                    return Err(StoreError::new(kind, why).into());
                }
            }
            Fault::None
            | Fault::ConflictsForEver
            | Fault::FailsHalfway
            | Fault::ScanIgnoresAfter
            | Fault::ScanIgnoresLimit
            | Fault::LogSkipsFirst => {}
        }
        self.inner.commit(batch)
    }
}

/// The sentence that a store with `fault` is said to break.
fn verdict(fault: Fault) -> String {
    let exam = catch_unwind(AssertUnwindSafe(|| conformance::check(|| Broken::new(fault))));
    exam.err()
        .and_then(|panic| panic.downcast::<String>().ok())
        .map_or_else(String::new, |text| *text)
}

#[test]
fn a_sound_store_passes() {
    assert_eq!(verdict(Fault::None), "");
}

#[test]
fn each_fault_is_found_and_named() {
    let found = |fault, sentence: &str| {
        let verdict = verdict(fault);
        assert!(verdict.contains(sentence), "{fault:?}: {verdict}");
    };
    found(Fault::IgnoresExpectations, "expecting a key to be absent holds only while it is");
    found(Fault::ReusesVersions, "a version from before a removal is stale for good");
    found(Fault::EntryDespiteConflict, "a conflict appends nothing");
    found(Fault::ScanIgnoresAfter, "scan goes on after a key");
    found(Fault::ScanIgnoresLimit, "scan returns at most `limit`");
    found(Fault::LogSkipsFirst, "a long log entry");
    found(Fault::LosesRemovals, "hold any byte");
    // These two hold nobody up for ever.
    found(Fault::ConflictsForEver, "no update is lost among many callers");
    found(Fault::FailsHalfway, "a reader sees all of a batch or none of it");
}

#[test]
fn a_store_that_loses_updates_is_found_and_named() {
    // Somebody must come between: a busy machine may run all callers one after the other, but not each time.
    let tries = (1..=100).find(|_| {
        let verdict = verdict(Fault::ChecksBeforeLock);
        let is_found = verdict.contains("no update is lost among many callers");
        assert!(is_found || verdict.is_empty(), "{verdict}");
        is_found
    });
    assert!(tries.is_some(), "100 exams did not find it");
}
