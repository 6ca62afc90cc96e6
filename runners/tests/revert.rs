//! Rows that were kept are put back by a request of its own: previewed, in the same place, row for row.

use std::sync::Arc;

use placet_core::error::{Code, Error};
use placet_core::id::RequestId;
use placet_core::org::Slug;
use placet_core::runner::{
    Effect, Job, JobId, Level, Lock, Outcome, Place, Plan, Runner as _, Step,
};
use placet_runners::WasmRunner;

use crate::bench::{Bench, Link, failure, job, plugins};
use crate::fake::{Fake, Lie};

fn shop() -> (Fake, WasmRunner) {
    let fake = Fake::new();
    fake.world().keeps = true;
    let runner = plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(fake.clone()))
        .target("other".parse().unwrap(), Arc::new(fake.clone()))
        .build()
        .unwrap();
    let first = job("sql", r#"{"sql": "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)"}"#);
    let plan = runner.plan(&first, &Link::default()).unwrap();
    let outcome = runner.execute(&first, &plan, &Link::default());
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    (fake, runner)
}

fn revert() -> Job {
    let of = RequestId::from_u128(7);
    let payload = serde_json::json!({ "revert": { "request": of, "revision": 1, "attempt": 1 } });
    let job = job("sql", &payload.to_string());
    Job { id: JobId { request: RequestId::from_u128(9), ..job.id }, ..job }
}

fn here() -> (Place, Slug) {
    let job = revert();
    (job.place, job.target)
}

fn link(ran: Option<(Place, Slug)>) -> Link {
    let link = Link::default();
    *link.ran.lock().unwrap() = ran;
    link
}

fn planned(runner: &WasmRunner) -> (Job, Result<Plan, Error>) {
    let job = revert();
    let plan = runner.plan(&job, &link(Some(here())));
    (job, plan)
}

#[test]
fn a_revert_is_previewed_and_needs_a_second_person() {
    let (fake, runner) = shop();
    let (job, plan) = planned(&runner);
    let plan = plan.unwrap();
    let bodies: Vec<_> = plan.steps.iter().map(|step| step.body.as_str()).collect();
    assert_eq!(bodies, ["REPLACE INTO a VALUES (2)", "REPLACE INTO a VALUES (1)"]);
    let told = plan.findings.iter().find(|finding| finding.code == "sql.revert").unwrap();
    assert!(told.needs_person && plan.needs_person());

    let outcome = runner.execute(&job, &plan, &Link::default());
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert_eq!(fake.world().applied.len(), 4);
}

#[test]
fn what_ran_elsewhere_is_not_put_back_from_here() {
    let (_, runner) = shop();
    let (place, target) = here();
    let slug = |word: &str| word.parse::<Slug>().unwrap();
    let other = |change: fn(&mut Place, Slug), word| {
        let mut place = place.clone();
        change(&mut place, slug(word));
        Some((place, target.clone()))
    };
    for ran in [
        None,
        other(|place, word| place.project = word, "other"),
        other(|place, word| place.module = word, "other"),
        other(|place, word| place.environment = word, "dev"),
        Some((place.clone(), slug("other"))),
    ] {
        let refused = runner.plan(&revert(), &link(ran.clone())).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidPayload, "{ran:?}");
        assert_eq!(refused.to_string(), "no attempt of that name ended here, at this target");
    }
}

#[test]
fn a_plugin_learns_no_rows_that_its_payload_does_not_name() {
    let (_, runner) = shop();
    let request = RequestId::from_u128(7);
    for sql in [format!("/*inverse-{request} 1*/ SELECT 1"), "/*inverse-x 1*/ SELECT 1".to_owned()]
    {
        let payload = serde_json::json!({ "sql": sql }).to_string();
        let refused = runner.plan(&job("unruly", &payload), &link(Some(here()))).unwrap_err();
        assert_eq!(refused.to_string(), "the payload does not ask to put this attempt back");
    }
}

#[test]
fn nothing_kept_is_said_plainly() {
    let (fake, runner) = shop();
    fake.world().kept.clear();
    let refused = planned(&runner).1.unwrap_err();
    assert_eq!(refused.to_string(), "nothing was kept of what this attempt changed");
}

#[test]
fn a_row_that_changed_meanwhile_undoes_the_whole_revert() {
    let (fake, runner) = shop();
    let (job, plan) = planned(&runner);
    let plan = plan.unwrap();
    fake.world().lie = Lie::OneMore;
    let (word, failed) = failure(runner.execute(&job, &plan, &Link::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "row_changed"));
    assert_eq!(fake.world().applied.len(), 2);
}

