//! What a statement may do in a session on a SQLite file, and how large it may be.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::tests_outside_test_module,
    reason = "this whole file is a test"
)]

mod bench; // a database file for one test
mod examined; // the exam for targets, and what it must catch
mod kept; // rows with odd values in odd tables
mod origins; // where the columns of an answer come from
mod points; // every labelled point is reached

use placet_core::id::{RequestId, RunId};
use placet_core::runner::JobId;
use placet_target::{Access, SqlFailure, SqlSession, SqlTarget as _, SqlValue, StopSignal};
use placet_target_sqlite::SqliteTarget;

use crate::bench::Bench;

const WRITE: Access = Access::ReadWrite(JobId {
    request: RequestId::from_u128(1),
    revision: 1,
    attempt: 1,
    fence: 1,
    run: RunId::from_u128(1),
});

fn session(bench: &Bench, access: Access) -> Box<dyn SqlSession> {
    let mut session = SqliteTarget::new(bench.path()).open(access, &StopSignal::new()).unwrap();
    if access == WRITE {
        session.begin().unwrap();
    }
    session
}

fn query(
    session: &mut dyn SqlSession,
    sql: &str,
    values: &[SqlValue],
) -> Result<SqlValue, SqlFailure> {
    let found = session.query(sql, values, 10, 1 << 20)?;
    Ok(found.rows.into_iter().flatten().next().unwrap_or(SqlValue::Null))
}

#[test]
fn what_is_not_known_to_be_harmless_is_refused() {
    let bench = Bench::new();
    let mut reader = session(&bench, Access::ReadOnly);
    let pointer = [SqlValue::Bytes(vec![0x41; 8])];
    for (sql, values) in [
        ("SELECT fts3_tokenizer('simple', ?1)", &pointer[..]),
        ("SELECT fts3_tokenizer('simple')", &[]),
        ("SELECT fts5(?1)", &pointer[..]),
        ("SELECT load_extension('x')", &[]),
        ("SELECT readfile('/etc/hostname')", &[]),
        ("SELECT sqlite_version()", &[]),
        ("SELECT sqlite_compileoption_get(1)", &[]),
        ("SELECT json_patch('{}', '{}')", &[]),
        ("SELECT sqlite_rename_test('main', '', '', 0, '', 0)", &[]),
        ("SELECT sqlite_drop_column(0, '', 0)", &[]),
        ("SELECT unhex('00', ' ')", &[]),
        ("SELECT * FROM fts3tokenize('simple')", &[]),
        ("SELECT * FROM dbstat", &[]),
        ("SELECT count(*) FROM dbstat", &[]),
        ("PRAGMA database_list", &[]),
        ("SELECT * FROM pragma_database_list", &[]),
        ("SELECT count(*) FROM Pragma_Database_List()", &[]),
        ("PRAGMA journal_mode = wal", &[]),
        ("PRAGMA compile_options", &[]),
        ("PRAGMA temp_store_directory", &[]),
        ("PRAGMA wal_checkpoint", &[]),
    ] {
        let refused = query(&mut *reader, sql, values).unwrap_err();
        let path = bench.path().display().to_string();
        assert!(!refused.message().contains(&path), "{refused:?}");
        assert!(
            matches!(refused, SqlFailure::Refused(_) | SqlFailure::Database { .. }),
            "{sql}: {refused:?}"
        );
    }
    let mut writer = session(&bench, WRITE);
    for sql in [
        "CREATE VIRTUAL TABLE notes USING fts5(text)",
        "CREATE VIRTUAL TABLE notes USING fts3tokenize('simple')",
        "CREATE VIRTUAL TABLE notes USING dbstat",
        "CREATE VIRTUAL TABLE notes USING rtree(a, b, c)",
    ] {
        let refused = writer.execute(sql, &[]).unwrap_err();
        assert!(matches!(refused, SqlFailure::Refused(_)), "{sql}: {refused:?}");
    }
}

#[test]
fn what_scripts_need_is_let_through() {
    let bench = Bench::new();
    let mut reader = session(&bench, Access::ReadOnly);
    for sql in [
        "PRAGMA table_info(orders)",
        "SELECT count(*) FROM pragma_table_info('orders')",
        "PRAGMA page_size",
        "SELECT json_extract('{\"a\": 1}', '$.a'), '[1]' -> 0, upper('a'), date('now')",
        "SELECT sum(id) OVER (ORDER BY id), row_number() OVER () FROM orders",
        "SELECT * FROM json_each('[1, 2]')",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3) SELECT i FROM n",
    ] {
        query(&mut *reader, sql, &[]).unwrap();
    }
    let mut writer = session(&bench, WRITE);
    for sql in [
        "CREATE TEMP TABLE scratch (a); ",
        "CREATE TRIGGER t AFTER INSERT ON orders BEGIN SELECT 1; SELECT 2; END;",
        "CREATE VIEW v AS SELECT * FROM orders",
        "CREATE INDEX i ON orders (lower(state))",
        "DROP INDEX i",
        "ALTER TABLE orders ADD COLUMN note TEXT",
        "ALTER TABLE orders RENAME COLUMN note TO remark",
        "REINDEX",
        "ANALYZE",
    ] {
        writer.execute(sql, &[]).unwrap();
    }
}

