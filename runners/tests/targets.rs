//! Database files that cannot be used: each with a code and a next step, and nothing created.

use placet_core::error::Code;
use placet_core::runner::{Outcome, Runner as _};
use placet_runners::{RunnerLimits, SqliteTarget};

use crate::bench::{Bench, failure, job};

const DELETE: &str = "DELETE FROM orders WHERE id = 1";

#[test]
fn a_missing_file_is_not_created() {
    let bench = Bench::new();
    let (job, plan) = bench.plan(DELETE).unwrap();
    std::fs::remove_file(bench.path()).unwrap();

    let refused = bench.runner.plan(&job, &bench.link).unwrap_err();
    assert_eq!(refused.code(), Code::TargetUnavailable);
    assert_eq!(refused.to_string(), "the target's database file does not exist");
    assert!(refused.help().is_some());
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "target_unavailable"));
    assert!(failed.details.unwrap().contains("help"));
    assert!(matches!(bench.runner.verify(&job, &plan, &bench.link), Outcome::Unknown(_)));
    assert!(!bench.path().exists());
}

#[test]
fn a_locked_file_is_said_to_be_locked() {
    let patience = |path| SqliteTarget::new(path).with_lock_wait_ms(50);
    let bench = Bench::with(RunnerLimits::default(), patience);
    let (job, plan) = bench.plan(DELETE).unwrap();
    let other = rusqlite::Connection::open(bench.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let refused = bench.runner.plan(&job, &bench.link).unwrap_err();
    assert_eq!(refused.code(), Code::TargetUnavailable);
    assert_eq!(refused.to_string(), "the target's database is locked by another connection");
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "target_unavailable"));
    assert!(failed.retryable);
    // The other writer may be our own zombie: nobody can tell.
    assert!(matches!(bench.runner.verify(&job, &plan, &bench.link), Outcome::Unknown(_)));

    other.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(bench.runner.verify(&job, &plan, &bench.link), Outcome::Failed(_)));
    bench.assert_alive();
}

#[test]
fn a_read_only_target_is_planned_without_trying_and_not_executed() {
    let bench = Bench::with(RunnerLimits::default(), |path| SqliteTarget::new(path).read_only());
    let job = job("sql-dry", r#"{"sql": "DELETE FROM orders WHERE id = 1"}"#);
    let plan = bench.runner.plan(&job, &bench.link).unwrap();
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "target_unavailable"));
    assert_eq!(failed.message, "the target's database file is read-only");
}

#[test]
fn a_file_that_is_no_database_is_said_to_be_none() {
    let bench = Bench::new();
    let (job, _) = bench.plan(DELETE).unwrap();
    std::fs::write(bench.path(), "this is a letter and not a database, whatever it is called")
        .unwrap();
    let refused = bench.runner.plan(&job, &bench.link).unwrap_err();
    assert_eq!(refused.code(), Code::TargetUnavailable, "{refused:?}");
}

#[test]
fn a_writer_that_was_killed_in_its_commit_leaves_a_question_that_can_be_answered() {
    let bench = Bench::new();
    let (job, plan) = bench.plan(DELETE).unwrap();
    // As after `kill -9`: pages of an unfinished transaction in the file, and the journal that undoes them.
    let elsewhere = bench.folder.path().join("elsewhere.db");
    let journal = |path: &std::path::Path| {
        let mut name = path.as_os_str().to_owned();
        name.push("-journal");
        std::path::PathBuf::from(name)
    };
    std::fs::copy(bench.path(), &elsewhere).unwrap();
    let writer = rusqlite::Connection::open(&elsewhere).unwrap();
    writer
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN IMMEDIATE;
             DELETE FROM orders;
             CREATE TABLE big (x);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500)
             INSERT INTO big SELECT zeroblob(3000) FROM n;",
        )
        .unwrap();
    std::fs::copy(&elsewhere, bench.path()).unwrap();
    std::fs::copy(journal(&elsewhere), journal(&bench.path())).unwrap();
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let reader = rusqlite::Connection::open_with_flags(bench.path(), flags).unwrap();
    let hot = reader.query_row("SELECT count(*) FROM orders", [], |_| Ok(())).unwrap_err();
    assert_eq!(hot.sqlite_error().unwrap().extended_code, 776, "the journal is hot: {hot:?}");
    drop(reader);

    let (word, failed) = failure(bench.runner.verify(&job, &plan, &bench.link));
    assert_eq!((word, failed.code.as_str()), ("failed", "not_committed"));
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
    bench.assert_alive();
}
