//! All pairs in the order of their keys, cut into sections that can be checked one by one.
//!
//! A section is known by its first key, and its record says what the set of its pairs adds up to. The
//! records stand in sled, in the same batch as the pairs; what they add up to together stands in the
//! head, outside sled. So the records are compared when the store is opened, and the pairs of a section
//! when one of them is first needed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{self, Excluded, Included, Unbounded};

use placet_core::digest::Digest;
use placet_core::store::StoreError;

use crate::fault::{damaged, guarded};
use crate::record::{PAIRS_END, PAIRS_START, SUM_BYTES, is_pair, short};
use crate::sum::Sum;
use crate::unchecked::Unchecked;
use crate::view::Pairs;

/// A section that gets longer is cut into parts of half this length. Opening reads one record for each
/// section, and the first touch reads a section: both stay in the order of milliseconds up to millions of pairs.
const PAIRS_MAX: u64 = 512;
const CUT_PAIRS: u64 = 256;

/// A section that gets shorter goes to the one before it, where that has room.
const PAIRS_MIN: u64 = 64;

/// Before the first key of a section stands this in the raw key of its record.
const PREFIX: &[u8] = b"s";

/// What a section holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Section {
    pub(crate) pairs: u64,
    pub(crate) sum: Sum,
}

impl Section {
    /// What the pairs from raw key `first` to before `end` are, as they stand in sled.
    pub(crate) fn read(db: &sled::Db, first: &[u8], end: &[u8]) -> Result<Self, StoreError> {
        let mut found = Self::default();
        each(db, first, end, |raw_key, raw| found.add(Sum::of(raw_key, raw)))?;
        Ok(found)
    }

    fn add(&mut self, pair: Sum) {
        self.pairs = self.pairs.saturating_add(1);
        self.sum = self.sum.plus(pair);
    }

    fn take(&mut self, pair: Sum) {
        self.pairs = self.pairs.saturating_sub(1);
        self.sum = self.sum.minus(pair);
    }

    fn to_bytes(self, raw_key: &[u8]) -> Vec<u8> {
        let body = [self.pairs.to_be_bytes().as_slice(), &self.sum.to_bytes()].concat();
        let sum = short(&Digest::of_parts(&[raw_key, &body]));
        [body.as_slice(), &sum].concat()
    }

    fn from_bytes(raw_key: &[u8], raw: &[u8]) -> Option<Self> {
        let (body, sum) = raw.split_last_chunk::<SUM_BYTES>()?;
        let (pairs, rest) = body.split_first_chunk::<8>()?;
        let section =
            Self { pairs: u64::from_be_bytes(*pairs), sum: Sum::from_bytes(rest.try_into().ok()?) };
        (short(&Digest::of_parts(&[raw_key, body])) == *sum).then_some(section)
    }
}

/// All sections. The writer has them; readers have those that are not checked yet, in [`Unchecked`].
#[derive(Debug)]
pub(crate) struct Sections {
    /// By the raw key that each begins with. The first begins with the empty one, and is always there.
    by_first: BTreeMap<Vec<u8>, Section>,
    /// The sections whose records are not in sled yet, or have to go from there.
    changed: BTreeSet<Vec<u8>>,
    /// The sections that are to be cut.
    long: BTreeSet<Vec<u8>>,
}

impl Sections {
    /// Reads the records from sled. They must add up to `pairs`.
    pub(crate) fn open(db: &sled::Db, pairs: Sum) -> Result<Self, StoreError> {
        let mut by_first = BTreeMap::from([(Vec::new(), Section::default())]);
        let mut records = db.scan_prefix(PREFIX);
        let mut total = Sum::default();
        while let Some((raw_key, raw)) = guarded("reading", || records.next().transpose())? {
            let section = Section::from_bytes(&raw_key, &raw)
                .ok_or_else(|| damaged("a record of the store's own is not what was written"))?;
            total = total.plus(section.sum);
            by_first.insert(raw_key.strip_prefix(PREFIX).unwrap_or(&raw_key).to_vec(), section);
        }
        if total != pairs {
            return Err(damaged(
                "records of the store's own are missing, or older than what was written",
            ));
        }
        Ok(Self { by_first, changed: BTreeSet::new(), long: BTreeSet::new() })
    }

    /// All of them as sections that are to be checked before they are used.
    pub(crate) fn unchecked(&self) -> Unchecked {
        let ends = self.by_first.keys().skip(1).map(Vec::as_slice).chain([PAIRS_END]);
        let all = self.by_first.iter().zip(ends);
        Unchecked::new(all.map(|((first, section), end)| (first.clone(), end.to_vec(), *section)))
    }

    /// Cuts what got too long. To be called between two groups: it reads what stands in sled.
    pub(crate) fn cut(&mut self, db: &sled::Db) -> Result<(), StoreError> {
        for first in std::mem::take(&mut self.long) {
            // It may have been joined with another one, or be short again.
            if self.by_first.get(&first).is_none_or(|section| section.pairs <= PAIRS_MAX) {
                continue;
            }
            let end =
                self.by_first.range::<[u8], _>((Excluded(first.as_slice()), Unbounded)).next();
            let end = end.map_or(PAIRS_END, |(end, _)| end).to_vec();
            let mut parts = vec![(first.clone(), Section::default())];
            each(db, &first, &end, |raw_key, raw| {
                if parts.last().is_some_and(|(_, part)| part.pairs >= CUT_PAIRS) {
                    parts.push((raw_key.to_vec(), Section::default()));
                }
                if let Some((_, part)) = parts.last_mut() {
                    part.add(Sum::of(raw_key, raw));
                }
            })?;
            self.changed.extend(parts.iter().map(|(first, _)| first.clone()));
            self.by_first.extend(parts);
        }
        Ok(())
    }

