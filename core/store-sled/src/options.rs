//! What a host may choose when it opens a store.

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
    /// A power cut or a crash of the machine can lose the last commits, up to 256 groups of them,
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
}

impl Default for Options {
    fn default() -> Self {
        Self { durability: Durability::Full, cache_bytes_max: 64 << 20, queue_batches_max: 1_024 }
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
}
