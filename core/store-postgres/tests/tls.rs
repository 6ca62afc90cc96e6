use std::path::{Path, PathBuf};
use std::process::Command;

use placet_core::store::{Store as _, StoreErrorKind};
use placet_store_postgres::{Options, PostgresStore, Tls, TlsMode};

use crate::certificates::{Authority, ELSEWHERE, HERE};
use crate::server::{PASSWORD, Server, fresh, patient};
use crate::story::write;

const URL: &str = "PLACET_TEST_TLS_URL";

/// Lets the server show this certificate to new connections.
pub(crate) fn show(server: &Server, (certificate, key): &(PathBuf, PathBuf)) {
    let name = fresh("shown");
    let place = |path: &Path, end: &str| {
        server.take_in(&format!("{name}.{end}"), &std::fs::read(path).unwrap());
        format!("{name}.{end}")
    };
    let (certificate, key) = (place(certificate, "pem"), place(key, "key"));
    server.set(&[("ssl", "on"), ("ssl_cert_file", &certificate), ("ssl_key_file", &key)]);
}

/// A server with TLS whose certificate is signed by the authority, for its address.
pub(crate) fn encrypted() -> Option<(Server, Authority)> {
    let authority = Authority::found()?;
    let server = Server::begin(&[])?;
    show(&server, &authority.sign("server", HERE));
    Some((server, authority))
}

/// The sessions of stores, each with what it is for and whether it is encrypted.
fn sessions(server: &Server) -> Vec<String> {
    server.db().rows(
        "SELECT DISTINCT application_name, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
         WHERE application_name LIKE 'placet %' ORDER BY 1, 2",
    )
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    // Two minutes: a busy machine takes its time.
    for _ in 0..12_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("never: {what}");
}

/// How an opening ends: encrypted, plain, or why not.
pub(crate) fn outcome(server: &Server, url: &str, options: &Options) -> String {
    until("no session is left from before", || sessions(server).is_empty());
    let options = options.clone().with_notifies(false).with_read_connections(1);
    let options = options.with_connect_timeout_ms(60_000).with_statement_timeout_ms(120_000);
    match PostgresStore::open_with(url, &options) {
        Ok(store) => {
            let sessions = sessions(server);
            drop(store);
            match sessions.as_slice() {
                [reader, writer] if reader.ends_with("|t") && writer.ends_with("|t") => "encrypted",
                [reader, writer] if reader.ends_with("|f") && writer.ends_with("|f") => "plain",
                mixed => panic!("{mixed:?}"),
            }
            .to_owned()
        }
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
            assert!(error.help().is_some_and(|help| !help.is_empty()));
            let everything = format!("{error} {error:?}");
            assert!(!everything.contains(PASSWORD), "{everything}");
            assert!(!everything.contains("PRIVATE"), "{everything}");
            let said = error.to_string();
            said.rsplit_once("`: ").map_or(said.clone(), |(_, why)| why.to_owned())
        }
    }
}

#[test]
fn each_mode_gets_the_certificates_that_it_may_get() {
    let Some((server, ours)) = encrypted() else { return };
    let Some(others) = Authority::found() else { return };
    let (our, other) = (ours.root(), others.root());
    let alone = ours.sign_itself("alone", HERE);
    let asked = [
        "sslmode=disable".to_owned(),
        "sslmode=prefer".to_owned(),
        String::new(),
        "sslmode=require".to_owned(),
        format!("sslmode=prefer&sslrootcert={}", our.display()),
        format!("sslmode=require&sslrootcert={}", our.display()),
        format!("sslmode=verify-ca&sslrootcert={}", our.display()),
        format!("sslmode=verify-full&sslrootcert={}", our.display()),
        format!("sslrootcert={}", our.display()),
        format!("sslmode=verify-full&sslrootcert={}", other.display()),
        format!("sslmode=verify-full&sslrootcert={}", alone.0.display()),
    ];
    let shown = [
        ("for this host", Some(ours.sign("here", HERE))),
        ("for another host", Some(ours.sign("elsewhere", ELSEWHERE))),
        ("by somebody else", Some(others.sign("foreign", HERE))),
        ("expired", Some(ours.sign_expired("old", HERE))),
        ("an authority itself", Some((ours.root(), ours.root_key()))),
        ("by itself", Some(alone.clone())),
        ("no TLS at all", None),
    ];
    let mut table = String::new();
    for (title, certificate) in &shown {
        match certificate {
            Some(certificate) => show(&server, certificate),
            None => server.set(&[("ssl", "off")]),
        }
        table = table + title + "\n";
        for asked in &asked {
            let url = format!("{}?{asked}", server.url());
            let outcome = outcome(&server, &url, &Options::default());
            let asked = if asked.is_empty() { "(nothing)" } else { asked };
            let asked = asked
                .replace(our.to_str().unwrap(), "ours")
                .replace(other.to_str().unwrap(), "others")
                .replace(alone.0.to_str().unwrap(), "itself")
                .replace("sslmode=", "")
                .replace("sslrootcert=", "");
            table = table + "  " + asked.as_str() + ": " + outcome.as_str() + "\n";
        }
    }
    assert_eq!(table, include_str!("tls.txt"), "this is what it was:\n{table}");
}

