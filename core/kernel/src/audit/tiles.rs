//! The static form of a log, byte for byte as C2SP tlog-tiles defines it: paths, tiles, entry bundles.

use core::fmt;
use core::str::FromStr;

use super::encoding::{NUMBER_MAX, from_decimal, malformed, shown};
use super::merkle::MerkleTree;
use crate::digest::Digest;
use crate::error::{Code, Error};

/// The path of the signed checkpoint in a static export.
pub const CHECKPOINT_PATH: &str = "checkpoint";
/// The longest entry that an entry bundle can hold, in bytes.
pub const ENTRY_BYTES_MAX: usize = 0xffff;

/// How many hashes a full tile has, and how many entries a full bundle.
const FULL: u16 = 256;
/// The highest level that a path can name.
const LEVEL_MAX: u8 = 63;

/// Where a tile or an entry bundle stands in a static export: `tile/<level>/<index>[.p/<width>]` or
/// `tile/entries/<index>[.p/<width>]` (C2SP tlog-tiles).
///
/// ```
/// use placet_core::audit::TilePath;
/// let path = TilePath::hashes(0, 1_234_067, 17)?;
/// assert_eq!(path.to_string(), "tile/0/x001/x234/067.p/17");
/// assert_eq!("tile/entries/002".parse::<TilePath>()?, TilePath::entries(2, 256)?);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TilePath {
    // None: an entry bundle.
    level: Option<u8>,
    index: u64,
    // Invariant: 1..=FULL.
    width: u16,
}

impl TilePath {
    /// The hash tile `index` of `level` with `width` hashes, 256 when it is full.
    ///
    /// Fails with `invalid_input` when the level is above 63, the width is not 1 to 256 or the index is above 2^63 - 1.
    pub fn hashes(level: u8, index: u64, width: u16) -> Result<Self, Error> {
        Self::checked(Some(level), index, width)
    }

    /// The entry bundle `index` with `width` entries, 256 when it is full.
    ///
    /// Fails with `invalid_input` when the width is not 1 to 256 or the index is above 2^63 - 1.
    pub fn entries(index: u64, width: u16) -> Result<Self, Error> {
        Self::checked(None, index, width)
    }

    /// The level of a hash tile; `None` for an entry bundle.
    pub fn level(&self) -> Option<u8> {
        self.level
    }

    /// Which one it is within its level, counted from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The number of hashes or entries in it, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// The first hash of its level, or the first entry of the log, that it holds.
    pub fn start(&self) -> u64 {
        self.index.saturating_mul(u64::from(FULL))
    }

    /// Where it ends: the place after its last hash or entry.
    pub(super) fn end(&self) -> u64 {
        self.start().saturating_add(u64::from(self.width))
    }

    fn checked(level: Option<u8>, index: u64, width: u16) -> Result<Self, Error> {
        let fits = level.is_none_or(|level| level <= LEVEL_MAX)
            && index <= NUMBER_MAX
            && (1..=FULL).contains(&width);
        if fits {
            return Ok(Self { level, index, width });
        }
        Err(malformed(format!("there is no tile {index} of width {width} at that level"))
            .with_help("levels end at 63, and a tile has 1 to 256 hashes"))
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "tile/{level}/")?,
            None => f.write_str("tile/entries/")?,
        }
        // Three digits a folder, so that no file ever has the name of a folder.
        let digits = self.index.to_string();
        let padded = format!("{digits:0>width$}", width = digits.len().next_multiple_of(3));
        for (place, letter) in padded.chars().enumerate() {
            let left = padded.len().saturating_sub(place);
            if place > 0 && left % 3 == 0 {
                f.write_str("/")?;
            }
            if left % 3 == 0 && left > 3 {
                f.write_str("x")?;
            }
            write!(f, "{letter}")?;
        }
        if self.width < FULL { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl FromStr for TilePath {
    type Err = Error;

    /// Reads a path. Fails with `invalid_input` when it is not one, or not the only spelling of one.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            malformed(format!("`{}` is not the path of a tile", shown(text)))
                .with_help("paths look like `tile/0/x001/234` or `tile/entries/005.p/17`")
        };
        let rest = text.strip_prefix("tile/").ok_or_else(wrong)?;
        let (level, rest) = rest.split_once('/').ok_or_else(wrong)?;
        let level = match level {
            "entries" => None,
            digits => Some(digits.parse::<u8>().map_err(|_| wrong())?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse::<u16>().map_err(|_| wrong())?),
            None => (rest, FULL),
        };
        let digits: String = index.chars().filter(char::is_ascii_digit).collect();
        let trimmed = digits.trim_start_matches('0');
        let trimmed = if trimmed.is_empty() { "0" } else { trimmed };
        let index = from_decimal(trimmed).ok_or_else(wrong)?;
        let path = Self::checked(level, index, width).map_err(|_| wrong())?;
        // One spelling for one path: whatever would print differently was not it.
        if path.to_string() == text { Ok(path) } else { Err(wrong()) }
    }
}

