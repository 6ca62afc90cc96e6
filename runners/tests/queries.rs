//! Approved queries: what is kept of them, what is hidden, and what is too much.

use std::sync::{Arc, Mutex};

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::runner::{Artifact, Job, Level, Outcome, Runner as _};
use placet_runners::{
    FolderResults, Origin, ResultSink, ResultWriter, RunnerLimits, SqlRows, SqliteTarget,
    WasmRunner,
};

use crate::bench::{Bench, Link, failure, job, plugins};
use crate::fake::{Fake, from, people};

/// Keeps answers in memory, or says that it cannot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    kept: Arc<Mutex<Vec<(Artifact, String)>>>,
    /// How many answers it has room for.
    room: Option<usize>,
}

#[derive(Debug)]
struct One(Memory, Vec<u8>);

impl ResultSink for Memory {
    fn begin(&self, _: &str) -> Result<Box<dyn ResultWriter>, Error> {
        Ok(Box::new(One(self.clone(), Vec::new())))
    }
}

impl ResultWriter for One {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.1.extend(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>, artifact: &Artifact) -> Result<(), Error> {
        if self.0.room.is_some_and(|room| self.0.kept.lock().unwrap().len() >= room) {
            return Err(
                Error::new(Code::StoreUnavailable, "the disk is full").with_help("free some space")
            );
        }
        let text = String::from_utf8(self.1).unwrap();
        self.0.kept.lock().unwrap().push((artifact.clone(), text));
        Ok(())
    }
}

fn asks(sql: &str, limit: Option<u64>, settings: &str) -> Job {
    let mut payload = serde_json::json!({ "sql": sql });
    if let Some(limit) = limit {
        payload.as_object_mut().unwrap().insert("limit".to_owned(), limit.into());
    }
    Job { settings: settings.to_owned(), ..job("sql", &payload.to_string()) }
}

fn answered(job: &Job, rows: SqlRows, memory: &Memory) -> Outcome {
    let fake = Fake::new();
    fake.world().rows = rows;
    let runner = plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(fake))
        .results(Arc::new(memory.clone()))
        .build()
        .unwrap();
    let plan = runner.plan(job, &Link::default()).unwrap();
    runner.execute(job, &plan, &Link::default())
}

fn lines(job: &Job, origins: Vec<Option<Origin>>) -> Vec<String> {
    let memory = Memory::default();
    let outcome = answered(job, people(origins), &memory);
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    let kept = memory.kept.lock().unwrap();
    kept.first().unwrap().1.lines().map(ToOwned::to_owned).collect()
}

const SHOWN: &str = r#"[1,"p1@shop.test"]"#;
const HIDDEN: &str = r#"[1,{"masked":true}]"#;
const ALL_HIDDEN: &str = r#"[{"masked":true},{"masked":true}]"#;