#[test]
fn no_more_of_a_revert_is_read_than_its_plan_may_hold() {
    let (fake, runner) = shop();
    let _plan = planned(&runner).1.unwrap();
    let limits = placet_runners::RunnerLimits::default();
    let (rows, bytes) = fake.world().asked_for.unwrap();
    assert_eq!(rows, limits.kept_rows_max);
    assert!(bytes <= limits.host_bytes_max, "{bytes}");
    // A file whose rows are longer than that.
    let mut limits = limits;
    limits.host_bytes_max = 4_000;
    let bench = Bench::with(limits, placet_runners::SqliteTarget::new);
    let outcome = bench.run("UPDATE orders SET state = hex(zeroblob(3000)) WHERE id = 1");
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    *bench.link.ran.lock().unwrap() = Some(here());
    let refused = bench.runner.plan(&revert(), &bench.link).unwrap_err();
    let most = refused.to_string();
    let most = most.split("more than ").nth(1).and_then(|rest| rest.strip_suffix(" bytes"));
    let most: u64 = most.unwrap_or_else(|| panic!("{refused}")).parse().unwrap();
    assert!(most <= 4_000, "{refused}");
}

#[test]
fn nothing_is_put_back_outside_a_transaction() {
    let (fake, runner) = shop();
    let (job, plan) = planned(&runner);
    let mut plan = plan.unwrap();
    // The review says more of a lock of such a statement: each changes one row.
    let is_plain = |step: &Step| {
        (step.kind.as_str(), step.effect, step.impact.lock)
            == ("write", Effect::Transactional, Lock::Rows)
    };
    assert!(plan.steps.iter().all(is_plain), "{plan:?}");
    plan.steps.iter_mut().for_each(|step| step.effect = Effect::AtMostOnce);
    let (word, failed) = failure(runner.execute(&job, &plan, &Link::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "denied"));
    assert_eq!(failed.message, "what puts rows back runs in one transaction");
    assert_eq!(fake.world().applied.len(), 2);
}

/// A database in which an attempt changed rows, and a request that puts them back.
fn changed(script: &str) -> (Bench, Job, Vec<String>) {
    let bench = Bench::new();
    let before = rows(&bench);
    let outcome = bench.run(script);
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert_ne!(rows(&bench), before);
    *bench.link.ran.lock().unwrap() = Some(here());
    (bench, revert(), before)
}

fn rows(bench: &Bench) -> Vec<String> {
    let database = rusqlite::Connection::open(bench.path()).unwrap();
    let mut found = database.prepare("SELECT id || ' ' || state FROM orders ORDER BY id").unwrap();
    let found = found.query_map([], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

const CHANGES: &str = "INSERT INTO orders VALUES (9, 'new'); UPDATE orders SET state = 'lost' WHERE id < 3; \
                       DELETE FROM orders WHERE id = 3";

#[test]
fn rows_come_back_as_they_were_and_go_again() {
    let (bench, undo, before) = changed(CHANGES);
    let after = rows(&bench);
    let plan = bench.runner.plan(&undo, &bench.link).unwrap();
    assert_eq!(plan.steps.len(), 4);
    assert!(plan.findings.iter().all(|finding| finding.level < Level::Error), "{plan:?}");
    assert_eq!(rows(&bench), after, "a preview changes nothing");
    let outcome = bench.runner.execute(&undo, &plan, &bench.link);
    let Outcome::Succeeded(report) = outcome else { panic!("{outcome:?}") };
    assert_eq!(report.rows_affected, Some(4));
    assert_eq!(rows(&bench), before);

    // Once more: the rows are not as the attempt left them.
    let again = Job { id: JobId { attempt: 2, ..undo.id }, ..undo };
    let (word, failed) = failure(bench.runner.execute(&again, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "row_changed"));
    let told = bench.runner.plan(&again, &bench.link).unwrap();
    assert!(told.findings.iter().any(|finding| finding.level == Level::Error), "{told:?}");
    assert_eq!(rows(&bench), before);
}

#[test]
fn one_row_that_somebody_else_changed_keeps_all_as_they_are() {
    let (bench, undo, _) = changed(CHANGES);
    let plan = bench.runner.plan(&undo, &bench.link).unwrap();
    let database = rusqlite::Connection::open(bench.path()).unwrap();
    database.execute("UPDATE orders SET state = 'found' WHERE id = 1", []).unwrap();
    let after = rows(&bench);
    let (word, failed) = failure(bench.runner.execute(&undo, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "row_changed"));
    assert_eq!(rows(&bench), after);
}

#[test]
fn an_attempt_that_was_undone_has_nothing_to_put_back() {
    let bench = Bench::new();
    let (job, mut plan) =
        bench.plan("DELETE FROM orders; INSERT INTO orders VALUES (1, NULL)").unwrap();
    plan.findings.clear();
    plan.steps.iter_mut().for_each(|step| step.reversible = true);
    assert_eq!(failure(bench.runner.execute(&job, &plan, &bench.link)).0, "failed");
    *bench.link.ran.lock().unwrap() = Some(here());
    let refused = bench.runner.plan(&revert(), &bench.link).unwrap_err();
    assert_eq!(refused.to_string(), "nothing was kept of what this attempt changed");
}

#[test]
fn steps_on_a_file_take_effect_one_by_one_and_are_marked() {
    let bench = Bench::new();
    let script = "UPDATE orders SET state = 'paid' WHERE id = 1; INSERT INTO orders VALUES (2, 'twice'); \
                  DELETE FROM orders";
    let payload = serde_json::json!({ "sql": script, "mode": "steps" }).to_string();
    let job = job("sql-dry", &payload);
    let plan = bench.runner.plan(&job, &bench.link).unwrap();
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "sql.sqlite.1555"));
    assert_eq!((failed.applied, failed.step.as_deref()), (vec!["s1".to_owned()], Some("s2")));
    assert_eq!(rows(&bench), ["1 paid", "2 new", "3 paid"]);
    let (word, read) = failure(bench.runner.verify(&job, &plan, &bench.link));
    assert_eq!((word, read.applied), ("failed", vec!["s1".to_owned()]));

    // What did take effect can be put back.
    *bench.link.ran.lock().unwrap() = Some(here());
    let plan = bench.runner.plan(&revert(), &bench.link).unwrap();
    let outcome = bench.runner.execute(&revert(), &plan, &bench.link);
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert_eq!(rows(&bench), ["1 new", "2 new", "3 paid"]);
}

