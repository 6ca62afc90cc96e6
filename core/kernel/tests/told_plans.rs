//! What policies are told of plans: by every verb that goes on with a request, by none that stops one or finds out how
//! it ended, and the same when a decision is asked again.

use std::sync::Arc;

use placet_core::authz::{Action, Facts, Language, PlanFacts, Question};
use placet_core::error::Code;
use placet_core::gate::{Gate, ReplayCause};
use placet_core::id::RequestId;
use placet_core::org::ExecutionMode;
use placet_core::org::command::SetExecution;
use placet_core::request::StateName;
use placet_core::runner::{Finding, Impact, Level, Lock, Risk};
use placet_core::testing::Seen;

use crate::policy_stories::{House, replayed};
use crate::world::{World, assert_invariants};

fn locks(facts: &Facts) -> bool {
    facts.plan.as_ref().is_some_and(|plan| plan.lock == Lock::Exclusive)
}

/// From here on, plans keep everybody away.
fn lock(world: &World) {
    world.bench.runner.plans_as(|_, plan| plan.steps[0].impact.lock = Lock::Exclusive);
}

fn under(world: &mut World, forbids: fn(&Question, &Facts) -> bool) {
    let mut parts = world.bench.parts.clone();
    parts.authorizer = Arc::new(House { name: "no-locks", forbids });
    world.gate = Gate::new(parts);
}

fn steps(world: &World, steps: &[&str]) -> Option<RequestId> {
    let mut id = None;
    for step in steps {
        world.step(&mut id, step).unwrap();
    }
    id
}

#[test]
fn what_a_policy_forbids_is_not_submitted_approved_or_run() {
    for (action, done, refused) in [
        (Action::REQUEST, ["draft ana"].as_slice(), "submit ana"),
        (Action::APPROVE, &["draft ana", "submit ana"], "approve bo"),
        (Action::EXECUTE, &["draft ana", "submit ana", "approve bo"], "execute bo"),
    ] {
        let mut world = World::new();
        lock(&world);
        let mut id = steps(&world, done);
        match action.as_str() {
            "request" => under(&mut world, |q, f| q.action == Action::REQUEST && locks(f)),
            "approve" => under(&mut world, |q, f| q.action == Action::APPROVE && locks(f)),
            _ => under(&mut world, |q, f| q.action == Action::EXECUTE && locks(f)),
        }
        let error = world.step(&mut id, refused).unwrap_err();
        assert_eq!(error.code(), Code::Denied, "{refused}: {error}");
        assert!(error.to_string().contains("no-locks"), "{refused}: {error}");
        // A plan that locks nobody out is not meant.
        world.bench.runner.plans_as(|_, _| {});
        let mut id = steps(&world, done);
        world.step(&mut id, refused).unwrap();
        assert_invariants(&*world.bench.parts.store);
    }
}

#[test]
fn an_approval_that_a_policy_forbids_by_now_does_not_count() {
    let mut world = World::new();
    lock(&world);
    let mut id = steps(&world, &["draft ana", "submit ana", "approve bo"]);
    under(&mut world, |q, f| q.action == Action::APPROVE && locks(f));
    let error = world.step(&mut id, "execute cy").unwrap_err();
    assert_eq!(error.code(), Code::Refused, "{error}");
}

#[test]
fn nobody_could_approve_is_told_when_it_is_submitted() {
    let mut world = World::new();
    lock(&world);
    under(&mut world, |q, f| q.action == Action::APPROVE && locks(f));
    let mut id = steps(&world, &["draft ana"]);
    let error = world.step(&mut id, "submit ana").unwrap_err();
    assert_eq!(error.code(), Code::QuorumUnsatisfiable, "{error}");
}

#[test]
fn the_gate_starts_nothing_that_a_policy_forbids() {
    let mut world = World::new();
    lock(&world);
    let (project, environment, mode) = (world.project, world.dev, ExecutionMode::Automatic);
    let rule = SetExecution { project, environment, runner: None, mode, attempts_max: None };
    world.gate.manage(&world.caller("root"), &rule).unwrap();
    let id = steps(&world, &["draft ana", "submit ana", "approve bo"]).unwrap();
    under(&mut world, |q, f| q.action == Action::EXECUTE && locks(f));
    assert!(world.gate.run_due().unwrap().is_none());
    assert_eq!(world.look(id).state.name(), StateName::Approved);
    assert!(world.bench.runner.entered().is_empty());
}

