//! Two credentials, what they may, and what is said of them.

use placet_target::{Access, SqlFailure, SqlTarget as _, StopSignal};
use placet_target_postgres::PostgresTarget;

use crate::server::PASSWORD;
use crate::story::{code, id, lines, marker, stage};

#[test]
fn readers_come_with_a_credential_of_their_own() {
    let Some(stage) = stage("CREATE TABLE t (a int); CREATE TABLE secret (a int)") else { return };
    let writer = stage.role("writer", "GRANT ALL ON t TO ROLE");
    stage.db.run(&format!("GRANT CREATE ON DATABASE {} TO {writer}", stage.name));
    let reader = stage.role("reader", "GRANT SELECT ON t TO ROLE");
    let (server, name) = (&stage.server, &stage.name);
    let target = PostgresTarget::new(server.url_of(&writer, server.port(), name))
        .with_read_only_url(server.url_of(&reader, server.port(), name))
        .with_connect_timeout_ms(60_000)
        .with_lock_wait_ms(60_000);
    let mut reading = target.open(Access::ReadOnly, &StopSignal::new()).unwrap();
    assert_eq!(lines(&mut *reading, "SELECT current_user"), [reader]);
    assert_eq!(code(reading.query("SELECT * FROM secret", &[], 1, 1_000)), "sql.42501");
    let mut writing = target.open(Access::ReadWrite(id(1)), &StopSignal::new()).unwrap();
    assert_eq!(lines(&mut *writing, "SELECT current_user"), [writer]);
    writing.begin().unwrap();
    writing.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
    writing.commit(&marker(1)).unwrap();
    drop(writing);
    // The reader has no right on the marks, and reads them all the same: the host looks by the other one.
    assert_eq!(reading.marker(&id(1)).unwrap(), Some(true));
    assert_eq!(reading.marker(&id(2)).unwrap(), Some(false));
    assert_eq!(reading.steps(&id(1)).unwrap(), Some(Vec::new()));
}

#[test]
fn scripts_are_not_tried_as_somebody_who_reaches_more_than_the_database() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let begun = |user: &str, is_allowed: bool| {
        let url = stage.server.url_of(user, stage.server.port(), &stage.name);
        let target = PostgresTarget::new(url).with_connect_timeout_ms(60_000);
        let target = if is_allowed { target.allow_superuser_dry_runs() } else { target };
        let mut session = target.open(Access::ReadWrite(id(0)), &StopSignal::new()).unwrap();
        session.begin()?;
        session.execute("INSERT INTO t VALUES (1)", &[])
    };
    let plain = stage.role("plain", "GRANT ALL ON t TO ROLE");
    let reads = stage.role("reads", "GRANT pg_read_server_files TO ROLE");
    let runs = stage.role("runs", "GRANT pg_execute_server_program TO ROLE");
    let behind = stage.role("behind", &format!("GRANT {runs} TO ROLE; ALTER USER ROLE NOINHERIT"));
    let makes = stage.role("makes", "ALTER USER ROLE createrole");
    assert_eq!(begun(&plain, false).unwrap(), 1);
    for role in ["owner", &reads, &runs, &behind, &makes] {
        let why = crate::story::refusal(begun(role, false));
        assert!(why.contains("no rollback"), "{role}: {why}");
    }
    assert_eq!(begun("owner", true).unwrap(), 1);
    // What was approved runs as whoever the host names.
    let target = PostgresTarget::new(stage.url()).with_connect_timeout_ms(60_000);
    let mut session = target.open(Access::ReadWrite(id(1)), &StopSignal::new()).unwrap();
    session.begin().unwrap();
    session.commit(&marker(1)).unwrap();
}

#[test]
fn who_cannot_mark_what_it_does_does_nothing() {
    let Some(stage) = stage("CREATE TABLE t (a int)") else { return };
    let role = stage.role("poor", "GRANT ALL ON t TO ROLE");
    let server = &stage.server;
    let target = PostgresTarget::new(server.url_of(&role, server.port(), &stage.name))
        .with_connect_timeout_ms(60_000);
    let refused = target.open(Access::ReadWrite(id(1)), &StopSignal::new());
    let Err(SqlFailure::Unavailable(error)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("schema `placet`"), "{error}");
    assert!(error.help().is_some());
    // With a schema of its own it can.
    stage.db.run(&format!("CREATE SCHEMA marks AUTHORIZATION {role}"));
    let target = target.with_schema("marks");
    let mut session = target.open(Access::ReadWrite(id(1)), &StopSignal::new()).unwrap();
    session.begin().unwrap();
    session.commit(&marker(1)).unwrap();
    assert_eq!(stage.db.rows("SELECT attempt FROM marks.placet_marker"), ["1"]);
}

#[test]
fn a_server_elsewhere_gets_no_password_in_the_clear_unless_the_host_says_so() {
    let Some(stage) = stage("") else { return };
    // The server has no TLS. What a name means, others decide.
    let near = stage.url();
    let far = near.replace("127.0.0.1", "localhost");
    for (url, opens) in [
        (near, true),
        (far.clone(), false),
        (format!("{far}?sslmode=require"), false),
        (format!("{far}?sslmode=disable"), true),
        (format!("{far}?sslmode=prefer"), true),
    ] {
        let target = PostgresTarget::new(&url).with_connect_timeout_ms(60_000);
        let opened = target.open(Access::ReadOnly, &StopSignal::new());
        assert_eq!(opened.is_ok(), opens, "{url}: {opened:?}");
    }
}

#[test]
fn nothing_that_is_said_gives_a_credential_or_an_address_away() {
    let Some(stage) = stage("") else { return };
    let port = stage.server.port();
    let wrong = [
        stage.server.url_of("nobody", port, &stage.name),
        stage.server.url_of("owner", port, "nowhere"),
        stage.server.url_of("owner", 1, &stage.name),
        format!("postgres://owner:{PASSWORD}@no-such-host.invalid/d"),
        format!("postgres://owner:{PASSWORD}@127.0.0.1:{port}/d?sslmode=require"),
        format!(
            "postgres://owner:{PASSWORD}@127.0.0.1:{port}/d?sslmode=verify-full&sslrootcert=/no/such/file"
        ),
        format!("postgres://owner:{PASSWORD}@127.0.0.1:{port}/d?ssl=on"),
        format!("host=127.0.0.1 password={PASSWORD}"),
        format!("postgres://owner:{PASSWORD}@127.0.0.1:port/d"),
    ];
    for url in wrong {
        let target = PostgresTarget::new(&url).with_read_only_url(&url);
        for access in [Access::ReadOnly, Access::ReadWrite(id(1))] {
            let failure = target.open(access, &StopSignal::new()).unwrap_err();
            let SqlFailure::Unavailable(error) = &failure else { panic!("{url}: {failure:?}") };
            assert!(error.help().is_some_and(|help| !help.is_empty()), "{error}");
            let said = format!("{failure:?} {} {target:?}", failure.message());
            for hidden in [PASSWORD, "127.0.0.1", "nobody", "nowhere", "owner", "such"] {
                assert!(!said.contains(hidden), "{url}: {said}");
            }
        }
    }
    let target = PostgresTarget::new(stage.url()).with_schema("pg_mine");
    assert!(target.open(Access::ReadOnly, &StopSignal::new()).is_err());
}
