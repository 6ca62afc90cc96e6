//! The sections that nobody has needed since the store was opened.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use placet_core::store::{Key, StoreError};

use crate::fault::damaged;
use crate::sections::Section;

/// Which sections are not checked yet. Each is compared with its record once, before the first of its
/// pairs is used, for reading or for writing; then it is taken out.
///
/// A group changes only what is checked, so what stands in sled for an unchecked section is not changed
/// by anyone.
#[derive(Debug, Default)]
pub(crate) struct Unchecked {
    by_first: RwLock<BTreeMap<Vec<u8>, Awaited>>,
}

/// What a section must hold, and where it ends.
#[derive(Clone, Debug)]
struct Awaited {
    end: Vec<u8>,
    section: Section,
}

impl Unchecked {
    pub(crate) fn new(all: impl Iterator<Item = (Vec<u8>, Vec<u8>, Section)>) -> Self {
        let awaited = all.map(|(first, end, section)| (first, Awaited { end, section }));
        Self { by_first: RwLock::new(awaited.collect()) }
    }

    /// Whether the section that begins with `first` is not checked yet.
    pub(crate) fn has(&self, first: &[u8]) -> bool {
        self.by_first.read().unwrap_or_else(PoisonError::into_inner).contains_key(first)
    }

    /// Makes sure that the section of `raw_key` is what was written.
    pub(crate) fn check(&self, db: &sled::Db, raw_key: &[u8]) -> Result<(), StoreError> {
        self.check_span(db, raw_key, |first| first <= raw_key)
    }

    /// Makes sure of all sections from that of `raw_start` on, as long as `reaches` their first key.
    pub(crate) fn check_span(
        &self,
        db: &sled::Db,
        raw_start: &[u8],
        reaches: impl Fn(&[u8]) -> bool,
    ) -> Result<(), StoreError> {
        while let Some((first, awaited)) = self.next(raw_start, &reaches) {
            if Section::read(db, &first, &awaited.end)? != awaited.section {
                return Err(differs(&first, &awaited.end));
            }
            self.by_first.write().unwrap_or_else(PoisonError::into_inner).remove(&first);
        }
        Ok(())
    }

    fn next(
        &self,
        raw_start: &[u8],
        reaches: impl Fn(&[u8]) -> bool,
    ) -> Option<(Vec<u8>, Awaited)> {
        // Entries are only taken out, each by one call: a panic leaves nothing half done.
        let by_first = self.by_first.read().unwrap_or_else(PoisonError::into_inner);
        let holds = by_first
            .range::<[u8], _>((Bound::Unbounded, Bound::Included(raw_start)))
            .next_back()
            .filter(|(_, awaited)| raw_start < awaited.end.as_slice());
        let later = (Bound::Excluded(raw_start), Bound::Unbounded);
        let found = holds.or_else(|| by_first.range::<[u8], _>(later).next());
        found
            .filter(|(first, _)| reaches(first))
            .map(|(first, awaited)| (first.clone(), awaited.clone()))
    }
}

fn differs(first: &[u8], end: &[u8]) -> StoreError {
    // Raw keys, without the letter in front.
    let key = |raw_key: &[u8]| Key::from_bytes(raw_key.get(1..).unwrap_or_default().to_vec());
    damaged(format!(
        "of the values from {:?} to {:?}, some are missing or older than what was written",
        key(first),
        key(end),
    ))
}
