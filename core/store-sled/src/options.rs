//! What a host may choose when it opens a store.

use crate::folder::SEGMENT_BYTES;

/// When a commit is acknowledged.
///
/// ```
/// # use placet_core::store::{Batch, Key, Store};
/// use placet_store_sled::{Durability, Options, SledStore};
/// # let folder = tempfile::tempdir()?;
/// # let batch = || Batch::default().put(Key::from_segments(&["colour"]), b"green".to_vec());
///
/// let quick = Options::default().with_durability(Durability::Relaxed);
/// let store = SledStore::open_with(folder.path(), &quick)?;
/// let before = store.sync_count();
/// store.commit(batch())?;
/// assert_eq!(store.sync_count(), before); // acknowledged, and not on the disk yet
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Durability {
    /// After the writes are on the disk: they survive kill -9 and a power cut.
    #[default]
    Full,
    /// After the writes are with the operating system: they survive kill -9.
    ///
    /// A power cut or a crash of the machine can lose the last commits, about a megabyte of them,
    /// although they were acknowledged and read. What is left is a state that existed: no commit is lost
    /// without all later ones. Not for a store whose answers leave the machine.
    Relaxed,
}

/// How a store is opened.
///
/// ```
/// use placet_store_sled::{Durability, Options};
/// let options = Options::default().with_cache_bytes_max(16 << 20);
/// assert_eq!(options.durability, Durability::Full);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// When a commit is acknowledged. Default [`Durability::Full`].
    pub durability: Durability,
    /// How much sled keeps in memory, in bytes. Default 64 MiB.
    pub cache_bytes_max: u64,
    /// How many batches may wait for the writer before callers wait in front of it. Default 1,024.
    pub queue_batches_max: usize,
    /// Whether opening reads and tests every value and log entry, instead of each when it is first read.
    /// Takes as long as reading all of it. Default: no.
    pub full_check: bool,
    #[cfg(feature = "testing")]
    pub(crate) sabotage: Option<crate::Sabotage>,
    #[cfg(feature = "testing")]
    pub(crate) segment_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            cache_bytes_max: 64 << 20,
            queue_batches_max: 1_024,
            full_check: false,
            #[cfg(feature = "testing")]
            sabotage: None,
            #[cfg(feature = "testing")]
            segment_bytes: SEGMENT_BYTES,
        }
    }
}

impl Options {
    /// Sets when a commit is acknowledged.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how much sled keeps in memory, in bytes.
    #[must_use]
    pub fn with_cache_bytes_max(mut self, bytes: u64) -> Self {
        self.cache_bytes_max = bytes;
        self
    }

    /// Sets how many batches may wait for the writer.
    #[must_use]
    pub fn with_queue_batches_max(mut self, batches: usize) -> Self {
        self.queue_batches_max = batches;
        self
    }

    /// Sets whether opening reads and tests everything.
    #[must_use]
    pub fn with_full_check(mut self, full_check: bool) -> Self {
        self.full_check = full_check;
        self
    }

    /// Breaks the store on purpose.
    ///
    /// ```
    /// use placet_store_sled::{Options, Sabotage};
    /// let broken = Options::default().with_sabotage(Sabotage::SkipSync);
    /// assert_ne!(broken, Options::default());
    /// ```
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_sabotage(mut self, sabotage: crate::Sabotage) -> Self {
        self.sabotage = Some(sabotage);
        self
    }

    /// Sets how sled cuts its file, in bytes, a power of two, so that a small store can have many parts. The same
    /// at each opening. Not as safe from a power cut as the length that is used otherwise.
    ///
    /// ```
    /// use placet_store_sled::{Options, SledStore};
    /// # let folder = tempfile::tempdir()?;
    /// let options = Options::default().with_segment_bytes(1 << 20);
    /// let store = SledStore::open_with(folder.path(), &options)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_segment_bytes(mut self, bytes: usize) -> Self {
        self.segment_bytes = bytes;
        self
    }

    pub(crate) fn segment_bytes(&self) -> usize {
        #[cfg(feature = "testing")]
        let bytes = self.segment_bytes;
        #[cfg(not(feature = "testing"))]
        let bytes = SEGMENT_BYTES;
        bytes
    }

    #[cfg(feature = "testing")]
    pub(crate) fn is_sabotaged(&self, sabotage: crate::Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }
}
