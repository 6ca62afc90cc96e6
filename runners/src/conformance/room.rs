//! One plugin in one world, and what is true there.

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::error::Error;
use placet_core::id::{RequestId, RunId};
use placet_core::org::Slug;
use placet_core::runner::{Job, JobId, Outcome, Place, Plan, Runner as _};

use super::Candidate;
use super::link::Link;
use super::world::{Trouble, World};
use crate::runner::WasmRunner;

const TARGET: &str = "exam";

/// When an exam takes place, in microseconds since 1970; the day does not matter.
const NOW_MICROS: i64 = 1_760_000_000_000_000;

/// How long a run may take, by a clock that stands still.
const DEADLINE_MS: u64 = 60_000;

#[derive(Debug)]
pub(super) struct Room<'a> {
    pub(super) runner: WasmRunner,
    pub(super) name: Slug,
    pub(super) world: &'a dyn World,
    target: Slug,
    place: Place,
}

/// When a job is asked for, and under which name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct When {
    pub(super) later_ms: u64,
    pub(super) run: u128,
}

impl<'a> Room<'a> {
    pub(super) fn new(candidate: &Candidate, world: &'a dyn World) -> Result<Self, Error> {
        let Candidate { name, component, manifest, grant, compiler } = candidate;
        let target: Slug = TARGET.parse()?;
        let plugin = (component.clone(), manifest.clone(), grant.clone());
        let mut builder = WasmRunner::builder().plugin(name.clone(), plugin.0, plugin.1, plugin.2);
        if let Some(compiler) = compiler {
            builder = builder.compiler(compiler.clone());
        }
        let runner = world.install(builder, target.clone()).build()?;
        runner.warm_up()?;
        // A plugin for another kind of target is none that does not keep the contract.
        runner.check_target(name, &target)?;
        let place = Place {
            project: TARGET.parse()?,
            module: TARGET.parse()?,
            environment: TARGET.parse()?,
        };
        Ok(Self { runner, name: name.clone(), world, target, place })
    }

    pub(super) fn job(&self, payload: &str, when: When) -> Job {
        let (request, run) = (RequestId::from_u128(1), RunId::from_u128(when.run));
        Job {
            id: JobId { request, revision: 1, attempt: 1, fence: 1, run },
            runner: self.name.clone(),
            target: self.target.clone(),
            payload: payload.to_owned(),
            payload_digest: Digest::of(payload.as_bytes()),
            place: self.place.clone(),
            deadline: now(when).plus_ms(DEADLINE_MS),
            dry_run: true,
            settings: "{}".to_owned(),
        }
    }

    /// A plan in a world where nothing was done yet.
    pub(super) fn plan(&self, payload: &str, when: When) -> Result<Plan, Error> {
        self.world.reset(None);
        self.runner.plan(&self.job(payload, when), &Link::at(now(when)))
    }

    /// A run with this trouble.
    pub(super) fn execute(
        &self,
        payload: &str,
        plan: &Plan,
        (trouble, link): (Option<(usize, Trouble)>, &Link),
    ) -> Outcome {
        self.world.reset(trouble);
        self.runner.execute(&self.job(payload, When::default()), plan, link)
    }

    /// What became of the run, with nothing of it left but its target and its checkpoints.
    pub(super) fn verify(&self, payload: &str, plan: &Plan, after: &Link) -> Outcome {
        self.world.revive();
        self.runner.verify(&self.job(payload, When::default()), plan, &after.later())
    }

    /// The steps that have an effect, or what has one that must not.
    pub(super) fn truth(&self, plan: &Plan) -> Result<Vec<String>, String> {
        let mut left = self.world.applied();
        let mut done = Vec::new();
        for step in &plan.steps {
            if let Some(at) = left.iter().position(|body| *body == step.body) {
                left.remove(at);
                done.push(step.id.clone());
            }
        }
        match left.first() {
            None => Ok(done),
            Some(body) if plan.steps.iter().any(|step| step.body == *body) => {
                Err(format!("`{body}` took effect more than once"))
            }
            Some(body) => Err(format!("`{body}` took effect, and no approved step says so")),
        }
    }

    /// Whether what is said is the truth. The word, where it is.
    pub(super) fn is_true(&self, said: &Outcome, plan: &Plan) -> Result<&'static str, String> {
        let truth = self.truth(plan)?;
        let is_all = truth.len() == plan.steps.len();
        let only_reads = plan.steps.iter().all(|step| step.kind == "read");
        match said {
            Outcome::Succeeded(_) if is_all || only_reads => Ok("succeeded"),
            Outcome::Failed(failure) if failure.applied == truth && (!is_all || only_reads) => {
                Ok("failed")
            }
            // Nobody knows; what is said to have taken effect did.
            Outcome::Unknown(failure) if failure.applied.iter().all(|id| truth.contains(id)) => {
                Ok("unknown")
            }
            Outcome::Succeeded(_) | Outcome::Failed(_) | Outcome::Unknown(_) => {
                Err(format!("it says {}, and what took effect is {truth:?}", told(said)))
            }
        }
    }
}

/// The clock of a job.
pub(super) fn now(when: When) -> Timestamp {
    Timestamp::from_micros(NOW_MICROS).plus_ms(when.later_ms)
}

/// An outcome in a few words.
pub(super) fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded(report) => format!("succeeded ({})", report.summary),
        Outcome::Failed(failure) => format!("failed ({}: {})", failure.code, failure.message),
        Outcome::Unknown(failure) => format!("unknown ({}: {})", failure.code, failure.message),
    }
}
