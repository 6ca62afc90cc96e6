//! What every run begins with: it is authorized anew, compared with what was approved, and entered.

use super::execute::Ticket;
use super::lease::Live;
use crate::audit::{Event, Leaf};
use crate::authz::{Execute, Permit};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::{Note, subject};
use crate::gate::request::plan::guarded;
use crate::gate::txn::Txn;
use crate::id::{RequestId, RunId};
use crate::identity::Caller;
use crate::request::{
    Approval, Approved, Executing, Header, Request, Revision, Run, State, StateName, action,
};
use crate::runner::{Job, Plan, RunnerInfo};
use crate::store::records::Record as _;
use crate::workflow::{Requirement, Verb};

/// What a run is started from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::gate) enum Start {
    /// From the approval.
    First,
    /// From an attempt that is known to have failed.
    Again,
    /// From the approval, by the gate on behalf of somebody.
    Due,
}

impl Start {
    pub(in crate::gate) const fn from(self) -> StateName {
        match self {
            Self::First | Self::Due => StateName::Approved,
            Self::Again => StateName::Failed,
        }
    }

    pub(in crate::gate) const fn action(self) -> &'static str {
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

/// A run that may start: what would run is what was approved, by people whose word still counts.
#[derive(Debug)]
pub(in crate::gate) struct Ready {
    pub(in crate::gate) header: Header,
    pub(in crate::gate) revision: Revision,
    approved: Approved,
    permit: Permit<Execute>,
    start: Start,
    verb: Verb,
    // The approvals that it starts by.
    counted: Vec<Approval>,
    // How many approvals count no more.
    left_out: usize,
    described: Option<RunnerInfo>,
}

/// A run that was entered, and is recorded with the commit of this try.
#[derive(Debug)]
pub(in crate::gate) struct Entered {
    pub(in crate::gate) header: Header,
    pub(in crate::gate) run: Run,
    start: Start,
    left_out: usize,
    // What the plugin says of itself that will be told to execute.
    pub(in crate::gate) described: Option<RunnerInfo>,
    plan: Plan,
    job: Job,
}

impl Entered {
    /// The request as it runs, with a line in its history.
    pub(in crate::gate) fn save(
        &self,
        txn: &mut Txn<'_>,
        caller: &Caller,
        state: State,
    ) -> Result<Request, Error> {
        let is_due = self.start == Start::Due;
        let comment = is_due.then(|| format!("automatic, on behalf of {}", caller.user()));
        let note = Note {
            caller: (!is_due).then_some(caller),
            verb: self.start.action(),
            from: Some(self.start.from()),
            comment: comment.as_deref(),
        };
        txn.save(Request { header: self.header.clone(), state }, &note)
    }

    /// What the log says of it.
    pub(in crate::gate) fn leaf(
        &self,
        txn: &Txn<'_>,
        caller: &Caller,
        request: &Request,
        event: Event,
    ) -> Leaf {
        let mut leaf = Gate::request_leaf(txn, event, Some(caller), request);
        if self.start == Start::Due {
            (leaf.actor, leaf.on_behalf_of) = (None, leaf.actor);
        }
        leaf.run = Some(self.run.id);
        leaf.fence = Some(self.run.fence);
        leaf.facts.insert("attempt".to_owned(), self.run.attempt.to_string());
        if self.left_out > 0 {
            leaf.facts.insert("left_out".to_owned(), self.left_out.to_string());
        }
        leaf
    }

    /// The right to drive it, once it is recorded.
    pub(in crate::gate) fn ticket(self, caller: &Caller, has_ended: bool) -> Ticket {
        Ticket { job: self.job, plan: self.plan, channel: caller.channel(), has_ended }
    }
}

impl Txn<'_> {
    /// The one way to a run: whoever executes, runs again, or is started by the gate has all of this looked at.
    /// `described` answers what the plugin that would run says of itself; nothing where there is none.
    pub(in crate::gate) fn ready(
        &mut self,
        caller: &Caller,
        id: RequestId,
        start: Start,
        described: impl FnOnce(&Header) -> Result<Option<RunnerInfo>, Error>,
    ) -> Result<Ready, Error> {
        let (header, approved, permit) = self.startable(caller, id, start)?;
        let described = described(&header)?;
        let revision = self.revision(&header)?;
        revision.check_digests(&header)?;
        check_plugin(&header, identity_of(described.as_ref())?)?;
        if let Some(info) = &described {
            self.check_grant_of(&header.runner, info)?;
            self.check_handed_on(&header, info, &revision.change.payload)?;
        }
        self.check_settings(&header)?;
        self.check_origin(&header)?;
        approved.check_executor(&header, caller.user())?;
        let (counted, left_out) = self.still_counted(&header, &approved)?;
        self.check_not_blocked(&header, &revision)?;
        let verb = self.start_verb(&header, start)?;
        self.check_target(caller, &header, verb)?;
        Ok(Ready { header, revision, approved, permit, start, verb, counted, left_out, described })
    }

