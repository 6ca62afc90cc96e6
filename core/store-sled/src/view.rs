//! Reading: what sled holds, minus what is not synced yet.

use core::cmp::Ordering;
use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use placet_core::store::{StoreError, Stored};

use crate::blobs::Blobs;
use crate::fault::guarded;
use crate::record::{Record, count_key, is_pair};
use crate::unchecked::Unchecked;

/// Raw keys and the bytes that they have before or after a group; `None` means: nothing.
pub(crate) type Pairs = BTreeMap<Vec<u8>, Option<sled::IVec>>;

/// The tree, and for the group that is applied but not synced what it changed.
///
/// A reader takes what stood there before in place of what the group wrote. So nobody acts on a write
/// that a power cut can still take back, and nobody waits for a sync in order to read.
#[derive(Debug)]
pub(crate) struct View {
    // One tree for all keys, so that one sled batch covers any group.
    db: sled::Db,
    unsynced: RwLock<Pairs>,
    unchecked: Unchecked,
    blobs: Blobs,
}

impl View {
    pub(crate) fn new(db: sled::Db, unchecked: Unchecked, blobs: Blobs) -> Self {
        Self { db, unsynced: RwLock::default(), unchecked, blobs }
    }

    /// The tree itself. For the writer, between two groups.
    pub(crate) fn db(&self) -> &sled::Db {
        &self.db
    }

    /// The long values.
    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Which sections are not checked yet.
    pub(crate) fn unchecked(&self) -> &Unchecked {
        &self.unchecked
    }

    /// A stable sight of the store: no group is applied or published while it lives.
    pub(crate) fn read(&self) -> Reading<'_> {
        // The map is changed by whole assignments: a panic cannot leave it half changed.
        let unsynced = self.unsynced.read().unwrap_or_else(PoisonError::into_inner);
        Reading { view: self, unsynced }
    }

    /// What sled holds now. For the writer, who alone may see unsynced writes, and for what no group changed.
    pub(crate) fn latest(&self, raw_key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        if is_pair(raw_key) {
            self.unchecked.check(&self.db, raw_key)?;
        }
        guarded("reading", || self.db.get(raw_key))
    }

    /// Applies `changes`; readers go on seeing `before`.
    pub(crate) fn apply(&self, changes: Pairs, before: Pairs) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let mut unsynced = self.unsynced.write().unwrap_or_else(PoisonError::into_inner);
        *unsynced = before;
        let applied = guarded("writing", || self.db.apply_batch(batch));
        drop(unsynced);
        applied
    }

    /// Removes blobs that nobody names. Where it cannot be known, because the count may be lost, they stay.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        self.blobs.tidy(|digest| !matches!(self.latest(&count_key(digest)), Ok(None)))
    }

    /// Hands what was applied to the operating system.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        guarded("flushing", || self.db.flush()).map(drop)
    }

    /// Lets readers see what was applied.
    pub(crate) fn publish(&self) {
        let mut unsynced = self.unsynced.write().unwrap_or_else(PoisonError::into_inner);
        let published = std::mem::take(&mut *unsynced);
        drop(unsynced);
        drop(published);
    }
}

/// One stable sight of the store.
pub(crate) struct Reading<'a> {
    view: &'a View,
    unsynced: RwLockReadGuard<'a, Pairs>,
}

impl Reading<'_> {
    /// The bytes at `raw_key`.
    pub(crate) fn get(&self, raw_key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        match self.unsynced.get(raw_key) {
            Some(before) => Ok(before.clone()),
            None => self.view.latest(raw_key),
        }
    }

    /// The record that stands at `raw_key` as `raw`, whole and tested.
    pub(crate) fn decode(&self, raw_key: &[u8], raw: &[u8]) -> Result<Stored, StoreError> {
        let read = |raw_key: &[u8]| self.get(raw_key);
        Record::parse(raw_key, raw)?.value(raw_key, read, &self.view.blobs)
    }

    /// The pairs from `start` on whose raw key begins with `prefix`, in order, at most `limit`.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        start: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(sled::IVec, sled::IVec)>, StoreError> {
        let range = (start, Bound::Unbounded);
        let mut stored = self.view.db.range::<&[u8], _>(range);
        let mut next = || guarded("reading", || stored.next().transpose());
        let mut earlier = self.unsynced.range::<[u8], _>(range).peekable();
        let mut found = Vec::new();
        let mut current = next()?;
        while found.len() < limit {
            let order = match (earlier.peek(), &current) {
                (Some((unsynced, _)), Some((stored, _))) => unsynced.as_slice().cmp(stored),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            if order == Ordering::Equal {
                // The group wrote this one; what stood there before is taken in its place.
                current = next()?;
            }
            let pair = if order == Ordering::Greater {
                std::mem::replace(&mut current, next()?).map(|(key, value)| (key, Some(value)))
            } else {
                earlier
                    .next()
                    .map(|(key, before)| (sled::IVec::from(key.as_slice()), before.clone()))
            };
            match pair {
                Some((key, Some(value))) if key.starts_with(prefix) => found.push((key, value)),
                Some((key, None)) if key.starts_with(prefix) => {}
                _ => break,
            }
        }
        if is_pair(prefix) {
            // Afterwards, because only now it is known how far it went.
            let raw_start = match start {
                Bound::Included(raw_key) | Bound::Excluded(raw_key) => raw_key,
                Bound::Unbounded => prefix,
            };
            let last = found.get(limit.saturating_sub(1)).map(|(raw_key, _)| raw_key);
            self.view.unchecked.check_span(&self.view.db, raw_start, |first| match last {
                Some(last) => first <= last,
                None => first <= prefix || first.starts_with(prefix),
            })?;
        }
        Ok(found)
    }
}
