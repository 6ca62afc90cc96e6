//! The simulated runner: pauses, dies, traps, hangs and lies in the middle of a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::{
    Effect, Failure, Finding, Impact, Job, Outcome, Plan, Report, Risk, RunLink, Runner,
    RunnerInfo, Step,
};

use crate::sim::{Sim, Variant};
use crate::target::Reading;

/// The runner of one process.
#[derive(Debug)]
pub(crate) struct SimRunner {
    pub(crate) sim: Weak<Sim>,
    pub(crate) alive: Arc<AtomicBool>,
}

fn failed(code: &str) -> Outcome {
    Outcome::Failed(Failure::new(code, "it was undone"))
}

impl SimRunner {
    fn sim(&self) -> Arc<Sim> {
        self.sim.upgrade().unwrap()
    }

    /// Whether the run may still touch its target. The broken variant does not ask.
    fn may_touch(&self, sim: &Arc<Sim>, link: &dyn RunLink) -> bool {
        sim.variant == Variant::NoLeaseCheck || link.may_touch_target().is_ok()
    }

    fn run(&self, sim: &Arc<Sim>, job: &Job, link: &dyn RunLink) -> Outcome {
        // Everything can happen between any two steps: other nodes act, time passes, this process dies.
        sim.meanwhile();
        if !self.may_touch(sim, link) {
            return failed("lease_lost");
        }
        sim.meanwhile();
        if !self.alive.load(Ordering::SeqCst)
            || !sim.target.begin(job.id, job.target.as_str(), &self.alive)
        {
            return failed("locked");
        }
        sim.meanwhile();
        match sim.trouble() {
            Some("a trap") => {
                sim.target.rollback(job.id);
                return failed("runner_fault");
            }
            Some("a hang") => sim.pause_ms(90_000),
            _ => {}
        }
        if !self.may_touch(sim, link) {
            sim.target.rollback(job.id);
            return failed("lease_lost");
        }
        // Nobody can shut this gap: a process may stop between its last question and its commit.
        sim.meanwhile();
        let marks_outside = sim.variant == Variant::MarkerOutside;
        if !sim.target.commit(job.id, !marks_outside) {
            return Outcome::Unknown(Failure::new("connection", "the target was lost"));
        }
        if marks_outside {
            sim.meanwhile();
            if self.alive.load(Ordering::SeqCst) {
                sim.target.mark(job.id);
            }
        }
        match sim.trouble() {
            Some("the commit's reply is lost") => {
                Outcome::Unknown(Failure::new("connection", "the reply was lost"))
            }
            // The host saw the commit: whatever the plugin says now, that counts.
            Some(_) | None => Outcome::Succeeded(Report::default()),
        }
    }
}

impl Runner for SimRunner {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        let version = self.sim().plugin_version();
        let digest = Digest::of(version.to_string().as_bytes());
        Ok(RunnerInfo::new(runner.clone(), version.to_string(), digest))
    }

    fn validate(&self, _: &Slug, _: &str) -> Result<Vec<Finding>, Error> {
        Ok(Vec::new())
    }

    fn plan(&self, job: &Job, _: &dyn RunLink) -> Result<Plan, Error> {
        if self.sim().trouble() == Some("a trap") {
            return Err(Error::new(Code::RunnerFault, "the plugin broke off"));
        }
        let step = Step {
            id: "1".to_owned(),
            title: "the only step".to_owned(),
            body: job.payload.clone(),
            body_digest: job.payload_digest,
            target: job.target.clone(),
            kind: "write".to_owned(),
            risk: Risk::Low,
            effect: Effect::Transactional,
            estimated_rows: None,
            reversible: true,
            impact: Impact::default(),
        };
        Ok(Plan::new(vec![step], Vec::new()))
    }

    fn execute(&self, job: &Job, _: &Plan, link: &dyn RunLink) -> Outcome {
        let sim = self.sim();
        sim.entered(job);
        let outcome = self.run(&sim, job, link);
        sim.meanwhile();
        outcome
    }

    fn verify(&self, job: &Job, _: &Plan, _: &dyn RunLink) -> Outcome {
        let sim = self.sim();
        if sim.trouble().is_some() {
            return Outcome::Unknown(Failure::new("connection", "the target does not answer"));
        }
        match sim.target.read(job.id) {
            Reading::Done => Outcome::Succeeded(Report::default()),
            Reading::NotDone => failed("not_there"),
            Reading::CannotTell => {
                Outcome::Unknown(Failure::new("locked", "a transaction is open"))
            }
        }
    }
}
