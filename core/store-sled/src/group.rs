//! Which batches of a group pass, and what they change together.

use std::collections::BTreeMap;

use placet_core::digest::Digest;
use placet_core::store::{Batch, CommitError, Committed, Key, StoreError, Version};

use crate::fault::damaged;
use crate::record::{
    Inside, POSITION, Position, Record, count_key, data_key, encode, is_log, log_key,
};
use crate::sections::Sections;
use crate::sum::Sum;
use crate::view::{Pairs, View};

/// A group being put together. Nothing is written until it is [finished](Self::finish).
#[derive(Debug)]
pub(crate) struct Group<'a> {
    view: &'a View,
    start: Position,
    now: Position,
    before: Pairs,
    changes: Pairs,
    /// The blobs that are named more or less often than before, with what is in them where it is new.
    blobs: BTreeMap<Digest, Option<Vec<u8>>>,
}

/// What a group comes to.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) changes: Pairs,
    /// What stood there before.
    pub(crate) before: Pairs,
    /// The position after it.
    pub(crate) inside: Inside,
    /// Blobs that must be on the disk before.
    pub(crate) blobs: Vec<(Digest, Vec<u8>)>,
    /// Blobs that nobody names any more.
    pub(crate) dropped: Vec<Digest>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(view: &'a View, start: Position) -> Self {
        Self {
            view,
            start,
            now: start,
            before: Pairs::new(),
            changes: Pairs::new(),
            blobs: BTreeMap::new(),
        }
    }

    /// Takes `batch` in if every expectation holds after the batches that are in already.
    pub(crate) fn admit(&mut self, batch: Batch) -> Result<Committed, CommitError> {
        for (key, expected) in batch.expected {
            if self.version(&key)? != expected {
                return Err(CommitError::Conflict { key });
            }
        }
        let version = Version::new(self.now.commits.saturating_add(1));
        // One key, one value: of two writes the later one counts.
        let writes: BTreeMap<_, _> =
            batch.writes.into_iter().map(|(key, value)| (data_key(&key), value)).collect();
        // What can fail comes before anything is taken in.
        let mut staged = Staged::default();
        for (raw_key, value) in writes {
            self.stage_write(&mut staged, raw_key, version, value)?;
        }
        let log_index = batch.entry.map(|entry| {
            staged.put(log_key(self.now.log_len), version, entry);
            self.now.log_len
        });
        self.stage_counts(&mut staged, version)?;

        for (raw_key, before) in staged.before {
            self.before.entry(raw_key).or_insert(before);
        }
        for (raw_key, after) in staged.changes {
            // New log entries and chunks were nowhere before.
            self.before.entry(raw_key.clone()).or_insert(None);
            self.changes.insert(raw_key, after);
        }
        for (digest, blob) in staged.blobs {
            let known = self.blobs.entry(digest).or_default();
            *known = known.take().or(blob.value);
        }
        self.now.commits = version.get();
        self.now.log_len = self.now.log_len.saturating_add(u64::from(log_index.is_some()));
        Ok(Committed::new(version, log_index))
    }

    /// The whole group. `None` when no batch passed.
    pub(crate) fn finish(
        mut self,
        anchor: Position,
        sections: &mut Sections,
    ) -> Result<Option<Finished>, StoreError> {
        if self.now.commits == self.start.commits {
            return Ok(None);
        }
        self.now.pairs = sections.change(&self.changes, &self.before, self.now.pairs);
        for (raw_key, after) in self.changes.iter().filter(|(raw_key, _)| is_log(raw_key)) {
            let entry = after.as_deref().unwrap_or_default();
            self.now.log = self.now.log.plus(Sum::of(raw_key, entry));
        }
        // Nobody reads these but the next opening, so it does not matter what stood there before.
        self.changes.extend(sections.records(self.view.unchecked()));
        let inside = Inside { now: self.now, anchor };
        // Not read from sled: readers take the position from it, and that is known here.
        let before = Inside { now: self.start, anchor };
        self.before.insert(POSITION.to_vec(), Some(before.to_bytes().into()));
        self.changes.insert(POSITION.to_vec(), Some(inside.to_bytes().into()));
        let (mut blobs, mut dropped) = (Vec::new(), Vec::new());
        for (digest, value) in std::mem::take(&mut self.blobs) {
            match (self.latest(&count_key(&digest))?, value) {
                (Some(_), Some(value)) => blobs.push((digest, value)),
                (Some(_), None) => {}
                (None, _) => dropped.push(digest),
            }
        }
        let Self { changes, before, .. } = self;
        Ok(Some(Finished { changes, before, inside, blobs, dropped }))
    }

    fn version(&self, key: &Key) -> Result<Option<Version>, StoreError> {
        let raw_key = data_key(key);
        let Some(raw) = self.latest(&raw_key)? else { return Ok(None) };
        // Not the whole value: its version is in the sum of its section, and that was checked.
        Ok(Some(Record::parse(&raw_key, &raw)?.version()))
    }

    fn stage_write(
        &self,
        staged: &mut Staged,
        raw_key: Vec<u8>,
        version: Version,
        value: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let old = self.latest(&raw_key)?;
        if let Some(old) = &old {
            let record = Record::parse(&raw_key, old)?;
            if let Some(digest) = record.blob() {
                let blob = staged.blobs.entry(digest).or_default();
                blob.takes = blob.takes.saturating_add(1);
            }
            for chunk in record.chunk_keys() {
                let Some(old) = self.latest(&chunk)? else { break };
                staged.remove(chunk, Some(old));
            }
        }
        match value {
            Some(value) => {
                staged.before.insert(raw_key.clone(), old);
                staged.put(raw_key, version, value);
            }
            None if old.is_some() => staged.remove(raw_key, old),
            None => {}
        }
        Ok(())
    }

    /// Counts anew how many records name each blob.
    fn stage_counts(&self, staged: &mut Staged, version: Version) -> Result<(), StoreError> {
        let mut counts = Vec::new();
        for (digest, blob) in &staged.blobs {
            let raw_key = count_key(digest);
            let old = self.latest(&raw_key)?;
            let count =
                old.as_deref().map_or(Ok(0), |old| Record::parse(&raw_key, old)?.count())?;
            let count = count.checked_add(blob.adds).and_then(|sum| sum.checked_sub(blob.takes));
            let count =
                count.ok_or_else(|| damaged("a long value is named more often than counted"))?;
            counts.push((raw_key, old, count));
        }
        for (raw_key, old, count) in counts {
            if count == 0 {
                staged.remove(raw_key, old);
            } else {
                staged.before.insert(raw_key.clone(), old);
                staged.put(raw_key, version, count.to_be_bytes().to_vec());
            }
        }
        Ok(())
    }

    /// What stands at `raw_key` after the batches that are in already.
    fn latest(&self, raw_key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        match self.changes.get(raw_key) {
            Some(after) => Ok(after.clone()),
            None => self.view.latest(raw_key),
        }
    }
}

