//! What is under way stops when somebody says so, on the server too.

use std::thread;

use placet_target::testing::until;
use placet_target::{
    Access, CommitFailure, SqlFailure, SqlSession, SqlTarget as _, StopReason, StopSignal,
};
use placet_target_postgres::PostgresTarget;

use crate::proxy::{CANCEL, Cut, Proxy};
use crate::story::{Stage, id, marker, refusal, stage, step};

/// A statement that would go on for days, and needs no room: in FROM its numbers would be written to a file first. Its text is looked for on the server.
const LONG: &str = "SELECT count(*) FROM (SELECT generate_series(1, 100000000000)) AS long_work";

/// Statements of this database that run now and hold this text.
fn running(stage: &Stage, text: &str) -> usize {
    let sql = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
        AND pid <> pg_backend_pid() AND query LIKE '%{text}%'"
    );
    stage.db.rows(&sql).len()
}

/// Does `work` with a session, says stop when the server is busy with it, and returns what came of it.
fn stopped<T: Send>(
    stage: &Stage,
    text: &str,
    (access, reason): (Access, StopReason),
    work: impl FnOnce(&mut dyn SqlSession) -> T + Send,
) -> T {
    let stop = StopSignal::new();
    let mut session = stage.target().open(access, &stop).unwrap();
    let beside = stage.beside();
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let answer = work(&mut *session);
            // Still alive: it is not the end of the session that ends the statement. The server answers first, and tells
            // others afterwards that it is idle.
            until("the server is idle", || running(&beside, text) == 0);
            answer
        });
        until("the server is busy", || running(stage, text) > 0);
        stop.raise(reason);
        worker.join().unwrap()
    })
}

#[track_caller]
fn is_stopped<T: std::fmt::Debug>(answer: &Result<T, SqlFailure>, reason: StopReason) {
    assert!(matches!(answer, Err(SqlFailure::Stopped(found)) if *found == reason), "{answer:?}");
}

#[test]
fn a_long_query_stops() {
    let Some(stage) = stage("") else { return };
    let how = (Access::ReadOnly, StopReason::Timeout);
    let answer = stopped(&stage, "long_work", how, |session| session.query(LONG, &[], 1, 1_000));
    is_stopped(&answer, StopReason::Timeout);
    let how = (Access::ReadOnly, StopReason::Cancelled);
    let answer = stopped(&stage, "long_work", how, |session| session.query(LONG, &[], 1, 1_000));
    is_stopped(&answer, StopReason::Cancelled);
}

#[test]
fn a_long_answer_stops_between_its_rows() {
    let Some(stage) = stage("") else { return };
    let stop = StopSignal::new();
    let mut session = stage.target().open(Access::ReadOnly, &stop).unwrap();
    let mut batches = 0;
    let sql = "SELECT generate_series(1, 100000000000), repeat('x', 1000) AS long_answer";
    let limits = (u64::MAX, u64::MAX, 10);
    let answer = session.stream(sql, &[], limits, &mut |_rows| {
        batches += 1;
        if batches == 3 {
            stop.raise(StopReason::LeaseLost);
        }
        Ok(())
    });
    is_stopped(&answer, StopReason::LeaseLost);
    assert_eq!(running(&stage, "long_answer"), 0);
    // And when nobody wants the rest.
    let mut session = stage.reader();
    let answer =
        session.stream(sql, &[], limits, &mut |_rows| Err(SqlFailure::Limit("mine".into())));
    assert!(matches!(answer, Err(SqlFailure::Limit(why)) if why == "mine"));
    assert_eq!(running(&stage, "long_answer"), 0);
    assert_eq!(crate::story::lines(&mut *session, "SELECT 1"), ["1"]);
}

#[test]
fn a_long_statement_stops_and_its_transaction_can_only_be_undone() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let how = (Access::ReadWrite(id(1)), StopReason::Cancelled);
    let answer = stopped(&stage, "long_work", how, |session| {
        session.begin().unwrap();
        session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
        let answer = session.execute(&format!("INSERT INTO t {LONG}"), &[]);
        let commit = session.commit(&marker(1));
        assert!(
            matches!(commit, Err(CommitFailure::NotCommitted(SqlFailure::Stopped(_)))),
            "{commit:?}"
        );
        session.rollback().unwrap();
        answer
    });
    is_stopped(&answer, StopReason::Cancelled);
    assert!(stage.db.rows("SELECT * FROM t").is_empty());
}

#[test]
fn a_wait_for_a_lock_stops() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    stage.db.run("BEGIN; LOCK TABLE t");
    let watcher = stage.beside();
    let how = (Access::ReadWrite(id(1)), StopReason::Unavailable);
    let answer = stopped(&watcher, "locked_out", how, |session| {
        session.begin().unwrap();
        session.execute("INSERT INTO t SELECT 1 AS locked_out", &[])
    });
    is_stopped(&answer, StopReason::Unavailable);
}

