//! Encrypted sessions, and whom they trust.

use std::path::PathBuf;
use std::process::Command;
use std::thread;

use placet_target::testing::{skip, until};
use placet_target::{Access, SqlFailure, SqlTarget as _, StopReason, StopSignal};
use placet_target_postgres::{PostgresTarget, Tls, TlsMode};
use tempfile::TempDir;

use crate::server::{Db, Server};
use crate::story::{id, lines, marker};

/// A folder with a certificate that signed itself, for this server's address or another one.
fn certificate(name: &str) -> Option<(TempDir, PathBuf)> {
    if !Command::new("openssl").arg("version").output().is_ok_and(|it| it.status.success()) {
        skip("`openssl` is not installed");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-days", "30", "-subj", "/CN=server", "-nodes", "-newkey"])
        .args(["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-addext"])
        .arg(format!("subjectAltName=IP:{name}"))
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let path = folder.path().join("cert.pem");
    Some((folder, path))
}

const ENDLESS: &str =
    "SELECT count(*) FROM (SELECT generate_series(1::bigint, 100000000000000)) AS endless";

#[test]
fn sessions_are_encrypted_and_cancelled_so_too() {
    let Some((folder, root)) = certificate("127.0.0.1") else { return };
    let Some((_elsewhere, other)) = certificate("10.1.2.3") else { return };
    let Some(server) = Server::begin(&[]) else { return };
    for name in ["cert.pem", "key.pem"] {
        server.take_in(name, &std::fs::read(folder.path().join(name)).unwrap());
    }
    let db = Db::connect(&server.url("postgres")).unwrap();
    db.run("ALTER SYSTEM SET ssl_cert_file = 'cert.pem'");
    db.run("ALTER SYSTEM SET ssl_key_file = 'key.pem'");
    db.run("ALTER SYSTEM SET ssl = on");
    db.run("SELECT pg_reload_conf()");
    until("the server speaks TLS", || {
        Db::connect(&server.url("postgres")).unwrap().rows("SHOW ssl") == ["on"]
    });
    let target = PostgresTarget::new(server.url("postgres")).with_connect_timeout_ms(60_000);
    let encrypted = |target: &PostgresTarget| {
        let mut session = target.open(Access::ReadOnly, &StopSignal::new())?;
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        Ok::<_, SqlFailure>(lines(&mut *session, sql) == ["true"])
    };
    let with = |mode| Tls::default().with_mode(mode);
    let full = with(TlsMode::VerifyFull);
    // The certificate is its own root. Another one does not sign it.
    for (tls, due) in [
        (with(TlsMode::Disable), Some(false)),
        (with(TlsMode::Prefer), Some(true)),
        (with(TlsMode::Require), Some(true)),
        (with(TlsMode::VerifyCa).with_roots_file(&other), None),
        (full.clone().with_roots_file(&other), None),
        (full.with_system_roots(), None),
    ] {
        let found = encrypted(&target.clone().with_tls(tls.clone()));
        assert_eq!(found.as_ref().ok().copied(), due, "{tls:?}: {found:?}");
    }
    drop(root);

    // A statement is cancelled over TLS, where the server takes nothing else.
    let target = target.with_tls(with(TlsMode::Require));
    let stop = StopSignal::new();
    let mut session = target.open(Access::ReadOnly, &stop).unwrap();
    let busy = || {
        let sql = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%endless%' AND pid <> pg_backend_pid()";
        db.rows(sql).len()
    };
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let answer = session.query(ENDLESS, &[], 1, 1_000);
            assert!(matches!(answer, Err(SqlFailure::Stopped(StopReason::Timeout))), "{answer:?}");
        });
        until("the server is busy", || busy() == 1);
        stop.raise(StopReason::Timeout);
        worker.join().unwrap();
    });
    assert_eq!(busy(), 0);
    let mut session = target.open(Access::ReadWrite(id(1)), &StopSignal::new()).unwrap();
    session.begin().unwrap();
    session.commit(&marker(1)).unwrap();
    assert_eq!(session.marker(&id(1)).unwrap(), Some(true));
}