/// Who asked may run nothing that locks: then it runs for who approved last, and does not wait for good.
#[test]
fn the_gate_runs_it_for_somebody_who_may_run_such_a_plan() {
    let mut world = World::new();
    lock(&world);
    let (project, environment, mode) = (world.project, world.dev, ExecutionMode::Automatic);
    let rule = SetExecution { project, environment, runner: None, mode, attempts_max: None };
    world.gate.manage(&world.caller("root"), &rule).unwrap();
    let id = steps(&world, &["draft ana", "submit ana", "approve bo"]).unwrap();
    under(&mut world, |question, facts| {
        let is_ana = facts.user.display_name.as_str() == "ana";
        question.action == Action::EXECUTE && locks(facts) && is_ana
    });
    let ticket = world.gate.run_due().unwrap().expect("Bo may");
    let (_, leaf) = world.gate.trail(&world.caller("bo"), id).unwrap().pop().unwrap();
    assert_eq!(leaf.on_behalf_of, Some(world.people["bo"]));
    world.gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(world.look(id).state.name(), StateName::Succeeded);
}

#[test]
fn no_policy_about_plans_keeps_anybody_from_stopping() {
    // One that forbids everything about such a plan.
    let forbid_all: fn(&Question, &Facts) -> bool = |_, facts| locks(facts);
    for (done, then) in [
        (["draft ana", "submit ana"].as_slice(), ["reject bo no", "cancel ana"].as_slice()),
        (&["draft ana", "submit ana"], &["return bo why", "comment ana so"]),
        (&["draft ana", "submit ana", "approve bo"], &["cancel ana"]),
        (&["draft ana", "submit ana", "approve bo", "crash bo"], &["stop bo"]),
        (&["draft ana", "submit ana", "approve bo", "execute bo"], &["verify bo"]),
    ] {
        let mut world = World::new();
        lock(&world);
        let id = steps(&world, done);
        under(&mut world, forbid_all);
        world.step(&mut id.clone(), then[0]).unwrap();
        assert!(world.look(id.unwrap()).header.plan.is_some());
        assert_invariants(&*world.bench.parts.store);
    }
}

#[test]
fn what_may_be_done_next_knows_the_plan() {
    let mut world = World::new();
    lock(&world);
    let id = steps(&world, &["draft ana", "submit ana"]).unwrap();
    let approves = |world: &World| {
        let offers = world.gate.actions(&world.caller("bo"), id).unwrap().offers;
        let offer = offers.iter().find(|offer| offer.action.as_str() == "APPROVE").unwrap();
        offer.refusal.is_none()
    };
    assert!(approves(&world));
    under(&mut world, |q, f| q.action == Action::APPROVE && locks(f));
    assert!(!approves(&world));
}

#[test]
fn an_explanation_about_a_request_knows_the_plan_and_another_says_that_it_does_not() {
    let mut world = World::new();
    lock(&world);
    let id = steps(&world, &["draft ana", "submit ana"]).unwrap();
    under(&mut world, |q, f| q.action == Action::APPROVE && locks(f));
    let (user, action, root) = (world.people["bo"], Action::APPROVE, world.caller("root"));
    let scope = world.look(id).header.scope();
    let question = Question { user, action: action.clone(), scope, at: world.now() };
    let place = world.gate.explain(&root, &question).unwrap();
    assert!(place.answer.is_allowed() && !place.is_told_plan);
    assert_eq!(
        place.sentence(Language::English),
        "bo may `approve` in shop/pagos/dev. Policies were told no plan of a request, and may judge one otherwise."
    );
    let told = |user: &str, action: &Action| {
        let why = world.gate.explain_request(&world.caller("bo"), id, world.people[user], action);
        why.unwrap()
    };
    let why = told("bo", &action);
    assert!(why.is_told_plan && !why.answer.is_allowed());
    assert_eq!(
        why.sentence(Language::English),
        "bo may not `approve` in shop/pagos/dev: forbidden by the policy no-locks (house:1)."
    );
    // The verb says the same.
    assert_eq!(world.step(&mut Some(id), "approve bo").unwrap_err().code(), Code::Denied);
    // Reading is about no plan, and who may not read learns nothing.
    assert!(!told("bo", &Action::READ).is_told_plan);
    let eve = world.gate.explain_request(&world.caller("eve"), id, user, &action).unwrap_err();
    assert_eq!(eve.code(), Code::NotFound);
    let ana = world.gate.explain_request(&world.caller("ana"), id, user, &action).unwrap_err();
    assert_eq!(ana.code(), Code::NotFound, "she may read it, and may not ask about Bo");
}

