//! Whom a connection trusts: what was asked for, made sure of, and handed to the TLS library.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_target::SqlFailure;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::fault::unavailable;
use crate::tls::{Tls, TlsMode, TlsRoots};
use crate::verifier::Lenient;

/// What is made sure of when a server shows its certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Check {
    /// That it has the key of the certificate that it shows, and nothing else.
    Nothing,
    /// That one of these authorities signed it.
    Authority(TlsRoots),
    /// That one of these authorities signed it for this host.
    Host(TlsRoots),
}

/// How a connection is encrypted. All questions that the options leave open are answered here.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    /// Whether a server without TLS is refused.
    pub(crate) is_required: bool,
    check: Check,
    client: Option<(PathBuf, PathBuf)>,
}

impl Trust {
    /// What URL and options ask for together; `None` where connections are not to be encrypted. `is_near` says that
    /// nobody can stand between this process and the server: both are on one machine.
    pub(crate) fn new(url: Tls, options: &Tls, is_near: bool) -> Result<Option<Self>, SqlFailure> {
        let mode = one("sslmode", url.mode, options.mode)?;
        let roots = one("sslrootcert", url.roots, options.roots.clone())?;
        let certificate = one("sslcert", url.certificate, options.certificate.clone())?;
        let key = one("sslkey", url.key, options.key.clone())?;
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(unavailable(
                    "the target has half a client certificate",
                    "give both `sslcert` and `sslkey`, or none",
                ));
            }
        };
        // Who names roots wants them to count.
        let unsaid =
            if roots.is_some() || !is_near { TlsMode::VerifyFull } else { TlsMode::Prefer };
        let mode = mode.unwrap_or(unsaid);
        if roots == Some(TlsRoots::System) && mode != TlsMode::VerifyFull {
            // Anybody gets a certificate from one of those, for a host of their own.
            return Err(unavailable(
                "the system's root certificates sign for any host, and the target's `sslmode` does not look at it",
                "use `sslmode=verify-full`, or name a root certificate of your own",
            ));
        }
        let check = match (mode, roots) {
            (TlsMode::Disable, _) => return Ok(None),
            (TlsMode::VerifyFull, roots) => Check::Host(roots.unwrap_or(TlsRoots::System)),
            (TlsMode::VerifyCa, None) => {
                return Err(unavailable(
                    "`sslmode=verify-ca` of the target needs to know whose certificates count",
                    "name a file with the root certificate, or use `sslmode=verify-full`",
                ));
            }
            // As libpq: who gives roots gets them looked at, whatever the mode is called.
            (TlsMode::VerifyCa | TlsMode::Require | TlsMode::Prefer, Some(roots)) => {
                Check::Authority(roots)
            }
            (TlsMode::Require | TlsMode::Prefer, None) => Check::Nothing,
        };
        Ok(Some(Self { is_required: mode != TlsMode::Prefer, check, client }))
    }

    /// Reads the files, and makes what a connection is encrypted with.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect, SqlFailure> {
        // Our own, whatever the host has made the default of its process.
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_unable| unavailable("TLS cannot be set up", "use TLS 1.2 or 1.3"))?;
        let lenient = |roots| Arc::new(Lenient { roots, algorithms });
        let builder = match &self.check {
            Check::Host(roots) => builder.with_root_certificates(read_roots(roots)?),
            Check::Authority(roots) => {
                let lenient = lenient(Some(read_roots(roots)?));
                builder.dangerous().with_custom_certificate_verifier(lenient)
            }
            Check::Nothing => builder.dangerous().with_custom_certificate_verifier(lenient(None)),
        };
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = read_certificates(certificate)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|_cause| unreadable())?;
                builder.with_client_auth_cert(chain, key).map_err(|_cause| unreadable())?
            }
        };
        // What a server asks for that speaks TLS from the first byte on; others pass over it.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(MakeRustlsConnect::new(config))
    }
}

/// What one of the two says, or both, if they say the same.
fn one<T: PartialEq>(
    name: &str,
    url: Option<T>,
    options: Option<T>,
) -> Result<Option<T>, SqlFailure> {
    match (url, options) {
        (Some(url), Some(options)) if url != options => Err(unavailable(
            &format!("the target's URL and options say different things about `{name}`"),
            "say it once, or the same twice",
        )),
        (url, options) => Ok(url.or(options)),
    }
}

fn read_roots(roots: &TlsRoots) -> Result<RootCertStore, SqlFailure> {
    let mut store = RootCertStore::empty();
    let found = match roots {
        TlsRoots::File(path) => read_certificates(path)?,
        TlsRoots::System => rustls_native_certs::load_native_certs().certs,
    };
    // One that cannot be used makes nobody trusted who should not be.
    let (usable, _unusable) = store.add_parsable_certificates(found);
    if usable == 0 { Err(unreadable()) } else { Ok(store) }
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SqlFailure> {
    let found =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    found.map_err(|_cause| unreadable())
}

// Says no path: plugins and approvers see it.
fn unreadable() -> SqlFailure {
    unavailable(
        "a certificate or key of the target cannot be read or used",
        "check that the files of `sslrootcert`, `sslcert` and `sslkey` are there, in PEM form, and fit each other",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(tls: &Tls, is_near: bool) -> String {
        match Trust::new(Tls::default(), tls, is_near) {
            Ok(None) => "plain".to_owned(),
            Ok(Some(trust)) => {
                let check = match trust.check {
                    Check::Nothing => "anybody",
                    Check::Authority(_) => "signed",
                    Check::Host(_) => "host signed",
                };
                if trust.is_required { check.to_owned() } else { format!("plain or {check}") }
            }
            Err(_) => "refused".to_owned(),
        }
    }

    #[test]
    fn each_mode_trusts_what_libpq_says_it_trusts() {
        let modes = [
            (None, "plain or anybody", "host signed", "host signed"),
            (Some(TlsMode::Disable), "plain", "plain", "refused"),
            (Some(TlsMode::Prefer), "plain or anybody", "plain or signed", "refused"),
            (Some(TlsMode::Require), "anybody", "signed", "refused"),
            (Some(TlsMode::VerifyCa), "refused", "signed", "refused"),
            (Some(TlsMode::VerifyFull), "host signed", "host signed", "host signed"),
        ];
        for (mode, none, file, system) in modes {
            let tls = Tls { mode, ..Tls::default() };
            for is_near in [false, true] {
                // What nobody said is as strict as can be, wherever somebody could listen.
                let none = if mode.is_none() && !is_near { "host signed" } else { none };
                assert_eq!(said(&tls, is_near), none, "{mode:?}");
                assert_eq!(said(&tls.clone().with_roots_file("r"), is_near), file, "{mode:?}");
                assert_eq!(said(&tls.clone().with_system_roots(), is_near), system, "{mode:?}");
            }
        }
    }

    #[test]
    fn url_and_options_must_agree() {
        let (full, off) = (TlsMode::VerifyFull, TlsMode::Disable);
        let url = Tls::default().with_mode(full);
        assert!(Trust::new(url.clone(), &Tls::default().with_mode(full), true).is_ok());
        let failure = Trust::new(url, &Tls::default().with_mode(off), true).unwrap_err();
        assert!(failure.message().contains("`sslmode`"), "{failure:?}");
    }
}
