//! A version of tomorrow, which only tests see: its interface stands in `tests/fixtures/wit-0.2`. What it calls goes to the
//! same functions of the host as what 0.1.0 calls, so that no version gets past a check.

use wasmtime::component::{Component, HasSelf, Linker, Resource};
use wasmtime::{Engine, Store};

use self::bindings::placet::runner as newer;
use self::bindings::{SqlRunner, SqlRunnerPre};
use self::newer::context::Line;
use self::newer::sql::Problem;
use super::{Compiled, Guest, Info, Ready};
use crate::bindings::context::Host as _;
use crate::bindings::sql::{Error, HostRows as _};
use crate::bindings::types::{ChangePlan, Failure, Finding, Job, Outcome, Report, Step};
use crate::link::{ConnectionEntry, TransactionEntry};
use crate::state::State;

mod bindings {
    //! Generated.
    #![expect(
        clippy::all,
        clippy::restriction,
        reason = "generated from `tests/fixtures/wit-0.2`, where the words are"
    )]
    wasmtime::component::bindgen!({
        path: "tests/fixtures/wit-0.2",
        world: "sql-runner",
        imports: { default: trappable },
        with: {
            "placet:runner/sql.connection": crate::link::ConnectionEntry,
            "placet:runner/sql.transaction": crate::link::TransactionEntry,
        },
    });
}

/// What a plugin is answered; an outer error ends its call.
type Answer<T> = wasmtime::Result<Result<T, Problem>>;

pub(super) fn link(engine: &Engine, component: &Component) -> wasmtime::Result<Compiled> {
    let mut linker: Linker<State> = Linker::new(engine);
    newer::context::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    let mut pure = linker.clone();
    pure.define_unknown_imports_as_traps(component)?;
    newer::sql::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(Compiled {
        pure: Box::new(SqlRunnerPre::new(pure.instantiate_pre(component)?)?),
        reaching: Box::new(SqlRunnerPre::new(linker.instantiate_pre(component)?)?),
    })
}

impl newer::types::Host for State {}

impl newer::context::Host for State {
    fn log(&mut self, line: Line) -> wasmtime::Result<()> {
        crate::bindings::context::Host::log(self, line.level, line.message, Vec::new())
    }

    fn is_cancelled(&mut self) -> wasmtime::Result<bool> {
        self.cancelled()
    }
}

impl newer::sql::Host for State {}

impl newer::sql::HostConnection for State {
    fn open(&mut self, name: String) -> Answer<Resource<ConnectionEntry>> {
        Ok(crate::bindings::sql::HostConnection::open(self, name)?.map_err(problem))
    }

    fn begin(
        &mut self,
        connection: Resource<ConnectionEntry>,
    ) -> Answer<Resource<TransactionEntry>> {
        Ok(crate::bindings::sql::HostConnection::begin(self, connection)?.map_err(problem))
    }

    fn marker(&mut self, connection: Resource<ConnectionEntry>) -> Answer<Option<bool>> {
        Ok(crate::bindings::sql::HostConnection::marker(self, connection)?.map_err(problem))
    }

    fn drop(&mut self, connection: Resource<ConnectionEntry>) -> wasmtime::Result<()> {
        crate::bindings::sql::HostConnection::drop(self, connection)
    }
}

impl newer::sql::HostTransaction for State {
    fn execute(
        &mut self,
        transaction: Resource<TransactionEntry>,
        statement: String,
    ) -> Answer<u64> {
        let ran = crate::bindings::sql::HostTransaction::execute(
            self,
            transaction,
            statement,
            Vec::new(),
        )?;
        let rows = match ran {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(problem(error))),
        };
        // The plugin has no handle for them.
        let affected = self.affected(Resource::new_borrow(rows.rep()))?;
        crate::bindings::sql::HostRows::drop(self, rows)?;
        Ok(Ok(affected))
    }

    fn commit(&mut self, transaction: Resource<TransactionEntry>) -> Answer<()> {
        Ok(crate::bindings::sql::HostTransaction::commit(self, transaction)?.map_err(problem))
    }

    fn drop(&mut self, transaction: Resource<TransactionEntry>) -> wasmtime::Result<()> {
        crate::bindings::sql::HostTransaction::drop(self, transaction)
    }
}

