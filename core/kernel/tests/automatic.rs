//! Runs that the gate starts: the way of any other run, on behalf of somebody who may.

use placet_core::error::Code;
use placet_core::gate::{Gate, NewArtifact, Ticket};
use placet_core::id::RequestId;
use placet_core::org::command::{
    ApplyRoleTemplate, AssignRole, EndGrant, RoleTemplate, SetExecution, SetWorkflow,
};
use placet_core::org::{ExecutionMode, Interval};
use placet_core::request::{Request, State, StateName};
use placet_core::runner::{Failure, Outcome};
use placet_core::store::Key;
use placet_core::testing::Seen;
use placet_core::workflow::{Definition, StateCode, Transition, Verb};

use crate::world::{World, assert_invariants};

fn automatic(runner: Option<&str>, mode: ExecutionMode) -> World {
    let world = World::new();
    set(&world, runner, mode, None);
    world
}

fn set(world: &World, runner: Option<&str>, mode: ExecutionMode, attempts_max: Option<u32>) {
    let (project, environment) = (world.project, world.dev);
    let runner = runner.map(|name| name.parse().unwrap());
    let rule = SetExecution { project, environment, runner, mode, attempts_max };
    world.gate.manage(&world.caller("root"), &rule).unwrap();
}

fn approved(world: &World, requester: &str, approver: &str) -> RequestId {
    let mut id = None;
    for step in
        [format!("draft {requester}"), format!("submit {requester}"), format!("approve {approver}")]
    {
        world.step(&mut id, &step).unwrap();
    }
    id.unwrap()
}

fn drive(world: &World, ticket: Ticket) -> Request {
    world.gate.drive(ticket, &Seen::default()).unwrap()
}

fn last_step(world: &World, id: RequestId) -> (String, Option<String>) {
    let step = world.gate.history(&world.caller("cy"), id).unwrap().pop().unwrap();
    (step.action, step.comment)
}

#[test]
fn what_is_approved_runs_by_itself_on_behalf_of_who_asked() {
    let world = automatic(None, ExecutionMode::Automatic);
    let id = approved(&world, "ana", "bo");
    assert_invariants(&*world.bench.parts.store);
    let ticket = world.gate.run_due().unwrap().unwrap();
    assert_eq!(ticket.request(), id);
    assert!(world.gate.run_due().unwrap().is_none(), "there is one run");
    let (_, leaf) = world.gate.trail(&world.caller("bo"), id).unwrap().pop().unwrap();
    let ana = world.people["ana"];
    assert_eq!(
        (leaf.event.as_str(), leaf.actor, leaf.on_behalf_of),
        ("run.started", None, Some(ana))
    );
    // Judged afresh: whoever it runs on behalf of, and who approved.
    assert_eq!(leaf.decisions.len(), 2);
    let step = world.gate.history(&world.caller("bo"), id).unwrap().pop().unwrap();
    assert_eq!((step.action.as_str(), step.actor), ("EXECUTE", None));
    assert_eq!(step.comment.unwrap(), format!("automatic, on behalf of {ana}"));
    assert_eq!(drive(&world, ticket).state.name(), StateName::Succeeded);
    assert!(world.gate.run_due().unwrap().is_none());
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn nothing_runs_by_itself_where_nobody_said_so_or_before_the_quorum() {
    let world = World::new();
    approved(&world, "ana", "bo");
    assert!(world.gate.run_due().unwrap().is_none());
    // The rule for a runner goes before that for all.
    for (runner, mode) in [(None, ExecutionMode::Automatic), (Some("sql"), ExecutionMode::Manual)] {
        set(&world, runner, mode, None);
    }
    approved(&world, "ana", "bo");
    assert!(world.gate.run_due().unwrap().is_none());
    let world = automatic(Some("sql"), ExecutionMode::Automatic);
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
        assert!(world.gate.run_due().unwrap().is_none(), "{step}");
    }
    world.step(&mut id, "approve bo").unwrap();
    assert!(world.gate.run_due().unwrap().is_some());
}

fn take_rights(world: &World, names: &[&str]) {
    world.bench.clock.advance_ms(1);
    let (root, project) = (world.caller("root"), world.project);
    let people: Vec<_> = names.iter().map(|name| world.people[name]).collect();
    let held = world.gate.organisation(&root, project).unwrap().grants;
    for grant in held.iter().filter(|grant| people.contains(&grant.user_id)) {
        world.gate.manage(&root, &EndGrant { project, grant: grant.id, at: None }).unwrap();
    }
}