    /// Takes over what a group changes, and says how all pairs together change.
    pub(crate) fn change(&mut self, changes: &Pairs, before: &Pairs, mut pairs: Sum) -> Sum {
        for (raw_key, after) in changes.iter().filter(|(raw_key, _)| is_pair(raw_key)) {
            let before = before.get(raw_key).and_then(Option::as_ref);
            let Some((first, section)) =
                self.by_first.range_mut::<[u8], _>(up_to(Included(raw_key))).next_back()
            else {
                continue;
            };
            if let Some(before) = before {
                let gone = Sum::of(raw_key, before);
                section.take(gone);
                pairs = pairs.minus(gone);
            }
            if let Some(after) = after {
                let new = Sum::of(raw_key, after);
                section.add(new);
                pairs = pairs.plus(new);
            }
            if section.pairs > PAIRS_MAX {
                self.long.insert(first.clone());
            }
            self.changed.insert(first.clone());
        }
        pairs
    }

    /// The records that are to be written with the group.
    pub(crate) fn records(&mut self, unchecked: &Unchecked) -> Pairs {
        self.join(unchecked);
        let changed = std::mem::take(&mut self.changed).into_iter();
        let records = changed.map(|first| {
            let raw_key = [PREFIX, &first].concat();
            let raw = self.by_first.get(&first).map(|section| section.to_bytes(&raw_key).into());
            (raw_key, raw)
        });
        records.collect()
    }

    /// Gives what got too short to the section before it: sums are added, nothing is read.
    fn join(&mut self, unchecked: &Unchecked) {
        for first in self.changed.clone() {
            let Some(short) = self.by_first.get(&first).copied() else { continue };
            if short.pairs >= PAIRS_MIN {
                continue;
            }
            let Some((left_first, left)) =
                self.by_first.range_mut::<[u8], _>(up_to(Excluded(&first))).next_back()
            else {
                continue;
            };
            // One that is not checked yet has an end that readers know.
            if left.pairs.saturating_add(short.pairs) > PAIRS_MAX / 2 || unchecked.has(left_first) {
                continue;
            }
            left.pairs = left.pairs.saturating_add(short.pairs);
            left.sum = left.sum.plus(short.sum);
            self.changed.insert(left_first.clone());
            self.by_first.remove(&first);
        }
    }
}

fn up_to(last: Bound<&Vec<u8>>) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (Unbounded, last.map(Vec::as_slice))
}

/// Shows `step` all that stands in sled from raw key `first` to before `end`, in order.
fn each(
    db: &sled::Db,
    first: &[u8],
    end: &[u8],
    mut step: impl FnMut(&[u8], &[u8]),
) -> Result<(), StoreError> {
    let first = first.max(PAIRS_START);
    let mut pairs = db.range(first..end);
    while let Some((raw_key, raw)) = guarded("reading", || pairs.next().transpose())? {
        step(&raw_key, &raw);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use placet_core::store::{Batch, Key, Store as _};

    use crate::folder;
    use crate::sync::Fdatasync;
    use crate::{Options, SledStore};

    fn name(number: u64) -> Key {
        Key::from_segments(&["k", &format!("{number:05}")])
    }

    /// How many sections there are, and what they hold together, when the store is opened again.
    fn opened(folder: &std::path::Path) -> (usize, u64) {
        let folder = folder::open(folder, &Options::default(), Box::new(Fdatasync)).unwrap();
        let unchecked = folder.sections.unchecked();
        unchecked.check_span(&folder.db, b"", |_| true).unwrap();
        let sections = folder.sections.by_first;
        (sections.len(), sections.values().map(|section| section.pairs).sum())
    }

    #[test]
    fn grow_apart_and_together() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        for first in (0..3_000).step_by(100) {
            let put = |batch: Batch, number| batch.put(name(number), vec![1; 20]);
            store.commit((first..first + 100).fold(Batch::default(), put)).unwrap();
        }
        drop(store);
        let (sections, pairs) = opened(folder.path());
        assert!((6..50).contains(&sections), "{sections}");
        assert_eq!(pairs, 3_000);

        // Written to by a store that has not checked them yet.
        let store = SledStore::open(folder.path()).unwrap();
        for first in (0..3_000).step_by(100) {
            let remove = |batch: Batch, number| batch.remove(name(number));
            store.commit((first + 1..first + 100).fold(Batch::default(), remove)).unwrap();
        }
        drop(store);
        let (fewer, pairs) = opened(folder.path());
        assert!(fewer <= sections / 2, "{fewer} of {sections}");
        assert_eq!(pairs, 30);
        let store = SledStore::open(folder.path()).unwrap();
        assert_eq!(store.scan(&Key::from_bytes(Vec::new()), None, 99).unwrap().len(), 30);
    }
}
