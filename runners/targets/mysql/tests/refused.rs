//! Statements that are refused, by us and by the server.

use placet_target::{Access, CommitFailure, SqlFailure, SqlValue};

use crate::bench::{Bench, job, marker, step};

#[track_caller]
fn is_refused<T: std::fmt::Debug>(done: Result<T, SqlFailure>, what: &str) {
    let failure = done.expect_err(what);
    assert!(matches!(failure, SqlFailure::Refused(_)), "{what}: {failure:?}");
}

#[test]
fn a_transaction_holds_nothing_that_commits_or_breaks_out() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "CREATE TABLE loose (id INT PRIMARY KEY) ENGINE = MyISAM;
                           CREATE TABLE also_loose (id INT PRIMARY KEY) ENGINE = Aria",
    );
    let mut session = bench.begun(1);
    session.execute("UPDATE orders SET state = 'gone'", &[]).unwrap();
    for sql in [
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "/* quiet */ commit",
        "/*! COMMIT */",
        "SET autocommit = 1",
        "SET @a = 1, autocommit = 1",
        "SAVEPOINT placet_begun",
        "RELEASE SAVEPOINT placet_begun",
        "CREATE TABLE more (id INT)",
        "ALTER TABLE orders ADD COLUMN more INT",
        "DROP TABLE orders",
        "TRUNCATE orders",
        "RENAME TABLE orders TO other",
        "ANALYZE TABLE orders",
        "GRANT ALL ON *.* TO shop",
        "LOCK TABLES orders WRITE",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE orders",
        "SELECT * FROM orders INTO OUTFILE 'x'",
        "SELECT SLEEP(1)",
        "CALL p()",
        "UPDATE orders SET state = 'a'; COMMIT",
        "DELETE FROM placet_marker",
        "INSERT INTO `PLACET_MARKER` SELECT 1",
        "INSERT INTO loose VALUES (1)",
        "INSERT INTO also_loose SELECT id FROM orders",
        "UPDATE orders o, loose l SET o.state = 'x', l.id = 7",
        "DELETE FROM loose",
    ] {
        is_refused(session.execute(sql, &[]), sql);
    }
    // And it is still the same transaction.
    session.rollback().unwrap();
    assert_eq!(bench.sql("SELECT DISTINCT state FROM orders WHERE id < 3"), ["new"]);
    // What is not open cannot be used.
    is_refused(session.execute("UPDATE orders SET state = 'x'", &[]), "no transaction");
    let failure = session.commit(&marker(1)).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(SqlFailure::Refused(_))));
    assert_eq!(bench.sql("SELECT COUNT(*) FROM placet_marker"), ["0"]);
}

/// To the server, two dashes and a DEL begin a comment. Nobody sees that, so it must not get there.
#[test]
fn a_condition_does_not_hide_behind_a_character_that_nobody_sees() {
    let Some(bench) = Bench::new() else { return };
    let hidden = "UPDATE orders SET state = 'gone' --\u{7f} 1 WHERE id = 1";
    let mut session = bench.begun(1);
    is_refused(session.execute(hidden, &[]), hidden);
    is_refused(session.query("SELECT 1 --\u{7f} 1", &[], 10, 1_000), "a query");
    let changed = session.execute("UPDATE orders SET state = '--\u{7f}' WHERE id = 1", &[]);
    assert_eq!(changed.unwrap(), 1, "in a text it is data");
    session.rollback().unwrap();
    // That is how this server reads it.
    let _all = bench.sql(hidden);
    assert_eq!(bench.sql("SELECT COUNT(*) FROM orders WHERE state = 'gone'"), ["3"]);
}

