//! The task that owns the sequence: it takes what waits, commits it as one group, and answers truthfully.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use placet_core::store::{Batch, CommitError, Committed, StoreError, StoreErrorKind};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep};
use tokio_postgres::Row;

use crate::columns::Signature;
use crate::commit::{Failed, Session};
use crate::fault::{Fault, Worth, repeated};
use crate::group::Verdict;
use crate::heard::Heard;
use crate::place::Place;
use crate::record::BATCH_BYTES_MAX;
use crate::session::{cell, only, texts};

const WHAT: &str = "write to";

/// One batch, when it came, and where its answer goes.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) batch: Batch,
    pub(crate) came: Instant,
    pub(crate) answer: SyncSender<Result<Committed, CommitError>>,
}

/// A group whose COMMIT was sent and not answered.
#[derive(Debug)]
struct Doubt {
    group: i64,
    verdicts: Vec<Verdict>,
}

/// What the task owns.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) place: Arc<Place>,
    pub(crate) heard: Arc<Heard>,
    /// How many transactions were committed.
    pub(crate) transactions: Arc<AtomicU64>,
    node: String,
    /// A name for this opening that no other has.
    opening: String,
    session: Option<Session>,
    groups: i64,
    superseded: bool,
}

/// Why a group was not committed.
#[derive(Debug)]
enum Refusal {
    /// Nothing was applied, as far as `doubt` says nothing else.
    Fault(Fault),
    /// Somebody else writes under this name.
    Superseded,
}

impl Writer {
    /// Takes the place of this node among the writers. Whoever had it before commits nothing any more.
    pub(crate) async fn enter(
        place: Arc<Place>,
        heard: Arc<Heard>,
        transactions: Arc<AtomicU64>,
        mut session: Session,
    ) -> Result<Self, Fault> {
        let rows = session.link.ask(&place, WHAT, "SELECT gen_random_uuid()::text", &[]).await?;
        // Without a name of its own an opening could not be told from another one.
        let opening: String = cell(&place, WHAT, &only(&place, WHAT, rows)?, 0)?;
        let node = place.options.node.clone().unwrap_or_else(|| format!("unnamed {opening}"));
        session.link.batch(&place, WHAT, &place.sql.forget).await?;
        let who = texts([&node, &opening]);
        let rows = session.link.ask(&place, WHAT, &place.sql.enter, &who).await?;
        session.epoch = cell(&place, WHAT, &only(&place, WHAT, rows)?, 0)?;
        let session = Some(session);
        Ok(Self {
            place,
            heard,
            transactions,
            node,
            opening,
            session,
            groups: 0,
            superseded: false,
        })
    }

    /// Works until nobody can send any more and all that was sent is answered.
    pub(crate) async fn run(mut self, mut jobs: UnboundedReceiver<Job>) {
        let options = self.place.options.clone();
        let bytes_max = options.group_bytes_max.min(BATCH_BYTES_MAX);
        while let Some(first) = jobs.recv().await {
            let mut bytes = weight(&first.batch);
            let mut group = vec![first];
            while group.len() < options.group_batches_max && bytes < bytes_max {
                let Ok(job) = jobs.try_recv() else { break };
                bytes = bytes.saturating_add(weight(&job.batch));
                group.push(job);
            }
            self.settle(group).await;
        }
    }

