//! Whatever fails in a decision, the answer is no.

use placet_core::authz::{PolicyHit, Verdict};
use placet_core::error::{Code, Error};
use placet_core::limits::Limits;
use placet_core::org::command::EndGrant;
use placet_core::request::{Change, StateName};
use placet_core::store::{Batch, Key};
use placet_core::testing::Seen;

use crate::world::{World, assert_invariants};

fn pending(world: &World) -> placet_core::id::RequestId {
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    id.unwrap()
}

fn approve(world: &World, id: placet_core::id::RequestId) -> Result<(), Error> {
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).map(drop)
}

#[test]
fn a_policy_engine_that_fails_or_forbids_or_disagrees_lets_nobody_in() {
    let world = World::new();
    let id = pending(&world);
    let digest = world.digest(id);
    let hit = || PolicyHit::new("freeze".to_owned(), "host.cedar:3".to_owned());
    let cases = [
        (Err(Code::Internal), "a policy could not be evaluated", 0),
        (
            Ok(Verdict::new(vec![hit()], vec![hit()], vec![])),
            "the policy `freeze` (host.cedar:3) forbids it",
            0,
        ),
        (
            Ok(Verdict::new(vec![hit()], vec![], vec!["overflow".to_owned()])),
            "a policy could not be evaluated",
            0,
        ),
        (Ok(Verdict::new(vec![], vec![], vec![])), "the two deciders do not agree", 1),
    ];
    for (verdict, sentence, disagreements) in cases {
        let before = world.gate.disagreements();
        world.bench.authorizer.answer_with(verdict);
        let error = world.gate.approve(&world.caller("bo"), id, digest, None).unwrap_err();
        // The same engine decides about reading too, so the refused learn nothing.
        assert_eq!(error.code(), Code::NotFound, "{sentence}");
        assert_eq!(world.gate.disagreements() > before, disagreements > 0, "{sentence}");
    }
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn an_approval_is_for_what_its_giver_saw() {
    let world = World::new();
    let id = pending(&world);
    let seen = world.digest(id);
    world.step(&mut Some(id), "edit ana").unwrap();
    world.step(&mut Some(id), "submit ana").unwrap();
    let error = world.gate.approve(&world.caller("bo"), id, seen, None).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    approve(&world, id).unwrap();
}

#[test]
fn another_version_of_the_plugin_is_not_what_was_approved() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    world.bench.runner.install(b"scripted plugin, version 2");
    let error = world.gate.execute(&world.caller("bo"), id).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    assert_eq!(world.bench.runner.entered(), []);
}

#[test]
fn a_payload_that_was_changed_behind_the_gate_does_not_run() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    let store = &world.bench.parts.store;
    let key = Key::from_segments(&["revision", &id.to_string(), "0000000001"]);
    let stored = store.get(&key).unwrap().unwrap();
    let forged = String::from_utf8(stored.value).unwrap().replace("SELECT 1", "SELECT 9");
    store.commit(Batch::default().put(key, forged.into_bytes())).unwrap();
    let error = world.gate.execute(&world.caller("bo"), id).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    assert_eq!(world.bench.runner.entered(), []);
}

#[test]
fn an_approver_who_lost_the_right_does_not_count_when_the_run_starts() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    let root = world.caller("root");
    world.bench.clock.advance_ms(1);
    for (_, leaf) in world.gate.audit(&root, 0).unwrap() {
        for change in leaf.records {
            let Some(grant) = change.name.rsplit_once("user_project_roles/") else { continue };
            let end =
                EndGrant { project: world.project, grant: grant.1.parse().unwrap(), at: None };
            let holder = world.gate.can(
                world.people["bo"],
                &placet_core::authz::Action::APPROVE,
                placet_core::authz::Scope::module(world.project, world.pagos, world.dev),
            );
            if holder {
                // Ends grants one by one until bo's right to approve is gone.
                world.gate.manage(&root, &end).unwrap();
            }
        }
    }
    let error = world.gate.execute(&world.caller("cy"), id).unwrap_err();
    assert_eq!(error.code(), Code::Refused, "{error}");
    assert_eq!(world.bench.runner.entered(), []);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_quorum_that_nobody_can_reach_is_an_error_and_not_an_approval() {
    let world = World::new();
    let mut id = None;
    world.step(&mut id, "draft bo prod").unwrap();
    // Two leads are asked for; bo wrote it, cy is one, the robot never counts.
    let error = world.step(&mut id, "submit bo").unwrap_err();
    assert_eq!(error.code(), Code::QuorumUnsatisfiable);
    assert_eq!(world.look(id.unwrap()).state.name(), StateName::Draft);
    assert_eq!(error.details()["able"], "1");
}

