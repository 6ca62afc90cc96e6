//! Every way to break the contract that a plugin has by name, one line each: how the run must end, and that nothing but
//! what was approved, all of it or nothing, was changed. After each the host lives, and nothing that the plugin saw or
//! said holds what it may not know.

use std::fmt::Write as _;

use placet_core::error::Code;
use placet_core::runner::{Outcome, Runner as _};
use placet_runners::{RunnerLimits, SqliteTarget};

use crate::bench::{Bench, Link, failure, job};

const DELETE: &str = "DELETE FROM orders WHERE id = 1; DELETE FROM orders WHERE id = 2";

/// Limits that are reached soon.
pub(crate) fn tight() -> RunnerLimits {
    let mut limits = RunnerLimits::default().with_host_calls_max(2_000).with_log_bytes_max(4_096);
    limits.memory_bytes_max = 48 << 20;
    limits.host_bytes_max = 1 << 20;
    limits.handles_max = 16;
    limits.pure_ms_max = 200;
    limits
}

pub(crate) fn payload(behaviour: &str) -> String {
    serde_json::json!({ "behaviour": behaviour, "sql": DELETE }).to_string()
}

/// All that left the sandbox is free of what the plugin may not know, and of what a terminal would obey.
fn assert_clean(bench: &Bench, behaviour: &str, said: &str) {
    let mut all = said.to_owned();
    let log = bench.link.log.lock().unwrap();
    for line in log.iter() {
        let fields = line.fields.iter().flat_map(|(name, value)| [name, value]);
        for text in fields.chain([&line.level, &line.message]) {
            let _infallible = writeln!(all, "{text}");
            assert!(!text.contains(char::is_control), "{behaviour}: {text:?}");
            assert!(!text.contains('\u{202e}'), "{behaviour}: {text:?}");
        }
    }
    drop(log);
    let reports = bench.link.progress.lock().unwrap();
    for progress in reports.iter() {
        let _infallible = writeln!(all, "{progress:?}");
    }
    // The address of the target is its credential here: whoever knows the path opens the file.
    let folder = bench.folder.path().to_str().unwrap();
    assert!(!all.contains(folder) && !all.contains("orders.db"), "{behaviour}: {all}");
}