#[test]
fn a_commit_that_works_long_stops_and_is_known_not_to_have_happened() {
    let Some(stage) = stage(
        "CREATE TABLE t (a int);
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN
                IF NEW.a > 0 THEN
                    -- Not even the host's last look has this done before the commit.
                    EXECUTE 'SET CONSTRAINTS ALL DEFERRED';
                    INSERT INTO t VALUES (NEW.a - 1);
                ELSE
                    PERFORM pg_sleep(100000);
                END IF;
                RETURN NULL;
            END$$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION slow()",
    ) else {
        return;
    };
    for (often, busy) in [(0, "SET CONSTRAINTS"), (2, "COMMIT")] {
        let how = (Access::ReadWrite(id(1)), StopReason::Timeout);
        let answer = stopped(&stage, busy, how, |session| {
            session.begin().unwrap();
            session.execute(&format!("INSERT INTO t VALUES ({often})"), &[]).unwrap();
            session.commit(&marker(1))
        });
        let Err(CommitFailure::NotCommitted(SqlFailure::Stopped(StopReason::Timeout))) = answer
        else {
            panic!("{busy}: {answer:?}")
        };
        assert_eq!(stage.reader().marker(&id(1)).unwrap(), Some(false));
    }
}

#[test]
fn a_statement_that_runs_alone_stops_and_its_intent_goes() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let how = (Access::ReadWrite(id(1)), StopReason::Timeout);
    let sql = format!("INSERT INTO t {LONG}");
    let answer =
        stopped(&stage, "long_work", how, |session| session.execute_alone(&sql, &step(1, "s")));
    let Err(CommitFailure::NotCommitted(SqlFailure::Stopped(StopReason::Timeout))) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(stage.reader().steps(&id(1)).unwrap(), Some(Vec::new()));
}

#[test]
fn who_was_stopped_before_begins_nothing() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let stop = StopSignal::new();
    let mut session = stage.target().open(Access::ReadWrite(id(1)), &stop).unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    stop.raise(StopReason::Cancelled);
    is_stopped(&session.execute("INSERT INTO t VALUES (2)", &[]), StopReason::Cancelled);
    is_stopped(&session.query("SELECT 1", &[], 1, 1_000), StopReason::Cancelled);
    is_stopped(&session.begin(), StopReason::Cancelled);
    is_stopped(&session.marker(&id(1)), StopReason::Cancelled);
    session.rollback().unwrap();
    is_stopped(&stage.target().open(Access::ReadOnly, &stop).map(drop), StopReason::Cancelled);
    assert!(stage.db.rows("SELECT * FROM t").is_empty());
}

#[test]
fn a_statement_may_take_as_long_as_the_target_says() {
    let Some(stage) = stage("") else { return };
    let target = stage.target().with_statement_timeout_ms(50);
    let mut session = target.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert_eq!(crate::story::code(session.query(LONG, &[], 1, 1_000)), "sql.57014");
    assert_eq!(running(&stage, "long_work"), 0);
    assert_eq!(refusal(session.begin()), "this session only reads");
}

/// Rows that fill what the server sends at once, and then work that ends by itself after a while.
const SLOW_TO_END: &str = "SELECT repeat('x', 20000) FROM generate_series(1, 20) \
    UNION ALL SELECT count(*)::text FROM (SELECT generate_series(1, 5000000)) AS first_work";

/// An order to end a query may come when the query is over: it must not end the next one.
#[test]
fn an_order_that_comes_too_late_ends_no_other_statement() {
    let Some(stage) = stage("") else { return };
    let proxy = Proxy::to(stage.server.port());
    let target = PostgresTarget::new(stage.server.url_of("owner", proxy.port, &stage.name));
    let mut session = target.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    proxy.arm(Cut::Held, CANCEL);
    let beside = stage.beside();
    thread::scope(|scope| {
        scope.spawn(|| {
            // Whatever comes after the query that it was meant for: the wait for it, or else what somebody asks next.
            let is_next = || running(&beside, "pg_sleep") + running(&beside, "next_work") > 0;
            until("the next statement runs", is_next);
            proxy.let_go();
        });
        let limited = session.query(SLOW_TO_END, &[], 1, 1 << 20);
        assert!(matches!(limited, Err(SqlFailure::Limit(_))), "{limited:?}");
        assert_eq!(proxy.cuts(), 1, "no order was on its way");
        let next = "SELECT count(*) FROM (SELECT generate_series(1, 5000000)) AS next_work";
        let counted = session.query(next, &[], 1, 1 << 20);
        assert_eq!(counted.unwrap().rows.len(), 1);
    });
}

/// What is there already is read to its end: an order would only come too late.
#[test]
fn a_short_answer_that_nobody_wants_needs_no_order() {
    let Some(stage) = stage("") else { return };
    let proxy = Proxy::to(stage.server.port());
    let target = PostgresTarget::new(stage.server.url_of("owner", proxy.port, &stage.name));
    let mut session = target.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    proxy.arm(Cut::Held, CANCEL);
    let limited = session.query("SELECT generate_series(1, 5)", &[], 1, 1 << 20);
    assert!(matches!(limited, Err(SqlFailure::Limit(_))), "{limited:?}");
    assert_eq!(proxy.cuts(), 0);
}
