//! Driving a run to its end, and writing the end down.

use core::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Gate;
use super::execute::Ticket;
use super::find::{Live, Note};
use super::txn::Txn;
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::RequestId;
use crate::request::{Request, Run, State, action, lease_lost};
use crate::runner::{Failure, JobId, LogLine, Outcome, Progress, RunLink};

/// Watches a run. Both calls come from the thread that drives it and must return soon.
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
    observer: &'a dyn RunObserver,
}

impl Gate {
    /// Runs what `ticket` names and records how it ended. Blocks until then. Keep its lease meanwhile with
    /// [`Self::renew`].
    ///
    /// Fails with [`Code::LeaseLost`] when the lease passed away meanwhile: the result is recorded and
    /// changes nothing. When the store fails, the end may not have been recorded; then the run becomes
    /// unknown when its lease ends.
    pub fn drive(&self, ticket: Ticket, observer: &dyn RunObserver) -> Result<Request, Error> {
        let Ticket { job, plan } = ticket;
        let link = Link { gate: self, id: job.id, observer };
        // Nothing is entered once the run was declared over, or was stopped before it began.
        match link.may_touch_target() {
            Ok(()) => {}
            Err(error) if error.code() == Code::Cancelled => {
                let failure = Failure::new("cancelled", "it was stopped before it began");
                return self.finish(job.id, &Outcome::Failed(failure));
            }
            Err(error) => return Err(error),
        }
        let runner = &self.parts.runner;
        // A runner that panics may have touched its target before: nobody can tell.
        let outcome = catch_unwind(AssertUnwindSafe(|| runner.execute(&job, &plan, &link)))
            .unwrap_or_else(|_| {
                Outcome::Unknown(Failure::new("runner_fault", "the runner failed inside the host"))
            });
        self.finish(job.id, &outcome)
    }

    fn finish(&self, id: JobId, outcome: &Outcome) -> Result<Request, Error> {
        // Whoever loses a race here lost it to somebody who got on; an ending is not given up for that.
        loop {
            match self.try_finish(id, outcome) {
                Err(error) if error.code() == Code::Conflict => {}
                ended => return ended,
            }
        }
    }

    fn try_finish(&self, id: JobId, outcome: &Outcome) -> Result<Request, Error> {
        let held = self.transact(|txn| {
            let request = txn.request(id.request)?;
            let from = Some(request.state.name());
            let mut leaf = Self::request_leaf(txn, "run.finished", None, &request);
            leaf.run = Some(id.run);
            leaf.fence = Some(id.fence);
            leaf.outcome = Some(word(outcome).to_owned());
            let State::Executing(executing) = request.state else {
                "run.late_result".clone_into(&mut leaf.event);
                return Ok((None, leaf));
            };
            if executing.fence != id.fence {
                "run.late_result".clone_into(&mut leaf.event);
                return Ok((None, leaf));
            }
            leaf.actor = Some(executing.started_by);
            let header = request.header;
            let state = executing.finish(&header, id.fence, outcome.clone(), txn.now)?;
            txn.end_run(id, outcome)?;
            let note = Note { caller: None, action: action::FINISH, from, comment: None };
            let request = txn.save(Request { header, state }, &note)?;
            Ok((Some(request), leaf))
        })?;
        held.ok_or_else(|| lease_lost(id.request))
    }
}

/// The word of an outcome.
pub(super) const fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded(_) => "succeeded",
        Outcome::Failed(_) => "failed",
        Outcome::Unknown(_) => "unknown",
    }
}

impl Txn<'_> {
    /// Writes the run's end and gives its lease back.
    pub(super) fn end_run(&mut self, id: JobId, outcome: &Outcome) -> Result<(), Error> {
        let request = id.request.to_string();
        let path =
            [request.as_str(), &format!("{:010}", id.revision), &format!("{:010}", id.attempt)];
        if let Some(run) = self.get::<Run>(&path)? {
            let (outcome, ended_at) = (Some(outcome.clone()), Some(self.now));
            self.put(&Run { outcome, ended_at, ..run })?;
        }
        match self.get::<Live>(&[&request])? {
            Some(live) if live.fence == id.fence => self.remove(&live),
            Some(_) | None => Ok(()),
        }
    }

    /// The lease of `request`, if `fence` still holds it.
    pub(super) fn lease(&mut self, request: RequestId, fence: u64) -> Result<Live, Error> {
        let live = self.get::<Live>(&[&request.to_string()])?;
        live.filter(|live| live.fence == fence && self.now < live.until)
            .ok_or_else(|| lease_lost(request))
    }
}

impl RunLink for Link<'_> {
    fn may_touch_target(&self) -> Result<(), Error> {
        let (id, fence) = (self.id.request, self.id.fence);
        self.gate.consult(|txn| {
            txn.lease(id, fence)?;
            let State::Executing(executing) = txn.request(id)?.state else {
                return Err(lease_lost(id));
            };
            if executing.fence != fence {
                return Err(lease_lost(id));
            }
            if executing.cancel_requested {
                return Err(Error::new(Code::Cancelled, format!("somebody stopped `{id}`"))
                    .with_help("undo what is open, and end"));
            }
            Ok(())
        })
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

    fn now(&self) -> Timestamp {
        self.gate.parts.clock.now()
    }
}
