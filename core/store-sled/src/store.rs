//! The driver itself.

use core::fmt;
use core::ops::Bound;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::JoinHandle;

use placet_core::store::{
    Batch, CommitError, Committed, Key, Store, StoreError, StoreErrorKind, Stored,
};

use crate::compact;
use crate::fault::{damaged, unavailable};
use crate::folder::{self, Folder};
use crate::options::Options;
use crate::record::{Inside, KEY_BYTES_MAX, POSITION, data_key, log_key};
use crate::sync::{Fdatasync, Syncer};
use crate::view::{Reading, View};
use crate::writer::{BATCH_BYTES_MAX, Health, Job, Weight, Writer, poisoned};

/// How many values stand in memory at once while everything is checked.
const CHECKED_AT_ONCE: usize = 64;

/// A store in a folder on this machine. See the crate's page for what it promises.
///
/// Dropping it answers what is still waiting, brings everything to the disk and lets the folder go.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::gate::Gate;
/// use placet_core::store::StoreErrorKind;
/// use placet_store_sled::SledStore;
/// # use placet_core::testing::{Bench, Office};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # let wired = |store| Ok::<_, placet_core::error::Error>(Bench::on(Arc::new(store))?.parts);
///
/// let gate = Gate::new(wired(SledStore::open(folder)?)?);
/// let office = Office::found(&gate)?;
/// let second = SledStore::open(folder).expect_err("one opening at a time");
/// assert_eq!(second.kind(), StoreErrorKind::Locked);
/// drop(gate);
///
/// let gate = Gate::new(wired(SledStore::open(folder)?)?);
/// assert_eq!(gate.projects(&office.ana)?.len(), 1); // still there
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SledStore {
    folder: PathBuf,
    view: Arc<View>,
    health: Arc<Health>,
    syncs: Arc<AtomicU64>,
    // `None` only while it is dropped: the writer ends when the last sender is gone.
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    // Declared last, so that the folder is let go after sled has closed its files.
    _lock: File,
}

