//! One request over several targets: a canary first, one run each, and nothing after an error.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};

use expect_test::expect;
use placet_core::error::{Code, Error};
use placet_core::gate::Finding;
use placet_core::id::RequestId;
use placet_core::org::Interval;
use placet_core::org::command::{AssignRole, CreateRole, EndGrant, SetWorkflow};
use placet_core::request::{Change, Request, State, StateName};
use placet_core::runner::{Failure, Outcome, Report};
use placet_core::store::{Batch, Key};
use placet_core::testing::Seen;
use placet_core::workflow::{Definition, StateDef, Transition, Verb};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::workflows::stories::{action, code};
use crate::world::{World, assert_invariants};

const TARGETS: [&str; 4] = ["shop-1", "shop-2", "shop-3", "shop-4"];

fn failed() -> Outcome {
    Outcome::Failed(Failure::new("sql.23505", "duplicate key"))
}

fn unknown() -> Outcome {
    Outcome::Unknown(Failure::new("timeout", "the line went dead"))
}

fn change(world: &World, targets: &[&str]) -> Change {
    let (first, then) = targets.split_first().unwrap();
    let limits = world.gate.limits();
    let payload = r#"{"sql":"SELECT 1"}"#;
    let canary = Change::new("sql".parse().unwrap(), first.parse().unwrap(), payload, limits);
    canary.unwrap().and_then_at(then.iter().map(|name| name.parse().unwrap()), limits).unwrap()
}

/// A batch of Ana's that Bo agreed to.
fn approved(world: &World, targets: &[&str]) -> RequestId {
    let mut new = world.new_request(world.dev);
    new.change = change(world, targets);
    let id = world.gate.draft_and_submit(&world.caller("ana"), &new).unwrap().header.id;
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
    id
}

#[test]
fn a_batch_that_began_is_not_shown_as_editable() {
    let world = World::new();
    let id = approved(&world, &TARGETS[..2]);
    let ana = world.caller("ana");
    assert!(world.gate.actions(&ana, id).unwrap().is_editable);
    step(&world, id, false).unwrap();
    assert!(!world.gate.actions(&ana, id).unwrap().is_editable);
    let change = change(&world, &TARGETS[..2]);
    let error = world.gate.edit(&ana, id, "again", &change).unwrap_err();
    assert_eq!(error.code(), Code::WrongState);
}

/// Runs it at its next target.
fn step(world: &World, id: RequestId, again: bool) -> Result<Request, Error> {
    let bo = world.caller("bo");
    let ticket = if again { world.gate.rerun(&bo, id) } else { world.gate.execute(&bo, id) }?;
    world.gate.drive(ticket, &Seen::default())
}

fn done(request: &Request) -> Vec<&str> {
    let done = match &request.state {
        State::Approved(approved) => &approved.done,
        State::Executing(run) => &run.approved.done,
        State::Succeeded(end) => &end.ended.approved.done,
        State::Failed(end) => &end.ended.approved.done,
        State::Unknown(end) => &end.ended.approved.done,
        State::Cancelled(end) => &end.done,
        State::Draft(_)
        | State::PendingApproval(_)
        | State::ChangesRequested(_)
        | State::Rejected(_) => panic!("{} has not begun", request.state.name()),
    };
    done.iter().map(|one| one.target.as_str()).collect()
}

