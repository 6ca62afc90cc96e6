//! A store around another one, which writes down only what it does differently.

use core::fmt;

use crate::store::{Batch, CommitError, Committed, Key, Store, StoreError, Stored};

/// What a store around another one does differently. Whatever implements this is a [`Store`]: the calls that read
/// go through [`Self::read`], each by itself, and commits through [`Self::write`].
///
/// Reading several keys and waiting for the log are made of the others, as [`Store`] does it where a driver
/// says nothing: so a test can count each read, or stop before it.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use placet_core::store::{Key, MemoryStore, Store, StoreError};
/// use placet_core::testing::StoreWrapper;
///
/// #[derive(Debug, Default)]
/// struct Counted {
///     inner: MemoryStore,
///     reads: AtomicU64,
/// }
///
/// impl StoreWrapper for Counted {
///     fn inner(&self) -> &dyn Store {
///         &self.inner
///     }
///
///     fn read<T>(
///         &self,
///         read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
///     ) -> Result<T, StoreError> {
///         self.reads.fetch_add(1, Ordering::Relaxed);
///         read(&self.inner)
///     }
/// }
///
/// let store = Counted::default();
/// assert_eq!((store.get(&Key::from_segments(&["a"]))?, store.log_len()?), (None, 0));
/// assert_eq!(store.reads.load(Ordering::Relaxed), 2);
/// # Ok::<(), StoreError>(())
/// ```
pub trait StoreWrapper: Send + Sync + fmt::Debug {
    /// The store inside.
    fn inner(&self) -> &dyn Store;

    /// Makes one call that reads. The default passes it on.
    fn read<T>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        read(self.inner())
    }

    /// Makes a commit. The default passes it on.
    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.inner().commit(batch)
    }
}

impl<W: StoreWrapper> Store for W {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.read(|inner| inner.get(key))
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        self.read(|inner| inner.scan(prefix, after, limit))
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.read(|inner| inner.log_len())
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|inner| inner.log_read(from, limit))
    }

    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.write(batch)
    }
}