#[test]
fn who_approved_last_stands_in_and_where_nobody_may_it_waits_for_a_person() {
    let world = automatic(None, ExecutionMode::Automatic);
    let id = approved(&world, "ana", "bo");
    take_rights(&world, &["ana"]);
    let ticket = world.gate.run_due().unwrap().unwrap();
    let (_, leaf) = world.gate.trail(&world.caller("bo"), id).unwrap().pop().unwrap();
    assert_eq!(leaf.on_behalf_of, Some(world.people["bo"]));
    drive(&world, ticket);

    let world = automatic(None, ExecutionMode::Automatic);
    let id = approved(&world, "ana", "bo");
    take_rights(&world, &["ana", "bo"]);
    assert!(world.gate.run_due().unwrap().is_none());
    let view = world.gate.view(&world.caller("cy"), id).unwrap();
    let State::Approved(approved) = view.state else { panic!("{:?}", view.state) };
    assert!(!approved.is_automatic);
    let (action, why) = last_step(&world, id);
    assert_eq!(
        (action.as_str(), why.unwrap().as_str()),
        ("HOLD_BACK", "neither who asked nor who approved last may execute")
    );
    let (_, leaf) = world.gate.trail(&world.caller("cy"), id).unwrap().pop().unwrap();
    assert_eq!((leaf.event.as_str(), leaf.facts["because"].as_str()), ("run.held_back", "denied"));
    // Once is enough.
    let entries = world.bench.parts.store.log_len().unwrap();
    assert!(world.gate.run_due().unwrap().is_none());
    assert_eq!(world.bench.parts.store.log_len().unwrap(), entries);
    assert_eq!(world.bench.runner.entered(), []);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn what_is_not_what_was_approved_is_held_back() {
    let world = automatic(None, ExecutionMode::Automatic);
    let id = approved(&world, "ana", "bo");
    world.bench.runner.install(b"the next version");
    assert!(world.gate.run_due().unwrap().is_none());
    assert_eq!(last_step(&world, id).0, "HOLD_BACK");
    // Installed again, a person may run it; the gate does not.
    world.bench.runner.install(b"scripted plugin, version 1");
    assert!(world.gate.run_due().unwrap().is_none());
    let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
    assert_eq!(drive(&world, ticket).state.name(), StateName::Succeeded);
    // An approver who lost the right since.
    let id = approved(&world, "ana", "bo");
    take_rights(&world, &["bo"]);
    assert!(world.gate.run_due().unwrap().is_none());
    assert_eq!(last_step(&world, id).0, "HOLD_BACK");
    assert_eq!(world.bench.runner.entered().len(), 1);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_busy_target_keeps_it_due_and_keeps_no_other() {
    let world = automatic(None, ExecutionMode::Automatic);
    let [first, second] = [approved(&world, "ana", "bo"), approved(&world, "ana", "bo")];
    let ticket = world.gate.run_due().unwrap().unwrap();
    assert_eq!(ticket.request(), first);
    assert!(world.gate.run_due().unwrap().is_none(), "the other waits for the target");
    assert_invariants(&*world.bench.parts.store);
    drive(&world, ticket);
    let ticket = world.gate.run_due().unwrap().unwrap();
    assert_eq!(ticket.request(), second);
    drive(&world, ticket);
}

#[test]
fn whatever_takes_it_away_from_approved_takes_it_from_what_is_due() {
    let world = automatic(None, ExecutionMode::Automatic);
    let mut edited = Some(approved(&world, "ana", "bo"));
    world.step(&mut edited, "edit ana").unwrap();
    let mut cancelled = Some(approved(&world, "ana", "bo"));
    world.step(&mut cancelled, "cancel ana").unwrap();
    let mut commented = Some(approved(&world, "ana", "bo"));
    world.step(&mut commented, "comment bo soon").unwrap();
    assert_invariants(&*world.bench.parts.store);
    let ticket = world.gate.run_due().unwrap().unwrap();
    assert_eq!(Some(ticket.request()), commented);
    drive(&world, ticket);
    let mut by_hand = Some(approved(&world, "ana", "bo"));
    world.step(&mut by_hand, "execute bo").unwrap();
    assert!(world.gate.run_due().unwrap().is_none());
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_failure_is_not_run_again_by_itself() {
    let world = automatic(None, ExecutionMode::Automatic);
    set(&world, None, ExecutionMode::Automatic, Some(1));
    let id = approved(&world, "ana", "bo");
    world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "it says")));
    let ticket = world.gate.run_due().unwrap().unwrap();
    assert_eq!(drive(&world, ticket).state.name(), StateName::Failed);
    assert!(world.gate.run_due().unwrap().is_none());
    // One attempt here, whatever the gate's limit is.
    assert_eq!(world.gate.rerun(&world.caller("bo"), id).unwrap_err().code(), Code::Refused);
    let zero = SetExecution {
        project: world.project,
        environment: world.dev,
        runner: None,
        mode: ExecutionMode::Manual,
        attempts_max: Some(0),
    };
    let error = world.gate.manage(&world.caller("root"), &zero).unwrap_err();
    assert_eq!(error.code(), Code::InvalidInput);
}

