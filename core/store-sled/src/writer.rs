//! The thread that owns the sequence: it takes what waits, applies it in order, syncs once, answers.

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use placet_core::digest::Digest;
use placet_core::store::{Batch, CommitError, Committed, StoreError, StoreErrorKind};

use crate::blobs::BLOB_BYTES;
use crate::fault::lost;
use crate::group::Group;
use crate::options::Durability;
use crate::record::Position;
use crate::sections::Sections;
use crate::sync::Disk;
use crate::view::View;

/// A group that is this long is closed. Both it and what stood there before are in memory, and see
/// [`SEGMENT_BYTES`](crate::folder::SEGMENT_BYTES).
const GROUP_BATCHES_MAX: usize = 1_024;
const GROUP_BYTES_MAX: usize = 1 << 20;
const GROUP_BLOB_BYTES_MAX: usize = 8 << 20;

/// With [`Durability::Relaxed`], what goes beyond this many bytes brings all to the disk.
const RELAXED_BYTES_MAX: usize = 1 << 20;

/// The longest batch, in bytes: keys, values and the log entry, with 256 for each. A value of more than 64 KiB
/// does not count: it has a file of its own.
///
/// More at once could not be kept safe from a power cut: what is written between two syncs must be
/// shorter than a segment of sled's file.
pub const BATCH_BYTES_MAX: usize = 2 << 20;

/// What a write costs beside its key and value, in bytes.
const WRITE_BYTES: usize = 256;

/// The longest that a group waits for those who came together the last time.
const GATHER_MAX: Duration = Duration::from_millis(2);

/// One batch and where its answer goes.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) batch: Batch,
    pub(crate) answer: SyncSender<Result<Committed, CommitError>>,
}

/// Whether the store can still be trusted.
#[derive(Debug, Default)]
pub(crate) struct Health {
    fault: OnceLock<String>,
}

impl Health {
    /// Fails once a write or a sync has failed.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.fault.get().map_or(Ok(()), |fault| Err(poisoned(fault)))
    }

    fn poison(&self, fault: String) {
        // The first fault is the one to tell; later ones follow from it.
        self.fault.get_or_init(|| fault);
    }

    /// Poisons when what follows panics.
    fn guard(&self) -> PoisonsOnPanic<'_> {
        PoisonsOnPanic(self)
    }
}

/// A panic leaves nobody who writes, and what was applied unpublished: nothing may be read either.
struct PoisonsOnPanic<'a>(&'a Health);

impl Drop for PoisonsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.poison("the writer panicked".to_owned());
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "paces the writer, and decides nothing else")]
fn now() -> Instant {
    Instant::now()
}

/// The answer after a failure.
pub(crate) fn poisoned(fault: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Poisoned, format!("the store stopped after a failure: {fault}"))
        .with_help("look at the disk, then open the store again; read before you repeat a write")
}

/// What the thread owns.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) view: Arc<View>,
    pub(crate) disk: Disk,
    pub(crate) now: Position,
    pub(crate) sections: Sections,
    pub(crate) durability: Durability,
    pub(crate) health: Arc<Health>,
    /// What the head on the disk says.
    pub(crate) anchor: Position,
    /// How much was acknowledged and is not on the disk yet.
    pub(crate) unsettled_bytes: usize,
    /// Blobs that nobody names any more, once all is on the disk.
    pub(crate) dropped: BTreeSet<Digest>,
}

