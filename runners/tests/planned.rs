//! What the host adds to a plan: what it rests on, what can be put back, and who else looked at it.

use std::sync::Arc;

use placet_core::runner::{Finding, Job, Level, Outcome, Plan, Risk, Runner as _};
use placet_runners::{Reviewer, WasmRunner};

use crate::bench::{Bench, Link, failure, job, plugins};
use crate::fake::{Fake, Lie};

const SCRIPT: &str = "INSERT INTO a VALUES (1); UPDATE a SET b = 2 WHERE id = 1; DROP TABLE c";

/// Refuses what speaks of a dragon.
#[derive(Debug)]
struct Dragons;

impl Reviewer for Dragons {
    fn review(&self, dialect: &str, script: &str) -> Vec<Finding> {
        assert_eq!(dialect, "sqlite");
        let found = |word: &str, level| {
            let message = format!("it speaks of a {word}");
            script.contains(word).then(|| Finding::new(level, format!("tales.{word}"), message))
        };
        found("dragon", Level::Error).into_iter().chain(found("knight", Level::Warning)).collect()
    }
}

fn host(fake: &Fake) -> WasmRunner {
    plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(fake.clone()))
        .reviewer(Arc::new(Dragons))
        .build()
        .unwrap()
}

fn planned(fake: &Fake, payload: &serde_json::Value, settings: &str) -> (Job, Plan) {
    let job = Job { settings: settings.to_owned(), ..job("sql", &payload.to_string()) };
    let plan = host(fake).plan(&job, &Link::default()).unwrap();
    (job, plan)
}

fn found<'a>(plan: &'a Plan, code: &str) -> Vec<&'a Finding> {
    plan.findings.iter().filter(|finding| finding.code == code).collect()
}

#[test]
fn a_plan_says_beforehand_what_cannot_be_put_back() {
    let fake = Fake::new();
    let (_, plan) = planned(&fake, &serde_json::json!({ "sql": SCRIPT }), "{}");
    let told = found(&plan, "sql.cannot_revert");
    let levels: Vec<_> = told.iter().map(|finding| (finding.level, finding.needs_person)).collect();
    assert_eq!(levels, [(Level::Warning, true), (Level::Warning, true)]);
    let first = told.first().unwrap();
    assert_eq!(first.step.as_deref(), Some("s1"));
    assert!(first.message.contains("1 step more") && first.message.contains("the fake has no key"));
    assert!(first.help.is_some());
    assert!(plan.steps.iter().all(|step| !step.reversible && step.risk >= Risk::High));

    fake.world().keeps = true;
    let (_, plan) = planned(&fake, &serde_json::json!({ "sql": SCRIPT }), "{}");
    let reversible: Vec<_> = plan.steps.iter().map(|step| step.reversible).collect();
    assert_eq!(reversible, [true, true, false]);
    assert_eq!(found(&plan, "sql.cannot_revert").len(), 1);
    assert!(plan.steps.first().unwrap().risk < Risk::High);
}

