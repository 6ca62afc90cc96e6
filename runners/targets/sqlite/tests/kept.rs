//! Rows with odd values in odd tables: put back to the bit, or refused beforehand.

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::id::{RequestId, RunId};
use placet_core::runner::JobId;
use placet_target::testing::Chance;
use placet_target::{
    Access, Attempt, Keepable, Marker, SqlFailure, SqlSession, SqlTarget as _, StepMark,
    StopSignal, Touch, TouchKind,
};
use placet_target_sqlite::SqliteTarget;
use rusqlite::types::Value;

use crate::bench::Bench;

fn id(request: u128) -> JobId {
    let (request, run) = (RequestId::from_u128(request), RunId::from_u128(request));
    JobId { request, revision: 1, attempt: 1, fence: 1, run }
}

fn mark(id: JobId) -> StepMark {
    StepMark { id, step: "s1".to_owned(), digest: Digest::of(b"step"), at: Timestamp::MIN }
}

fn touch(kind: TouchKind, table: &str, columns: &[&str], condition: Option<&str>) -> Touch {
    Touch {
        kind,
        table: vec![table.to_owned()],
        alias: None,
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        condition: condition.map(ToOwned::to_owned),
    }
}

fn admin(bench: &Bench) -> rusqlite::Connection {
    rusqlite::Connection::open(bench.path()).unwrap()
}

fn writer(bench: &Bench, request: u128) -> Box<dyn SqlSession> {
    let target = SqliteTarget::new(bench.path());
    let mut session = target.open(Access::ReadWrite(id(request)), &StopSignal::new()).unwrap();
    session.begin().unwrap();
    session
}

fn commit(session: &mut dyn SqlSession, request: u128) {
    let marker = Marker { id: id(request), digest: Digest::of(b"plan"), at: Timestamp::MIN };
    session.commit(&marker).unwrap();
}

/// Every value of a table, told apart by type and bits.
fn rows(bench: &Bench, table: &str) -> Vec<Vec<String>> {
    let database = admin(bench);
    let mut query = database.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
    let columns = query.column_count();
    let exact = |value: Value| {
        let bits = if let Value::Real(number) = value { number.to_bits() } else { 0 };
        format!("{value:?} {bits:x}")
    };
    let rows = query.query_map([], |row| (0..columns).map(|at| row.get(at).map(exact)).collect());
    rows.unwrap().map(Result::unwrap).collect()
}

/// Keeps the statement, commits, puts back. Returns the inverse.
fn there_and_back(bench: &Bench, (sql, touch): (&str, &Touch), request: u128) -> Vec<String> {
    let table = touch.table.last().unwrap();
    let before = rows(bench, table);
    let mut session = writer(bench, request);
    assert_eq!(session.can_keep(touch).unwrap(), Keepable::Yes, "{sql}");
    session.execute_kept(sql, (touch, &mark(id(request))), 10_000).unwrap();
    commit(&mut *session, request);
    drop(session);
    assert_ne!(rows(bench, table), before, "{sql}");
    let revert = request.checked_add(1).unwrap();
    let mut session = writer(bench, revert);
    let inverse = session.inverse(&Attempt::of(&id(request)), (10_000, 1 << 30)).unwrap();
    for sql in &inverse {
        assert_eq!(session.execute(sql, &[]).unwrap(), 1, "{sql}");
    }
    commit(&mut *session, revert);
    assert_eq!(rows(bench, table), before, "{sql}");
    inverse
}