    /// Enters the run: the permit is spent, and the request is at work.
    pub(in crate::gate) fn enter(
        &mut self,
        caller: &Caller,
        ready: Ready,
    ) -> Result<(Entered, Executing), Error> {
        let Ready {
            mut header,
            revision,
            approved,
            permit,
            start,
            verb,
            counted,
            left_out,
            described,
        } = ready;
        let id = RunId::from_u128(self.gate.parts.ids.next());
        let executing = approved.start(&mut header, permit, &counted, (id, self.now))?;
        if start != Start::Again {
            header.ran_from = Some(header.step.clone());
        }
        self.follow(caller, &mut header, verb, None)?;
        let run = Run {
            id,
            request: header.id,
            revision: header.revision,
            attempt: executing.attempt,
            target: executing.target.clone(),
            fence: executing.fence,
            started_by: caller.user(),
            by_agent: self.is_agent(caller.user()),
            started_at: self.now,
            outcome: None,
            ended_at: None,
            late: None,
        };
        let plan = revision.plan_at(&run.target)?.clone();
        let numbers = Some((id, run.attempt, run.fence));
        let job = self.gate.job(self, &header, (&revision, &run.target), numbers)?;
        Ok((Entered { header, run, start, left_out, described, plan, job }, executing))
    }

    /// What was approved of the request, with the caller's right to run it.
    pub(in crate::gate) fn startable(
        &mut self,
        caller: &Caller,
        id: RequestId,
        start: Start,
    ) -> Result<(Header, Approved, Permit<Execute>), Error> {
        let request = self.request(id)?;
        let permit = self.ask_about::<Execute>(caller.user(), &request.header, &subject(id))?;
        if request.header.artifact.is_some() {
            self.check_publishable(&request)?;
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

    /// Refuses settings that are not those of the plan: approvers relied on what the runner does with them.
    fn check_settings(&mut self, header: &Header) -> Result<(), Error> {
        if self.has_settings_of_plan(header)? {
            return Ok(());
        }
        let sentence = format!("`{}` has other settings than when this was planned", header.runner);
        Err(Error::new(Code::DigestMismatch, sentence)
            .with_help("edit the request and have it approved again, as it would run now"))
    }

    /// Whether the runner has the settings that the plan was made with.
    pub(in crate::gate) fn has_settings_of_plan(&mut self, header: &Header) -> Result<bool, Error> {
        let shelf = self
            .shelf(header.project_id)?
            .ok_or_else(|| not_found(&format!("project `{}`", header.project_id)))?;
        let settings = shelf.book.settings(header.environment_id, &header.runner);
        let planned = header.plan.map(|plan| plan.settings_digest);
        Ok(planned == Some(Digest::of(settings.as_bytes())))
    }

    /// Refuses a target that the runner does not know, where the workflow asks for one that it does.
    pub(in crate::gate) fn check_target(
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
    pub(in crate::gate) fn start_verb(
        &mut self,
        header: &Header,
        start: Start,
    ) -> Result<Verb, Error> {
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
    pub(in crate::gate) fn add_run(&mut self, run: &Run) -> Result<(), Error> {
        let path = run.path();
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
    pub(in crate::gate) fn begin_run(&mut self, run: &Run) -> Result<(), Error> {
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

impl Gate {
    /// Whether its plan is from another plugin than the one that is installed here, or nobody can tell. Where none is
    /// installed, another node has it, and what that one would run is compared when it does.
    pub(in crate::gate) fn is_other_plugin(&self, header: &Header) -> bool {
        let planned = header.plan.map(|plan| plan.runner_digest);
        self.installed(&header.runner)
            .map_or(true, |installed| installed.is_some() && installed != planned)
    }

    /// Refuses to go on with a plan that another plugin made: what it says is not what would be done.
    pub(in crate::gate) fn check_plugin_is_not_other(&self, header: &Header) -> Result<(), Error> {
        if !self.is_other_plugin(header) {
            return Ok(());
        }
        let sentence = format!("the runner `{}` is not the one that made the plan", header.runner);
        Err(Error::new(Code::DigestMismatch, sentence)
            .with_help("send the request back: it is planned anew when it is submitted again"))
    }
}

/// What plans bind to of a plugin that was described.
pub(in crate::gate) fn identity_of(
    described: Option<&RunnerInfo>,
) -> Result<Option<Digest>, Error> {
    described.map(RunnerInfo::identity).transpose()
}

/// Refuses a plugin that is not, byte for byte, the one that was approved.
pub(in crate::gate) fn check_plugin(
    header: &Header,
    installed: Option<Digest>,
) -> Result<(), Error> {
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
