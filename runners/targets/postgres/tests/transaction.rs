//! One transaction: everything or nothing, and the marker says which.

use placet_target::{Access, CommitFailure, SqlFailure, SqlTarget as _, SqlValue, StopSignal};

use crate::story::{Stage, code, ending, id, lines, marker, refusal, stage, step};

fn shop() -> Option<Stage> {
    stage("CREATE TABLE orders (id int PRIMARY KEY, cents int NOT NULL, note text)")
}

#[test]
fn what_was_committed_is_there_and_so_is_its_marker() {
    let Some(shop) = shop() else { return };
    let mut session = shop.begun(1);
    let insert = "INSERT INTO orders VALUES ($1, $2, $3), (2, 20, NULL)";
    let values = [SqlValue::Int64(1), SqlValue::Decimal("10".into()), SqlValue::Text("é".into())];
    assert_eq!(session.execute(insert, &values).unwrap(), 2);
    assert_eq!(session.execute("SELECT * FROM orders", &[]).unwrap(), 0, "nothing changed");
    assert_eq!(session.execute("CREATE TABLE extra AS SELECT 1", &[]).unwrap(), 0);
    assert_eq!(lines(&mut *session, "SELECT * FROM orders ORDER BY id"), ["1|10|é", "2|20|-"]);
    session.commit(&marker(1)).unwrap();
    assert_eq!(session.marker(&id(1)).unwrap(), Some(true));
    assert_eq!(session.marker(&id(2)).unwrap(), Some(false));
    drop(session);
    assert_eq!(
        shop.db.rows("SELECT id, cents, note FROM orders ORDER BY id"),
        ["1|10|é", "2|20|-"]
    );
    let mark = shop.db.rows("SELECT revision, attempt, fence, at FROM placet.placet_marker");
    assert_eq!(mark, ["1|1|1|1970-01-01 00:00:00.000001+00"]);
    assert_eq!(shop.reader().marker(&id(1)).unwrap(), Some(true));
}

#[test]
fn what_was_not_committed_is_gone() {
    let Some(shop) = shop() else { return };
    let mut session = shop.begun(1);
    session.execute("INSERT INTO orders VALUES (1, 10)", &[]).unwrap();
    session.rollback().unwrap();
    session.rollback().unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO orders VALUES (2, 10)", &[]).unwrap();
    drop(session);
    assert!(shop.db.rows("SELECT * FROM orders").is_empty());
    assert_eq!(shop.reader().marker(&id(1)).unwrap(), Some(false));
}

#[test]
fn an_attempt_commits_once() {
    let Some(shop) = shop() else { return };
    let mut session = shop.begun(1);
    session.execute("INSERT INTO orders VALUES (1, 10)", &[]).unwrap();
    session.commit(&marker(1)).unwrap();
    session.begin().unwrap();
    session.execute("INSERT INTO orders VALUES (2, 10)", &[]).unwrap();
    let second = session.commit(&marker(1));
    let Err(CommitFailure::NotCommitted(SqlFailure::Database { code, .. })) = second else {
        panic!("{second:?}")
    };
    assert_eq!(code, "sql.23505");
    assert_eq!(shop.db.rows("SELECT id FROM orders"), ["1"]);
    // A commit without a transaction, and one for somebody else.
    assert!(ending(&session.commit(&marker(1))).starts_with("not: the transaction ended"));
    session.begin().unwrap();
    assert!(ending(&session.commit(&marker(2))).starts_with("not: this session is for another"));
}

#[test]
fn a_failed_statement_spoils_the_transaction() {
    let Some(shop) = shop() else { return };
    let mut session = shop.begun(1);
    session.execute("INSERT INTO orders VALUES (1, 10)", &[]).unwrap();
    let wrong = session.execute("INSERT INTO orders VALUES (1, nothing)", &[]);
    let Err(SqlFailure::Database { code, position, .. }) = wrong else { panic!("{wrong:?}") };
    assert_eq!((code.as_str(), position), ("sql.42703", Some(31)));
    let _why = refusal(session.execute("INSERT INTO orders VALUES (2, 10)", &[]));
    assert!(ending(&session.commit(&marker(1))).starts_with("not: "));
    assert!(shop.db.rows("SELECT * FROM orders").is_empty());
    // And then anew.
    session.begin().unwrap();
    session.execute("INSERT INTO orders VALUES (3, 10)", &[]).unwrap();
    session.commit(&marker(1)).unwrap();
    assert_eq!(shop.db.rows("SELECT id FROM orders"), ["3"]);
}

#[test]
fn a_deferred_constraint_says_no_at_the_commit() {
    let Some(shop) = shop() else { return };
    shop.db.run("CREATE TABLE lines (o int REFERENCES orders DEFERRABLE INITIALLY DEFERRED)");
    let mut session = shop.begun(1);
    session.execute("INSERT INTO lines VALUES (9)", &[]).unwrap();
    let ended = session.commit(&marker(1));
    let Err(CommitFailure::NotCommitted(SqlFailure::Database { code, .. })) = &ended else {
        panic!("{ended:?}")
    };
    assert_eq!(code, "sql.23503");
    drop(session);
    assert_eq!(shop.reader().marker(&id(1)).unwrap(), Some(false));
}

