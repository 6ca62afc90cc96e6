//! How a value, a log entry and the position are written down, and how damage in them is seen.

use placet_core::digest::Digest;
use placet_core::store::{Key, StoreError, Stored, Version};

use crate::blobs::{BLOB_BYTES, Blobs};
use crate::fault::{damaged, lost};
use crate::sum::Sum;

/// The longest key, in bytes.
///
/// sled's index pages hold some hundred keys each; longer ones would push a page over the size from
/// which sled stores it in a file of its own.
pub const KEY_BYTES_MAX: usize = 1_024;

/// The longest piece of a value that is stored under one raw key, for the same reason.
pub(crate) const CHUNK_BYTES: usize = 8 * 1_024;

/// Where the position stands.
pub(crate) const POSITION: &[u8] = b"m";

const INLINE: u8 = 0;
const CHUNKED: u8 = 1;
const BLOB: u8 = 2;
pub(crate) const SUM_BYTES: usize = 8;

/// Version and checksum, the first bytes of every record.
const HEADER_BYTES: usize = 8 + SUM_BYTES;

/// What has a raw key from here to before the end is a pair: it can change and go, and belongs to a section.
pub(crate) const PAIRS_START: &[u8] = b"d";
pub(crate) const PAIRS_END: &[u8] = b"f";

/// Whether `raw_key` is that of a pair.
pub(crate) fn is_pair(raw_key: &[u8]) -> bool {
    (PAIRS_START..PAIRS_END).contains(&raw_key)
}

/// Whether `raw_key` is that of a log entry.
pub(crate) fn is_log(raw_key: &[u8]) -> bool {
    raw_key.starts_with(b"l")
}

/// The raw key of a value.
pub(crate) fn data_key(key: &Key) -> Vec<u8> {
    [b"d", key.as_bytes()].concat()
}

/// The raw key of how many records name the blob `digest`.
pub(crate) fn count_key(digest: &Digest) -> Vec<u8> {
    [b"e", digest.as_bytes().as_slice()].concat()
}

/// The raw key of a log entry.
pub(crate) fn log_key(index: u64) -> Vec<u8> {
    [b"l".as_slice(), &index.to_be_bytes()].concat()
}

/// One record: version, checksum, and the bytes or the place of their chunks.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    version: Version,
    sum: [u8; SUM_BYTES],
    body: Body<'a>,
}

#[derive(Debug)]
enum Body<'a> {
    Inline(&'a [u8]),
    Chunked { slot: u32, bytes: u64 },
    Blob(Digest),
}

impl<'a> Record<'a> {
    /// Reads what stands at `raw_key`. The checksum is tested by [`Self::value`].
    pub(crate) fn parse(raw_key: &[u8], raw: &'a [u8]) -> Result<Self, StoreError> {
        let parsed = || {
            let (version, rest) = raw.split_first_chunk::<8>()?;
            let (sum, rest) = rest.split_first_chunk::<SUM_BYTES>()?;
            let (kind, rest) = rest.split_first()?;
            let body = match *kind {
                INLINE => Body::Inline(rest),
                CHUNKED => {
                    let (slot, rest) = rest.split_first_chunk::<4>()?;
                    let bytes = rest.try_into().ok()?;
                    Body::Chunked {
                        slot: u32::from_be_bytes(*slot),
                        bytes: u64::from_be_bytes(bytes),
                    }
                }
                BLOB => Body::Blob(Digest::from_bytes(rest.try_into().ok()?)),
                _ => return None,
            };
            Some(Self { version: Version::new(u64::from_be_bytes(*version)), sum: *sum, body })
        };
        parsed().ok_or_else(|| broken(raw_key))
    }

    /// The raw keys of the chunks, none for a short value. Whoever walks them stops at one that is not
    /// there: the length may be damaged.
    pub(crate) fn chunk_keys(&self) -> impl Iterator<Item = Vec<u8>> + use<> {
        let (slot, bytes) = match self.body {
            Body::Inline(_) | Body::Blob(_) => (0, 0),
            Body::Chunked { slot, bytes } => (slot, bytes),
        };
        chunk_keys(self.version, slot, bytes)
    }

    /// The version that the value was written with.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The number that stands in this record itself.
    pub(crate) fn count(&self) -> Result<u64, StoreError> {
        let bytes = match self.body {
            Body::Inline(bytes) => bytes.try_into().ok(),
            Body::Chunked { .. } | Body::Blob(_) => None,
        };
        bytes.map(u64::from_be_bytes).ok_or_else(|| damaged("a count is not what was written"))
    }

    /// The blob that holds the value, when one does.
    pub(crate) fn blob(&self) -> Option<Digest> {
        match self.body {
            Body::Blob(digest) => Some(digest),
            Body::Inline(_) | Body::Chunked { .. } => None,
        }
    }

    /// The value, whole and tested; `read` fetches chunks.
    pub(crate) fn value<T: AsRef<[u8]>>(
        &self,
        raw_key: &[u8],
        mut read: impl FnMut(&[u8]) -> Result<Option<T>, StoreError>,
        blobs: &Blobs,
    ) -> Result<Stored, StoreError> {
        let value = match self.body {
            Body::Inline(value) => value.to_vec(),
            Body::Chunked { .. } => {
                let mut value = Vec::new();
                for key in self.chunk_keys() {
                    let chunk = read(&key)?.ok_or_else(|| broken(raw_key))?;
                    value.extend_from_slice(chunk.as_ref());
                }
                value
            }
            Body::Blob(digest) => {
                let found = blobs.get(&digest).map_err(|cause| lost("reading a value", cause))?;
                found.ok_or_else(|| broken(raw_key))?
            }
        };
        if sum(raw_key, self.version, &value) != self.sum {
            return Err(broken(raw_key));
        }
        Ok(Stored::new(self.version, value))
    }
}

