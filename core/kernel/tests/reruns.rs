//! Running again what is known to have failed: a new attempt, judged and compared anew.

use std::sync::Arc;

use expect_test::expect;
use placet_core::error::{Code, Error};
use placet_core::gate::{Finding, Gate, Ticket};
use placet_core::id::RequestId;
use placet_core::limits::Limits;
use placet_core::org::command::EndGrant;
use placet_core::request::{Request, State, StateName};
use placet_core::runner::{Failure, Outcome, Report};
use placet_core::store::{Batch, Key};
use placet_core::testing::Seen;

use crate::world::{World, assert_invariants};

fn failed() -> Outcome {
    Outcome::Failed(Failure::new("sql.40001", "serialization failure"))
}

fn unknown() -> Outcome {
    Outcome::Unknown(Failure::new("timeout", "the line went dead"))
}

/// A request of Ana's that Bo agreed to, and whose first run ended like this.
fn ended(world: &World, outcome: Outcome) -> RequestId {
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo"] {
        world.step(&mut id, step).unwrap();
    }
    world.bench.runner.ends_with(outcome);
    world.step(&mut id, "execute bo").unwrap();
    id.unwrap()
}

fn rerun(world: &World, id: RequestId) -> Result<Ticket, Error> {
    world.gate.rerun(&world.caller("bo"), id)
}

fn drive(world: &World, ticket: Ticket) -> Request {
    world.gate.drive(ticket, &Seen::default()).unwrap()
}

/// How often the runner was entered.
fn runs(world: &World) -> usize {
    world.bench.runner.entered().len()
}

