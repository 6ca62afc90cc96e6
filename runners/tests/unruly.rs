//! Plugins that break their contract. The host says what it saw, and lives on.

use placet_core::error::Code;
use placet_core::runner::{Outcome, Runner as _};
use placet_runners::{RunnerLimits, SqliteTarget};

use crate::bench::{Bench, Lease, Link, failure, job};

const DELETE: &str = "DELETE FROM orders WHERE id = 1";

fn misbehaves(behaviour: &str) -> (&'static str, String) {
    let bench = Bench::new();
    let (_, _, outcome) = bench.misbehave(behaviour, DELETE);
    let (word, failure) = failure(outcome);
    let left = bench.number("SELECT count(*) FROM orders");
    assert_eq!(left, 3, "{behaviour}");
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
    *link.lease.cancelled.lock().unwrap() = Some(Code::Cancelled);
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &link));
    assert_eq!((word, failed.code.as_str()), ("failed", "cancelled"));
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
    bench.assert_alive();
}

#[test]
fn an_endless_validation_stops_too() {
    let unruly = "unruly".parse().unwrap();
    let hurried = Bench::with(RunnerLimits::default().with_pure_ms_max(50), SqliteTarget::new);
    let stopped = hurried.runner.validate(&unruly, r#"{"behaviour": "loop-validate", "sql": ""}"#);
    assert_eq!(stopped.unwrap_err().code(), Code::LimitReached);
    // The others have all the time that they need.
    let bench = Bench::new();
    let reached = bench.runner.validate(&unruly, r#"{"behaviour": "reach-validate", "sql": ""}"#);
    assert_eq!(reached.unwrap_err().code(), Code::RunnerFault);
    assert_eq!(bench.runner.validate(&unruly, r#"{"behaviour": "", "sql": ""}"#).unwrap(), []);
}

#[test]
fn a_talkative_plugin_stops_at_the_deadline() {
    let limits = RunnerLimits::default().with_host_calls_max(u64::MAX);
    let bench = Bench::with(limits, SqliteTarget::new);
    let job_of = |behaviour: &str| {
        let payload = serde_json::json!({ "behaviour": behaviour, "sql": DELETE });
        job("unruly", &payload.to_string())
    };
    let stopped = bench.runner.plan(&job_of("chatty-plan"), &Link::hurried()).unwrap_err();
    assert_eq!(stopped.code(), Code::LimitReached, "{stopped:?}");
    assert!(stopped.to_string().contains("deadline"), "{stopped:?}");

    let job = job_of("chatty");
    let plan = bench.runner.plan(&job, &bench.link).unwrap();
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &Link::hurried()));
    assert_eq!((word, failed.code.as_str()), ("failed", "timeout"));
    let (word, failed) = failure(bench.runner.verify(&job, &plan, &Link::hurried()));
    assert_eq!((word, failed.code.as_str()), ("unknown", "timeout"));
    for (code, shown) in [(Code::LeaseLost, "lease_lost"), (Code::Cancelled, "cancelled")] {
        let link = Link::default();
        *link.lease.cancelled.lock().unwrap() = Some(code);
        let (word, failed) = failure(bench.runner.execute(&job, &plan, &link));
        assert_eq!((word, failed.code.as_str()), ("failed", shown));
    }
    bench.assert_alive();
}

#[test]
fn a_kernel_that_cannot_say_is_asked_again_for_a_while() {
    let bench = Bench::new();
    let (sql, plan) = bench.plan(DELETE).unwrap();
    let (word, failed) = failure(bench.runner.execute(
        &sql,
        &plan,
        &Link::on(Lease { failing_looks: 1.into(), ..Lease::default() }),
    ));
    assert_eq!((word, failed.code.as_str()), ("failed", "store_unavailable"));
    assert!(failed.retryable);
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);

    let payload = serde_json::json!({ "behaviour": "loop", "sql": DELETE }).to_string();
    let endless = job("unruly", &payload);
    let plan = bench.runner.plan(&endless, &bench.link).unwrap();
    let link = Link::on(Lease { failing_looks: i64::MAX.into(), ..Lease::default() });
    let (word, failed) = failure(bench.runner.execute(&endless, &plan, &link));
    assert_eq!((word, failed.code.as_str()), ("failed", "unavailable"));
}

#[test]
fn after_a_confirmed_commit_the_run_succeeded_whatever_the_plugin_does() {
    for (behaviour, note) in [
        ("commit-trap", "runner_fault"),
        ("commit-lie", "said that it failed"),
        ("commit-loop", "timeout"),
    ] {
        let bench = Bench::new();
        let payload = serde_json::json!({ "behaviour": behaviour, "sql": DELETE }).to_string();
        let job = job("unruly", &payload);
        let plan = bench.runner.plan(&job, &bench.link).unwrap();
        // Time stands still, for the endless one until the commit: then the deadline is over.
        let ends_after_commit_in = (behaviour == "commit-loop").then(|| bench.path());
        let link = Link::on(Lease { ends_after_commit_in, ..Lease::default() });
        let outcome = bench.runner.execute(&job, &plan, &link);
        let Outcome::Succeeded(report) = outcome else { panic!("{behaviour}: {outcome:?}") };
        assert_eq!(report.rows_affected, Some(1), "{behaviour}");
        assert!(report.summary.contains("broke off"), "{behaviour}: {report:?}");
        assert!(report.details.unwrap().contains(note), "{behaviour}");
        assert_eq!(bench.number("SELECT count(*) FROM orders"), 2);
        assert_eq!(bench.number("SELECT count(*) FROM placet_marker"), 1);
        // The plugin lies in verify as well, and the marker is believed.
        let verified = bench.runner.verify(&job, &plan, &bench.link);
        assert!(matches!(verified, Outcome::Succeeded(_)), "{behaviour}: {verified:?}");
        bench.assert_alive();
    }
}

#[test]
fn after_a_failed_statement_a_transaction_can_only_be_undone() {
    let bench = Bench::new();
    let (_, _, outcome) =
        bench.misbehave("after-failure", "INSERT INTO orders VALUES (1, 'again')");
    let (word, failed) = failure(outcome);
    assert_eq!((word, failed.code.as_str()), ("failed", "sql.sqlite.1555"));
    assert_eq!(bench.number("SELECT count(*) FROM sqlite_schema WHERE name = 'placet_marker'"), 0);
    bench.assert_alive();
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

#[test]
fn empty_log_lines_and_progress_have_a_quota_too() {
    let bench = Bench::with(RunnerLimits::default().with_log_bytes_max(1_000), SqliteTarget::new);
    let _outcome = bench.misbehave("fields", DELETE);
    let (log, progress) = (bench.link.log.lock().unwrap(), bench.link.progress.lock().unwrap());
    assert!(log.len() < 10 && progress.len() < 10, "{} {}", log.len(), progress.len());
    assert!(log.last().unwrap().message.contains("were dropped"), "{log:?}");
}
