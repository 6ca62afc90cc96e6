//! What a host may ask of the encryption of its connections.

use std::path::PathBuf;

/// How much a connection insists on TLS. The names and meanings are those of libpq's `sslmode`.
///
/// Only [`TlsMode::VerifyFull`] is safe from somebody who can step between this process and the server. On a
/// socket of the same machine (a folder as the host) there is no TLS in any mode.
///
/// ```
/// use placet_target_postgres::{Tls, TlsMode};
///
/// let tls = Tls::default().with_mode(TlsMode::VerifyFull).with_roots_file("/etc/placet/root.pem");
/// assert_eq!(tls.mode, Some(TlsMode::VerifyFull));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlsMode {
    /// Never encrypted: `disable`.
    Disable,
    /// Encrypted where the server offers it, and plain where it does not: `prefer`.
    Prefer,
    /// Encrypted or not at all: `require`. The certificate is verified only where [`Tls::roots`] are given.
    Require,
    /// Encrypted, and the certificate is signed by one of [`Tls::roots`], for whatever host: `verify-ca`.
    VerifyCa,
    /// Encrypted, and the certificate is signed for the host in the URL: `verify-full`. Without
    /// [`Tls::roots`], those of the system count.
    VerifyFull,
}

impl TlsMode {
    /// The mode that `sslmode` calls so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "disable" => Some(Self::Disable),
            "prefer" => Some(Self::Prefer),
            "require" => Some(Self::Require),
            "verify-ca" => Some(Self::VerifyCa),
            "verify-full" => Some(Self::VerifyFull),
            _ => None,
        }
    }
}

/// Whose signature under the server's certificate counts.
///
/// ```
/// use placet_target_postgres::{Tls, TlsRoots};
/// assert_eq!(Tls::default().with_system_roots().roots, Some(TlsRoots::System));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlsRoots {
    /// The authorities that this machine's system trusts. Only for [`TlsMode::VerifyFull`].
    System,
    /// Those in this file: certificates in PEM form, one after the other.
    File(PathBuf),
}

/// How connections are encrypted, whom they trust, and how this host shows who it is.
///
/// The URL may say the same: `sslmode`, `sslrootcert` (a file, or `system`), `sslcert` and `sslkey`. Where both
/// say something, they must agree, or opening a session fails. Where neither names a mode, it is
/// [`TlsMode::VerifyFull`], and [`TlsMode::Prefer`] only where the URL says by its address that the server is on this
/// machine (`127.0.0.1`, `::1`; the name `localhost` is no address) and neither names roots. TLS is 1.2 or 1.3.
///
/// ```
/// use placet_target_postgres::{PostgresTarget, Tls, TlsMode};
///
/// let tls = Tls::default()
///     .with_mode(TlsMode::VerifyFull)
///     .with_client("/etc/placet/runner.pem", "/etc/placet/runner.key");
/// let target = PostgresTarget::new("postgres://runner@db.internal/shop").with_tls(tls);
/// assert!(!format!("{target:?}").contains("runner@"));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tls {
    /// How much it insists. `sslmode` of the URL.
    pub mode: Option<TlsMode>,
    /// Whose signature counts. `sslrootcert` of the URL.
    pub roots: Option<TlsRoots>,
    /// A file with the certificate of this host and what leads from it to an authority, in PEM form. `sslcert`.
    pub certificate: Option<PathBuf>,
    /// A file with its private key, in PEM form and not encrypted. `sslkey`.
    pub key: Option<PathBuf>,
}

impl Tls {
    /// Sets how much a connection insists on TLS.
    #[must_use]
    pub fn with_mode(mut self, mode: TlsMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Trusts the authorities in this file.
    #[must_use]
    pub fn with_roots_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots = Some(TlsRoots::File(path.into()));
        self
    }

    /// Trusts the authorities that the system trusts.
    #[must_use]
    pub fn with_system_roots(mut self) -> Self {
        self.roots = Some(TlsRoots::System);
        self
    }

    /// Shows this certificate to the server, with its private key.
    #[must_use]
    pub fn with_client(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        (self.certificate, self.key) = (Some(certificate.into()), Some(key.into()));
        self
    }
}