#[test]
fn the_functions_of_the_host_answer_as_those_of_sqlite() {
    let bench = Bench::new();
    let mut reader = session(&bench, Access::ReadOnly);
    let plain = rusqlite::Connection::open_in_memory().unwrap();
    for sql in [
        "instr('ñandú', 'd')",
        "instr('abc', '')",
        "instr('abc', 'x')",
        "instr(x'010203', x'03')",
        "instr(x'010203', x'')",
        "instr(NULL, 'a')",
        "instr(1234, 3)",
        "replace('aXbX', 'X', 'yy')",
        "replace('a', '', 'b')",
        "replace(7, '', 'b')",
        "replace(x'6162', '', 'b')",
        "replace(1213, 1, NULL)",
        "replace(1213, 1, 9)",
        "typeof(replace(1213, 1, 9))",
        "replace(x'6162', 'b', 'c')",
        "trim('  a  ')",
        "ltrim('  a  ')",
        "rtrim('  a  ')",
        "trim('xyaxy', 'yx')",
        "ltrim('ññañ', 'ñ')",
        "rtrim('abc', '')",
        "trim(NULL)",
        "trim('a', NULL)",
        "typeof(trim(5))",
    ] {
        let ours = query(&mut *reader, &format!("SELECT quote({sql})"), &[]).unwrap();
        let theirs: String =
            plain.query_row(&format!("SELECT quote({sql})"), [], |row| row.get(0)).unwrap();
        assert_eq!(ours, SqlValue::Text(theirs), "{sql}");
    }
    let real = query(&mut *reader, "SELECT replace(1.5, '.', ',')", &[]).unwrap_err();
    assert!(real.message().contains("cast"), "{real:?}");
}

#[test]
fn one_step_cannot_take_long() {
    let bench = Bench::new();
    let mut reader = session(&bench, Access::ReadOnly);
    for sql in [
        "SELECT length(zeroblob(1000000000))",
        "SELECT length(randomblob(17000000))",
        "SELECT instr(zeroblob(16000000), CAST(zeroblob(8000000) || x'01' AS BLOB))",
        "SELECT replace(printf('%.8000000c', 'a'), 'a', 'bbb')",
        "SELECT 'a' LIKE printf('%.101c', '%')",
    ] {
        query(&mut *reader, sql, &[]).unwrap_err();
    }
    // Each would take minutes or hours with SQLite's own function.
    for (sql, answer) in [
        ("SELECT instr(printf('%.8000000c', 'a'), printf('%.4000000c', 'a') || 'b')", 0),
        (
            "SELECT length(replace(printf('%.8000000c', 'a'), printf('%.4000000c', 'a') || 'b', 'c'))",
            8_000_000,
        ),
        ("SELECT length(trim(printf('%.8000000c', 'a'), printf('%.4000000c', 'b') || 'a'))", 0),
    ] {
        assert_eq!(query(&mut *reader, sql, &[]).unwrap(), SqlValue::Int64(answer), "{sql}");
    }
}

#[test]
fn a_text_of_many_statements_is_refused() {
    let bench = Bench::new();
    let mut reader = session(&bench, Access::ReadOnly);
    for text in
        ["SELECT 1;".repeat(100_000), format!("CREATE TRIGGER t {}", "SELECT 1;".repeat(100_000))]
    {
        let refused = query(&mut *reader, &text, &[]).unwrap_err();
        assert!(matches!(refused, SqlFailure::Refused(_)), "{refused:?}");
    }
    let mut writer = session(&bench, WRITE);
    let long = "SELECT 1;".repeat(2_000_000);
    assert!(matches!(writer.execute(&long, &[]).unwrap_err(), SqlFailure::Limit(_)));
}

#[test]
fn an_answer_is_bounded_while_it_is_read() {
    let bench = Bench::new();
    let mut reader = session(&bench, Access::ReadOnly);
    let numbers =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT NULL FROM n";
    for sql in [numbers, "SELECT zeroblob(40000) FROM orders"] {
        let refused = reader.query(sql, &[], u64::MAX, 100_000).unwrap_err();
        assert!(matches!(refused, SqlFailure::Limit(_)), "{refused:?}");
    }
    reader.query("SELECT zeroblob(30000) FROM orders", &[], 3, 100_000).unwrap();
}
