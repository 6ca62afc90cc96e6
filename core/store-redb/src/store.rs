//! The driver itself.

use core::fmt;
use core::ops::Bound;
use core::sync::atomic::{AtomicU64, Ordering};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::JoinHandle;

use placet_core::store::{
    Batch, CommitError, Committed, Key, Store, StoreError, StoreErrorKind, Stored,
};
use redb::{Database, ReadTransaction, ReadableDatabase as _, ReadableTableMetadata as _};

use crate::compact;
use crate::disk::BeforeSync;
use crate::fault::{Fault, damaged, guarded, poisoned, unavailable};
use crate::file::{self, LOG, Opened, PAIRS};
use crate::record::{Place, decode};
use crate::writer::{Health, Job, Writer};

/// The longest key together with its value, and the longest log entry, in bytes.
pub const PAIR_BYTES_MAX: usize = 1 << 30;

/// How many batches may wait for the writer before callers wait in front of it.
const QUEUE_BATCHES_MAX: usize = 1_024;

/// A store in a file on this machine. See the crate's page for what it promises.
///
/// Dropping it answers what is still waiting, closes the file and lets it go.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::gate::Gate;
/// use placet_core::store::StoreErrorKind;
/// use placet_store_redb::RedbStore;
/// # use placet_core::testing::{Bench, Office};
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("store.redb");
/// # let wired = |store| Ok::<_, placet_core::error::Error>(Bench::on(Arc::new(store))?.parts);
///
/// let gate = Gate::new(wired(RedbStore::open(&file)?)?);
/// let office = Office::found(&gate)?;
/// let second = RedbStore::open(&file).expect_err("one opening at a time");
/// assert_eq!(second.kind(), StoreErrorKind::Locked);
/// drop(gate);
///
/// let gate = Gate::new(wired(RedbStore::open(&file)?)?);
/// assert_eq!(gate.projects(&office.ana)?.len(), 1); // still there
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RedbStore {
    path: PathBuf,
    db: Arc<Database>,
    health: Arc<Health>,
    syncs: Arc<AtomicU64>,
    // `None` only while it is dropped: the writer ends when the last sender is gone.
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl RedbStore {
    /// Opens the store in the file at `path`; the file is created where it is not there, its folder is not.
    ///
    /// Reads the whole file to check it. Fails with [`StoreErrorKind::Locked`] when it is open already, with
    /// [`StoreErrorKind::Damaged`] when it is not what was written (also: an empty file, or no database),
    /// with [`StoreErrorKind::NewerFormat`] when a newer version wrote it, and with
    /// [`StoreErrorKind::Unavailable`] when it cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_syncing(path.as_ref(), Box::new(|| Ok(())))
    }

    pub(crate) fn open_syncing(path: &Path, before_sync: BeforeSync) -> Result<Self, StoreError> {
        let Opened { db, position, syncs } = file::open(path, before_sync)?;
        let db = Arc::new(db);
        let health = Arc::<Health>::default();
        let writer = Writer { db: Arc::clone(&db), now: position, health: Arc::clone(&health) };
        let (jobs, waiting) = mpsc::sync_channel(QUEUE_BATCHES_MAX);
        let writer = std::thread::Builder::new()
            .name("placet-store".to_owned())
            .spawn(move || writer.run(&waiting))
            .map_err(|cause| unavailable("starting the writer", cause))?;
        let path = path.to_owned();
        Ok(Self { path, db, health, syncs, jobs: Some(jobs), writer: Some(writer) })
    }

    /// Writes the closed store at `path` anew, without the bytes of what was overwritten, removed or erased, and puts
    /// it in the old one's place. Keys, values, versions and log stay what they are; everything is read and tested
    /// on the way. It needs as much room on the disk as the store has, and the file is locked meanwhile.
    ///
    /// `progress` gets how many records were copied; an error from it ends the work, and the store is as it was. After
    /// a kill or a power cut the next opening finds the old store or the new one, whole.
    ///
    /// Fails as [`Self::open`] does, and with [`StoreErrorKind::Unavailable`] where there is no store.
    ///
    /// ```
    /// use placet_core::store::{Batch, Key, Store};
    /// use placet_store_redb::RedbStore;
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("store.redb");
    ///
    /// let key = Key::from_segments(&["colour"]);
    /// let store = RedbStore::open(&file)?;
    /// store.commit(Batch::default().put(key.clone(), b"a secret one".to_vec()))?;
    /// store.commit(Batch::default().put(key.clone(), b"green".to_vec()))?;
    /// drop(store);
    ///
    /// RedbStore::compact(&file, |_records| Ok(()))?;
    /// let data = std::fs::read(&file)?;
    /// assert!(!data.windows(6).any(|bytes| bytes == b"secret"));
    /// let store = RedbStore::open(&file)?;
    /// assert_eq!(store.get(&key)?.map(|stored| stored.value), Some(b"green".to_vec()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compact(
        path: impl AsRef<Path>,
        mut progress: impl FnMut(u64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        compact::compact(path.as_ref(), &mut progress)
    }

    /// How often the file was brought to the disk since the store was opened, the opening included. A
    /// group of commits takes two.
    pub fn sync_count(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Reads one stable sight of the store, and makes sure that it counts.
    fn read<T>(
        &self,
        step: impl FnOnce(&ReadTransaction) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        self.health.check()?;
        guarded("reading", || step(&self.db.begin_read()?))
    }
}

impl Store for RedbStore {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let key = key.as_bytes();
        self.read(|reading| {
            let raw = reading.open_table(PAIRS)?.get(key)?;
            Ok(raw.map(|raw| decode(Place::Key(key), raw.value())).transpose()?)
        })
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let start = match after.filter(|after| *after >= prefix) {
            Some(after) => Bound::Excluded(after.as_bytes()),
            None => Bound::Included(prefix.as_bytes()),
        };
        self.read(|reading| {
            let mut found = Vec::new();
            let pairs = reading.open_table(PAIRS)?;
            for pair in pairs.range::<&[u8]>((start, Bound::Unbounded))?.take(limit) {
                let (key, raw) = pair?;
                let key = key.value();
                if !key.starts_with(prefix.as_bytes()) {
                    break;
                }
                let stored = decode(Place::Key(key), raw.value())?;
                found.push((Key::from_bytes(key.to_vec()), stored));
            }
            Ok(found)
        })
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.read(|reading| Ok(reading.open_table(LOG)?.len()?))
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read(|reading| {
            let log = reading.open_table(LOG)?;
            let left = log.len()?.saturating_sub(from);
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(limit);
            let mut entries = Vec::new();
            for (pair, due) in log.range(from..)?.take(wanted).zip(from..) {
                let (index, raw) = pair?;
                if index.value() != due {
                    return Err(damaged(format!("log entry {due} is missing")).into());
                }
                entries.push(decode(Place::Log(due), raw.value())?.value);
            }
            if entries.len() < wanted {
                return Err(damaged("the log is shorter than the store says").into());
            }
            Ok(entries)
        })
    }

    /// As the trait says. A pair or entry longer than [`PAIR_BYTES_MAX`] is refused, and nothing is applied.
    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.health.check()?;
        if longest(&batch) > PAIR_BYTES_MAX {
            let refusal = StoreError::new(StoreErrorKind::Unavailable, "a value is too long");
            let help = format!(
                "a key and its value have at most {PAIR_BYTES_MAX} bytes; nothing was written"
            );
            return Err(refusal.with_help(help).into());
        }
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

/// The length of the longest pair or entry in `batch`, in bytes.
fn longest(batch: &Batch) -> usize {
    let pairs = batch.writes.iter().map(|(key, value)| {
        key.as_bytes().len().saturating_add(value.as_ref().map_or(0, Vec::len))
    });
    pairs.chain(batch.entry.as_ref().map(Vec::len)).max().unwrap_or_default()
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take() {
            // What it had to say was said to the callers.
            let _ended = writer.join();
        }
    }
}