#[test]
fn all_connections_of_a_store_are_encrypted_and_stay_so() {
    let Some((server, authority)) = encrypted() else { return };
    let tls = Tls::default().with_mode(TlsMode::VerifyFull).with_roots_file(authority.root());
    let options = patient("encrypted").with_tls(tls);
    let all = |ssl: &str| {
        ["listener", "reader", "writer"].map(|role| format!("placet {role}|{ssl}")).to_vec()
    };
    let (store, other) = (server.open(&options), server.open(&options));
    for round in 0..3 {
        let length = write(&store, "a", round).log_index.unwrap() + 1;
        assert_eq!(other.wait_for_log(length - 1, 300_000).unwrap(), length, "it was told");
        until("all listen", || sessions(&server) == all("t"));
        // They connect again, and not in the clear.
        server.db().run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'placet %'",
        );
        until("readers are back", || other.log_len().is_ok());
    }
    drop((store, other));

    // The view tells the one from the other.
    let plain = patient("encrypted");
    let store = PostgresStore::open_with(&format!("{}?sslmode=disable", server.url()), &plain);
    until("all listen", || sessions(&server) == all("f"));
    drop(store);
}

#[test]
fn a_root_that_was_changed_counts_from_the_next_connection_on() {
    let Some((server, ours)) = encrypted() else { return };
    let Some(others) = Authority::found() else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    let trust = |authority: &Authority| std::fs::copy(authority.root(), &root).unwrap();
    trust(&ours);
    let tls = Tls::default().with_mode(TlsMode::VerifyFull).with_roots_file(&root);
    let options = patient("placet").with_tls(tls).with_notifies(false).with_read_connections(1);
    let store = server.open(&options);
    write(&store, "a", 0);
    let end = || {
        server.db().run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'placet %'",
        );
        until("all ended", || sessions(&server).is_empty());
    };
    for (change, why) in
        [(Some(&others), "is not signed by anybody who is trusted"), (None, "cannot be read")]
    {
        match change {
            Some(authority) => drop(trust(authority)),
            None => std::fs::remove_file(&root).unwrap(),
        }
        end();
        // The first answer may still be that the old connection is gone.
        until("the change counts", || {
            store.log_len().is_err_and(|error| error.to_string().contains(why))
        });
        let error = store.commit(crate::story::numbered("a", 1)).unwrap_err().to_string();
        assert!(error.contains("nothing was written"), "{error}");
        assert!(sessions(&server).is_empty());
        trust(&ours);
        until("it is trusted again", || store.log_len().is_ok());
    }
    write(&store, "a", 1);
}

#[test]
fn a_login_is_bound_to_the_certificate() {
    let Some((server, _)) = encrypted() else { return };
    let Some(authority) = Authority::found_ed25519() else { return };
    let bound = |rest: &str| {
        let url = format!("{}?channel_binding=require&{rest}", server.url());
        outcome(&server, &url, &Options::default())
    };
    assert_eq!(bound("sslmode=require"), "encrypted");
    assert_eq!(bound("sslmode=disable"), "the login failed");
    // To one with a signature that names no digest it cannot be bound: then it is said.
    show(&server, &authority.sign("modern", HERE));
    assert_eq!(bound("sslmode=require"), "the login failed");
    let url = format!("{}?sslrootcert={}", server.url(), authority.root().display());
    assert_eq!(outcome(&server, &url, &Options::default()), "encrypted");
}

/// Not a test of its own: the child of the test below, whose system trusts somebody else.
#[test]
fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let said = match PostgresStore::open(&url) {
        Ok(store) => format!("{:?}", store.log_len()),
        Err(error) => error.to_string(),
    };
    println!("said: {said}");
}

#[test]
fn the_roots_of_the_system_count_when_they_are_asked_for() {
    let Some((server, ours)) = encrypted() else { return };
    let Some(others) = Authority::found() else { return };
    let run = |root: &Path, rest: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tls::child", "--nocapture", "--test-threads=1"])
            .env(URL, format!("{}?{rest}", server.url()))
            .env("SSL_CERT_FILE", root)
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let empty = tempfile::NamedTempFile::new().unwrap();
    for rest in ["sslmode=verify-full", "sslrootcert=system"] {
        let said = run(&ours.root(), rest);
        assert!(said.contains("said: Ok(0)"), "{rest}: {said}");
        let said = run(&others.root(), rest);
        assert!(said.contains("is not signed by anybody who is trusted"), "{rest}: {said}");
        let said = run(empty.path(), rest);
        assert!(said.contains("store of root certificates has no certificate"), "{rest}: {said}");
    }
    let said = run(&ours.root(), "sslmode=verify-ca&sslrootcert=system");
    assert!(said.contains("sign for any host"), "{said}");
}
