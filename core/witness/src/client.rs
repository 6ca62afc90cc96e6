//! Somebody else's witness, asked over HTTP as C2SP tlog-witness says.

use core::time::Duration;
use std::sync::Arc;

use placet_core::audit::{SignedNote, Submission, VerifierKey, Witness, WitnessError};
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use ureq::Agent;
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// The most that is read of an answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// A witness that speaks C2SP tlog-witness. Its cosignatures are verified with the keys that its operator published.
///
/// What it saw is read at `<monitoring prefix>/<SHA-256 of the origin>/checkpoint`. Not all witnesses serve that: then
/// nothing is found by looking, and a rollback shows when the next head is handed over.
///
/// ```
/// # use std::sync::Arc;
/// # use placet_core::audit::Ed25519Signer;
/// # use placet_core::testing::{ManualClock, MemoryHeads, Office};
/// # use placet_witness::{FrontOptions, HttpWitness, WitnessFront, WitnessServer};
/// # let (gate, _) = Office::in_memory()?;
/// # let signer = Ed25519Signer::from_seed("witness.example/w1", &[8; 32])?;
/// # let clock = ManualClock::at("2026-02-07T12:00:00Z".parse()?);
/// # let server = WitnessServer::new(Arc::new(signer), Arc::new(MemoryHeads::default()), Arc::new(clock))?;
/// # let server = server.with_log(gate.origin(), vec![gate.verifier_key().clone()]);
/// # let key = server.key().clone();
/// # let front = WitnessFront::start(Arc::new(server), "127.0.0.1:0".parse()?, FrontOptions::default())?;
/// # let url = format!("http://{}", front.address());
/// // The operator of the witness published `url` and `key`, and knows this log.
/// let witness = HttpWitness::at(&url, vec![key.clone()])?;
/// let taken = gate.anchor(&witness)?;
/// assert!(taken.checkpoint.cosigned_at(&key)? > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct HttpWitness {
    submission: String,
    monitoring: String,
    keys: Vec<VerifierKey>,
    roots: Option<Vec<u8>>,
    timeout_ms: u64,
    agent: Agent,
}

impl HttpWitness {
    /// The witness with this submission prefix, `https://witness.example/w1`, and these keys: one of them must cosign.
    /// Plain `http` is taken for this machine only: whoever sits in between could answer with old heads.
    ///
    /// Fails with `invalid_input` when the prefix is no such URL, or a key is not that of a cosigner.
    pub fn at(submission_prefix: &str, keys: Vec<VerifierKey>) -> Result<Self, Error> {
        if keys.is_empty() || keys.iter().any(|key| !key.is_cosigner()) {
            return Err(Error::new(
                Code::InvalidInput,
                "a witness needs the keys of its cosignatures",
            )
            .with_help("copy the verifier keys that its operator published; their type is 4"));
        }
        let submission = prefix(submission_prefix)?;
        let monitoring = submission.clone();
        let timeout_ms = 10_000;
        let agent = agent(None, timeout_ms)?;
        Ok(Self { submission, monitoring, keys, roots: None, timeout_ms, agent })
    }

    /// Sets the monitoring prefix, where it is another one. Fails as [`Self::at`] does.
    pub fn with_monitoring_prefix(mut self, prefix_url: &str) -> Result<Self, Error> {
        self.monitoring = prefix(prefix_url)?;
        Ok(self)
    }

    /// Sets how long one request may take with everything, in milliseconds. Default 10,000.
    pub fn with_timeout_ms(mut self, ms: u64) -> Result<Self, Error> {
        self.timeout_ms = ms;
        self.agent = agent(self.roots.as_deref(), ms)?;
        Ok(self)
    }

    /// Trusts the authorities in `pem` instead of the system's. Fails with `invalid_input` when it has no certificate.
    pub fn with_roots(mut self, pem: &[u8]) -> Result<Self, Error> {
        self.agent = agent(Some(pem), self.timeout_ms)?;
        self.roots = Some(pem.to_vec());
        Ok(self)
    }

    fn unreachable(&self, cause: &ureq::Error) -> WitnessError {
        let sentence = format!("`{}` does not answer: {cause}", self.submission);
        WitnessError::unreachable(
            sentence,
            "check the address and the network, or ask its operator",
        )
    }

    fn read(
        &self,
        mut response: Response<ureq::Body>,
    ) -> Result<(u16, String, Vec<u8>), WitnessError> {
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|cause| self.unreachable(&cause))?;
        Ok((status, kind, body))
    }

    /// The note with the cosignatures in `lines` that are right; those of others are left out.
    fn cosigned(&self, note: &SignedNote, lines: &[u8]) -> Result<SignedNote, WitnessError> {
        let whole = [note.to_string().as_bytes(), lines].concat();
        let theirs = SignedNote::parse(&whole).and_then(|whole| whole.only_by(&self.keys));
        let theirs = theirs.ok().filter(|theirs| self.is_dated(theirs));
        let theirs = theirs.ok_or_else(|| {
            let sentence = "its answer is not a cosignature by one of its keys";
            WitnessError::refused(
                sentence,
                "compare the keys with those that its operator published",
            )
        })?;
        let mut cosigned = note.clone();
        for signature in theirs.signatures() {
            cosigned = cosigned.with_signature(signature.clone()).map_err(WitnessError::Refused)?;
        }
        Ok(cosigned)
    }

    /// Whether one of its keys tells a time: without one a cosignature says nothing about the latest head.
    fn is_dated(&self, note: &SignedNote) -> bool {
        self.keys.iter().any(|key| note.cosigned_at(key).is_ok_and(|unix_s| unix_s > 0))
    }
}

