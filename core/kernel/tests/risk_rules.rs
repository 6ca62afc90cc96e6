//! Rules that read what plans say of their steps: kind, lock, whole tables, rows, objects, and whether they can be undone.

use placet_core::error::{Code, Error};
use placet_core::id::RuleId;
use placet_core::org::command::{PutBlockingRule, PutQuorumRule, RemoveRule};
use placet_core::org::{Block, Conditions, FindingIs};
use placet_core::request::{Quorum, State};
use placet_core::runner::{Finding, Impact, Level, Lock, Plan, Step};

use crate::world::{World, assert_invariants};

/// What the plan of the next request is.
type Shape = fn(&mut Plan);

fn put(world: &World, when: Conditions) -> Result<RuleId, Error> {
    let (name, quorum) = ("by risk".parse()?, Quorum::n_of(1, None)?);
    let rule =
        PutQuorumRule { project: world.project, rule: None, position: 1, name, when, quorum };
    world.gate.manage(&world.caller("root"), &rule)
}

/// Whether a request with such a plan falls under a rule with these conditions.
fn fits(world: &World, when: Conditions, shape: Shape, targets: &[&str]) -> bool {
    let rule = put(world, when).unwrap();
    world.bench.runner.plans_as(move |_, plan| shape(plan));
    let mut new = world.new_request(world.dev);
    let then: Vec<_> = targets.iter().map(|name| name.parse().unwrap()).collect();
    new.change = new.change.and_then_at(then, world.gate.limits()).unwrap();
    let request = world.gate.draft_and_submit(&world.caller("ana"), &new).unwrap();
    let State::PendingApproval(pending) = request.state else { panic!() };
    let remove = RemoveRule { project: world.project, rule };
    world.gate.manage(&world.caller("root"), &remove).unwrap();
    pending.rule == Some(rule)
}

fn when(say: impl Fn(&mut Conditions)) -> Conditions {
    let mut when = Conditions::default();
    say(&mut when);
    when
}

fn first(plan: &mut Plan) -> &mut Step {
    &mut plan.steps[0]
}

/// A plan that only reads, then one that changes something.
fn read_then(plan: &mut Plan, shape: impl FnOnce(&mut Step)) {
    let mut more = plan.steps[0].clone();
    let read = &mut plan.steps[0];
    "read".clone_into(&mut read.kind);
    (read.estimated_rows, read.reversible) = (None, false);
    "2".clone_into(&mut more.id);
    shape(&mut more);
    plan.steps.push(more);
}

fn objects(names: &[&str]) -> Impact {
    Impact { objects: names.iter().map(|&name| name.to_owned()).collect(), ..Impact::default() }
}

fn kinds(words: &[&str]) -> Conditions {
    when(|when| when.kinds = words.iter().map(|&word| word.to_owned()).collect())
}

fn touching(names: &[&str]) -> Conditions {
    when(|when| when.objects = names.iter().map(|&name| name.to_owned()).collect())
}

