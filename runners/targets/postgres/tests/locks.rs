//! Locks: of rows and tables, and the one that goes with an attempt.

use placet_target::{Access, SqlFailure, SqlTarget as _, StopSignal};

use crate::story::{id, lines, marker, stage};

#[track_caller]
fn is_unavailable<T: std::fmt::Debug>(answer: Result<T, SqlFailure>, words: &str) {
    match answer {
        Err(SqlFailure::Unavailable(error)) => {
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.help().is_some());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lock_that_somebody_else_holds_is_not_waited_for_for_ever() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    stage.db.run("BEGIN; LOCK TABLE t");
    let mut session = stage.hasty().open(Access::ReadWrite(id(1)), &StopSignal::new()).unwrap();
    session.begin().unwrap();
    is_unavailable(session.execute("INSERT INTO t VALUES (1)", &[]), "lock");
    session.rollback().unwrap();
    stage.db.run("COMMIT");
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    session.commit(&marker(1)).unwrap();
}

#[test]
fn while_a_session_of_an_attempt_lives_nobody_says_that_it_did_not_commit() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let hasty = stage.hasty();
    let mut reader = hasty.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert_eq!(reader.marker(&id(1)).unwrap(), Some(false), "there is not even a table");
    let mut session = stage.writer(1);
    assert_eq!(reader.marker(&id(1)).unwrap(), None, "opened");
    assert_eq!(reader.steps(&id(1)).unwrap(), None);
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    assert_eq!(reader.marker(&id(1)).unwrap(), None, "begun");
    session.rollback().unwrap();
    assert_eq!(reader.marker(&id(1)).unwrap(), None, "it may begin again");
    assert_eq!(session.marker(&id(1)).unwrap(), None, "and says so of itself");
    // Other attempts go their own way.
    assert_eq!(reader.marker(&id(2)).unwrap(), Some(false));
    let mut other = hasty.open(Access::ReadWrite(id(2)), &StopSignal::new()).unwrap();
    other.begin().unwrap();
    other.execute("INSERT INTO t VALUES (2)", &[]).unwrap();
    other.commit(&marker(2)).unwrap();
    assert_eq!(reader.marker(&id(2)).unwrap(), Some(true), "while its session lives");
    // A second session of the attempt does not come about.
    let second = hasty.open(Access::ReadWrite(id(1)), &StopSignal::new());
    is_unavailable(second.map(drop), "another session of this attempt");
    drop(session);
    assert_eq!(reader.marker(&id(1)).unwrap(), Some(false));
    assert_eq!(stage.db.rows("SELECT a FROM t"), ["2"]);
}

#[test]
fn the_lock_stays_when_a_statement_gives_up_the_one_of_the_session() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let mut session = stage.begun(1);
    let hidden = "DO $$BEGIN EXECUTE 'SELECT pg_advisory_un' || 'lock_all()'; END$$";
    session.execute(hidden, &[]).unwrap();
    let mut reader = stage.hasty().open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert_eq!(reader.marker(&id(1)).unwrap(), None);
    session.commit(&marker(1)).unwrap();
    assert_eq!(reader.marker(&id(1)).unwrap(), Some(true));
}

#[test]
fn dry_runs_lock_nothing_and_do_not_hinder_each_other() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let hasty = stage.hasty();
    let mut first = hasty.open(Access::ReadWrite(id(0)), &StopSignal::new()).unwrap();
    let mut second = hasty.open(Access::ReadWrite(id(0)), &StopSignal::new()).unwrap();
    for session in [&mut first, &mut second] {
        session.begin().unwrap();
        session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
        assert_eq!(lines(&mut **session, "SELECT a FROM t"), ["1"]);
    }
}

#[test]
fn a_session_whose_server_process_is_killed_holds_nothing() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let mut session = stage.begun(1);
    session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    stage.db.run(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
        WHERE application_name = 'placet target' AND datname = current_database()",
    );
    is_unavailable(session.execute("INSERT INTO t VALUES (2)", &[]), "broke");
    let commit = session.commit(&marker(1));
    assert!(crate::story::ending(&commit).starts_with("not: "), "{commit:?}");
    assert_eq!(stage.reader().marker(&id(1)).unwrap(), Some(false));
    assert!(stage.db.rows("SELECT * FROM t").is_empty());
}

#[test]
fn the_tables_are_made_once_by_many_at_the_same_time() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    std::thread::scope(|scope| {
        for attempt in 1..=6 {
            let stage = &stage;
            let (url, target) = (stage.url(), stage.target());
            let _worker = scope.spawn(move || {
                assert!(!url.is_empty());
                let access = Access::ReadWrite(id(attempt));
                let mut session = target.open(access, &StopSignal::new()).unwrap();
                session.begin().unwrap();
                session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
                session.commit(&marker(attempt)).unwrap();
            });
        }
    });
    assert_eq!(stage.db.rows("SELECT count(*) FROM t"), ["6"]);
    assert_eq!(stage.db.rows("SELECT count(*) FROM placet.placet_marker"), ["6"]);
}
