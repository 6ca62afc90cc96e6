//! Certificates as an operator makes them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use placet_target::testing::skip;

/// Where the certificate begins in what `openssl` writes.
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// A certificate that signed itself.
///
/// ```
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::testing::{Certificate, Product, ProductServer};
/// use placet_target_deploy::{Exchange, HttpRequest};
///
/// # if std::process::Command::new("openssl").arg("version").output().is_err() {
/// #     return Ok(());
/// # }
/// let Some(own) = Certificate::of("IP:127.0.0.1") else { return Ok(()) };
/// let server = ProductServer::start_tls(Product::Rundeck, &own.pem, &own.key);
/// let rundeck = server.endpoint().roots_pem(own.pem).pin(own.pin).build()?;
/// let act = Exchange::writing(Duration::from_secs(60), &StopSignal::new());
/// let run = HttpRequest::new("POST", "/api/41/job/7/run").with_body("{}");
/// assert_eq!(rundeck.send(&run, &act)?.status, 200);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Certificate {
    /// It, in PEM form.
    pub pem: String,
    /// Its private key, in PEM form.
    pub key: String,
    /// The SHA-256 of its public key, in hexadecimal.
    pub pin: String,
}

impl Certificate {
    /// Makes one for a server with this name, such as `IP:127.0.0.1` or `DNS:ci.example.org`. `None` where `openssl` is
    /// not installed, which is said loudly: then the test is over.
    ///
    /// # Panics
    ///
    /// If `openssl` fails, and in CI where it is not installed.
    ///
    /// ```
    /// use placet_target_deploy::testing::Certificate;
    ///
    /// # if std::process::Command::new("openssl").arg("version").output().is_err() {
    /// #     return;
    /// # }
    /// let Some(own) = Certificate::of("DNS:ci.example.org") else { return };
    /// assert!(own.pem.starts_with("-----BEGIN CERTIFICATE-----"));
    /// assert_eq!(own.pin.len(), 64);
    /// ```
    #[expect(clippy::expect_used, reason = "a test that cannot begin is over")]
    pub fn of(name: &str) -> Option<Self> {
        if openssl("version", &[]).is_none() {
            skip("`openssl` is not installed");
            return None;
        }
        let made = format!(
            "req -x509 -days 30 -subj /CN=server -nodes -newkey ec -pkeyopt \
             ec_paramgen_curve:prime256v1 -addext subjectAltName={name} -addext \
             basicConstraints=critical,CA:FALSE -keyout - -out -"
        );
        let made = openssl(&made, &[]).expect("a certificate is made");
        let made = String::from_utf8(made).expect("PEM is text");
        let (key, pem) = made.split_once(BEGIN).expect("the certificate follows its key");
        let (key, pem) = (key.to_owned(), format!("{BEGIN}{pem}"));
        let public = openssl("x509 -noout -pubkey", pem.as_bytes()).expect("it has a key");
        let public = openssl("pkey -pubin -outform DER", &public).expect("it can be read");
        let digest = openssl("dgst -sha256 -r", &public).expect("it has a digest");
        let digest = String::from_utf8(digest).expect("a digest is text");
        let pin = digest.split(' ').next().unwrap_or_default().to_owned();
        Some(Self { pem, key, pin })
    }
}

/// What `openssl` writes for these words and this input. `None` where it fails, or is not installed.
#[expect(clippy::disallowed_methods, reason = "a test makes certificates as an operator does")]
fn openssl(words: &str, input: &[u8]) -> Option<Vec<u8>> {
    let mut openssl = Command::new("openssl");
    openssl.args(words.split_whitespace());
    openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut openssl = openssl.spawn().ok()?;
    // Short enough for a pipe. Who reads no input closes it.
    let _unread = openssl.stdin.take()?.write_all(input);
    let ended = openssl.wait_with_output().ok()?;
    ended.status.success().then_some(ended.stdout)
}