/// How a run of `behaviour` must end: the word, the code, and how many rows are left of three.
pub(crate) const EXECUTED: &[(&str, &str, &str, i64)] = &[
    // The guest itself.
    ("do recurse", "failed", "runner_fault", 3),
    ("do divide", "failed", "runner_fault", 3),
    ("do bounds", "failed", "runner_fault", 3),
    ("do abort", "failed", "runner_fault", 3),
    ("do hoard", "failed", "limit", 3),
    ("do spin", "failed", "timeout", 3),
    // What it says to the host.
    ("do not-utf8", "failed", "runner_fault", 3),
    ("do long-log", "failed", "runner_fault", 3),
    ("do long-level", "failed", "runner_fault", 3),
    ("do long-field", "failed", "runner_fault", 3),
    ("do long-note", "failed", "runner_fault", 3),
    ("do many-fields", "failed", "runner_fault", 3),
    ("do ask-always", "failed", "limit", 3),
    ("do log-always", "failed", "limit", 3),
    ("do checkpoint-always", "failed", "limit", 3),
    ("do dialect-always", "failed", "limit", 3),
    ("do long-checkpoint", "failed", "runner_fault", 3),
    // Handles.
    ("do forged-connection", "failed", "runner_fault", 3),
    ("do forged-transaction", "failed", "runner_fault", 3),
    ("do open-always", "failed", "limit", 3),
    ("do begin-always", "failed", "limit", 3),
    ("do refused-always", "failed", "limit", 3),
    ("do rows-kept", "failed", "limit", 3),
    // Names of connections.
    ("do open-host-name", "failed", "denied", 3),
    ("do open-empty", "failed", "denied", 3),
    ("do open-path", "failed", "denied", 3),
    ("do open-url", "failed", "denied", 3),
    ("do open-nul", "failed", "denied", 3),
    ("do open-case", "failed", "denied", 3),
    ("do open-escapes", "failed", "denied", 3),
    ("do open-long", "failed", "denied", 3),
    // Statements that nobody approved.
    ("do run-space", "failed", "denied", 3),
    ("do run-comment", "failed", "denied", 3),
    ("do run-more", "failed", "denied", 3),
    ("do run-nul", "failed", "denied", 3),
    ("do run-case", "failed", "denied", 3),
    ("do run-empty", "failed", "denied", 3),
    ("do run-values", "failed", "denied", 3),
    ("do run-replay", "failed", "denied", 3),
    ("do run-marker", "failed", "denied", 3),
    ("do run-commit", "failed", "denied", 3),
    ("do run-long", "failed", "runner_fault", 3),
    // The right statements in the wrong order.
    ("do second-first", "failed", "denied", 3),
    ("do first-twice", "failed", "denied", 3),
    ("do first-only", "failed", "denied", 3),
    ("do two-transactions", "failed", "denied", 3),
    ("do two-connections", "failed", "denied", 3),
    ("do undone", "failed", "denied", 3),
    ("do query", "failed", "denied", 3),
    ("do marker", "failed", "denied", 3),
    ("do inverse", "failed", "denied", 3),
    ("do spy", "failed", "denied", 3),
    // What it says about itself.
    ("do say-unknown", "failed", "maybe", 3),
    ("do say-applied", "failed", "half", 3),
    ("do say-long", "failed", "runner_fault", 3),
    // After everything was done.
    ("do honest-escapes", "succeeded", "", 1),
    ("do honest-long", "succeeded", "", 1),
    ("do honest-artifact", "succeeded", "", 1),
    ("do honest-recurse", "succeeded", "", 1),
    ("do honest-hoard", "succeeded", "", 1),
    ("do honest-again", "succeeded", "", 1),
];