#[test]
fn every_value_comes_back_to_the_bit() {
    let bench = Bench::new();
    let database = admin(&bench);
    database
        .execute_batch(
            "CREATE TABLE odd (id INTEGER PRIMARY KEY, any_type, note TEXT COLLATE NOCASE, price REAL, \
             double_price GENERATED ALWAYS AS (price * 2) VIRTUAL)",
        )
        .unwrap();
    let mut values = vec![
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Integer(i64::MAX),
        Value::Integer(5),
        Value::Real(5.0),
        Value::Text("5".to_owned()),
        Value::Blob(b"5".to_vec()),
        Value::Real(f64::INFINITY),
        Value::Real(f64::NEG_INFINITY),
        Value::Real(f64::MAX),
        Value::Real(f64::MIN_POSITIVE),
        Value::Real(5e-324),
        Value::Real(9_007_199_254_740_993.0),
        Value::Text(String::new()),
        Value::Blob(Vec::new()),
        Value::Text("zero \0 inside".to_owned()),
        Value::Text("it's PLACET_marker's".to_owned()),
        Value::Text("\u{feff}🦀\r\n".to_owned()),
    ];
    let seed = 20_261_123;
    println!("seed {seed}");
    let mut chance = Chance::new(seed);
    values.extend((0..2_000).map(|_| Value::Real(f64::from_bits(chance.next_bits()))));
    for value in &values {
        let insert = "INSERT INTO odd (any_type, note, price) VALUES (?1, ?2, 0.1)";
        database.execute(insert, rusqlite::params![value, "Note"]).unwrap();
    }
    let update = touch(TouchKind::Update, "odd", &["any_type"], None);
    let inverse = there_and_back(&bench, ("UPDATE odd SET any_type = 'x'", &update), 10);
    assert_eq!(inverse.len(), values.len());
    let delete = touch(TouchKind::Delete, "ODD", &[], Some("id > 0 -- all"));
    there_and_back(&bench, ("DELETE FROM odd WHERE id > 0 -- all", &delete), 20);
    let insert = touch(TouchKind::Insert, "odd", &["any_type", "note"], None);
    let sql = "INSERT INTO odd (any_type, note) VALUES (1e-7, 'N'), (x'00', NULL), (-9223372036854775808, '')";
    there_and_back(&bench, (sql, &insert), 30);
}

#[test]
fn what_only_looks_the_same_is_not_put_back() {
    let bench = Bench::new();
    let database = admin(&bench);
    database
        .execute_batch(
            "CREATE TABLE odd (id INTEGER PRIMARY KEY, any_type, note TEXT COLLATE NOCASE);
             INSERT INTO odd VALUES (1, 'a', 'a'), (2, 'a', 'a'), (3, 'a', 'a');",
        )
        .unwrap();
    let touch = touch(TouchKind::Update, "odd", &["any_type", "note"], None);
    let mut session = writer(&bench, 10);
    let sql = "UPDATE odd SET any_type = 5, note = 'Note'";
    session.execute_kept(sql, (&touch, &mark(id(10))), 10).unwrap();
    commit(&mut *session, 10);
    // 5.0 is equal to 5, and so is NOTE to Note in this column.
    database
        .execute_batch(
            "UPDATE odd SET any_type = 5.0 WHERE id = 1; UPDATE odd SET note = 'NOTE' WHERE id = 2",
        )
        .unwrap();
    let mut session = writer(&bench, 11);
    let inverse = session.inverse(&Attempt::of(&id(10)), (10, 1 << 30)).unwrap();
    let changed: Vec<_> = inverse.iter().map(|sql| session.execute(sql, &[]).unwrap()).collect();
    assert_eq!(changed, [1, 0, 0], "{inverse:#?}");
}

