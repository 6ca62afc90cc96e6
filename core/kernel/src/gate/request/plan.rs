//! Asking the runner what it would do. Changes nothing in the target.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::audit::Event;
use crate::authz::Submit;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::{Note, subject};
use crate::gate::run::lease::{NotNeeded, RunTime};
use crate::gate::txn::Txn;
use crate::id::{RequestId, RunId};
use crate::identity::Caller;
use crate::org::{Criticality, Slug};
use crate::request::{Header, PlanNote, Request, Revision, State, action};
use crate::runner::{
    Job, JobId, LogLine, Place, Plan, Progress, RunLease, RunLink, Runner, RunnerInfo, own,
};

impl Gate {
    /// Makes the plan of a draft, and keeps it. It takes the action `request`. Of a batch, each target gets a plan of
    /// its own; the canary's is returned, and [`Self::view`] has them all.
    ///
    /// Making it again replaces it. Findings of level `error` are part of the plan; submitting refuses
    /// such a plan.
    ///
    /// Fails with [`Code::WrongState`] unless the request is being written, with [`Code::UnknownRunner`], with
    /// [`Code::PluginNotGranted`] where the plugin asks for more than was granted, with
    /// [`Code::ArtifactNotApproved`] where it would hand on an artifact that is not approved as it stands,
    /// with [`Code::RunnerFault`] when the runner panics, and with what the runner answers.
    ///
    /// ```
    /// use placet_core::runner::Risk;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let new = office.request(office.change("\"raise the price\"")?);
    /// let id = gate.draft(&office.ana, &new)?.header.id;
    /// let plan = gate.plan(&office.ana, id)?;
    /// assert_eq!((plan.steps.len(), plan.risk()), (1, Risk::Low));
    /// // What an approval would be for is known now.
    /// assert!(gate.view(&office.ana, id)?.digest.is_some());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn plan(&self, caller: &Caller, id: RequestId) -> Result<Plan, Error> {
        let (jobs, info) = self.consult(|txn| {
            let request = txn.request(id)?;
            txn.ask::<Submit>(caller.user(), request.header.scope(), &subject(id)).map(drop)?;
            writable(&request)?;
            let revision = txn.revision(&request.header)?;
            let runner = &revision.change.runner;
            let info = guarded(|| self.runner(runner).describe(runner))?;
            txn.check_grant_of(runner, &info)?;
            let payload = &revision.change.payload;
            txn.check_handed_on(&request.header, &info, payload)?;
            // As long as nothing is recorded, what the host lets it do counts: that is what will be recorded.
            let may_try = info.dry_run || txn.plugin_grant(runner)?.is_some();
            let targets = revision.change.targets();
            let jobs = targets.map(|target| {
                let job = self.job(txn, &request.header, (&revision, target), None)?;
                Ok(Job { dry_run: job.dry_run && may_try, ..job })
            });
            Ok((jobs.collect::<Result<Vec<_>, Error>>()?, info))
        })?;
        let link = PlanLink::new(self);
        let plan = |job: &Job| guarded(|| self.runner(&job.runner).plan(job, &link));
        let plans = jobs.iter().map(plan).collect::<Result<Vec<_>, _>>()?;
        let planned = jobs.first().zip(plans.split_first());
        let (job, (plan, then)) = planned.ok_or_else(|| not_found(&subject(id)))?;
        self.keep_plan(caller, job, &info, (plan, then))
    }

    /// Who plans and validates changes for `runner`: the gate itself for commands of the organisation.
    pub(in crate::gate) fn runner(&self, runner: &Slug) -> &dyn Runner {
        if own::is_own(runner) { &own::OwnRunner } else { &*self.parts.runner }
    }

    fn keep_plan(
        &self,
        caller: &Caller,
        Job { id: job, settings, .. }: &Job,
        info: &RunnerInfo,
        (plan, then): (&Plan, &[Plan]),
    ) -> Result<Plan, Error> {
        let id = job.request;
        self.transact(|txn| {
            let mut request = txn.request(id)?;
            let scope = request.header.scope();
            txn.ask::<Submit>(caller.user(), scope, &subject(id))?.spend_on(&scope)?;
            writable(&request)?;
            if request.header.revision != job.revision {
                return Err(Error::new(
                    Code::WrongState,
                    format!("`{id}` was edited while its plan was made"),
                )
                .with_help("make the plan again"));
            }
            let revision = txn.revision(&request.header)?;
            txn.admit_plugin(&revision.change.runner, info)?;
            let revision = Revision { plan: Some(plan.clone()), then: then.to_vec(), ..revision };
            let (plan_digest, needs_person) = (revision.plans_digest()?, revision.needs_person());
            let (runner_digest, at) = (info.identity()?, txn.now);
            let settings_digest = Digest::of(settings.as_bytes());
            let note = PlanNote { plan_digest, runner_digest, settings_digest, at, needs_person };
            request.header.plan = Some(note);
            txn.put(&revision)?;
            let from = Some(request.state.name());
            let note = Note { caller: Some(caller), verb: action::PLAN, from, comment: None };
            let request = txn.save(request, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestPlanned, Some(caller), &request);
            Ok((plan.clone(), leaf))
        })
    }

    /// The job of the request's present revision at one of its targets; with a run, of that attempt.
    pub(in crate::gate) fn job(
        &self,
        txn: &mut Txn<'_>,
        header: &Header,
        (revision, target): (&Revision, &Slug),
        run: Option<(RunId, u32, u64)>,
    ) -> Result<Job, Error> {
        let shelf = txn
            .shelf(header.project_id)?
            .ok_or_else(|| not_found(&format!("project `{}`", header.project_id)))?;
        let (run, attempt, fence) = run.unwrap_or((RunId::from_u128(0), 0, 0));
        let environment = shelf.book.environment(header.environment_id)?;
        let may_dry_run = txn.may_dry_run(&revision.change.runner)?;
        Ok(Job {
            id: JobId { request: header.id, revision: header.revision, attempt, fence, run },
            runner: revision.change.runner.clone(),
            target: target.clone(),
            payload: revision.change.payload.clone(),
            payload_digest: header.payload_digest,
            place: Place {
                project: shelf.book.project.code.clone(),
                module: shelf.book.module(header.module_id)?.code.clone(),
                environment: environment.code.clone(),
            },
            deadline: txn.now.plus_ms(self.parts.limits.run_ms_max),
            dry_run: environment.criticality < Criticality::Critical && may_dry_run,
            settings: shelf.book.settings(header.environment_id, &header.runner).to_owned(),
        })
    }
}