    /// Commits a group and answers, whatever happens, by the deadline of its first batch.
    async fn settle(&mut self, jobs: Vec<Job>) {
        let options = &self.place.options;
        let came = jobs.iter().map(|job| job.came).min().unwrap_or_else(Instant::now);
        let deadline = came.checked_add(Duration::from_millis(options.deadline_ms));
        let (shortest, longest) = (options.backoff_ms_min, options.backoff_ms_max);
        let (batches, callers): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.batch, job.answer)).unzip();
        let mut doubt: Option<Doubt> = None;
        let mut pause = shortest;
        let refusal = loop {
            match self.attempt(&batches, &mut doubt).await {
                Ok(verdicts) => {
                    for (caller, verdict) in callers.into_iter().zip(verdicts) {
                        let answer = match verdict {
                            Verdict::Applied(committed) => Ok(committed),
                            Verdict::Conflict(key) => Err(CommitError::Conflict { key }),
                        };
                        // A caller that is gone does not want its answer.
                        let _gone = caller.send(answer);
                    }
                    return;
                }
                Err(Refusal::Superseded) => break superseded(&self.node),
                Err(Refusal::Fault(fault)) => {
                    let late = deadline.is_none_or(|deadline| deadline <= Instant::now());
                    // While there is a doubt, only the database can end it: that is worth the wait.
                    if late || fault.worth == Worth::Never && doubt.is_none() {
                        break fault.error;
                    }
                }
            }
            sleep(Duration::from_millis(pause)).await;
            pause = pause.saturating_mul(2).min(longest);
        };
        let (end, help) = match doubt {
            Some(_) => {
                ("; whether it was written is not known", Some("read before you repeat the write"))
            }
            None => ("; nothing was written", None),
        };
        for caller in callers {
            let _gone = caller.send(Err(CommitError::Store(repeated(&refusal, end, help))));
        }
    }

    /// Tries once to commit `batches`, after finding out what became of the last try.
    async fn attempt(
        &mut self,
        batches: &[Batch],
        doubt: &mut Option<Doubt>,
    ) -> Result<Vec<Verdict>, Refusal> {
        if self.superseded {
            return Err(Refusal::Superseded);
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => match self.reenter(doubt).await? {
                Entered::Decided(session, verdicts) => {
                    self.session = Some(session);
                    self.committed(&verdicts);
                    return Ok(verdicts);
                }
                Entered::Fresh(session) => session,
            },
        };
        self.groups = self.groups.saturating_add(1);
        let group = self.groups;
        let signature = Signature { node: &self.node, opening: &self.opening, group: &group };
        match session.commit(&self.place, batches, signature).await {
            Ok(verdicts) => {
                self.session = Some(session);
                self.committed(&verdicts);
                Ok(verdicts)
            }
            Err(Failed::Clean(fault)) => {
                if fault.worth != Worth::Lost {
                    self.session = Some(session);
                }
                Err(Refusal::Fault(fault))
            }
            Err(Failed::InDoubt(verdicts, fault)) => {
                *doubt = Some(Doubt { group, verdicts });
                Err(Refusal::Fault(fault))
            }
            // Perhaps only by a session of this opening that was given up: entering again tells.
            Err(Failed::Superseded) => {
                let error = StoreError::new(
                    StoreErrorKind::Unavailable,
                    format!("cannot write to {}: the session was given up", self.place),
                );
                Err(Refusal::Fault(Fault { worth: Worth::Lost, error }))
            }
        }
    }

    fn committed(&self, verdicts: &[Verdict]) {
        let applied = verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Applied(committed) => Some(committed),
            Verdict::Conflict(_) => None,
        });
        let mut wrote = false;
        for committed in applied {
            wrote = true;
            if let Some(index) = committed.log_index {
                self.heard.tell(index.saturating_add(1));
            }
        }
        self.transactions.fetch_add(u64::from(wrote), Ordering::Relaxed);
    }

    /// Connects again. What this does happens under the lock of the head: by then every earlier session
    /// of this node has ended its transaction or can no longer end it well, because its epoch is over.
    async fn reenter(&mut self, doubt: &mut Option<Doubt>) -> Result<Entered, Refusal> {
        let place = Arc::clone(&self.place);
        let mut session = Session::connect(&place).await.map_err(Refusal::Fault)?;
        let who = texts([&self.node, &self.opening]);
        let entered = async {
            session.link.batch(&place, WHAT, "BEGIN").await?;
            session.link.ask(&place, WHAT, &place.sql.lock_head, &[]).await?;
            let epoch = session.link.ask(&place, WHAT, &place.sql.renew, &who).await?;
            let last = session.link.ask(&place, WHAT, &place.sql.last_group, &who).await?;
            session.link.batch(&place, WHAT, "COMMIT").await?;
            Ok((epoch, last))
        };
        let (epoch, last) = entered.await.map_err(Refusal::Fault)?;
        // No row is an answer here, and a row that cannot be read is none: a doubt must outlive it.
        let read = |rows: &[Row]| -> Result<Option<i64>, Refusal> {
            let number = rows.first().map(|row| cell(&place, WHAT, row, 0));
            number.transpose().map_err(Refusal::Fault)
        };
        let epoch = read(&epoch)?;
        let last = if doubt.is_some() { read(&last)? } else { None };
        if let Some(epoch) = epoch {
            session.epoch = epoch;
        } else {
            self.superseded = true;
        }
        if let Some(held) = doubt.take() {
            match last {
                Some(last) if last == held.group => {
                    return Ok(Entered::Decided(session, held.verdicts));
                }
                // Groups are numbered upwards and this was the latest: it did not happen.
                Some(_) => {}
                // No group of this opening was ever committed, or another opening wrote since.
                None if !self.superseded => {}
                None => *doubt = Some(held),
            }
        }
        if self.superseded {
            return Err(Refusal::Superseded);
        }
        Ok(Entered::Fresh(session))
    }
}

/// What a new session found.
#[derive(Debug)]
enum Entered {
    /// The group in doubt was applied.
    Decided(Session, Vec<Verdict>),
    /// Nothing is in doubt any more, and the last group is still to be written.
    Fresh(Session),
}

fn superseded(node: &str) -> StoreError {
    let message = format!("a later opening of the store took over the node name `{node}`");
    StoreError::new(StoreErrorKind::Locked, message)
        .with_help("close this store, or give each node a name of its own")
}

/// How much a batch writes, in bytes.
pub(crate) fn weight(batch: &Batch) -> usize {
    let entry = batch.entry.as_ref().map_or(0, Vec::len);
    batch.writes.iter().fold(entry, |sum, (key, value)| {
        let value = value.as_ref().map_or(0, Vec::len);
        sum.saturating_add(key.as_bytes().len()).saturating_add(value)
    })
}