#[test]
fn a_policy_is_told_all_of_it() {
    let mut world = World::new();
    world.bench.runner.plans_as(|job, plan| {
        let mut more = plan.steps[0].clone();
        "2".clone_into(&mut more.id);
        "ddl".clone_into(&mut more.kind);
        (more.estimated_rows, more.reversible, more.risk) = (Some(41), false, Risk::Critical);
        let objects = vec!["shop.orders".to_owned()];
        more.impact = Impact { lock: Lock::Share, rewrites: true, objects: objects.clone() };
        plan.steps[0].impact.objects = objects;
        plan.steps.push(more);
        let (code, message) = ("sql.drop".to_owned(), format!("it drops {}", job.target));
        let finding = Finding::new(Level::Warning, code, message);
        plan.findings.push(Finding { needs_person: true, ..finding });
    });
    under(&mut world, |question, facts| {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let expected = PlanFacts {
            risk: Risk::Critical,
            lock: Lock::Share,
            rewrites: true,
            rows: Some(42),
            kinds: words(&["ddl", "write"]),
            irreversible: true,
            needs_person: true,
            findings: words(&["sql.drop"]),
            objects: words(&["shop.orders"]),
            objects_known: true,
        };
        question.action == Action::APPROVE && facts.plan != Some(expected)
    });
    steps(&world, &["draft ana", "submit ana", "approve bo", "execute bo"]);
}

#[test]
fn what_a_plan_does_not_tell_is_the_worst() {
    let mut world = World::new();
    world.bench.runner.plans_as(|_, plan| plan.steps.clear());
    under(&mut world, |question, facts| {
        let is_worst = facts.plan.as_ref().is_some_and(|plan| {
            plan.lock == Lock::Exclusive
                && plan.rewrites
                && plan.rows.is_none()
                && plan.irreversible
                && !plan.objects_known
                && plan.kinds.contains("ddl")
                && plan.kinds.contains("unknown")
                && plan.risk >= Risk::High
        });
        question.action == Action::APPROVE && !is_worst
    });
    steps(&world, &["draft ana", "submit ana", "approve bo"]);
    // A step that changes something unknown.
    let mut world = World::new();
    world.bench.runner.plans_as(|_, plan| plan.steps[0].estimated_rows = None);
    under(&mut world, |question, facts| {
        let is_known =
            facts.plan.as_ref().is_none_or(|plan| plan.rows.is_some() || plan.objects_known);
        question.action == Action::APPROVE && is_known
    });
    steps(&world, &["draft ana", "submit ana", "approve bo"]);
}

