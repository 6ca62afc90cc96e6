//! What a host may ask of the encryption of its connections.

use std::path::PathBuf;

/// How much a connection insists on TLS. The names and meanings are those of libpq's `sslmode`.
///
/// [`TlsMode::VerifyFull`] is the one to use: only it is safe from somebody who can step between this process
/// and the server. On a socket of the same machine (a folder as the host) there is no TLS in any mode, as
/// with libpq.
///
/// ```
/// use placet_store_postgres::{Options, Tls, TlsMode};
///
/// let tls = Tls::default().with_mode(TlsMode::VerifyFull).with_roots_file("/etc/placet/root.pem");
/// assert_eq!(Options::default().with_tls(tls).tls.mode, Some(TlsMode::VerifyFull));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlsMode {
    /// Never encrypted: `disable`.
    Disable,
    /// Encrypted where the server offers it, and plain where it does not: `prefer`. Nobody's certificate is
    /// verified unless [`Tls::roots`] are given. Where the server offers TLS and it then fails, that is an error:
    /// unlike libpq, the store does not try again without.
    Prefer,
    /// Encrypted or not at all: `require`. **The server's certificate is not verified** unless [`Tls::roots`]
    /// are given, so this helps against whoever listens, not against whoever answers in the server's place.
    /// With roots it is [`TlsMode::VerifyCa`].
    Require,
    /// Encrypted, and the server's certificate is signed by one of [`Tls::roots`], for whatever host:
    /// `verify-ca`. The roots must be a file of your own: an authority of the system signs for anybody.
    VerifyCa,
    /// Encrypted, and the server's certificate is signed by one of [`Tls::roots`] for the host in the URL:
    /// `verify-full`. Without roots, those of the system are used.
    VerifyFull,
}

impl TlsMode {
    /// The mode that `sslmode` calls so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let modes = [Self::Disable, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];
        modes.into_iter().find(|mode| mode.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// Whose signature under the server's certificate counts.
///
/// ```
/// use placet_store_postgres::{Tls, TlsRoots};
///
/// assert_eq!(Tls::default().with_system_roots().roots, Some(TlsRoots::System));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlsRoots {
    /// The authorities that this machine's system trusts (with `SSL_CERT_FILE` and `SSL_CERT_DIR` where these
    /// are set). Only for [`TlsMode::VerifyFull`].
    System,
    /// Those in this file: certificates in PEM form, one after the other.
    File(PathBuf),
}

/// How connections are encrypted, whom they trust, and how this node shows who it is.
///
/// The URL may say the same: `sslmode`, `sslrootcert` (a file, or `system`), `sslcert` and `sslkey`. Where both
/// say something, they must agree, or opening fails. Where neither names a mode, it is [`TlsMode::Prefer`], and
/// [`TlsMode::VerifyFull`] as soon as one of them names roots.
///
/// TLS is 1.2 or 1.3. Files are read anew for each connection, so a certificate that was renewed needs no new
/// opening. Certificates of servers need their host as subject alternative name; a common name alone does not
/// count. With TLS a login by SCRAM is bound to the server's certificate where the server can do that;
/// `channel_binding=require` in the URL insists on it.
///
/// ```no_run
/// use placet_store_postgres::{Options, PostgresStore, Tls, TlsMode};
///
/// let tls = Tls::default()
///     .with_mode(TlsMode::VerifyFull)
///     .with_roots_file("/etc/placet/root.pem")
///     .with_client("/etc/placet/node.pem", "/etc/placet/node.key");
/// let options = Options::default().with_tls(tls);
/// let store = PostgresStore::open_with("postgres://placet@db.internal/placet", &options)?;
/// # Ok::<(), placet_core::store::StoreError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Tls {
    /// How much it insists. `sslmode` of the URL.
    pub mode: Option<TlsMode>,
    /// Whose signature counts. `sslrootcert` of the URL.
    pub roots: Option<TlsRoots>,
    /// A file with the certificate of this node, in PEM form, and what leads from it to an authority that the
    /// server trusts. `sslcert` of the URL.
    pub certificate: Option<PathBuf>,
    /// A file with the private key of that certificate, in PEM form, not encrypted, and readable by nobody
    /// else. `sslkey` of the URL.
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
