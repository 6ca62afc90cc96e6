//! A large schema on each database: applied, verified, and taken away again.

use placet::request::StateName;
use placet::runner::Outcome;
use placet::runners::{Access, StopSignal};
use serde_json::json;

use super::admin::Kind;
use super::desk::Desk;

const TABLES_MIN: i64 = 60;
const STATEMENTS_MIN: usize = 300;

/// What the first release brings, and what takes it away.
const fn scripts(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Sqlite => (
            include_str!("../../../../runners/tests/large/sqlite/up.sql"),
            include_str!("../../../../runners/tests/large/sqlite/down.sql"),
        ),
        Kind::Postgres => (
            include_str!("../../../../runners/tests/large/postgresql/up.sql"),
            include_str!("../../../../runners/tests/large/postgresql/down.sql"),
        ),
        Kind::MariaDb => (
            include_str!("../../../../runners/tests/large/mysql/up.sql"),
            include_str!("../../../../runners/tests/large/mysql/down.sql"),
        ),
    }
}

const fn tables(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => {
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'placet%' \
             AND name NOT LIKE 'sqlite%'"
        }
        Kind::Postgres => {
            "SELECT count(*) FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace \
             WHERE relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'placet%' \
             AND nspname = 'public'"
        }
        Kind::MariaDb => {
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = database() \
             AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'placet%'"
        }
    }
}

#[test]
fn on_sqlite() {
    applied_verified_and_taken_away(Kind::Sqlite);
}

#[test]
fn on_postgresql() {
    applied_verified_and_taken_away(Kind::Postgres);
}

#[test]
fn on_mariadb() {
    applied_verified_and_taken_away(Kind::MariaDb);
}

fn applied_verified_and_taken_away(kind: Kind) {
    let Some(desk) = Desk::begin(kind) else { return };
    let schema = || {
        let target = desk.database.target();
        target.open(Access::ReadOnly, &StopSignal::new()).unwrap().schema_digest(&[]).unwrap()
    };
    let empty = schema();
    let (up, down) = scripts(kind);

    let applied = desk.succeed(&json!({ "sql": up }));
    let steps = desk.gate.view(&desk.office.ana, applied).unwrap().plan.unwrap().steps;
    assert!(steps.len() >= STATEMENTS_MIN, "{kind:?}: {} statements", steps.len());
    let made = desk.database.number(tables(kind));
    assert!(made >= TABLES_MIN, "{kind:?}: {made} tables");
    assert_ne!(schema(), empty, "{kind:?}");
    let (_, read) = desk.gate.verify(&desk.office.bo, applied).unwrap();
    assert!(matches!(read, Outcome::Succeeded(_)), "{kind:?}: {read:?}");

    // Rows that one request changed are put back by another.
    let before = desk.database.rows("SELECT * FROM brand ORDER BY id");
    let changed = desk.succeed(&json!({
        "sql": "UPDATE brand SET name = 'renamed; all' WHERE id <= 5;\n\
                INSERT INTO brand (id, slug, name) VALUES (90, 'new', 'New');",
    }));
    assert_ne!(desk.database.rows("SELECT * FROM brand ORDER BY id"), before, "{kind:?}");
    desk.succeed(&json!({
        "revert": { "request": changed.to_string(), "revision": 1, "attempt": 1 }
    }));
    assert_eq!(desk.database.rows("SELECT * FROM brand ORDER BY id"), before, "{kind:?}");

    let gone = desk.run(&json!({ "sql": down })).unwrap();
    assert_eq!(gone.state.name(), StateName::Succeeded, "{kind:?}");
    assert_eq!(desk.database.number(tables(kind)), 0, "{kind:?}");
    assert_eq!(schema(), empty, "{kind:?}: nothing of it is left");
    println!("{kind:?}: {made} tables by {} statements", steps.len());
}