/// How a value is written down.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// What stands at its raw key.
    pub(crate) raw: Vec<u8>,
    /// What stands at other raw keys.
    pub(crate) chunks: Vec<(Vec<u8>, Vec<u8>)>,
    /// The blob that holds it.
    pub(crate) blob: Option<Digest>,
}

/// Writes `value` down. `slot` tells the values of one version apart.
pub(crate) fn encode(raw_key: &[u8], version: Version, slot: u32, value: &[u8]) -> Encoded {
    let mut raw = version.get().to_be_bytes().to_vec();
    raw.extend_from_slice(&sum(raw_key, version, value));
    if value.len() <= CHUNK_BYTES {
        raw.push(INLINE);
        raw.extend_from_slice(value);
        return Encoded { raw, chunks: Vec::new(), blob: None };
    }
    if value.len() > BLOB_BYTES {
        let digest = Digest::of(value);
        raw.push(BLOB);
        raw.extend_from_slice(digest.as_bytes());
        return Encoded { raw, chunks: Vec::new(), blob: Some(digest) };
    }
    let bytes = u64::try_from(value.len()).unwrap_or(u64::MAX);
    raw.push(CHUNKED);
    raw.extend_from_slice(&slot.to_be_bytes());
    raw.extend_from_slice(&bytes.to_be_bytes());
    let keys = chunk_keys(version, slot, bytes);
    let chunks = value.chunks(CHUNK_BYTES).map(<[u8]>::to_vec);
    Encoded { raw, chunks: keys.zip(chunks).collect(), blob: None }
}

fn chunk_keys(version: Version, slot: u32, bytes: u64) -> impl Iterator<Item = Vec<u8>> {
    let chunk_bytes = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
    let stem = [b"c".as_slice(), &version.get().to_be_bytes(), &slot.to_be_bytes()].concat();
    (0..bytes.div_ceil(chunk_bytes))
        .map(move |chunk| [&stem, chunk.to_be_bytes().as_slice()].concat())
}

/// Binds a value to its key and version: a value that moved is as wrong as one that changed.
fn sum(raw_key: &[u8], version: Version, value: &[u8]) -> [u8; SUM_BYTES] {
    let length = u64::try_from(raw_key.len()).unwrap_or(u64::MAX).to_be_bytes();
    let digest = Digest::of_parts(&[&length, raw_key, &version.get().to_be_bytes(), value]);
    short(&digest)
}

/// Version and checksum of the record that `raw` is, or less of one that was cut.
pub(crate) fn header(raw: &[u8]) -> &[u8] {
    raw.get(..HEADER_BYTES).unwrap_or(raw)
}

/// The first bytes of a digest, as a checksum.
pub(crate) fn short(digest: &Digest) -> [u8; SUM_BYTES] {
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}

fn broken(raw_key: &[u8]) -> StoreError {
    match raw_key.split_first() {
        Some((b'd', key)) => damaged(format!(
            "the value at {:?} is not what was written",
            Key::from_bytes(key.to_vec())
        )),
        Some((b'l', index)) => {
            let index = index.try_into().map(u64::from_be_bytes).unwrap_or_default();
            damaged(format!("log entry {index} is not what was written"))
        }
        _ => damaged("the store's own record is not what was written"),
    }
}

/// How far the store is, and what is in it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Position {
    /// How many batches were applied.
    pub(crate) commits: u64,
    /// How many entries the log has.
    pub(crate) log_len: u64,
    /// All pairs that are there, but for those of the log.
    pub(crate) pairs: Sum,
    /// All log entries.
    pub(crate) log: Sum,
}

impl Position {
    /// Written length, in bytes.
    pub(crate) const BYTES: usize = 16 + 2 * Sum::BYTES;

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let (pairs, log) = (self.pairs.to_bytes(), self.log.to_bytes());
        let numbers = [self.commits.to_be_bytes(), self.log_len.to_be_bytes()];
        [numbers.as_flattened(), &pairs, &log].concat()
    }

    pub(crate) fn from_bytes(raw: &[u8]) -> Option<Self> {
        let (commits, rest) = raw.split_first_chunk::<8>()?;
        let (log_len, rest) = rest.split_first_chunk::<8>()?;
        let (pairs, rest) = rest.split_first_chunk()?;
        Some(Self {
            commits: u64::from_be_bytes(*commits),
            log_len: u64::from_be_bytes(*log_len),
            pairs: Sum::from_bytes(*pairs),
            log: Sum::from_bytes(rest.try_into().ok()?),
        })
    }
}

/// The position as it stands inside sled: where it is, and which head was durable before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Inside {
    /// After the last group that was applied.
    pub(crate) now: Position,
    /// The head that was durable when that group was applied: the oldest that may stand outside.
    pub(crate) anchor: Position,
}

impl Inside {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut raw = [self.now.to_bytes(), self.anchor.to_bytes()].concat();
        let sum = short(&Digest::of(&raw));
        raw.extend_from_slice(&sum);
        raw
    }

    pub(crate) fn from_bytes(raw: &[u8]) -> Result<Self, StoreError> {
        let parsed = || {
            let (body, sum) = raw.split_last_chunk::<SUM_BYTES>()?;
            let (now, anchor) = body.split_at_checked(Position::BYTES)?;
            if short(&Digest::of(body)) != *sum {
                return None;
            }
            Some(Self { now: Position::from_bytes(now)?, anchor: Position::from_bytes(anchor)? })
        };
        parsed().ok_or_else(|| broken(POSITION))
    }
}
