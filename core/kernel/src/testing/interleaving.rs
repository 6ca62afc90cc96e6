//! A store in which something else happens at a chosen moment.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::StoreWrapper;
use crate::store::{Batch, CommitError, Committed, Store, StoreError};

/// What happens in between.
type Between = Box<dyn FnOnce() + Send>;

/// Passes every call on, and before the chosen one lets something else happen, once: another caller's
/// commit, say. So a test can put one verb into the middle of another.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::store::{Batch, CommitError, Key, MemoryStore, Store};
/// use placet_core::testing::InterleavingStore;
///
/// let (kept, key) = (Arc::new(MemoryStore::default()), Key::from_segments(&["colour"]));
/// let store = InterleavingStore::new(kept.clone());
/// let theirs = Batch::default().put(key.clone(), b"red".to_vec());
/// store.before(1, move || drop(kept.commit(theirs)));
///
/// assert!(store.get(&key)?.is_none()); // call 0; before call 1 somebody else writes
/// let ours = Batch::default().expect_absent(key.clone()).put(key, b"green".to_vec());
/// assert!(matches!(store.commit(ours), Err(CommitError::Conflict { .. })));
/// assert!(store.happened());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct InterleavingStore {
    inner: Arc<dyn Store>,
    calls: AtomicU64,
    between: Mutex<Option<(u64, Between)>>,
}

impl InterleavingStore {
    /// Passes calls on to `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, calls: AtomicU64::new(0), between: Mutex::default() }
    }

    /// Lets `happens` happen before the `nth` call from now, counted from 0.
    pub fn before(&self, nth: u64, happens: impl FnOnce() + Send + 'static) {
        let at = self.calls.load(Ordering::SeqCst).saturating_add(nth);
        *self.between.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((at, Box::new(happens)));
    }

    /// Whether the chosen moment has come.
    pub fn happened(&self) -> bool {
        self.between.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn call(&self) {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let mut between = self.between.lock().unwrap_or_else(PoisonError::into_inner);
        let due = between.as_ref().is_some_and(|(at, _)| *at <= number);
        let happens = if due { between.take() } else { None };
        // Released first: what happens may use this store itself.
        drop(between);
        if let Some((_, happens)) = happens {
            happens();
        }
    }
}

impl fmt::Debug for InterleavingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterleavingStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl StoreWrapper for InterleavingStore {
    fn inner(&self) -> &dyn Store {
        &*self.inner
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.call();
        read(&*self.inner)
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.call();
        self.inner.commit(batch)
    }
}
