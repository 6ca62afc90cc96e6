//! What no statement may be, and what one that hides it comes to.

use placet_target::SqlFailure;

use crate::story::{code, ending, id, lines, marker, refusal, stage, step};

/// Refused before anything is sent, whoever asks.
const REFUSED: &[&str] = &[
    "",
    " ; -- nothing",
    "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)",
    "SELECT 1; COMMIT",
    "SELECT 'a' ; /* ; */ DROP TABLE t",
    "BEGIN",
    "start transaction",
    "COMMIT",
    "/* hidden */ COMMIT AND CHAIN",
    "-- hidden\nEND",
    "ROLLBACK",
    "ABORT",
    "ROLLBACK TO SAVEPOINT placet_read",
    "SAVEPOINT a",
    "RELEASE placet_read",
    "PREPARE TRANSACTION 'a'",
    "COMMIT PREPARED 'a'",
    "PREPARE a AS SELECT 1",
    "EXECUTE a",
    "DEALLOCATE ALL",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "FETCH c",
    "COPY t FROM STDIN",
    "COPY t TO PROGRAM 'id'",
    "COPY t TO '/tmp/t'",
    "copy (select 1) to stdout",
    "SET lock_timeout = 0",
    "SET SESSION AUTHORIZATION owner",
    "SET LOCAL SESSION AUTHORIZATION owner",
    "SET ROLE owner",
    "SET LOCAL ROLE owner",
    "SET TRANSACTION READ WRITE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET LOCAL transaction_read_only = off",
    "SET LOCAL synchronous_commit = off",
    "RESET ALL",
    "RESET SESSION AUTHORIZATION",
    "DISCARD ALL",
    "LISTEN a",
    "NOTIFY a",
    "UNLISTEN *",
    "LOAD 'a'",
    "CHECKPOINT",
    "ALTER SYSTEM SET fsync = off",
    "SELECT set_config('role', 'owner', false)",
    "SELECT pg_catalog.\"set_config\"('role', 'owner', false)",
    "SELECT dblink('dbname=a', 'SELECT 1')",
    "SELECT dblink_exec('COMMIT')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT PG_READ_BINARY_FILE('a')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/a')",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_advisory_unlock_all()",
    "SELECT pg_notify('a', 'b')",
    "GRANT pg_read_server_files TO owner",
    "SELECT setval('s', 1)",
    "SELECT pg_catalog.\"setval\"('s', 1)",
    "DO $$BEGIN PERFORM setval('s', 9); END$$",
    "DO $$BEGIN PERFORM pg_sleep(3600); END$$",
    "DO $$BEGIN COPY t TO PROGRAM 'id'; END$$",
    "DO 'BEGIN EXECUTE ''COPY t FROM ''''/etc/passwd''''''; END'",
    "DO $$BEGIN PERFORM dblink_exec('COMMIT'); END$$",
    "DO $$BEGIN PERFORM pg_notify('a', 'b'); END$$",
    "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT pg_read_file(''/etc/passwd'')'",
    "CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN PERFORM lo_export(1, '/tmp/a'); END$$",
    "CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $x$BEGIN COPY t
        TO '/tmp/t'; END$x$",
    "SELECT * FROM placet.placet_marker",
    "SELECT * FROM \"placet\".\"placet_marker\"",
    "DELETE FROM placet.PLACET_step",
    "TRUNCATE placet.placet_kept",
    "DO $$BEGIN DELETE FROM placet.placet_marker; END$$",
    "SELECT * FROM placet.U&\"placet\\005fmarker\"",
    "SELECT U&'\\0061'",
    "SELECT 'a",
    "SELECT /* 1",
    "SELECT 1\0",
    "4",
    "'SELECT 1'",
    "\"select\" 1",
];

#[test]
fn each_is_refused_before_it_is_sent() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let (mut reader, mut writer, mut alone) = (stage.reader(), stage.begun(1), stage.writer(2));
    for sql in REFUSED {
        let _why = refusal(reader.query(sql, &[], 10, 1_000));
        let _why = refusal(writer.execute(sql, &[]));
        let _why = refusal(writer.query(sql, &[], 10, 1_000));
        assert!(ending(&alone.execute_alone(sql, &step(2, "s"))).starts_with("not: "), "{sql}");
    }
    // The transaction is as it was: what was refused never reached it.
    writer.execute("INSERT INTO t VALUES (7)", &[]).unwrap();
    writer.commit(&marker(1)).unwrap();
    assert_eq!(stage.db.rows("SELECT a FROM t"), ["7"]);
    assert_eq!(stage.db.rows("SELECT count(*) FROM placet.placet_step"), ["0"]);
}

#[test]
fn the_server_takes_one_statement_even_where_our_reading_is_fooled() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    // A body of statements is let through by us; the server still parses one statement only.
    let sql = "CREATE TABLE atomic (a int); COMMIT";
    let mut writer = stage.begun(1);
    assert_eq!(code(writer.execute(sql, &[])), "sql.42601");
    drop(writer);
    assert_eq!(stage.db.rows("SELECT to_regclass('atomic')"), ["-"]);
    // And takes such a body.
    let body = "CREATE FUNCTION two() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;";
    let mut writer = stage.begun(1);
    writer.execute(body, &[]).unwrap();
    assert_eq!(lines(&mut *writer, "SELECT two()"), ["2"]);
}