#[test]
fn an_environment_can_insist_on_a_backup_or_do_without() {
    let fake = Fake::new();
    let script = serde_json::json!({ "sql": SCRIPT });
    let (_, plan) = planned(&fake, &script, r#"{"backup": "required"}"#);
    let told = found(&plan, "sql.cannot_revert");
    assert_eq!(told.first().map(|finding| finding.level), Some(Level::Error));

    fake.world().keeps = true;
    let (job, plan) = planned(&fake, &script, r#"{"backup": "off"}"#);
    assert!(plan.steps.iter().all(|step| !step.reversible));
    assert!(found(&plan, "sql.cannot_revert").iter().all(|finding| finding.level == Level::Info));
    let outcome = host(&fake).execute(&job, &plan, &Link::default());
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert!(fake.world().kept.is_empty());
}

/// Runs a plan whose rows are kept, and says whether each of them was.
fn keeps_what_it_promised(lie: Lie) -> bool {
    let fake = Fake::new();
    fake.world().keeps = true;
    fake.world().lie = lie;
    let two = "INSERT INTO a VALUES (1); UPDATE a SET b = 2 WHERE id = 1";
    let (job, plan) = planned(&fake, &serde_json::json!({ "sql": two }), "{}");
    let outcome = host(&fake).execute(&job, &plan, &Link::default());
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    let promised = plan.steps.iter().filter(|step| step.reversible).map(|step| &step.body);
    fake.world().kept.iter().eq(promised)
}

#[test]
fn what_the_plan_promised_is_kept_and_a_skipped_backup_is_caught() {
    assert!(keeps_what_it_promised(Lie::None));
    assert!(!keeps_what_it_promised(Lie::KeepsNothing));
}

#[test]
fn a_step_whose_rows_cannot_be_kept_does_not_run() {
    let fake = Fake::new();
    fake.world().keeps = true;
    let (job, plan) = planned(&fake, &serde_json::json!({ "sql": SCRIPT }), "{}");
    fake.world().calls.clear();
    // Opened, begun: the third call keeps rows.
    fake.world().fault = Some((2, crate::fake::Fault::Fails));
    let (word, failed) = failure(host(&fake).execute(&job, &plan, &Link::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "sql.fake"));
    assert!(fake.world().applied.is_empty());

    // A plan that says more than the text gives is not believed.
    let mut claimed = plan;
    claimed.steps.iter_mut().for_each(|step| step.kind = "write".to_owned());
    claimed.steps.iter_mut().for_each(|step| step.reversible = true);
    fake.world().fault = None;
    let (word, failed) = failure(host(&fake).execute(&job, &claimed, &Link::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "denied"));
    assert!(failed.message.contains("cannot be kept"), "{failed:?}");
    assert!(fake.world().applied.is_empty());
}

#[test]
fn what_was_changed_since_the_plan_stops_the_run() {
    for mode in ["transaction", "steps"] {
        let fake = Fake::new();
        let script = serde_json::json!({ "sql": SCRIPT, "mode": mode });
        let (job, plan) = planned(&fake, &script, "{}");
        assert!(plan.basis.is_some());
        fake.world().schema = 1;
        let (word, failed) = failure(host(&fake).execute(&job, &plan, &Link::default()));
        assert_eq!((word, failed.code.as_str()), ("failed", "drift"), "{mode}");
        assert!(failed.applied.is_empty() && fake.world().applied.is_empty());
        // As it was: it runs.
        fake.world().schema = 0;
        let outcome = host(&fake).execute(&job, &plan, &Link::default());
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
        assert_eq!(fake.world().applied.len(), 3);
    }
}

#[test]
fn a_step_outside_transactions_waits_for_the_same_look() {
    let fake = Fake::new();
    let script = serde_json::json!({ "sql": "DROP TABLE c", "mode": "steps" });
    let (job, mut plan) = planned(&fake, &script, "{}");
    for step in &mut plan.steps {
        step.effect = placet_core::runner::Effect::AtMostOnce;
    }
    fake.world().schema = 1;
    let (word, failed) = failure(host(&fake).execute(&job, &plan, &Link::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "drift"));
    assert!(fake.world().applied.is_empty() && fake.world().marks.is_empty());
}

#[test]
fn reviewers_are_heard_and_tuned_like_the_others() {
    let fake = Fake::new();
    fake.world().keeps = true;
    let tale = "INSERT INTO a VALUES ('dragon and knight')";
    let told = |payload: serde_json::Value, settings: &str| {
        let (_, plan) = planned(&fake, &payload, settings);
        let tales = plan.findings.into_iter().filter(|found| found.code.starts_with("tales."));
        tales.map(|found| (found.level, found.needs_person)).collect::<Vec<_>>()
    };
    let plain = serde_json::json!({ "sql": tale });
    assert_eq!(told(plain.clone(), "{}"), [(Level::Error, false), (Level::Warning, false)]);
    let tuned = r#"{"rules": {"tales.dragon": "info", "tales.knight": "off"}}"#;
    assert_eq!(told(plain, tuned), [(Level::Info, false)]);
    let known = serde_json::json!([{ "code": "tales.dragon", "reason": "it is a friendly one" }]);
    let suppressed = serde_json::json!({ "sql": tale, "suppress": known });
    assert_eq!(told(suppressed, "{}"), [(Level::Info, true), (Level::Warning, false)]);
}

#[test]
fn a_thousand_warnings_do_not_hide_a_drop() {
    let script = format!("{}DROP TABLE c", "DELETE FROM a;".repeat(1_100));
    let (_, plan) = planned(&Fake::new(), &serde_json::json!({ "sql": script }), "{}");
    assert!(plan.findings.len() <= 1_000);
    assert_eq!(found(&plan, "sql.drop").len(), 1);
    let told = found(&plan, "sql.findings_left_out");
    assert!(told.first().is_some_and(|told| told.needs_person), "{told:?}");
}

#[test]
fn a_statement_that_cannot_be_explained_switches_no_limit_off() {
    let fake = Fake::new();
    fake.world().estimates.insert("DELETE FROM b WHERE c > 0".to_owned(), 5_000);
    let script = "UPDATE a SET b = 2 WHERE id IN (SELECT id FROM nowhere); DELETE FROM b WHERE c > 0; \
                  INSERT INTO a SELECT * FROM b";
    let payload = serde_json::json!({ "sql": script }).to_string();
    let told = |settings: &str| {
        let job = Job { settings: settings.to_owned(), ..job("sql-dry", &payload) };
        let plan = host(&fake).plan(&job, &Link::default()).unwrap();
        let told = found(&plan, "sql.rows_above_limit");
        told.iter()
            .map(|told| (told.step.clone().unwrap(), told.message.clone()))
            .collect::<Vec<_>>()
    };
    let [explained, untold]: [(String, String); 2] =
        <Vec<_> as TryInto<_>>::try_into(told(r#"{"rows_max": 100}"#)).unwrap();
    assert_eq!(explained.0, "s2");
    assert!(explained.1.contains("5000 rows"), "{explained:?}");
    assert_eq!(untold.0, "s1");
    assert!(untold.1.contains("1 step more"), "{untold:?}");
    let unlimited: Vec<(String, String)> = told("{}");
    assert_eq!(unlimited, []);
}

#[test]
fn a_plugin_cannot_call_a_change_a_query() {
    let fake = Fake::new();
    let job = job("unruly", r#"{"sql": "/*answer-on*/ DELETE FROM a"}"#);
    let plan = host(&fake).plan(&job, &Link::default()).unwrap();
    let [step] = plan.steps.as_slice() else { panic!("{plan:?}") };
    assert_eq!((step.kind.as_str(), step.risk, step.reversible), ("write", Risk::High, false));
    assert_eq!(step.impact.objects, ["a"]);
    assert!(!found(&plan, "sql.cannot_revert").is_empty());
}

#[test]
fn what_takes_rows_with_it_is_a_change_that_nobody_puts_back() {
    let fake = Fake::new();
    fake.world().keeps = true;
    for sql in ["TRUNCATE TABLE a", "DROP TABLE a", "ALTER TABLE a DROP COLUMN b"] {
        let script = serde_json::json!({ "sql": sql });
        let told = |settings: &str, code: &str| {
            let (_, plan) = planned(&fake, &script, settings);
            let told = found(&plan, code);
            told.iter().map(|told| (told.level, told.needs_person)).collect::<Vec<_>>()
        };
        assert_eq!(told("{}", "sql.cannot_revert"), [(Level::Warning, true)], "{sql}");
        let required = r#"{"backup": "required"}"#;
        assert_eq!(told(required, "sql.cannot_revert"), [(Level::Error, true)], "{sql}");
        let off = r#"{"backup": "off"}"#;
        assert_eq!(told(off, "sql.cannot_revert"), [(Level::Info, false)], "{sql}");
        assert_eq!(told(r#"{"rows_max": 9}"#, "sql.rows_above_limit").len(), 1, "{sql}");
    }
    let script = serde_json::json!({ "sql": "CREATE TABLE d (id INTEGER PRIMARY KEY)" });
    let (_, plan) = planned(&fake, &script, r#"{"backup": "required"}"#);
    let told = found(&plan, "sql.cannot_revert");
    assert!(told.iter().all(|told| told.level == Level::Info), "{told:?}");
}

#[test]
fn a_query_without_a_table_is_no_reason_for_drift() {
    let fake = Fake::new();
    let basis = |sql: &str| planned(&fake, &serde_json::json!({ "sql": sql }), "{}").1.basis;
    let rows = "DELETE FROM a WHERE b = 1";
    assert!(basis(rows).is_some());
    assert_eq!(basis(&format!("SELECT 1; {rows}")), basis(rows));
    assert_ne!(basis(&format!("SELECT tidy(b) FROM a; {rows}")), basis(rows));
    assert_eq!(basis("SELECT 1"), None);
}

#[test]
fn a_target_that_hides_its_schema_is_told_of() {
    let fake = Fake::new();
    let told = |sql: &str| {
        let (_, plan) = planned(&fake, &serde_json::json!({ "sql": sql }), "{}");
        found(&plan, "sql.no_basis").iter().map(|told| told.level).collect::<Vec<_>>()
    };
    assert_eq!(told("DELETE FROM a WHERE b = 1"), []);
    fake.world().hides_schema = true;
    assert_eq!(told("DELETE FROM a WHERE b = 1"), [Level::Warning]);
    assert_eq!(told("SELECT b FROM a"), []);
}

#[test]
fn a_step_that_changes_more_rows_than_the_plan_said_and_the_limit_allows_is_undone() {
    let bench = Bench::new();
    let payload = r#"{"sql": "UPDATE orders SET state = 'x' WHERE state = 'new'"}"#;
    let job = |settings: &str| Job { settings: settings.to_owned(), ..job("sql", payload) };
    let changed = |job: &Job, before: &str| {
        let bench_plan = bench.runner.plan(job, &bench.link).unwrap();
        let database = rusqlite::Connection::open(bench.path()).unwrap();
        database.execute_batch(before).unwrap();
        (bench.runner.execute(job, &bench_plan, &bench.link), bench_plan)
    };
    // Two rows when it was planned, three when it ran.
    let (outcome, _) = changed(&job(r#"{"rows_max": 2}"#), "UPDATE orders SET state = 'new'");
    let (word, failed) = failure(outcome);
    assert_eq!((word, failed.code.as_str()), ("failed", "rows_above_limit"));
    assert_eq!(bench.number("SELECT count(*) FROM orders WHERE state = 'new'"), 3);
    // People were told of three, and agreed.
    let (outcome, plan) = changed(&job(r#"{"rows_max": 1}"#), "");
    assert_eq!(found(&plan, "sql.rows_above_limit").len(), 1);
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
}

/// Looks for something else now.
#[derive(Debug)]
struct Versioned(&'static str);

impl Reviewer for Versioned {
    fn review(&self, _: &str, _: &str) -> Vec<Finding> {
        Vec::new()
    }

    fn version(&self) -> String {
        self.0.to_owned()
    }
}

#[test]
fn who_reviews_and_within_which_limits_is_what_approvals_are_bound_to() {
    let sql = "sql".parse().unwrap();
    let with = |more: fn(placet_runners::Builder) -> placet_runners::Builder| {
        let host = more(plugins(WasmRunner::builder())).build().unwrap();
        host.describe(&sql).unwrap().configuration.unwrap()
    };
    let limited = |builder: placet_runners::Builder| {
        builder.limits(placet_runners::RunnerLimits::default().with_rows_max(17))
    };
    let all = [
        with(|builder| builder),
        with(|builder| builder.reviewer(Arc::new(Dragons))),
        with(|builder| builder.reviewer(Arc::new(Versioned("1")))),
        with(|builder| builder.reviewer(Arc::new(Versioned("2")))),
        with(limited),
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().map(ToString::to_string).collect();
    assert_eq!(distinct.len(), all.len());
    assert_eq!(with(|builder| builder), with(|builder| builder));
}

#[cfg(feature = "postgres")]
#[test]
fn squawks_rules_look_at_what_is_for_postgresql() {
    let payload = serde_json::json!({ "sql": "ALTER TABLE a DROP COLUMN b" });
    let drops = |dialect, settings: &str| {
        let fake = Fake::new();
        fake.world().dialect = Some(dialect);
        let job = Job { settings: settings.to_owned(), ..job("sql", &payload.to_string()) };
        let host = plugins(WasmRunner::builder())
            .target("orders".parse().unwrap(), Arc::new(fake))
            .build();
        let plan = host.unwrap().plan(&job, &Link::default()).unwrap();
        found(&plan, "squawk.ban-drop-column").len()
    };
    assert_eq!(drops("postgresql", "{}"), 1);
    assert_eq!(drops("postgresql", r#"{"rules": {"squawk.ban-drop-column": "off"}}"#), 0);
    assert_eq!(drops("sqlite", "{}"), 0);
}
