//! The thread that owns the sequence: it takes what waits, applies it in order, commits once, answers.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, OnceLock};

use placet_core::store::{Batch, CommitError, Committed, Key, StoreError, Version};
use redb::{Database, ReadableTable as _, Table};

use crate::fault::{Fault, guarded, poisoned};
use crate::file::{COMMITS, LOG, LOG_LEN, META, PAIRS, Position};
use crate::record::{Place, decode, encode};

/// One group is at most this long: what it changes stands in memory until it is committed.
const GROUP_BATCHES_MAX: usize = 1_024;
const GROUP_BYTES_MAX: usize = 8 << 20;

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
    /// Fails once a commit has failed.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.fault.get().map_or(Ok(()), |fault| Err(poisoned(fault)))
    }

    /// The first fault is the one to tell; later ones follow from it.
    fn poison(&self, error: &StoreError) {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        self.fault.get_or_init(|| format!("{error}{}", cause.unwrap_or_default()));
    }
}

/// What the thread owns.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) db: Arc<Database>,
    pub(crate) now: Position,
    pub(crate) health: Arc<Health>,
}

/// What became of each batch of a group, `Err` for a conflict at that key.
type Answers = Vec<Result<Committed, Key>>;

impl Writer {
    /// Works until nobody can send any more and all that was sent is answered.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut bytes = weight(&first.batch);
            let mut group = vec![first];
            while group.len() < GROUP_BATCHES_MAX && bytes < GROUP_BYTES_MAX {
                let Ok(job) = jobs.try_recv() else { break };
                bytes = bytes.saturating_add(weight(&job.batch));
                group.push(job);
            }
            self.answer(group);
        }
    }

    fn answer(&mut self, group: Vec<Job>) {
        let (batches, callers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|job| (job.batch, job.answer)).unzip();
        let written = self.health.check().and_then(|()| {
            let written = guarded("writing", || write(&self.db, self.now, batches));
            written.inspect_err(|error| self.health.poison(error))
        });
        // A caller that is gone does not want its answer.
        match written {
            Ok((answers, now)) => {
                self.now = now;
                for (caller, answer) in callers.into_iter().zip(answers) {
                    let _gone = caller.send(answer.map_err(|key| CommitError::Conflict { key }));
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
}

/// Writes a group in one transaction. An error is about all of it.
fn write(
    db: &Database,
    mut now: Position,
    batches: Vec<Batch>,
) -> Result<(Answers, Position), Fault> {
    let start = now;
    let mut writing = db.begin_write()?;
    // One sync would be durable too, but a damaged commit would look like one that was cut off.
    writing.set_two_phase_commit(true);
    let mut answers = Answers::with_capacity(batches.len());
    {
        let mut pairs = writing.open_table(PAIRS)?;
        let mut log = writing.open_table(LOG)?;
        for batch in batches {
            answers.push(apply(&mut pairs, &mut log, &mut now, batch)?);
        }
        let mut meta = writing.open_table(META)?;
        meta.insert(COMMITS, now.commits)?;
        meta.insert(LOG_LEN, now.log_len)?;
    }
    if now == start {
        // Every batch lost: there is nothing to bring to the disk.
        writing.abort()?;
    } else {
        writing.commit()?;
    }
    Ok((answers, now))
}

/// Applies `batch` if every expectation holds after the batches before it.
fn apply(
    pairs: &mut Table<'_, &[u8], &[u8]>,
    log: &mut Table<'_, u64, &[u8]>,
    now: &mut Position,
    batch: Batch,
) -> Result<Result<Committed, Key>, Fault> {
    for (key, expected) in batch.expected {
        let raw = pairs.get(key.as_bytes())?;
        let found = raw.map(|raw| decode(Place::Key(key.as_bytes()), raw.value())).transpose()?;
        if found.map(|stored| stored.version) != expected {
            return Ok(Err(key));
        }
    }
    now.commits = now.commits.saturating_add(1);
    let version = Version::new(now.commits);
    for (key, value) in batch.writes {
        let key = key.as_bytes();
        match value {
            Some(value) => {
                let raw = encode(Place::Key(key), version, &value);
                pairs.insert(key, raw.as_slice())?;
            }
            None => drop(pairs.remove(key)?),
        }
    }
    let log_index = batch.entry.is_some().then_some(now.log_len);
    if let Some(entry) = batch.entry {
        log.insert(now.log_len, encode(Place::Log(now.log_len), version, &entry).as_slice())?;
        now.log_len = now.log_len.saturating_add(1);
    }
    Ok(Ok(Committed::new(version, log_index)))
}

fn weight(batch: &Batch) -> usize {
    let entry = batch.entry.as_ref().map_or(0, Vec::len);
    batch.writes.iter().fold(entry, |sum, (key, value)| {
        let value = value.as_ref().map_or(0, Vec::len);
        sum.saturating_add(key.as_bytes().len()).saturating_add(value)
    })
}
