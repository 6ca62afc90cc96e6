//! What of a server's answer a plugin sees.

use hyper::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};

use crate::http::endpoint::Endpoint;
use crate::http::failure::Trouble;
use crate::http::request::HttpResponse;

/// Headers that are credentials themselves, or speak of the connection.
const NOT_HANDED_OUT: [&str; 9] = [
    "set-cookie",
    "set-cookie2",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "transfer-encoding",
    "trailer",
    "upgrade",
];

impl Endpoint {
    /// Refuses what is no answer for a plugin: redirects, upgrades, too much.
    pub(super) fn check_head(&self, status: u16, headers: &HeaderMap) -> Result<(), Trouble> {
        let sizes = headers.iter().map(|(name, value)| {
            // Colon, space and line break go with each.
            name.as_str().len().saturating_add(value.len()).saturating_add(4)
        });
        let is_large = sizes.fold(0, usize::saturating_add) > self.limits.head_bytes;
        // Chunks are put together before anybody looks; what else is done to a transfer is not undone.
        let is_coded = |(name, plain): (HeaderName, &[&str])| {
            headers.get_all(name).iter().any(|value| !is_among(value, plain))
        };
        let coded = [(CONTENT_ENCODING, &["identity"][..]), (TRANSFER_ENCODING, &["chunked"][..])];
        match status {
            0..200 => Err(Trouble::Protocol),
            // Not Modified is an answer, and sends nowhere.
            300..400 if status != 304 => Err(Trouble::Redirect),
            _ if is_large || headers.len() > self.limits.headers => Err(Trouble::TooLarge),
            _ if coded.into_iter().any(is_coded) => Err(Trouble::Encoding),
            _ => Ok(()),
        }
    }

    /// The answer without credentials.
    pub(super) fn clean(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<HttpResponse, Trouble> {
        let body = self.redactor.redact(body, false);
        // The mask may be longer than what it stands for.
        if body.len() > self.limits.response_bytes {
            return Err(Trouble::TooLarge);
        }
        let shown = headers.iter().filter(|(name, _)| {
            let is_secret = self.redactor.finds_in(name.as_str().as_bytes());
            !NOT_HANDED_OUT.contains(&name.as_str()) && !is_secret
        });
        let shown =
            shown.map(|(name, value)| (name.to_string(), self.shown(name, value.as_bytes())));
        Ok(HttpResponse { status, headers: shown.collect(), body })
    }

    fn shown(&self, name: &HeaderName, value: &[u8]) -> String {
        if self.own_headers.contains(name) {
            return "[redacted]".to_owned();
        }
        String::from_utf8_lossy(&self.redactor.redact(value, false)).into_owned()
    }
}

/// Whether a header's value is one of these words.
fn is_among(value: &HeaderValue, words: &[&str]) -> bool {
    value.to_str().is_ok_and(|value| words.iter().any(|word| value.eq_ignore_ascii_case(word)))
}
