//! The mark, the lock of an attempt, and answers that are lost.

use std::sync::Mutex;

use placet_target::testing::until;
use placet_target::{
    Access, CommitFailure, SqlFailure, SqlTarget as _, StopReason, StopSignal, points,
};
use placet_target_mysql::POINTS;

use crate::bench::{Bench, job, marker, patient, step};
use crate::proxy::{Cut, Proxy};

#[test]
fn a_mark_stands_when_and_only_when_its_transaction_does() {
    let Some(bench) = Bench::new() else { return };
    let mut reader = bench.reader();
    assert_eq!(reader.marker(&job(1)).unwrap(), Some(false), "not even a table is there");
    let mut session = bench.begun(1);
    assert_eq!(session.execute("UPDATE orders SET state = 'gone' WHERE id < 3", &[]).unwrap(), 2);
    // A session of the attempt is alive: nobody can tell, not even that session.
    assert_eq!(reader.marker(&job(1)).unwrap(), None);
    assert_eq!(reader.steps(&job(1)).unwrap(), None);
    assert_eq!(session.marker(&job(1)).unwrap(), None);
    assert_eq!(reader.marker(&job(2)).unwrap(), Some(false), "another attempt has another lock");
    session.commit(&marker(1)).unwrap();
    assert_eq!(reader.marker(&job(1)).unwrap(), Some(true), "what is committed needs no lock");
    let row = bench.sql("SELECT revision, attempt, fence, digest FROM placet_marker");
    assert_eq!(row, [format!("1|1|3|{}", marker(1).digest)]);
    // A second commit of the attempt fails, whoever tries it.
    session.begin().unwrap();
    session.execute("UPDATE orders SET state = 'twice'", &[]).unwrap();
    let failure = session.commit(&marker(1)).unwrap_err();
    let CommitFailure::NotCommitted(SqlFailure::Database { code, .. }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(code, "sql.mysql.1062");
    assert_eq!(bench.sql("SELECT DISTINCT state FROM orders WHERE id < 3"), ["gone"]);
    // A mark of another attempt is not this session's to write.
    session.begin().unwrap();
    let failure = session.commit(&marker(2)).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(SqlFailure::Refused(_))));
}

#[test]
fn one_session_of_an_attempt_lives_at_a_time() {
    let Some(bench) = Bench::new() else { return };
    let first = bench.open(Access::ReadWrite(job(1)));
    let refused = bench.target().open(Access::ReadWrite(job(1)), &StopSignal::new()).unwrap_err();
    assert!(matches!(refused, SqlFailure::Unavailable(_)));
    // Another attempt is another matter, and so is a dry run.
    drop(bench.open(Access::ReadWrite(job(2))));
    drop(bench.open(Access::ReadWrite(job(0))));
    drop(first);
    drop(bench.open(Access::ReadWrite(job(1))));
}

#[test]
fn a_lock_that_was_lost_is_noticed_before_the_commit() {
    let Some(bench) = Bench::new() else { return };
    let mut session = bench.begun(1);
    session.execute("DELETE FROM orders", &[]).unwrap();
    // Somebody kills the session's connection on the server.
    let _killed = bench.sql(
        "SELECT GROUP_CONCAT(id) INTO @ids FROM information_schema.processlist \
         WHERE user = 'shop' AND db = DATABASE(); EXECUTE IMMEDIATE CONCAT('KILL ', @ids)",
    );
    until("the connection is gone", || {
        bench.sql("SELECT 1 FROM information_schema.processlist WHERE user = 'shop' AND db = DATABASE()").is_empty()
    });
    let failure = session.commit(&marker(1)).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(_)), "{failure:?}");
    assert_eq!(bench.reader().marker(&job(1)).unwrap(), Some(false));
    assert_eq!(bench.sql("SELECT COUNT(*) FROM orders"), ["3"]);
}

/// InnoDB undoes the whole transaction on a deadlock. Whoever went on would commit the rest.
#[test]
fn after_a_deadlock_nothing_is_committed() {
    let Some(bench) = Bench::new() else { return };
    let mut one = bench.begun(1);
    let mut two = bench.begun(2);
    one.execute("UPDATE orders SET state = 'one' WHERE id = 1", &[]).unwrap();
    // The one with fewer changes is the victim.
    two.execute("UPDATE orders SET state = 'two' WHERE id IN (2, 3)", &[]).unwrap();
    two.execute("INSERT INTO orders VALUES (10, 'two'), (11, 'two'), (12, 'two')", &[]).unwrap();
    let ended = std::thread::scope(|scope| {
        let waits =
            scope.spawn(|| one.execute("UPDATE orders SET state = 'one' WHERE id = 2", &[]));
        until("one waits", || bench.running("state = 'one' WHERE id = 2") == 1);
        let two_ends = two.execute("UPDATE orders SET state = 'two' WHERE id = 1", &[]);
        (waits.join().unwrap(), two_ends)
    });
    let (victim, attempt, failure) = match ended {
        (Err(failure), Ok(_)) => (&mut one, 1, failure),
        (Ok(_), Err(failure)) => (&mut two, 2, failure),
        other => panic!("{other:?}"),
    };
    assert!(
        matches!(&failure, SqlFailure::Database { code, retryable: true, .. } if code == "sql.mysql.1213")
    );
    let refused = victim.execute("INSERT INTO orders VALUES (20, 'late')", &[]).unwrap_err();
    assert!(matches!(refused, SqlFailure::Refused(_)), "{refused:?}");
    let failure = victim.commit(&marker(attempt)).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(SqlFailure::Refused(_))), "{failure:?}");
    drop((one, two));
    assert_eq!(
        bench.sql("SELECT COUNT(*) FROM orders WHERE id = 20 OR state <> 'new' AND id < 3"),
        ["0"]
    );
}

