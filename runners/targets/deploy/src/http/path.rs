//! Paths that stay where they are allowed.

use placet_core::error::{Code, Error};

use crate::http::failure::HttpFailure;

/// Methods that an endpoint may be asked with. `CONNECT` and `TRACE` are none of them.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// The longest path with its query.
const PATH_BYTES_MAX: usize = 8 << 10;

/// A method, and a path or all paths below one: what an endpoint may be asked.
///
/// Of two rules that fit, the one that names more counts; where they name the same, the request is a write. So is one
/// that some server takes for a write: with another letter encoded, in capitals, or with a slash at its end; and HEAD,
/// where GET is one. That a
/// request which is allowed as a read changes nothing is for the host to know: some products begin a build with GET.
///
/// ```
/// use placet_target_deploy::{Endpoint, Rule};
///
/// // Jira searches with POST, and creates with it too.
/// let jira = Endpoint::builder("https://example.atlassian.net")
///     .read(Rule::exactly("POST", "/rest/api/3/search/jql"))
///     .write(Rule::below("POST", "/rest/api/3/issue"));
/// assert!(jira.build().is_ok());
/// assert!(Endpoint::builder("https://example.org").read(Rule::below("TRACE", "/")).build().is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    method: String,
    path: String,
    is_exact: bool,
}

impl Rule {
    /// This path and all below it. `/job` has `/job/1` below it, and not `/jobs`.
    pub fn below(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self { method: method.into(), path: path.into(), is_exact: false }
    }

    /// This path and no other.
    pub fn exactly(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self { is_exact: true, ..Self::below(method, path) }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let help = "name one of GET, HEAD, POST, PUT, PATCH and DELETE, and a path such as `/api/`";
        if METHODS.contains(&&*self.method) && check_path(&self.path).is_ok() {
            return Ok(());
        }
        let rule = format!("`{} {}` is no rule for requests", self.method, self.path);
        Err(Error::new(Code::InvalidInput, rule).with_help(help))
    }

    /// How much it names of this request, both in one spelling: `None` where it does not fit.
    fn names(&self, method: &str, path: &[u8], own: &[u8]) -> Option<usize> {
        let rest = path.strip_prefix(own)?;
        let is_below = rest.is_empty() || own.ends_with(b"/") || rest.starts_with(b"/");
        let fits = self.method == method && if self.is_exact { rest.is_empty() } else { is_below };
        fits.then(|| own.len().saturating_mul(2).saturating_add(usize::from(self.is_exact)))
    }
}

/// Whether a request writes; `None` where no rule allows it.
///
/// Only the spelling of the rules is allowed. What some server would take for a write is a write, however it is spelled:
/// who may only read could else write `/%64o/it` where the rules say `/do/it`.
pub(super) fn writes(reads: &[Rule], writes: &[Rule], method: &str, path: &str) -> Option<bool> {
    let judged = |method: &str, spelling: Option<Spelling>| {
        let path =
            spelling.map_or_else(|| path.as_bytes().to_vec(), |spelling| spelling.of(path, true));
        let names = |rule: &Rule| {
            let own = spelling.map_or_else(
                || rule.path.as_bytes().to_vec(),
                |it| it.of(&rule.path, rule.is_exact),
            );
            rule.names(method, &path, &own)
        };
        match [reads, writes].map(|rules| rules.iter().filter_map(names).max()) {
            [None, None] => None,
            [read, write] => Some(write >= read),
        }
    };
    judged(method, None)?;
    let in_some_spelling = |method: &str| {
        let mut spellings = core::iter::once(None).chain(Spelling::all().map(Some));
        spellings.any(|spelling| judged(method, spelling) == Some(true))
    };
    // Many servers do for HEAD what they do for GET, and leave the body out.
    Some(in_some_spelling(method) || method == "HEAD" && in_some_spelling("GET"))
}

