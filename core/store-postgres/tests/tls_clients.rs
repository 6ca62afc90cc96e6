use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use placet_store_postgres::{Options, Tls, TlsMode};

use crate::certificates::{Authority, CLIENT};
use crate::server::Server;
use crate::tls::{encrypted, outcome};

/// A server that lets the role `holder` in by certificate alone.
fn with_clients() -> Option<(Server, Authority)> {
    let (server, authority) = encrypted()?;
    server.take_in("root.pem", &std::fs::read(authority.root()).unwrap());
    let rules = b"hostssl all holder 127.0.0.1/32 cert\nhost all all 127.0.0.1/32 scram-sha-256\n";
    // The server reads its rules again when it reads its settings again.
    server.take_in("pg_hba.conf", rules);
    server.db().run("CREATE ROLE holder LOGIN SUPERUSER");
    server.set(&[("ssl_ca_file", "root.pem")]);
    Some((server, authority))
}

fn open(server: &Server, authority: &Authority, client: Option<(&Path, &Path)>) -> String {
    let url = format!("postgres://holder@127.0.0.1:{}/postgres", server.port());
    let mut tls = Tls::default().with_mode(TlsMode::VerifyFull).with_roots_file(authority.root());
    if let Some((certificate, key)) = client {
        tls = tls.with_client(certificate, key);
    }
    outcome(server, &url, &Options::default().with_tls(tls))
}

#[test]
fn a_node_shows_who_it_is() {
    let Some((server, authority)) = with_clients() else { return };
    let Some(others) = Authority::found() else { return };
    let (certificate, key) = authority.sign("holder", CLIENT);
    let with = |certificate: &Path, key: &Path| open(&server, &authority, Some((certificate, key)));
    assert_eq!(with(&certificate, &key), "encrypted");
    assert_eq!(open(&server, &authority, None), "the server refuses the login");

    // One of somebody else: the right authority, and another name.
    let (guest, guest_key) = authority.sign("guest", CLIENT);
    assert_eq!(with(&guest, &guest_key), "the server refuses the login");

    // The URL can say it, too.
    let url = format!(
        "postgres://holder@127.0.0.1:{}/postgres?sslmode=verify-full&sslrootcert={}&sslcert={}&sslkey={}",
        server.port(),
        authority.root().display(),
        certificate.display(),
        key.display(),
    );
    assert_eq!(outcome(&server, &url, &Options::default()), "encrypted");

    // One that the server does not trust. TLS 1.3 tells only after the handshake, TLS 1.2 within it; and the
    // server cuts the line behind what it tells, so that it is not always heard. How that is said where it is
    // heard, `handshake.rs` tests.
    let (foreign, foreign_key) = others.sign("holder", CLIENT);
    let (old, old_key) = authority.sign_expired("holder_once", CLIENT);
    for newest in ["TLSv1.3", "TLSv1.2"] {
        server.set(&[("ssl_max_protocol_version", newest)]);
        for (certificate, key) in [(&foreign, &foreign_key), (&old, &old_key)] {
            assert_ne!(with(certificate, key), "encrypted", "{newest}");
        }
        assert_eq!(with(&certificate, &key), "encrypted", "{newest}");
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let Some((server, authority)) = encrypted() else { return };
    let (certificate, key) = authority.sign("holder", CLIENT);
    let (other, _) = authority.sign("other", CLIENT);
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let empty = file("empty.pem", "");
    let garbled =
        file("garbled.pem", "-----BEGIN CERTIFICATE-----\n!hunter2!\n-----END CERTIFICATE-----\n");
    let secret =
        file("garbled.key", "-----BEGIN PRIVATE KEY-----\n!hunter2!\n-----END PRIVATE KEY-----\n");
    let open = folder.path().join("open.key");
    std::fs::copy(&key, &open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let locked = authority.lock(&key);

    let try_roots = |path: &Path| {
        let tls = Tls::default().with_roots_file(path);
        outcome(&server, &server.url(), &Options::default().with_tls(tls))
    };
    let try_client = |certificate: &Path, key: &Path| {
        let tls = Tls::default().with_mode(TlsMode::Require).with_client(certificate, key);
        outcome(&server, &server.url(), &Options::default().with_tls(tls))
    };
    let check = |said: String, what: &str, path: &PathBuf| {
        assert!(said.contains(what), "{said}");
        assert!(said.contains(path.to_str().unwrap()), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    };
    check(try_roots(&missing), "root certificate file", &missing);
    check(try_roots(folder.path()), "cannot be read", &folder.path().to_owned());
    check(try_roots(&empty), "there is no root certificate in the file", &empty);
    check(try_roots(&garbled), "there is no root certificate in the file", &garbled);
    check(try_roots(&key), "there is no root certificate in the file", &key);
    check(try_client(&missing, &key), "client certificate file", &missing);
    check(try_client(&empty, &key), "there is no client certificate in the file", &empty);
    check(try_client(&certificate, &missing), "private key file", &missing);
    check(try_client(&certificate, &secret), "there is no private key in the file", &secret);
    check(try_client(&certificate, &certificate), "there is no private key", &certificate);
    check(try_client(&certificate, &locked), "there is no private key in the file", &locked);
    check(try_client(&certificate, &open), "is open to others", &open);
    check(try_client(&other, &key), "cannot be used together", &other);
    assert_eq!(try_client(&certificate, &key), "encrypted");
}
