//! Where the columns of an answer come from, and when that is not told.

use placet_target::{Access, Origin, SqlFailure};

use crate::bench::Bench;
use crate::session;

/// Each column as `table.column`, `-` for none; nothing at all where the target does not tell.
fn origins(bench: &Bench, sql: &str) -> String {
    let found = session(bench, Access::ReadOnly).query(sql, &[], 100, 1 << 20).unwrap();
    let word = |origin: Option<Origin>| match origin {
        Some(Origin { table, column }) => format!("{table}.{column}"),
        None => "-".to_owned(),
    };
    found.origins.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_column_is_followed_through_names_and_never_through_a_mixture() {
    let bench = Bench::new();
    rusqlite::Connection::open(bench.path())
        .unwrap()
        .execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT);
             INSERT INTO people VALUES (1, 'a@b.example');
             CREATE VIEW plain AS SELECT email AS state FROM people;
             CREATE VIEW mixed AS SELECT state FROM orders UNION ALL SELECT email FROM people;
             CREATE VIEW deeper AS SELECT state FROM mixed;",
        )
        .unwrap();
    for (sql, wanted) in [
        ("SELECT email FROM people", "people.email"),
        ("SELECT * FROM people", "people.id people.email"),
        ("SELECT p.email AS state, o.state FROM people p, orders o", "people.email orders.state"),
        ("SELECT x FROM (SELECT email AS x FROM people)", "people.email"),
        ("WITH t AS (SELECT email AS x FROM people) SELECT x FROM t", ""),
        ("SELECT (SELECT email FROM people)", "people.email"),
        ("SELECT lower(email), email || '', max(email) FROM people", "- - -"),
        ("SELECT rowid FROM people", "people.id"),
        // A database with a view that mixes does not tell about any view.
        ("SELECT state FROM plain", ""),
        ("SELECT state FROM mixed", ""),
        ("SELECT state FROM deeper", ""),
        ("SELECT state FROM orders UNION ALL SELECT email FROM people", ""),
        ("SELECT x FROM (SELECT state AS x FROM orders UNION SELECT email FROM people)", ""),
        ("VALUES (1), ((SELECT email FROM people))", ""),
        ("SELECT * FROM (VALUES ((SELECT state FROM orders)), ((SELECT email FROM people)))", ""),
    ] {
        assert_eq!(origins(&bench, sql), wanted, "{sql}");
    }
}

/// SQLite takes any bytes for a name, and hands them out as they are.
#[test]
fn a_name_that_is_no_text_is_refused_before_it_is_read() {
    let bench = Bench::new();
    let mut reader = session(&bench, Access::ReadOnly);
    let mut ask = |sql: &str| reader.query(sql, &[], 100, 1 << 20).map(|found| found.columns);
    assert_eq!(ask("SELECT id FROM orders").unwrap(), ["id"]);
    let admin = rusqlite::Connection::open(bench.path()).unwrap();
    admin
        .execute_batch(
            "CREATE VIEW odd AS SELECT 1 AS named;
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = CAST(replace(sql, 'named', CAST(x'22ff22' AS TEXT)) AS TEXT)
             WHERE name = 'odd';
             PRAGMA writable_schema = RESET;",
        )
        .unwrap();
    // Also by a session that was there before.
    for sql in ["SELECT * FROM odd", "SELECT id FROM orders"] {
        let refused = ask(sql);
        assert!(
            matches!(&refused, Err(SqlFailure::Refused(why)) if why.contains("UTF-8")),
            "{sql}: {refused:?}"
        );
    }
    let mut writer = session(&bench, crate::WRITE);
    let refused = writer.execute("CREATE TABLE made AS SELECT * FROM odd", &[]);
    assert!(matches!(refused, Err(SqlFailure::Refused(_))), "{refused:?}");
    drop(writer);
    admin.execute_batch("DROP VIEW odd").unwrap();
    assert_eq!(ask("SELECT id FROM orders").unwrap(), ["id"]);
}
