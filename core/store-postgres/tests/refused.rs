use placet_core::store::{CommitError, Store as _, StoreError, StoreErrorKind};
use placet_store_postgres::{Options, PostgresStore};

use crate::server::{PASSWORD, Server, fresh, server};
use crate::story::{key, numbered, write};

/// How an opening failed: kind, and all that is said, without a password.
fn refusal_with(url: &str, options: &Options) -> (StoreErrorKind, String) {
    said(&PostgresStore::open_with(url, options).unwrap_err())
}

fn refusal(url: &str, schema: &str) -> (StoreErrorKind, String) {
    refusal_with(url, &Options::default().with_schema(schema).with_connect_timeout_ms(30_000))
}

fn said(error: &StoreError) -> (StoreErrorKind, String) {
    let help = error.help().unwrap().to_owned();
    assert!(!help.is_empty());
    let everything = format!("{error} {error:?}");
    assert!(!everything.contains(PASSWORD), "{everything}");
    (error.kind(), format!("{error}; {help}"))
}

#[track_caller]
fn check((kind, text): (StoreErrorKind, String), due: StoreErrorKind, part: &str) {
    assert_eq!(kind, due, "{text}");
    assert!(text.contains(part), "{text}");
}

#[test]
fn names_what_is_wrong_with_url_server_and_login() {
    use StoreErrorKind::Unavailable;
    let Some(server) = server() else { return };
    let (schema, port) = (fresh("refused"), server.port());
    let try_url = |url: &str| refusal(url, &schema);
    check(try_url("not a url"), Unavailable, "the URL of the database cannot be read");
    check(try_url(&format!("mysql://root:{PASSWORD}@h/d")), Unavailable, "cannot be read");
    let tls = format!("{}?sslmode=require", server.url());
    check(try_url(&tls), Unavailable, "the server has no TLS");

    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check(try_url(&server.url_at(free)), Unavailable, "the server cannot be reached");
    // One that listens and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options::default().with_connect_timeout_ms(100);
    let url = server.url_at(silent.local_addr().unwrap().port());
    check(refusal_with(&url, &options), Unavailable, "did not answer in time");

    let at =
        |login: &str, database: &str| format!("postgres://{login}@127.0.0.1:{port}/{database}");
    check(try_url(&at("owner:wrong", "postgres")), Unavailable, "refuses the login");
    check(try_url(&at("nobody:wrong", "postgres")), Unavailable, "refuses the login");
    check(try_url(&at("owner", "postgres")), Unavailable, "the login failed");
    let missing = at(&format!("owner:{PASSWORD}"), "missing");
    check(try_url(&missing), Unavailable, "there is no such database");
    check(try_url(&missing), Unavailable, &format!("`127.0.0.1:{port}/missing`"));
    let store = server.store(&schema);
    assert!(!format!("{store:?}").contains(PASSWORD));
}

#[test]
fn names_a_database_without_rights_and_one_that_is_read_only() {
    use StoreErrorKind::Unavailable;
    let Some(server) = server() else { return };
    let (db, port) = (server.db(), server.port());
    let (guest, made) = (fresh("guest"), fresh("made"));
    db.run(&format!("CREATE ROLE {guest} LOGIN PASSWORD '{PASSWORD}'"));
    let url = format!("postgres://{guest}:{PASSWORD}@127.0.0.1:{port}/postgres");
    // It may neither make a store nor use one that is there.
    check(refusal(&url, &fresh("unmade")), Unavailable, "has no right");
    drop(server.store(&made));
    check(refusal(&url, &made), Unavailable, "admit_application");

    let closed = fresh("closed");
    db.run(&format!("CREATE DATABASE {closed}"));
    let url = format!("postgres://owner:{PASSWORD}@127.0.0.1:{port}/{closed}");
    let store = PostgresStore::open(&url).unwrap();
    write(&store, "a", 0);
    db.run(&format!("ALTER DATABASE {closed} SET default_transaction_read_only = on"));
    check(refusal(&url, "placet"), Unavailable, "the database is read-only");
    check(refusal(&url, "another"), Unavailable, "the database is read-only");
    // For one that is open it becomes so with its next connection.
    let sessions = format!("FROM pg_stat_activity WHERE datname = '{closed}'");
    db.run(&format!("SELECT pg_terminate_backend(pid) {sessions}"));
    let Err(CommitError::Store(error)) = store.commit(numbered("a", 1)) else { panic!("written") };
    check(said(&error), Unavailable, "nothing was written");
    assert_eq!(store.log_len().unwrap(), 1, "it can be read");
    db.run(&format!("ALTER DATABASE {closed} RESET default_transaction_read_only"));
    write(&store, "a", 1);
}

#[test]
fn names_a_server_that_does_not_sync() {
    let Some(server) = Server::begin(&["fsync=off", "full_page_writes=off"]) else { return };
    let (kind, text) = refusal(&server.url(), "placet");
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(text.contains("`fsync` off") && text.contains("accepts_unsafe_server"), "{text}");
    // Nothing was made there.
    let made = "SELECT count(*) FROM pg_namespace WHERE nspname = 'placet'";
    assert_eq!(server.db().rows(made), ["0"]);
    let options = Options::default().with_accepts_unsafe_server(true);
    write(&server.open(&options), "a", 0);

    // What a role has set for itself does not count: each session asks for durable commits.
    server.db().run("ALTER ROLE owner SET synchronous_commit = off");
    let store = server.open(&options);
    write(&store, "a", 1);
}

#[test]
fn names_a_newer_format_and_a_disk_that_is_full() {
    let Some(server) = server() else { return };
    let schema = fresh("newer");
    let (store, db) = (server.store(&schema), server.db());
    write(&store, "a", 0);

    // The server says so when it cannot make a file longer. Here a trigger says it in its place.
    db.run(&format!(
        "CREATE FUNCTION {schema}.full() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
         CREATE TRIGGER is_full BEFORE INSERT ON {schema}.log EXECUTE FUNCTION {schema}.full()"
    ));
    let Err(CommitError::Store(error)) = store.commit(numbered("a", 1)) else { panic!("written") };
    let (kind, text) = said(&error);
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(text.contains("disk of the server is full"), "{text}");
    assert!(text.contains("nothing was written"), "{text}");
    assert_eq!(store.get(&key(&["n", "a", "1"])).unwrap(), None);
    db.run(&format!("DROP TRIGGER is_full ON {schema}.log"));
    write(&store, "a", 1);

    // A newer version converts the tables, also below a node that is open.
    db.run(&format!("UPDATE {schema}.head SET format = 2"));
    check(refusal(&server.url(), &schema), StoreErrorKind::NewerFormat, "has the format 2");
    let Err(CommitError::Store(error)) = store.commit(numbered("a", 2)) else { panic!("written") };
    check(said(&error), StoreErrorKind::NewerFormat, "has the format 2");
    db.run(&format!("UPDATE {schema}.head SET format = 1"));
    write(&store, "a", 2);
    assert_eq!(store.log_len().unwrap(), 3);
}