#[test]
fn the_canary_goes_first_and_the_others_follow_one_by_one() {
    let world = World::new();
    let id = approved(&world, &TARGETS);
    for count in 1..TARGETS.len() {
        let request = step(&world, id, false).unwrap();
        assert_eq!(request.state.name(), StateName::Approved);
        assert_eq!(done(&request), TARGETS[..count]);
        assert_invariants(&*world.bench.parts.store);
    }
    let request = step(&world, id, false).unwrap();
    assert_eq!((request.state.name(), done(&request)), (StateName::Succeeded, TARGETS.to_vec()));
    assert_eq!(step(&world, id, false).unwrap_err().code(), Code::WrongState);
    let view = world.gate.view(&world.caller("ana"), id).unwrap();
    let told: Vec<_> =
        view.runs.iter().map(|run| (run.target.as_str(), run.attempt, run.fence)).collect();
    expect![[r#"
        [
            (
                "shop-1",
                1,
                1,
            ),
            (
                "shop-2",
                2,
                2,
            ),
            (
                "shop-3",
                3,
                3,
            ),
            (
                "shop-4",
                4,
                4,
            ),
        ]
    "#]]
    .assert_debug_eq(&told);
    // Each target has a plan of its own.
    let plans: Vec<_> = view.plan.iter().chain(&view.plans_then).collect();
    let at: Vec<_> = plans.iter().map(|plan| plan.steps[0].target.as_str()).collect();
    assert_eq!(at, TARGETS);
    assert_invariants(&*world.bench.parts.store);
}

/// `change`, in which one state of phase `APPROVED` asks for a role to run, and one before it in the list, which takes
/// a boss to get to, asks for none. What is done looks as if it might be approved, too.
fn two_ways_to_run() -> Definition {
    let name = "release".parse().unwrap();
    let mut definition = Definition { name, version: 0, ..Definition::change() };
    let approved = definition.states.iter().position(|it| it.code == code("APPROVED")).unwrap();
    let fast = StateDef { code: code("FAST"), ..definition.states[approved].clone() };
    definition.states.insert(approved, fast);
    let done = definition.states.iter_mut().find(|it| it.code == code("SUCCEEDED")).unwrap();
    done.phases.insert(StateName::Approved);
    let execute = definition.transitions.iter_mut().find(|way| way.verb == Verb::Execute).unwrap();
    let open = Transition { from: code("FAST"), ..execute.clone() };
    execute.roles = ["Releaser".parse().unwrap()].into();
    definition.transitions.push(open);
    definition.transitions.push(Transition {
        action: action("HURRY"),
        verb: Verb::Advance,
        from: code("APPROVED"),
        to: code("FAST"),
        roles: ["Boss".parse().unwrap()].into(),
        requires: BTreeSet::new(),
    });
    definition
}

#[test]
fn a_batch_goes_on_where_its_run_was_started_and_by_the_same_way() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let role = |name: &str| {
        gate.manage(&root, &CreateRole { project, name: name.parse().unwrap() }).unwrap()
    };
    let (releaser, _) = (role("Releaser"), role("Boss"));
    let (user, valid) = (world.people["bo"], Interval::starting(world.now()));
    let grant = gate.manage(&root, &AssignRole { project, user, role: releaser, valid }).unwrap();
    let definition = two_ways_to_run();
    gate.manage(&root, &SetWorkflow { project, definition: definition.clone() }).unwrap();
    let mut new = world.new_request(world.dev);
    new.change = change(&world, &TARGETS[..3]);
    let ana = world.caller("ana");
    let id = gate.draft_in(&ana, &new, &definition.name).unwrap().header.id;
    gate.submit(&ana, id).unwrap();
    gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();

    let canary = step(&world, id, false).unwrap();
    assert_eq!((canary.state.name(), canary.header.step), (StateName::Approved, code("APPROVED")));
    // Also after one that failed, and one that nobody could tell about.
    world.bench.runner.ends_with(failed());
    assert_eq!(step(&world, id, false).unwrap().header.step, code("FAILED"));
    world.bench.runner.ends_with(unknown());
    assert_eq!(step(&world, id, true).unwrap().header.step, code("UNKNOWN"));
    let (read, _) = gate.verify(&world.caller("bo"), id).unwrap();
    assert_eq!((read.state.name(), read.header.step), (StateName::Approved, code("APPROVED")));
    // Whoever lost the role runs no further target.
    gate.manage(&root, &EndGrant { project, grant, at: None }).unwrap();
    assert_eq!(step(&world, id, false).unwrap_err().code(), Code::Refused);
    gate.manage(&root, &AssignRole { project, user, role: releaser, valid }).unwrap();
    world.bench.runner.ends_well();
    assert_eq!(step(&world, id, false).unwrap().header.step, code("SUCCEEDED"));
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn an_error_stops_the_rest_and_running_again_does_what_is_left() {
    let world = World::new();
    let id = approved(&world, &TARGETS[..3]);
    step(&world, id, false).unwrap();
    world.bench.runner.ends_with(failed());
    let request = step(&world, id, false).unwrap();
    assert_eq!((request.state.name(), done(&request)), (StateName::Failed, vec!["shop-1"]));
    assert_eq!(step(&world, id, false).unwrap_err().code(), Code::WrongState);
    let request = step(&world, id, true).unwrap();
    assert_eq!(
        (request.state.name(), done(&request)),
        (StateName::Approved, vec!["shop-1", "shop-2"])
    );
    let request = step(&world, id, false).unwrap();
    assert_eq!(request.state.name(), StateName::Succeeded);
    let view = world.gate.view(&world.caller("ana"), id).unwrap();
    let at: Vec<_> = view.runs.iter().map(|run| run.target.as_str()).collect();
    assert_eq!(at, ["shop-1", "shop-2", "shop-2", "shop-3"]);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn what_nobody_can_tell_stops_the_rest_until_somebody_knows() {
    let world = World::new();
    let bo = world.caller("bo");
    for (finding, state) in
        [(Finding::Done, StateName::Approved), (Finding::NothingDone, StateName::Failed)]
    {
        let id = approved(&world, &TARGETS[..2]);
        world.bench.runner.ends_with(unknown());
        assert_eq!(step(&world, id, false).unwrap().state.name(), StateName::Unknown);
        for again in [false, true] {
            assert_eq!(step(&world, id, again).unwrap_err().code(), Code::WrongState);
        }
        world.bench.runner.reads(unknown());
        let request = world.gate.reconcile(&bo, id, finding, "looked at it").unwrap();
        assert_eq!(request.state.name(), state);
        if let State::Approved(approved) = &request.state {
            assert_eq!(approved.done[0].declared_by, Some(bo.user()));
        }
        assert_eq!(step(&world, id, finding == Finding::NothingDone).unwrap().header.attempts, 2);
    }
    let id = approved(&world, &TARGETS[..2]);
    world.bench.runner.ends_with(unknown());
    step(&world, id, false).unwrap();
    // The target says that it was done: then the next one is free.
    let (request, _) = world.gate.verify(&bo, id).unwrap();
    assert_eq!((request.state.name(), done(&request)), (StateName::Approved, vec!["shop-1"]));
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn one_that_has_begun_is_withdrawn_with_what_it_did_and_not_edited() {
    let world = World::new();
    let (ana, id) = (world.caller("ana"), approved(&world, &TARGETS[..2]));
    step(&world, id, false).unwrap();
    let edited = world.gate.edit(&ana, id, "again", &change(&world, &TARGETS[..1]));
    assert_eq!(edited.unwrap_err().code(), Code::WrongState);
    let request = world.gate.cancel(&ana, id, Some("the canary is slow")).unwrap();
    assert_eq!((request.state.name(), done(&request)), (StateName::Cancelled, vec!["shop-1"]));
    assert_eq!(step(&world, id, false).unwrap_err().code(), Code::WrongState);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn each_target_has_its_own_turn() {
    let world = World::new();
    let (first, second) = (approved(&world, &TARGETS[..2]), approved(&world, &["shop-2"]));
    let bo = world.caller("bo");
    let other = world.gate.execute(&bo, second).unwrap();
    step(&world, first, false).unwrap();
    assert_eq!(step(&world, first, false).unwrap_err().code(), Code::TargetBusy);
    assert_invariants(&*world.bench.parts.store);
    world.gate.drive(other, &Seen::default()).unwrap();
    assert_eq!(step(&world, first, false).unwrap().state.name(), StateName::Succeeded);
    // Whoever withdraws it leaves the queue of the target that was next.
    let (third, fourth) = (approved(&world, &TARGETS[..2]), approved(&world, &["shop-2"]));
    let other = world.gate.execute(&bo, fourth).unwrap();
    step(&world, third, false).unwrap();
    assert_eq!(step(&world, third, false).unwrap_err().code(), Code::TargetBusy);
    world.gate.cancel(&world.caller("ana"), third, None).unwrap();
    assert_invariants(&*world.bench.parts.store);
    world.gate.drive(other, &Seen::default()).unwrap();
}

#[test]
fn targets_are_named_once_and_not_too_many() {
    let world = World::new();
    let limits = world.gate.limits();
    let one = || world.change("1");
    let twice = one().and_then_at(["orders".parse().unwrap()], limits);
    assert_eq!(twice.unwrap_err().code(), Code::InvalidInput);
    let many = (0..limits.targets_max).map(|number| format!("t-{number}").parse().unwrap());
    assert_eq!(one().and_then_at(many, limits).unwrap_err().code(), Code::TooLarge);
    // Past the constructor, the gate looks again.
    let mut new = world.new_request(world.dev);
    new.change.then = vec!["orders".parse().unwrap()];
    let before = world.bench.parts.store.log_len().unwrap();
    assert_eq!(
        world.gate.draft(&world.caller("ana"), &new).unwrap_err().code(),
        Code::InvalidInput
    );
    assert_eq!(world.bench.parts.store.log_len().unwrap(), before);
}

/// Whoever changes a target, their order, what is done, or the plan of one behind the gate's back runs nothing.
#[test]
fn what_was_approved_is_the_targets_and_the_plan_of_each() {
    let world = World::new();
    let store = &world.bench.parts.store;
    let forge = |key: &Key, at: &str, to: &Value| {
        let stored = store.get(key).unwrap().unwrap();
        let mut record: Value = serde_json::from_slice(&stored.value).unwrap();
        let part = record.pointer_mut(at).unwrap_or_else(|| panic!("{at} is not there"));
        assert_ne!(part, to);
        *part = to.clone();
        store.commit(Batch::default().put(key.clone(), record.to_string().into_bytes())).unwrap();
        stored.value
    };
    let id = approved(&world, &TARGETS[..3]);
    step(&world, id, false).unwrap();
    let request = Key::from_segments(&["request", &id.to_string()]);
    let revision = Key::from_segments(&["revision", &id.to_string(), "0000000001"]);
    let cases = [
        (&request, "/body/header/then", json!(["shop-3", "shop-2"])),
        (&request, "/body/header/then", json!(["shop-2", "shop-3", "shop-4"])),
        (&request, "/body/header/then", json!(["shop-2"])),
        (&request, "/body/state/done/0/target", json!("shop-2")),
        (&revision, "/body/change/then", json!(["shop-3", "shop-2"])),
        (&revision, "/body/change/runner", json!("sqx")),
    ];
    let entered = world.bench.runner.entered().len();
    for (key, at, to) in cases {
        let kept = forge(key, at, &to);
        let error = world.gate.execute(&world.caller("cy"), id).unwrap_err();
        let is_caught =
            matches!(error.code(), Code::DigestMismatch | Code::StoreDamaged | Code::UnknownRunner);
        assert!(is_caught, "{at} to {to}: {error}");
        store.commit(Batch::default().put(key.clone(), kept)).unwrap();
    }
    assert_eq!(world.bench.runner.entered().len(), entered);
    // As it was, it goes on.
    drop(world.gate.execute(&world.caller("cy"), id).unwrap());
}

/// What a model of a batch says of it: what is done, and how the latest run ended.
#[derive(Debug, Default)]
struct Model {
    done: usize,
    failures: u32,
    latest: Option<char>,
}

/// A step that somebody tries: run, run again, verify as done or not done, say so; and how a run ends.
#[derive(Clone, Copy, Debug)]
enum Try {
    Execute(char),
    Rerun(char),
    Verify(char),
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let ending = prop_oneof![5 => Just('s'), 2 => Just('f'), 2 => Just('u')];
    let one = prop_oneof![
        4 => ending.clone().prop_map(Try::Execute),
        2 => ending.clone().prop_map(Try::Rerun),
        2 => ending.prop_map(Try::Verify),
    ];
    proptest::collection::vec(one, 1..16)
}

fn outcome(letter: char) -> Outcome {
    match letter {
        's' => Outcome::Succeeded(Report::default()),
        'f' => failed(),
        _ => unknown(),
    }
}

/// Whether this batch goes on after an error: the broken variant, which the model must notice.
fn play(targets: &[&str], tries: &[Try], goes_on: bool) -> Result<(), TestCaseError> {
    let world = World::new();
    let (bo, id) = (world.caller("bo"), approved(&world, targets));
    let mut model = Model::default();
    let limit = world.gate.limits().attempts_max;
    let mut made: BTreeMap<String, u32> = BTreeMap::new();
    for one in tries {
        let may = match one {
            Try::Execute(_) => model.latest.is_none() && model.done < targets.len(),
            Try::Rerun(_) => model.latest == Some('f') && model.failures < limit,
            Try::Verify(_) => model.latest == Some('u'),
        };
        let answer = match one {
            Try::Execute(ending) | Try::Rerun(ending) => {
                let again = matches!(one, Try::Rerun(_));
                let again = again || goes_on && model.latest == Some('f');
                if may || goes_on && model.latest == Some('f') {
                    world.bench.runner.ends_with(outcome(*ending));
                }
                step(&world, id, again)
            }
            // What ended may be looked at again, which changes nothing: this asks only where it does.
            Try::Verify(_) if !may => continue,
            Try::Verify(read) => {
                world.bench.runner.reads(outcome(*read));
                world.gate.verify(&bo, id).map(|(request, _)| request)
            }
        };
        prop_assert_eq!(answer.is_ok(), may, "{:?} of {:?}: {:?}", one, model, answer.map(drop));
        if !may {
            continue;
        }
        let (Try::Execute(ending) | Try::Rerun(ending) | Try::Verify(ending)) = one;
        match ending {
            's' => {
                *made.entry(targets[model.done].to_owned()).or_default() += 1;
                model.done += 1;
                model.latest = None;
            }
            'f' => {
                model.failures += 1;
                model.latest = Some('f');
            }
            other => model.latest = Some(*other),
        }
        let request = world.look(id);
        let state = match model.latest {
            Some('f') => StateName::Failed,
            Some(_) => StateName::Unknown,
            None if model.done == targets.len() => StateName::Succeeded,
            None => StateName::Approved,
        };
        prop_assert_eq!(request.state.name(), state);
        prop_assert_eq!(done(&request), targets[..model.done].to_vec());
        prop_assert!(made.values().all(|times| *times == 1), "{:?}", made);
    }
    assert_invariants(&*world.bench.parts.store);
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "says how long, and which seed")]
fn asked<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn any_order_of_tries_does_each_target_once_and_none_after_an_error() {
    let cases = asked("PLACET_BATCHES").unwrap_or(24);
    let seed = asked("PLACET_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    eprintln!("{cases} batches: PLACET_SEED={seed}");
    let (rng_seed, failure_persistence) = (RngSeed::Fixed(seed), None);
    let config =
        ProptestConfig { cases, rng_seed, failure_persistence, ..ProptestConfig::default() };
    proptest!(config, |(count in 1..=TARGETS.len(), tries in tries())| {
        play(&TARGETS[..count], &tries, false)?;
    });
}

/// The check is checked.
#[test]
fn a_batch_that_goes_on_after_an_error_is_noticed() {
    let tries = [Try::Execute('s'), Try::Execute('f'), Try::Execute('s')];
    play(&TARGETS[..3], &tries, false).unwrap();
    let caught = play(&TARGETS[..3], &tries, true).unwrap_err();
    assert!(caught.to_string().contains("Execute('s')"), "{caught}");
}