/// A block of a language of its own, a function that is called, text that was not understood.
#[test]
fn a_step_of_which_nobody_can_tell_is_of_each_kind() {
    let all: [fn(&Question, &Facts) -> bool; 6] = [
        // Forbids what it fears, and all but what it trusts: neither is got past by a word for not knowing.
        |q, f| q.action == Action::EXECUTE && has_kind(f, "ddl"),
        |q, f| q.action == Action::EXECUTE && f.plan.as_ref().is_some_and(|it| it.rewrites),
        |q, f| q.action == Action::EXECUTE && locks(f),
        |q, f| {
            q.action == Action::EXECUTE
                && f.plan.as_ref().is_none_or(|plan| plan.rows.is_none_or(|rows| rows > 10))
        },
        |q, f| q.action == Action::EXECUTE && f.plan.as_ref().is_none_or(|it| !it.objects_known),
        |q, f| q.action == Action::EXECUTE && f.plan.as_ref().is_none_or(|it| it.irreversible),
    ];
    for forbids in all {
        let mut world = World::new();
        under(&mut world, forbids);
        let known = |kind: &'static str, world: &World| {
            world.bench.runner.plans_as(move |_, plan| {
                let step = &mut plan.steps[0];
                kind.clone_into(&mut step.kind);
                (step.estimated_rows, step.reversible) = (Some(1), true);
                step.impact.objects = vec!["shop.orders".to_owned()];
            });
        };
        known("write", &world);
        steps(&world, &["draft ana", "submit ana", "approve bo", "execute bo"]);
        known("unknown", &world);
        let mut id = steps(&world, &["draft ana", "submit ana", "approve bo"]);
        let error = world.step(&mut id, "execute bo").unwrap_err();
        assert_eq!(error.code(), Code::Denied, "{error}");
    }
}

fn has_kind(facts: &Facts, kind: &str) -> bool {
    facts.plan.as_ref().is_some_and(|plan| plan.kinds.contains(kind))
}

#[test]
fn a_decision_is_asked_again_with_the_plan_that_it_was_about() {
    let world = World::new();
    lock(&world);
    let locked = steps(&world, &["draft ana", "submit ana", "approve bo", "execute bo"]);
    world.bench.runner.plans_as(|_, _| {});
    steps(&world, &["draft ana", "submit ana", "approve bo", "execute bo"]);
    let no_locks = House { name: "no-locks", forbids: |_, facts| locks(facts) };
    let (differences, asked) = replayed(&world.gate, &world, &no_locks);
    assert!(asked > 20);
    let told: Vec<_> = differences
        .iter()
        .map(|one| (one.question.action.as_str().to_owned(), one.cause))
        .collect();
    let policies = ReplayCause::Policies;
    // Submitted, approved, run, and at its start the approval once more.
    let expected =
        ["request", "approve", "execute", "approve"].map(|word| (word.to_owned(), policies));
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for one in &expected {
        assert!(told.contains(one), "{told:?}");
    }
    // The leaf says that the policies were told a plan, and not what it said.
    let trail = world.gate.trail(&world.caller("bo"), locked.unwrap()).unwrap();
    let with_plan: Vec<&str> = trail
        .iter()
        .filter(|(_, leaf)| leaf.facts.contains_key("plan_told"))
        .map(|(_, leaf)| leaf.event.as_str())
        .collect();
    assert_eq!(with_plan, ["request.submitted", "request.approved", "run.started"]);
    let facts: Vec<&String> =
        trail.iter().filter_map(|(_, leaf)| leaf.facts.get("plan_told")).collect();
    assert!(facts.windows(2).all(|pair| pair[0] == pair[1]), "the same plan: {facts:?}");
    assert_eq!(facts[0].len(), 64);
}

#[test]
fn a_denial_by_a_plan_is_asked_again_as_that() {
    let mut world = World::new();
    lock(&world);
    let mut id = steps(&world, &["draft ana", "submit ana"]);
    under(&mut world, |q, f| q.action == Action::APPROVE && locks(f));
    world.step(&mut id, "approve bo").unwrap_err();
    // The same policies say the same.
    let same = House { name: "no-locks", forbids: |q, f| q.action == Action::APPROVE && locks(f) };
    let (differences, _) = replayed(&world.gate, &world, &same);
    assert!(differences.is_empty(), "{differences:?}");
    // Others would have let it pass.
    let nothing = House { name: "nothing", forbids: |_, _| false };
    let (differences, _) = replayed(&world.gate, &world, &nothing);
    let [one] = differences.as_slice() else { panic!("{differences:?}") };
    assert!(!one.recorded.allowed && one.answer.is_allowed());
    assert_eq!(one.cause, ReplayCause::Policies);
}
