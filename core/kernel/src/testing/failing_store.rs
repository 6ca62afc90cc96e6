//! A store that breaks on purpose, at one call.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use super::StoreWrapper;
use crate::store::{Batch, CommitError, Committed, Store, StoreError, StoreErrorKind};

/// How the chosen call fails. A call that reads fails the same way with either.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::store::{Batch, Key, MemoryStore, Store};
/// use placet_core::testing::{FailingStore, Failure};
///
/// for failure in Failure::ALL {
///     let (kept, key) = (Arc::new(MemoryStore::default()), Key::from_segments(&["colour"]));
///     let store = FailingStore::new(kept.clone(), 0, failure);
///     assert!(store.commit(Batch::default().put(key.clone(), vec![1])).is_err());
///     // The caller sees the same error, whether the commit was applied or not.
///     assert_eq!(kept.get(&key)?.is_some(), failure == Failure::AnswerLost);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a test must try both")]
pub enum Failure {
    /// A commit fails and nothing was applied.
    BeforeApplied,
    /// A commit is applied, and the caller is told that it failed.
    AnswerLost,
}

impl Failure {
    /// Both.
    pub const ALL: [Self; 2] = [Self::BeforeApplied, Self::AnswerLost];
}

/// Counts the calls of a store and fails exactly the `nth` of them, counted from 0.
///
/// Every call fails once, in turn, and afterwards the test checks what must always hold:
///
/// ```
/// use std::sync::Arc;
/// use placet_core::store::{Batch, Key, MemoryStore, Store};
/// use placet_core::testing::{FailingStore, Failure};
///
/// for nth in 0.. {
///     let kept = Arc::new(MemoryStore::default());
///     let store = FailingStore::new(kept.clone(), nth, Failure::AnswerLost);
///     let colour = Key::from_segments(&["colour"]);
///     let _ended = store.get(&colour).is_ok()
///         && store.commit(Batch::default().put(colour.clone(), vec![1]).append(vec![1])).is_ok();
///     assert_eq!(kept.get(&colour)?.is_some(), kept.log_len()? == 1);
///     if !store.failed() { break; }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FailingStore {
    inner: Arc<dyn Store>,
    nth: u64,
    failure: Failure,
    calls: AtomicU64,
}

impl FailingStore {
    /// A store over `inner` whose call number `nth` fails.
    pub fn new(inner: Arc<dyn Store>, nth: u64, failure: Failure) -> Self {
        Self { inner, nth, failure, calls: AtomicU64::new(0) }
    }

    /// How many calls were made, the failed one included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// Whether a call has failed. When not, the test has come past the last call.
    pub fn failed(&self) -> bool {
        self.calls() > self.nth
    }

    fn due(&self) -> bool {
        self.calls.fetch_add(1, Ordering::SeqCst) == self.nth
    }
}

fn broken() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store failed on purpose")
}

impl StoreWrapper for FailingStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.due() { Err(broken()) } else { read(&*self.inner) }
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        if !self.due() {
            return self.inner.commit(batch);
        }
        match self.failure {
            Failure::BeforeApplied => Err(broken().into()),
            Failure::AnswerLost => {
                // A refusal is an answer too, and it is lost as well.
                let _lost = self.inner.commit(batch);
                Err(broken().into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Key, MemoryStore};

    #[test]
    fn fails_the_nth_call_and_no_other() {
        for failure in Failure::ALL {
            for nth in 0..6 {
                let kept = Arc::new(MemoryStore::default());
                let store = FailingStore::new(Arc::<MemoryStore>::clone(&kept), nth, failure);
                let key = Key::from_segments(&["a"]);
                let ended = [
                    store.get(&key).is_ok(),
                    store.scan(&key, None, 1).is_ok(),
                    store.log_len().is_ok(),
                    store.log_read(0, 1).is_ok(),
                    store.commit(Batch::default().put(key.clone(), vec![1])).is_ok(),
                ];
                let failed = ended.iter().position(|ok| !ok).and_then(|at| u64::try_from(at).ok());
                assert_eq!(failed, (nth < 5).then_some(nth));
                assert_eq!(ended.iter().filter(|ok| !**ok).count(), usize::from(nth < 5));
                assert_eq!((store.calls(), store.failed()), (5, nth < 5));
                let applied = nth != 4 || failure == Failure::AnswerLost;
                assert_eq!(kept.get(&key).unwrap().is_some(), applied);
            }
        }
    }
}
