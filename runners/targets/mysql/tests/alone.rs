//! Statements that no transaction can hold: the marks around them tell what is known.

use std::thread;

use placet_target::testing::until;
use placet_target::{
    Access, CommitFailure, SqlFailure, SqlTarget as _, StepState, StopReason, StopSignal,
};

use crate::bench::{Bench, job, patient, step};
use crate::proxy::{Cut, Proxy};

/// The marks of the steps, once no session of the attempt is alive.
fn steps(bench: &Bench, attempt: u32) -> Vec<(String, StepState)> {
    let mut reader = bench.reader();
    let mut found = None;
    until("the server has let go", || {
        found = reader.steps(&job(attempt)).unwrap();
        found.is_some()
    });
    let mut steps: Vec<_> = found.unwrap().into_iter().map(|it| (it.step, it.state)).collect();
    steps.sort();
    steps
}

fn due(marks: &[(&str, StepState)]) -> Vec<(String, StepState)> {
    marks.iter().map(|(step, state)| ((*step).to_owned(), *state)).collect()
}

#[test]
fn a_schema_is_changed_step_by_step() {
    let Some(bench) = Bench::new() else { return };
    let mut session = bench.open(Access::ReadWrite(job(1)));
    let all = [
        "CREATE TABLE items (id INT PRIMARY KEY, orders INT, day DATE) ENGINE = InnoDB",
        "CREATE INDEX by_day ON items (day)",
        "ALTER TABLE items ADD FOREIGN KEY (orders) REFERENCES orders (id)",
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW BEGIN SET NEW.state = 'new'; SET @x = 1; END",
        "CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC BEGIN DECLARE b INT; SET b = a; RETURN b; END;",
        "CREATE PROCEDURE p() BEGIN a: LOOP LEAVE a; END LOOP; END",
        "CREATE VIEW v AS SELECT id, f(id) AS g FROM orders",
        "CREATE TABLE parts (id INT PRIMARY KEY) ENGINE = InnoDB PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10))",
        "CREATE SEQUENCE s START WITH 5",
        "ANALYZE TABLE orders",
        "CREATE TABLE loose (id INT) ENGINE = MyISAM",
        "INSERT INTO loose VALUES (1), (2)",
        "RENAME TABLE loose TO looser",
        "TRUNCATE looser",
        "DROP TABLE looser",
    ];
    for (at, sql) in all.iter().enumerate() {
        let changed = session.execute_alone(sql, &step(1, &format!("s{at:02}"))).unwrap();
        assert_eq!(changed, if sql.starts_with("INSERT") { 2 } else { 0 }, "{sql}");
    }
    // No transaction may be open around it, and no step runs twice.
    let failure = session.execute_alone(all[0], &step(1, "s00")).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(_)));
    session.begin().unwrap();
    let failure = session.execute_alone("DROP TABLE items", &step(1, "more")).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(SqlFailure::Refused(_))));
    drop(session);
    let steps = steps(&bench, 1);
    assert_eq!(steps.len(), all.len());
    assert!(steps.iter().all(|(_, state)| *state == StepState::Done));
    assert_eq!(bench.sql("SELECT g FROM v ORDER BY g"), ["1", "2", "3"]);
}

#[test]
fn an_error_is_certain_or_said_not_to_be() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE a (id INT) ENGINE = InnoDB; CREATE TABLE b (id INT) ENGINE = InnoDB;
                           INSERT INTO b VALUES (1), (1)",
    );
    let mut session = bench.open(Access::ReadWrite(job(1)));
    for sql in [
        "CREATE INDEX i ON nowhere (id)",
        "ALTER TABLE b ADD UNIQUE (id)",
        "CREATE TABLE b (id INT)",
        "not even SQL",
        "ALTER TABLE b ADD COLUMN id INT",
    ] {
        let failure = session.execute_alone(sql, &step(1, sql)).unwrap_err();
        assert!(matches!(failure, CommitFailure::NotCommitted(_)), "{sql}: {failure:?}");
    }
    // One of the two is gone afterwards, whatever the error says.
    let failure = session.execute_alone("DROP TABLE a, nowhere", &step(1, "both")).unwrap_err();
    assert!(matches!(failure, CommitFailure::Lost(_)), "{failure:?}");
    assert!(bench.sql("SHOW TABLES LIKE 'a'").is_empty());
    drop(session);
    assert_eq!(steps(&bench, 1), due(&[("both", StepState::Intended)]));
}