/// What is said, the condition, the plan, and whether a request with it falls under the rule.
type Case = (&'static str, Conditions, Shape, bool);

#[track_caller]
fn play(cases: Vec<Case>) {
    let world = World::new();
    for (name, when, shape, expected) in cases {
        assert_eq!(fits(&world, when, shape, &[]), expected, "{name}");
    }
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn rules_read_the_kind_of_steps_their_locks_and_whole_tables() {
    let lock = |least| when(|when| when.lock = Some(least));
    let rewrites = || when(|when| when.rewrites = true);
    play(vec![
        ("a kind", kinds(&["ddl", "write"]), |_| (), true),
        ("another kind", kinds(&["ddl"]), |_| (), false),
        (
            "the kind of a later step",
            kinds(&["ddl"]),
            |p| read_then(p, |s| s.kind = "ddl".into()),
            true,
        ),
        ("a kind is one word", kinds(&["DDL"]), |p| first(p).kind = "ddl".into(), false),
        ("that lock", lock(Lock::Share), |p| first(p).impact.lock = Lock::Share, true),
        ("a stronger lock", lock(Lock::Rows), |p| first(p).impact.lock = Lock::Exclusive, true),
        ("a weaker lock", lock(Lock::Exclusive), |p| first(p).impact.lock = Lock::Share, false),
        ("no lock asked for", lock(Lock::None), |_| (), true),
        ("a whole table", rewrites(), |p| first(p).impact.rewrites = true, true),
        ("no whole table", rewrites(), |_| (), false),
    ]);
}

#[test]
fn rules_read_how_many_rows_steps_change() {
    let rows = |least| when(|when| when.rows = Some(least));
    play(vec![
        ("as many rows", rows(10), |p| first(p).estimated_rows = Some(10), true),
        ("fewer rows", rows(10), |p| first(p).estimated_rows = Some(9), false),
        (
            "rows of two steps",
            rows(10),
            |p| {
                first(p).estimated_rows = Some(5);
                let more = p.steps[0].clone();
                p.steps.push(more);
            },
            true,
        ),
        (
            "rows past counting",
            rows(u64::MAX),
            |p| {
                first(p).estimated_rows = Some(u64::MAX);
                let more = p.steps[0].clone();
                p.steps.push(more);
            },
            true,
        ),
        ("nobody knows how many", rows(10), |p| first(p).estimated_rows = None, true),
        ("what only reads counts not", rows(10), |p| read_then(p, |_| ()), false),
    ]);
}

#[test]
fn rules_read_what_steps_touch() {
    play(vec![
        (
            "an object",
            touching(&["shop.orders"]),
            |p| first(p).impact = objects(&["a", "shop.orders"]),
            true,
        ),
        (
            "another object",
            touching(&["shop.orders"]),
            |p| first(p).impact = objects(&["shop.carts"]),
            false,
        ),
        (
            "another schema",
            touching(&["shop.orders"]),
            |p| first(p).impact = objects(&["old.orders"]),
            false,
        ),
        (
            "no schema in the plan",
            touching(&["shop.orders"]),
            |p| first(p).impact = objects(&["orders"]),
            true,
        ),
        (
            "no schema in the rule",
            touching(&["Orders"]),
            |p| first(p).impact = objects(&["shop.orders"]),
            true,
        ),
        (
            "the end of a name",
            touching(&["orders"]),
            |p| first(p).impact = objects(&["reorders"]),
            false,
        ),
        ("nobody knows which", touching(&["orders"]), |p| first(p).impact = objects(&[]), true),
        (
            "what only reads, who knows what",
            touching(&["orders"]),
            |p| read_then(p, |s| s.impact = objects(&["carts"])),
            false,
        ),
    ]);
}

#[test]
fn rules_read_whether_steps_can_be_undone() {
    let forever = || when(|when| when.irreversible = true);
    play(vec![
        ("for ever", forever(), |p| first(p).reversible = false, true),
        ("not for ever", forever(), |_| (), false),
        ("what only reads needs no way back", forever(), |p| read_then(p, |_| ()), false),
        (
            "a word of the plugin's own changes something",
            forever(),
            |p| {
                "look".clone_into(&mut first(p).kind);
                first(p).reversible = false;
            },
            true,
        ),
        (
            "all of it",
            when(|w| (w.kinds, w.rewrites) = (vec!["write".into()], true)),
            |_| (),
            false,
        ),
    ]);
}

/// A block of a language of its own, a function that is called, text that was not understood: whatever else the step
/// says of itself, nobody can tell.
#[test]
fn a_step_of_which_nobody_can_tell_fits_whatever_is_asked_of_steps() {
    let harmless_by_its_words: Shape = |plan| {
        read_then(plan, |step| {
            "unknown".clone_into(&mut step.kind);
            (step.estimated_rows, step.reversible) = (Some(0), true);
            step.impact = objects(&["shop.carts"]);
        });
    };
    play(vec![
        ("a kind", kinds(&["ddl"]), harmless_by_its_words, true),
        ("a lock", when(|w| w.lock = Some(Lock::Exclusive)), harmless_by_its_words, true),
        ("a whole table", when(|w| w.rewrites = true), harmless_by_its_words, true),
        ("rows", when(|w| w.rows = Some(1_000_000)), harmless_by_its_words, true),
        ("an object", touching(&["shop.orders"]), harmless_by_its_words, true),
        ("for ever", when(|w| w.irreversible = true), harmless_by_its_words, true),
        (
            "another word of the plugin's own",
            kinds(&["ddl"]),
            |p| first(p).kind = "look".into(),
            false,
        ),
    ]);
}

#[test]
fn a_plan_without_steps_fits_whatever_is_asked_of_steps() {
    let world = World::new();
    for when in [
        kinds(&["ddl"]),
        when(|when| when.lock = Some(Lock::Exclusive)),
        when(|when| when.rewrites = true),
        when(|when| when.rows = Some(1_000_000)),
        touching(&["shop.orders"]),
        when(|when| when.irreversible = true),
    ] {
        assert!(fits(&world, when.clone(), |plan| plan.steps.clear(), &[]), "{when:?}");
    }
}

#[test]
fn of_a_batch_one_plan_is_enough_and_rows_are_those_of_all() {
    let world = World::new();
    let three: Shape = |plan| plan.steps[0].estimated_rows = Some(3);
    let rows = |least| when(|when| when.rows = Some(least));
    assert!(!fits(&world, rows(4), three, &[]));
    assert!(fits(&world, rows(4), three, &["second"]));
    let at_second: Shape = |plan| {
        let is_second = plan.steps[0].target.as_str() == "second";
        plan.steps[0].impact.lock = if is_second { Lock::Exclusive } else { Lock::None };
    };
    let exclusive = || when(|when| when.lock = Some(Lock::Exclusive));
    assert!(!fits(&world, exclusive(), at_second, &[]));
    assert!(fits(&world, exclusive(), at_second, &["second"]));
}

#[test]
fn what_takes_an_exclusive_lock_is_stopped_until_a_check_passed() {
    let world = World::new();
    world.bench.runner.plans_as(|_, plan| plan.steps[0].impact.lock = Lock::Exclusive);
    let (name, when) =
        ("off hours".parse().unwrap(), when(|when| when.lock = Some(Lock::Exclusive)));
    let block = Block::Check("off-hours".parse().unwrap());
    let rule = PutBlockingRule { project: world.project, rule: None, name, when, block };
    world.gate.manage(&world.caller("root"), &rule).unwrap();
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    let error = world.step(&mut id, "approve bo").unwrap_err();
    assert_eq!(error.code(), Code::Blocked, "{error}");
    // A change that locks nobody out is not asked.
    world.bench.runner.plans_as(|_, _| {});
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "execute bo"] {
        world.step(&mut id, step).unwrap();
    }
}

#[test]
fn conditions_are_looked_at_on_entry() {
    let world = World::new();
    let before = world.bench.parts.store.log_len().unwrap();
    let long = "x".repeat(10 << 20);
    for word in ["", "a b", "line\nbreak", "\u{202e}txt", long.as_str()] {
        assert_eq!(put(&world, kinds(&[word])).unwrap_err().code(), Code::InvalidInput);
    }
    for name in ["", " orders", "orders ", "line\nbreak", "\u{202e}txt", long.as_str()] {
        assert_eq!(put(&world, touching(&[name])).unwrap_err().code(), Code::InvalidInput);
    }
    assert_eq!(put(&world, kinds(&["ddl"; 33])).unwrap_err().code(), Code::TooLarge);
    assert_eq!(put(&world, touching(&["orders"; 33])).unwrap_err().code(), Code::TooLarge);
    assert_eq!(world.bench.parts.store.log_len().unwrap(), before, "nothing is written");
    // Names that were quoted may have blanks in them.
    put(&world, touching(&["shop.order lines"])).unwrap();
}

#[test]
fn a_rule_that_was_stored_before_reads_no_steps() {
    let mut json = serde_json::to_value(Conditions::default()).unwrap();
    let members = json.as_object_mut().unwrap();
    for name in ["kinds", "lock", "rewrites", "rows", "objects", "irreversible"] {
        assert!(members.remove(name).is_some(), "{name}");
    }
    assert_eq!(serde_json::from_value::<Conditions>(json).unwrap(), Conditions::default());
}

#[test]
fn a_finding_may_be_asked_for_beside_what_steps_do() {
    let world = World::new();
    let both = || {
        when(|when| {
            when.findings = vec![FindingIs::Code("sql.drop".to_owned())];
            when.irreversible = true;
        })
    };
    let drops: Shape = |plan| {
        let finding = Finding::new(Level::Warning, "sql.drop".to_owned(), "it drops".to_owned());
        plan.findings.push(finding);
        plan.steps[0].reversible = false;
    };
    assert!(fits(&world, both(), drops, &[]));
    assert!(!fits(&world, both(), |plan| plan.steps[0].reversible = false, &[]));
}
