//! A plan has its way to be executed, and the host keeps to it whatever a plugin calls.

use std::sync::Arc;

use placet_core::runner::{Job, Outcome, Plan, Runner as _};
use placet_runners::WasmRunner;

use crate::bench::{Link, failure, job, plugins};
use crate::fake::Fake;

const TWO: &str = "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)";

/// Lets the unruly plugin behave as the script's first comment says.
fn misbehave(behaviour: &str, sql: &str, mode: &str) -> (Fake, Job, Plan, Outcome) {
    let fake = Fake::new();
    let runner = plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(fake.clone()))
        .results(Arc::new(crate::queries::Memory::default()))
        .build()
        .unwrap();
    let payload = serde_json::json!({ "sql": format!("/*{behaviour}*/ {sql}"), "mode": mode });
    let job = job("unruly", &payload.to_string());
    let plan = runner.plan(&job, &Link::default()).unwrap();
    fake.world().calls.clear();
    let outcome = runner.execute(&job, &plan, &Link::default());
    (fake, job, plan, outcome)
}

fn refused(behaviour: &str, sql: &str, mode: &str) -> (Vec<String>, String) {
    let (fake, _, plan, outcome) = misbehave(behaviour, sql, mode);
    let (word, failed) = failure(outcome);
    assert_eq!((word, failed.code.as_str()), ("failed", "denied"), "{behaviour}: {failed:?}");
    let truth = fake.truth(&plan);
    assert_eq!(failed.applied, truth, "{behaviour}");
    (truth, failed.message)
}

#[test]
fn a_step_is_not_committed_by_itself_in_a_plan_of_one_transaction() {
    let (applied, why) = refused("step-together", TWO, "transaction");
    assert!(applied.is_empty());
    assert_eq!(why, "the steps of this plan are committed together");
}

#[test]
fn the_whole_is_not_committed_in_a_plan_of_steps() {
    let (applied, why) = refused("steps-commit", TWO, "steps");
    assert!(applied.is_empty());
    assert_eq!(why, "the steps of this plan are committed one by one");
}

#[test]
fn two_steps_do_not_share_a_commit() {
    let (applied, why) = refused("steps-twice", TWO, "steps");
    assert_eq!(applied, ["s1"]);
    assert_eq!(why, "the step before it is not committed yet");
}

#[test]
fn a_step_that_took_effect_does_not_run_again() {
    let (applied, why) = refused("steps-again", TWO, "steps");
    assert_eq!(applied, ["s1"]);
    assert_eq!(why, "the statement is not the next step of the approved plan");
}

#[test]
fn after_a_step_that_failed_none_is_begun() {
    let fake = Fake::new();
    let runner = plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(fake.clone()))
        .build()
        .unwrap();
    for (behaviour, faulty) in [("steps-on", "execute"), ("alone-on", "alone")] {
        let payload =
            serde_json::json!({ "sql": format!("/*{behaviour}*/ {TWO}"), "mode": "steps" });
        let job = job("unruly", &payload.to_string());
        let plan = runner.plan(&job, &Link::default()).unwrap();
        fake.world().calls.clear();
        // Opened, then begun or intended: the third call is the statement.
        fake.world().fault = Some((2, crate::fake::Fault::Fails));
        let (word, failed) = failure(runner.execute(&job, &plan, &Link::default()));
        assert_eq!((word, failed.code.as_str()), ("failed", "sql.fake"), "{behaviour}");
        assert_eq!(failed.step.as_deref(), Some("s1"), "{behaviour}");
        assert_eq!(fake.truth(&plan), Vec::<String>::new(), "{behaviour}");
        assert_eq!(fake.world().calls.iter().filter(|call| **call == faulty).count(), 1);
    }
}

#[test]
fn a_step_outside_transactions_has_none_and_the_others_have_one() {
    let (applied, why) = refused("alone-in", TWO, "transaction");
    assert!(applied.is_empty());
    assert_eq!(why, "the next step runs outside a transaction");
    for mode in ["transaction", "steps"] {
        let (applied, why) = refused("write-alone", TWO, mode);
        assert!(applied.is_empty());
        assert_eq!(why, "the next step of the approved plan runs in a transaction");
    }
}

#[test]
fn steps_outside_transactions_are_marked_and_run_once() {
    let (fake, _, plan, outcome) = misbehave("alone-on", TWO, "transaction");
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert_eq!(fake.truth(&plan), ["s1", "s2"]);
    assert_eq!(fake.world().marks.len(), 2);
    assert!(fake.world().committed.is_empty(), "such a plan has no marker of the whole");
}

#[test]
fn only_what_reads_is_answered_and_only_that() {
    let (_, why) = refused("write-answer", TWO, "transaction");
    assert_eq!(why, "only a plan whose every step reads is answered");
    let (_, why) = refused("answer-begin", "SELECT 1", "transaction");
    assert_eq!(why, "a plan that only reads has no transaction");
    let (_, why) = refused("answer-other", "SELECT 1", "transaction");
    assert_eq!(why, "the statement is not the next step of the approved plan");
}

#[test]
fn half_an_answer_is_a_failure() {
    let (_, _, _, outcome) = misbehave("answer-half", "SELECT 1; SELECT 2", "transaction");
    let (word, failed) = failure(outcome);
    assert_eq!((word, failed.code.as_str()), ("failed", "runner_fault"));
}

#[test]
fn no_plugin_takes_the_sessions_that_a_database_has_for_everybody() {
    for hoards in ["handles", "do open-always"] {
        let (fake, _, _, outcome) = misbehave(hoards, TWO, "transaction");
        let (word, failed) = failure(outcome);
        assert_eq!((word, failed.code.as_str()), ("failed", "limit"), "{hoards}: {failed:?}");
        let (open, most) = fake.world().sessions;
        // Each of four reads, and one of them writes too.
        assert!(open == 0 && most <= 5, "{hoards}: {most} at once, {open} left");
    }
}
