//! Whom a connection trusts: what was asked for, made sure of, and handed to the TLS library.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_core::store::{StoreError, StoreErrorKind};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

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
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Trust {
    /// Whether a server without TLS is refused.
    pub(crate) is_required: bool,
    check: Check,
    /// Certificate and key of this node.
    client: Option<(PathBuf, PathBuf)>,
}

fn refused(message: impl Into<String>, help: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, message.into()).with_help(help)
}

impl Trust {
    /// What URL and options ask for together; `None` where connections are not to be encrypted.
    pub(crate) fn new(url: Tls, options: &Tls) -> Result<Option<Self>, StoreError> {
        let mode = one("sslmode", url.mode, options.mode)?;
        let roots = one("sslrootcert", url.roots, options.roots.clone())?;
        let certificate = one("sslcert", url.certificate, options.certificate.clone())?;
        let key = one("sslkey", url.key, options.key.clone())?;
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let message =
                    "a client certificate and its private key go together, and one is missing";
                return Err(refused(message, "give both, as `sslcert` and `sslkey`, or none"));
            }
        };
        // Who names roots wants them to count.
        let unsaid = if roots.is_some() { TlsMode::VerifyFull } else { TlsMode::Prefer };
        let mode = mode.unwrap_or(unsaid);
        if roots == Some(TlsRoots::System) && mode != TlsMode::VerifyFull {
            // Anybody gets a certificate from one of those, for a host of their own.
            let name = mode.name();
            return Err(refused(
                format!(
                    "`sslmode={name}` does not look at the host, and the system's root certificates sign for any host"
                ),
                "use `sslmode=verify-full`, or name a root certificate of your own",
            ));
        }
        let check = match (mode, roots) {
            (TlsMode::Disable, _) => return Ok(None),
            (TlsMode::VerifyFull, roots) => Check::Host(roots.unwrap_or(TlsRoots::System)),
            (TlsMode::VerifyCa, None) => {
                return Err(refused(
                    "`sslmode=verify-ca` needs to know whose certificates count",
                    "name a file with the root certificate as `sslrootcert`, or use `sslmode=verify-full`",
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

    /// Reads the files, and makes what a connection is encrypted with. This may wait for a disk.
    pub(crate) fn connector(&self) -> Result<MakeRustlsConnect, StoreError> {
        // Our own, whatever the host has made the default of its process.
        let provider = Arc::new(ring::default_provider());
        let mut config = self.config(provider)?;
        // What a server asks for that speaks TLS from the first byte on; others pass over it.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(MakeRustlsConnect::new(config))
    }

    fn config(&self, provider: Arc<CryptoProvider>) -> Result<ClientConfig, StoreError> {
        let algorithms = provider.signature_verification_algorithms;
        let unable = |cause: rustls::Error| {
            refused("TLS cannot be set up", "look at the cause").with_source(cause)
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unable)?;
        let lenient = |roots| Arc::new(Lenient { roots, algorithms });
        let builder = match &self.check {
            Check::Host(roots) => builder.with_root_certificates(read_roots(roots)?),
            Check::Authority(roots) => {
                let lenient = lenient(Some(read_roots(roots)?));
                builder.dangerous().with_custom_certificate_verifier(lenient)
            }
            Check::Nothing => builder.dangerous().with_custom_certificate_verifier(lenient(None)),
        };
        let Some((certificate, key)) = &self.client else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = read_certificates(certificate, "client certificate")?;
        builder.with_client_auth_cert(chain, read_key(key)?).map_err(|cause| {
            let (certificate, key) = (certificate.display(), key.display());
            refused(
                format!("the client certificate `{certificate}` and the key `{key}` cannot be used together"),
                "give the key that the certificate was made for: RSA, ECDSA or Ed25519",
            )
            .with_source(cause)
        })
    }
}

/// What one of the two says, or both, if they say the same.
fn one<T: PartialEq>(
    name: &str,
    url: Option<T>,
    options: Option<T>,
) -> Result<Option<T>, StoreError> {
    match (url, options) {
        (Some(url), Some(options)) if url != options => Err(refused(
            format!("the URL and the options say different things about `{name}`"),
            "say it once, or the same twice",
        )),
        (url, options) => Ok(url.or(options)),
    }
}

fn read_roots(roots: &TlsRoots) -> Result<RootCertStore, StoreError> {
    let mut store = RootCertStore::empty();
    let (found, shown) = match roots {
        TlsRoots::File(path) => {
            let shown = format!("the root certificate file `{}`", path.display());
            (read_certificates(path, "root certificate")?, shown)
        }
        TlsRoots::System => {
            let found = rustls_native_certs::load_native_certs();
            (found.certs, "the system's store of root certificates".to_owned())
        }
    };
    // One that cannot be used makes nobody trusted who should not be.
    let (usable, _unusable) = store.add_parsable_certificates(found);
    if usable == 0 {
        return Err(refused(
            format!("{shown} has no certificate that can be used"),
            "give a file of your authority's certificates in PEM form as `sslrootcert`, or install those of the system",
        ));
    }
    Ok(store)
}

fn read_certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let found =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|cause| unreadable(path, what, cause))?;
    if found.is_empty() {
        return Err(unreadable(path, what, PemError::NoItemsFound));
    }
    Ok(found)
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, StoreError> {
    let what = "private key";
    let key = PrivateKeyDer::from_pem_file(path).map_err(|cause| unreadable(path, what, cause))?;
    let open = is_open(path).map_err(|cause| unreadable(path, what, PemError::Io(cause)))?;
    if open {
        return Err(refused(
            format!("the private key file `{}` is open to others", path.display()),
            "take it away from them (chmod 600); one that root owns may be read by its group (chmod 640)",
        ));
    }
    Ok(key)
}

/// Whether others than its owner get at a file. The rule is libpq's.
#[cfg(unix)]
fn is_open(path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let about = std::fs::metadata(path)?;
    let others = if about.uid() == 0 { 0o037 } else { 0o077 };
    Ok(about.mode() & others != 0)
}

/// Whether others than its owner get at a file: not known here.
#[cfg(not(unix))]
fn is_open(_path: &Path) -> std::io::Result<bool> {
    Ok(false)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else is wrong has the same remedy")]
fn unreadable(path: &Path, what: &str, cause: PemError) -> StoreError {
    let path = path.display();
    match cause {
        PemError::Io(cause) => refused(
            format!("the {what} file `{path}` cannot be read"),
            "check that it is there and that this process may read it",
        )
        .with_source(cause),
        // The cause stays out: it quotes the file.
        _ => refused(
            format!("there is no {what} in the file `{path}`"),
            format!("give a {what} in PEM form; a key must not be encrypted"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(mode: TlsMode) -> Tls {
        Tls::default().with_mode(mode)
    }

    /// What is made of a mode, with and without roots.
    fn said(tls: &Tls) -> String {
        match Trust::new(Tls::default(), tls) {
            Ok(None) => "plain".to_owned(),
            Ok(Some(trust)) => {
                let check = match trust.check {
                    Check::Nothing => "anybody",
                    Check::Authority(TlsRoots::File(_)) => "signed by file",
                    Check::Authority(TlsRoots::System) => "signed by system",
                    Check::Host(TlsRoots::File(_)) => "host signed by file",
                    Check::Host(TlsRoots::System) => "host signed by system",
                };
                if trust.is_required { check.to_owned() } else { format!("plain or {check}") }
            }
            Err(error) => {
                assert!(error.help().is_some());
                "refused".to_owned()
            }
        }
    }

    #[test]
    fn each_mode_trusts_what_libpq_says_it_trusts() {
        let all = [
            None,
            Some(TlsMode::Disable),
            Some(TlsMode::Prefer),
            Some(TlsMode::Require),
            Some(TlsMode::VerifyCa),
            Some(TlsMode::VerifyFull),
        ];
        let mut table = Vec::new();
        for mode in all {
            let tls = Tls { mode, ..Tls::default() };
            let (file, system) =
                (tls.clone().with_roots_file("r"), tls.clone().with_system_roots());
            let name = mode.map_or("-", TlsMode::name);
            let (none, file, system) = (said(&tls), said(&file), said(&system));
            table.push(format!("{name} | {none} | {file} | {system}"));
        }
        // Without roots, with a file, with those of the system.
        let due = [
            "- | plain or anybody | host signed by file | host signed by system",
            "disable | plain | plain | refused",
            "prefer | plain or anybody | plain or signed by file | refused",
            "require | anybody | signed by file | refused",
            "verify-ca | refused | signed by file | refused",
            "verify-full | host signed by system | host signed by file | host signed by system",
        ];
        assert_eq!(table, due);
    }

    #[test]
    fn url_and_options_must_agree() {
        let require = mode(TlsMode::Require);
        assert!(Trust::new(require.clone(), &require).is_ok());
        for (url, options, name) in [
            (mode(TlsMode::Disable), mode(TlsMode::VerifyFull), "sslmode"),
            (mode(TlsMode::VerifyFull), mode(TlsMode::Disable), "sslmode"),
            (
                Tls::default().with_roots_file("a"),
                Tls::default().with_roots_file("b"),
                "sslrootcert",
            ),
            (
                Tls::default().with_roots_file("a"),
                Tls::default().with_system_roots(),
                "sslrootcert",
            ),
            (
                require.clone().with_client("a", "k"),
                require.clone().with_client("b", "k"),
                "sslcert",
            ),
            (require.clone().with_client("a", "k"), require.with_client("a", "l"), "sslkey"),
        ] {
            let error = Trust::new(url, &options).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
        // One may complete the other.
        let roots = Tls::default().with_roots_file("a");
        let whole = Trust::new(mode(TlsMode::VerifyFull), &roots).unwrap();
        assert_eq!(whole.unwrap().check, Check::Host(TlsRoots::File("a".into())));
    }

    #[test]
    fn half_a_client_certificate_is_refused() {
        for tls in [
            Tls { certificate: Some("c".into()), ..mode(TlsMode::Require) },
            Tls { key: Some("k".into()), ..mode(TlsMode::Require) },
        ] {
            assert_eq!(said(&tls), "refused");
        }
    }
}