/// The paths of a whole static export of a log with `size` leaves, without the checkpoint: entry
/// bundles, then hash tiles from the leaves upwards, each level from left to right.
///
/// ```
/// use placet_core::audit::tiles_of;
/// let paths: Vec<_> = tiles_of(257).map(|path| path.to_string()).collect();
/// assert_eq!(paths, [
///     "tile/entries/000", "tile/entries/001.p/1",
///     "tile/0/000", "tile/0/001.p/1",
///     "tile/1/000.p/1",
/// ]);
/// ```
pub fn tiles_of(size: u64) -> impl Iterator<Item = TilePath> {
    bundles_of(size).chain(hash_tiles_of(size))
}

/// The paths of the entry bundles of a log with `size` leaves.
pub(super) fn bundles_of(size: u64) -> impl Iterator<Item = TilePath> {
    row(None, size)
}

/// The paths of the hash tiles of a log with `size` leaves.
fn hash_tiles_of(size: u64) -> impl Iterator<Item = TilePath> {
    hash_tiles_since(0, size, 0)
}

/// The paths of the entry bundles that a log with `size` leaves has and one with `earlier` had not.
pub(super) fn bundles_since(earlier: u64, size: u64) -> impl Iterator<Item = TilePath> {
    row_since(None, earlier, size)
}

/// The paths of the hash tiles that a log with `size` leaves has and one with `earlier` had not, from level
/// `lowest` upwards.
pub(super) fn hash_tiles_since(
    earlier: u64,
    size: u64,
    lowest: u8,
) -> impl Iterator<Item = TilePath> {
    (lowest..=LEVEL_MAX).map_while(move |level| Some((level, hashes_at(level, size)?))).flat_map(
        move |(level, count)| {
            row_since(Some(level), hashes_at(level, earlier).unwrap_or_default(), count)
        },
    )
}

/// The number of hashes that level `level` of the tiles has, unless it has none.
fn hashes_at(level: u8, size: u64) -> Option<u64> {
    let shift = u32::from(level).checked_mul(8)?;
    size.checked_shr(shift).filter(|count| *count > 0)
}

fn row(level: Option<u8>, count: u64) -> impl Iterator<Item = TilePath> {
    row_since(level, 0, count)
}

/// Where a tile was not full, a wider one stands under another path.
fn row_since(level: Option<u8>, earlier: u64, count: u64) -> impl Iterator<Item = TilePath> {
    let first = earlier.checked_div(u64::from(FULL)).unwrap_or_default();
    let after = count.div_ceil(u64::from(FULL));
    let paths = (first..after).map_while(move |index| in_row(level, index, count));
    paths.skip_while(move |path| in_row(level, path.index, earlier) == Some(*path))
}

fn in_row(level: Option<u8>, index: u64, count: u64) -> Option<TilePath> {
    let left = count.checked_sub(index.checked_mul(u64::from(FULL))?).filter(|left| *left > 0)?;
    let width = u16::try_from(left.min(u64::from(FULL))).ok()?;
    Some(TilePath { level, index, width })
}

