//! What a run notes, its verification reads, and a person is not asked about what can be read there.

use std::sync::Arc;

use placet_core::error::{Code, Error};
use placet_core::gate::{Finding as Word, Gate};
use placet_core::id::RequestId;
use placet_core::org::Slug;
use placet_core::request::StateName;
use placet_core::runner::{
    Failure, Finding, Job, Outcome, Plan, Report, RunLink, Runner, RunnerInfo,
};
use placet_core::testing::{ScriptedRunner, Seen};

use crate::world::World;

/// Notes how far it came and then does not know how it ended; its verification says what the notes say, and where
/// there are none, that it never began.
#[derive(Debug)]
struct Noting {
    script: Arc<ScriptedRunner>,
    notes: &'static str,
}

impl Runner for Noting {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        self.script.describe(runner)
    }

    fn validate(&self, runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error> {
        self.script.validate(runner, payload)
    }

    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error> {
        self.script.plan(job, link)
    }

    fn execute(&self, _job: &Job, _approved: &Plan, link: &dyn RunLink) -> Outcome {
        link.checkpoint("1", self.notes).unwrap();
        Outcome::Unknown(Failure::new("lost", "nobody answered"))
    }

    fn verify(&self, _job: &Job, _approved: &Plan, link: &dyn RunLink) -> Outcome {
        // Looking back adds nothing to what was noted.
        assert_eq!(link.checkpoint("1", "done").unwrap_err().code(), Code::WrongState);
        match link.checkpoints().unwrap().last().map(|(_, state)| state.as_str()) {
            Some("done") => Outcome::Succeeded(Report::default()),
            Some(_) => Outcome::Unknown(Failure::new("lost", "it was sent, and nobody answered")),
            None => Outcome::Failed(Failure::new("not_begun", "it was never sent")),
        }
    }
}

/// A request whose run noted `notes` and then ended as unknown.
fn unknown(notes: &'static str) -> (World, Gate, RequestId) {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo"] {
        world.step(&mut id, step).unwrap();
    }
    let mut parts = world.bench.parts.clone();
    parts.runner = Arc::new(Noting { script: Arc::clone(&world.bench.runner), notes });
    let gate = Gate::new(parts);
    let id = id.unwrap();
    let ticket = gate.execute(&world.caller("bo"), id).unwrap();
    let ended = gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(ended.state.name(), StateName::Unknown);
    (world, gate, id)
}

#[test]
fn what_a_run_noted_is_read_by_its_verification() {
    let (world, gate, id) = unknown("done");
    let (request, _) = gate.verify(&world.caller("bo"), id).unwrap();
    assert_eq!(request.state.name(), StateName::Succeeded);

    let (world, gate, id) = unknown("sent");
    let (request, _) = gate.verify(&world.caller("bo"), id).unwrap();
    assert_eq!(request.state.name(), StateName::Unknown);
}

#[test]
fn a_persons_word_counts_where_the_notes_leave_it_open_and_nowhere_else() {
    let (world, gate, id) = unknown("sent");
    let word = |gate: &Gate| gate.reconcile(&world.caller("bo"), id, Word::Done, "looked at it");
    assert_eq!(word(&gate).unwrap().state.name(), StateName::Succeeded);

    let (world, gate, id) = unknown("done");
    let refused = gate.reconcile(&world.caller("bo"), id, Word::NothingDone, "looked at it");
    assert_eq!(refused.unwrap_err().code(), Code::Refused);
}