/// What one batch changes, as long as it can still fail.
#[derive(Debug, Default)]
struct Staged {
    before: Pairs,
    changes: Pairs,
    slots: u32,
    blobs: BTreeMap<Digest, Blob>,
}

/// How many records of one batch begin and cease to name a blob, and what is in it where one begins.
#[derive(Debug, Default)]
struct Blob {
    adds: u64,
    takes: u64,
    value: Option<Vec<u8>>,
}

impl Staged {
    fn remove(&mut self, raw_key: Vec<u8>, before: Option<sled::IVec>) {
        self.before.insert(raw_key.clone(), before);
        self.changes.insert(raw_key, None);
    }

    fn put(&mut self, raw_key: Vec<u8>, version: Version, value: Vec<u8>) {
        let encoded = encode(&raw_key, version, self.slots, &value);
        self.slots = self.slots.saturating_add(1);
        self.changes.insert(raw_key, Some(encoded.raw.into()));
        let chunks = encoded.chunks.into_iter();
        self.changes.extend(chunks.map(|(key, chunk)| (key, Some(chunk.into()))));
        if let Some(digest) = encoded.blob {
            let blob = self.blobs.entry(digest).or_default();
            blob.adds = blob.adds.saturating_add(1);
            blob.value = Some(value);
        }
    }
}
