//! How a value, a log entry and the head are written down, and how damage in them is seen.

use placet_core::digest::Digest;
use placet_core::store::{Key, StoreError, Stored, Version};

use crate::fault::damaged;

/// The longest key, in bytes. An entry of an index of PostgreSQL must fit on a third of a page.
pub const KEY_BYTES_MAX: usize = 1_024;

/// The most that one batch may write, in bytes: PostgreSQL takes no message of a gibibyte.
pub const BATCH_BYTES_MAX: usize = 256 << 20;

/// The form of the tables. It grows with every change that an older version could not read.
pub(crate) const FORMAT: i32 = 1;

/// A checksum: the first bytes of a digest.
pub(crate) type Sum = [u8; 8];

/// How far the store is: the one row that every commit locks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Head {
    /// How many batches were applied.
    pub(crate) commits: u64,
    /// How many entries the log has.
    pub(crate) log_len: u64,
}

impl Head {
    /// An empty store.
    pub(crate) const START: Self = Self { commits: 0, log_len: 0 };

    /// The checksum that stands beside it.
    pub(crate) fn sum(self) -> Sum {
        short(&[b"head", &FORMAT.to_be_bytes(), &be(self.commits), &be(self.log_len)])
    }

    /// What was read, tested.
    pub(crate) fn read(commits: i64, log_len: i64, sum: &[u8]) -> Result<Self, StoreError> {
        let read = || {
            let head =
                Self { commits: commits.try_into().ok()?, log_len: log_len.try_into().ok()? };
            (head.sum() == *sum).then_some(head)
        };
        read().ok_or_else(|| damaged("the head of the store is not what was written"))
    }
}

/// The checksum of a value. It is bound to key and version: a value that moved is as wrong as one that
/// changed.
pub(crate) fn value_sum(key: &Key, version: Version, value: &[u8]) -> Sum {
    let length = u64::try_from(key.as_bytes().len()).unwrap_or(u64::MAX);
    short(&[b"value", &be(length), key.as_bytes(), &be(version.get()), value])
}

/// The checksum of a log entry, bound to its index.
pub(crate) fn entry_sum(index: u64, entry: &[u8]) -> Sum {
    short(&[b"entry", &be(index), entry])
}

/// A value as it was read, not tested yet.
#[derive(Debug)]
pub(crate) struct RawValue {
    pub(crate) key: Key,
    pub(crate) version: i64,
    pub(crate) value: Vec<u8>,
    pub(crate) sum: Vec<u8>,
}

impl RawValue {
    /// The value, tested.
    pub(crate) fn check(self) -> Result<(Key, Stored), StoreError> {
        let version = u64::try_from(self.version).ok().map(Version::new);
        let whole = version.filter(|version| {
            value_sum(&self.key, *version, &self.value).as_slice() == self.sum.as_slice()
        });
        match whole {
            Some(version) => Ok((self.key, Stored::new(version, self.value))),
            None => Err(damaged(format!("the value at {:?} is not what was written", self.key))),
        }
    }
}

/// A log entry as it was read, not tested yet.
#[derive(Debug)]
pub(crate) struct RawEntry {
    pub(crate) index: i64,
    pub(crate) entry: Vec<u8>,
    pub(crate) sum: Vec<u8>,
}

impl RawEntry {
    /// The entry, tested to be the one at `index`.
    pub(crate) fn check(self, index: u64) -> Result<Vec<u8>, StoreError> {
        if u64::try_from(self.index) != Ok(index) {
            return Err(damaged(format!("log entry {index} is missing")));
        }
        if entry_sum(index, &self.entry).as_slice() != self.sum.as_slice() {
            return Err(damaged(format!("log entry {index} is not what was written")));
        }
        Ok(self.entry)
    }
}

fn be(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

fn short(parts: &[&[u8]]) -> Sum {
    Digest::of_parts(parts).as_bytes().first_chunk().copied().unwrap_or_default()
}

/// A number for a column: PostgreSQL has no unsigned ones. None of ours comes near the end.
pub(crate) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
