//! Whose certificate counts.

use placet_target_deploy::testing::{Certificate, Product, ProductServer};
use placet_target_deploy::{EndpointBuilder, HttpFailureKind};

use crate::story::{begin, writing};

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
    let Some(own) = Certificate::of("IP:127.0.0.1") else { return };
    let Some(changed) = Certificate::of("IP:127.0.0.1") else { return };
    let Some(elsewhere) = Certificate::of("IP:10.1.2.3,DNS:ci.example.org") else { return };
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
    let Some(own) = Certificate::of("IP:127.0.0.1") else { return };
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
