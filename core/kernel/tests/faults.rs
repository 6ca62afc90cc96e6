//! Every store call fails once, in turn; afterwards what must always hold is checked.

use std::sync::Arc;

use placet_core::error::Error;
use placet_core::gate::Gate;
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AssignModule, CreateModule, CreateProject, CreateTeam, SetUserActive,
};
use placet_core::org::{Interval, TeamRole};
use placet_core::request::StateName;
use placet_core::store::{MemoryStore, Store};
use placet_core::testing::{Bench, FailingStore, Failure, Seen};

use crate::world::{World, assert_invariants, user};

/// A whole request, from drafting to a verified outcome, on a gate whose store is about to fail.
fn whole_request(world: &World, gate: &Gate) -> Result<StateName, Error> {
    let (ana, bo) = (world.caller("ana"), world.caller("bo"));
    let id = gate.draft(&ana, &world.new_request(world.dev))?.header.id;
    gate.submit(&ana, id)?;
    let digest = gate.view(&bo, id)?.digest.unwrap();
    gate.approve(&bo, id, digest, Some("fine"))?;
    let ticket = gate.execute(&bo, id)?;
    gate.drive(ticket, &Seen::default())?;
    Ok(gate.verify(&bo, id)?.0.state.name())
}

fn every_call_fails_once(failure: Failure) {
    let mut failures = 0;
    for nth in 0.. {
        let memory: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let world = World::on(Arc::clone(&memory)).unwrap();
        let failing = Arc::new(FailingStore::new(Arc::clone(&memory), nth, failure));
        let mut parts = world.bench.parts.clone();
        parts.store = Arc::<FailingStore>::clone(&failing);
        let ended = whole_request(&world, &Gate::new(parts));
        assert_invariants(&*memory);
        let entered = world.bench.runner.entered();
        assert!(entered.len() <= 1, "call {nth}: entered {} times", entered.len());
        if !failing.failed() {
            assert_eq!(ended.unwrap(), StateName::Succeeded);
            break;
        }
        failures += 1;
        recovers(&world, &memory, nth);
    }
    assert!(failures > 50, "only {failures} calls were made to fail");
}

/// After a restart nothing is lost and nothing runs a second time.
fn recovers(world: &World, memory: &Arc<dyn Store>, nth: u64) {
    let mut parts = world.bench.parts.clone();
    parts.store = Arc::clone(memory);
    let gate = Gate::new(parts);
    gate.recover().unwrap();
    let bo = world.caller("bo");
    let entered = world.bench.runner.entered().len();
    for item in gate.requests(&bo, world.project, None).unwrap().items {
        assert_ne!(item.state, StateName::Executing, "call {nth}");
        if item.state == StateName::Unknown {
            let (request, _) = gate.verify(&bo, item.id).unwrap();
            assert_eq!(request.state.name(), StateName::Succeeded, "call {nth}");
        }
    }
    assert_eq!(world.bench.runner.entered().len(), entered, "call {nth}");
    assert_invariants(&**memory);
}

#[test]
fn a_call_that_fails_before_it_did_anything_loses_nothing() {
    every_call_fails_once(Failure::BeforeApplied);
}

#[test]
fn a_call_whose_answer_is_lost_is_not_done_twice() {
    every_call_fails_once(Failure::AnswerLost);
}

/// The smallest organisation: one of each kind of command.
fn organise(store: Arc<dyn Store>) -> Result<(), Error> {
    let gate = Gate::new(Bench::on(store)?.parts);
    let root = Caller::authenticated(gate.bootstrap(&user("root"))?);
    let (code, name) = ("shop".parse()?, "Shop".parse()?);
    let project = gate.administer(&root, &CreateProject { code, name })?;
    let (code, name) = ("pagos".parse()?, "Pagos".parse()?);
    let module = gate.manage(&root, &CreateModule { project, code, name })?;
    let team = gate.manage(&root, &CreateTeam { project, name: "checkout".parse()? })?;
    gate.manage(&root, &AssignModule { project, team, module })?;
    let ana = gate.administer(&root, &user("ana"))?;
    let valid = Interval::starting("2026-01-01T00:00:00Z".parse()?);
    let role = TeamRole::Member;
    gate.manage(&root, &AddMember { project, team, user: ana, role, valid })?;
    gate.administer(&root, &SetUserActive { user: ana, active: false })
}

#[test]
fn organising_survives_a_failure_of_every_call() {
    for failure in Failure::ALL {
        for nth in 0.. {
            let memory: Arc<dyn Store> = Arc::new(MemoryStore::default());
            let failing = Arc::new(FailingStore::new(Arc::clone(&memory), nth, failure));
            let ended = organise(Arc::<FailingStore>::clone(&failing));
            assert_invariants(&*memory);
            if !failing.failed() {
                ended.unwrap();
                break;
            }
        }
    }
}
