//! What an endpoint is made from.

use core::time::Duration;
use std::sync::Arc;

use hyper::header::HeaderName;
use placet_core::error::{Code, Error};

use crate::http::address::{Resolve, SystemResolver};
use crate::http::credential::{Credential, Place};
use crate::http::endpoint::{Endpoint, Limits};
use crate::http::path::Rule;
use crate::http::trust;
use crate::http::url::{Base, Host};
use crate::secret::{Redactor, Secret};

/// Collects what an endpoint is.
///
/// ```
/// use core::time::Duration;
/// use placet_target_deploy::{Credential, Endpoint, Rule};
///
/// let ci = Endpoint::builder("https://ci.example.org/jenkins")
///     .credential(Credential::basic("deployer", "c0rrect-horse"))
///     .read_credential(Credential::basic("reader", "battery-staple"))
///     .read(Rule::below("GET", "/job/shop/"))
///     .write(Rule::exactly("POST", "/job/shop/buildWithParameters"))
///     .pin("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
///     .response_bytes_max(256 << 10)
///     .duration_max(Duration::from_secs(30));
/// assert!(ci.build().is_ok());
/// // Plain HTTP has to be said.
/// let plain = || Endpoint::builder("http://ci.example.org").read(Rule::below("GET", "/"));
/// assert!(plain().build().is_err() && plain().allow_plain_http().build().is_ok());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EndpointBuilder {
    // As somebody wrote it, maybe with a password that `build` refuses.
    url: Secret,
    credentials: Vec<Credential>,
    read_credentials: Vec<Credential>,
    reads: Vec<Rule>,
    writes: Vec<Rule>,
    roots: Option<String>,
    pins: Vec<String>,
    resolver: Arc<dyn Resolve>,
    is_plain_allowed: bool,
    is_private_allowed: bool,
    limits: Limits,
}

impl EndpointBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: Secret::new(url),
            credentials: Vec::new(),
            read_credentials: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            roots: None,
            pins: Vec::new(),
            resolver: Arc::new(SystemResolver),
            is_plain_allowed: false,
            is_private_allowed: false,
            limits: Limits::default(),
        }
    }

    /// Adds what shows the server who asks.
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// Adds what shows it in calls that only read. Where there is one, only those are sent in such calls.
    pub fn read_credential(mut self, credential: Credential) -> Self {
        self.read_credentials.push(credential);
        self
    }

    /// Allows requests that read.
    pub fn read(mut self, rule: Rule) -> Self {
        self.reads.push(rule);
        self
    }

    /// Allows requests that write.
    pub fn write(mut self, rule: Rule) -> Self {
        self.writes.push(rule);
        self
    }

    /// Trusts these certificates, in PEM form, instead of those of the system.
    pub fn roots_pem(mut self, pem: impl Into<String>) -> Self {
        self.roots = Some(pem.into());
        self
    }

    /// Asks besides for a key with this SHA-256 digest of the certificate's `SubjectPublicKeyInfo`, in hexadecimal
    /// digits. Of several pins one is enough, so that a key can be replaced.
    pub fn pin(mut self, digest: impl Into<String>) -> Self {
        self.pins.push(digest.into());
        self
    }

    /// Asks this one where the host's name leads, instead of the system.
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Allows `http`. Credentials then go over the network as they are.
    pub fn allow_plain_http(mut self) -> Self {
        self.is_plain_allowed = true;
        self
    }

    /// Allows private and loopback addresses. Link-local ones, and with them the metadata services of clouds, stay
    /// refused.
    pub fn allow_private_addresses(mut self) -> Self {
        self.is_private_allowed = true;
        self
    }

    /// Limits the body of a request, in bytes. 1 MiB where nothing is said.
    pub fn request_bytes_max(mut self, bytes: usize) -> Self {
        self.limits.request_bytes = bytes;
        self
    }

    /// Limits the body of an answer, in bytes. 1 MiB where nothing is said.
    pub fn response_bytes_max(mut self, bytes: usize) -> Self {
        self.limits.response_bytes = bytes;
        self
    }

    /// Limits status line and headers of an answer, in bytes. 32 KiB where nothing is said, at least 1 KiB.
    pub fn response_head_bytes_max(mut self, bytes: usize) -> Self {
        self.limits.head_bytes = bytes.max(1 << 10);
        self
    }

    /// Limits the number of an answer's headers. 100 where nothing is said.
    pub fn response_headers_max(mut self, count: usize) -> Self {
        self.limits.headers = count;
        self
    }

    /// Limits one exchange from the look-up of the name to the last byte, however slowly they come. A minute where
    /// nothing is said. A call that has less time left takes less.
    pub fn duration_max(mut self, duration: Duration) -> Self {
        self.limits.duration = duration;
        self
    }

    /// Checks everything, and reads the certificates.
    pub fn build(self) -> Result<Endpoint, Error> {
        let wrong = |sentence: &str, help: &str| {
            Err(Error::new(Code::InvalidInput, sentence).with_help(help))
        };
        let base = Base::parse(self.url.expose())?;
        if !base.is_encrypted && !self.is_plain_allowed {
            return wrong("the endpoint is not encrypted", "use https, or say `allow_plain_http`");
        }
        if !base.is_encrypted && (self.roots.is_some() || !self.pins.is_empty()) {
            return wrong("the endpoint has certificates and no encryption", "use https");
        }
        if self.reads.is_empty() && self.writes.is_empty() {
            return wrong("the endpoint allows no request", "add a rule with `read` or `write`");
        }
        self.reads.iter().chain(&self.writes).try_for_each(Rule::check)?;
        let mut redactor = Redactor::default();
        let mut own_headers = Vec::new();
        for credential in self.credentials.iter().chain(&self.read_credentials) {
            credential.check()?;
            credential.secrets.iter().for_each(|secret| redactor.learn(secret.expose()));
            if credential.place == Place::Header {
                own_headers.extend(HeaderName::try_from(credential.name.as_str()));
            }
        }
        for list in [&self.credentials, &self.read_credentials] {
            let names = list.iter().map(|one| (one.place == Place::Form, one.name.as_str()));
            let distinct: std::collections::BTreeSet<_> = names.collect();
            if distinct.len() != list.len() {
                return wrong("two credentials have the same header or field", "give each once");
            }
        }
        let pins = self.pins.iter().map(|pin| trust::parse_pin(pin)).collect::<Result<_, _>>()?;
        let tls = base.is_encrypted.then(|| trust::config(self.roots.as_deref(), pins));
        let tls = tls.transpose()?;
        let server = match &base.host {
            Host::Name(name) => rustls::pki_types::ServerName::try_from(name.clone()).ok(),
            Host::Address(address) => Some((*address).into()),
        };
        let Some(server) = server else {
            return wrong("the endpoint's host is no name", "name it as its certificate does");
        };
        Ok(Endpoint {
            base,
            server,
            tls,
            credentials: self.credentials,
            read_credentials: self.read_credentials,
            own_headers,
            redactor,
            reads: self.reads,
            writes: self.writes,
            resolver: self.resolver,
            is_private_allowed: self.is_private_allowed,
            limits: self.limits,
        })
    }
}
