//! Requests as they came, and answers as they go.

use core::fmt::Write as _;
use std::io::{self, Read};

use serde_json::Value;

/// The most that a test sends.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// A request as it came over the wire.
///
/// ```
/// use core::time::Duration;
/// use placet_target::StopSignal;
/// use placet_target_deploy::testing::{Product, ProductServer};
/// use placet_target_deploy::{Exchange, HttpRequest};
///
/// let server = ProductServer::start(Product::Jenkins);
/// let jenkins = server.endpoint().build()?;
/// let look = Exchange::reading(Duration::from_secs(60), &StopSignal::new());
/// assert_eq!(jenkins.send(&HttpRequest::new("GET", "/queue/item/9/api/json"), &look)?.status, 404);
/// let seen = server.seen();
/// assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("GET", "/queue/item/9/api/json"));
/// assert!(seen[0].header("authorization").is_some());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// What follows the `?`.
    pub query: String,
    /// Headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, of as many bytes as `Content-Length` says.
    pub body: Vec<u8>,
    /// The head as it came.
    pub head: Vec<u8>,
    /// What came after the body: a second request, if anything.
    pub left_over: Vec<u8>,
}

impl Seen {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The parts of the path.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.path.trim_matches('/').split('/').collect()
    }

    /// The body as JSON, or null.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a query or a form says.
    pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
    }

    /// Reads one request. `None` where the other side closed before it said one.
    pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let head_length = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at.saturating_add(4);
            }
            if !more(stream, &mut bytes)? {
                return Ok(None);
            }
        };
        let mut body = bytes.split_off(head_length);
        let mut seen = Self { head: bytes, ..Self::default() };
        let text = String::from_utf8_lossy(&seen.head).into_owned();
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        words.next().unwrap_or_default().clone_into(&mut seen.method);
        let target = words.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (seen.path, seen.query) = (path.to_owned(), query.to_owned());
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            seen.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = seen.header("content-length").and_then(|length| length.parse().ok());
        let length: usize = length.unwrap_or(0);
        while body.len() < length && more(stream, &mut body)? {}
        seen.left_over = body.split_off(length.min(body.len()));
        seen.body = body;
        Ok(Some(seen))
    }
}

fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = vec![0; 16 << 10];
    let length = stream.read(&mut piece)?;
    bytes.extend_from_slice(piece.get(..length).unwrap_or_default());
    Ok(length > 0 && bytes.len() <= REQUEST_BYTES_MAX)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) =
                    (digit(rest.next()).unwrap_or(0), digit(rest.next()).unwrap_or(0));
                u8::try_from(high << 4 | low).unwrap_or(b'?')
            }
            plain => plain,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let kind = ("Content-Type".to_owned(), "application/json".to_owned());
        Self { status, headers: vec![kind], body: body.to_string().into_bytes() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn not_found() -> Self {
        Self::json(404, &serde_json::json!({ "message": "Not Found" }))
    }

    pub(super) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Status line and headers, for a body of `length` bytes.
    pub(super) fn head(&self, length: usize) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Answer\r\n", self.status);
        for (name, value) in &self.headers {
            let _infallible = write!(head, "{name}: {value}\r\n");
        }
        if self.status != 204 {
            let _infallible = write!(head, "Content-Length: {length}\r\n");
        }
        head.push_str("Connection: close\r\n\r\n");
        head.into_bytes()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.head(self.body.len()), self.body.clone()].concat()
    }
}
