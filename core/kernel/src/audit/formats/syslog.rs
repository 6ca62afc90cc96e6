//! Syslog messages (RFC 5424).

use core::fmt::Write as _;

use super::ndjson;
use super::told::{self, Weight};
use crate::audit::leaf::Leaf;
use crate::error::{Code, Error};

/// "log audit", RFC 5424 table 1.
const FACILITY: u8 = 13;

/// How syslog messages are written: whose number the structured data has, from which host, and how they are framed.
///
/// The message is the line of [`EventFormat::Ndjson`](super::EventFormat::Ndjson) in ASCII, so it is never in need of a
/// byte order mark. Structured data of one's own needs a private enterprise number (RFC 5424 §7.2.2). placet has none,
/// and 32473 is for documentation (RFC 5612), so there is none until the host brings its own number; nothing is lost by
/// that. Each message ends in a line feed (RFC 6587 §3.4.2), or begins with its length
/// ([`Self::with_octet_counting`]). Others than these may cut long messages; a leaf has up to 8 KiB.
///
/// ```
/// use placet_core::audit::{EventFormat, Syslog};
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let (index, leaf) = gate.audit(&office.root, 0)?.remove(0);
/// let form = Syslog::default().with_hostname("gate-1.example.org")?.with_enterprise(32473)?;
/// let line = EventFormat::Syslog(form).write(index, &leaf, gate.origin())?;
/// let head = "<110>1 2026-02-07T12:00:00.000000Z gate-1.example.org placet - platform.bootstrapped [placet@32473 ";
/// assert!(line.starts_with(head), "{line}");
/// assert!(Syslog::default().with_hostname("two words").is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Syslog {
    enterprise: Option<u32>,
    hostname: Option<String>,
    counts_octets: bool,
}

impl Syslog {
    /// Adds structured data under the host's private enterprise number.
    ///
    /// Fails with [`Code::InvalidInput`] for 0, which is nobody's.
    pub fn with_enterprise(mut self, number: u32) -> Result<Self, Error> {
        if number == 0 {
            return Err(Error::new(Code::InvalidInput, "0 is no private enterprise number")
                .with_help("name the number that IANA gave to whoever runs this"));
        }
        self.enterprise = Some(number);
        Ok(self)
    }

    /// Names the host that the messages come from.
    ///
    /// Fails with [`Code::InvalidInput`] for what is not 1 to 255 printable ASCII characters without a space.
    pub fn with_hostname(mut self, hostname: &str) -> Result<Self, Error> {
        if field(hostname, 255) != hostname || hostname == "-" {
            return Err(Error::new(
                Code::InvalidInput,
                "a syslog host name is 1 to 255 characters",
            )
            .with_help("write printable ASCII characters without a space"));
        }
        self.hostname = Some(hostname.to_owned());
        Ok(self)
    }

    /// Puts the length of each message, in bytes, and a space in front of it, and no line feed after it (RFC 6587
    /// §3.4.1): for TCP and TLS.
    #[must_use]
    pub fn with_octet_counting(mut self) -> Self {
        self.counts_octets = true;
        self
    }

    pub(super) fn write(&self, index: u64, leaf: &Leaf, origin: &str) -> Result<String, Error> {
        let severity = match told::weight_of(leaf) {
            Weight::Normal => 6, // informational
            Weight::Low => 5,    // notice
            Weight::Medium => 4, // warning
        };
        let priority = u16::from(FACILITY).saturating_mul(8).saturating_add(severity);
        let host = self.hostname.as_deref().unwrap_or("-");
        let (at, id, product) = (leaf.at, field(&leaf.event, 32), told::PRODUCT);
        let data = self.data(index, leaf, origin);
        let text = ascii(&ndjson::write(index, leaf, origin)?);
        let message = format!("<{priority}>1 {at} {host} {product} - {id} {data} {text}");
        Ok(if self.counts_octets {
            format!("{} {message}", message.len())
        } else {
            format!("{message}\n")
        })
    }

    fn data(&self, index: u64, leaf: &Leaf, origin: &str) -> String {
        let Some(number) = self.enterprise else { return "-".to_owned() };
        let params = [
            ("index", Some(index.to_string())),
            ("origin", Some(origin.to_owned())),
            ("event", Some(leaf.event.clone())),
            ("actor", leaf.actor.map(|id| id.to_string())),
            ("on_behalf_of", leaf.on_behalf_of.map(|id| id.to_string())),
            ("channel", leaf.channel.map(|channel| channel.to_string())),
            ("trace", leaf.trace.map(|trace| trace.to_string())),
            ("scope", leaf.scope.map(|scope| scope.to_string())),
            ("request", leaf.request.map(|id| id.to_string())),
            ("run", leaf.run.map(|id| id.to_string())),
            ("outcome", leaf.outcome.clone()),
        ];
        let mut data = format!("[placet@{number}");
        for (name, value) in params {
            if let Some(value) = value {
                let _written = write!(data, " {name}=\"{}\"", in_value(&value));
            }
        }
        data.push(']');
        data
    }
}

/// A field of the header: printable ASCII without spaces, or `-` for what has another letter, is too long or empty.
fn field(text: &str, letters: usize) -> &str {
    let fits =
        (1..=letters).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { text } else { "-" }
}

/// A value of structured data: `"`, `\` and `]` are escaped (RFC 5424 §6.3.3), and what would break a line is visible.
fn in_value(text: &str) -> String {
    told::visible(text).replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

/// JSON text in ASCII. Other letters stand in strings only, where JSON can write them by number.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() && letter != '\u{7f}' {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _written = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}