#[test]
fn what_a_block_does_inside_cannot_leave_the_transaction() {
    let Some(stage) = stage(
        "CREATE TABLE t (a int); CREATE PROCEDURE ends() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'",
    ) else {
        return;
    };
    for sql in [
        "DO $$BEGIN COMMIT; END$$",
        "DO $$BEGIN ROLLBACK; END$$",
        "CALL ends()",
        "DO $$BEGIN EXECUTE 'COM' || 'MIT'; END$$",
        "VACUUM t",
        "CREATE INDEX CONCURRENTLY i ON t (a)",
    ] {
        let mut writer = stage.begun(1);
        writer.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
        assert!(writer.execute(sql, &[]).is_err(), "{sql}");
        drop(writer);
        assert!(stage.db.rows("SELECT * FROM t").is_empty(), "{sql}");
    }
}

/// What gets past the reading of names, because its text is put together by the server.
const HIDDEN: &[&str] = &[
    "EXECUTE 'DELETE FROM placet.placet_mar' || 'ker'",
    "EXECUTE 'TRUNCATE placet.placet_mar' || 'ker'",
    "EXECUTE 'UPDATE placet.placet_mar' || 'ker SET digest = 0'",
    "EXECUTE format('INSERT INTO placet.placet_%s SELECT ''x'', 1, 1, 1, ''d'', now()', 'marker')",
    "EXECUTE format('INSERT INTO placet.placet_%s SELECT ''x'', 1, 1, ''s'', 1, ''d'', now(), ''done''', 'step')",
    "EXECUTE format('INSERT INTO placet.placet_%s (request, revision, attempt, step, statement)
        SELECT ''x'', 1, 1, ''s'', ''DROP TABLE t''', 'kept')",
    "EXECUTE 'DROP SCHEMA placet CASCADE'",
    "EXECUTE 'ALTER TABLE placet.placet_mar' || 'ker RENAME TO other'",
    "EXECUTE 'ALTER TABLE placet.placet_mar' || 'ker OWNER TO other_role'",
    "EXECUTE 'CREATE RULE r AS ON INSERT TO placet.placet_mar' || 'ker DO INSTEAD NOTHING'",
    "EXECUTE 'CREATE TRIGGER r BEFORE INSERT ON placet.placet_mar' || 'ker EXECUTE FUNCTION nothing()'",
    "EXECUTE 'CREATE TABLE child () INHERITS (placet.placet_mar' || 'ker)'",
    "EXECUTE 'ALTER TABLE placet.placet_mar' || 'ker ENABLE ROW LEVEL SECURITY'",
    "EXECUTE 'SET SESSION AUTHORIZATION other_role'",
    "EXECUTE 'SET ROLE other_role'",
    "EXECUTE 'SET LOCAL synchronous_commit = off'",
    "EXECUTE 'SET standard_conforming_strings = off'",
    "EXECUTE 'ALTER TABLE placet.placet_mar' || 'ker ADD CHECK (request <> ''x'')'",
    "EXECUTE 'ALTER TABLE placet.placet_mar' || 'ker DROP CONSTRAINT placet_mar' || 'ker_pkey'",
    "EXECUTE 'ALTER TABLE placet.placet_st' || 'ep ALTER fence SET DEFAULT 1'",
    "EXECUTE 'ALTER TABLE placet.placet_mar' || 'ker ALTER digest DROP NOT NULL'",
    "EXECUTE 'CREATE UNIQUE INDEX ON placet.placet_mar' || 'ker (fence)'",
    "EXECUTE 'CREATE POLICY p ON placet.placet_ke' || 'pt'",
    "EXECUTE 'GRANT ALL ON placet.placet_mar' || 'ker TO other_role'",
    "EXECUTE 'GRANT UPDATE (digest) ON placet.placet_mar' || 'ker TO other_role'",
    "EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT 1'",
    // Also where a part of the transaction is undone in between.
    "BEGIN EXECUTE 'DELETE FROM placet.placet_mar' || 'ker'; RAISE division_by_zero;
        EXCEPTION WHEN division_by_zero THEN NULL; END",
];

#[test]
fn who_touches_what_is_ours_is_found_out_and_undone() {
    let Some(stage) = stage(
        "CREATE TABLE t (a int); CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ) else {
        return;
    };
    let role = stage.role("other", "");
    let mut first = stage.begun(1);
    first.commit(&marker(1)).unwrap();
    drop(first);
    for hidden in HIDDEN {
        let mut writer = stage.begun(2);
        writer.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
        let block = format!("DO $x$BEGIN {hidden}; END$x$").replace("other_role", &role);
        let answer = writer.execute(&block, &[]);
        let Err(SqlFailure::Refused(why)) = answer else { panic!("{hidden}: {answer:?}") };
        assert!(why.contains("everything was rolled back"), "{hidden}: {why}");
        assert!(ending(&writer.commit(&marker(2))).starts_with("not: "), "{hidden}");
        drop(writer);
        assert!(stage.db.rows("SELECT * FROM t").is_empty(), "{hidden}");
        let marks = stage.db.rows("SELECT request, attempt FROM placet.placet_marker");
        assert_eq!(marks.len(), 1, "{hidden}: {marks:?}");
        assert_eq!(stage.reader().marker(&id(1)).unwrap(), Some(true), "{hidden}");
    }
    // The same with a function of their own, called by a query.
    stage.db.run(
        "CREATE FUNCTION forge() RETURNS int LANGUAGE plpgsql AS
        $$BEGIN EXECUTE 'DELETE FROM placet.placet_mar' || 'ker'; RETURN 1; END$$",
    );
    let mut writer = stage.begun(2);
    assert_eq!(code(writer.query("SELECT forge()", &[], 1, 1_000)), "sql.25006");
    let _why = refusal(writer.execute("SELECT forge()", &[]));
}

#[test]
fn a_table_that_only_looks_like_ours_is_not_used() {
    for forged in [
        "CREATE TABLE placet.placet_marker (request text, revision bigint, attempt bigint, fence bigint,
            digest text, at timestamptz)",
        "CREATE VIEW placet.placet_marker AS SELECT 1",
    ] {
        let Some(stage) = stage("CREATE SCHEMA placet") else { return };
        stage.db.run(forged);
        let target = stage.target();
        let opened = placet_target::SqlTarget::open(
            &target,
            placet_target::Access::ReadWrite(id(1)),
            &placet_target::StopSignal::new(),
        );
        match opened {
            Err(SqlFailure::Refused(_) | SqlFailure::Unavailable(_)) => {}
            other => panic!("{forged}: {other:?}"),
        }
    }
}

#[test]
fn a_table_of_ours_that_was_made_otherwise_is_not_used() {
    let Some(stage) = stage("") else { return };
    let role = stage.role("other", "");
    for (change, back) in [
        (
            "ALTER TABLE placet.placet_marker ADD CONSTRAINT c CHECK (fence > 0)",
            "DROP CONSTRAINT c",
        ),
        (
            "ALTER TABLE placet.placet_step ALTER state SET DEFAULT 'done'",
            "ALTER state DROP DEFAULT",
        ),
        ("GRANT INSERT ON placet.placet_marker TO PUBLIC", ""),
        (&format!("GRANT SELECT, DELETE ON placet.placet_step TO {role}"), ""),
        ("CREATE UNIQUE INDEX u ON placet.placet_kept (request)", ""),
        ("CREATE INDEX u ON placet.placet_marker (request) WHERE fence = 1", ""),
    ] {
        drop(stage.writer(1));
        let mut open = stage.writer(2);
        stage.db.run(change);
        // Who is at work already finds it before it begins.
        let why = refusal(open.begin());
        assert!(why.contains("as they were set up"), "{change}: {why}");
        let alone = open.execute_alone("VACUUM", &step(2, "s"));
        assert!(ending(&alone).starts_with("not: the session"), "{change}: {alone:?}");
        drop(open);
        let opened = placet_target::SqlTarget::open(
            &stage.target(),
            placet_target::Access::ReadWrite(id(1)),
            &placet_target::StopSignal::new(),
        );
        let why = refusal(opened);
        assert!(why.contains("is not the host's own"), "{change}: {why}");
        if back.is_empty() {
            stage.db.run("DROP SCHEMA placet CASCADE");
        } else {
            let table = change.split(' ').nth(2).unwrap();
            stage.db.run(&format!("ALTER TABLE {table} {back}"));
        }
    }
    // Who may only look does no harm.
    drop(stage.writer(1));
    stage.db.run("GRANT SELECT ON placet.placet_marker TO PUBLIC");
    drop(stage.writer(1));
}

#[test]
fn settings_that_end_with_the_transaction_are_taken() {
    let Some(stage) =
        stage("CREATE SCHEMA shop; CREATE TABLE shop.t (a int, UNIQUE (a) DEFERRABLE)")
    else {
        return;
    };
    let mut writer = stage.begun(1);
    for sql in [
        "SET LOCAL search_path = shop",
        "SET LOCAL lock_timeout TO '1s'",
        "SET LOCAL statement_timeout = 60000",
        "SET CONSTRAINTS ALL DEFERRED",
        "INSERT INTO t VALUES (1);",
        "LOCK TABLE t IN ACCESS EXCLUSIVE MODE",
        "(SELECT 1)",
        "EXPLAIN SELECT 1",
        "DO $$BEGIN NULL; END$$",
        "COMMENT ON TABLE t IS 'placet'",
        "CREATE FUNCTION tells() RETURNS void LANGUAGE plpgsql AS
            $$BEGIN PERFORM pg_notify('a', 'a copy'); END$$",
        "CREATE SEQUENCE s",
        "ALTER SEQUENCE s RESTART WITH 7",
    ] {
        let _rows = writer.execute(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    writer.commit(&marker(1)).unwrap();
    assert_eq!(stage.db.rows("SELECT a FROM shop.t"), ["1"]);
}