#[test]
fn a_batch_goes_on_by_itself_and_stops_at_an_error() {
    let world = automatic(None, ExecutionMode::Automatic);
    let mut new = world.new_request(world.dev);
    let more = ["second", "third"].map(|name| name.parse().unwrap());
    new.change = new.change.and_then_at(more, world.gate.limits()).unwrap();
    let id = world.gate.draft_and_submit(&world.caller("ana"), &new).unwrap().header.id;
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
    let run = || drive(&world, world.gate.run_due().unwrap().unwrap()).state.name();
    assert_eq!(run(), StateName::Approved);
    world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "it says")));
    assert_eq!(run(), StateName::Failed);
    assert!(world.gate.run_due().unwrap().is_none());
    assert_invariants(&*world.bench.parts.store);
    // A person runs the target again at which it failed; the gate goes on from there.
    let ticket = world.gate.rerun(&world.caller("bo"), id).unwrap();
    assert_eq!(drive(&world, ticket).state.name(), StateName::Approved);
    assert_eq!(run(), StateName::Succeeded);
    assert_invariants(&*world.bench.parts.store);
}

/// What would be refused at each look is refused once, and told in its history.
#[test]
fn a_target_that_nobody_knows_waits_for_a_person() {
    let (world, id) = artifact_that_is_due();
    world.bench.runner.loses_target("orders");
    assert!(world.gate.run_due().unwrap().is_none());
    assert_eq!(last_step(&world, id).0, "HOLD_BACK");
    let (_, leaf) = world.gate.trail(&world.caller("bo"), id).unwrap().pop().unwrap();
    assert_eq!(leaf.facts["because"], "unknown_target");
    let entries = world.bench.parts.store.log_len().unwrap();
    assert!(world.gate.run_due().unwrap().is_none());
    assert_eq!(world.bench.parts.store.log_len().unwrap(), entries);
    assert_invariants(&*world.bench.parts.store);
}

/// What is approved and has to be passed on first waits for that, and is not given up meanwhile.
#[test]
fn what_is_passed_on_after_its_approval_runs_then() {
    let world = automatic(None, ExecutionMode::Automatic);
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let mut definition = Definition { name: "release".parse().unwrap(), ..Definition::change() };
    definition.version = 0;
    let ready: StateCode = "READY".parse().unwrap();
    let approved: StateCode = "APPROVED".parse().unwrap();
    let mut state = definition.states.iter().find(|it| it.code == approved).unwrap().clone();
    state.code = ready.clone();
    definition.states.push(state);
    for way in &mut definition.transitions {
        if way.verb == Verb::Execute {
            way.from = ready.clone();
        }
    }
    definition.transitions.push(Transition {
        action: "PASS".parse().unwrap(),
        verb: Verb::Advance,
        from: approved,
        to: ready,
        roles: [].into(),
        requires: [].into(),
    });
    gate.manage(&root, &SetWorkflow { project, definition }).unwrap();
    let (ana, bo) = (world.caller("ana"), world.caller("bo"));
    let name = "release".parse().unwrap();
    let id = gate.draft_in(&ana, &world.new_request(world.dev), &name).unwrap().header.id;
    gate.submit(&ana, id).unwrap();
    gate.approve(&bo, id, world.digest(id), None).unwrap();
    assert!(gate.run_due().unwrap().is_none());
    gate.advance(&bo, id, &"PASS".parse().unwrap(), None).unwrap();
    let ticket = gate.run_due().unwrap().expect("it was not given up");
    assert_eq!(drive(&world, ticket).state.name(), StateName::Succeeded);
}

