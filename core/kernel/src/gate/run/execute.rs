//! Starting a run of exactly what was approved.

use super::start::{Start, identity_of};
use crate::audit::Event;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::request::plan::guarded;
use crate::id::{RequestId, RunId};
use crate::identity::{Caller, Channel};
use crate::org::Slug;
use crate::runner::{Job, Plan, RunnerInfo, own};

/// The right to drive one run, once. It exists only after the start was recorded durably.
///
/// ```
/// use placet_core::error::Code;
/// use placet_core::testing::{Office, Seen};
///
/// let (gate, office) = Office::in_memory()?;
/// let id = office.approved(&gate)?.header.id;
/// let ticket = gate.execute(&office.bo, id)?;
/// // There is no second one for the same run, and driving takes it away.
/// assert_eq!(gate.execute(&office.bo, id).unwrap_err().code(), Code::WrongState);
/// assert_eq!(gate.drive(ticket, &Seen::default())?.header.attempts, 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a run that is not driven ends as unknown when its lease does"]
pub struct Ticket {
    pub(in crate::gate) job: Job,
    pub(in crate::gate) plan: Plan,
    // How the call came in that started it: its end is that call's too.
    pub(in crate::gate) channel: Option<Channel>,
    // Whether there is nothing left to drive.
    pub(in crate::gate) has_ended: bool,
}

impl Ticket {
    /// The request that runs.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let waiting = vec![gate.execute(&office.bo, id)?];
    /// assert!(waiting.iter().any(|ticket| ticket.request() == id));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub const fn request(&self) -> RequestId {
        self.job.id.request
    }

    /// The run.
    ///
    /// ```
    /// use placet_core::testing::{Office, Seen};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let ticket = gate.execute(&office.bo, id)?;
    /// let run = ticket.run();
    /// gate.drive(ticket, &Seen::default())?;
    /// let runs = gate.view(&office.ana, id)?.runs;
    /// assert!(runs.iter().any(|row| row.id == run && row.ended_at.is_some()));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub const fn run(&self) -> RunId {
        self.job.id.run
    }

    /// The run's fence. Each run of a request has a greater one than the run before it.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let ticket = gate.execute(&office.bo, id)?;
    /// let (_, started) = gate.trail(&office.ana, id)?.pop().expect("the start was recorded");
    /// assert_eq!((started.event.as_str(), started.fence), ("run.started", Some(ticket.fence())));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub const fn fence(&self) -> u64 {
        self.job.id.fence
    }

    /// The right to keep the run's lease, for whoever does that while another drives.
    ///
    /// ```
    /// use placet_core::testing::{Office, Seen};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let ticket = gate.execute(&office.bo, id)?;
    /// let key = ticket.lease();
    /// let ended = std::thread::scope(|scope| {
    ///     scope.spawn(|| gate.renew(key)); // now and then, while it runs
    ///     gate.drive(ticket, &Seen::default())
    /// })?;
    /// assert_eq!(ended.header.id, id);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub const fn lease(&self) -> LeaseKey {
        LeaseKey { request: self.job.id.request, fence: self.job.id.fence }
    }
}

/// The right to keep the lease of one run. Only its ticket gives it.
///
/// ```
/// use placet_core::error::Code;
/// use placet_core::testing::{Office, Seen};
///
/// let (gate, office) = Office::in_memory()?;
/// let ticket = gate.execute(&office.bo, office.approved(&gate)?.header.id)?;
/// let key = ticket.lease();
/// assert!(gate.renew(key).is_ok());
/// gate.drive(ticket, &Seen::default())?;
/// // It outlives the run, and is worth nothing then.
/// assert_eq!(gate.renew(key).unwrap_err().code(), Code::LeaseLost);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LeaseKey {
    pub(in crate::gate) request: RequestId,
    pub(in crate::gate) fence: u64,
}