#[test]
fn whatever_answer_is_lost_the_marks_are_true() {
    let Some(bench) = Bench::new() else { return };
    let proxy = Proxy::to(bench.server.port);
    let through = patient(bench.url("shop", proxy.port));
    let alter = "ALTER TABLE orders ADD COLUMN";
    for (attempt, cut, at, ran, marks) in [
        (1, Cut::Before, &b"INSERT INTO placet_step"[..], false, vec![]),
        (2, Cut::After, b"INSERT INTO placet_step", false, vec![("s", StepState::Intended)]),
        (4, Cut::Before, b"UPDATE placet_step", true, vec![("s", StepState::Intended)]),
        (5, Cut::After, b"UPDATE placet_step", true, vec![("s", StepState::Done)]),
    ] {
        let mut session =
            through.open(Access::ReadWrite(job(attempt)), &StopSignal::new()).unwrap();
        proxy.cut(cut, at);
        let sql = format!("{alter} c{attempt} INT");
        let failure = session.execute_alone(&sql, &step(attempt, "s")).unwrap_err();
        assert!(proxy.was_cut());
        assert!(matches!(failure, CommitFailure::Lost(_)), "{attempt}: {failure:?}");
        drop(session);
        assert_eq!(steps(&bench, attempt), due(&marks), "{attempt}");
        let columns = bench.sql(&format!("SHOW COLUMNS FROM orders LIKE 'c{attempt}'"));
        assert_eq!(columns.len(), usize::from(ran), "{attempt}");
    }
    // The statement itself, whose text goes by when it is prepared for real: after the intent.
    let mut session = through.open(Access::ReadWrite(job(6)), &StopSignal::new()).unwrap();
    let failure = thread::scope(|scope| {
        let mut beside = bench.begun(7);
        beside.execute("UPDATE orders SET state = 'x'", &[]).unwrap();
        let waits = scope.spawn(|| {
            session.execute_alone(&format!("{alter} c6 INT"), &step(6, "s")).unwrap_err()
        });
        // It waits for the other one; then the network is cut, and the server goes on alone.
        until("it waits", || bench.running("ADD COLUMN c6") == 1);
        proxy.end();
        beside.rollback().unwrap();
        waits.join().unwrap()
    });
    assert!(matches!(failure, CommitFailure::Lost(_)), "{failure:?}");
    drop(session);
    assert_eq!(steps(&bench, 6), due(&[("s", StepState::Intended)]));
}

#[test]
fn a_raised_signal_stops_it_and_takes_the_intent_back() {
    let Some(bench) = Bench::new() else { return };
    let mut beside = bench.begun(2);
    beside.execute("UPDATE orders SET state = 'x'", &[]).unwrap();
    let stop = StopSignal::new();
    let target = bench.target().with_lock_wait_ms(600_000);
    let mut session = target.open(Access::ReadWrite(job(1)), &stop).unwrap();
    let ended = thread::scope(|scope| {
        let sql = "ALTER TABLE orders ADD COLUMN more INT";
        let waits = scope.spawn(|| session.execute_alone(sql, &step(1, "s")));
        until("it waits", || bench.running("ADD COLUMN more") == 1);
        stop.raise(StopReason::Cancelled);
        waits.join().unwrap()
    });
    let stopped = CommitFailure::NotCommitted(SqlFailure::Stopped(StopReason::Cancelled));
    assert_eq!(format!("{:?}", ended.unwrap_err()), format!("{stopped:?}"));
    assert_eq!(bench.running("ADD COLUMN more"), 0);
    drop(session);
    assert_eq!(steps(&bench, 1), []);
    beside.rollback().unwrap();
    assert!(bench.sql("SHOW COLUMNS FROM orders LIKE 'more'").is_empty());
}
