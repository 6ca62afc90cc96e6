//! How much of its limits a call used, as the host counted it.

use std::sync::{Arc, Mutex};

use placet_core::runner::{Outcome, Runner as _};
use placet_runners::{RunnerLimits, SqliteTarget, Usage, UsageSink, WasmRunner};

use crate::bench::{Bench, Link, job, plugins};

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Usage>>);

impl UsageSink for Kept {
    fn note(&self, usage: Usage) {
        self.0.lock().unwrap().push(usage);
    }
}

/// A host that notes what is used, and a database for it.
fn host(limits: RunnerLimits) -> (Bench, WasmRunner, Arc<Kept>) {
    let bench = Bench::new();
    let kept = Arc::new(Kept::default());
    let runner = plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(SqliteTarget::new(bench.path())))
        .limits(limits)
        .usage(Arc::<Kept>::clone(&kept))
        .build()
        .unwrap();
    (bench, runner, kept)
}

fn misbehave(runner: &WasmRunner, kept: &Kept, behaviour: &str, sql: &str) -> (Outcome, Usage) {
    let payload = serde_json::json!({ "behaviour": behaviour, "sql": sql }).to_string();
    let job = job("unruly", &payload);
    let plan = runner.plan(&job, &Link::default()).unwrap();
    kept.0.lock().unwrap().clear();
    let outcome = runner.execute(&job, &plan, &Link::default());
    let mut usage = kept.0.lock().unwrap();
    let usage = usage.pop().unwrap();
    assert_eq!((usage.call, usage.plugin.as_str()), ("execute", "unruly"));
    assert_eq!(usage.id, Some(job.id));
    (outcome, usage)
}

const DELETE: &str = "DELETE FROM orders WHERE id = 1";

#[test]
fn each_call_of_a_story_is_told_once() {
    let (_bench, runner, kept) = host(RunnerLimits::default());
    let payload = r#"{"sql": "DELETE FROM orders WHERE id = 1"}"#;
    let job = job("sql", payload);
    let link = Link::default();
    runner.describe(&job.runner).unwrap();
    // It is asked once, and remembered.
    runner.describe(&job.runner).unwrap();
    runner.validate(&job.runner, payload).unwrap();
    let plan = runner.plan(&job, &link).unwrap();
    runner.execute(&job, &plan, &link);
    runner.verify(&job, &plan, &link);
    let told = kept.0.lock().unwrap();
    let calls: Vec<&str> = told.iter().map(|usage| usage.call).collect();
    assert_eq!(calls, ["pure", "pure", "plan", "execute", "verify"]);
    for usage in told.iter() {
        assert!(usage.memory_bytes.used >= 65_536, "{usage:?}");
        assert_eq!(usage.memory_bytes.max, 256 << 20);
        assert!(usage.table_elements.used > 0, "{usage:?}");
        assert_eq!(usage.reached, None);
    }
    let execute = told.get(3).unwrap();
    // One connection, one transaction, one result; opened, begun, executed, committed, at the least.
    assert!((2..=3).contains(&execute.handles.used), "{execute:?}");
    assert!((4..=64).contains(&execute.host_calls.used), "{execute:?}");
    assert!(execute.host_bytes.used >= 31, "{execute:?}");
    assert_eq!(execute.time_ms.max, 1_000_000);
}

#[test]
fn what_is_used_is_counted() {
    let (_bench, runner, kept) = host(RunnerLimits::default());
    let (_, quiet) = misbehave(&runner, &kept, "lie", DELETE);
    assert_eq!((quiet.host_calls.used, quiet.host_bytes.used, quiet.log_bytes.used), (0, 0, 0));
    assert_eq!((quiet.handles.used, quiet.rows.used), (0, 0));
    // 24 bytes a line after cleaning, and 32 for the line.
    let (_, chatter) = misbehave(&runner, &kept, "chatter", DELETE);
    assert_eq!(chatter.host_calls.used, 1_000);
    assert_eq!((chatter.log_bytes.used, chatter.log_bytes.per_mille()), (56_000, 854));
    let (_, open) = misbehave(&runner, &kept, "no-commit", DELETE);
    // A connection, a transaction, and what the statement answered.
    assert_eq!((open.handles.used, open.host_calls.used), (3, 3), "{open:?}");
}

#[test]
fn what_is_used_up_is_named() {
    let mut limits = RunnerLimits::default().with_host_calls_max(1_000);
    limits.handles_max = 8;
    limits.connections_max = 64;
    limits.memory_bytes_max = 16 << 20;
    let (_bench, runner, kept) = host(limits);
    let (_, calls) = misbehave(&runner, &kept, "calls", DELETE);
    assert_eq!((calls.host_calls.used, calls.host_calls.per_mille()), (1_000, 1_000));
    assert_eq!(calls.reached.as_deref(), Some("1000 calls to the host"));
    let (_, handles) = misbehave(&runner, &kept, "handles", DELETE);
    assert_eq!((handles.handles.used, handles.handles.max), (8, 8));
    assert_eq!(handles.reached.as_deref(), Some("8 open handles"));
    let (_, memory) = misbehave(&runner, &kept, "memory", DELETE);
    assert!((900..=1_000).contains(&memory.memory_bytes.per_mille()), "{memory:?}");
    assert!(memory.reached.unwrap().contains("bytes of memory"));
}

#[test]
fn rows_are_those_of_the_largest_query() {
    let (_bench, runner, kept) = host(RunnerLimits::default());
    for (sql, rows) in [
        ("SELECT * FROM orders", 3),
        ("SELECT * FROM orders WHERE id < 3", 2),
        ("SELECT * FROM orders WHERE id < 0", 0),
    ] {
        let payload = serde_json::json!({ "behaviour": "plan-write", "sql": sql }).to_string();
        let _plan = runner.plan(&job("unruly", &payload), &Link::default()).unwrap();
        let usage = kept.0.lock().unwrap().pop().unwrap();
        assert_eq!((usage.call, usage.rows.used, usage.rows.max), ("plan", rows, 10_000));
    }
}

#[test]
fn time_is_a_share_of_what_the_job_had() {
    let (_bench, runner, kept) = host(RunnerLimits::default());
    let payload = serde_json::json!({ "behaviour": "loop", "sql": DELETE }).to_string();
    let job = job("unruly", &payload);
    let plan = runner.plan(&job, &Link::default()).unwrap();
    runner.execute(&job, &plan, &Link::hurried());
    let usage = kept.0.lock().unwrap().pop().unwrap();
    // The deadline stopped it, and the kernel's clock says so.
    assert!(usage.time_ms.per_mille() >= 1_000, "{usage:?}");
    assert!(usage.ticks > 0, "{usage:?}");
}