/// The hash tile `index` of `level` as it is in the export of a log with `size` leaves.
pub(super) fn tile_at(level: u8, index: u64, size: u64) -> Option<TilePath> {
    in_row(Some(level), index, hashes_at(level, size)?)
}

/// The bytes of the hash tile at `path`: its hashes one after the other. `None` for an entry bundle
/// and for a tile that the tree does not have. A hash has 32 bytes (C2SP tlog-tiles).
///
/// ```
/// use placet_core::audit::{MerkleTree, TilePath, hash_tile, leaf_hash};
/// let tree: MerkleTree = [leaf_hash(b"ana"), leaf_hash(b"bo")].into_iter().collect();
/// let bytes = hash_tile(&tree, TilePath::hashes(0, 0, 2)?).expect("it has two leaves");
/// assert_eq!(bytes[32..], *leaf_hash(b"bo").as_bytes());
/// assert_eq!(hash_tile(&tree, TilePath::hashes(0, 0, 3)?), None);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn hash_tile(tree: &MerkleTree, path: TilePath) -> Option<Vec<u8>> {
    let level = u32::from(path.level?).checked_mul(8)?;
    let mut bytes = Vec::with_capacity(usize::from(path.width).saturating_mul(32));
    for place in 0..path.width {
        let index = path.start().checked_add(u64::from(place))?;
        bytes.extend_from_slice(tree.subtree(level, index)?.as_bytes());
    }
    Some(bytes)
}

/// The bytes of a hash tile with these hashes.
pub(crate) fn tile_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(Digest::as_bytes).copied().collect()
}

/// Reads the bytes of a hash tile with `width` hashes; `None` when they are not exactly that.
pub(super) fn read_hash_tile(bytes: &[u8], width: u16) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let fits = rest.is_empty() && hashes.len() == usize::from(width);
    fits.then(|| hashes.iter().copied().map(Digest::from_bytes).collect())
}

/// The bytes of an entry bundle: each entry after its length as a big-endian 16-bit number
/// (C2SP tlog-tiles).
///
/// Fails with `too_large` when an entry is longer than [`ENTRY_BYTES_MAX`].
///
/// ```
/// use placet_core::audit::{ENTRY_BYTES_MAX, encode_bundle};
/// use placet_core::error::Code;
/// assert_eq!(encode_bundle(&["ana", "bo"])?, b"\x00\x03ana\x00\x02bo");
///
/// let error = encode_bundle(&[vec![0; ENTRY_BYTES_MAX + 1]]).expect_err("too long");
/// assert_eq!(error.code(), Code::TooLarge);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn encode_bundle(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let length = u16::try_from(entry.len()).map_err(|_| {
            let sentence = format!("a log entry of {} bytes does not fit a bundle", entry.len());
            Error::new(Code::TooLarge, sentence).with_detail("limit", ENTRY_BYTES_MAX)
        })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle, in order. The last item is `None` when bytes are left that are no entry.
///
/// ```
/// use placet_core::audit::{decode_bundle, encode_bundle};
/// let bytes = encode_bundle(&[b"one".as_slice(), b"", b"three"])?;
/// let entries: Vec<_> = decode_bundle(&bytes).collect();
/// assert_eq!(entries, [Some(b"one".as_slice()), Some(b""), Some(b"three")]);
/// assert_eq!(decode_bundle(b"\0\x09cut").next(), Some(None));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn decode_bundle(bytes: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = Some(bytes).filter(|bytes| !bytes.is_empty());
    core::iter::from_fn(move || {
        let (length, after) = match rest.take()?.split_first_chunk::<2>() {
            Some((length, after)) => (usize::from(u16::from_be_bytes(*length)), after),
            None => return Some(None),
        };
        let Some((entry, after)) = after.split_at_checked(length) else { return Some(None) };
        rest = Some(after).filter(|after| !after.is_empty());
        Some(Some(entry))
    })
}

#[cfg(test)]
#[path = "tiles_tests.rs"]
mod tests;
