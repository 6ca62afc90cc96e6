use placet_core::store::{Store as _, StoreError, StoreErrorKind};
use placet_store_postgres::{Options, PostgresStore};

use crate::server::{Db, fresh, server};
use crate::story::{key, write};

/// What the owner does to the log with the trigger out of the way.
fn tamper(db: &Db, schema: &str, sql: &str) {
    db.run(&format!("ALTER TABLE {schema}.log DISABLE TRIGGER append_only"));
    db.run(sql);
    db.run(&format!("ALTER TABLE {schema}.log ENABLE ALWAYS TRIGGER append_only"));
}

#[track_caller]
fn is_damage<T: core::fmt::Debug>(answer: Result<T, StoreError>, part: &str) {
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Damaged, "{error}");
    assert!(error.to_string().contains(part), "{error}");
    assert!(error.help().is_some());
}

#[test]
fn a_value_that_was_changed_by_hand_is_named() {
    let Some(server) = server() else { return };
    let schema = fresh("changed");
    let (store, db) = (server.store(&schema), server.db());
    for number in 0..4 {
        write(&store, "a", number);
    }
    let at = |number: u64| format!("WHERE key = 'n\\000a\\000{number}\\000'");
    let table = format!("{schema}.records");
    db.run(&format!("UPDATE {table} SET value = 'a 7' {}", at(0)));
    db.run(&format!("UPDATE {table} SET version = version + 100 {}", at(1)));
    // A whole row, moved to another key.
    db.run(&format!("DELETE FROM {table} {}", at(2)));
    db.run(&format!("UPDATE {table} SET key = 'n\\000a\\0002\\000' {}", at(3)));
    for number in 0..3 {
        is_damage(store.get(&key(&["n", "a", &number.to_string()])), &format!("n/a/{number}"));
    }
    assert_eq!(store.get(&key(&["n", "a", "3"])).unwrap(), None);
    is_damage(store.scan(&key(&["n"]), None, 9), "n/a/0");
    assert!(store.get(&key(&["last", "a"])).unwrap().is_some(), "the rest is well");
}

#[test]
fn a_log_that_was_changed_by_hand_is_named() {
    let Some(server) = server() else { return };
    let db = server.db();
    let case = |sql: &str| {
        let schema = fresh("log");
        let store = server.store(&schema);
        for number in 0..5 {
            write(&store, "a", number);
        }
        tamper(&db, &schema, &sql.replace("LOG", &format!("{schema}.log")));
        (schema, store)
    };
    let open = |schema: &str| {
        PostgresStore::open_with(&server.url(), &Options::default().with_schema(schema))
    };

    let (_, store) = case("UPDATE LOG SET entry = 'x' WHERE index = 2");
    is_damage(store.log_read(0, 9), "log entry 2 is not what was written");
    assert_eq!(store.log_read(3, 9).unwrap().len(), 2);

    let (_, store) = case("DELETE FROM LOG WHERE index = 2");
    is_damage(store.log_read(0, 9), "log entry 2 is missing");

    let (_, store) = case(
        "UPDATE LOG SET index = index + 10 WHERE index IN (1, 2);
         UPDATE LOG SET index = 13 - index WHERE index IN (11, 12)",
    );
    is_damage(store.log_read(0, 9), "log entry 1 is not what was written");

    let (schema, store) = case("DELETE FROM LOG WHERE index = 4");
    is_damage(store.log_read(0, 9), "not as long");
    is_damage(open(&schema), "the log does not have the 5 entries");

    let (schema, _) = case("DELETE FROM LOG WHERE index = 0");
    is_damage(open(&schema), "the log does not have the 5 entries");

    let (schema, _) = case("INSERT INTO LOG VALUES (5, 'x', 'x')");
    is_damage(open(&schema), "the log does not have the 5 entries");
}

#[test]
fn a_head_that_was_changed_by_hand_is_named_and_nothing_is_written() {
    let Some(server) = server() else { return };
    let schema = fresh("head");
    let (store, db) = (server.store(&schema), server.db());
    write(&store, "a", 0);
    db.run(&format!("UPDATE {schema}.head SET commits = 0"));
    is_damage(store.log_len(), "head of the store");
    let open = || PostgresStore::open_with(&server.url(), &Options::default().with_schema(&schema));
    is_damage(open(), "head of the store");
    let answer = store.commit(crate::story::numbered("a", 1));
    let Err(placet_core::store::CommitError::Store(error)) = answer else { panic!("{answer:?}") };
    assert_eq!(error.kind(), StoreErrorKind::Damaged);
    assert_eq!(db.rows(&format!("SELECT count(*) FROM {schema}.log")), ["1"]);
    db.run(&format!("DELETE FROM {schema}.head"));
    is_damage(open(), "head of the store is missing");
}
