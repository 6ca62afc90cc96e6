//! Driving a run to its end, and writing the end down.

use core::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::execute::{LeaseKey, Ticket};
use super::lease::{Held, Live, RunTime};
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::Note;
use crate::gate::txn::Txn;
use crate::identity::Channel;
use crate::org::UserKind;
use crate::request::{Request, Run, State, action, lease_lost};
use crate::runner::{Failure, Job, JobId, LogLine, Outcome, Progress, RunLease, RunLink};
use crate::workflow::Verb;

/// Watches a run. Both calls come from the thread that drives it and must return soon.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use placet_core::gate::RunObserver;
/// use placet_core::runner::{LogLine, Progress};
/// use placet_core::testing::Office;
///
/// #[derive(Debug, Default)]
/// struct Bar(AtomicU64);
///
/// impl RunObserver for Bar {
///     fn progress(&self, progress: &Progress) {
///         self.0.store(progress.done, Ordering::Relaxed);
///     }
///
///     fn log(&self, line: &LogLine) {
///         eprintln!("{}: {}", line.level, line.message);
///     }
/// }
///
/// let (gate, office) = Office::in_memory()?;
/// let (bar, id) = (Bar::default(), office.approved(&gate)?.header.id);
/// gate.drive(gate.execute(&office.bo, id)?, &bar)?;
/// assert_eq!(bar.0.load(Ordering::Relaxed), 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait RunObserver: Send + Sync + fmt::Debug {
    /// It came this far.
    fn progress(&self, progress: &Progress);

    /// It said this.
    fn log(&self, line: &LogLine);
}

/// What a running plugin may ask of the kernel.
#[derive(Debug)]
struct Link<'a> {
    gate: &'a Gate,
    id: JobId,
    lease: Arc<Held>,
    observer: &'a dyn RunObserver,
}

impl Gate {
    /// Runs what `ticket` names and records how it ended. Blocks until then. Keep its lease meanwhile with
    /// [`Self::renew`].
    ///
    /// Fails with [`Code::LeaseLost`] when the lease passed away meanwhile: the result is recorded and
    /// changes nothing. When the store fails, the end may not have been recorded; then the run becomes
    /// unknown when its lease ends.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet_core::gate::Gate;
    /// use placet_core::request::State;
    /// use placet_core::runner::{Failure, Outcome};
    /// use placet_core::store::MemoryStore;
    /// use placet_core::testing::{Bench, Office, Seen};
    ///
    /// let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// let gate = Gate::new(bench.parts);
    /// let office = Office::found(&gate)?;
    /// bench.runner.ends_with(Outcome::Failed(Failure::new("sql.23505", "duplicate key")));
    ///
    /// let ticket = gate.execute(&office.bo, office.approved(&gate)?.header.id)?;
    /// // A run that fails is an answer, not an error.
    /// let State::Failed(failed) = gate.drive(ticket, &Seen::default())?.state else { panic!() };
    /// assert!(matches!(failed.ended.outcome, Outcome::Failed(why) if why.code == "sql.23505"));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn drive(&self, ticket: Ticket, observer: &dyn RunObserver) -> Result<Request, Error> {
        let Ticket { job, plan, channel, has_ended } = ticket;
        if has_ended {
            // It began and ended in one commit.
            return self.consult(|txn| txn.request(job.id.request));
        }
        let lease = Arc::new(self.held(job.id));
        let link = Link { gate: self, id: job.id, lease, observer };
        // Nothing is entered once the run was declared over, or was stopped before it began.
        match link.may_touch_target() {
            Ok(()) => {}
            Err(error) if error.code() == Code::Cancelled => {
                let failure = Failure::new("cancelled", "it was stopped before it began");
                return self.finish(&job, channel, &Outcome::Failed(failure));
            }
            // Nothing was entered, and that is known: a lease that was lost meanwhile gets it as a late result.
            Err(error) => {
                let failure = Failure::new("not_started", error.to_string());
                return self.finish(&job, channel, &Outcome::Failed(failure));
            }
        }
        let runner = &self.parts.runner;
        // A runner that panics may have touched its target before: nobody can tell.
        let outcome = catch_unwind(AssertUnwindSafe(|| runner.execute(&job, &plan, &link)))
            .unwrap_or_else(|_| {
                Outcome::Unknown(Failure::new("runner_fault", "the runner failed inside the host"))
            });
        self.finish(&job, channel, &outcome)
    }

    fn held(&self, id: JobId) -> Held {
        let (store, time) =
            (Arc::clone(&self.parts.store), RunTime::starting(&self.parts.clock, self.now()));
        Held { store, time, id }
    }

    fn finish(
        &self,
        job: &Job,
        channel: Option<Channel>,
        outcome: &Outcome,
    ) -> Result<Request, Error> {
        // Whoever loses a race here lost it to somebody who got on; an ending is not given up for that.
        let ended = loop {
            match self.try_finish(job, channel, outcome) {
                Err(error) if error.code() == Code::Conflict => {}
                ended => break ended,
            }
        };
        let (request, fence) = (job.id.request, job.id.fence);
        self.leases.ended(LeaseKey { request, fence });
        if ended.is_ok() {
            self.leases.forget(request);
        }
        ended
    }

    fn try_finish(
        &self,
        job: &Job,
        channel: Option<Channel>,
        outcome: &Outcome,
    ) -> Result<Request, Error> {
        let id = job.id;
        let held = self.transact(|txn| {
            let request = txn.request(id.request)?;
            let from = Some(request.state.name());
            let mut leaf = Self::request_leaf(txn, Event::RunFinished, None, &request);
            leaf.run = Some(id.run);
            leaf.fence = Some(id.fence);
            leaf.outcome = Some(word(outcome).to_owned());
            let executing = match request.state {
                State::Executing(executing) if executing.fence == id.fence => executing,
                // Too late: somebody declared the run over. What it says is kept, and changes nothing.
                State::Draft(_)
                | State::PendingApproval(_)
                | State::ChangesRequested(_)
                | State::Approved(_)
                | State::Rejected(_)
                | State::Cancelled(_)
                | State::Executing(_)
                | State::Succeeded(_)
                | State::Failed(_)
                | State::Unknown(_) => {
                    Event::RunLateResult.as_str().clone_into(&mut leaf.event);
                    txn.note_late(id, outcome)?;
                    return Ok((None, leaf));
                }
            };
            (leaf.actor, leaf.channel) = (Some(executing.started_by), channel);
            leaf.by_agent = txn.kind_of(executing.started_by)? == UserKind::Agent;
            let mut header = request.header;
            let state = executing.finish(&header, id.fence, outcome.clone(), txn.now)?;
            txn.arrive(&mut header, Verb::Finish, state.name())?;
            txn.end_run(id, outcome)?;
            if !matches!(outcome, Outcome::Unknown(_)) {
                txn.end_turn(&job.target, id.request, id.fence)?;
            }
            let note = Note { caller: None, verb: action::FINISH, from, comment: None };
            let request = txn.save(Request { header, state }, &note)?;
            Ok((Some(request), leaf))
        })?;
        held.ok_or_else(|| lease_lost(id.request))
    }
}

