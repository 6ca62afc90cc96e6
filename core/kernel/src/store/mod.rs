//! Where state is kept: ordered bytes and one append-only log, committed together.
//!
//! A driver implements [`Store`] in a crate beside this one and never sees the domain; what the bytes
//! mean is decided once, above it. Every driver takes the same exam, `testing::conformance`.

mod key;
mod memory;
pub(crate) mod erasable;
pub(crate) mod records;
#[cfg(test)]
mod fixtures_form_tests;
#[cfg(test)]
mod fixtures_older_tests;
#[cfg(test)]
mod fixtures_story_tests;
#[cfg(test)]
mod fixtures_tests;

use core::fmt;

pub use key::Key;
pub use memory::MemoryStore;

/// The version of one stored value. A store never gives the same version to two writes of one key,
/// not even when the key was removed in between.
///
/// ```
/// use placet_core::store::{Batch, CommitError, Key, MemoryStore, Store};
/// let (store, key) = (MemoryStore::default(), Key::from_segments(&["colour"]));
/// let seen = store.commit(Batch::default().put(key.clone(), b"green".to_vec()))?.version;
/// store.commit(Batch::default().put(key.clone(), b"red".to_vec()))?;
///
/// // Somebody wrote in between: what is based on the old value is refused.
/// let late = store.commit(Batch::default().expect(key.clone(), seen).remove(key));
/// assert!(matches!(late, Err(CommitError::Conflict { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(u64);

impl Version {
    /// A version from its number, for drivers.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number, for drivers.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A value and its version.
///
/// ```
/// use placet_core::store::{Batch, Key, MemoryStore, Store};
/// # let (store, key) = (MemoryStore::default(), Key::from_segments(&["visits"]));
/// # store.commit(Batch::default().put(key.clone(), vec![41]))?;
/// // Read, change, and write only if nobody else did meanwhile.
/// let stored = store.get(&key)?.expect("it was written");
/// let next = stored.value.iter().map(|count| count + 1).collect();
/// store.commit(Batch::default().expect(key.clone(), stored.version).put(key.clone(), next))?;
/// assert_eq!(store.get(&key)?.map(|stored| stored.value), Some(vec![42]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stored {
    /// The version that this value was written with.
    pub version: Version,
    /// The bytes, as they were written.
    pub value: Vec<u8>,
}

impl Stored {
    /// A value as a driver read it.
    pub const fn new(version: Version, value: Vec<u8>) -> Self {
        Self { version, value }
    }
}

/// One atomic write: what must still be so, what changes, and what is appended to the log.
///
/// ```
/// use placet_core::store::{Batch, Key, MemoryStore, Store};
/// let store = MemoryStore::default();
/// let key = Key::from_segments(&["colour"]);
/// let committed = store.commit(
///     Batch::default().expect_absent(key.clone()).put(key.clone(), b"green".to_vec()).append(b"leaf".to_vec()),
/// )?;
/// assert_eq!(committed.log_index, Some(0));
/// assert_eq!(store.get(&key)?.map(|stored| stored.value), Some(b"green".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// For each key the version that it must have now; `None` means: it must not be there.
    pub expected: Vec<(Key, Option<Version>)>,
    /// For each key its new value; `None` removes it. A key occurs at most once.
    pub writes: Vec<(Key, Option<Vec<u8>>)>,
    /// The entry to append to the log.
    pub entry: Option<Vec<u8>>,
}

impl Batch {
    /// Requires that `key` still has `version`.
    #[must_use]
    pub fn expect(mut self, key: Key, version: Version) -> Self {
        self.expected.push((key, Some(version)));
        self
    }

    /// Requires that `key` is not there.
    #[must_use]
    pub fn expect_absent(mut self, key: Key) -> Self {
        self.expected.push((key, None));
        self
    }

    /// Writes `value` at `key`.
    #[must_use]
    pub fn put(mut self, key: Key, value: Vec<u8>) -> Self {
        self.writes.push((key, Some(value)));
        self
    }

    /// Removes `key`; nothing happens where it is not there.
    #[must_use]
    pub fn remove(mut self, key: Key) -> Self {
        self.writes.push((key, None));
        self
    }

    /// Appends `entry` to the log. A batch appends at most one.
    #[must_use]
    pub fn append(mut self, entry: Vec<u8>) -> Self {
        self.entry = Some(entry);
        self
    }
}

/// What a commit did.
///
/// ```
/// use placet_core::store::{Batch, Key, MemoryStore, Store};
/// let (store, key) = (MemoryStore::default(), Key::from_segments(&["colour"]));
/// let committed =
///     store.commit(Batch::default().put(key.clone(), b"green".to_vec()).append(b"leaf".to_vec()))?;
/// assert_eq!(store.get(&key)?.map(|stored| stored.version), Some(committed.version));
/// assert_eq!(committed.log_index, Some(0));
/// assert_eq!(store.commit(Batch::default().remove(key))?.log_index, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Committed {
    /// The version that every key written by the batch has now.
    pub version: Version,
    /// Where the batch's entry stands in the log, counted from 0, when it had one.
    pub log_index: Option<u64>,
}

impl Committed {
    /// The answer of a driver.
    pub const fn new(version: Version, log_index: Option<u64>) -> Self {
        Self { version, log_index }
    }
}