#[test]
fn an_answer_is_kept_and_its_digest_stands_in_the_outcome() {
    let bench = Bench::new();
    let (job, plan) = bench.plan("SELECT id, state FROM orders ORDER BY id; SELECT 7").unwrap();
    assert_eq!(plan.findings, []);
    let outcome = bench.runner.execute(&job, &plan, &bench.link);
    let Outcome::Succeeded(report) = outcome else { panic!("{outcome:?}") };
    assert_eq!(report.rows_affected, None);
    assert_eq!(report.details.as_deref(), Some(r#"{"rows_answered":4}"#));
    let texts: Vec<String> = report
        .artifacts
        .iter()
        .map(|artifact| {
            let path = bench.folder.path().join("results").join(&artifact.name);
            let text = std::fs::read_to_string(path).unwrap();
            assert_eq!(artifact.digest, Digest::of(text.as_bytes()));
            assert_eq!(artifact.size_bytes, u64::try_from(text.len()).unwrap());
            assert_eq!(artifact.media_type, "application/x-ndjson");
            text
        })
        .collect();
    assert_eq!(
        texts,
        ["[\"id\",\"state\"]\n[1,\"new\"]\n[2,\"new\"]\n[3,\"paid\"]\n", "[\"7\"]\n[7]\n"]
    );
    // A read leaves no marker.
    assert_eq!(bench.number("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'placet%'"), 0);
    // Whoever lost the outcome hears which answers may be there: here both are.
    let (word, failed) = failure(bench.runner.verify(&job, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "not_answered"));
    assert!(!failed.message.contains("lost"), "{failed:?}");
    let details: serde_json::Value = serde_json::from_str(&failed.details.unwrap()).unwrap();
    let names: Vec<_> = report.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    assert_eq!(details, serde_json::json!({ "may_be_kept": names }));
}

#[test]
fn without_a_place_for_answers_no_query_is_planned() {
    let runner = plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(Fake::new()))
        .build()
        .unwrap();
    let job = asks("SELECT 1", None, "{}");
    let plan = runner.plan(&job, &Link::default()).unwrap();
    let found = plan.findings.iter().find(|found| found.code == "sql.no_results").unwrap();
    assert_eq!(found.level, Level::Error);
    assert!(found.help.is_some());
    let (word, failed) = failure(runner.execute(&job, &plan, &Link::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "invalid_input"));
}

#[test]
fn the_smallest_limit_counts() {
    for (limit, settings, rows_max) in [
        (Some(2), "{}", 10),
        (None, r#"{"limit": 2}"#, 10),
        (Some(9), r#"{"limit": 2}"#, 10),
        (Some(9), r#"{"limit": 9}"#, 2),
    ] {
        let limits = RunnerLimits::default().with_rows_max(rows_max);
        let bench = Bench::with(limits, SqliteTarget::new);
        let job = asks("SELECT id FROM orders", limit, settings);
        let plan = bench.runner.plan(&job, &bench.link).unwrap();
        let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
        assert_eq!((word, failed.code.as_str()), ("failed", "limit"), "{limit:?} {settings}");
        assert_eq!(
            std::fs::read_dir(bench.folder.path().join("results"))
                .into_iter()
                .flatten()
                .flatten()
                .flat_map(|request| std::fs::read_dir(request.path()).unwrap())
                .flat_map(|attempt| std::fs::read_dir(attempt.unwrap().path()).unwrap())
                .count(),
            0
        );
        let enough = asks("SELECT id FROM orders LIMIT 2", limit, settings);
        let plan = bench.runner.plan(&enough, &bench.link).unwrap();
        let outcome = bench.runner.execute(&enough, &plan, &bench.link);
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    }
}

#[test]
fn columns_are_hidden_by_where_they_come_from() {
    let origins = || vec![Some(from("people", "id")), Some(from("People", "EMAIL"))];
    for (mask, second) in [
        (r#"["people.email"]"#, HIDDEN),
        (r#"["shop.people.email"]"#, HIDDEN),
        (r#"["email"]"#, HIDDEN),
        (r#"["customers.email"]"#, SHOWN),
        (r#"["people.phone"]"#, SHOWN),
        ("[]", SHOWN),
    ] {
        let job = asks("SELECT id, email FROM people", None, &format!(r#"{{"mask": {mask}}}"#));
        let lines = lines(&job, origins());
        assert_eq!(lines[..2], [r#"["id","email"]"#, second], "{mask}");
    }
}

#[test]
fn a_column_of_unknown_origin_is_hidden_with_its_table() {
    // Some told, or none at all.
    for (origins, row) in
        [(vec![Some(from("people", "id")), None], HIDDEN), (Vec::new(), ALL_HIDDEN)]
    {
        let job =
            asks("SELECT id, lower(email) FROM people", None, r#"{"mask": ["people.email"]}"#);
        assert_eq!(lines(&job, origins.clone())[1], row);
        // A name without a table may be of any.
        let job = asks("SELECT id, email FROM orders", None, r#"{"mask": ["email"]}"#);
        assert_eq!(lines(&job, origins.clone())[1], row);
        // What is no plain table of the database may show anything.
        let job = asks("SELECT id, email FROM a_view", None, r#"{"mask": ["people.email"]}"#);
        assert_eq!(lines(&job, origins)[1], row);
    }
}

#[test]
fn a_view_does_not_unveil_what_its_table_hides() {
    let bench = Bench::new();
    let database = rusqlite::Connection::open(bench.path()).unwrap();
    database
        .execute_batch("CREATE VIEW shown AS SELECT id, upper(state) AS loud FROM orders")
        .unwrap();
    let answer = |sql: &str, settings: &str| {
        let job = asks(sql, None, settings);
        let plan = bench.runner.plan(&job, &bench.link).unwrap();
        let outcome = bench.runner.execute(&job, &plan, &bench.link);
        let Outcome::Succeeded(report) = outcome else { panic!("{outcome:?}") };
        let path =
            bench.folder.path().join("results").join(&report.artifacts.first().unwrap().name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        text
    };
    let hidden = r#"{"mask": ["orders.state"]}"#;
    assert!(!answer("SELECT loud FROM shown", hidden).contains("NEW"));
    assert!(!answer("SELECT state || '' FROM orders", hidden).contains("new"));
    assert!(
        answer("SELECT state || '' FROM orders", r#"{"mask": ["people.email"]}"#).contains("new")
    );
    assert!(answer("SELECT state FROM orders", "{}").contains("new"));
}

#[test]
fn an_answer_that_cannot_be_kept_is_a_failure() {
    let memory = Memory { room: Some(0), ..Memory::default() };
    let job = asks("SELECT id FROM people", None, "{}");
    let (word, failed) = failure(answered(&job, people(Vec::new()), &memory));
    assert_eq!((word, failed.code.as_str()), ("failed", "store_unavailable"));
    assert!(failed.applied.is_empty());
}

#[test]
fn answers_that_stay_are_named_when_another_cannot_be_kept() {
    let memory = Memory { room: Some(1), ..Memory::default() };
    let job = asks("SELECT id FROM people; SELECT 1", None, "{}");
    let (word, failed) = failure(answered(&job, people(Vec::new()), &memory));
    assert_eq!((word, failed.code.as_str()), ("failed", "store_unavailable"));
    let details: serde_json::Value = serde_json::from_str(&failed.details.unwrap()).unwrap();
    let kept = memory.kept.lock().unwrap();
    let names: Vec<_> = kept.iter().map(|(artifact, _)| artifact.name.as_str()).collect();
    assert_eq!(names.len(), 1);
    assert_eq!(details, serde_json::json!({ "help": "free some space", "kept": names }));
}

#[test]
fn settings_that_nobody_can_read_stop_a_plan_and_a_run() {
    let bench = Bench::new();
    let (good, plan) = bench.plan("SELECT id FROM orders").unwrap();
    for settings in ["", "[]", r#"{"maks": ["people.email"]}"#, r#"{"limit": "many"}"#] {
        let job = Job { settings: settings.to_owned(), ..good.clone() };
        let refused = bench.runner.plan(&job, &bench.link).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidInput, "{settings}");
        let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
        assert_eq!((word, failed.code.as_str()), ("failed", "invalid_input"), "{settings}");
    }
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sink = FolderResults::new(folder.path());
    for name in ["", "/etc/x", "../x", "a/../../x", "a//b", ".hidden", "a b", "a\0b"] {
        assert_eq!(sink.begin(name).unwrap_err().code(), Code::InvalidInput, "{name:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn too_many_queries_and_too_long_answers_are_refused() {
    let limits = RunnerLimits::default().with_answer_bytes_max(20);
    let bench = Bench::with(limits, SqliteTarget::new);
    let (job, plan) = bench.plan("SELECT id, state FROM orders").unwrap();
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "limit"));
    let (_, plan) = bench.plan(&"SELECT 1;".repeat(101)).unwrap();
    let codes: Vec<_> =
        plan.findings.iter().map(|found| (found.code.as_str(), found.level)).collect();
    assert_eq!(codes, [("sql.too_many_queries", Level::Error)]);
}

#[test]
fn the_words_of_a_database_do_not_quote_what_is_masked() {
    let bench = Bench::new();
    let database = rusqlite::Connection::open(bench.path()).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER loud BEFORE UPDATE ON orders
             BEGIN SELECT RAISE(ABORT, 'the state paid is wrong'); END",
        )
        .unwrap();
    let masked = r#"{"mask": ["orders.state"]}"#;
    for (settings, is_told) in [("{}", true), (masked, false)] {
        // In a dry run, in a run, and in a query.
        let change = asks("UPDATE orders SET state = 'x' WHERE id = 3", None, settings);
        let plan = bench.runner.plan(&change, &bench.link).unwrap();
        let told = plan.findings.iter().find(|told| told.code == "sql.dry_run_failed").unwrap();
        assert_eq!(told.message.contains("paid"), is_told, "{told:?}");
        assert_eq!(told.message.contains("sql.sqlite."), !is_told, "{told:?}");
        let (_, failed) = failure(bench.runner.execute(&change, &plan, &bench.link));
        assert_eq!(failed.message.contains("paid"), is_told, "{failed:?}");
        assert!(failed.code.starts_with("sql.sqlite."), "{failed:?}");
        let query = asks("SELECT json_extract(state, '$.a') FROM orders", None, settings);
        let plan = bench.runner.plan(&query, &bench.link).unwrap();
        let (_, failed) = failure(bench.runner.execute(&query, &plan, &bench.link));
        assert_eq!(failed.message.contains("masks columns"), !is_told, "{failed:?}");
    }
}