/// The same for keys, and for columns of STRICT tables that take everything.
#[test]
fn a_key_that_only_looks_the_same_is_another() {
    let bench = Bench::new();
    let database = admin(&bench);
    for (request, case, insert, tamper) in [
        (100, "k TEXT COLLATE NOCASE PRIMARY KEY, n ANY) STRICT", "('a', 1)", "k = 'A'"),
        (110, "k ANY PRIMARY KEY, n ANY) STRICT", "('a', 1)", "n = 5.0"),
        (120, "k ANY PRIMARY KEY, n ANY) STRICT", "(7, 1)", "k = 7.0"),
        (130, "k PRIMARY KEY, n)", "(7, 1)", "k = 7.0"),
        (140, "k TEXT COLLATE RTRIM PRIMARY KEY, n INT) WITHOUT ROWID", "('a', 1)", "k = 'a '"),
    ] {
        let make = format!(
            "CREATE TABLE made{request} ({case}; INSERT INTO made{request} VALUES {insert}"
        );
        database.execute_batch(&make).unwrap();
        let name = format!("made{request}");
        let of = touch(TouchKind::Update, &name, &["n"], None);
        let mut session = writer(&bench, request);
        let sql = format!("UPDATE {name} SET n = 5");
        session.execute_kept(&sql, (&of, &mark(id(request))), 10).unwrap();
        commit(&mut *session, request);
        drop(session);
        database.execute_batch(&format!("UPDATE {name} SET {tamper}")).unwrap();
        let mut session = writer(&bench, request + 1);
        let inverse = session.inverse(&Attempt::of(&id(request)), (10, 1 << 30)).unwrap();
        for sql in &inverse {
            assert_eq!(session.execute(sql, &[]).unwrap(), 0, "{tamper}: {sql}");
        }
        session.rollback().unwrap();
        assert_eq!(inverse.len(), 1);
    }
}

#[test]
fn keys_of_every_making_are_found_again() {
    let bench = Bench::new();
    let database = admin(&bench);
    let cases = [
        "k TEXT, n INTEGER, note TEXT, PRIMARY KEY (n, k)) WITHOUT ROWID",
        "k TEXT COLLATE NOCASE PRIMARY KEY, n INTEGER, note TEXT)",
        "k REAL PRIMARY KEY, n INTEGER, note TEXT) STRICT",
        "k BLOB PRIMARY KEY, n INTEGER, note TEXT) STRICT",
        "k, n INT, note TEXT, \"odd \"\"name\"\"\" GENERATED ALWAYS AS (n + 1) STORED, PRIMARY KEY (k, n))",
    ];
    for (case, request) in cases.iter().zip((100..).step_by(10)) {
        let rows = match case {
            case if case.contains("REAL") => "(0.1, 1, 'a'), (1e300, 2, 'b'), (-0.5, 3, NULL)",
            case if case.contains("BLOB") => "(x'00ff', 1, 'a'), (x'', 2, 'b'), (x'01', 3, NULL)",
            _ => "('A', 1, 'a'), ('it''s', 2, 'b'), ('', 3, NULL)",
        };
        database
            .execute_batch(&format!(
                "DROP TABLE IF EXISTS made; CREATE TABLE made ({case}; INSERT INTO made (k, n, note) VALUES {rows}"
            ))
            .unwrap();
        let update = touch(TouchKind::Update, "made", &["note"], Some("n > 1"));
        there_and_back(&bench, ("UPDATE made SET note = 'x' WHERE n > 1", &update), request);
        let delete = touch(TouchKind::Delete, "made", &[], None);
        there_and_back(&bench, ("DELETE FROM made", &delete), request + 2);
    }
}