/// Ordered bytes and one append-only log. The contract stands at each method. What fails says by its
/// [`StoreErrorKind`] how.
///
/// ```
/// use placet_core::store::{Batch, Key, MemoryStore, Store};
/// let store: &dyn Store = &MemoryStore::default();
/// for name in ["bo", "ana"] {
///     let key = Key::from_segments(&["user", name]);
///     store.commit(Batch::default().put(key, b"active".to_vec()).append(name.into()))?;
/// }
/// // State is ordered by key, the log by time.
/// let users = Key::from_segments(&["user"]);
/// let first = store.scan(&users, None, 1)?;
/// assert_eq!(first[0].0, users.child("ana"));
/// assert_eq!(store.scan(&users, Some(&first[0].0), 9)?[0].0, users.child("bo"));
/// assert_eq!(store.log_read(0, 9)?, [b"bo".to_vec(), b"ana".to_vec()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store: Send + Sync + fmt::Debug {
    /// Returns the value at `key` as of the last commit that was applied.
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError>;

    /// Returns the values at `keys`, in their order, as [`Self::get`] would. They need not be of one moment:
    /// whoever decides by several expects each of them. A driver whose reads travel answers them in one trip.
    fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Returns the pairs whose key starts with `prefix` and stands after `after`, in ascending byte
    /// order of the keys, at most `limit` of them. Fewer than `limit` means that there are no more.
    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError>;

    /// The number of entries in the log.
    fn log_len(&self) -> Result<u64, StoreError>;

    /// Returns log entries from index `from` on, at most `limit`, in order and without gaps.
    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Waits until the log has more than `longer_than` entries, at most `wait_ms` milliseconds, and
    /// returns how many it has then. How a node hears what other nodes wrote; a store that one process
    /// has to itself returns at once, which is the default.
    #[expect(unused_variables, reason = "nothing to wait for where one process writes")]
    fn wait_for_log(&self, longer_than: u64, wait_ms: u64) -> Result<u64, StoreError> {
        self.log_len()
    }

    /// Applies all of `batch` or none of it, and only if every expectation holds at that moment.
    ///
    /// Commits are serial: each sees all that were applied before it. The entry gets the next log
    /// index; the log has no gap and no fork. On `Ok`, writes and entry survive kill -9 and a power
    /// cut, and so does everything that the caller read before. On [`CommitError::Conflict`] nothing
    /// was applied. On [`CommitError::Store`] it is not known whether the batch was applied, unless
    /// the error's kind says so.
    fn commit(&self, batch: Batch) -> Result<Committed, CommitError>;
}

/// Why a commit was not acknowledged.
///
/// ```
/// use placet_core::store::{Batch, CommitError, Key, Store, StoreError};
/// # use placet_core::store::MemoryStore;
///
/// /// Counts one more, however many others count too.
/// fn count(store: &dyn Store, key: &Key) -> Result<u8, StoreError> {
///     loop {
///         let batch = Batch::default();
///         let (batch, next) = match store.get(key)? {
///             None => (batch.expect_absent(key.clone()), 1),
///             Some(seen) => (batch.expect(key.clone(), seen.version), seen.value[0] + 1),
///         };
///         match store.commit(batch.put(key.clone(), vec![next])) {
///             Ok(_) => return Ok(next),
///             Err(CommitError::Conflict { .. }) => {} // nothing was applied: read again
///             Err(CommitError::Store(error)) => return Err(error),
///         }
///     }
/// }
/// let (store, key) = (MemoryStore::default(), Key::from_segments(&["visits"]));
/// assert_eq!((count(&store, &key)?, count(&store, &key)?), (1, 2));
/// # Ok::<(), StoreError>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "callers must tell a lost race from a lost store")]
pub enum CommitError {
    /// An expectation did not hold; nothing was applied.
    #[error("another change came first")]
    Conflict {
        /// The key whose version was not the expected one.
        key: Key,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What kind of failure a store had.
///
/// ```
/// use placet_core::error::{Code, Error};
/// use placet_core::store::{StoreError, StoreErrorKind};
/// // A driver says the kind; callers of the gate get the code that goes with it, and what to do.
/// let error = Error::from(StoreError::new(StoreErrorKind::Poisoned, "a sync failed"));
/// assert_eq!(error.code(), Code::StorePoisoned);
/// assert_eq!(error.help(), Some("open the store again"));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, read or written (also: disk full, no rights, a folder that is read-only).
    Unavailable,
    /// A sync failed before; it accepts nothing until it is opened again.
    Poisoned,
    /// Another process has it open.
    Locked,
    /// Stored bytes are not what was written.
    Damaged,
    /// It was written by a newer version.
    NewerFormat,
}

/// A failure of a store: a kind, a sentence and a source.
///
/// ```
/// use placet_core::store::{StoreError, StoreErrorKind};
/// # let missing = std::io::Error::other("no such folder");
/// let error = StoreError::new(StoreErrorKind::Unavailable, "cannot open the folder `data`")
///     .with_help("make the folder, or name another one")
///     .with_source(missing);
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// assert_eq!(error.help(), Some("make the folder, or name another one"));
/// assert!(std::error::Error::source(&error).is_some());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    help: Option<String>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// A failure with a sentence: lower case, no full stop.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None, source: None }
    }

    /// Adds the next step to take.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// The next step to take, where one is known.
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}