#[test]
fn a_second_attempt_is_a_run_of_its_own() {
    let world = World::new();
    let id = ended(&world, failed());
    let first = world.gate.view(&world.caller("bo"), id).unwrap();
    let request = drive(&world, rerun(&world, id).unwrap());
    assert_eq!((request.state.name(), request.header.attempts), (StateName::Succeeded, 2));
    let view = world.gate.view(&world.caller("ana"), id).unwrap();
    assert_eq!(view.digest, first.digest, "the same approvals, of the same change");
    let [one, two] = view.runs.as_slice() else { panic!("{:?}", view.runs) };
    assert_eq!((one.attempt, one.fence, two.attempt, two.fence), (1, 1, 2, 2));
    assert_ne!(one.id, two.id, "the idempotency key of a target");
    assert!(matches!(one.outcome, Some(Outcome::Failed(_))), "what was recorded stays: {one:?}");
    let jobs = world.bench.runner.entered();
    let markers: Vec<_> = jobs.iter().map(|job| (job.revision, job.attempt)).collect();
    assert_eq!(markers, [(1, 1), (1, 2)]);
    let history = world.gate.history(&world.caller("ana"), id).unwrap();
    let last: Vec<_> = history.iter().rev().take(2).map(|step| step.action.as_str()).collect();
    assert_eq!(last, ["FINISH", "RERUN"]);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn what_a_person_found_half_done_is_not_run_again() {
    let world = World::new();
    let bo = world.caller("bo");
    let cannot_tell = || Outcome::Unknown(Failure::new("connection", "the target is gone"));
    let id = ended(&world, unknown());
    world.bench.runner.reads(cannot_tell());
    let request = world.gate.reconcile(&bo, id, Finding::Partly, "two rows of ten").unwrap();
    assert_eq!(request.state.name(), StateName::Failed);
    let error = rerun(&world, id).unwrap_err();
    assert_eq!(error.code(), Code::Refused);
    assert!(error.to_string().contains("some of it took effect"), "{error}");
    // Where nothing is there, it is.
    let id = ended(&world, unknown());
    world.bench.runner.reads(cannot_tell());
    world.gate.reconcile(&bo, id, Finding::NothingDone, "the table is as it was").unwrap();
    assert_eq!(drive(&world, rerun(&world, id).unwrap()).state.name(), StateName::Succeeded);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn only_a_known_failure_is_run_again() {
    let world = World::new();
    for (outcome, state) in
        [(unknown(), "UNKNOWN"), (Outcome::Succeeded(Report::default()), "SUCCEEDED")]
    {
        let id = ended(&world, outcome);
        let error = rerun(&world, id).unwrap_err();
        assert_eq!((error.code(), &*error.details()["state"]), (Code::WrongState, state));
        // Resolved by reading, it is what the target says.
        if state == "UNKNOWN" {
            world.bench.runner.reads(Outcome::Failed(Failure::new("absent", "it is not there")));
            world.gate.verify(&world.caller("bo"), id).unwrap();
            drive(&world, rerun(&world, id).unwrap());
        }
    }
    for steps in [
        &["draft ana"][..],
        &["draft ana", "submit ana"],
        &["draft ana", "submit ana", "approve bo"],
    ] {
        let mut id = None;
        for step in steps {
            world.step(&mut id, step).unwrap();
        }
        assert_eq!(rerun(&world, id.unwrap()).unwrap_err().code(), Code::WrongState, "{steps:?}");
        world.step(&mut id, "cancel ana").unwrap();
        assert_eq!(rerun(&world, id.unwrap()).unwrap_err().code(), Code::WrongState);
    }
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn whoever_has_no_right_runs_nothing_again_and_two_do_not_run_it_twice() {
    let world = World::new();
    let id = ended(&world, failed());
    let by = |name: &str| world.gate.rerun(&world.caller(name), id).map(drop);
    assert_eq!(by("dora").unwrap_err().code(), Code::Denied);
    assert_eq!(by("eve").unwrap_err().code(), Code::NotFound);
    let ticket = rerun(&world, id).unwrap();
    assert_eq!(by("cy").unwrap_err().code(), Code::WrongState);
    drive(&world, ticket);
    assert_eq!(runs(&world), 2);
}

/// Takes every grant from a person.
fn take_rights(world: &World, name: &str) {
    world.bench.clock.advance_ms(1);
    let (root, project) = (world.caller("root"), world.project);
    let held = world.gate.organisation(&root, project).unwrap().grants;
    for grant in held.iter().filter(|grant| grant.user_id == world.people[name]) {
        world.gate.manage(&root, &EndGrant { project, grant: grant.id, at: None }).unwrap();
    }
}

#[test]
fn an_approver_who_lost_the_right_since_the_first_attempt_does_not_count() {
    let world = World::new();
    let id = ended(&world, failed());
    take_rights(&world, "bo");
    let error = world.gate.rerun(&world.caller("cy"), id).unwrap_err();
    assert_eq!(error.code(), Code::Refused, "{error}");
    let view = world.gate.view(&world.caller("cy"), id).unwrap();
    assert_eq!((runs(&world), view.state.name()), (1, StateName::Failed));
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn another_plugin_or_another_payload_is_not_run_again() {
    let world = World::new();
    let id = ended(&world, failed());
    world.bench.runner.install(b"the next version");
    assert_eq!(rerun(&world, id).unwrap_err().code(), Code::DigestMismatch);
    world.bench.runner.install(b"scripted plugin, version 1");
    let store = &world.bench.parts.store;
    let key = Key::from_segments(&["revision", &id.to_string(), "0000000001"]);
    let stored = store.get(&key).unwrap().unwrap();
    let other = String::from_utf8(stored.value.clone()).unwrap().replace("orders", "others");
    store.commit(Batch::default().put(key.clone(), other.into_bytes())).unwrap();
    let code = world.gate.rerun(&world.caller("cy"), id).unwrap_err().code();
    assert!(matches!(code, Code::DigestMismatch | Code::StoreDamaged), "{code}");
    store.commit(Batch::default().put(key, stored.value)).unwrap();
    assert_eq!(runs(&world), 1);
}

#[test]
fn approvals_are_good_for_so_many_failures() {
    for limit in [1, 2, 3, 7] {
        let mut world = World::new();
        let mut parts = world.bench.parts.clone();
        parts.limits = Limits::default().with_attempts_max(limit);
        world.gate = Gate::new(parts);
        let id = ended(&world, failed());
        for attempt in 2..=limit {
            world.bench.runner.ends_with(failed());
            let request = drive(&world, rerun(&world, id).unwrap());
            assert_eq!((request.header.attempts, request.header.fence), (attempt, attempt.into()));
        }
        let error = rerun(&world, id).unwrap_err();
        assert_eq!(
            (error.code(), &error.details()["attempts_max"]),
            (Code::Refused, &limit.to_string())
        );
        assert_eq!(runs(&world), usize::try_from(limit).unwrap());
    }
}

#[test]
fn what_took_effect_in_part_or_may_have_is_not_run_again() {
    let applied =
        |step: &str| Failure { applied: vec![step.to_owned()], ..Failure::new("sql.1", "it says") };
    // A step of the plan that must not be done twice, and one that the plan does not have.
    for step in ["1", "another"] {
        let world = World::new();
        let id = ended(&world, Outcome::Failed(applied(step)));
        let error = rerun(&world, id).unwrap_err();
        assert_eq!(error.code(), Code::Refused);
        assert!(error.to_string().contains(&format!("step `{step}` took effect")), "{error}");
    }
    // The target says that it was done after all.
    let world = World::new();
    let id = ended(&world, failed());
    world.gate.verify(&world.caller("bo"), id).unwrap();
    assert_eq!(world.look(id).state.name(), StateName::Failed);
    assert_eq!(rerun(&world, id).unwrap_err().code(), Code::Refused);
    assert_eq!(runs(&world), 1);
}

/// A person said that nothing was done, and the run itself says otherwise, too late.
#[test]
fn a_late_result_keeps_a_second_attempt_away() {
    for (late, may) in
        [(Outcome::Succeeded(Report::default()), false), (unknown(), false), (failed(), true)]
    {
        let world = World::new();
        let mut id = None;
        for step in ["draft ana", "submit ana", "approve bo"] {
            world.step(&mut id, step).unwrap();
        }
        let id = id.unwrap();
        let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
        world.gate.tick().unwrap();
        let (gate, bo) = (Gate::new(world.bench.parts.clone()), world.caller("bo"));
        let clock = Arc::clone(&world.bench.clock);
        let runner = Arc::clone(&world.bench.runner);
        world.bench.runner.meanwhile(move || {
            gate.tick().unwrap();
            clock.advance_ms(gate.limits().lease_ms);
            assert_eq!(gate.tick().unwrap(), [id]);
            runner.reads(unknown());
            gate.reconcile(&bo, id, Finding::NothingDone, "looked at the table").unwrap();
        });
        // What the run says of itself once it was given up.
        world.bench.runner.says_late(late);
        assert_eq!(world.gate.drive(ticket, &Seen::default()).unwrap_err().code(), Code::LeaseLost);
        assert_eq!(world.look(id).state.name(), StateName::Failed);
        let again = rerun(&world, id).map(drop).map_err(|error| error.code());
        assert_eq!(again, if may { Ok(()) } else { Err(Code::Refused) });
    }
}

#[test]
fn a_busy_target_is_waited_for() {
    let world = World::new();
    let id = ended(&world, failed());
    let mut other = None;
    for step in ["draft ana", "submit ana", "approve bo"] {
        world.step(&mut other, step).unwrap();
    }
    let ticket = world.gate.execute(&world.caller("bo"), other.unwrap()).unwrap();
    assert_eq!(rerun(&world, id).unwrap_err().code(), Code::TargetBusy);
    assert_eq!(world.look(id).state.name(), StateName::Failed);
    assert_invariants(&*world.bench.parts.store);
    drive(&world, ticket);
    drive(&world, rerun(&world, id).unwrap());
    let State::Succeeded(done) = world.look(id).state else { panic!("it ran") };
    assert_eq!(done.ended.attempt, 2);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn the_story_of_a_second_attempt() {
    let world = World::new();
    let id = ended(&world, failed());
    drive(&world, rerun(&world, id).unwrap());
    let trail = world.gate.trail(&world.caller("bo"), id).unwrap();
    let told: Vec<String> = trail
        .iter()
        .filter(|(_, leaf)| leaf.event.starts_with("run."))
        .map(|(_, leaf)| {
            let attempt = leaf.facts.get("attempt").cloned().unwrap_or_default();
            format!("{} fence {:?} attempt {attempt} {:?}", leaf.event, leaf.fence, leaf.outcome)
        })
        .collect();
    expect![[r#"
        [
            "run.started fence Some(1) attempt 1 None",
            "run.finished fence Some(1) attempt  Some(\"failed\")",
            "run.started fence Some(2) attempt 2 None",
            "run.finished fence Some(2) attempt  Some(\"succeeded\")",
        ]
    "#]]
    .assert_debug_eq(&told);
    // Each start has its own decisions: the caller's, and one of each approver.
    for (_, leaf) in trail.iter().filter(|(_, leaf)| leaf.event == "run.started") {
        assert_eq!(leaf.decisions.iter().filter(|decision| decision.allowed).count(), 2);
    }
}