#[test]
fn what_cannot_be_put_back_is_said_beforehand() {
    let bench = Bench::new();
    let database = admin(&bench);
    database
        .execute_batch(
            "CREATE TABLE no_key (a, b);
             CREATE TABLE replacing (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, a);
             CREATE TABLE watched (id INTEGER PRIMARY KEY, a);
             CREATE TRIGGER watch AFTER DELETE ON watched BEGIN SELECT 1; END;
             CREATE TABLE tree (id INTEGER PRIMARY KEY, up REFERENCES tree);
             CREATE TABLE owner (id INTEGER PRIMARY KEY, code UNIQUE, a);
             CREATE TABLE owned (id INTEGER PRIMARY KEY, code REFERENCES owner (code) ON UPDATE CASCADE);
             CREATE TABLE lender (id INTEGER PRIMARY KEY, a);
             CREATE TABLE lent (id INTEGER PRIMARY KEY, of REFERENCES lender ON DELETE SET NULL);
             CREATE TABLE computed (id INTEGER PRIMARY KEY, a, b GENERATED ALWAYS AS (a));
             CREATE VIEW seen AS SELECT * FROM orders;
             CREATE VIRTUAL TABLE words USING fts5(text);",
        )
        .unwrap();
    let mut session = writer(&bench, 1);
    session.execute("CREATE TEMP TABLE shadowed (id INTEGER PRIMARY KEY, a)", &[]).unwrap();
    let (insert, update, delete) = (TouchKind::Insert, TouchKind::Update, TouchKind::Delete);
    for (kind, table, columns, word) in [
        (delete, "no_key", &[][..], "primary key"),
        (delete, "replacing", &[], "ON CONFLICT"),
        (insert, "watched", &["id"], "trigger"),
        (delete, "tree", &[], "same table"),
        (update, "owner", &["code"], "change along"),
        (insert, "lender", &["id"], "change along"),
        (delete, "lender", &[], "change along"),
        (update, "orders", &["ID"], "part of the primary key"),
        (update, "orders", &["none"], "no column"),
        (update, "orders", &[], "not known"),
        (update, "computed", &["b"], "no column"),
        (delete, "seen", &[], "view"),
        (delete, "words", &[], "virtual"),
        (delete, "words_data", &[], "shadow"),
        (delete, "sqlite_schema", &[], "own"),
        (delete, "shadowed", &[], "temporary"),
        (delete, "absent", &[], "no such table"),
    ] {
        let touch = touch(kind, table, columns, None);
        let Keepable::No(why) = session.can_keep(&touch).unwrap() else {
            panic!("{table} would be kept");
        };
        assert!(why.contains(word), "{table}: {why}");
        let refused = session.execute_kept("DELETE FROM orders", (&touch, &mark(id(1))), 10);
        assert!(matches!(refused, Err(SqlFailure::Refused(_))), "{table}: {refused:?}");
    }
    for (kind, table, columns) in [
        (update, "owner", &["a"][..]),
        (update, "lender", &["a"]),
        (delete, "owner", &[]),
        (delete, "lent", &[]),
        (update, "computed", &["a"]),
    ] {
        let touch = touch(kind, table, columns, None);
        assert_eq!(session.can_keep(&touch).unwrap(), Keepable::Yes, "{table}");
    }
    let elsewhere = Touch {
        table: vec!["temp".to_owned(), "orders".to_owned()],
        ..touch(delete, "", &[], None)
    };
    assert!(matches!(session.can_keep(&elsewhere).unwrap(), Keepable::No(_)));
}

/// Few rows can have many bytes: what was kept can be read back, and no more is kept.
#[test]
fn rows_are_kept_up_to_so_many_bytes() {
    let bench = Bench::new();
    let database = admin(&bench);
    database
        .execute_batch(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, note BLOB);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70)
             INSERT INTO notes SELECT i, zeroblob(1048576) FROM n;",
        )
        .unwrap();
    let count = || rows(&bench, "(SELECT count(*), sum(length(note)) FROM notes)");
    let before = count();
    // The rows have 40 MiB, and the texts that mean them twice as much; and twenty are kept twice.
    for conditions in [&["id <= 70"][..], &["id <= 40"], &["id <= 20", "id <= 40"]] {
        let mut session = writer(&bench, 1);
        let (last, first) = conditions.split_last().unwrap();
        for condition in first {
            let delete = touch(TouchKind::Delete, "notes", &[], Some(condition));
            let sql = format!("DELETE FROM notes WHERE {condition}");
            session.execute_kept(&sql, (&delete, &mark(id(1))), 1_000).unwrap();
        }
        let delete = touch(TouchKind::Delete, "notes", &[], Some(last));
        let sql = format!("DELETE FROM notes WHERE {last}");
        let limit = session.execute_kept(&sql, (&delete, &mark(id(1))), 1_000);
        // The first while it is read, and not only when all of it is there.
        let due = if *last == "id <= 70" { "rows to keep" } else { "puts the rows" };
        assert!(
            matches!(&limit, Err(SqlFailure::Limit(why)) if why.contains(due)),
            "{last}: {limit:?}"
        );
        let kept = session.inverse(&Attempt::of(&id(1)), (1_000, 1 << 30)).unwrap();
        assert_eq!(kept.len(), first.len() * 20);
    }
    assert_eq!(count(), before);
    // Short rows that become long.
    database.execute_batch("UPDATE notes SET note = x''").unwrap();
    let mut session = writer(&bench, 1);
    let update = touch(TouchKind::Update, "notes", &["note"], None);
    let sql = "UPDATE notes SET note = zeroblob(1048576)";
    let limit = session.execute_kept(sql, (&update, &mark(id(1))), 1_000);
    assert!(
        matches!(&limit, Err(SqlFailure::Limit(why)) if why.contains("rows to keep")),
        "{limit:?}"
    );
}