#[test]
fn however_a_plugin_executes_the_outcome_is_what_the_host_saw() {
    let mut wrong = Vec::new();
    for &(behaviour, word, code, left) in EXECUTED {
        let bench = Bench::with(tight(), SqliteTarget::new);
        let job = job("unruly", &payload(behaviour));
        let plan = bench.runner.plan(&job, &bench.link).unwrap();
        let hurried = Link::hurried();
        let link = if behaviour == "do spin" { &hurried } else { &bench.link };
        let outcome = bench.runner.execute(&job, &plan, link);
        let said = format!("{outcome:?}");
        let found = match outcome {
            Outcome::Succeeded(report) => {
                // The host's own count, and no file that the plugin made up.
                assert_eq!(report.rows_affected, Some(2), "{behaviour}");
                assert!(report.artifacts.is_empty(), "{behaviour}");
                assert!(report.summary.chars().count() <= 2_000, "{behaviour}");
                assert!(!report.summary.contains(char::is_control), "{behaviour}");
                ("succeeded", String::new())
            }
            other @ (Outcome::Failed(_) | Outcome::Unknown(_)) => {
                let (word, failure) = failure(other);
                assert!(failure.applied.is_empty(), "{behaviour}: {failure:?}");
                assert!(!failure.message.contains(char::is_control), "{behaviour}");
                assert!(failure.message.chars().count() <= 2_100, "{behaviour}");
                (word, failure.code)
            }
        };
        let rows = bench.number("SELECT count(*) FROM orders");
        if (found.0, found.1.as_str(), rows) != (word, code, left) {
            wrong.push(format!("{behaviour}: {found:?} {rows}, not {word} {code} {left}: {said}"));
        }
        assert_clean(&bench, behaviour, &said);
        bench.assert_alive();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How a plan of `behaviour` must be refused; an empty code means that it is taken, cleaned.
pub(crate) const PLANNED: &[(&str, Option<Code>)] = &[
    ("plan recurse", Some(Code::RunnerFault)),
    ("plan divide", Some(Code::RunnerFault)),
    ("plan bounds", Some(Code::RunnerFault)),
    ("plan abort", Some(Code::RunnerFault)),
    ("plan hoard", Some(Code::LimitReached)),
    ("plan spin", Some(Code::LimitReached)),
    ("plan not-utf8", Some(Code::RunnerFault)),
    ("plan long-log", Some(Code::RunnerFault)),
    ("plan ask-always", Some(Code::LimitReached)),
    ("plan forged-transaction", Some(Code::RunnerFault)),
    ("plan many-steps", Some(Code::RunnerFault)),
    ("plan same-ids", Some(Code::RunnerFault)),
    ("plan alike-ids", Some(Code::RunnerFault)),
    ("plan no-id", Some(Code::RunnerFault)),
    ("plan long-id", Some(Code::RunnerFault)),
    ("plan other-target", Some(Code::RunnerFault)),
    ("plan path-target", Some(Code::RunnerFault)),
    ("plan long-body", Some(Code::RunnerFault)),
    ("plan refuse", Some(Code::InvalidPayload)),
    ("plan long-refusal", Some(Code::RunnerFault)),
    ("plan marker", Some(Code::InvalidPayload)),
    ("plan autocommit", Some(Code::InvalidPayload)),
    ("plan answer", Some(Code::InvalidPayload)),
    ("plan escapes", None),
];

#[test]
fn however_a_plugin_plans_nothing_is_changed() {
    let mut wrong = Vec::new();
    for &(behaviour, code) in PLANNED {
        let bench = Bench::with(tight(), SqliteTarget::new);
        let job = job("unruly", &payload(behaviour));
        let hurried = Link::hurried();
        let link = if behaviour == "plan spin" { &hurried } else { &bench.link };
        let planned = bench.runner.plan(&job, link);
        let said = format!("{planned:?}");
        let found = match planned {
            Ok(plan) => {
                for step in &plan.steps {
                    let texts = [&step.title, &step.kind, &step.id];
                    let texts = texts.into_iter().chain(&step.impact.objects);
                    for text in texts {
                        assert!(!text.contains(char::is_control), "{behaviour}: {text:?}");
                        assert!(!text.contains('\u{202e}'), "{behaviour}: {text:?}");
                    }
                }
                None
            }
            Err(error) => {
                assert!(error.help().is_some(), "{behaviour}");
                assert!(!error.to_string().contains(char::is_control), "{behaviour}");
                Some(error.code())
            }
        };
        if found != code {
            wrong.push(format!("{behaviour}: {found:?}, not {code:?}: {said}"));
        }
        assert_eq!(bench.number("SELECT count(*) FROM orders"), 3, "{behaviour}");
        assert_clean(&bench, behaviour, &said);
        bench.assert_alive();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(crate) const VALIDATED: &[(&str, Option<Code>)] = &[
    ("validate recurse", Some(Code::RunnerFault)),
    ("validate divide", Some(Code::RunnerFault)),
    ("validate abort", Some(Code::RunnerFault)),
    ("validate hoard", Some(Code::LimitReached)),
    ("validate spin", Some(Code::LimitReached)),
    ("validate not-utf8", Some(Code::RunnerFault)),
    ("validate long-log", Some(Code::RunnerFault)),
    ("validate log-always", Some(Code::LimitReached)),
    ("validate forged-connection", Some(Code::RunnerFault)),
    ("validate long-finding", Some(Code::RunnerFault)),
    ("validate findings", None),
    ("validate escapes", None),
    ("validate word", None),
];

#[test]
fn however_a_plugin_validates_it_reaches_nothing() {
    let mut wrong = Vec::new();
    for &(behaviour, code) in VALIDATED {
        let mut limits = tight();
        if behaviour == "validate findings" {
            limits.host_bytes_max = 64 << 20;
        }
        let bench = Bench::with(limits, SqliteTarget::new);
        let found = bench.runner.validate(&"unruly".parse().unwrap(), &payload(behaviour));
        if let Ok(findings) = &found {
            assert!((1..=1_000).contains(&findings.len()), "{behaviour}: {}", findings.len());
            for finding in findings {
                for text in [&finding.code, &finding.message] {
                    assert!(!text.contains(char::is_control), "{behaviour}: {text:?}");
                }
            }
        }
        let said = format!("{found:?}");
        let found = found.err().map(|error| error.code());
        if found != code {
            wrong.push(format!("{behaviour}: {found:?}, not {code:?}: {said}"));
        }
        assert_clean(&bench, behaviour, &said);
        bench.assert_alive();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Verifications that do not look, or do something else. Nobody knows more afterwards. The first four ask for what a
/// verification may not do.
pub(crate) const VERIFIED: &[(&str, &str)] = &[
    ("verify begin", "runner_fault"),
    ("verify query", "runner_fault"),
    ("verify autocommit", "runner_fault"),
    ("verify answer", "runner_fault"),
    ("verify failed", "runner_fault"),
    ("verify nothing", "runner_fault"),
    ("verify recurse", "runner_fault"),
    ("verify abort", "runner_fault"),
    ("verify hoard", "limit"),
    ("verify ask-always", "limit"),
    ("verify not-utf8", "runner_fault"),
];

#[test]
fn a_verification_that_breaks_the_contract_resolves_nothing() {
    let mut wrong = Vec::new();
    for (number, &(behaviour, code)) in VERIFIED.iter().enumerate() {
        let bench = Bench::with(tight(), SqliteTarget::new);
        let job = job("unruly", &payload(behaviour));
        let plan = bench.runner.plan(&job, &bench.link).unwrap();
        let outcome = bench.runner.verify(&job, &plan, &bench.link);
        let said = format!("{outcome:?}");
        let (word, failure) = failure(outcome);
        if (word, failure.code.as_str()) != ("unknown", code) {
            wrong.push(format!("{behaviour}: {word} {}, not unknown {code}", failure.code));
        }
        if number < 4 {
            // It was refused, and said so.
            let told =
                bench.link.log.lock().unwrap().iter().any(|line| line.message.contains("only"));
            assert!(told, "{behaviour}: {:?}", bench.link.log);
        }
        assert_eq!(bench.number("SELECT count(*) FROM orders"), 3, "{behaviour}");
        assert_clean(&bench, behaviour, &said);
        bench.assert_alive();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn more_than_sixty_ways_are_told_apart() {
    let all = EXECUTED.iter().map(|&(name, ..)| name);
    let all = all.chain(PLANNED.iter().map(|&(name, _)| name));
    let all = all.chain(VALIDATED.iter().map(|&(name, _)| name));
    let all: Vec<&str> = all.chain(VERIFIED.iter().map(|&(name, _)| name)).collect();
    let different: std::collections::BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(different.len(), all.len());
    assert!(all.len() >= 60, "{}", all.len());
}

#[test]
fn a_query_without_end_stops_at_the_deadline_of_the_plan() {
    let bench = Bench::new();
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let payload = serde_json::json!({ "behaviour": "plan-write", "sql": endless }).to_string();
    let stopped = bench.runner.plan(&job("unruly", &payload), &Link::hurried()).unwrap_err();
    assert_eq!(stopped.code(), Code::LimitReached, "{stopped}");
    assert!(stopped.to_string().contains("deadline"), "{stopped}");
    bench.assert_alive();
}

#[test]
fn what_a_database_says_is_cleaned_and_cut_before_it_is_kept() {
    let bench = Bench::new();
    let database = rusqlite::Connection::open(bench.path()).unwrap();
    let said = format!("\u{1b}[2J\u{202e}{}", long(100_000));
    let trigger = format!(
        "CREATE TRIGGER loud BEFORE DELETE ON orders BEGIN SELECT RAISE(ABORT, '{said}'); END;"
    );
    database.execute_batch(&trigger).unwrap();
    let (word, failed) = failure(bench.run(DELETE));
    assert_eq!(word, "failed");
    assert!(failed.message.contains("[2J"), "it is what the database said");
    assert!(!failed.message.contains(|c: char| c.is_control() || c == '\u{202e}'));
    assert!(failed.message.chars().count() <= 2_000, "{}", failed.message.len());
    bench.assert_alive();
}

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}
