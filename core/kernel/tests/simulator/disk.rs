//! The simulated store: what is on the disk, what is only written, and every way in which a call can fail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use placet_core::digest::Digest;
use placet_core::entropy::Entropy;
use placet_core::error::Error;
use placet_core::id::Ids;
use placet_core::store::{
    Batch, CommitError, Committed, Key, Store, StoreError, StoreErrorKind, Stored, Version,
};
use placet_core::testing::record_body;

use crate::dice::Dice;

/// What a store holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) pairs: BTreeMap<Key, Stored>,
    pub(crate) log: Vec<Vec<u8>>,
    commits: u64,
}

impl Content {
    fn apply(&mut self, batch: &Batch) -> Result<Committed, Key> {
        for (key, expected) in &batch.expected {
            if self.pairs.get(key).map(|stored| stored.version) != *expected {
                return Err(key.clone());
            }
        }
        self.commits += 1;
        let version = Version::new(self.commits);
        for (key, value) in &batch.writes {
            match value {
                Some(value) => {
                    self.pairs.insert(key.clone(), Stored::new(version, value.clone()));
                }
                None => {
                    self.pairs.remove(key);
                }
            }
        }
        let index = batch.entry.as_ref().map(|entry| {
            self.log.push(entry.clone());
            self.log.len() as u64 - 1
        });
        Ok(Committed::new(version, index))
    }

    /// The record at `path`, as JSON, without its envelope.
    pub(crate) fn body(&self, path: &[&str]) -> Option<serde_json::Value> {
        let stored = self.pairs.get(&Key::from_segments(path))?;
        serde_json::from_str(&record_body(&stored.value)?).ok()
    }
}

#[derive(Debug)]
struct Disk {
    /// The content before the journal.
    base: Content,
    /// What calls see: everything that was acknowledged or is sure to stay.
    now: Content,
    journal: Vec<Batch>,
    /// How much of the journal a power cut leaves.
    synced: usize,
}

/// The machine below all nodes.
#[derive(Debug)]
pub(crate) struct Machine {
    disk: Mutex<Disk>,
    pub(crate) dice: Dice,
    /// Whether anything fails at the moment.
    pub(crate) faults_on: AtomicBool,
    /// The broken variant: acknowledges what is not on the disk.
    pub(crate) skips_syncs: bool,
    faults: Mutex<BTreeMap<&'static str, u64>>,
    /// How many faults hit the call that is under way.
    pub(crate) fired: AtomicU64,
    ids: AtomicU64,
    alive: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Machine {
    pub(crate) fn new(seed: u64, base: Content, ids: u64, skips_syncs: bool) -> Self {
        Self {
            disk: Mutex::new(Disk { now: base.clone(), base, journal: Vec::new(), synced: 0 }),
            dice: Dice::new(seed),
            faults_on: AtomicBool::new(false),
            skips_syncs,
            faults: Mutex::default(),
            fired: AtomicU64::new(0),
            ids: AtomicU64::new(ids),
            alive: Mutex::default(),
        }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    /// Looks at the content past every fault.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Content) -> T) -> T {
        look(&self.disk().now)
    }

    /// How many ids were handed out.
    pub(crate) fn ids_used(&self) -> u64 {
        self.ids.load(Ordering::SeqCst)
    }

    /// Counts a fault that happens now.
    pub(crate) fn count(&self, kind: &'static str) {
        *self.faults.lock().unwrap().entry(kind).or_default() += 1;
    }

    pub(crate) fn counted(&self) -> BTreeMap<&'static str, u64> {
        self.faults.lock().unwrap().clone()
    }

    /// Begins a process.
    pub(crate) fn boot(&self) -> Arc<AtomicBool> {
        let alive = Arc::new(AtomicBool::new(true));
        self.alive.lock().unwrap().push(Arc::clone(&alive));
        alive
    }

    /// The power goes: every process ends, and of what was written but not synced some is there, in order.
    pub(crate) fn lose_power(&self) {
        self.count("power loss");
        for alive in self.alive.lock().unwrap().drain(..) {
            alive.store(false, Ordering::SeqCst);
        }
        let mut disk = self.disk();
        let unsynced = disk.journal.len() - disk.synced;
        let kept = disk.synced + usize::try_from(self.dice.below(unsynced as u64 + 1)).unwrap();
        disk.journal.truncate(kept);
        let mut content = disk.base.clone();
        for batch in &disk.journal {
            content.apply(batch).unwrap();
        }
        disk.now = content;
        disk.synced = kept;
    }

