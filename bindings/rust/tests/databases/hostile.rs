//! SQL that means harm: refused, or without the harm; and the outcome says which.

use placet::request::StateName;
use serde_json::json;

use super::admin::Kind;
use super::desk::Desk;

/// Scripts for every database.
const ANYWHERE: &[(&str, &str)] = &[
    ("stacked", "UPDATE orders SET cents = 0 WHERE id = 1; COMMIT; DROP TABLE orders"),
    ("commit in a comment's shadow", "/* ; */ COMMIT; UPDATE orders SET cents = 0"),
    ("begin again", "BEGIN; UPDATE orders SET cents = 0; COMMIT"),
    ("rollback and go on", "ROLLBACK; UPDATE orders SET cents = 0"),
    ("savepoint", "SAVEPOINT a; UPDATE orders SET cents = 0; RELEASE SAVEPOINT a"),
    ("marker deleted", "DELETE FROM placet_marker"),
    ("marker in quotes", "DELETE FROM \"placet_marker\""),
    ("marker made", "CREATE TABLE placet_marker (a int)"),
    ("marker renamed", "ALTER TABLE placet_marker RENAME TO mine"),
    ("marker behind a view", "CREATE VIEW mine AS SELECT * FROM placet_marker"),
    ("kept rows deleted", "DELETE FROM placet_kept"),
    ("steps forged", "INSERT INTO placet_step VALUES ('a')"),
    ("an invisible name", "UPDATE orders\u{200b} SET cents = 0"),
    ("turned around", "UPDATE orders SET cents = 0 /* \u{202e} */"),
];

const SQLITE: &[(&str, &str)] = &[
    ("attached", "ATTACH DATABASE 'PROBE' AS other"),
    ("a file by vacuum", "VACUUM INTO 'PROBE'"),
    ("an extension", "SELECT load_extension('PROBE')"),
    ("a virtual table", "CREATE VIRTUAL TABLE t USING fts5(a)"),
    ("its own schema", "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = ''"),
    ("no journal", "PRAGMA journal_mode = OFF; UPDATE orders SET cents = 0"),
    ("a file read", "SELECT readfile('PROBE')"),
    ("a file written", "SELECT writefile('PROBE', 'x')"),
];

