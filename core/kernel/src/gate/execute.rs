//! Starting a run of exactly what was approved.

use super::Gate;
use super::find::{Note, subject};
use super::lease::Live;
use super::plan::guarded;
use super::txn::Txn;
use crate::audit::Event;
use crate::authz::{Execute, Permit};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{RequestId, RunId};
use crate::identity::{Caller, Channel};
use crate::org::Slug;
use crate::request::{Approved, Header, Request, Run, State, StateName, action};
use crate::runner::{Job, Plan, own};
use crate::workflow::{Requirement, Verb};

/// What a run is started from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Start {
    /// From the approval.
    First,
    /// From an attempt that is known to have failed.
    Again,
    /// From the approval, by the gate on behalf of somebody.
    Due,
}

impl Start {
    pub(super) const fn from(self) -> StateName {
        match self {
            Self::First | Self::Due => StateName::Approved,
            Self::Again => StateName::Failed,
        }
    }

    pub(super) const fn action(self) -> &'static str {
        match self {
            Self::First | Self::Due => action::EXECUTE,
            Self::Again => action::RERUN,
        }
    }

    /// What is refused where the state has no such step.
    const fn word(self) -> &'static str {
        match self {
            Self::First | Self::Due => "executed",
            Self::Again => "run again",
        }
    }
}

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
    pub(super) job: Job,
    pub(super) plan: Plan,
    // How the call came in that started it: its end is that call's too.
    pub(super) channel: Option<Channel>,
    // Whether there is nothing left to drive.
    pub(super) has_ended: bool,
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
    pub(super) request: RequestId,
    pub(super) fence: u64,
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
    pub(super) fn start(
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
        let described = match self.installed(&runner) {
            Ok(described) => described,
            Err(error) => {
                // What ails a runner is told to whoever may run it, and what was looked at may be outdated.
                self.consult(|txn| txn.startable(caller, id, start).map(drop))?;
                return Err(error);
            }
        };
        let ticket = self.attempt(|txn| {
            let (mut header, approved, permit) = txn.startable(caller, id, start)?;
            let is_same = header.runner == runner;
            let installed = if is_same { described } else { self.installed(&header.runner)? };
            let revision = txn.revision(&header)?;
            revision.check_digests(&header)?;
            check_plugin(&header, installed)?;
            txn.check_origin(&header)?;
            approved.check_executor(&header, caller.user())?;
            let (approved, left_out) = txn.still_counted(&header, approved)?;
            txn.check_not_blocked(&header, &revision)?;
            let verb = txn.start_verb(&header, start)?;
            txn.check_target(caller, &header, verb)?;
            let run = RunId::from_u128(self.parts.ids.next());
            let executing = approved.start(&mut header, permit, run, txn.now)?;
            txn.follow(caller, &mut header, verb, None)?;
            let (attempt, fence) = (executing.attempt, executing.fence);
            let target = executing.target.clone();
            let plan = revision.plan_at(&target)?.clone();
            if let Err(busy) = txn.take_turn(&target, &header, fence)? {
                return Ok((Err(busy), None));
            }
            txn.begin_run(&Run {
                id: run,
                request: id,
                revision: header.revision,
                attempt,
                target: target.clone(),
                fence,
                started_by: caller.user(),
                by_agent: txn.is_agent(caller.user()),
                started_at: txn.now,
                outcome: None,
                ended_at: None,
                late: None,
            })?;
            let request = Request { header, state: executing.into() };
            let job = self.job(txn, &request, (&revision, &target), Some((run, attempt, fence)))?;
            let channel = caller.channel();
            let is_due = start == Start::Due;
            let comment = is_due.then(|| format!("automatic, on behalf of {}", caller.user()));
            let (comment, from) = (comment.as_deref(), Some(start.from()));
            let actor = (!is_due).then_some(caller);
            let note = Note { caller: actor, action: start.action(), from, comment };
            let request = txn.save(request, &note)?;
            let mut leaf = Self::request_leaf(txn, Event::RunStarted, Some(caller), &request);
            if is_due {
                (leaf.actor, leaf.on_behalf_of) = (None, leaf.actor);
            }
            leaf.run = Some(run);
            leaf.fence = Some(fence);
            leaf.facts.insert("attempt".to_owned(), attempt.to_string());
            if left_out > 0 {
                leaf.facts.insert("left_out".to_owned(), left_out.to_string());
            }
            Ok((Ok(Ticket { job, plan, channel, has_ended: false }), Some(leaf)))
        })??;
        self.leases.started(ticket.lease(), self.parts.clock.steady_ms(), &self.parts.limits);
        Ok(ticket)
    }

    /// The digest of the plugin that is installed as `runner`; nothing when there is none. A runner that
    /// cannot tell is an error, and not the same as none.
    pub(super) fn installed(&self, runner: &Slug) -> Result<Option<Digest>, Error> {
        match guarded(|| self.runner(runner).describe(runner)) {
            Ok(info) => Ok(Some(info.digest)),
            Err(error) if error.code() == Code::UnknownRunner => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Refuses a plugin that is not, byte for byte, the one that was approved.
pub(super) fn check_plugin(header: &Header, installed: Option<Digest>) -> Result<(), Error> {
    let approved = header.plan.map(|plan| plan.runner_digest);
    if installed.is_some() && approved == installed {
        return Ok(());
    }
    let shown = installed.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
    Err(Error::new(
        Code::DigestMismatch,
        format!("the runner `{}` is not the one that was approved", header.runner),
    )
    .with_help("install the approved version, or edit the request and have it approved again")
    .with_detail("installed", shown))
}

impl Txn<'_> {
    /// What was approved of the request, with the caller's right to run it.
    pub(super) fn startable(
        &mut self,
        caller: &Caller,
        id: RequestId,
        start: Start,
    ) -> Result<(Header, Approved, Permit<Execute>), Error> {
        let request = self.request(id)?;
        let permit = self.ask::<Execute>(caller.user(), request.header.scope(), &subject(id))?;
        if request.header.artifact.is_some() {
            self.check_publishable(&request.header)?;
        }
        let Request { header, state } = request;
        let approved = match (start, state) {
            (Start::First, State::Approved(approved)) => approved,
            (Start::Due, State::Approved(approved)) if approved.is_automatic => approved,
            (Start::Again, State::Failed(failed)) => self.repeatable(&header, failed)?,
            (start, state) => return Err(Request { header, state }.wrong_state(start.word())),
        };
        Ok((header, approved, permit))
    }

    /// Refuses a target that the runner does not know, where the workflow asks for one that it does.
    pub(super) fn check_target(
        &mut self,
        caller: &Caller,
        header: &Header,
        verb: Verb,
    ) -> Result<(), Error> {
        let way = self.way(caller, header, verb, None)?;
        if !way.requires.contains(&Requirement::ValidTarget) {
            return Ok(());
        }
        let runner = &self.gate.parts.runner;
        for target in header.targets() {
            guarded(|| runner.check_target(&header.runner, target))?;
        }
        Ok(())
    }

    /// The way of the workflow by which a run starts: where it has none of its own for running again, what failed is
    /// still approved, and runs by the first way.
    pub(super) fn start_verb(&mut self, header: &Header, start: Start) -> Result<Verb, Error> {
        let workflow = self.workflow(header)?;
        let has_own = workflow.way(&header.step, Verb::Rerun).is_some();
        Ok(match start {
            Start::Again if has_own || workflow.way(&header.step, Verb::Execute).is_none() => {
                Verb::Rerun
            }
            Start::First | Start::Again | Start::Due => Verb::Execute,
        })
    }

    /// Writes the run. A second one for the same attempt cannot be written.
    pub(super) fn add_run(&mut self, run: &Run) -> Result<(), Error> {
        let path = crate::store::records::Record::path(run);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if self.get::<Run>(&path)?.is_some() {
            return Err(Error::new(
                Code::AlreadyExists,
                format!("attempt {} of `{}` was started before", run.attempt, run.request),
            )
            .with_help("read the request"));
        }
        self.put(run)
    }

    /// Writes the run and its lease.
    fn begin_run(&mut self, run: &Run) -> Result<(), Error> {
        self.add_run(run)?;
        self.put(&Live {
            request: run.request,
            run: run.id,
            fence: run.fence,
            node: self.gate.node,
            renewals: 0,
            is_stopped: false,
        })
    }
}