#[test]
fn whom_the_workflow_keeps_from_it_it_is_not_run_for() {
    let (world, id) = artifact_that_is_due();
    // Ana may execute by another role, and publishes nothing without hers.
    let (root, project, ana) = (world.caller("root"), world.project, world.people["ana"]);
    let shop = world.gate.organisation(&root, project).unwrap();
    let editor = shop.roles.iter().find(|role| role.name.as_str() == "EDITOR").unwrap().id;
    let held = |row: &&placet_core::org::Grant| row.user_id == ana && row.role_id == editor;
    let grant = shop.grants.iter().find(held).unwrap().id;
    world.bench.clock.advance_ms(1);
    world.gate.manage(&root, &EndGrant { project, grant, at: None }).unwrap();
    let ticket = world.gate.run_due().unwrap().unwrap();
    let (_, leaf) = world.gate.trail(&world.caller("bo"), id).unwrap().pop().unwrap();
    assert_eq!(leaf.on_behalf_of, Some(world.people["bo"]));
    drive(&world, ticket);
}

/// An artifact of Ana's, an EDITOR, that Bo agreed to, an ADMIN.
fn artifact_that_is_due() -> (World, RequestId) {
    let world = automatic(None, ExecutionMode::Automatic);
    let (root, project) = (world.caller("root"), world.project);
    let template = ApplyRoleTemplate { project, template: RoleTemplate::Artifact };
    let roles = world.gate.manage(&root, &template).unwrap();
    for (name, role) in [("ana", 1), ("bo", 0)] {
        let (user, role) = (world.people[name], roles[role].id);
        let valid = Interval::starting(world.now());
        world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    }
    let new = NewArtifact {
        project,
        module: world.pagos,
        environment: world.dev,
        artifact_type: "TEST_CASE".parse().unwrap(),
        artifact_id: 1,
        title: "pay twice".to_owned(),
        body: r#"{"steps":["pay","pay"]}"#.to_owned(),
        runner: "sql".parse().unwrap(),
        target: "orders".parse().unwrap(),
        depends_on: [].into(),
    };
    let ana = world.caller("ana");
    let id = world.gate.draft_artifact(&ana, &new).unwrap().header.id;
    world.gate.submit(&ana, id).unwrap();
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
    (world, id)
}

/// How often anybody had to wait at `target`.
fn asks(world: &World, target: &str) -> u64 {
    let key = Key::from_segments(&["turn", target]);
    let stored = world.bench.parts.store.get(&key).unwrap().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&stored.value).unwrap();
    json["body"]["asks"].as_u64().unwrap()
}

#[test]
fn whatever_waits_is_asked_once_a_round_and_not_before_each_other() {
    const EACH: u64 = 12;
    let world = automatic(None, ExecutionMode::Automatic);
    let due_at = |target: &str| {
        let mut new = world.new_request(world.dev);
        new.change.target = target.parse().unwrap();
        let id = world.gate.draft_and_submit(&world.caller("ana"), &new).unwrap().header.id;
        world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
    };
    due_at("busy");
    let running = world.gate.run_due().unwrap().unwrap();
    for _ in 0..EACH {
        due_at("busy");
    }
    for number in 0..EACH {
        due_at(&format!("free-{number}"));
    }
    let mut started = 0;
    while let Some(ticket) = world.gate.run_due().unwrap() {
        drive(&world, ticket);
        started += 1;
    }
    assert_eq!(started, EACH);
    // Once on the way, and once in the round that found nothing.
    assert!(asks(&world, "busy") <= 2 * EACH + 1, "{} asks", asks(&world, "busy"));
    drive(&world, running);
    // Nobody is forgotten.
    for _ in 0..EACH {
        drive(&world, world.gate.run_due().unwrap().unwrap());
    }
    assert!(world.gate.run_due().unwrap().is_none());
    assert_invariants(&*world.bench.parts.store);
}

/// Two nodes look at the same moment: one of them starts it.
#[test]
fn two_nodes_start_one_run() {
    let world = automatic(None, ExecutionMode::Automatic);
    let other = Gate::new(world.bench.parts.clone());
    for _ in 0..3 {
        let id = approved(&world, "ana", "bo");
        let tickets = [&world.gate, &other].map(|gate| gate.run_due().unwrap());
        let mut started: Vec<Ticket> = tickets.into_iter().flatten().collect();
        assert_eq!(started.len(), 1);
        let ticket = started.remove(0);
        assert_eq!(ticket.request(), id);
        drive(&world, ticket);
    }
}