#[test]
fn a_table_that_was_changed_since_the_plan_stops_the_run() {
    let bench = Bench::new();
    let (job, plan) = bench.plan("DELETE FROM orders WHERE id = 1").unwrap();
    let database = rusqlite::Connection::open(bench.path()).unwrap();
    database.execute_batch("CREATE TABLE elsewhere (id INTEGER PRIMARY KEY)").unwrap();
    database.execute_batch("ALTER TABLE orders ADD COLUMN note TEXT").unwrap();
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "drift"));
    assert_eq!(rows(&bench).len(), 3);
}

#[test]
fn a_revert_does_not_show_what_the_environment_masks() {
    let (bench, undo, _) = changed(CHANGES);
    for (mask, is_refused) in [
        (r#"["orders.state"]"#, true),
        (r#"["main.orders.state"]"#, true),
        (r#"["state"]"#, true),
        (r#"["people.email"]"#, false),
        (r#"["email"]"#, false),
    ] {
        let undo = Job { settings: format!(r#"{{"mask": {mask}}}"#), ..undo.clone() };
        let planned = bench.runner.plan(&undo, &bench.link);
        assert_eq!(planned.is_err(), is_refused, "{mask}: {planned:?}");
        if let Err(refused) = planned {
            assert_eq!(refused.code(), Code::Denied, "{mask}");
            assert!(refused.to_string().contains("masks") && refused.help().is_some());
        }
    }
}

/// A database of 30 rows and a host that keeps at most 20 of one run.
fn few() -> Bench {
    let limits = placet_runners::RunnerLimits::default().with_kept_rows_max(20);
    let bench = Bench::with(limits, placet_runners::SqliteTarget::new);
    let database = rusqlite::Connection::open(bench.path()).unwrap();
    let more = "WITH RECURSIVE n(i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < 30)
                INSERT INTO orders SELECT i, 'new' FROM n";
    database.execute_batch(more).unwrap();
    bench
}

const HALVES: &str =
    "UPDATE orders SET state = 'a' WHERE id <= 15; UPDATE orders SET state = 'b' WHERE id > 15";

#[test]
fn what_all_steps_together_change_is_put_back_or_said_to_be_too_much() {
    let bench = few();
    let (job, plan) = bench.plan(HALVES).unwrap();
    let reversible: Vec<_> = plan.steps.iter().map(|step| step.reversible).collect();
    assert_eq!(reversible, [true, false]);
    let told = plan.findings.iter().find(|found| found.code == "sql.cannot_revert").unwrap();
    assert!(told.needs_person && told.step.as_deref() == Some("s2"), "{told:?}");
    // What the first step changed comes back.
    let outcome = bench.runner.execute(&job, &plan, &bench.link);
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    *bench.link.ran.lock().unwrap() = Some(here());
    assert_eq!(bench.runner.plan(&revert(), &bench.link).unwrap().steps.len(), 15);
}

#[test]
fn a_run_that_changes_more_than_a_revert_puts_back_is_undone() {
    for (mode, applied) in [("transaction", &[][..]), ("steps", &["s1"][..])] {
        let bench = few();
        let payload = serde_json::json!({ "sql": HALVES, "mode": mode }).to_string();
        // Nobody tells beforehand how many rows they are.
        let job = job("sql-dry", &payload);
        let plan = bench.runner.plan(&job, &bench.link).unwrap();
        assert!(plan.steps.iter().all(|step| step.reversible), "{plan:?}");
        let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
        assert_eq!((word, failed.code.as_str()), ("failed", "limit"), "{mode}");
        assert!(failed.message.contains("the steps before it keep 15"), "{failed:?}");
        assert_eq!(failed.applied, applied);
        assert_eq!(bench.number("SELECT count(*) FROM orders WHERE state = 'b'"), 0);
    }
}