#[test]
fn a_statement_that_does_more_than_it_says_is_refused() {
    let bench = Bench::new();
    let before = rows(&bench, "orders");
    let (insert, update, delete) = (
        touch(TouchKind::Insert, "orders", &["id", "state"], None),
        touch(TouchKind::Update, "orders", &["state"], Some("id = 1")),
        touch(TouchKind::Delete, "orders", &[], Some("id = 1")),
    );
    let random = touch(TouchKind::Delete, "orders", &[], Some("id = 1 + abs(random() % 3)"));
    let written = touch(TouchKind::Delete, "orders", &[], Some("1); DELETE FROM orders; --"));
    for (sql, touch) in [
        ("INSERT OR REPLACE INTO orders (id, state) VALUES (1, 'x')", &insert),
        ("/* a */ insert or replace into orders (id, state) VALUES (1, 'x')", &insert),
        ("REPLACE INTO orders (id, state) VALUES (1, 'x')", &insert),
        (
            "INSERT INTO orders (id, state) VALUES (1, 'x') ON CONFLICT DO UPDATE SET state = 'x'",
            &insert,
        ),
        ("INSERT INTO orders (id, state) VALUES (7, 'x') RETURNING id", &insert),
        ("INSERT INTO orders (id, state) VALUES (7, 'x') /* and what follows", &insert),
        ("UPDATE OR REPLACE orders SET state = 'x' WHERE id = 1", &update),
        ("UPDATE orders SET state = 'x', id = 9 WHERE id = 1", &update),
        ("UPDATE orders SET state = 'x' WHERE id = 2", &update),
        ("UPDATE orders SET state = 'x' WHERE id < 3", &update),
        ("UPDATE orders SET state = 'x' WHERE id > 100", &update),
        ("DELETE FROM orders WHERE id = 1", &update),
        ("WITH one AS (SELECT 1) DELETE FROM orders WHERE id = 1", &delete),
        ("DELETE FROM orders WHERE id = 1; DELETE FROM orders", &delete),
        ("DELETE FROM orders WHERE id = 1", &written),
    ] {
        let mut session = writer(&bench, 1);
        let answer = session.execute_kept(sql, (touch, &mark(id(1))), 10);
        assert!(answer.is_err(), "{sql}: {answer:?}");
        drop(session);
        assert_eq!(rows(&bench, "orders"), before, "{sql}");
    }
    // Either it hits the row that was kept by chance, or it is refused: never another row.
    let (mut kept, mut refused) = (0, 0);
    for _try in 0..60 {
        let mut session = writer(&bench, 1);
        let sql = "DELETE FROM orders WHERE id = 1 + abs(random() % 3)";
        match session.execute_kept(sql, (&random, &mark(id(1))), 10) {
            Ok(rows) => {
                let inverse = session.inverse(&Attempt::of(&id(1)), (10, 1 << 30)).unwrap();
                assert_eq!(u64::try_from(inverse.len()).unwrap(), rows);
                kept += 1;
            }
            Err(_) => refused += 1,
        }
    }
    println!("by chance: {kept} kept, {refused} refused");
    assert!(refused > 0);
}
