//! What is called.

use alloc::string::String;
use alloc::vec::Vec;

use crate::read::Refused;
use crate::{read, write};

/// Where the name of the run goes. Neither a path nor a header may hold braces by itself, so nothing else looks like it.
///
/// ```
/// assert_eq!(placet_exchange::RUN, "{{placet.run}}");
/// ```
pub const RUN: &str = "{{placet.run}}";

/// The longest name of a run, in bytes.
const RUN_BYTES_MAX: usize = 128;

/// One call.
///
/// ```
/// use placet_exchange::{CommandCall, Exchange};
///
/// let call = CommandCall { name: "migrate".into(), arguments: vec![], stdin: vec![] };
/// let text = Exchange::Command(call).to_text();
/// assert_eq!(text, r#"{"command":{"arguments":[],"name":"migrate","stdin":""}}"#);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "whoever compares must know every kind of call")]
pub enum Exchange {
    /// A request to a named endpoint.
    Http(HttpCall),
    /// A named command.
    Command(CommandCall),
}

/// A request to a named endpoint. Address and credential are the host's.
///
/// ```
/// use placet_exchange::{Exchange, HttpCall};
///
/// let call = HttpCall {
///     endpoint: "ci".into(),
///     method: "POST".into(),
///     path_and_query: "/".into(),
///     headers: vec![],
///     body: vec![0xff],
/// };
/// assert!(Exchange::Http(call).to_text().contains(r#""body_hex":"ff""#));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a part that nobody compares could be anything")]
pub struct HttpCall {
    /// The endpoint by its name in the host.
    pub endpoint: String,
    /// The method, such as `POST`.
    pub method: String,
    /// The path below the endpoint, with its query.
    pub path_and_query: String,
    /// Headers in the order in which they are sent.
    pub headers: Vec<(String, String)>,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

/// A named command with the values of its holes.
///
/// ```
/// use placet_exchange::{CommandCall, Exchange, RUN};
///
/// let arguments = vec![("run".to_owned(), RUN.to_owned())];
/// let planned = Exchange::Command(CommandCall { name: "deploy".into(), arguments, stdin: vec![] });
/// let Exchange::Command(sent) = planned.filled("run_7")? else { panic!("it stays a command") };
/// assert_eq!(sent.arguments, [("run".to_owned(), "run_7".to_owned())]);
/// # Ok::<(), placet_exchange::Refused>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a part that nobody compares could be anything")]
pub struct CommandCall {
    /// The command by its name in the host.
    pub name: String,
    /// The values of its holes.
    pub arguments: Vec<(String, String)>,
    /// What it reads.
    pub stdin: Vec<u8>,
}

impl Exchange {
    /// The one text of this call.
    pub fn to_text(&self) -> String {
        write::text(self)
    }

    /// Reads a text that [`Self::to_text`] wrote.
    ///
    /// Fails with [`Refused`] for any other, also where it means the same.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let call = read::call(text)?;
        if call.to_text() == text {
            return Ok(call);
        }
        Err(Refused::new("it is not written in the canonical form"))
    }

    /// The same call with the name of the run in place of [`RUN`], wherever a value may differ: in path, header values,
    /// body, arguments and input, but neither in names nor in the method.
    ///
    /// Fails with [`Refused`] for a name that is not 1 to 128 of letters, digits, `_` and `-`, a letter or digit first:
    /// any other could mean something in a path, in JSON or as an option of a command.
    pub fn filled(&self, run: &str) -> Result<Self, Refused> {
        if !is_name_of_run(run) {
            return Err(Refused::new("the name of the run is not one"));
        }
        let text = |value: &String| value.replace(RUN, run);
        let pairs = |pairs: &[(String, String)]| {
            pairs.iter().map(|(name, value)| (name.clone(), text(value))).collect()
        };
        Ok(match self {
            Self::Http(call) => Self::Http(HttpCall {
                path_and_query: text(&call.path_and_query),
                headers: pairs(&call.headers),
                body: bytes_filled(&call.body, run.as_bytes()),
                ..call.clone()
            }),
            Self::Command(call) => Self::Command(CommandCall {
                arguments: pairs(&call.arguments),
                stdin: bytes_filled(&call.stdin, run.as_bytes()),
                ..call.clone()
            }),
        })
    }
}

fn is_name_of_run(run: &str) -> bool {
    (1..=RUN_BYTES_MAX).contains(&run.len())
        && run.starts_with(|first: char| first.is_ascii_alphanumeric())
        && run.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn bytes_filled(bytes: &[u8], run: &[u8]) -> Vec<u8> {
    let (mut filled, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(RUN.as_bytes()) {
            filled.extend_from_slice(run);
            rest = after;
        } else {
            filled.push(*first);
            rest = after;
        }
    }
    filled
}