    fn write(&self, batch: Batch, acknowledged: bool) -> Result<Committed, Key> {
        let mut disk = self.disk();
        let committed = disk.now.apply(&batch)?;
        disk.journal.push(batch);
        // A sync covers all that was written before it.
        if !(acknowledged && self.skips_syncs && self.dice.chance(500)) {
            disk.synced = disk.journal.len();
        }
        if disk.synced == disk.journal.len() && disk.journal.len() > 256 {
            disk.base = disk.now.clone();
            disk.journal.clear();
            disk.synced = 0;
        }
        Ok(committed)
    }

    /// Written, not synced, not acknowledged: then the power goes.
    fn tear(&self, batch: Batch) {
        let mut disk = self.disk();
        if disk.now.clone().apply(&batch).is_ok() {
            disk.journal.push(batch);
        }
        drop(disk);
        self.lose_power();
    }
}

impl Ids for Machine {
    fn next(&self) -> u128 {
        u128::from(self.ids.fetch_add(1, Ordering::SeqCst)) + 1
    }
}

impl Entropy for Machine {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let digest = Digest::of(&self.ids.fetch_add(1, Ordering::SeqCst).to_be_bytes());
        for (byte, from) in bytes.iter_mut().zip(digest.as_bytes().iter().cycle()) {
            *byte = *from;
        }
        Ok(())
    }
}

/// The store as one process sees it, for as long as the process lives.
#[derive(Debug)]
pub(crate) struct Mount {
    pub(crate) machine: Arc<Machine>,
    pub(crate) alive: Arc<AtomicBool>,
}

fn gone(why: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, why)
}

impl Mount {
    fn fails(&self, per_mille: u64) -> bool {
        let machine = &self.machine;
        machine.faults_on.load(Ordering::SeqCst) && machine.dice.chance(per_mille)
    }

    fn fault(&self, kind: &'static str) -> StoreError {
        self.machine.count(kind);
        self.machine.fired.fetch_add(1, Ordering::SeqCst);
        gone(kind)
    }

    fn read<T>(&self, read: impl FnOnce(&Content) -> T) -> Result<T, StoreError> {
        if !self.alive.load(Ordering::SeqCst) {
            return Err(gone("this process is gone"));
        }
        if self.fails(6) {
            return Err(self.fault("a read fails"));
        }
        Ok(self.machine.look(read))
    }
}

impl Store for Mount {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.read(|content| content.pairs.get(key).cloned())
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        self.read(|content| {
            let start = after.filter(|after| *after >= prefix).unwrap_or(prefix);
            let range = content.pairs.range(start.clone()..);
            let found = range
                .take_while(|(key, _)| key.starts_with(prefix))
                .filter(|(key, _)| after != Some(*key));
            found.take(limit).map(|(key, stored)| (key.clone(), stored.clone())).collect()
        })
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.read(|content| content.log.len() as u64)
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let skip = usize::try_from(from).unwrap();
        self.read(|content| content.log.iter().skip(skip).take(limit).cloned().collect())
    }

    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        if !self.alive.load(Ordering::SeqCst) {
            return Err(gone("this process is gone").into());
        }
        if self.fails(150) {
            let dies = |kind| {
                self.alive.store(false, Ordering::SeqCst);
                Err(self.fault(kind).into())
            };
            return match self.machine.dice.below(6) {
                0 => Err(self.fault("no space is left").into()),
                1 => Err(self.fault("a write fails").into()),
                2 => {
                    let _conflict = self.machine.write(batch, false);
                    Err(self.fault("the reply is lost").into())
                }
                3 => dies("a crash before a commit"),
                4 => {
                    let _conflict = self.machine.write(batch, false);
                    dies("a crash after a commit")
                }
                _ => {
                    let error = self.fault("a torn tail");
                    self.machine.tear(batch);
                    Err(error.into())
                }
            };
        }
        self.machine.write(batch, true).map_err(|key| CommitError::Conflict { key })
    }
}
