//! Plugins that break their contract. The host says what it saw, and lives on.

use placet_core::error::Code;
use placet_core::runner::{Outcome, Runner as _};
use placet_runners::{RunnerLimits, SqliteTarget};

use crate::bench::{Bench, Link, failure, job};

const DELETE: &str = "DELETE FROM orders WHERE id = 1";

fn misbehaves(behaviour: &str) -> (&'static str, String) {
    let bench = Bench::new();
    let (_, _, outcome) = bench.misbehave(behaviour, DELETE);
    let (word, failure) = failure(outcome);
    let left = bench.number("SELECT count(*) FROM orders");
    let commits = behaviour.starts_with("commit");
    assert_eq!(left, if commits { 2 } else { 3 }, "{behaviour}");
    if commits {
        // Its marker stands in the way of nobody else.
        assert_eq!(bench.number("SELECT count(*) FROM placet_marker"), 1);
    }
    bench.assert_alive();
    (word, failure.code)
}

#[test]
fn a_lie_about_success_is_a_failure() {
    assert_eq!(misbehaves("lie"), ("failed", "runner_fault".to_owned()));
}

#[test]
fn success_without_a_commit_is_a_failure() {
    assert_eq!(misbehaves("no-commit"), ("failed", "runner_fault".to_owned()));
}

#[test]
fn a_commit_before_the_last_step_is_refused() {
    assert_eq!(misbehaves("early"), ("failed", "denied".to_owned()));
}

#[test]
fn a_statement_that_nobody_approved_is_refused() {
    assert_eq!(misbehaves("other-sql"), ("failed", "denied".to_owned()));
}

#[test]
fn a_trap_before_the_commit_is_a_failure() {
    assert_eq!(misbehaves("trap"), ("failed", "runner_fault".to_owned()));
    assert_eq!(misbehaves("trap-inside"), ("failed", "runner_fault".to_owned()));
}

#[test]
fn a_memory_bomb_is_stopped_at_its_limit() {
    assert_eq!(misbehaves("memory"), ("failed", "limit".to_owned()));
}

#[test]
fn a_flood_of_handles_or_calls_is_stopped() {
    assert_eq!(misbehaves("handles"), ("failed", "limit".to_owned()));
    let limits = RunnerLimits::default().with_host_calls_max(1_000);
    let bench = Bench::with(limits, SqliteTarget::new);
    let (_, _, outcome) = bench.misbehave("calls", DELETE);
    let (word, failure) = failure(outcome);
    assert_eq!((word, failure.code.as_str()), ("failed", "limit"));
}

#[test]
fn an_endless_loop_stops_at_the_deadline() {
    let bench = Bench::new();
    let payload = serde_json::json!({ "behaviour": "loop", "sql": DELETE }).to_string();
    let job = job("unruly", &payload);
    let plan = bench.runner.plan(&job, &bench.link).unwrap();
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &Link::hurried()));
    assert_eq!((word, failed.code.as_str()), ("failed", "timeout"));

    let link = Link::default();
    *link.cancelled.lock().unwrap() = Some(Code::Cancelled);
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &link));
    assert_eq!((word, failed.code.as_str()), ("failed", "cancelled"));
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
    bench.assert_alive();
}

#[test]
fn an_endless_validation_stops_too() {
    let bench = Bench::with(RunnerLimits::default().with_pure_ms_max(50), SqliteTarget::new);
    let unruly = "unruly".parse().unwrap();
    let stopped = bench.runner.validate(&unruly, r#"{"behaviour": "loop-validate", "sql": ""}"#);
    assert_eq!(stopped.unwrap_err().code(), Code::LimitReached);
    let reached = bench.runner.validate(&unruly, r#"{"behaviour": "reach-validate", "sql": ""}"#);
    assert_eq!(reached.unwrap_err().code(), Code::RunnerFault);
    assert_eq!(bench.runner.validate(&unruly, r#"{"behaviour": "", "sql": ""}"#).unwrap(), []);
}

#[test]
fn after_a_commit_only_the_marker_says_what_happened() {
    for behaviour in ["commit-trap", "commit-lie", "commit-loop"] {
        let bench = Bench::new();
        let payload = serde_json::json!({ "behaviour": behaviour, "sql": DELETE }).to_string();
        let job = job("unruly", &payload);
        let plan = bench.runner.plan(&job, &bench.link).unwrap();
        // Time stands still until the commit, and then the deadline is over.
        let link = Link { ends_after_commit_in: Some(bench.path()), ..Link::default() };
        let (word, _) = failure(bench.runner.execute(&job, &plan, &link));
        assert_eq!(word, "unknown", "{behaviour}");
        assert_eq!(bench.number("SELECT count(*) FROM orders"), 2);
        // The plugin lies in verify as well, and the marker is believed.
        let verified = bench.runner.verify(&job, &plan, &bench.link);
        assert!(matches!(verified, Outcome::Succeeded(_)), "{behaviour}: {verified:?}");
        bench.assert_alive();
    }
}

#[test]
fn a_verification_that_does_not_look_resolves_nothing() {
    let bench = Bench::new();
    let (job, plan, _) = bench.misbehave("lie", DELETE);
    let (word, failure) = failure(bench.runner.verify(&job, &plan, &bench.link));
    assert_eq!((word, failure.code.as_str()), ("unknown", "runner_fault"));
}

#[test]
fn a_dry_run_cannot_be_committed_and_a_plan_cannot_write() {
    let bench = Bench::new();
    for behaviour in ["plan-commit", "plan-write", "plan-other"] {
        let payload = serde_json::json!({ "behaviour": behaviour, "sql": DELETE }).to_string();
        let refused = bench.runner.plan(&job("unruly", &payload), &bench.link).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidPayload, "{behaviour}: {refused:?}");
        assert_eq!(bench.number("SELECT count(*) FROM orders"), 3, "{behaviour}");
    }
    bench.assert_alive();
}

#[test]
fn log_lines_past_the_quota_are_counted() {
    let bench = Bench::with(RunnerLimits::default().with_log_bytes_max(1_000), SqliteTarget::new);
    let (_, _, outcome) = bench.misbehave("chatter", DELETE);
    assert!(matches!(outcome, Outcome::Failed(_)));
    let log = bench.link.log.lock().unwrap();
    assert!(log.iter().map(|line| line.message.len()).sum::<usize>() < 1_200);
    assert!(log.last().unwrap().message.contains("were dropped"), "{log:?}");
    assert!(log.iter().all(|line| !line.message.contains('\u{1b}')));
}
