//! Where the columns of an answer come from, and when that is not told.

use placet_target::{Access, Origin};

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