/// A trigger that is put off until the commit, puts itself off again so often, and then takes the mark away.
const LATE: &str = "CREATE TABLE t (a int);
    CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
        IF NEW.a > 0 THEN
            EXECUTE 'SET CONSTRAINTS ALL DEFERRED';
            INSERT INTO t VALUES (NEW.a - 1);
        ELSE
            EXECUTE 'DELETE FROM placet.placet_mar' || 'ker';
            EXECUTE 'DELETE FROM placet.placet_st' || 'ep';
        END IF;
        RETURN NULL;
    END$$;
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION late()";

#[test]
fn what_is_put_off_until_the_commit_cannot_take_the_mark_away() {
    let Some(stage) = stage(LATE) else { return };
    for (attempt, often, due) in [
        // There is no mark yet when it runs.
        (1, 0, "done"),
        // It is found out, and undone.
        (2, 1, "not: the statement left the host's transaction"),
        // It got through: then nobody says that it was committed, nor that it was not.
        (3, 2, "lost: the server confirmed the commit, but the host's mark could not be read back"),
    ] {
        for by_steps in [false, true] {
            let attempt = attempt + if by_steps { 10 } else { 0 };
            let mut session = stage.begun(attempt);
            session.execute(&format!("INSERT INTO t VALUES ({often})"), &[]).unwrap();
            let ended = if by_steps {
                session.commit_step(&step(attempt, "s"))
            } else {
                session.commit(&marker(attempt))
            };
            assert!(ending(&ended).starts_with(due), "{often} {by_steps}: {ended:?}");
            drop(session);
            if !by_steps {
                let found = stage.reader().marker(&id(attempt)).unwrap();
                assert_eq!(found, Some(due == "done"), "{often}");
            }
            let gone =
                "DELETE FROM t; DELETE FROM placet.placet_marker; DELETE FROM placet.placet_step";
            stage.db.run(gone);
        }
    }
}

#[test]
fn a_dry_run_leaves_nothing_behind() {
    let Some(shop) = shop() else { return };
    let mut session = shop.begun(0);
    assert_eq!(session.execute("INSERT INTO orders VALUES (1, 10)", &[]).unwrap(), 1);
    assert!(ending(&session.commit(&marker(0))).starts_with("not: a session that is for no"));
    assert!(ending(&session.commit_step(&step(0, "s"))).starts_with("not: "));
    drop(session);
    assert_eq!(shop.db.rows("SELECT count(*) FROM orders"), ["0"]);
    assert_eq!(shop.db.rows("SELECT to_regnamespace('placet')"), ["-"]);
}

#[test]
fn a_reader_cannot_write() {
    let Some(shop) = shop() else { return };
    shop.db.run(
        "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'INSERT INTO orders VALUES (1, 1) RETURNING 1'",
    );
    let writes = [
        "SELECT sneak()",
        "WITH a AS (INSERT INTO orders VALUES (1, 1) RETURNING id) SELECT * FROM a",
        "SELECT * INTO other FROM orders",
        "EXPLAIN ANALYZE INSERT INTO orders VALUES (1, 1)",
    ];
    let mut reader = shop.reader();
    assert_eq!(refusal(reader.begin()), "this session only reads");
    assert_eq!(refusal(reader.execute("SELECT 1", &[])), "there is no open transaction");
    for sql in writes {
        assert_eq!(code(reader.query(sql, &[], 10, 1_000)), "sql.25006", "{sql}");
    }
    let _why = refusal(reader.query("INSERT INTO orders VALUES (1, 1)", &[], 10, 1_000));
    // A query of a session that may write does not write either, and spoils nothing.
    let mut writer = shop.begun(1);
    writer.execute("INSERT INTO orders VALUES (5, 5)", &[]).unwrap();
    for sql in writes {
        assert_eq!(code(writer.query(sql, &[], 10, 1_000)), "sql.25006", "{sql}");
    }
    writer.execute("INSERT INTO orders VALUES (6, 6)", &[]).unwrap();
    writer.commit(&marker(1)).unwrap();
    assert_eq!(shop.db.rows("SELECT id FROM orders ORDER BY id"), ["5", "6"]);
}

#[test]
fn a_host_with_a_runtime_of_its_own_is_served_too() {
    let Some(shop) = shop() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut session = shop.begun(1);
        session.execute("INSERT INTO orders VALUES (1, 1)", &[]).unwrap();
        session.commit(&marker(1)).unwrap();
    });
    assert_eq!(shop.db.rows("SELECT id FROM orders"), ["1"]);
}

#[test]
fn somebody_elses_schema_setup_does_not_matter() {
    let Some(shop) = shop() else { return };
    let name = &shop.name;
    // Operators that say yes to everything stand before the server's own.
    shop.db.run(&format!(
        "CREATE SCHEMA evil;
        CREATE FUNCTION evil.yes(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.yes);
        ALTER DATABASE {name} SET search_path = evil, pg_catalog, public;
        ALTER DATABASE {name} SET DateStyle = 'German';
        ALTER DATABASE {name} SET standard_conforming_strings = off"
    ));
    let mut session = shop.begun(1);
    session.commit(&marker(1)).unwrap();
    drop(session);
    let mut reader = shop.target().open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert_eq!(reader.marker(&id(1)).unwrap(), Some(true));
    assert_eq!(reader.marker(&id(2)).unwrap(), Some(false));
}
