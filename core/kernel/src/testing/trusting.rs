//! A store that is wrong on purpose: it takes every expectation for kept.

use std::sync::Arc;

use super::StoreWrapper;
use crate::store::{Batch, CommitError, Committed, Store};

/// A store whose commits expect nothing. A test of lost races shows with it that it would notice one.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::store::{Batch, CommitError, Key, MemoryStore, Store};
/// use placet_core::testing::TrustingStore;
///
/// let colour = Key::from_segments(&["colour"]);
/// let (green, absent) = (Batch::default().put(colour.clone(), b"green".to_vec()), colour);
/// let sound = Arc::new(MemoryStore::default());
/// sound.commit(green.clone())?;
/// let again = green.expect_absent(absent);
/// assert!(matches!(sound.commit(again.clone()), Err(CommitError::Conflict { .. })));
/// // The same commit, and nobody looks.
/// assert!(TrustingStore::over(sound).commit(again).is_ok());
/// # Ok::<(), CommitError>(())
/// ```
#[derive(Debug)]
pub struct TrustingStore(Arc<dyn Store>);

impl TrustingStore {
    /// Passes to `inner` each commit without what it expects.
    pub fn over(inner: Arc<dyn Store>) -> Self {
        Self(inner)
    }
}

impl StoreWrapper for TrustingStore {
    fn inner(&self) -> &dyn Store {
        &*self.0
    }

    fn write(&self, mut batch: Batch) -> Result<Committed, CommitError> {
        batch.expected.clear();
        self.0.commit(batch)
    }
}