fn problem(error: Error) -> Problem {
    let (code, message) = match error {
        Error::Denied(why) => ("denied".to_owned(), why),
        Error::Invalid(why) => ("invalid".to_owned(), why),
        Error::Db(error) => (error.code, error.message),
        Error::Connection(why) => ("connection".to_owned(), why),
        Error::Unknown(why) => ("unknown".to_owned(), why),
        Error::Timeout => ("timeout".to_owned(), String::new()),
        Error::Cancelled => ("cancelled".to_owned(), String::new()),
        Error::Limit(why) => ("limit".to_owned(), why),
    };
    Problem { code, message }
}

impl Ready for SqlRunnerPre<State> {
    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Box<dyn Guest>> {
        Ok(Box::new(Self::instantiate(self, store)?))
    }
}

impl Guest for SqlRunner {
    fn describe(&self, store: &mut Store<State>) -> wasmtime::Result<Info> {
        let runner = self.placet_runner_runner();
        Ok(Info {
            title: runner.call_describe(&mut *store)?,
            payload_schema: runner.call_payload_schema(store)?,
            name: String::new(),
            version: String::new(),
            supports: Vec::new(),
        })
    }

    fn validate(&self, store: &mut Store<State>, payload: &str) -> wasmtime::Result<Vec<Finding>> {
        let found = self.placet_runner_runner().call_validate(store, payload)?;
        let finding = |found: newer::types::Problem| Finding {
            level: found.level,
            code: found.code,
            message: found.message,
            step: None,
            line: None,
            position: None,
            help: None,
            needs_person: false,
        };
        Ok(found.into_iter().map(finding).collect())
    }

    fn plan(
        &self,
        store: &mut Store<State>,
        job: &Job,
    ) -> wasmtime::Result<Result<ChangePlan, String>> {
        let planned = self.placet_runner_runner().call_plan(store, &job_of(job))?;
        Ok(planned.map(|steps| ChangePlan {
            steps: steps.into_iter().map(step_from).collect(),
            findings: Vec::new(),
            digest: String::new(),
            rollback: None,
        }))
    }

    fn execute(
        &self,
        store: &mut Store<State>,
        job: &Job,
        approved: &ChangePlan,
    ) -> wasmtime::Result<Outcome> {
        let runner = self.placet_runner_runner();
        Ok(outcome_from(runner.call_execute(store, &job_of(job), &steps_of(approved))?))
    }

    fn verify(
        &self,
        store: &mut Store<State>,
        job: &Job,
        approved: &ChangePlan,
    ) -> wasmtime::Result<Outcome> {
        let runner = self.placet_runner_runner();
        Ok(outcome_from(runner.call_verify(store, &job_of(job), &steps_of(approved))?))
    }
}

fn job_of(job: &Job) -> newer::types::Job {
    newer::types::Job {
        id: newer::types::ExecutionId {
            request: job.id.request.clone(),
            run: job.id.idempotency_key.clone(),
            revision: job.id.revision,
            attempt: job.id.attempt,
            fence: job.id.fence,
        },
        place: newer::types::Place {
            project: job.project.clone(),
            module_name: job.module_name.clone(),
            environment: job.environment.clone(),
        },
        payload: job.payload.clone(),
        settings: job.settings.clone(),
        dry_run: job.dry_run,
    }
}

fn steps_of(approved: &ChangePlan) -> Vec<newer::types::Step> {
    let step = |step: &Step| newer::types::Step {
        id: step.id.clone(),
        body: step.body.clone(),
        target: step.target.clone(),
        kind: step.kind.clone(),
        effect: step.effect.clone(),
    };
    approved.steps.iter().map(step).collect()
}

/// What a step of this version does not tell counts as the worst.
fn step_from(step: newer::types::Step) -> Step {
    Step {
        title: step.id.clone(),
        id: step.id,
        body: step.body,
        body_digest: String::new(),
        target: step.target,
        kind: step.kind,
        risk: "critical".to_owned(),
        effect: step.effect,
        estimated_rows: None,
        reversible: false,
        lock: "exclusive".to_owned(),
        rewrites: true,
        objects: Vec::new(),
    }
}

fn outcome_from(outcome: newer::types::Outcome) -> Outcome {
    let failure = |said: newer::types::Problem| Failure {
        applied: Vec::new(),
        code: said.code,
        message: said.message,
        step: None,
        retryable: false,
        details: None,
    };
    match outcome {
        newer::types::Outcome::Done(summary) => Outcome::Succeeded(Report {
            summary,
            rows_affected: None,
            details: None,
            artifacts: Vec::new(),
        }),
        newer::types::Outcome::Undone((word, said)) if word == "failed" => {
            Outcome::Failed(failure(said))
        }
        newer::types::Outcome::Undone((_, said)) => Outcome::Unknown(failure(said)),
    }
}
