use placet_core::store::Store as _;
use placet_store_postgres::{Options, PostgresStore};

use crate::server::{Db, PASSWORD, fresh, server};
use crate::story::write;

#[test]
fn the_owner_cannot_change_the_log_by_mistake() {
    let Some(server) = server() else { return };
    let schema = fresh("owner");
    let (store, db) = (server.store(&schema), server.db());
    write(&store, "a", 0);
    for (word, sql) in [
        ("UPDATE", format!("UPDATE {schema}.log SET entry = 'x'")),
        ("UPDATE", format!("UPDATE {schema}.log SET entry = entry WHERE false")),
        ("DELETE", format!("DELETE FROM {schema}.log")),
        ("TRUNCATE", format!("TRUNCATE {schema}.log")),
        ("DELETE", format!("SET session_replication_role = replica; DELETE FROM {schema}.log")),
    ] {
        let due = format!("the log of placet is append-only: {word} is refused");
        assert_eq!(server.db().refusal(&sql), due);
    }
    drop(db);
    write(&store, "a", 1);
    assert_eq!(store.log_len().unwrap(), 2);
}

#[test]
fn an_application_can_append_to_the_log_and_nothing_else() {
    let Some(server) = server() else { return };
    let (schema, role, reader) = (fresh("app"), fresh("application"), fresh("reader"));
    let db = server.db();
    drop(server.store(&schema));
    for role in [&role, &reader] {
        db.run(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"));
    }
    db.run(&format!("SELECT {schema}.admit_application('{role}')"));
    db.run(&format!("SELECT {schema}.admit_reader('{reader}')"));
    let url =
        |role: &str| format!("postgres://{role}:{PASSWORD}@127.0.0.1:{}/postgres", server.port());

    let options = Options::default().with_schema(&schema);
    let store = PostgresStore::open_with(&url(&role), &options).unwrap();
    for number in 0..5 {
        write(&store, "a", number);
    }
    assert_eq!(store.wait_for_log(4, 0).unwrap(), 5);
    drop(store);
    drop(PostgresStore::open_with(&url(&role), &options).unwrap());

    let application = Db::connect(&url(&role)).unwrap();
    let refused = |db: &Db, what: &str, sql: &str| {
        let refusal = db.refusal(&sql.replace("S.", &format!("{schema}.")));
        assert!(refusal.contains(what), "{refusal}");
    };
    for sql in [
        "UPDATE S.log SET entry = 'x'",
        "DELETE FROM S.log",
        "TRUNCATE S.log",
        "DELETE FROM S.head",
        "INSERT INTO S.head VALUES (true, 1, 0, 0, '')",
    ] {
        refused(&application, "permission denied", sql);
    }
    refused(&application, "must be owner", "ALTER TABLE S.log DISABLE TRIGGER append_only");
    refused(&application, "must be owner", "DROP TRIGGER append_only ON S.log");
    refused(&application, "must be owner", "DROP TABLE S.log");
    refused(&application, "permission denied", &format!("SELECT S.admit_application('{role}')"));
    refused(&application, "permission denied", "SET session_replication_role = replica");

    let reader = Db::connect(&url(&reader)).unwrap();
    assert_eq!(reader.rows(&format!("SELECT count(*) FROM {schema}.users")), ["0"]);
    for table in ["records", "log", "head", "writers"] {
        refused(&reader, "permission denied", &format!("SELECT * FROM S.{table}"));
    }
}
