//! Steps that are committed one by one, and statements that refuse a transaction.

use placet_target::{CommitFailure, SqlFailure, StepSeen, StepState};

use crate::story::{Stage, ending, id, refusal, stage, step};

fn seen(step: &str, state: StepState) -> StepSeen {
    StepSeen { step: step.to_owned(), state }
}

fn steps(stage: &Stage, attempt: u32) -> Vec<StepSeen> {
    let mut steps = stage.reader().steps(&id(attempt)).unwrap().unwrap();
    steps.sort_by(|a, b| a.step.cmp(&b.step));
    steps
}

#[test]
fn each_step_takes_effect_and_is_marked_or_neither() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let mut session = stage.begun(1);
    session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    session.commit_step(&step(1, "s1")).unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (2)", &[]).unwrap();
    session.rollback().unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (3)", &[]).unwrap();
    let again = session.commit_step(&step(1, "s1"));
    assert!(ending(&again).contains("duplicate key"), "{again:?}");
    drop(session);
    assert_eq!(stage.db.rows("SELECT a FROM t"), ["1"]);
    assert_eq!(steps(&stage, 1), [seen("s1", StepState::Done)]);
    assert_eq!(steps(&stage, 2), []);
    assert_eq!(stage.reader().marker(&id(1)).unwrap(), Some(false), "the whole was not committed");
}

#[test]
fn what_refuses_a_transaction_runs_alone() {
    let Some(stage) = stage("CREATE TABLE t (a int); INSERT INTO t VALUES (1)") else { return };
    let mut session = stage.writer(1);
    for (at, sql) in [
        "CREATE INDEX CONCURRENTLY by_a ON t (a)",
        "VACUUM t",
        "REINDEX INDEX CONCURRENTLY by_a",
        "DROP INDEX CONCURRENTLY by_a",
    ]
    .into_iter()
    .enumerate()
    {
        let ended = session.execute_alone(sql, &step(1, &format!("s{at}")));
        assert_eq!(ending(&ended), "done", "{sql}");
    }
    assert_eq!(session.execute_alone("UPDATE t SET a = 2", &step(1, "t")).unwrap(), 1);
    let again = session.execute_alone("UPDATE t SET a = 3", &step(1, "t"));
    assert!(ending(&again).starts_with("not: this step was begun before"), "{again:?}");
    let block = session.execute_alone("DO $$BEGIN COMMIT; END$$", &step(1, "u"));
    assert!(ending(&block).starts_with("not: a block or procedure"), "{block:?}");
    session.begin().unwrap();
    let inside = session.execute_alone("VACUUM t", &step(1, "v"));
    assert!(ending(&inside).starts_with("not: a transaction is open"), "{inside:?}");
    drop(session);
    assert_eq!(steps(&stage, 1).len(), 5);
    assert!(steps(&stage, 1).iter().all(|step| step.state == StepState::Done));
    assert_eq!(stage.db.rows("SELECT a FROM t"), ["2"]);
    // A session that is for no attempt marks nothing, and so runs nothing alone.
    let dry = stage.writer(0).execute_alone("VACUUM t", &step(0, "s"));
    assert!(ending(&dry).starts_with("not: "), "{dry:?}");
}

#[test]
fn what_runs_alone_and_changes_what_the_host_relies_on_is_unknown() {
    let Some(stage) = stage(
        "CREATE FUNCTION checks() RETURNS void LANGUAGE plpgsql AS
            $$BEGIN EXECUTE 'ALTER TABLE placet.placet_mar' || 'ker ADD CHECK (fence > 0)'; END$$;
        CREATE FUNCTION unlocks() RETURNS void LANGUAGE plpgsql AS
            $$BEGIN EXECUTE 'SELECT pg_advisory_un' || 'lock_all()'; END$$;
        CREATE FUNCTION sets() RETURNS void LANGUAGE plpgsql AS
            $$BEGIN EXECUTE 'SET standard_conforming_strings = off'; END$$;
        CREATE FUNCTION empties() RETURNS void LANGUAGE plpgsql AS
            $$BEGIN EXECUTE 'TRUNCATE placet.placet_mar' || 'ker'; END$$",
    ) else {
        return;
    };
    let names = ["unlocks", "sets", "empties", "checks"];
    for (attempt, name) in (1..).zip(names) {
        let mut session = stage.writer(attempt);
        let ended = session.execute_alone(&format!("SELECT {name}()"), &step(attempt, "s1"));
        assert!(ending(&ended).starts_with("lost: the statement ran to its end, but"), "{ended:?}");
        // And the session is of no use any more.
        let next = session.execute_alone("SELECT 1", &step(attempt, "s2"));
        assert!(ending(&next).starts_with("not: "), "{name}: {next:?}");
        let _why = refusal(session.begin());
        drop(session);
        assert_eq!(steps(&stage, attempt), [seen("s1", StepState::Intended)], "{name}");
    }
}