/// The word of an outcome.
pub(in crate::gate) const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded(_) => "succeeded",
        Outcome::Failed(_) => "failed",
        Outcome::Unknown(_) => "unknown",
    }
}

impl Txn<'_> {
    fn run(&mut self, id: JobId) -> Result<Option<Run>, Error> {
        let (revision, attempt) = (format!("{:010}", id.revision), format!("{:010}", id.attempt));
        self.get::<Run>(&[&id.request.to_string(), &revision, &attempt])
    }

    /// Keeps what a run says that was declared over. The first word counts: there is one run.
    fn note_late(&mut self, id: JobId, outcome: &Outcome) -> Result<(), Error> {
        match self.run(id)? {
            Some(run) if run.late.is_none() => {
                self.put(&Run { late: Some(outcome.clone()), ..run })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Writes the run's end and gives its lease back.
    pub(in crate::gate) fn end_run(&mut self, id: JobId, outcome: &Outcome) -> Result<(), Error> {
        if let Some(run) = self.run(id)? {
            // When it ended stays as it was recorded: whoever looks later ends nothing.
            let (outcome, ended_at) = (Some(outcome.clone()), run.ended_at.or(Some(self.now)));
            self.put(&Run { outcome, ended_at, ..run })?;
        }
        match self.get::<Live>(&[&id.request.to_string()])? {
            Some(live) if live.fence == id.fence => self.remove(&live),
            Some(_) | None => Ok(()),
        }
    }
}

impl RunLink for Link<'_> {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::<Held>::clone(&self.lease)
    }

    fn progress(&self, progress: Progress) {
        self.observer.progress(&progress);
    }

    fn log(&self, line: LogLine) {
        self.observer.log(&line);
    }

    fn checkpoint(&self, step: &str, state: &str) -> Result<(), Error> {
        self.gate.checkpoint_run(self.id, step, state)
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        self.gate.run_checkpoints(self.id)
    }
}