/// What a server may take for one path. Each decodes what is encoded.
#[derive(Clone, Copy, Debug)]
struct Spelling {
    /// An encoded slash separates too.
    splits: bool,
    /// Large letters are small ones.
    folds: bool,
    /// A slash at the end is none.
    drops: bool,
}

impl Spelling {
    fn all() -> impl Iterator<Item = Self> {
        (0_u8..8).map(|bits| Self {
            splits: bits & 1 != 0,
            folds: bits & 2 != 0,
            drops: bits & 4 != 0,
        })
    }

    /// A path as such a server reads it. `is_whole`: nothing comes below it.
    fn of(self, path: &str, is_whole: bool) -> Vec<u8> {
        let mut read = Vec::with_capacity(path.len());
        let mut rest = path.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let digits = after.first_chunk::<2>().filter(|_| *first == b'%');
            let decoded = digits.and_then(|[high, low]| Some(hex(*high)? << 4 | hex(*low)?));
            match decoded {
                Some(b'/') if !self.splits => read.extend(b"%2F"),
                Some(byte) => read.push(byte),
                None => read.push(*first),
            }
            rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
        }
        if self.folds {
            read.make_ascii_lowercase();
        }
        if self.drops && is_whole && read.ends_with(b"/") {
            read.pop();
        }
        read
    }
}

/// The path of a request and its query, where both are what they look like to any server.
pub(super) fn split(path_and_query: &str) -> Result<(&str, Option<&str>), HttpFailure> {
    if path_and_query.len() > PATH_BYTES_MAX {
        return Err(HttpFailure::invalid("http.path", "the path is longer than 8 KiB"));
    }
    let (path, query) = match path_and_query.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path_and_query, None),
    };
    check_path(path).map_err(|why| HttpFailure::invalid("http.path", why))?;
    let is_fine = |byte: u8| is_path_byte(byte) || b"/?[]{};%".contains(&byte);
    if !query.unwrap_or_default().bytes().all(is_fine) {
        return Err(HttpFailure::invalid(
            "http.path",
            "the query has a letter that must be encoded",
        ));
    }
    Ok((path, query))
}

/// What RFC 3986 lets stand in a segment as it is, without `;`: some servers cut a segment there, and see another path.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

