//! Cancel, timeouts and locks. What was stopped does not run on the server any more; that is counted, not timed.

use std::thread;

use placet_target::testing::until;
use placet_target::{Access, CommitFailure, SqlFailure, SqlTarget as _, StopReason, StopSignal};

use crate::bench::{Bench, job, marker, patient, step};
use crate::proxy::{Cut, Proxy};

/// A query that would take hours.
const LONG: &str = "SELECT COUNT(*) FROM seq_1_to_100000000 a, seq_1_to_100000000 b";

#[test]
fn a_raised_signal_stops_the_statement_on_the_server() {
    let Some(bench) = Bench::new() else { return };
    for access in [Access::ReadOnly, Access::ReadWrite(job(1))] {
        let stop = StopSignal::new();
        let mut session = bench.target().open(access, &stop).unwrap();
        let writes = access != Access::ReadOnly;
        if writes {
            session.begin().unwrap();
            session.execute("DELETE FROM orders", &[]).unwrap();
        }
        let ended = thread::scope(|scope| {
            let query = scope.spawn(|| session.query(LONG, &[], 10, 1_000));
            until("it runs", || bench.running("seq_1_to_100000000 b") == 1);
            stop.raise(StopReason::Cancelled);
            query.join().unwrap()
        });
        assert!(matches!(ended, Err(SqlFailure::Stopped(StopReason::Cancelled))), "{ended:?}");
        assert_eq!(bench.running("seq_1_to_100000000 b"), 0, "the server still works on it");
        if writes {
            session.rollback().unwrap();
            assert_eq!(bench.sql("SELECT COUNT(*) FROM orders"), ["3"]);
        }
    }
}

/// The server forgets an order that comes before the statement: the statement is killed again until it ends.
#[test]
fn a_statement_that_reaches_the_server_after_its_stop_is_stopped_too() {
    let Some(bench) = Bench::new() else { return };
    let proxy = Proxy::to(bench.server.port);
    let through = patient(bench.url("shop", proxy.port));
    let stop = StopSignal::new();
    let mut session = through.open(Access::ReadWrite(job(1)), &stop).unwrap();
    session.begin().unwrap();
    session.execute("DELETE FROM orders", &[]).unwrap();
    // The first packet of an exchange that runs what was prepared: COM_STMT_EXECUTE.
    proxy.cut(Cut::Overtaken, &[0x00, 0x17]);
    let ended = thread::scope(|scope| {
        let query = scope.spawn(|| session.query(LONG, &[], 10, 1_000));
        until("it is held back", || proxy.was_cut());
        stop.raise(StopReason::Cancelled);
        query.join().unwrap()
    });
    assert!(matches!(ended, Err(SqlFailure::Stopped(StopReason::Cancelled))), "{ended:?}");
    assert_eq!(bench.running("seq_1_to_100000000 b"), 0, "the server still works on it");
    session.rollback().unwrap();
    assert_eq!(bench.sql("SELECT COUNT(*) FROM orders"), ["3"]);
}

#[test]
fn a_wait_for_a_lock_is_stopped_or_ends() {
    let Some(bench) = Bench::new() else { return };
    let mut holder = bench.begun(1);
    holder.execute("UPDATE orders SET state = 'held' WHERE id = 1", &[]).unwrap();
    // It ends by itself after a second, and the transaction goes on.
    let mut waiter = bench.begun(2);
    waiter.execute("INSERT INTO orders VALUES (4, 'kept')", &[]).unwrap();
    let failure = waiter.execute("UPDATE orders SET state = 'x' WHERE id = 1", &[]).unwrap_err();
    assert!(
        matches!(&failure, SqlFailure::Database { code, retryable: true, .. } if code == "sql.mysql.1205"),
        "{failure:?}"
    );
    waiter.commit(&marker(2)).unwrap();
    assert_eq!(bench.sql("SELECT state FROM orders WHERE id = 4"), ["kept"]);
    drop(waiter);
    // A lock on the table, for a statement that changes the table.
    let mut alone = bench.open(Access::ReadWrite(job(3)));
    let failure =
        alone.execute_alone("ALTER TABLE orders ADD more INT", &step(3, "a")).unwrap_err();
    assert!(
        matches!(&failure, CommitFailure::NotCommitted(SqlFailure::Database { code, .. }) if code == "sql.mysql.1205"),
        "{failure:?}"
    );
    drop(alone);
    assert_eq!(
        bench.reader().steps(&job(3)).unwrap(),
        Some(Vec::new()),
        "the intent was taken back"
    );
    // And stopped, where the wait would be long.
    let stop = StopSignal::new();
    let patient = bench.target().with_lock_wait_ms(600_000);
    let mut waiter = patient.open(Access::ReadWrite(job(4)), &stop).unwrap();
    waiter.begin().unwrap();
    let ended = thread::scope(|scope| {
        let waits = scope.spawn(|| waiter.execute("DELETE FROM orders", &[]));
        until("it waits", || bench.running("DELETE FROM orders") == 1);
        stop.raise(StopReason::Timeout);
        waits.join().unwrap()
    });
    assert!(matches!(ended, Err(SqlFailure::Stopped(StopReason::Timeout))), "{ended:?}");
    assert_eq!(bench.running("DELETE FROM orders"), 0);
}

#[test]
fn a_statement_ends_that_takes_too_long() {
    let Some(bench) = Bench::new() else { return };
    let target = bench.target().with_statement_timeout_ms(200);
    let mut session = target.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    let failure = session.query(LONG, &[], 10, 1_000).unwrap_err();
    assert!(
        matches!(&failure, SqlFailure::Database { code, retryable: true, .. } if code == "sql.mysql.1969"),
        "{failure:?}"
    );
    assert_eq!(bench.running("seq_1_to_100000000 b"), 0);
    assert_eq!(
        crate::bench::value(&mut *session, "SELECT 5").unwrap(),
        placet_target::SqlValue::Int64(5)
    );
}

#[test]
fn a_raised_signal_opens_nothing() {
    let Some(bench) = Bench::new() else { return };
    let stop = StopSignal::new();
    stop.raise(StopReason::Unavailable);
    for access in [Access::ReadOnly, Access::ReadWrite(job(1))] {
        let refused = bench.target().open(access, &stop).unwrap_err();
        assert!(matches!(refused, SqlFailure::Stopped(StopReason::Unavailable)));
    }
}
