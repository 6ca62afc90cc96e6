//! An endpoint.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use placet_target::StopSignal;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::Exchange;
use crate::http::address::Resolve;
use crate::http::builder::EndpointBuilder;
use crate::http::credential::{Credential, Place};
use crate::http::failure::HttpFailure;
use crate::http::path::{Rule, split, writes};
use crate::http::request::{HttpRequest, HttpResponse};
use crate::http::url::Base;
use crate::http::{form, headers, wire};
use crate::secret::Redactor;

/// The longest `Idempotency-Key`.
const KEY_BYTES_MAX: usize = 255;

/// A server by name: its address, its credentials, whose certificate counts, and what it may be asked.
///
/// Each call is one connection and one request. The server's name is looked up once, and the connection goes to an
/// address that was looked at. A redirect is refused. An answer is handed out whole or not at all, without cookies,
/// and with `[redacted]` where it repeats a credential.
///
/// ```no_run
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::{Credential, Endpoint, Exchange, HttpRequest, Rule};
///
/// let rundeck = Endpoint::builder("https://rundeck.example.org")
///     .credential(Credential::header("X-Rundeck-Auth-Token", "0123456789abcdef"))
///     .read(Rule::below("GET", "/api/41/execution"))
///     .write(Rule::exactly("POST", "/api/41/job/7/run"))
///     .build()?;
/// let stop = StopSignal::new();
/// let act = Exchange::writing(Duration::from_secs(30), &stop).with_idempotency_key("req-1.1.1");
/// let started = rundeck.send(&HttpRequest::new("POST", "/api/41/job/7/run"), &act)?;
/// assert_eq!(started.status, 200);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub(super) base: Base,
    pub(super) server: ServerName<'static>,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) credentials: Vec<Credential>,
    pub(super) read_credentials: Vec<Credential>,
    pub(super) own_headers: Vec<HeaderName>,
    pub(super) redactor: Redactor,
    pub(super) reads: Vec<Rule>,
    pub(super) writes: Vec<Rule>,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) is_private_allowed: bool,
    pub(super) limits: Limits,
}

/// How large and how long an exchange may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) request_bytes: usize,
    pub(super) response_bytes: usize,
    pub(super) head_bytes: usize,
    pub(super) headers: usize,
    pub(super) duration: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 1 << 20,
            response_bytes: 1 << 20,
            head_bytes: 32 << 10,
            headers: 100,
            duration: Duration::from_mins(1),
        }
    }
}

/// A request that may be sent.
pub(super) struct Prepared {
    pub(super) request: Request<Full<Bytes>>,
    pub(super) is_write: bool,
}

impl Endpoint {
    /// Begins one. The URL is `https://host:port/base`; what a plugin asks for is below it.
    pub fn builder(url: &str) -> EndpointBuilder {
        EndpointBuilder::new(url)
    }

    /// Sends a request and waits for the whole answer. It is sent once, whatever happens.
    ///
    /// A write of which a byte may have been sent ends with an answer, with [`HttpFailureKind::Unknown`], or with
    /// [`HttpFailureKind::Limit`] where the server answered a status; then
    /// [`HttpFailure::may_have_taken_effect`] is true.
    ///
    /// [`HttpFailureKind::Unknown`]: crate::HttpFailureKind::Unknown
    /// [`HttpFailureKind::Limit`]: crate::HttpFailureKind::Limit
    pub fn send(
        &self,
        request: &HttpRequest,
        call: &Exchange,
    ) -> Result<HttpResponse, HttpFailure> {
        let prepared = self.prepare(request, call)?;
        if let Some(reason) = call.stop.raised() {
            return Err(HttpFailure::stopped(reason));
        }
        if call.time_left.is_zero() {
            return Err(HttpFailure::late());
        }
        wire::exchange(self, prepared, call)
    }

    /// Whether it would be refused as it is written, without a look at the network: what a plan can tell before anybody
    /// agrees to it.
    pub fn check(&self, request: &HttpRequest) -> Result<(), HttpFailure> {
        let call = Exchange::writing(Duration::MAX, &StopSignal::new());
        self.prepare(request, &call).map(drop)
    }

    /// Whether a request of this method and path writes, or `None` where no rule allows it.
    pub fn writes(&self, method: &str, path: &str) -> Option<bool> {
        writes(&self.reads, &self.writes, method, path)
    }

    /// All refusals. Nothing is looked up and nothing connected before they are over.
    fn prepare(&self, request: &HttpRequest, call: &Exchange) -> Result<Prepared, HttpFailure> {
        let (path, query) = split(&request.path_and_query)?;
        let headers = headers::checked(&request.headers, &self.own_headers)?;
        if !request.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(HttpFailure::invalid("http.method", "the method is not one"));
        }
        let Some(is_write) = self.writes(&request.method, path) else {
            let message = "no rule of the endpoint allows this method and path";
            return Err(HttpFailure::denied("http.not_allowed", message));
        };
        if is_write && call.is_read_only {
            return Err(HttpFailure::denied(
                "http.read_only",
                "this call only reads, and that writes",
            ));
        }
        if request.body.len() > self.limits.request_bytes {
            return Err(HttpFailure::limit("http.request_too_large", "the request is too large"));
        }
        let all = [self.credentials.as_slice(), self.read_credentials.as_slice()];
        let shown = if is_write { self.shown_in(call) } else { &[] };
        let body = form::body((&request.body, query), &headers, all, shown)?;
        let headers = self.own(headers, is_write, call)?;
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let uri = format!("{}{path}{query}", self.base.prefix);
        let body = Full::new(Bytes::from(body));
        let built = Request::builder().method(request.method.as_str()).uri(uri).body(body);
        let mut built =
            built.map_err(|_cause| HttpFailure::invalid("http.path", "the path cannot be sent"))?;
        *built.headers_mut() = headers;
        Ok(Prepared { request: built, is_write })
    }

    /// The credentials that a call shows.
    fn shown_in(&self, call: &Exchange) -> &[Credential] {
        let has_read_ones = call.is_read_only && !self.read_credentials.is_empty();
        if has_read_ones { &self.read_credentials } else { &self.credentials }
    }

    /// The plugin's headers and the host's.
    fn own(
        &self,
        mut headers: HeaderMap,
        is_write: bool,
        call: &Exchange,
    ) -> Result<HeaderMap, HttpFailure> {
        let unusable = |_cause| HttpFailure::invalid("http.header", "a header cannot be sent");
        let host = HeaderValue::try_from(self.base.authority()).map_err(unusable)?;
        headers.insert(HOST, host);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        // In a compressed answer no credential would be found.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static("placet"));
        let in_header = |credential: &&Credential| credential.place == Place::Header;
        for credential in self.shown_in(call).iter().filter(in_header) {
            let mut value = HeaderValue::try_from(credential.value.expose()).map_err(unusable)?;
            value.set_sensitive(true);
            let name = HeaderName::try_from(credential.name.as_str());
            let name = name.map_err(|_cause| {
                HttpFailure::invalid("http.header", "a credential has no usable name")
            })?;
            headers.insert(name, value);
        }
        if let Some(key) = call.idempotency_key.as_deref().filter(|_| is_write) {
            let is_fine = (1..=KEY_BYTES_MAX).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_fine {
                let message = "the idempotency key is not of 1 to 255 visible letters";
                return Err(HttpFailure::invalid("http.key", message));
            }
            headers.insert("idempotency-key", HeaderValue::try_from(key).map_err(unusable)?);
        }
        Ok(headers)
    }
}
