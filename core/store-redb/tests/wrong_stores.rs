//! Stores that are wrong on purpose: the comparison must see each of them.

use placet_core::store::{
    Batch, CommitError, Committed, Key, MemoryStore, Store, StoreError, Stored, Version,
};

use crate::differential::{Subject, compare};

/// What is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fault {
    Nothing,
    /// `scan` begins at `after`, not behind it.
    ScanBeginsEarly,
    /// `scan` ends one early where there are more.
    ScanEndsEarly,
    /// A batch that lost is refused, and applied.
    ConflictApplies,
    /// Expectations are not looked at.
    NothingConflicts,
    /// An empty value is taken for none.
    EmptyIsNothing,
    /// Long values lose their last byte.
    LongIsCut,
    /// Removing does nothing.
    RemovalIsForgotten,
    /// Several commits in a row give the same version.
    VersionsRepeat,
    /// The log is read from one too far.
    LogBeginsLate,
}

#[derive(Debug)]
struct Wrong {
    inner: MemoryStore,
    fault: Fault,
}

impl Wrong {
    fn new(fault: Fault) -> Self {
        Self { inner: MemoryStore::default(), fault }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn spoiled(&self, mut stored: Stored) -> Stored {
        if self.has(Fault::LongIsCut) && stored.value.len() > 60_000 {
            stored.value.pop();
        }
        if self.has(Fault::VersionsRepeat) {
            stored.version = repeated(stored.version);
        }
        stored
    }
}

/// Sixteen commits share a version.
fn repeated(version: Version) -> Version {
    Version::new(version.get() / 16)
}

impl Store for Wrong {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let found = self.inner.get(key)?.map(|stored| self.spoiled(stored));
        Ok(found.filter(|stored| !(self.has(Fault::EmptyIsNothing) && stored.value.is_empty())))
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let mut found = self.inner.scan(prefix, after, limit)?;
        if self.has(Fault::ScanBeginsEarly)
            && let Some(after) = after.filter(|after| after.starts_with(prefix))
            && let Some(stored) = self.inner.get(after)?
        {
            found.insert(0, (after.clone(), stored));
            found.truncate(limit);
        }
        if self.has(Fault::ScanEndsEarly) && found.len() == limit {
            found.pop();
        }
        Ok(found.into_iter().map(|(key, stored)| (key, self.spoiled(stored))).collect())
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.inner.log_len()
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let late = u64::from(self.has(Fault::LogBeginsLate) && from > 0);
        self.inner.log_read(from + late, limit)
    }

    fn commit(&self, mut batch: Batch) -> Result<Committed, CommitError> {
        if self.has(Fault::RemovalIsForgotten) {
            batch.writes.retain(|(_, value)| value.is_some());
        }
        if self.has(Fault::VersionsRepeat) {
            for (key, expected) in &mut batch.expected {
                let now = self.inner.get(key)?.map(|stored| stored.version);
                if now.map(repeated) == *expected {
                    *expected = now;
                }
            }
            let committed = self.inner.commit(batch)?;
            return Ok(Committed::new(repeated(committed.version), committed.log_index));
        }
        let mut unchecked = batch.clone();
        unchecked.expected.clear();
        if self.has(Fault::NothingConflicts) {
            return self.inner.commit(unchecked);
        }
        let answer = self.inner.commit(batch);
        if self.has(Fault::ConflictApplies) && answer.is_err() {
            self.inner.commit(unchecked)?;
        }
        answer
    }
}

const SEEDS: u64 = 5;
const OPERATIONS: usize = 2_000;

fn first_difference(seed: u64, fault: Fault) -> Option<String> {
    let right = Subject::in_memory("right", MemoryStore::default());
    let wrong = Subject::in_memory("wrong", Wrong::new(fault));
    compare(&mut [right, wrong], seed, OPERATIONS).err()
}

#[test]
fn the_comparison_finds_each_fault_and_none_where_there_is_none() {
    use Fault::*;
    for seed in 1..=SEEDS {
        assert_eq!(first_difference(seed, Nothing), None);
        for fault in [
            ScanBeginsEarly,
            ScanEndsEarly,
            ConflictApplies,
            NothingConflicts,
            EmptyIsNothing,
            LongIsCut,
            RemovalIsForgotten,
            VersionsRepeat,
            LogBeginsLate,
        ] {
            let found = first_difference(seed, fault);
            let found = found.unwrap_or_else(|| panic!("seed {seed}: {fault:?} was not found"));
            let operation: Vec<_> = found.split(' ').take(3).collect();
            println!("seed {seed}: {fault:?} is found by {}", operation.join(" "));
        }
    }
}

/// A store that says it is durable and comes back empty.
#[test]
fn the_comparison_finds_what_is_lost_when_a_store_is_opened_again() {
    let right = Subject::in_memory("right", MemoryStore::default());
    let forgetful = Subject::durable("forgetful", MemoryStore::default);
    let difference = compare(&mut [right, forgetful], 1, 100).unwrap_err();
    assert!(difference.starts_with("opened again: "), "{difference}");
}
