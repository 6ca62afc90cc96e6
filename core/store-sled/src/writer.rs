//! The thread that owns the sequence: it takes what waits, applies it in order, syncs once, answers.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, OnceLock};

use placet_core::store::{Batch, CommitError, Committed, StoreError, StoreErrorKind};

use crate::group::Group;
use crate::options::Durability;
use crate::record::Position;
use crate::sync::Disk;
use crate::view::View;

/// One group is at most this long: it stands in memory twice, before and after.
const GROUP_BATCHES_MAX: usize = 1_024;
const GROUP_BYTES_MAX: usize = 8 << 20;

/// With [`Durability::Relaxed`], this many groups at most are not on the disk.
const RELAXED_GROUPS_MAX: u32 = 256;

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
    pub(crate) durability: Durability,
    pub(crate) health: Arc<Health>,
    /// What the head on the disk says.
    pub(crate) anchor: Position,
    pub(crate) unsettled_groups: u32,
}

impl Writer {
    /// Works until nobody can send any more and all that was sent is answered.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        let health = Arc::clone(&self.health);
        let _guard = health.guard();
        while let Ok(first) = jobs.recv() {
            let mut bytes = weight(&first.batch);
            let mut group = vec![first];
            while group.len() < GROUP_BATCHES_MAX && bytes < GROUP_BYTES_MAX {
                let Ok(job) = jobs.try_recv() else { break };
                bytes = bytes.saturating_add(weight(&job.batch));
                group.push(job);
            }
            self.commit(group);
        }
        if self.unsettled_groups > 0 && self.health.check().is_ok() {
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
        let mut group = Group::new(&self.view, self.now);
        let answers = batches.into_iter().map(|batch| group.admit(batch)).collect();
        if let Some((changes, before, inside)) = group.finish(self.anchor) {
            self.view.apply(changes, before)?;
            self.view.flush()?;
            self.now = inside.now;
            self.unsettled_groups = self.unsettled_groups.saturating_add(1);
            let settles = match self.durability {
                Durability::Full => true,
                Durability::Relaxed => self.unsettled_groups >= RELAXED_GROUPS_MAX,
            };
            if settles {
                self.settle()?;
            }
            self.view.publish();
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
        self.unsettled_groups = 0;
        Ok(())
    }
}

/// An error with its causes, in one line.
fn told(error: &StoreError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

fn weight(batch: &Batch) -> usize {
    let entry = batch.entry.as_ref().map_or(0, Vec::len);
    batch.writes.iter().fold(entry, |sum, (key, value)| {
        let value = value.as_ref().map_or(0, Vec::len);
        sum.saturating_add(key.as_bytes().len()).saturating_add(value)
    })
}
