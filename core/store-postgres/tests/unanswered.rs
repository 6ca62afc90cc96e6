//! What cannot be answered is an error: never "nothing is there", never the year 1970.

use placet_core::clock::Clock as _;
use placet_core::store::{Batch, CommitError, Store as _, StoreError, StoreErrorKind, Version};
use placet_store_postgres::{Options, PostgresStore};

use crate::proxy::{Cut, Proxy};
use crate::server::{Db, PASSWORD, Server, fresh, patient, server};
use crate::story::{key, numbered, write};

/// A database of its own, whose system functions a test may change.
fn database(server: &Server) -> (String, Db) {
    let name = fresh("unanswered");
    server.db().run(&format!("CREATE DATABASE {name}"));
    let url = format!("postgres://owner:{PASSWORD}@127.0.0.1:{}/{name}", server.port());
    let db = Db::connect(&url).unwrap();
    (url, db)
}

/// Puts another function in the place of one of the system's, which is called `former` from then on.
fn replace(db: &Db, signature: &str, name: &str, instead: &str) {
    db.run("SET allow_system_table_mods = on");
    db.run(&format!("ALTER FUNCTION pg_catalog.{signature} RENAME TO former"));
    db.run(&format!("CREATE FUNCTION pg_catalog.{name} LANGUAGE sql AS $$ {instead} $$"));
}

#[track_caller]
fn fails<T>(answer: Result<T, StoreError>, part: &str) -> StoreErrorKind {
    let Err(error) = answer else { panic!("it was answered") };
    assert!(error.to_string().contains(part), "{error}");
    assert!(error.help().is_some());
    error.kind()
}

/// The server says that it took too long, or says nothing for as long on a busy machine: never that there are no rows.
#[track_caller]
fn late<T>(answer: Result<T, StoreError>) {
    let Err(error) = answer else { panic!("it was answered") };
    let said = ["a statement took too long", "the server did not answer in time"];
    assert!(said.iter().any(|part| error.to_string().contains(part)), "{error}");
    assert!(error.help().is_some());
}

#[test]
fn a_clock_that_says_nothing_is_not_the_year_1970() {
    let Some(server) = server() else { return };
    let (url, db) = database(&server);
    let clock = PostgresStore::open(&url).unwrap().clock();
    assert!(clock.now().as_micros() > 1_600_000_000_000_000);
    // For those who read only: whoever writes is refused by the tables.
    replace(
        &db,
        "clock_timestamp()",
        "clock_timestamp() RETURNS timestamptz VOLATILE",
        "SELECT CASE current_setting('application_name') WHEN 'placet reader' THEN NULL ELSE former() END",
    );
    let kind = fails(PostgresStore::open(&url), "the server's answer is not what it must be");
    assert_eq!(kind, StoreErrorKind::Damaged);
}

#[test]
fn an_opening_without_a_name_or_a_number_is_refused() {
    let Some(server) = server() else { return };
    let (url, db) = database(&server);
    drop(PostgresStore::open(&url).unwrap());
    // A row that the engine takes and does not give back.
    db.run(
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
         CREATE TRIGGER swallow BEFORE INSERT ON placet.writers FOR EACH ROW EXECUTE FUNCTION swallow()",
    );
    fails(PostgresStore::open(&url), "0 rows came back where one was due");
    db.run("DROP TRIGGER swallow ON placet.writers");
    drop(PostgresStore::open(&url).unwrap());

    let nothing = "SELECT NULL::uuid";
    replace(&db, "gen_random_uuid()", "gen_random_uuid() RETURNS uuid VOLATILE", nothing);
    let named = Options::default().with_node("blue");
    fails(PostgresStore::open_with(&url, &named), "the server's answer is not what it must be");
}

#[test]
fn settings_that_cannot_be_read_do_not_count_as_safe() {
    let Some(server) = server() else { return };
    let (url, db) = database(&server);
    replace(
        &db,
        "current_setting(text, boolean)",
        "current_setting(text, boolean) RETURNS integer STABLE",
        "SELECT 0",
    );
    let kind = fails(PostgresStore::open(&url), "the server's answer is not what it must be");
    assert_eq!(kind, StoreErrorKind::Damaged);
}