#[test]
fn a_lock_that_a_step_gave_up_is_missed_before_the_next_one() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let mut session = stage.begun(1);
    let hidden = "DO $$BEGIN EXECUTE 'SELECT pg_advisory_un' || 'lock_all()'; END$$";
    session.execute(hidden, &[]).unwrap();
    session.commit_step(&step(1, "s1")).unwrap();
    let why = refusal(session.begin());
    assert!(why.contains("does not hold the lock"), "{why}");
    let alone = session.execute_alone("VACUUM t", &step(1, "s2"));
    assert!(ending(&alone).contains("does not hold the lock"), "{alone:?}");
    drop(session);
    assert_eq!(steps(&stage, 1), [seen("s1", StepState::Done)]);
}

#[test]
fn what_rewrites_every_table_may_rewrite_ours() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let mut session = stage.writer(1);
    for (sql, name) in [("VACUUM FULL", "s1"), ("VACUUM", "s2")] {
        let ended = session.execute_alone(sql, &step(1, name));
        assert_eq!(ending(&ended), "done", "{ended:?}");
    }
    session.begin().unwrap();
    session.commit_step(&step(1, "s3")).unwrap();
}

#[test]
fn what_failed_alone_without_a_trace_was_not_begun() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let mut session = stage.writer(1);
    for sql in
        ["VACUUM nowhere", "CREATE INDEX CONCURRENTLY by_b ON t (b)", "INSERT INTO t VALUES (x)"]
    {
        let ended = session.execute_alone(sql, &step(1, "s"));
        let Err(CommitFailure::NotCommitted(SqlFailure::Database { .. })) = ended else {
            panic!("{sql}: {ended:?}")
        };
    }
    drop(session);
    assert_eq!(steps(&stage, 1), []);
}

#[test]
fn what_was_left_half_made_is_named_and_stays_unknown() {
    let Some(stage) = stage("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)") else {
        return;
    };
    let mut session = stage.writer(1);
    let ended =
        session.execute_alone("CREATE UNIQUE INDEX CONCURRENTLY once ON t (a)", &step(1, "s"));
    let Err(CommitFailure::Lost(why)) = &ended else { panic!("{ended:?}") };
    assert!(why.contains("the invalid index once"), "{why}");
    drop(session);
    assert_eq!(steps(&stage, 1), [seen("s", StepState::Intended)]);
    assert_eq!(
        stage.db.rows("SELECT indisvalid FROM pg_index WHERE indexrelid = 'once'::regclass"),
        ["f"]
    );
    // A second attempt that fails without leaving anything new is known to have had no effect.
    let mut session = stage.writer(2);
    let ended =
        session.execute_alone("CREATE UNIQUE INDEX CONCURRENTLY once ON t (a)", &step(2, "s"));
    assert!(ending(&ended).starts_with("not: "), "{ended:?}");
}

#[test]
fn a_session_that_only_reads_marks_nothing() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let mut reader = stage.reader();
    assert!(ending(&reader.execute_alone("VACUUM t", &step(1, "s"))).starts_with("not: "));
    assert!(ending(&reader.commit_step(&step(1, "s"))).starts_with("not: "));
    let _why = refusal(reader.begin());
    assert_eq!(stage.db.rows("SELECT to_regnamespace('placet')"), ["-"]);
}