impl SledStore {
    /// Opens the store in `folder`, with [`Options::default`]; the folder is created where it is not there.
    ///
    /// Fails with [`StoreErrorKind::Locked`] when it is open already, with [`StoreErrorKind::Damaged`] when
    /// something that was acknowledged is seen not to be there, with [`StoreErrorKind::NewerFormat`] when a newer
    /// version wrote it, and with [`StoreErrorKind::Unavailable`] when it cannot be read or written.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(folder, &Options::default())
    }

    /// Opens the store in `folder` as [`Self::open`] does, with `options`.
    pub fn open_with(folder: impl AsRef<Path>, options: &Options) -> Result<Self, StoreError> {
        #[cfg(feature = "testing")]
        if options.is_sabotaged(crate::Sabotage::SkipSync) {
            return Self::open_syncing(folder.as_ref(), options, Box::new(crate::sync::NoSync));
        }
        Self::open_syncing(folder.as_ref(), options, Box::new(Fdatasync))
    }

    pub(crate) fn open_syncing(
        folder: &Path,
        options: &Options,
        syncer: Box<dyn Syncer>,
    ) -> Result<Self, StoreError> {
        let Folder { db, blobs, disk, position, sections, lock } =
            folder::open(folder, options, syncer)?;
        let unchecked = sections.unchecked();
        #[cfg(feature = "testing")]
        let unchecked = if options.is_sabotaged(crate::Sabotage::SkipCheck) {
            crate::unchecked::Unchecked::default()
        } else {
            unchecked
        };
        let view = Arc::new(View::new(db, unchecked, blobs));
        view.tidy().map_err(|cause| unavailable("tidy up", folder, cause))?;
        let health = Arc::<Health>::default();
        let syncs = disk.syncs();
        let writer = Writer {
            view: Arc::clone(&view),
            disk,
            now: position,
            sections,
            durability: options.durability,
            health: Arc::clone(&health),
            anchor: position,
            unsettled_bytes: 0,
            dropped: BTreeSet::new(),
        };
        let (jobs, waiting) = mpsc::sync_channel(options.queue_batches_max);
        let writer = std::thread::Builder::new()
            .name("placet-store".to_owned())
            .spawn(move || writer.run(&waiting))
            .map_err(|cause| unavailable("start the writer of", folder, cause))?;
        let store = Self {
            folder: folder.to_owned(),
            view,
            health,
            syncs,
            jobs: Some(jobs),
            writer: Some(writer),
            _lock: lock,
        };
        if options.full_check {
            store.read_everything()?;
        }
        Ok(store)
    }

    /// Writes the closed store in `folder` anew, without the bytes of what was overwritten, removed or erased, and puts
    /// it in the old one's place. Keys, values, versions and log stay what they are; everything is read and tested
    /// on the way. It needs as much room on the disk as the store has, and the folder is locked meanwhile.
    ///
    /// `progress` gets how many records were copied; an error from it ends the work, and the store is as it was. After
    /// a kill or a power cut at any step the next opening finds the old store or the new one, whole.
    ///
    /// Fails as [`Self::open`] does, and with [`StoreErrorKind::Unavailable`] where there is no store, and where the file of a
    /// long value that nobody names any more cannot be removed: the store is as it was then.
    ///
    /// ```
    /// use placet_core::store::{Batch, Key, Store};
    /// use placet_store_sled::{Options, SledStore};
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    ///
    /// let key = Key::from_segments(&["colour"]);
    /// let store = SledStore::open(folder)?;
    /// store.commit(Batch::default().put(key.clone(), b"a secret one".to_vec()))?;
    /// store.commit(Batch::default().put(key.clone(), b"green".to_vec()))?;
    /// drop(store);
    ///
    /// SledStore::compact(folder, &Options::default(), |_records| Ok(()))?;
    /// let data = std::fs::read(folder.join("db"))?;
    /// assert!(!data.windows(6).any(|bytes| bytes == b"secret"));
    /// let store = SledStore::open(folder)?;
    /// assert_eq!(store.get(&key)?.map(|stored| stored.value), Some(b"green".to_vec()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compact(
        folder: impl AsRef<Path>,
        options: &Options,
        mut progress: impl FnMut(u64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        compact::compact(folder.as_ref(), options, &mut progress, &mut |_| Ok(()))
    }

    fn read_everything(&self) -> Result<(), StoreError> {
        let all = Key::from_bytes(Vec::new());
        let mut last = None;
        loop {
            let page = self.scan(&all, last.as_ref(), CHECKED_AT_ONCE)?;
            match page.into_iter().nth(CHECKED_AT_ONCE.saturating_sub(1)) {
                Some((key, _)) => last = Some(key),
                None => break,
            }
        }
        let mut index = 0;
        while index < self.log_len()? {
            let page = self.log_read(index, CHECKED_AT_ONCE)?;
            index = index.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    /// How often the data file was brought to the disk since the store was opened. With group commit it
    /// grows more slowly than the number of commits.
    pub fn sync_count(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Reads, and makes sure that what was read counts.
    fn read<T>(
        &self,
        step: impl FnOnce(&Reading<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.health.check()?;
        step(&self.view.read())
    }
}

impl Store for SledStore {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let raw_key = data_key(key);
        self.read(|reading| {
            let Some(raw) = reading.get(&raw_key)? else { return Ok(None) };
            reading.decode(&raw_key, &raw).map(Some)
        })
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let raw_prefix = data_key(prefix);
        let raw_after = after.filter(|after| *after >= prefix).map(data_key);
        let start = raw_after.as_ref().map_or(Bound::Included(raw_prefix.as_slice()), |after| {
            Bound::Excluded(after.as_slice())
        });
        self.read(|reading| {
            let found = reading.scan(&raw_prefix, start, limit)?;
            let pairs = found.into_iter().map(|(raw_key, raw)| {
                let stored = reading.decode(&raw_key, &raw)?;
                let key = raw_key.split_first().map_or(Vec::new(), |(_, key)| key.to_vec());
                Ok((Key::from_bytes(key), stored))
            });
            pairs.collect()
        })
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.read(log_len)
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|reading| {
            let left = log_len(reading)?.saturating_sub(from);
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(limit);
            let found = reading.scan(b"l", Bound::Included(&log_key(from)), wanted)?;
            let mut entries = Vec::with_capacity(found.len());
            for ((raw_key, raw), index) in found.iter().zip(from..) {
                if log_key(index) != **raw_key {
                    return Err(damaged(format!("log entry {index} is missing")));
                }
                entries.push(reading.decode(raw_key, raw)?.value);
            }
            if entries.len() < wanted {
                return Err(damaged("the log is shorter than the store says"));
            }
            Ok(entries)
        })
    }

    /// As the trait says. A key longer than [`KEY_BYTES_MAX`] and a batch longer than [`BATCH_BYTES_MAX`] are
    /// refused, and nothing is applied.
    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.health.check()?;
        refuse_long(&batch)?;
        let gone = || {
            let fault = self.health.check().err();
            CommitError::Store(fault.unwrap_or_else(|| poisoned("the writer is gone")))
        };
        let (answer, answered) = mpsc::sync_channel(1);
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { batch, answer }).map_err(|_unsent| gone())?;
        answered.recv().map_err(|_unanswered| gone())?
    }
}

/// What this store does not take.
fn refuse_long(batch: &Batch) -> Result<(), StoreError> {
    let refuse = |message, limit| {
        // The contract has no kind that says: nothing was applied.
        let help = format!("{limit}; nothing was written");
        Err(StoreError::new(StoreErrorKind::Unavailable, message).with_help(help))
    };
    let key_bytes = batch.writes.iter().map(|(key, _)| key.as_bytes().len()).max().unwrap_or(0);
    if key_bytes > KEY_BYTES_MAX {
        let message = format!("a key of {key_bytes} bytes is too long");
        return refuse(message, format!("keys have at most {KEY_BYTES_MAX} bytes"));
    }
    let bytes = Weight::of(batch).tree_bytes;
    if bytes > BATCH_BYTES_MAX {
        let message = format!("a batch of {bytes} bytes is too long");
        return refuse(message, format!("write at most {BATCH_BYTES_MAX} bytes at once"));
    }
    Ok(())
}

fn log_len(reading: &Reading<'_>) -> Result<u64, StoreError> {
    let raw = reading.get(POSITION)?.ok_or_else(|| damaged("the store's own record is missing"))?;
    Ok(Inside::from_bytes(&raw)?.now.log_len)
}

impl fmt::Debug for SledStore {
    // Not derived: sled would print every pair.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has poisoned the store, and has nothing left to say.
            let _ended = writer.join();
        }
    }
}
