//! Why there is no answer.

use core::fmt;

use placet_target::StopReason;

/// What kind of failure, in the words of the WIT interface `http`.
///
/// ```
/// use placet_target_deploy::{HttpFailure, HttpFailureKind};
///
/// fn says_the_run(failure: &HttpFailure) -> &'static str {
///     match failure.kind() {
///         HttpFailureKind::Unknown => "unknown: verify",
///         _ if failure.may_have_taken_effect() => "unknown: verify",
///         _ => "failed: nothing was changed",
///     }
/// }
/// # let _ = says_the_run;
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "each is a case of the WIT interface")]
pub enum HttpFailureKind {
    /// It may not be asked so.
    Denied,
    /// The request is not one.
    Invalid,
    /// Nothing was sent, or what was lost only reads.
    Connection,
    /// It was sent, or perhaps sent, and the answer was lost.
    Unknown,
    /// The time was over before anything was sent, or what was sent only reads.
    Timeout,
    /// It was stopped before anything was sent, or what was sent only reads.
    Cancelled,
    /// The request or the answer is over a limit.
    Limit,
}

/// Why there is no answer: a kind, a stable code, a sentence and a next step. It holds no address and no credential.
///
/// | code | what happened |
/// |---|---|
/// | `http.endpoint` | there is no endpoint of this name |
/// | `http.method`, `http.path`, `http.header`, `http.key` | the request is refused as it is written |
/// | `http.form` | a field of the form or the query is one that the host alone sets |
/// | `http.not_allowed` | no rule of the endpoint allows the request |
/// | `http.read_only` | a write in a call that only reads |
/// | `http.headers`, `http.request_too_large` | the request is over a limit |
/// | `http.resolve`, `http.refused_address`, `http.connect` | no connection |
/// | `http.certificate`, `http.tls` | no encrypted connection |
/// | `http.lost`, `http.cut` | the connection ended before the answer, or within it |
/// | `http.slow` | no whole answer in time |
/// | `http.protocol` | what came is no HTTP |
/// | `http.too_large` | the answer is over a limit |
/// | `http.redirect` | the server sends elsewhere |
/// | `http.encoding` | the answer is compressed, although that was not asked for |
/// | `http.unusable` | the host cannot work |
/// | `timeout`, `cancelled`, `lease_lost`, `unavailable` | why it was stopped |
///
/// ```
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::{Endpoint, Exchange, HttpFailureKind, HttpRequest, Rule};
///
/// let ci = Endpoint::builder("https://ci.example.org").read(Rule::below("GET", "/job/")).build()?;
/// let look = Exchange::reading(Duration::from_secs(5), &StopSignal::new());
/// let refused = ci.send(&HttpRequest::new("GET", "/job/../admin"), &look).unwrap_err();
/// assert_eq!((refused.kind(), refused.code()), (HttpFailureKind::Invalid, "http.path"));
/// assert_eq!(refused.to_string(), "http.path: the path has a segment of dots");
/// assert!(!refused.may_have_taken_effect());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HttpFailure {
    kind: HttpFailureKind,
    code: &'static str,
    message: String,
    answered: Option<u16>,
    is_write_begun: bool,
}

impl HttpFailure {
    /// What kind of failure.
    pub fn kind(&self) -> HttpFailureKind {
        self.kind
    }

