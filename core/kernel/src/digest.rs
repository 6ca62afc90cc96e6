//! SHA-256 digests and the one canonical byte form that is digested (RFC 8785).

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Code, Error};

/// A SHA-256 digest (FIPS 180-4). Written as 64 lower-case hex digits; parsing
/// any other text fails with [`Code::InvalidInput`].
///
/// ```
/// use placet_core::digest::Digest;
/// let digest = Digest::of(b"abc");
/// assert!(digest.to_string().starts_with("ba7816bf8f01cfea"));
/// ```
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }

    /// The digest of the concatenation of `parts`.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The digest of the canonical JSON form of `value` (RFC 8785).
    ///
    /// Fails as [`canonical_json`] does.
    pub fn of_json(value: &impl Serialize) -> Result<Self, Error> {
        Ok(Self::of(&canonical_json(value)?))
    }

    /// Takes 32 bytes that are already a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The canonical JSON form of `value` (RFC 8785): one byte string for one value.
///
/// Numbers are written as IEEE 754 doubles are (RFC 8785 §3.2.2.3): integers above 2^53 lose digits.
///
/// Fails with [`Code::Internal`] for a value that JSON cannot hold, such as a map with lists for keys.
///
/// ```
/// use placet_core::digest::canonical_json;
///
/// #[derive(serde::Serialize)]
/// struct Vote { yes: u8, by: &'static str }
///
/// // Sorted by name, without blanks: two hosts get the same bytes, so the same digest.
/// assert_eq!(canonical_json(&Vote { yes: 1, by: "bo" })?, br#"{"by":"bo","yes":1}"#);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn canonical_json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json_canonicalizer::to_vec(value).map_err(|source| {
        Error::new(Code::Internal, "a value has no canonical JSON form").with_source(source)
    })
}

/// Writes `bytes` as lower-case hex digits.
///
/// ```
/// use placet_core::digest::{Digest, to_hex};
/// assert_eq!(to_hex(&[0x00, 0xff]), "00ff");
/// let digest = Digest::of(b"abc");
/// assert_eq!(to_hex(digest.as_bytes()), digest.to_string());
/// ```
pub fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || {
            let shown = crate::letters::shown(text);
            Error::new(Code::InvalidInput, format!("`{shown}` is not a digest"))
                .with_help("write the SHA-256 digest as 64 lower-case hex digits")
        };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(malformed());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return Err(malformed()) };
            let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else {
                return Err(malformed());
            };
            *byte = (high << 4) | low;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a' - 10),
        _ => None,
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}
