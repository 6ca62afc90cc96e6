//! The address of an endpoint, parsed once.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use placet_core::error::{Code, Error};

use crate::http::path::check_path;

/// Where an endpoint is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Base {
    pub(super) is_encrypted: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    /// What stands before every path: empty, or `/…` without a slash at its end.
    pub(super) prefix: String,
}

/// A name or an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Base {
    pub(super) fn parse(url: &str) -> Result<Self, Error> {
        // The URL is not repeated: somebody may have written a password into it.
        let wrong = |sentence: &str| {
            Error::new(Code::InvalidInput, sentence)
                .with_help("write the endpoint's URL as `https://ci.example.org:8443/base`")
        };
        let (is_encrypted, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://"))
        {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(wrong("the endpoint's URL is neither https nor http")),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if rest.contains(['@', '#', '?', '\\']) {
            return Err(wrong("the endpoint's URL has a user, a query or a fragment"));
        }
        let (host, port) = if let Some(inner) = authority.strip_prefix('[') {
            let (address, after) = inner.split_once(']').unwrap_or((inner, "]"));
            let address: Ipv6Addr =
                address.parse().map_err(|_unparsed| wrong("the endpoint's address is none"))?;
            (Host::Address(address.into()), after)
        } else {
            let (name, after) =
                authority.find(':').map_or((authority, ""), |at| authority.split_at(at));
            (Host::parse(name).ok_or_else(|| wrong("the endpoint's host is no name"))?, after)
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => digits.parse().ok().filter(|port| *port != 0),
            None if port.is_empty() => Some(if is_encrypted { 443 } else { 80 }),
            None => None,
        };
        let port = port.ok_or_else(|| wrong("the endpoint's port is none"))?;
        let prefix = path.strip_suffix('/').unwrap_or(path);
        if !prefix.is_empty() {
            check_path(prefix).map_err(wrong)?;
        }
        Ok(Self { is_encrypted, host, port, prefix: prefix.to_owned() })
    }

    /// What the header `Host` says.
    pub(super) fn authority(&self) -> String {
        let host = match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
        };
        match (self.is_encrypted, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(address.into()));
        }
        let name = text.to_ascii_lowercase();
        let is_label = |label: &str| {
            let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len())
                && label.bytes().all(is_inner)
                && !label.starts_with('-')
        };
        // `1.2.3` and `0x7f.1` are addresses to some resolvers, and names to none.
        let last = name.rsplit('.').next().unwrap_or_default();
        let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
        (name.len() <= 253 && name.split('.').all(is_label) && !is_number)
            .then_some(Self::Name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_or_refused() {
        for (url, authority, prefix) in [
            ("https://ci.example.org", "ci.example.org", ""),
            ("https://CI.example.org/", "ci.example.org", ""),
            ("http://ci:8080/base/", "ci:8080", "/base"),
            ("https://[::1]:8443/a/b", "[::1]:8443", "/a/b"),
            ("https://10.0.0.1:443", "10.0.0.1", ""),
        ] {
            let base = Base::parse(url).unwrap();
            assert_eq!((base.authority().as_str(), base.prefix.as_str()), (authority, prefix));
        }
        for url in [
            "ftp://a",
            "https:/a",
            "https://",
            "https://user:hunter2@a",
            "https://a/?token=hunter2",
            "https://a#hunter2",
            "https://a:0",
            "https://a:99999",
            "https://a:",
            "https://a:b",
            "https://[::1",
            "https://[x]",
            "https://[::1]x",
            "https://0x7f.1",
            "https://2130706433",
            "https://127.1",
            "https://a..b",
            "https://a b",
            "https://a/../b",
            "https://a//b",
            "https://é",
            "https://a\\b",
        ] {
            let refused = Base::parse(url).unwrap_err();
            assert!(!format!("{refused:?}").contains("hunter2"), "{url}: {refused:?}");
        }
    }
}