#[test]
fn bad_input_gets_a_code_and_a_next_step() {
    let world = World::new();
    let ana = world.caller("ana");
    let sql = || "sql".parse().unwrap();
    let limits = Limits::default();
    let change = |runner: &str, payload: &str| {
        Change::new(runner.parse().unwrap(), "orders".parse().unwrap(), payload, &limits)
    };
    let draft = |change: Change| {
        world
            .gate
            .draft(&ana, &placet_core::gate::NewRequest { change, ..world.new_request(world.dev) })
    };
    let huge = format!("\"{}\"", "x".repeat(10 << 20));
    // A caller with wider limits than the gate's does not get past the gate.
    let wide = Limits::default().with_payload_bytes_max(64 << 20);
    let smuggled = Change::new(sql(), "orders".parse().unwrap(), huge.as_str(), &wide).unwrap();
    let cases = [
        (Code::TooLarge, change("sql", &huge).map(drop)),
        (Code::TooLarge, draft(smuggled).map(drop)),
        (Code::InvalidPayload, change("sql", "{not json").map(drop)),
        (Code::InvalidPayload, draft(change("sql", "\"refuse\"").unwrap()).map(drop)),
        (Code::UnknownRunner, draft(change("nope", "1").unwrap()).map(drop)),
        (Code::InvalidInput, "Not A Slug".parse::<placet_core::org::Slug>().map(drop)),
        (Code::InvalidInput, "yesterday".parse::<placet_core::clock::Timestamp>().map(drop)),
        (Code::InvalidInput, "req_1".parse::<placet_core::id::RequestId>().map(drop)),
        (Code::NotFound, world.gate.view(&ana, placet_core::id::RequestId::from_u128(1)).map(drop)),
    ];
    for (expected, result) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.code(), expected, "{error}");
        assert!(error.help().is_some(), "{error} has no next step");
    }
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_late_result_is_recorded_and_changes_nothing() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
    world.bench.clock.advance_ms(30_000);
    assert_eq!(world.gate.tick().unwrap(), [id]);
    assert_eq!(world.gate.tick().unwrap(), []);
    let error = world.gate.drive(ticket, &Seen::default()).unwrap_err();
    assert_eq!(error.code(), Code::LeaseLost);
    assert_eq!(world.look(id).state.name(), StateName::Unknown);
    let trail = world.gate.trail(&world.caller("bo"), id).unwrap();
    let events: Vec<&str> = trail.iter().map(|(_, leaf)| leaf.event.as_str()).collect();
    assert!(events.ends_with(&["run.started", "run.lost", "run.late_result"]), "{events:?}");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_renewed_lease_lasts_and_one_that_ended_is_not_renewed() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
    for _ in 0..5 {
        world.bench.clock.advance_ms(29_999);
        world.gate.renew(ticket.lease()).unwrap();
        assert_eq!(world.gate.tick().unwrap(), []);
    }
    world.bench.clock.advance_ms(30_000);
    let ended = world.gate.renew(ticket.lease()).unwrap_err();
    assert_eq!(ended.code(), Code::LeaseLost);
}

#[test]
fn denials_of_one_kind_in_one_minute_leave_one_leaf() {
    let world = World::new();
    let id = pending(&world);
    let count = || {
        let log = world.gate.audit(&world.caller("root"), 0).unwrap();
        log.iter().filter(|(_, leaf)| leaf.event == "denied").count()
    };
    let before = count();
    for _ in 0..50 {
        world.step(&mut Some(id), "approve dora").unwrap_err();
    }
    assert_eq!(count() - before, 1);
    world.bench.clock.advance_ms(60_000);
    world.step(&mut Some(id), "approve dora").unwrap_err();
    assert_eq!(count() - before, 2);
}
