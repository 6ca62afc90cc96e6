//! Whose certificate counts.

use std::path::Path;
use std::process::Command;

use placet_target_deploy::testing::{Product, ProductServer};
use placet_target_deploy::{EndpointBuilder, HttpFailureKind};

use crate::story::{begin, writing};

/// Says loudly that a test did nothing, and fails where it must not do that.
fn skip(why: &str) {
    println!("SKIPPED: {why}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "skipped in CI: {why}");
}

/// A certificate that signed itself, its key, and the digest of its public key.
struct Certificate {
    pem: String,
    key: String,
    pin: String,
}

fn openssl(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

fn certificate(name: &str) -> Option<Certificate> {
    if !Command::new("openssl").arg("version").output().is_ok_and(|it| it.status.success()) {
        skip("`openssl` is not installed");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let subject = format!("subjectAltName={name}");
    openssl(
        folder.path(),
        &[
            "req",
            "-x509",
            "-days",
            "30",
            "-subj",
            "/CN=server",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-addext",
            &subject,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
    );
    let public = openssl(folder.path(), &["x509", "-in", "cert.pem", "-noout", "-pubkey"]);
    std::fs::write(folder.path().join("public.pem"), public).unwrap();
    openssl(
        folder.path(),
        &["pkey", "-pubin", "-in", "public.pem", "-outform", "DER", "-out", "public.der"],
    );
    let digest = openssl(folder.path(), &["dgst", "-sha256", "-r", "public.der"]);
    let pin = String::from_utf8(digest).unwrap().split(' ').next().unwrap().to_owned();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    Some(Certificate { pem: read("cert.pem"), key: read("key.pem"), pin })
}

/// What somebody gets who begins a deployment there.
fn ending(server: &ProductServer, endpoint: EndpointBuilder) -> Result<u16, &'static str> {
    let before = server.begun();
    match endpoint.build().unwrap().send(&begin(Product::Rundeck), &writing()) {
        Ok(answer) => Ok(answer.status),
        Err(failure) => {
            assert_eq!(failure.kind(), HttpFailureKind::Connection, "{failure:?}");
            assert!(!failure.may_have_taken_effect());
            assert_eq!(server.begun(), before);
            Err(failure.code())
        }
    }
}

#[test]
fn a_server_is_trusted_for_its_name_its_authority_and_its_key() {
    let Some(own) = certificate("IP:127.0.0.1") else { return };
    let Some(changed) = certificate("IP:127.0.0.1") else { return };
    let Some(elsewhere) = certificate("IP:10.1.2.3,DNS:ci.example.org") else { return };
    let refused = Err("http.certificate");
    let server = ProductServer::start_tls(Product::Rundeck, &own.pem, &own.key);
    let trusting = || server.endpoint().roots_pem(&own.pem);
    assert_eq!(ending(&server, trusting()), Ok(200));
    assert_eq!(ending(&server, trusting().pin(&own.pin)), Ok(200));
    assert_eq!(
        ending(&server, trusting().pin(&changed.pin).pin(format!("sha256:{}", own.pin))),
        Ok(200)
    );
    // Of another key, of an authority that nobody named, and of none but those of the system.
    assert_eq!(ending(&server, trusting().pin(&changed.pin)), refused);
    assert_eq!(ending(&server, server.endpoint().roots_pem(&changed.pem)), refused);
    assert_eq!(ending(&server, server.endpoint()), refused);
    // A pin alone is not enough: the certificate must be good too.
    assert_eq!(ending(&server, server.endpoint().pin(&own.pin)), refused);

    let server = ProductServer::start_tls(Product::Rundeck, &elsewhere.pem, &elsewhere.key);
    assert_eq!(ending(&server, server.endpoint().roots_pem(&elsewhere.pem)), refused);
    let both = format!("{}{}", own.pem, changed.pem);
    let server = ProductServer::start_tls(Product::Rundeck, &changed.pem, &changed.key);
    // The server has a new certificate, from an authority that is trusted, and not the key that was pinned.
    assert_eq!(ending(&server, server.endpoint().roots_pem(&both)), Ok(200));
    assert_eq!(ending(&server, server.endpoint().roots_pem(&both).pin(&own.pin)), refused);
}

#[test]
fn a_server_that_does_not_encrypt_gets_nothing() {
    let Some(own) = certificate("IP:127.0.0.1") else { return };
    let server = ProductServer::start(Product::Rundeck);
    let url = server.url().replace("http://", "https://");
    let endpoint = placet_target_deploy::Endpoint::builder(&url)
        .allow_private_addresses()
        .roots_pem(&own.pem)
        .write(placet_target_deploy::Rule::below("POST", "/"));
    // It waits for the end of a request that never comes; so ends whoever sent nothing.
    let endpoint = endpoint.duration_max(crate::story::SHORT).build().unwrap();
    let failure = endpoint.send(&begin(Product::Rundeck), &writing()).unwrap_err();
    assert!(!failure.may_have_taken_effect(), "{failure:?}");
    assert_eq!(failure.kind(), HttpFailureKind::Timeout);
    assert_eq!(server.finish(), []);
}
