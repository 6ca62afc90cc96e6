//! Headers that a plugin may set.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::http::failure::HttpFailure;

/// Headers of the host: where a request goes, how long it is, who sends it, and how the answer is written. Some
/// servers take a method, a path or another caller from a header, past every rule about the request line.
const FORBIDDEN: [&str; 43] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "max-forwards",
    "origin",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "client-ip",
    "from",
    "remote-user",
    "sudo",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-http-host-override",
    "x-remote-user",
    "x-user",
];

/// The most headers that a plugin may set.
const HEADERS_MAX: usize = 32;

/// The longest value of one.
const VALUE_BYTES_MAX: usize = 4 << 10;

/// The plugin's headers, where all of them may be set. `own` are those of the endpoint's credentials.
pub(super) fn checked(
    headers: &[(String, String)],
    own: &[HeaderName],
) -> Result<HeaderMap, HttpFailure> {
    if headers.len() > HEADERS_MAX {
        return Err(HttpFailure::limit("http.headers", "the request has more than 32 headers"));
    }
    let mut checked = HeaderMap::new();
    for (name, value) in headers {
        // Some servers read `_` as `-`, so that one more spelling of a forbidden name would pass.
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let header = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| is_plain);
        let Some(header) = header else {
            return Err(HttpFailure::invalid("http.header", "the name of a header is not a name"));
        };
        if is_forbidden(&header) || own.contains(&header) {
            let message = format!("the header `{header}` is set by the host alone");
            return Err(HttpFailure::denied("http.header", message));
        }
        let is_plain = |value: &&String| value.trim() == **value && value.is_ascii();
        let text = Some(value).filter(is_plain);
        let text = text.filter(|value| value.len() <= VALUE_BYTES_MAX);
        let Some(Ok(value)) = text.map(|value| HeaderValue::from_str(value)) else {
            let message = format!("the value of the header `{header}` cannot be sent");
            return Err(HttpFailure::invalid("http.header", message));
        };
        if checked.insert(&header, value).is_some() {
            let message = format!("the header `{header}` is there twice");
            return Err(HttpFailure::invalid("http.header", message));
        }
    }
    Ok(checked)
}

fn is_forbidden(header: &HeaderName) -> bool {
    let name = header.as_str();
    let starts = [
        "proxy-",
        "sec-",
        "x-forwarded-",
        "cf-",
        // Kubernetes, and what stands before Grafana, Gitea and others.
        "impersonate-",
        "x-auth-request-",
        "x-remote-",
        "x-webauth-",
        "x-ssl-client-",
    ];
    FORBIDDEN.contains(&name) || starts.iter().any(|start| name.starts_with(start))
}
