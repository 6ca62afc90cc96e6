//! The word for how a call came in.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};

const BYTES_MAX: usize = 24;

/// How a call came in: a short word of the host's, such as `cli`, `web` or `api`.
///
/// ```
/// use placet_core::identity::Channel;
/// let channel: Channel = "web-console".parse()?;
/// assert_eq!(channel.as_str(), "web-console");
/// assert!("Ana's laptop".parse::<Channel>().is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Channel {
    // Invariant: the first `len` are of a to z, 0 to 9 and `-`; the others are zero.
    bytes: [u8; BYTES_MAX],
    len: usize,
}

impl Channel {
    /// The word.
    pub fn as_str(&self) -> &str {
        let word = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(word).unwrap_or_default()
    }
}

impl FromStr for Channel {
    type Err = Error;

    /// Fails with `invalid_input` when it is not 1 to 24 of: a to z, 0 to 9, `-`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let mut bytes = [0; BYTES_MAX];
        match bytes.get_mut(..text.len()) {
            Some(room) if !room.is_empty() && text.bytes().all(allowed) => {
                room.copy_from_slice(text.as_bytes());
                Ok(Self { bytes, len: text.len() })
            }
            Some(_) | None => {
                let shown = crate::letters::shown(text);
                Err(Error::new(Code::InvalidInput, format!("`{shown}` does not name a channel"))
                    .with_help("write 1 to 24 of: a to z, 0 to 9, `-`"))
            }
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({self})")
    }
}

impl TryFrom<String> for Channel {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Channel> for String {
    fn from(channel: Channel) -> Self {
        channel.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_one_short_word() {
        for word in ["a", "cli", "web-2", &"x".repeat(24)] {
            assert_eq!(word.parse::<Channel>().unwrap().to_string(), word);
        }
        for wrong in ["", "CLI", "a b", "é", "a\n", &"x".repeat(25)] {
            assert_eq!(wrong.parse::<Channel>().unwrap_err().code(), Code::InvalidInput, "{wrong}");
        }
    }
}
