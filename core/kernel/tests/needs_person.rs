//! What a person must look at is never approved without one: not by a rule, not by an agent, not for a target or a
//! stage that nobody looked at, and not by a record that somebody changed.

use std::sync::Arc;

use placet_core::digest::Digest;
use placet_core::error::Code;
use placet_core::gate::{Gate, NewArtifact, Promotion};
use placet_core::id::RequestId;
use placet_core::org::ExecutionMode;
use placet_core::org::Interval;
use placet_core::org::command::{
    ApplyRoleTemplate, AssignRole, CommandKind, CreateTeam, RoleTemplate, SetAutoApproveAi,
    SetExecution, SetGovernance, SetPromotion, SetQuorum,
};
use placet_core::request::{Change, Quorum, Request, State, StateName};
use placet_core::runner::{Failure, Finding, Job, Level, Outcome, Plan};
use placet_core::store::{Batch, Key, MemoryStore};
use placet_core::testing::{Bench, Office, Seen};
use serde_json::{Map, Value};

use crate::model::promises::broken_promises;
use crate::world::{World, assert_invariants};

/// The world in which agents' artifacts are approved by rule in dev.
fn world() -> World {
    let world = World::new();
    let (root, project, environment) = (world.caller("root"), world.project, world.dev);
    let template = ApplyRoleTemplate { project, template: RoleTemplate::Artifact };
    let roles = world.gate.manage(&root, &template).unwrap();
    for (name, role) in [("robot", 1), ("bo", 0)] {
        let (user, role) = (world.people[name], roles[role].id);
        let valid = Interval::starting(world.now());
        world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    }
    world.gate.manage(&root, &SetAutoApproveAi { project, environment, is_on: true }).unwrap();
    world
}

/// From here on, plans for these targets have something that a person must look at; for all of them where none is named.
fn unread(world: &World, targets: &'static [&'static str]) {
    unread_on(&world.bench, targets);
}

fn unread_on(bench: &Bench, targets: &'static [&'static str]) {
    bench.runner.plans_as(move |job: &Job, plan: &mut Plan| {
        if targets.is_empty() || targets.contains(&job.target.as_str()) {
            let message = "it could not be parsed; a person must read it".to_owned();
            let finding = Finding::new(Level::Warning, "sql.unparsed".to_owned(), message);
            plan.findings.push(Finding { needs_person: true, ..finding });
        }
    });
}

fn read(world: &World) {
    world.bench.runner.plans_as(|_, _| {});
}

fn artifact(world: &World, number: i64) -> RequestId {
    let new = NewArtifact {
        project: world.project,
        module: world.pagos,
        environment: world.dev,
        artifact_type: "TEST_CASE".parse().unwrap(),
        artifact_id: number,
        title: "pay twice".to_owned(),
        body: r#"{"steps":["pay","pay"]}"#.to_owned(),
        runner: "sql".parse().unwrap(),
        target: "orders".parse().unwrap(),
        depends_on: [].into(),
    };
    world.gate.draft_artifact(&world.caller("robot"), &new).unwrap().header.id
}

fn submitted(world: &World, id: RequestId) -> String {
    world.gate.submit(&world.caller("robot"), id).unwrap().header.step.to_string()
}

fn run(world: &World, id: RequestId) -> StateName {
    let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
    world.gate.drive(ticket, &Seen::default()).unwrap().state.name()
}

