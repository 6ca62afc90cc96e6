//! What a person says became of a run that nobody else can tell about.

use super::drive::word;
use super::start::check_plugin;
use crate::audit::Event;
use crate::authz::Execute;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::gate::request::plan::{PlanLink, guarded};
use crate::gate::txn::Txn;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::org::PluginGrant;
use crate::request::{DECLARED_PARTLY_DONE, Header, Request, State, action};
use crate::runner::{Failure, Job, JobId, Outcome, Plan, Report};
use crate::workflow::Verb;

/// What somebody found when they looked at the target themselves.
///
/// ```
/// use placet_core::gate::Finding;
///
/// let looked_at = |tables: &[&str]| match tables {
///     [] => Finding::NothingDone,
///     [_, ..] => Finding::Done,
/// };
/// assert_eq!(looked_at(&["orders_2026"]), Finding::Done);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a change took effect wholly, partly or not at all")]
pub enum Finding {
    /// All of the change took effect.
    Done,
    /// Some of it took effect. It failed, and is not run again: the reason says what is there and what is not.
    Partly,
    /// Nothing of it took effect: it failed, and may be run again.
    NothingDone,
}

/// A run that nobody knows the end of, and what its plugin may reach.
struct UnknownJob {
    header: Header,
    job: Job,
    plan: Plan,
    grant: Option<PluginGrant>,
}

impl Gate {
    /// Resolves an unknown outcome by what a person found, where the target cannot tell. It is asked first. It
    /// takes the action `execute` and a `reason`; agents cannot, and a known outcome stays as it is. The
    /// request shows who declared it. See that nothing of the run is left at work in the target: the next
    /// change may begin then.
    ///
    /// Fails with [`Code::WrongState`] for a request that is not unknown, with [`Code::Refused`] for an agent and
    /// where the target can tell, and with [`Code::InvalidInput`] without a reason.
    ///
    /// ```
    /// use placet_core::gate::Finding;
    /// use placet_core::request::State;
    /// use placet_core::runner::{Failure, Outcome};
    /// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
    /// # let bench = Bench::on(std::sync::Arc::new(MemoryStore::default()))?;
    /// # let (gate, runner) = (Gate::new(bench.parts), bench.runner);
    /// # let office = Office::found(&gate)?;
    /// # let id = office.approved(&gate)?.header.id;
    /// # runner.ends_with(Outcome::Unknown(Failure::new("timeout", "the line went dead")));
    /// # gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
    /// # runner.reads(Outcome::Unknown(Failure::new("connection", "the target is gone")));
    ///
    /// let why = "the column is there and filled; looked at it with Ana";
    /// let request = gate.reconcile(&office.bo, id, Finding::Done, why)?;
    /// let State::Succeeded(done) = request.state else { unreachable!() };
    /// assert_eq!(done.ended.declared_by, Some(office.bo.user()));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn reconcile(
        &self,
        caller: &Caller,
        id: RequestId,
        finding: Finding,
        reason: &str,
    ) -> Result<Request, Error> {
        self.check_comment(reason, true)?;
        // A person's word is for what nobody can tell. Reading also waits for the lock that a run which only stands
        // still would need, where the target has one.
        let asked = self.consult(|txn| self.unknown_job(txn, caller, id))?;
        if self.target_can_tell(&asked) {
            return Err(Error::new(Code::Refused, format!("the target can tell about `{id}`"))
                .with_help("verify it: then the outcome is what the target says"));
        }
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Execute>(caller.user(), scope, &subject(id))?;
            let (by, _) = permit.spend_on(&scope)?;
            txn.refuse_agent(by, "says what nobody can tell")?;
            let from = Some(request.state.name());
            let State::Unknown(unknown) = request.state else {
                return Err(request.wrong_state("reconciled"));
            };
            let mut header = request.header;
            let ended = &unknown.ended;
            let (run, attempt, fence) = (ended.run, ended.attempt, ended.fence);
            let (request, revision) = (header.id, header.revision);
            let job = JobId { request, revision, attempt, fence, run };
            let outcome = match finding {
                Finding::Done => Outcome::Succeeded(Report::default()),
                Finding::Partly => Outcome::Failed(Failure::new(
                    DECLARED_PARTLY_DONE,
                    "a person looked at the target: some of it took effect",
                )),
                Finding::NothingDone => Outcome::Failed(Failure::new(
                    "reconciled",
                    "a person looked at the target: nothing of it took effect",
                )),
            };
            txn.end_run(job, &outcome)?;
            txn.end_turn(&ended.target, id, fence)?;
            let state = unknown.declare(&header, by, outcome.clone());
            let way = (Verb::Reconcile, state.name());
            txn.check_run_way(caller, &header, way, Some(reason))?;
            txn.arrive(&mut header, Verb::Reconcile, state.name())?;
            let (caller, comment) = (Some(caller), Some(reason));
            let note = Note { caller, verb: action::RECONCILE, from, comment };
            let request = txn.save(Request { header, state }, &note)?;
            let mut leaf = Self::request_leaf(txn, Event::RunReconciled, caller, &request);
            leaf.run = Some(run);
            leaf.fence = Some(fence);
            leaf.outcome = Some(word(&outcome).to_owned());
            Ok((request, leaf))
        })
    }

    /// Whether the plugin that was approved can read what became of `job`. Another one is not asked, and one that
    /// is not there cannot tell.
    fn target_can_tell(&self, UnknownJob { header, job, plan, grant }: &UnknownJob) -> bool {
        let Ok(Some(info)) = self.described(&header.runner) else { return false };
        let is_approved = info.identity().and_then(|it| check_plugin(header, Some(it))).is_ok();
        let is_granted = grant.as_ref().is_none_or(|grant| grant.check(&info).is_ok());
        if !is_approved || !is_granted {
            return false;
        }
        let link = PlanLink::of_run(self, job.id);
        let read = guarded(|| Ok(self.parts.runner.verify(job, plan, &link)));
        matches!(read, Ok(Outcome::Succeeded(_) | Outcome::Failed(_)))
    }

    /// The job of a run that is unknown, for whoever may say what became of it.
    fn unknown_job(
        &self,
        txn: &mut Txn<'_>,
        caller: &Caller,
        id: RequestId,
    ) -> Result<UnknownJob, Error> {
        let request = txn.request(id)?;
        let scope = request.header.scope();
        let (by, _) = txn.ask::<Execute>(caller.user(), scope, &subject(id))?.spend_on(&scope)?;
        txn.refuse_agent(by, "says what nobody can tell")?;
        let State::Unknown(unknown) = &request.state else {
            return Err(request.wrong_state("reconciled"));
        };
        let ended = &unknown.ended;
        let run = Some((ended.run, ended.attempt, ended.fence));
        let revision = txn.revision(&request.header)?;
        revision.check_digests(&request.header)?;
        let plan = revision.plan_at(&ended.target)?.clone();
        let job = self.job(txn, &request.header, (&revision, &ended.target), run)?;
        let grant = txn.plugin_grant(&request.header.runner)?;
        Ok(UnknownJob { header: request.header, job, plan, grant })
    }
}