impl Writer {
    /// Works until nobody can send any more and all that was sent is answered.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        let health = Arc::clone(&self.health);
        let _guard = health.guard();
        let (mut came_together, mut write_time) = (1, Duration::ZERO);
        while let Ok(first) = jobs.recv() {
            let begun = now();
            let mut weight = Weight::of(&first.batch);
            let mut group = vec![first];
            while group.len() < GROUP_BATCHES_MAX
                && weight.tree_bytes < GROUP_BYTES_MAX
                && weight.blob_bytes < GROUP_BLOB_BYTES_MAX
            {
                // Whoever was answered together comes back together: a wait of at most one write lets one
                // sync do for all of them. Somebody alone never waits.
                let left = write_time.min(GATHER_MAX).saturating_sub(begun.elapsed());
                let job = if group.len() < came_together && !left.is_zero() {
                    jobs.recv_timeout(left).ok()
                } else {
                    jobs.try_recv().ok()
                };
                let Some(job) = job else { break };
                weight.add(Weight::of(&job.batch));
                group.push(job);
            }
            came_together = group.len();
            let begun = now();
            self.commit(group);
            write_time = begun.elapsed();
        }
        if self.anchor != self.now && self.health.check().is_ok() {
            // Nobody is left to tell; the next opening sees what is missing.
            let _unheard = self.settle();
        }
    }

    fn commit(&mut self, jobs: Vec<Job>) {
        let (batches, callers): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.batch, job.answer)).unzip();
        let health = Arc::clone(&self.health);
        // Declared after the callers: in a panic it is dropped first, so that a caller who hears nothing
        // finds the store poisoned.
        let _guard = health.guard();
        let answers = health
            .check()
            .and_then(|()| self.write(batches).inspect_err(|error| health.poison(told(error))));
        match answers {
            Ok(answers) => {
                for (caller, answer) in callers.into_iter().zip(answers) {
                    // A caller that is gone does not want its answer.
                    let _gone = caller.send(answer);
                }
            }
            Err(error) => {
                for caller in callers {
                    let mut repeated = StoreError::new(error.kind(), error.to_string());
                    if let Some(help) = error.help() {
                        repeated = repeated.with_help(help);
                    }
                    let _gone = caller.send(Err(CommitError::Store(repeated)));
                }
            }
        }
    }

    /// Writes a group and says for each batch what became of it. An error is about all of them, and the
    /// caller poisons the store with it.
    fn write(
        &mut self,
        batches: Vec<Batch>,
    ) -> Result<Vec<Result<Committed, CommitError>>, StoreError> {
        self.sections.cut(self.view.db())?;
        let mut weight = Weight::default();
        for batch in &batches {
            weight.add(Weight::of(batch));
        }
        let mut group = Group::new(&self.view, self.now);
        let answers = batches.into_iter().map(|batch| group.admit(batch)).collect();
        if let Some(finished) = group.finish(self.anchor, &mut self.sections)? {
            // Before the tree names them.
            for (digest, value) in &finished.blobs {
                self.dropped.remove(digest);
                self.disk.put(digest, value).map_err(|cause| lost("writing a value", cause))?;
            }
            self.dropped.extend(finished.dropped);
            self.view.apply(finished.changes, finished.before)?;
            self.view.flush()?;
            self.now = finished.inside.now;
            self.unsettled_bytes = self.unsettled_bytes.saturating_add(weight.tree_bytes);
            let settles = match self.durability {
                Durability::Full => true,
                Durability::Relaxed => self.unsettled_bytes >= RELAXED_BYTES_MAX,
            };
            if settles {
                self.settle()?;
            }
            self.view.publish();
            if settles {
                // Now nobody reads them any more, and no power cut brings back who named them.
                for digest in std::mem::take(&mut self.dropped) {
                    self.view.blobs().remove(&digest);
                }
            }
        }
        Ok(answers)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.disk.settle(self.now).map_err(|cause| {
            let fault = format!("a sync failed: {cause}");
            self.health.poison(fault.clone());
            poisoned(&fault).with_source(cause)
        })?;
        self.anchor = self.now;
        self.unsettled_bytes = 0;
        Ok(())
    }
}

/// An error with its causes, in one line.
fn told(error: &StoreError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// How much a batch brings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weight {
    /// Into the tree.
    pub(crate) tree_bytes: usize,
    /// Into files of their own.
    blob_bytes: usize,
}

impl Weight {
    pub(crate) fn of(batch: &Batch) -> Self {
        let mut weight = Self::default();
        let entry = batch.entry.as_ref().map(|entry| (0, entry.len()));
        let writes = batch
            .writes
            .iter()
            .map(|(key, value)| (key.as_bytes().len(), value.as_ref().map_or(0, Vec::len)));
        for (key_bytes, value_bytes) in writes.chain(entry) {
            let (tree_bytes, blob_bytes) =
                if value_bytes > BLOB_BYTES { (0, value_bytes) } else { (value_bytes, 0) };
            let tree_bytes = tree_bytes.saturating_add(key_bytes).saturating_add(WRITE_BYTES);
            weight.add(Self { tree_bytes, blob_bytes });
        }
        weight
    }

    fn add(&mut self, other: Self) {
        self.tree_bytes = self.tree_bytes.saturating_add(other.tree_bytes);
        self.blob_bytes = self.blob_bytes.saturating_add(other.blob_bytes);
    }
}