const POSTGRES: &[(&str, &str)] = &[
    ("somebody else", "SET SESSION AUTHORIZATION postgres; UPDATE orders SET cents = 0"),
    ("another role", "SET ROLE pg_monitor; UPDATE orders SET cents = 0"),
    ("asleep", "SELECT pg_sleep(3600)"),
    ("asleep under another name", "SELECT pg_catalog.\"pg_sleep\"(3600)"),
    ("a program", "COPY orders TO PROGRAM 'cat > PROBE'"),
    ("from a program", "COPY orders FROM PROGRAM 'touch PROBE'"),
    ("a file", "COPY orders TO 'PROBE'"),
    ("a file by a function", "SELECT pg_read_file('PROBE')"),
    ("a large object", "SELECT lo_export(1, 'PROBE')"),
    ("in a block", "DO $$ BEGIN COMMIT; UPDATE orders SET cents = 0; COMMIT; END $$"),
    ("marker in a block", "DO $$ BEGIN EXECUTE 'DELETE FROM placet_' || 'marker'; END $$"),
    ("marker in its schema", "DELETE FROM placet.placet_marker"),
    ("the schema of the host's tables", "DROP SCHEMA placet CASCADE"),
    ("marker by escapes", "DELETE FROM U&\"\\0070lacet_marker\""),
    ("prepared", "PREPARE a AS UPDATE orders SET cents = 0; EXECUTE a"),
    ("for later", "PREPARE TRANSACTION 'a'"),
    ("a setting that stays", "SELECT set_config('session_authorization', 'postgres', false)"),
    ("somebody's session", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"),
    ("a call", "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$; CALL p()"),
    ("the server's settings", "ALTER SYSTEM SET fsync = off"),
    ("a language's library", "LOAD 'PROBE'"),
];

const MARIADB: &[(&str, &str)] = &[
    ("into a file", "SELECT 'x' INTO OUTFILE 'PROBE'"),
    ("into a dump", "SELECT 'x' INTO DUMPFILE 'PROBE'"),
    ("from a file", "LOAD DATA INFILE 'PROBE' INTO TABLE orders"),
    ("from a file of the host", "LOAD DATA LOCAL INFILE 'PROBE' INTO TABLE orders"),
    ("a file read", "SELECT LOAD_FILE('PROBE')"),
    ("asleep", "SELECT SLEEP(3600)"),
    ("busy", "SELECT BENCHMARK(100000000000, SHA2('a', 512))"),
    ("in a comment that runs", "UPDATE orders SET cents = 1 WHERE id = 99 /*! OR 1 */"),
    ("marker in backquotes", "DELETE FROM `placet_marker`"),
    ("no transaction", "SET autocommit = 1; UPDATE orders SET cents = 0"),
    ("the server's settings", "SET GLOBAL general_log = 1"),
    ("prepared from text", "PREPARE a FROM 'UPDATE orders SET cents = 0'; EXECUTE a"),
    ("the lock let go", "SELECT RELEASE_ALL_LOCKS()"),
    ("a distributed transaction", "XA START 'a'; UPDATE orders SET cents = 0; XA END 'a'"),
    ("locked tables", "LOCK TABLES orders WRITE; UPDATE orders SET cents = 0"),
    ("somebody's session", "KILL 1"),
    ("another program", "INSTALL SONAME 'PROBE'"),
    ("at once", "EXECUTE IMMEDIATE 'UPDATE orders SET cents = 0'"),
    ("a compound", "BEGIN NOT ATOMIC UPDATE orders SET cents = 0; COMMIT; END"),
];

#[test]
fn on_sqlite() {
    is_refused_or_harmless(Kind::Sqlite, SQLITE);
}

#[test]
fn on_postgresql() {
    is_refused_or_harmless(Kind::Postgres, POSTGRES);
}

#[test]
fn on_mariadb() {
    is_refused_or_harmless(Kind::MariaDb, MARIADB);
}

fn is_refused_or_harmless(kind: Kind, more: &[(&str, &str)]) {
    let Some(desk) = Desk::begin(kind) else { return };
    desk.database.admin("CREATE TABLE orders (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL)");
    desk.database.admin("INSERT INTO orders VALUES (1, 100), (2, 200), (3, 300)");
    // One success first, so that there is a marker to tamper with.
    desk.succeed(&json!({ "sql": "UPDATE orders SET cents = 101 WHERE id = 1" }));
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .unwrap();
    let probe = folder.path().join("probe");
    let state = || desk.database.rows("SELECT id, cents FROM orders ORDER BY id");
    let markers =
        || desk.database.rows(&format!("SELECT request, attempt FROM {}", kind.markers()));
    let (before, marked) = (state(), markers());

    let mut refused = 0_u32;
    for (name, script) in ANYWHERE.iter().chain(more) {
        let script = script.replace("PROBE", &probe.display().to_string());
        // In one transaction, and step by step.
        for mode in ["transaction", "steps"] {
            let ended = desk.run(&json!({ "sql": script, "mode": mode }));
            let at = format!("{kind:?}, {mode}, {name}");
            println!("{at}");
            match &ended {
                Err(_) => refused += 1,
                Ok(ended) => {
                    let name = ended.state.name();
                    assert_eq!(name, StateName::Failed, "{at}: {script}");
                    refused += 1;
                }
            }
            assert_eq!(state(), before, "{at}: rows changed ({ended:?})");
            assert_eq!(markers(), marked, "{at}: markers changed ({ended:?})");
            assert!(!probe.exists(), "{at}: a file was written ({ended:?})");
        }
    }
    // It still works.
    desk.succeed(&json!({ "sql": "UPDATE orders SET cents = 102 WHERE id = 1" }));
    println!("{kind:?}: {refused} hostile runs, none with an effect");
}
