//! The runner `placet`: what it would do is to carry out a command of the organisation. The gate does it itself, in
//! the commit of the run.

use super::{
    Effect, Failure, Finding, Impact, Job, Level, Outcome, Plan, Risk, RunLink, Runner, RunnerInfo,
    Step,
};
use crate::digest::Digest;
use crate::error::Error;
use crate::org::Slug;
use crate::org::command::OrgCommand;

/// The name of the runner.
pub(crate) const NAME: &str = "placet";

/// What its changes are about.
const TARGET: &str = "organisation";

/// The form of the commands: what was approved under another one does not run.
const FORM: &str = "placet organisation commands, form 1";

/// The runner's name.
pub(crate) fn name() -> Result<Slug, Error> {
    NAME.parse()
}

/// The target of its changes.
pub(crate) fn target() -> Result<Slug, Error> {
    TARGET.parse()
}

/// Its digest.
pub(crate) fn digest() -> Digest {
    Digest::of(FORM.as_bytes())
}

/// Whether `runner` is this one. No other runner is asked by that name.
pub(crate) fn is_own(runner: &Slug) -> bool {
    runner.as_str() == NAME
}

/// The one step of what carries a command out. Rules judge it by its risk, which is high.
pub(crate) fn step(payload: &str) -> Result<Step, Error> {
    Ok(Step {
        id: "1".to_owned(),
        title: String::new(),
        body: payload.to_owned(),
        body_digest: Digest::of(payload.as_bytes()),
        target: target()?,
        kind: "organisation".to_owned(),
        risk: Risk::High,
        effect: Effect::Transactional,
        estimated_rows: None,
        reversible: false,
        impact: Impact::default(),
    })
}

/// The runner.
#[derive(Debug)]
pub(crate) struct OwnRunner;

impl Runner for OwnRunner {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let mut info = RunnerInfo::new(runner.clone(), version, digest());
        "Carries out a command of the organisation".clone_into(&mut info.title);
        Ok(info)
    }

    fn validate(&self, _runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error> {
        let refused = |error: Error| {
            Finding::new(Level::Error, "placet.command".to_owned(), error.to_string())
        };
        Ok(OrgCommand::from_payload(payload).err().map(refused).into_iter().collect())
    }

    fn plan(&self, job: &Job, _link: &dyn RunLink) -> Result<Plan, Error> {
        let command = OrgCommand::from_payload(&job.payload)?;
        let title = command.kind().as_str().replace('_', " ");
        let step = Step { title, ..step(&job.payload)? };
        Ok(Plan::new(vec![step], Vec::new()))
    }

    fn execute(&self, _job: &Job, _approved: &Plan, _link: &dyn RunLink) -> Outcome {
        Outcome::Failed(Failure::new("not_started", "the gate carries commands out itself"))
    }

    fn verify(&self, _job: &Job, _approved: &Plan, _link: &dyn RunLink) -> Outcome {
        Outcome::Unknown(Failure::new("not_a_target", "the gate's own records say how it ended"))
    }
}