/// A plan is made while a request is being written.
fn writable(request: &Request) -> Result<(), Error> {
    if matches!(request.state, State::Draft(_) | State::ChangesRequested(_)) {
        return Ok(());
    }
    Err(request.wrong_state("planned"))
}

/// What a runner may ask of the kernel outside a run: nothing that lasts.
#[derive(Debug)]
pub(in crate::gate) struct PlanLink<'a> {
    gate: &'a Gate,
    lease: Arc<NotNeeded>,
    /// The run that is looked back at: what it noted is read, and nothing is added to it.
    run: Option<JobId>,
}

impl<'a> PlanLink<'a> {
    pub(in crate::gate) fn new(gate: &'a Gate) -> Self {
        let time = RunTime::starting(&gate.parts.clock, gate.now());
        Self { gate, lease: Arc::new(NotNeeded { time }), run: None }
    }

    /// For whoever finds out what became of a run: without its notes, what was sent would look as if it never was.
    pub(in crate::gate) fn of_run(gate: &'a Gate, run: JobId) -> Self {
        Self { run: Some(run), ..Self::new(gate) }
    }
}

impl RunLink for PlanLink<'_> {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::<NotNeeded>::clone(&self.lease)
    }

    fn progress(&self, _progress: Progress) {}

    fn log(&self, _line: LogLine) {}

    fn checkpoint(&self, _step: &str, _state: &str) -> Result<(), Error> {
        Err(Error::new(Code::WrongState, "checkpoints are kept during a run only")
            .with_help("note checkpoints in `execute`"))
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        self.run.map_or_else(|| Ok(Vec::new()), |run| self.gate.run_checkpoints(run))
    }

    fn ran_at(
        &self,
        request: RequestId,
        revision: u32,
        attempt: u32,
    ) -> Result<Option<(Place, Slug)>, Error> {
        self.gate.ran_at(request, revision, attempt)
    }
}

/// Calls a runner. One that panics broke its contract; the host goes on.
pub(in crate::gate) fn guarded<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(Error::new(Code::RunnerFault, "the runner failed inside the host")
            .with_help("report this with the log of the process"))
    })
}