#[test]
fn no_rule_agrees_to_what_a_person_must_look_at() {
    let world = world();
    unread(&world, &[]);
    let id = artifact(&world, 1);
    assert_eq!(submitted(&world, id), "PENDING_REVIEW");
    // A person who did not write it agrees, and it goes on.
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
    assert_eq!(run(&world, id), StateName::Succeeded);
    // Where nothing asks for a person, the rule acts as before.
    read(&world);
    let other = artifact(&world, 2);
    assert_eq!(submitted(&world, other), "APPROVED");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn one_target_of_a_batch_is_enough_to_ask_for_a_person() {
    let world = world();
    unread(&world, &["second"]);
    let id = artifact(&world, 1);
    let limits = world.gate.limits();
    let batch = |payload: &str| -> Change {
        let change = world.change(payload);
        change.and_then_at(["second".parse().unwrap()], limits).unwrap()
    };
    world.gate.edit(&world.caller("robot"), id, "pay twice", &batch("1")).unwrap();
    let first = world.gate.plan(&world.caller("robot"), id).unwrap();
    assert!(!first.needs_person(), "of the canary, nothing is asked");
    assert_eq!(submitted(&world, id), "PENDING_REVIEW");
}

#[test]
fn a_plan_that_is_made_again_asks_again() {
    let world = world();
    let id = artifact(&world, 1);
    // Nothing was found, and then something was.
    world.gate.plan(&world.caller("robot"), id).unwrap();
    unread(&world, &[]);
    world.gate.plan(&world.caller("robot"), id).unwrap();
    assert_eq!(submitted(&world, id), "PENDING_REVIEW");
    // What a reviewer sends back and nothing is found in any more is for the rule.
    world.gate.request_changes(&world.caller("bo"), id, "write it so that it parses").unwrap();
    read(&world);
    assert_eq!(submitted(&world, id), "APPROVED");
    // And what was taken back is for a person again, once something is found.
    world.gate.revert(&world.caller("bo"), id, None).unwrap();
    unread(&world, &[]);
    world.gate.plan(&world.caller("robot"), id).unwrap();
    assert_eq!(submitted(&world, id), "PENDING_REVIEW");
}

#[test]
fn the_next_version_of_an_artifact_is_looked_at_by_itself() {
    let world = world();
    let id = artifact(&world, 1);
    assert_eq!(submitted(&world, id), "APPROVED");
    assert_eq!(run(&world, id), StateName::Succeeded);
    unread(&world, &[]);
    let next = world.gate.new_version(&world.caller("robot"), id).unwrap().header.id;
    assert_eq!(submitted(&world, next), "PENDING_REVIEW");
}

#[test]
fn neither_an_agent_nor_an_author_is_the_person() {
    let world = World::new();
    unread(&world, &[]);
    let mut id = None;
    for step in ["draft ana", "edit bo", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    for (name, code) in [("ana", Code::Denied), ("bo", Code::Refused), ("robot", Code::Denied)] {
        let error = world.step(&mut id, &format!("approve {name}")).unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
    }
    assert_eq!(world.look(id.unwrap()).state.name(), StateName::PendingApproval);
    let approved = world.step(&mut id, "approve cy").unwrap();
    assert_eq!(approved.state.name(), StateName::Approved);
}

#[test]
fn the_gate_starts_nothing_by_itself_before_a_person_agreed() {
    let world = World::new();
    unread(&world, &[]);
    let (root, project, environment) = (world.caller("root"), world.project, world.dev);
    let (runner, mode, attempts_max) = (None, ExecutionMode::Automatic, None);
    let rule = SetExecution { project, environment, runner, mode, attempts_max };
    world.gate.manage(&root, &rule).unwrap();
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
        assert!(world.gate.run_due().unwrap().is_none(), "{step}");
    }
    world.step(&mut id, "approve bo").unwrap();
    let ticket = world.gate.run_due().unwrap().unwrap();
    world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "no")));
    world.gate.drive(ticket, &Seen::default()).unwrap();
    // Again by the same approval, of a person.
    assert_eq!(world.step(&mut id, "rerun bo").unwrap().state.name(), StateName::Succeeded);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_promoted_change_needs_a_person_of_its_own() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let (environment, from) = (world.prod, world.dev);
    let rule = SetPromotion { project, environment, from, soak_ms: 0, only_promoted: true };
    world.gate.manage(&root, &rule).unwrap();
    let quorum = Quorum::n_of(1, None).unwrap();
    world.gate.manage(&root, &SetQuorum { project, environment, quorum }).unwrap();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "execute bo"] {
        world.step(&mut id, step).unwrap();
    }
    // There it looks otherwise than here.
    unread(&world, &[]);
    let to = Promotion { environment, targets: Vec::new() };
    let ana = world.caller("ana");
    let next = world.gate.promote(&ana, id.unwrap(), &to).unwrap().header.id;
    let pending = world.gate.submit(&ana, next).unwrap();
    assert!(pending.header.plan.unwrap().needs_person);
    assert_eq!(pending.state.name(), StateName::PendingApproval);
    let refused = world.gate.execute(&world.caller("bo"), next).unwrap_err();
    assert_eq!(refused.code(), Code::WrongState);
    world.gate.approve(&world.caller("bo"), next, world.digest(next), None).unwrap();
    assert_eq!(run(&world, next), StateName::Succeeded);
}

/// Their plan is the gate's own, and says what is known: whatever the runner of the host finds, nothing of theirs is
/// unread. They have their approver by their quorum.
#[test]
fn commands_of_the_organisation_ask_for_no_person_by_a_finding() {
    let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
    let gate = Gate::new(bench.parts.clone());
    let office = Office::found(&gate).unwrap();
    office.let_all_manage(&gate).unwrap();
    let Office { project, module, environment, .. } = office;
    let commands = [CommandKind::CreateTeam].into();
    let governance = SetGovernance { project, module, environment, commands };
    gate.manage(&office.root, &governance).unwrap();
    unread_on(&bench, &[]);
    let team = CreateTeam { project, name: "night".parse().unwrap() };
    let id = gate.propose(&office.ana, &team.into(), "a team for the night").unwrap().header.id;
    let plan = gate.plan(&office.ana, id).unwrap();
    assert!(!plan.needs_person() && plan.findings.is_empty(), "{plan:?}");
    let pending = gate.submit(&office.ana, id).unwrap();
    assert!(!pending.header.plan.unwrap().needs_person);
    // A person approves it all the same.
    assert_eq!(pending.state.name(), StateName::PendingApproval);
    // Of a change that the runner of the host plans, the same finding asks for one.
    assert!(office.pending(&gate).unwrap().header.plan.unwrap().needs_person);
}