    /// A stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What happened, in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self.code {
            // Whatever else is to be done comes after that.
            _ if self.may_have_taken_effect() => "look at the server before anything is sent again",
            "http.endpoint" => {
                "name an endpoint that the manifest asks for and the host registered"
            }
            "http.not_allowed" => "ask the host to allow this method and path at the endpoint",
            "http.read_only" => "write in `execute` or `rollback`",
            "http.resolve" | "http.connect" => {
                "check that the server is up, and the endpoint's address"
            }
            "http.refused_address" => "where the address is meant, let the host allow private ones",
            "http.certificate" | "http.tls" => {
                "check the server's certificate against the roots and pins of the endpoint"
            }
            "http.redirect" => "let the host register the address that the server sends to",
            "http.too_large" => "ask for less, or let the host raise the limit",
            "http.encoding" => "let the server answer without compression",
            "http.unusable" => "the process may have too many threads or files open",
            "http.lost" | "http.cut" | "http.slow" | "http.protocol" => "try again later",
            "timeout" | "cancelled" | "lease_lost" | "unavailable" => {
                "nothing was changed; start again"
            }
            _ => "change the request",
        }
    }

    /// The status, where the server answered one before it failed.
    pub fn answered(&self) -> Option<u16> {
        self.answered
    }

    /// Whether the server may have done what it was asked. Then the outcome is not known to be a failure.
    pub fn may_have_taken_effect(&self) -> bool {
        self.is_write_begun
    }

    pub(crate) fn no_endpoint() -> Self {
        Self::denied("http.endpoint", "there is no endpoint of this name")
    }

    pub(super) fn new(
        kind: HttpFailureKind,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, code, message: message.into(), answered: None, is_write_begun: false }
    }

    pub(super) fn denied(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(HttpFailureKind::Denied, code, message)
    }

    pub(super) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(HttpFailureKind::Invalid, code, message)
    }

    pub(super) fn limit(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(HttpFailureKind::Limit, code, message)
    }

    pub(super) fn stopped(reason: StopReason) -> Self {
        Trouble::Stopped(reason).told(Progress::default())
    }

    pub(super) fn late() -> Self {
        Trouble::Late.told(Progress::default())
    }
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl core::error::Error for HttpFailure {}

/// How far an exchange got.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pub(super) is_write: bool,
    pub(super) is_begun: bool,
    pub(super) status: Option<u16>,
}

/// What ended an exchange.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Unresolved,
    RefusedAddress,
    Unconnected,
    Certificate,
    Tls,
    Unusable,
    Lost,
    Protocol,
    TooLarge,
    Redirect,
    Encoding,
    Late,
    Stopped(StopReason),
}

impl Trouble {
    /// What a plugin is told. A write that was begun is never a plain failure.
    pub(super) fn told(self, progress: Progress) -> HttpFailure {
        let is_write_begun = progress.is_write && progress.is_begun;
        let (kind, code, message) = self.words(progress, is_write_begun);
        HttpFailure {
            kind,
            code,
            message: message.to_owned(),
            answered: progress.status,
            is_write_begun,
        }
    }

    fn words(
        self,
        progress: Progress,
        is_write: bool,
    ) -> (HttpFailureKind, &'static str, &'static str) {
        use HttpFailureKind::{Cancelled, Connection, Denied, Limit, Timeout, Unknown};
        let lost = |otherwise| if is_write { Unknown } else { otherwise };
        let answered = progress.status.is_some();
        match self {
            Self::Unresolved => {
                (lost(Connection), "http.resolve", "the server's name leads nowhere")
            }
            Self::RefusedAddress => (
                lost(Denied),
                "http.refused_address",
                "the server's name leads to an address that is not public",
            ),
            Self::Unconnected => (lost(Connection), "http.connect", "the server cannot be reached"),
            Self::Certificate => {
                (lost(Connection), "http.certificate", "the server's certificate is not trusted")
            }
            Self::Tls => (lost(Connection), "http.tls", "there is no encrypted connection"),
            Self::Unusable => (lost(Connection), "http.unusable", "the host cannot work"),
            Self::Lost if answered => {
                (lost(Connection), "http.cut", "the connection ended within the answer")
            }
            Self::Lost => (lost(Connection), "http.lost", "the connection ended without an answer"),
            Self::Protocol => {
                (lost(Connection), "http.protocol", "what the server sent is no HTTP")
            }
            Self::TooLarge if answered => (Limit, "http.too_large", "the answer is too large"),
            Self::TooLarge => (lost(Limit), "http.too_large", "the answer's headers are too large"),
            Self::Redirect => (lost(Denied), "http.redirect", "the server sends elsewhere"),
            Self::Encoding => (lost(Denied), "http.encoding", "the answer is compressed"),
            Self::Late if answered => (Limit, "http.slow", "the answer did not end in time"),
            Self::Late if is_write => (Unknown, "http.slow", "there was no answer in time"),
            Self::Late => (Timeout, StopReason::Timeout.code(), StopReason::Timeout.message()),
            Self::Stopped(StopReason::Timeout) => {
                (lost(Timeout), StopReason::Timeout.code(), StopReason::Timeout.message())
            }
            Self::Stopped(reason) => (lost(Cancelled), reason.code(), reason.message()),
        }
    }
}
