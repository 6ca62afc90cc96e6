//! One digest for a set of pairs, kept up to date by adding and taking away single pairs.

use core::fmt;

use placet_core::digest::Digest;

use crate::record::header;

/// The sum of the digests of all pairs in a set, whatever their order.
///
/// This is the additive hash of a multiset: `MSet-Add-Hash` of Clarke, Devadas, van Dijk, Gassend and
/// Suh, "Incremental Multiset Hash Functions and Their Application to Memory Integrity Checking"
/// (ASIACRYPT 2003), after `AdHash` of Bellare and Micciancio (EUROCRYPT 1997), here over four lanes of
/// 64 bits. A set that differs by accident (something is missing, older, twice or changed) has another
/// sum but with a chance of 1 in 2^256, as SHA-256 makes each pair's digest independent of the others'.
///
/// It is no protection from somebody who chooses the pairs: with 256 bits, sets of equal sum can be
/// computed. Who may write into the folder may write the sum too. Against those stands the audit log.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
pub(crate) struct Sum([u64; 4]);

impl Sum {
    /// Written length, in bytes.
    pub(crate) const BYTES: usize = 32;

    /// The set of this one pair. Of the value only its version and checksum count, which stand first in
    /// `raw`: the checksum covers the rest, and is tested where the value is read.
    pub(crate) fn of(raw_key: &[u8], raw: &[u8]) -> Self {
        let length = u64::try_from(raw_key.len()).unwrap_or(u64::MAX).to_be_bytes();
        Self::from_bytes(*Digest::of_parts(&[&length, raw_key, header(raw)]).as_bytes())
    }

    /// Both sets together.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        self.lanes(other, u64::wrapping_add)
    }

    /// This set without `other`, which is in it.
    #[must_use]
    pub(crate) fn minus(self, other: Self) -> Self {
        self.lanes(other, u64::wrapping_sub)
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (place, lane) in bytes.as_chunks_mut().0.iter_mut().zip(self.0) {
            *place = lane.to_be_bytes();
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let mut lanes = [0; 4];
        for (lane, bytes) in lanes.iter_mut().zip(bytes.as_chunks().0) {
            *lane = u64::from_be_bytes(*bytes);
        }
        Self(lanes)
    }

    fn lanes(mut self, other: Self, step: impl Fn(u64, u64) -> u64) -> Self {
        for (lane, other) in self.0.iter_mut().zip(other.0) {
            *lane = step(*lane, other);
        }
        self
    }
}

impl fmt::Debug for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Digest::from_bytes(self.to_bytes()), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_count_and_everything_else_does() {
        let pair = |key: &[u8], raw: u8| Sum::of(key, &[raw; 16]);
        let (a, b, c) = (pair(b"a", 1), pair(b"b", 1), pair(b"c", 1));
        assert_eq!(a.plus(b).plus(c), c.plus(a).plus(b));
        assert_eq!(a.plus(b).minus(a), b);
        assert_eq!(a.minus(a), Sum::default());
        assert_eq!(Sum::from_bytes(a.to_bytes()), a);
        for other in [b, pair(b"a", 2), pair(b"aa", 1), a.plus(a), a.plus(b), Sum::default()] {
            assert_ne!(a, other);
        }
        // Only what is short is hashed: version and checksum.
        assert_eq!(Sum::of(b"a", &[1; 17]), a);
        assert_ne!(Sum::of(b"a", &[1; 15]), a, "a record that was cut");
    }
}
