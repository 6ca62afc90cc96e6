//! How a value and a log entry are written down, and how damage in them is seen.

use placet_core::digest::Digest;
use placet_core::store::{Key, StoreError, Stored, Version};

use crate::fault::damaged;

/// Where a record stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Key(&'a [u8]),
    Log(u64),
}

const SUM_BYTES: usize = 8;

/// The bytes of `value` at `place`: version, checksum, value.
pub(crate) fn encode(place: Place<'_>, version: Version, value: &[u8]) -> Vec<u8> {
    [&version.get().to_be_bytes(), sum(place, version, value).as_slice(), value].concat()
}

/// The value that `raw` holds, tested.
pub(crate) fn decode(place: Place<'_>, raw: &[u8]) -> Result<Stored, StoreError> {
    let parsed = || {
        let (version, rest) = raw.split_first_chunk::<8>()?;
        let (stored_sum, value) = rest.split_first_chunk::<SUM_BYTES>()?;
        let version = Version::new(u64::from_be_bytes(*version));
        let whole = sum(place, version, value) == *stored_sum;
        whole.then(|| Stored::new(version, value.to_vec()))
    };
    parsed().ok_or_else(|| match place {
        Place::Key(key) => damaged(format!(
            "the value at {:?} is not what was written",
            Key::from_bytes(key.to_vec())
        )),
        Place::Log(index) => damaged(format!("log entry {index} is not what was written")),
    })
}

/// Binds a value to its place and version: a value that moved is as wrong as one that changed.
fn sum(place: Place<'_>, version: Version, value: &[u8]) -> [u8; SUM_BYTES] {
    let index;
    let (kind, at) = match place {
        Place::Key(key) => (b"k", key),
        Place::Log(number) => {
            index = number.to_be_bytes();
            (b"l", index.as_slice())
        }
    };
    let length = u64::try_from(at.len()).unwrap_or(u64::MAX).to_be_bytes();
    let digest = Digest::of_parts(&[kind, &length, at, &version.get().to_be_bytes(), value]);
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_bound_to_its_place_and_version() {
        let raw = encode(Place::Key(b"a"), Version::new(7), b"value");
        assert_eq!(decode(Place::Key(b"a"), &raw).unwrap().value, b"value");
        decode(Place::Key(b"b"), &raw).unwrap_err();
        decode(Place::Log(0), &raw).unwrap_err();
        for at in 0..raw.len() {
            let mut flipped = raw.clone();
            flipped[at] ^= 1;
            decode(Place::Key(b"a"), &flipped).unwrap_err();
            decode(Place::Key(b"a"), &raw[..at]).unwrap_err();
        }
        let entry = encode(Place::Log(3), Version::new(7), b"");
        assert_eq!(decode(Place::Log(3), &entry).unwrap().value, b"");
        decode(Place::Log(4), &entry).unwrap_err();
    }
}