impl Witness for HttpWitness {
    fn name(&self) -> &str {
        &self.submission
    }

    fn latest(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        let hash = Digest::of(origin.as_bytes());
        let url = format!("{}/{hash}/checkpoint", self.monitoring);
        let response = self.agent.get(&url).call().map_err(|cause| self.unreachable(&cause))?;
        let (status, _, body) = self.read(response)?;
        match status {
            200 => {
                let note = SignedNote::parse(&body).map_err(WitnessError::Refused)?;
                if self.is_dated(&note) {
                    return Ok(Some(note));
                }
                let sentence = "the checkpoint that it serves does not carry its cosignature";
                Err(WitnessError::refused(
                    sentence,
                    "compare the keys with those that its operator published",
                ))
            }
            404 => Ok(None),
            status => Err(unexpected(status, &body)),
        }
    }

    fn anchor(&self, submission: &Submission) -> Result<Option<SignedNote>, WitnessError> {
        let url = format!("{}/add-checkpoint", self.submission);
        let request = self.agent.post(&url).content_type("text/plain; charset=utf-8");
        let response =
            request.send(submission.to_string()).map_err(|cause| self.unreachable(&cause))?;
        let (status, kind, body) = self.read(response)?;
        match status {
            200 => self.cosigned(submission.note(), &body).map(Some),
            409 => Err(conflict(&kind, &body)),
            400 => Err(refused("it cannot read the request", &body)),
            403 => Err(refused("it does not trust the key that signed the head", &body)),
            404 => Err(refused("it does not know this log", &body)),
            422 => {
                Err(refused("the proof does not show that the log continues what it saw", &body))
            }
            status => Err(unexpected(status, &body)),
        }
    }
}

/// The size in an answer of 409: a decimal and a newline.
fn conflict(kind: &str, body: &[u8]) -> WitnessError {
    let line = core::str::from_utf8(body).ok().and_then(|text| text.strip_suffix('\n'));
    let size = line.and_then(|line| {
        let size: u64 = line.parse().ok()?;
        (size.to_string() == line).then_some(size)
    });
    match size.filter(|_| kind == "text/x.tlog.size") {
        Some(size) => WitnessError::Conflict { size },
        None => refused("it has seen another head, and does not say which", body),
    }
}

fn refused(why: &str, body: &[u8]) -> WitnessError {
    let sentence = format!("{why}{}", said(body));
    WitnessError::refused(
        sentence,
        "ask its operator to add the log, with its origin and verifier key",
    )
}

/// Anything that the document does not name is no word about the log: a proxy, an overload, a wrong address.
fn unexpected(status: u16, body: &[u8]) -> WitnessError {
    let sentence = format!("it answered with the status {status}{}", said(body));
    WitnessError::unreachable(sentence, "check the address; ask again later")
}

/// The start of what it said, harmless in a terminal.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text: String = text.trim().chars().take(160).flat_map(char::escape_debug).collect();
    if text.is_empty() { text } else { format!(" (“{text}”)") }
}

/// A prefix without its last slash.
fn prefix(url: &str) -> Result<String, Error> {
    let wrong = |why: &str| {
        let shown: String = url.chars().take(120).flat_map(char::escape_debug).collect();
        Error::new(Code::InvalidInput, format!("`{shown}` is not the address of a witness: {why}"))
            .with_help(
                "use the prefix that its operator published, such as https://witness.example/w1",
            )
    };
    let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    if host.is_empty() || uri.query().is_some() {
        return Err(wrong("it needs a host, and no `?`"));
    }
    // Not by asking for the name: whoever answers that could be anybody.
    let is_here = host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_here => {}
        Some("http") => return Err(wrong("it is not encrypted")),
        Some(_) | None => return Err(wrong("it does not begin with https://")),
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn of_the_system() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    found.certs.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
}

fn in_pem(pem: &[u8]) -> Vec<Certificate<'static>> {
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        Ok(_) | Err(_) => None,
    };
    parse_pem(pem).filter_map(certificate).collect()
}

fn agent(roots: Option<&[u8]>, timeout_ms: u64) -> Result<Agent, Error> {
    let is_named = roots.is_some();
    let roots = roots.map_or_else(of_the_system, in_pem);
    if is_named && roots.is_empty() {
        return Err(Error::new(Code::InvalidInput, "there is no certificate among the roots")
            .with_help("give the authorities as PEM: `-----BEGIN CERTIFICATE-----` and so on"));
    }
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        // Each status has its own meaning, and nobody is followed elsewhere.
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // A library reads no environment.
        .proxy(None)
        .user_agent(concat!("placet/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(Duration::from_millis(timeout_ms)))
        .build();
    Ok(config.new_agent())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