impl Gate {
    /// Starts a run: authorizes afresh, checks that what would run is what was approved and that enough
    /// approvals still count, and records the start. Nothing was run yet when it returns; hand the
    /// ticket to [`Self::drive`]. It takes the action `execute`.
    ///
    /// A run is at one target. Of a batch, the first is at the canary; when it is known to have succeeded, the request
    /// is `APPROVED` again and the next call runs it at the next target. What failed or is unknown stops the rest.
    ///
    /// Fails with [`Code::WrongState`] before enough approvals, with [`Code::DigestMismatch`] when
    /// payload, plan or plugin are not what was approved, with [`Code::Refused`] when too many approvers
    /// may no longer approve or where the quorum keeps an approver from it, and with [`Code::Blocked`] where a rule of
    /// the project stops it. An artifact that is not approved is [`Code::ArtifactNotApproved`], and one whose target
    /// the runner does not know [`Code::UnknownTarget`]. A runner that cannot say what it is starts nothing: its error is the answer.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let asked = office.pending(&gate)?.header;
    /// assert_eq!(gate.execute(&office.bo, asked.id).unwrap_err().code(), Code::WrongState);
    /// gate.approve(&office.bo, asked.id, asked.change_digest()?, None)?;
    /// let ticket = gate.execute(&office.bo, asked.id)?;
    /// assert_eq!(ticket.request(), asked.id);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn execute(&self, caller: &Caller, id: RequestId) -> Result<Ticket, Error> {
        self.start(caller, id, Start::First)
    }

    /// Starts a run. There is no other way to one: whoever executes, runs again, or is started by the gate comes
    /// through here.
    pub(in crate::gate) fn start(
        &self,
        caller: &Caller,
        id: RequestId,
        start: Start,
    ) -> Result<Ticket, Error> {
        // Described before the clock of the run is read: a plugin may be compiled for it, which takes a while.
        let runner = self.look_ahead(|txn| Ok(txn.startable(caller, id, start)?.0.runner))?;
        if own::is_own(&runner) {
            return self.apply_command(caller, id, start);
        }
        let described = match self.described(&runner) {
            Ok(described) => described,
            Err(error) => {
                // What ails a runner is told to whoever may run it, and what was looked at may be outdated.
                self.consult(|txn| txn.startable(caller, id, start).map(drop))?;
                return Err(error);
            }
        };
        let ticket = self.attempt(|txn| {
            let ready = txn.ready(caller, id, start, |header| {
                let is_same = header.runner == runner;
                if is_same { Ok(described.clone()) } else { self.described(&header.runner) }
            })?;
            let (entered, executing) = txn.enter(caller, ready)?;
            if let Err(busy) =
                txn.take_turn(&entered.run.target, &entered.header, entered.run.fence)?
            {
                return Ok((Err(busy), None));
            }
            if let Some(info) = &entered.described {
                txn.admit_plugin(&entered.header.runner, info)?;
            }
            txn.begin_run(&entered.run)?;
            let request = entered.save(txn, caller, executing.into())?;
            let leaf = entered.leaf(txn, caller, &request, Event::RunStarted);
            Ok((Ok(entered.ticket(caller, false)), Some(leaf)))
        })??;
        self.leases.started(ticket.lease(), self.parts.clock.steady_ms(), &self.parts.limits);
        Ok(ticket)
    }

    /// The digest of the plugin that is installed as `runner`; nothing when there is none. A runner that
    /// cannot tell is an error, and not the same as none.
    pub(in crate::gate) fn installed(&self, runner: &Slug) -> Result<Option<Digest>, Error> {
        identity_of(self.described(runner)?.as_ref())
    }

    /// What the plugin that is installed as `runner` says of itself; as [`Self::installed`] answers.
    pub(in crate::gate) fn described(&self, runner: &Slug) -> Result<Option<RunnerInfo>, Error> {
        match guarded(|| self.runner(runner).describe(runner)) {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.code() == Code::UnknownRunner => Ok(None),
            Err(error) => Err(error),
        }
    }
}