pub(super) fn check_path(path: &str) -> Result<(), &'static str> {
    let Some(inner) = path.strip_prefix('/') else {
        return Err("the path does not begin with `/`");
    };
    let mut plain = Vec::new();
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next(), bytes.next()].map(|digit| digit.and_then(hex));
            let [Some(high), Some(low)] = digits else {
                return Err("the path has a `%` without two hexadecimal digits");
            };
            let decoded = high << 4 | low;
            // A `%` could be decoded once more behind a proxy, and a dot or a backslash climbs.
            if decoded < 0x20 || decoded == 0x7f || b"%.\\;?#".contains(&decoded) {
                return Err("the path encodes a letter that must not be in a path");
            }
            plain.push(decoded);
        } else if byte == b'/' || is_path_byte(byte) {
            plain.push(byte);
        } else {
            return Err("the path has a letter that must be encoded");
        }
    }
    // An encoded slash separates too, for some servers.
    let mut segments: Vec<&[u8]> = plain.split(|byte| *byte == b'/').collect();
    if segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
    if segments.iter().any(|segment| segment.is_empty()) {
        return Err("the path has two slashes in a row");
    }
    if segments.iter().any(|segment| segment.iter().all(|byte| *byte == b'.')) {
        return Err("the path has a segment of dots");
    }
    Ok(())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_climb_or_mean_two_things_are_refused() {
        for path in
            ["/", "/a", "/a/", "/a/b.c/..d/d..", "/projects/group%2Fshop/x", "/a%20b/%C3%A9"]
        {
            assert!(check_path(path).is_ok(), "{path}");
        }
        for path in [
            "",
            "a",
            "//",
            "//host/a",
            "/a//b",
            "/..",
            "/a/../b",
            "/a/..",
            "/./a",
            "/.../a",
            "/a/%2e%2e/b",
            "/a/%2E./b",
            "/a/%252e%252e/b",
            "/a%2f..%2fb",
            "/a/..%2fb",
            "/a%2F%2Fb",
            "/a\\..\\b",
            "/a%5c..%5cb",
            "/a/..;/b",
            "/a/..%3b/b",
            "/a#b",
            "/a%23b",
            "/a b",
            "/a\r\nX: y",
            "/a%0d%0aX:%20y",
            "/a%00",
            "/a%",
            "/a%2",
            "/a%zz",
            "/é",
            "/a?b",
            "http://other/a",
            "*",
        ] {
            assert!(check_path(path).is_err(), "{path}");
        }
    }

    #[test]
    fn the_rule_that_names_more_decides_and_a_tie_is_a_write() {
        let (read, write) = (
            [
                Rule::below("GET", "/"),
                Rule::exactly("POST", "/issue/search"),
                Rule::below("PUT", "/x"),
            ],
            [Rule::below("POST", "/issue"), Rule::below("PUT", "/x"), Rule::below("GET", "/do/")],
        );
        for (method, path, due) in [
            ("GET", "/any", Some(false)),
            ("GET", "/do/it", Some(true)),
            ("GET", "/do", Some(false)),
            ("POST", "/issue", Some(true)),
            ("POST", "/issue/1", Some(true)),
            ("POST", "/issue/search", Some(false)),
            ("POST", "/issue/search/1", Some(true)),
            ("POST", "/issues", None),
            ("POST", "/issue%2Fsearch", None),
            ("PUT", "/x/1", Some(true)),
            ("DELETE", "/issue", None),
        ] {
            assert_eq!(writes(&read, &write, method, path), due, "{method} {path}");
        }
    }

    #[test]
    fn a_head_is_a_write_where_a_get_is_one() {
        let read = [Rule::below("HEAD", "/"), Rule::below("GET", "/")];
        let write = [Rule::below("GET", "/do/"), Rule::below("POST", "/issue")];
        for (path, due) in [
            ("/do/it", true),
            ("/%64o/it", true),
            ("/DO/it", true),
            ("/do", false),
            ("/issue", false),
        ] {
            assert_eq!(writes(&read, &write, "HEAD", path), Some(due), "{path}");
        }
        // It is allowed by rules of its own all the same.
        assert_eq!(writes(&read[1..], &write, "HEAD", "/do/it"), None);
        assert_eq!(writes(&read[1..], &write, "HEAD", "/any"), None);
    }

    #[test]
    fn a_write_is_one_in_every_spelling_and_no_other_spelling_is_allowed() {
        let read = [Rule::below("GET", "/"), Rule::exactly("POST", "/find")];
        let write = [
            Rule::below("GET", "/do/"),
            Rule::exactly("GET", "/job/x/build"),
            Rule::below("GET", "/group%2Fshop/run"),
        ];
        for (path, due) in [
            ("/do/it", true),
            ("/%64o/it", true),
            ("/d%6F/it", true),
            ("/do%2Fit", true),
            ("/do%2fit", true),
            ("/%64%6f%2f%69t", true),
            ("/DO/it", true),
            ("/%44O%2Fit", true),
            ("/job/x/build", true),
            ("/job/x/build/", true),
            ("/job/x/BUILD/", true),
            ("/job/x%2Fbuil%64/", true),
            ("/group%2Fshop/run/1", true),
            ("/group%2fshop/run/1", true),
            ("/group/shop/run", true),
            ("/done", false),
            ("/do", false),
            ("/job/x/builds", false),
            ("/job/x/build/7", false),
            ("/group%2Fother/run", false),
            ("/%C3%A9", false),
        ] {
            assert_eq!(writes(&read, &write, "GET", path), Some(due), "{path}");
        }
        for path in ["/%66ind", "/FIND", "/find/", "/x%2F..", "/"] {
            assert_eq!(writes(&read, &write, "POST", path), None, "{path}");
        }
    }
}