/// The stored request with another note of its plan, to which the record commits.
fn with_note(stored: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut json: Value = serde_json::from_str(stored).unwrap();
    let texts = json["texts"].as_object_mut().unwrap();
    let note = texts.iter().find(|(_, kept)| kept["text"]["runner_digest"].is_string());
    let (old, mut kept) = note.map(|(key, kept)| (key.clone(), kept.clone())).unwrap();
    texts.remove(&old);
    change(kept["text"].as_object_mut().unwrap());
    // As the kernel writes it, in whatever order another crate lets maps keep their keys.
    let text = serde_json_canonicalizer::to_string(&kept["text"]).unwrap();
    let salt = kept["salt"].as_str().unwrap();
    let new = Digest::of_parts(&[salt.as_bytes(), b"j", text.as_bytes()]).to_string();
    texts.insert(new.clone(), kept);
    json.to_string().replace(&old, &new)
}

/// Somebody who can write to the store makes a rule of a person's approval, or drops the finding. Neither runs.
#[test]
fn a_record_that_was_changed_does_not_get_past() {
    let world = world();
    unread(&world, &[]);
    let id = artifact(&world, 1);
    submitted(&world, id);
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
    let key = Key::from_segments(&["request", &id.to_string()]);
    let store = &*world.bench.parts.store;
    let stored = store.get(&key).unwrap().unwrap();
    let text = String::from_utf8(stored.value.clone()).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let approvals = json["body"]["state"]["approvals"].to_string();
    assert!(text.contains(&approvals), "{text}");
    let by_rule =
        text.replacen(&format!("\"approvals\":{approvals}"), "\"approvals\":[]", 1).replacen(
            "\"state\":\"APPROVED\"",
            "\"by_rule\":\"auto_approve_ai\",\"state\":\"APPROVED\"",
            1,
        );
    let nobody = text.replacen(&format!("\"approvals\":{approvals}"), "\"approvals\":[]", 1);
    let forgotten = text.replacen("\"needs_person\":true", "\"needs_person\":false", 1);
    // Also by somebody who knows how a record commits to what it says.
    let thorough = with_note(&text, |note| note["needs_person"] = false.into());
    for (what, forged, code) in [
        ("rule", by_rule, Code::ArtifactNotApproved),
        ("nobody", nobody, Code::Refused),
        ("finding", forgotten, Code::StoreDamaged),
        ("thorough", thorough, Code::DigestMismatch),
    ] {
        assert_ne!(forged, text, "{what}");
        store.commit(Batch::default().put(key.clone(), forged.into_bytes())).unwrap();
        let error = world.gate.execute(&world.caller("bo"), id).unwrap_err();
        assert_eq!(error.code(), code, "{what}: {error}");
        store.commit(Batch::default().put(key.clone(), stored.value.clone())).unwrap();
    }
    assert!(world.bench.runner.entered().is_empty());
    assert_eq!(run(&world, id), StateName::Succeeded);
}

/// A note of a plan that was written before there were settings and such findings is read: nobody said that no person is
/// needed. It is planned again, and goes on.
#[test]
fn what_was_planned_before_there_were_such_findings_is_planned_again() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    let key = Key::from_segments(&["request", &id.unwrap().to_string()]);
    let store = &*world.bench.parts.store;
    let text = String::from_utf8(store.get(&key).unwrap().unwrap().value).unwrap();
    let change = world.digest(id.unwrap());
    let older = with_note(&text, |note| {
        for name in ["settings_digest", "needs_person"] {
            assert!(note.remove(name).is_some(), "{name}");
        }
    });
    store.commit(Batch::default().put(key, older.into_bytes())).unwrap();
    // It is not damaged. What it says is shown to nobody as what they would approve, and nobody approves it.
    let bo = world.caller("bo");
    assert_eq!(world.gate.view(&bo, id.unwrap()).unwrap_err().code(), Code::DigestMismatch);
    let error = world.gate.approve(&bo, id.unwrap(), change, None).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch, "{error}");
    for step in ["return bo plan it again", "submit ana", "approve bo", "execute bo"] {
        world.step(&mut id, step).unwrap();
    }
    assert_eq!(world.look(id.unwrap()).state.name(), StateName::Succeeded);
}

/// A gate that let rules agree to everything would leave this record; the promises of the model notice it.
#[test]
fn a_gate_without_this_would_be_noticed() {
    let world = world();
    let id = artifact(&world, 1);
    submitted(&world, id);
    let Request { mut header, state, .. } = world.look(id);
    assert!(matches!(state, State::Approved(_)));
    let digest = Some(world.digest(id));
    assert_eq!(broken_promises(&header, &state, digest, false), Vec::<String>::new());
    header.plan.as_mut().unwrap().needs_person = true;
    let broken = broken_promises(&header, &state, digest, false);
    assert!(broken.iter().any(|it| it.contains("a person must look at")), "{broken:?}");
}