/// The server was not asked for several statements in one text, so it takes none, whatever our guard overlooks. A body
/// with semicolons is the one thing that passes the guard.
#[test]
fn the_server_takes_one_statement_at_a_time() {
    let Some(bench) = Bench::new() else { return };
    let mut session = bench.open(Access::ReadWrite(job(1)));
    let two = "CREATE FUNCTION f() RETURNS INT RETURN 1; DROP TABLE orders";
    let failure = session.execute_alone(two, &step(1, "a")).unwrap_err();
    let CommitFailure::NotCommitted(SqlFailure::Database { code, .. }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!(code, "sql.mysql.1064");
    assert_eq!(bench.sql("SELECT COUNT(*) FROM orders"), ["3"]);
    assert_eq!(session.steps(&job(1)).unwrap(), None);
    drop(session);
    assert_eq!(bench.reader().steps(&job(1)).unwrap(), Some(Vec::new()));
}

/// The server takes the name of an engine in quotes, too.
#[test]
fn no_table_is_made_outside_of_the_server() {
    let Some(bench) = Bench::new() else { return };
    let mut session = bench.open(Access::ReadWrite(job(1)));
    for sql in [
        "CREATE TABLE away (a INT NOT NULL) ENGINE='CSV'",
        "CREATE TABLE away (a INT NOT NULL) ENGINE \"CSV\"",
        "CREATE TABLE away (a INT) ENGINE='FEDERATED' CONNECTION='mysql://a@192.0.2.1/a/a'",
        "ALTER TABLE orders ENGINE = 'CSV'",
    ] {
        let failure = session.execute_alone(sql, &step(1, "s")).unwrap_err();
        assert!(
            matches!(failure, CommitFailure::NotCommitted(SqlFailure::Refused(_))),
            "{sql}: {failure:?}"
        );
    }
    let made = "CREATE TABLE kept (`engine` INT) ENGINE=InnoDB";
    session.execute_alone(made, &step(1, "t")).unwrap();
    assert!(bench.sql("SHOW TABLES LIKE 'away'").is_empty());
}

/// An event runs when no plan does. Its definer may be called like anything.
#[test]
fn no_event_is_made_under_another_name() {
    let Some(bench) = Bench::new() else { return };
    let mut session = bench.open(Access::ReadWrite(job(1)));
    for definer in ["sequence@localhost", "`table`@localhost", "function", "CURRENT_USER()"] {
        let sql = format!(
            "CREATE DEFINER={definer} EVENT away ON SCHEDULE EVERY 1 DAY DO DELETE FROM orders"
        );
        let failure = session.execute_alone(&sql, &step(1, "s")).unwrap_err();
        assert!(
            matches!(failure, CommitFailure::NotCommitted(SqlFailure::Refused(_))),
            "{sql}: {failure:?}"
        );
    }
    let view = "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=CURRENT_USER() SQL SECURITY INVOKER \
                VIEW seen AS SELECT * FROM orders";
    session.execute_alone(view, &step(1, "v")).unwrap();
    assert!(bench.sql("SHOW EVENTS").is_empty());
}

/// What SETVAL changes stays, whatever becomes of the transaction. ALTER SEQUENCE runs alone and says so.
#[test]
fn a_sequence_is_not_moved_in_passing() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql("CREATE SEQUENCE numbers START WITH 5 NOCACHE");
    let next = "SELECT next_not_cached_value FROM numbers";
    let sql = "SELECT SETVAL(numbers, 1000)";
    let mut session = bench.begun(1);
    is_refused(session.execute(sql, &[]), sql);
    is_refused(session.query(sql, &[], 10, 1_000), sql);
    session.rollback().unwrap();
    assert_eq!(bench.sql(next), ["5"]);
    drop(session);
    // The server keeps it after a rollback.
    let _moved = bench.sql(&format!("BEGIN; {sql}; ROLLBACK"));
    assert_eq!(bench.sql(next), ["1001"]);
    let mut session = bench.open(Access::ReadWrite(job(2)));
    session.execute_alone("ALTER SEQUENCE numbers RESTART 7", &step(2, "s")).unwrap();
    assert_eq!(bench.sql(next), ["7"]);
}

#[test]
fn a_reader_writes_nothing() {
    let Some(bench) = Bench::new() else { return };
    let _made = bench.sql(
        "DELIMITER $$\nCREATE FUNCTION writes() RETURNS INT BEGIN \
         INSERT INTO orders VALUES (9, 'x'); RETURN 1; END $$\nDELIMITER ;\n",
    );
    let mut reader = bench.reader();
    is_refused(reader.begin(), "begin");
    is_refused(reader.execute("DELETE FROM orders", &[]), "execute");
    for sql in [
        "DELETE FROM orders",
        "DELETE FROM orders RETURNING id",
        "WITH a AS (SELECT 1) DELETE FROM orders",
        "ANALYZE DELETE FROM orders",
        "SHOW PROCESSLIST",
        "SELECT * FROM mysql.user",
        "SELECT * FROM orders; DELETE FROM orders",
        "SELECT 1 INTO OUTFILE 'x'",
        "DO 1",
    ] {
        is_refused(reader.query(sql, &[], 10, 1_000), sql);
    }
    // Where the text does not tell, the server does.
    let failure = reader.query("SELECT writes()", &[], 10, 1_000).unwrap_err();
    assert!(matches!(&failure, SqlFailure::Database { code, .. } if code == "sql.mysql.1792"));
    // A session for writing reads without leaving anything behind, in a transaction and outside.
    let mut writer = bench.open(Access::ReadWrite(job(1)));
    let failure = writer.query("SELECT writes()", &[], 10, 1_000).unwrap_err();
    assert!(matches!(&failure, SqlFailure::Database { code, .. } if code == "sql.mysql.1792"));
    writer.begin().unwrap();
    let found = writer.query("SELECT writes()", &[], 10, 1_000).unwrap();
    assert_eq!(found.rows, [[SqlValue::Int64(1)]]);
    writer.commit(&marker(1)).unwrap();
    assert_eq!(bench.sql("SELECT COUNT(*) FROM orders"), ["3"]);
}

#[test]
fn a_dry_run_commits_nothing_and_makes_no_tables() {
    let Some(bench) = Bench::new() else { return };
    let mut session = bench.begun(0);
    assert_eq!(session.execute("DELETE FROM orders", &[]).unwrap(), 3);
    let failure = session.commit(&marker(0)).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(SqlFailure::Refused(_))));
    assert_eq!(bench.sql("SELECT COUNT(*) FROM orders"), ["3"]);
    assert_eq!(bench.sql("SHOW TABLES"), ["orders"]);
    let failure = session.execute_alone("DROP TABLE orders", &step(0, "a")).unwrap_err();
    assert!(matches!(failure, CommitFailure::NotCommitted(SqlFailure::Refused(_))));
}
