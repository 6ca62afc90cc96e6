//! Whose certificate counts.

use std::sync::Arc;

use placet_core::error::{Code, Error};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use sha2::{Digest as _, Sha256};

/// What connections are encrypted with. `roots` are certificates in PEM form; without them the system's count.
/// Where there are `pins`, the server's key must have one of these digests besides.
pub(super) fn config(roots: Option<&str>, pins: Vec<[u8; 32]>) -> Result<Arc<ClientConfig>, Error> {
    // Our own provider, whatever the host has made the default of its process.
    let provider = Arc::new(ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(
        Arc::new(read_roots(roots)?),
        Arc::clone(&provider),
    );
    let inner = inner.build().map_err(|_cause| unreadable())?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_cause| unreadable())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned { inner, pins }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Checks name, signature and time as always, and the key besides.
#[derive(Debug)]
struct Pinned {
    inner: Arc<WebPkiServerVerifier>,
    pins: Vec<[u8; 32]>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verified =
            self.inner.verify_server_cert(certificate, intermediates, host, ocsp, now)?;
        if !self.pins.is_empty() {
            let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
            let digest: [u8; 32] = Sha256::digest(&key).into();
            if !self.pins.contains(&digest) {
                let refused = CertificateError::ApplicationVerificationFailure;
                return Err(TlsError::InvalidCertificate(refused));
            }
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn read_roots(pem: Option<&str>) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    let found = match pem {
        Some(pem) => {
            let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
            read.map_err(|_cause| unreadable())?
        }
        None => rustls_native_certs::load_native_certs().certs,
    };
    // One that cannot be used makes nobody trusted who should not be.
    let (usable, _unusable) = store.add_parsable_certificates(found);
    if usable == 0 { Err(unreadable()) } else { Ok(store) }
}

fn unreadable() -> Error {
    Error::new(Code::InvalidInput, "the root certificates of an endpoint cannot be used")
        .with_help("give them in PEM form, or none, so that those of the system count")
}

/// A SHA-256 digest in hexadecimal digits, with or without `sha256:` before it.
pub(super) fn parse_pin(text: &str) -> Result<[u8; 32], Error> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
    let mut pin = [0_u8; 32];
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => {
            let value = |digit: u8| char::from(digit).to_digit(16);
            Some(value(*high)?.checked_mul(16)?.checked_add(value(*low)?)?)
        }
        _ => None,
    });
    let bytes: Option<Vec<u8>> =
        pairs.map(|value| value.and_then(|value| u8::try_from(value).ok())).collect();
    match bytes {
        Some(bytes) if bytes.len() == pin.len() => {
            pin.copy_from_slice(&bytes);
            Ok(pin)
        }
        _ => Err(Error::new(Code::InvalidInput, "a pin of an endpoint is no SHA-256 digest").with_help(
            "write 64 hexadecimal digits: the digest of the certificate's SubjectPublicKeyInfo in DER form",
        )),
    }
}