#[test]
fn a_head_that_readers_do_not_see_is_missed_on_opening() {
    let Some(server) = server() else { return };
    let (schema, role) = (fresh("unseen"), fresh("unseen_role"));
    let db = server.db();
    write(&server.store(&schema), "a", 0);
    db.run(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}';
         SELECT {schema}.admit_application('{role}');
         ALTER TABLE {schema}.head ENABLE ROW LEVEL SECURITY;
         CREATE POLICY hidden ON {schema}.head USING (current_setting('application_name') <> 'placet reader')"
    ));
    let url = format!("postgres://{role}:{PASSWORD}@127.0.0.1:{}/postgres", server.port());
    let open = || PostgresStore::open_with(&url, &Options::default().with_schema(&schema));
    let kind = fails(open(), "0 rows came back where one was due");
    assert_eq!(kind, StoreErrorKind::Damaged);
    db.run(&format!("ALTER TABLE {schema}.head DISABLE ROW LEVEL SECURITY"));
    assert_eq!(open().unwrap().log_len().unwrap(), 1);
}

#[test]
fn a_question_that_failed_twice_is_not_answered_with_no_rows() {
    // One of its own: below it ends the sessions of all stores.
    let Some(server) = Server::begin(&[]) else { return };
    let schema = fresh("blocked");
    // What takes long on a busy machine is done before a statement must be quick: making the tables.
    write(&server.store(&schema), "a", 0);
    // Waiting for the lock is what takes too long here, each time.
    let options = patient(&schema).with_read_connections(0); // still one
    let store = server.open(&options.clone().with_statement_timeout_ms(2_000));
    let at = key(&["n", "a", "0"]);
    let db = server.db();
    db.run(&format!("BEGIN; LOCK TABLE {schema}.records, {schema}.head, {schema}.log"));
    late(store.get(&at));
    late(store.get_many(core::slice::from_ref(&at)));
    late(store.scan(&key(&["n"]), None, 9));
    late(store.log_read(0, 9));
    late(store.log_len());
    db.run("ROLLBACK");
    assert!(store.get(&at).unwrap().is_some());

    let proxy = Proxy::to(server.port());
    let url = server.url_at(proxy.port());
    let store = PostgresStore::open_with(&url, &options).unwrap();
    proxy.refuse(true);
    db.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'placet %'",
    );
    fails(store.get(&at), "cannot");
    proxy.refuse(false);
    assert!(store.get(&at).or_else(|_| store.get(&at)).unwrap().is_some());
}

#[test]
fn a_version_that_nobody_wrote_is_damage_and_not_a_conflict() {
    let Some(server) = server() else { return };
    let schema = fresh("version");
    let store = server.store(&schema);
    let committed = write(&store, "a", 0);
    let at = key(&["last", "a"]);
    let again = |version: Version| {
        store.commit(Batch::default().expect(at.clone(), version).put(at.clone(), vec![1]))
    };
    for version in ["-1", "0"] {
        server.db().run(&format!("UPDATE {schema}.records SET version = {version}"));
        match again(committed.version) {
            Err(CommitError::Store(error)) => {
                assert_eq!(error.kind(), StoreErrorKind::Damaged, "{error}");
                assert!(error.to_string().contains("which no commit writes"), "{error}");
            }
            answer => panic!("{answer:?}"),
        }
    }
    let version = committed.version.get();
    server.db().run(&format!("UPDATE {schema}.records SET version = {version}"));
    again(committed.version).unwrap();
}

/// A group was committed and the reply was lost, and then the database cannot tell what became of it.
#[test]
fn a_doubt_outlives_an_answer_that_cannot_be_read() {
    let Some(server) = server() else { return };
    let schema = fresh("doubt");
    let proxy = Proxy::to(server.port());
    let options = patient(&schema).with_deadline_ms(300);
    let store = PostgresStore::open_with(&server.url_at(proxy.port()), &options).unwrap();
    let db = server.db();
    db.run(&format!(
        "CREATE FUNCTION {schema}.forget() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN NEW.last_group = NULL; RETURN NEW; END $$;
         CREATE TRIGGER forget BEFORE UPDATE ON {schema}.writers
         FOR EACH ROW EXECUTE FUNCTION {schema}.forget()"
    ));
    proxy.arm(Cut::After);
    let batch = numbered("a", 1).expect_absent(key(&["n", "a", "1"]));
    match store.commit(batch) {
        Err(CommitError::Store(error)) => {
            assert!(error.to_string().contains("whether it was written is not known"), "{error}");
        }
        answer => panic!("{answer:?}"),
    }
    let entries = format!("SELECT count(*) FROM {schema}.log");
    assert_eq!(db.rows(&entries), ["1"], "once, and nothing else");
    db.run(&format!("DROP TRIGGER forget ON {schema}.writers"));
    write(&store, "a", 2);
    assert_eq!(db.rows(&entries), ["2"]);
}
