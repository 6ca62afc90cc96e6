//! The SQL runner on a real file: plan, execute, verify.

use placet_core::digest::Digest;
use placet_core::error::Code;
use placet_core::runner::{Effect, Job, Level, Outcome, Risk, Runner as _};

use crate::bench::{Bench, Link, failure, job};

fn codes(plan: &placet_core::runner::Plan) -> Vec<&str> {
    plan.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn a_plan_shows_each_statement_and_changes_nothing() {
    let bench = Bench::new();
    let script =
        "UPDATE orders SET state = 'paid' WHERE state = 'new';\n-- and then\nDELETE FROM orders;";
    let (job, plan) = bench.plan(script).unwrap();

    let bodies: Vec<&str> = plan.steps.iter().map(|step| step.body.as_str()).collect();
    assert_eq!(
        bodies,
        ["UPDATE orders SET state = 'paid' WHERE state = 'new'", "DELETE FROM orders"]
    );
    let rows: Vec<_> = plan.steps.iter().map(|step| step.estimated_rows).collect();
    assert_eq!(rows, [Some(2), Some(3)]);
    let risks: Vec<_> = plan.steps.iter().map(|step| step.risk).collect();
    assert_eq!(risks, [Risk::Medium, Risk::High]);
    assert!(plan.steps.iter().all(|step| step.effect == Effect::Transactional));
    assert!(plan.steps.iter().all(|step| step.target == job.target));
    assert!(plan.steps.iter().all(|step| step.body_digest == Digest::of(step.body.as_bytes())));
    assert_eq!(codes(&plan), ["sql.no_where"]);
    assert_eq!(plan.findings.first().and_then(|finding| finding.line), Some(3));
    assert_eq!(bench.number("SELECT count(*) FROM orders WHERE state = 'new'"), 2);
}

#[test]
fn what_was_approved_runs_once_and_leaves_its_marker() {
    let bench = Bench::new();
    let script = "UPDATE orders SET state = 'paid' WHERE id = 1; CREATE TABLE notes (text TEXT);";
    let (job, plan) = bench.plan(script).unwrap();
    assert!(matches!(bench.runner.verify(&job, &plan, &bench.link), Outcome::Failed(_)));

    let outcome = bench.runner.execute(&job, &plan, &bench.link);
    let Outcome::Succeeded(report) = outcome else { panic!("{outcome:?}") };
    assert_eq!(report.rows_affected, Some(1));
    assert_eq!(bench.number("SELECT count(*) FROM orders WHERE state = 'paid'"), 2);
    assert_eq!(bench.number("SELECT count(*) FROM placet_marker WHERE revision = 1"), 1);
    let progress = bench.link.progress.lock().unwrap().clone();
    let told: Vec<_> = progress.iter().map(|told| (told.done, told.note.as_deref())).collect();
    let first = "UPDATE orders SET state = 'paid' WHERE id = 1; 0 rows so far";
    let second = "CREATE TABLE notes (text TEXT); 1 rows so far";
    assert_eq!(told, [(0, Some(first)), (1, Some(second)), (2, Some("1 rows"))]);
    assert_eq!(bench.link.log.lock().unwrap().len(), 2, "one line a statement");

    let verified = bench.runner.verify(&job, &plan, &bench.link);
    assert!(matches!(verified, Outcome::Succeeded(_)), "{verified:?}");
    // The same attempt again: the marker's key lets nothing through.
    let (script, again) = bench.plan("UPDATE orders SET state = 'lost' WHERE id = 1").unwrap();
    let (word, again) = failure(bench.runner.execute(&script, &again, &bench.link));
    assert_eq!((word, again.code.as_str()), ("failed", "sql.sqlite.1555"));
    assert_eq!(bench.number("SELECT count(*) FROM orders WHERE state = 'lost'"), 0);
}

#[test]
fn a_statement_that_fails_half_way_undoes_everything() {
    let bench = Bench::new();
    let script = "INSERT INTO orders VALUES (4, 'ñew');\nINSERT INTO orders VALUES (5, NULL)";
    // The dry run shows it before; the findings are put aside, as if the row had come later.
    let (job, mut plan) = bench.plan(script).unwrap();
    assert_eq!(codes(&plan), ["sql.dry_run_failed"]);
    plan.findings.clear();

    let (word, failure) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!(word, "failed");
    assert_eq!(failure.code, "sql.sqlite.1299");
    assert_eq!(failure.message, "NOT NULL constraint failed: orders.state");
    assert_eq!(failure.step.as_deref(), Some("s2"));
    assert!(failure.applied.is_empty());
    // The second statement begins at character 39.
    assert_eq!(failure.details.as_deref(), Some(r#"{"position":39}"#));
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
    bench.assert_alive();
}

#[test]
fn a_position_is_counted_in_the_whole_payload() {
    let bench = Bench::new();
    let script = "SELECT 'ñ'; SELECT absent FROM orders";
    let (job, plan) = bench.plan(script).unwrap();
    let dry = plan.findings.first().unwrap();
    assert_eq!(
        (dry.code.as_str(), dry.level, dry.line),
        ("sql.dry_run_failed", Level::Error, Some(1))
    );
    assert_eq!(dry.message, "no such column: absent");

    let (_, failure) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!(failure.message, "no such column: absent");
    assert_eq!(failure.details.as_deref(), Some(r#"{"position":20}"#));
}

#[test]
fn scripts_that_would_escape_the_transaction_are_refused() {
    let bench = Bench::new();
    let (_, plan) = bench.plan("BEGIN; DELETE FROM orders; COMMIT").unwrap();
    assert!(codes(&plan).contains(&"sql.commit_inside"));
    for script in [
        "ATTACH DATABASE 'other.db' AS other",
        "PRAGMA writable_schema = 1",
        "CREATE TABLE placet_marker (request TEXT)",
        "ALTER TABLE orders RENAME TO Placet_Marker",
        "VACUUM INTO 'copy.db'",
    ] {
        let (job, plan) = bench.plan(script).unwrap();
        let errors = plan.findings.iter().any(|finding| finding.level == Level::Error);
        assert!(errors, "{script}: {:?}", plan.findings);
        let (word, _) = failure(bench.runner.execute(&job, &plan, &bench.link));
        assert_eq!(word, "failed", "{script}");
    }
    bench.assert_alive();
}

#[test]
fn a_payload_that_is_no_script_has_an_error() {
    let bench = Bench::new();
    let sql = "sql".parse().unwrap();
    for payload in ["", "[]", "{}", r#"{"sql": ""}"#, r#"{"sql": "SELECT 'open"}"#] {
        let found = bench.runner.validate(&sql, payload).unwrap();
        assert!(found.iter().any(|finding| finding.level == Level::Error), "{payload}");
    }
    assert_eq!(bench.runner.validate(&sql, r#"{"sql": "SELECT 1"}"#).unwrap(), []);
}

#[test]
fn an_unparsed_statement_is_of_high_risk_and_needs_a_person() {
    let bench = Bench::new();
    let (_, plan) = bench.plan("REINDEX orders").unwrap();
    assert_eq!(plan.risk(), Risk::High);
    assert!(codes(&plan).contains(&"sql.unparsed"), "{:?}", plan.findings);
}

#[test]
fn an_insert_that_overwrites_is_of_medium_risk() {
    let bench = Bench::new();
    for (script, risk) in [
        ("INSERT INTO orders VALUES (9, 'new')", Risk::Low),
        ("INSERT INTO orders VALUES (9, 'new') ON CONFLICT DO NOTHING", Risk::Low),
        (
            "INSERT INTO orders VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET state = 'x'",
            Risk::Medium,
        ),
        ("INSERT OR REPLACE INTO orders VALUES (1, 'x')", Risk::Medium),
        ("REPLACE INTO orders VALUES (1, 'x')", Risk::Medium),
    ] {
        // What the statement itself risks, whether or not its rows can be put back.
        let payload = serde_json::json!({ "sql": script }).to_string();
        let plain = Job { settings: r#"{"backup": "off"}"#.to_owned(), ..job("sql", &payload) };
        let plan = bench.runner.plan(&plain, &bench.link).unwrap();
        assert_eq!(plan.risk(), risk, "{script}");
    }
}

#[test]
fn without_the_grant_nothing_is_tried() {
    let bench = Bench::new();
    let job = job("sql-dry", r#"{"sql": "DELETE FROM orders WHERE id = 1"}"#);
    let plan = bench.runner.plan(&job, &bench.link).unwrap();
    assert_eq!(codes(&plan), ["sql.no_dry_run"]);
    assert_eq!(plan.steps.first().unwrap().estimated_rows, None);
    let outcome = bench.runner.execute(&job, &plan, &bench.link);
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");

    let unasked = Job { dry_run: false, ..crate::bench::job("sql", &job.payload) };
    let plan = bench.runner.plan(&unasked, &bench.link).unwrap();
    assert_eq!(codes(&plan), ["sql.no_dry_run"]);
}

#[test]
fn a_changed_plan_or_payload_is_refused() {
    let bench = Bench::new();
    let (job, plan) = bench.plan("DELETE FROM orders WHERE id = 1").unwrap();

    let mut other = plan.clone();
    other.steps.iter_mut().for_each(|step| step.body = "DELETE FROM orders".to_owned());
    let (word, refused) = failure(bench.runner.execute(&job, &other, &bench.link));
    assert_eq!((word, refused.code.as_str()), ("failed", "digest_mismatch"));

    let mut other = job;
    other.payload.push(' ');
    let (word, refused) = failure(bench.runner.execute(&other, &plan, &bench.link));
    assert_eq!((word, refused.code.as_str()), ("failed", "digest_mismatch"));
    assert_eq!(bench.runner.plan(&other, &bench.link).unwrap_err().code(), Code::DigestMismatch);
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
}

#[test]
fn a_long_statement_stops_at_the_deadline() {
    let bench = Bench::new();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   INSERT INTO orders SELECT i + 10, 'x' FROM n";
    let job = job("sql-dry", &serde_json::json!({ "sql": endless }).to_string());
    let plan = bench.runner.plan(&job, &bench.link).unwrap();
    let (word, failure) = failure(bench.runner.execute(&job, &plan, &Link::hurried()));
    assert_eq!((word, failure.code.as_str()), ("failed", "timeout"));
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
    bench.assert_alive();
}

#[test]
fn who_lost_the_lease_touches_nothing() {
    let bench = Bench::new();
    let (job, plan) = bench.plan("DELETE FROM orders").unwrap();
    let link = Link::default();
    *link.lease.cancelled.lock().unwrap() = Some(Code::LeaseLost);
    let (word, failure) = failure(bench.runner.execute(&job, &plan, &link));
    assert_eq!((word, failure.code.as_str()), ("failed", "lease_lost"));
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
}

#[test]
fn a_payload_of_ten_megabytes_runs() {
    let bench = Bench::new();
    let value = "ab;'' ".repeat(10 << 20).split_at(10 << 20).0.trim_end_matches('\'').to_owned();
    let outcome = bench.run(&format!("UPDATE orders SET state = '{value}' WHERE id = 1; SELECT 1"));
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert!(bench.number("SELECT length(state) FROM orders WHERE id = 1") > 8 << 20);

    let many =
        "INSERT INTO orders (state) VALUES ('a fairly long state for one row');".repeat(9_000);
    let (job, plan) = bench.plan(&many).unwrap();
    assert_eq!(plan.steps.len(), 9_000);
    // The marker of the first attempt is there, so this is the second.
    let (word, again) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!((word, again.code.as_str()), ("failed", "sql.sqlite.1555"));
    let second = Job { id: placet_core::runner::JobId { attempt: 2, ..job.id }, ..job };
    let outcome = bench.runner.execute(&second, &plan, &bench.link);
    let Outcome::Succeeded(report) = outcome else { panic!("{outcome:?}") };
    assert_eq!(report.rows_affected, Some(9_000));
}

#[test]
fn unknown_names_are_told_with_what_there_is() {
    let bench = Bench::new();
    let refused = bench.runner.plan(&job("deploy", "{}"), &bench.link).unwrap_err();
    assert_eq!(refused.code(), Code::UnknownRunner);
    assert!(refused.help().unwrap().contains("`sql`"));
    let mut elsewhere = job("sql", r#"{"sql": "SELECT 1"}"#);
    elsewhere.target = "nowhere".parse().unwrap();
    let refused = bench.runner.plan(&elsewhere, &bench.link).unwrap_err();
    assert_eq!(refused.code(), Code::UnknownTarget);
    assert!(refused.help().unwrap().contains("`orders`"));
}

#[test]
fn deep_scripts_are_contained() {
    let bench = Bench::new();
    let parentheses = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let unions = format!("SELECT 1{}", " UNION SELECT 1".repeat(20_000));
    let sums = format!("SELECT 1{}", " + 1".repeat(100_000));
    for script in [parentheses, unions, sums] {
        // Whether the parser or the sandbox gives up first, nobody hears that all is well.
        match bench.plan(&script) {
            Ok((_, plan)) => {
                let errors = plan.findings.iter().any(|finding| finding.level == Level::Error);
                assert!(errors, "{:?}", plan.findings);
            }
            Err(error) => assert_eq!(error.code(), Code::RunnerFault, "{error:?}"),
        }
        bench_is_alive(&bench);
    }
}

#[test]
fn a_caller_with_little_stack_may_ask_too() {
    let bench = Bench::new();
    let sums = format!(r#"{{"sql": "SELECT 1{}"}}"#, " + 1".repeat(100_000));
    std::thread::scope(|scope| {
        let small = std::thread::Builder::new().stack_size(128 << 10);
        let asked = small.spawn_scoped(scope, || {
            let deep = bench.runner.validate(&"sql".parse().unwrap(), &sums);
            let plain = bench.runner.validate(&"sql".parse().unwrap(), r#"{"sql": "SELECT 1"}"#);
            (deep, plain)
        });
        let (deep, plain) = asked.unwrap().join().unwrap();
        // Whatever it answers, it answers: an overflow would end this process.
        drop(deep);
        assert_eq!(plain.unwrap(), []);
    });
}

fn bench_is_alive(bench: &Bench) {
    let (_, plan) = bench.plan("SELECT 1").unwrap();
    assert_eq!(codes(&plan), Vec::<&str>::new());
}