#[test]
fn a_lost_answer_to_commit_is_lost_and_the_mark_tells() {
    let Some(bench) = Bench::new() else { return };
    let proxy = Proxy::to(bench.server.port);
    let through = patient(bench.url("shop", proxy.port));
    for (attempt, cut, took_effect) in [(1, Cut::Before, false), (2, Cut::After, true)] {
        let mut session =
            through.open(Access::ReadWrite(job(attempt)), &StopSignal::new()).unwrap();
        session.begin().unwrap();
        let sql = format!("INSERT INTO orders VALUES ({attempt}00, 'new')");
        session.execute(&sql, &[]).unwrap();
        proxy.cut(cut, b"COMMIT AND NO CHAIN");
        let failure = session.commit(&marker(attempt)).unwrap_err();
        assert!(proxy.was_cut());
        assert!(matches!(failure, CommitFailure::Lost(_)), "{failure:?}");
        drop(session);
        let mut reader = bench.reader();
        let mut found = None;
        until("the server has let go", || {
            found = reader.marker(&job(attempt)).unwrap();
            found.is_some()
        });
        assert_eq!(found, Some(took_effect));
        let rows = bench.sql(&format!("SELECT 1 FROM orders WHERE id = {attempt}00"));
        assert_eq!(rows.len(), usize::from(took_effect));
    }
}

#[test]
fn steps_are_committed_one_by_one() {
    let Some(bench) = Bench::new() else { return };
    let mut session = bench.begun(1);
    session.execute("UPDATE orders SET state = 'a' WHERE id = 1", &[]).unwrap();
    session.commit_step(&step(1, "one")).unwrap();
    session.begin().unwrap();
    session.execute("UPDATE orders SET state = 'b' WHERE id = 2", &[]).unwrap();
    let failure = session.commit_step(&step(1, "one")).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(_)), "the step was done already");
    session.begin().unwrap();
    session.execute("UPDATE orders SET state = 'c' WHERE id = 3", &[]).unwrap();
    session.commit_step(&step(1, "Öne\\' ;")).unwrap();
    drop(session);
    let mut steps = bench.reader().steps(&job(1)).unwrap().unwrap();
    steps.sort_by(|a, b| a.step.cmp(&b.step));
    let told: Vec<String> = steps.iter().map(|it| format!("{} {:?}", it.step, it.state)).collect();
    assert_eq!(told, ["one Done", "Öne\\' ; Done"]);
    assert_eq!(bench.sql("SELECT state FROM orders ORDER BY id"), ["a", "new", "c"]);
}

#[test]
fn a_raised_signal_commits_nothing() {
    let Some(bench) = Bench::new() else { return };
    let stop = StopSignal::new();
    let mut session = bench.target().open(Access::ReadWrite(job(1)), &stop).unwrap();
    session.begin().unwrap();
    session.execute("DELETE FROM orders", &[]).unwrap();
    stop.raise(StopReason::LeaseLost);
    let failure = session.commit(&marker(1)).unwrap_err();
    let stopped = CommitFailure::NotCommitted(SqlFailure::Stopped(StopReason::LeaseLost));
    assert_eq!(format!("{failure:?}"), format!("{stopped:?}"));
    assert_eq!(bench.sql("SELECT COUNT(*) FROM orders"), ["3"]);
}

#[test]
fn what_cannot_be_rolled_back_is_said() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE loose (id INT) ENGINE = MyISAM; CREATE VIEW hidden AS SELECT * FROM loose",
    );
    let mut session = bench.begun(1);
    // A view hides its table from the guard.
    session.execute("INSERT INTO hidden VALUES (1)", &[]).unwrap();
    let failure = session.rollback().unwrap_err();
    assert!(matches!(&failure, SqlFailure::Database { code, .. } if code == "sql.mysql.1196"));
    assert_eq!(bench.sql("SELECT COUNT(*) FROM loose"), ["1"]);
}

static REACHED: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

#[test]
fn every_point_is_reached() {
    let Some(bench) = Bench::new() else { return };
    points::listen(|label| REACHED.lock().unwrap().push(label));
    let mut session = bench.begun(1);
    let touch = crate::kept::touch("DELETE", "orders", "id = 1");
    let sql = "DELETE FROM orders WHERE id = 1";
    session.execute_kept(sql, (&touch, &step(1, "kept")), 10).unwrap();
    session.rollback().unwrap();
    session.begin().unwrap();
    session.execute("DELETE FROM orders", &[]).unwrap();
    session.commit(&marker(1)).unwrap();
    session.execute_alone("CREATE TABLE more (id INT)", &step(1, "alone")).unwrap();
    drop(session);
    let reached = REACHED.lock().unwrap();
    for label in POINTS {
        assert!(reached.contains(label), "{label}");
    }
    assert!(POINTS.len() >= 16);
    assert!(reached.iter().all(|label| POINTS.contains(label) || !label.starts_with("mysql")));
}
