//! Keys: byte strings made of segments, ordered as their segments are.

use core::fmt;

/// A key: segments joined so that byte order is segment order and no key is a prefix of another
/// by accident.
///
/// ```
/// use placet_core::store::Key;
/// let team = Key::from_segments(&["team", "a"]);
/// assert!(team.starts_with(&Key::from_segments(&["team"])));
/// assert!(!Key::from_segments(&["teams"]).starts_with(&Key::from_segments(&["team"])));
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key(Vec<u8>);

/// Ends every segment. Segments hold text without NUL, so the separator cannot occur inside one.
const SEPARATOR: u8 = 0;

impl Key {
    /// Joins `segments`. A NUL inside a segment is replaced, so that it cannot forge a boundary.
    pub fn from_segments(segments: &[&str]) -> Self {
        let mut bytes =
            Vec::with_capacity(segments.iter().map(|s| s.len().saturating_add(1)).sum());
        for segment in segments {
            bytes.extend(segment.bytes().map(|b| if b == SEPARATOR { 0x01 } else { b }));
            bytes.push(SEPARATOR);
        }
        Self(bytes)
    }

    /// Takes bytes as a driver read them.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, as a driver stores them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether `prefix` is the beginning of this key.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// This key with one more segment.
    #[must_use]
    pub fn child(&self, segment: &str) -> Self {
        let mut bytes = self.0.clone();
        bytes.extend_from_slice(Self::from_segments(&[segment]).as_bytes());
        Self(bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0);
        write!(f, "Key({})", text.trim_end_matches('\0').replace('\0', "/"))
    }
}
