//! Which batches of a group pass, and what they change together.

use std::collections::BTreeMap;

use placet_core::digest::Digest;
use placet_core::store::{Batch, CommitError, Committed, Key, StoreError, Version};

use crate::record::{Inside, POSITION, Position, Record, data_key, encode, log_key};
use crate::view::{Pairs, View};

/// A group being put together. Nothing is written until it is [finished](Self::finish).
#[derive(Debug)]
pub(crate) struct Group<'a> {
    view: &'a View,
    start: Position,
    now: Position,
    before: Pairs,
    changes: Pairs,
}

impl<'a> Group<'a> {
    pub(crate) fn new(view: &'a View, start: Position) -> Self {
        Self { view, start, now: start, before: Pairs::new(), changes: Pairs::new() }
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
            self.stage_write(&mut staged, raw_key, version, value.as_deref())?;
        }
        let log_index = batch.entry.map(|entry| {
            staged.put(log_key(self.now.log_len), version, &entry);
            self.now.log_len
        });

        for (raw_key, before) in staged.before {
            self.before.entry(raw_key).or_insert(before);
        }
        for (raw_key, after) in staged.changes {
            // New log entries and chunks were nowhere before.
            self.before.entry(raw_key.clone()).or_insert(None);
            self.changes.insert(raw_key, after);
        }
        self.now.commits = version.get();
        self.now.log_len = self.now.log_len.saturating_add(u64::from(log_index.is_some()));
        Ok(Committed::new(version, log_index))
    }

    /// The whole group: what changes, what stood there before, and the position after it. `None` when no
    /// batch passed.
    pub(crate) fn finish(mut self, anchor: Position) -> Option<(Pairs, Pairs, Inside)> {
        if self.now.commits == self.start.commits {
            return None;
        }
        self.now.digest = self.digest();
        let inside = Inside { now: self.now, anchor };
        // Not read from sled: readers take the position from it, and that is known here.
        let before = Inside { now: self.start, anchor };
        self.before.insert(POSITION.to_vec(), Some(before.to_bytes().into()));
        self.changes.insert(POSITION.to_vec(), Some(inside.to_bytes().into()));
        Some((self.changes, self.before, inside))
    }

    fn version(&self, key: &Key) -> Result<Option<Version>, StoreError> {
        let raw_key = data_key(key);
        let Some(raw) = self.latest(&raw_key)? else { return Ok(None) };
        let stored =
            Record::parse(&raw_key, &raw)?.value(&raw_key, |raw_key| self.latest(raw_key))?;
        Ok(Some(stored.version))
    }

    fn stage_write(
        &self,
        staged: &mut Staged,
        raw_key: Vec<u8>,
        version: Version,
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let old = self.latest(&raw_key)?;
        if let Some(old) = &old {
            for chunk in Record::parse(&raw_key, old)?.chunk_keys() {
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

    /// What stands at `raw_key` after the batches that are in already.
    fn latest(&self, raw_key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        match self.changes.get(raw_key) {
            Some(after) => Ok(after.clone()),
            None => self.view.latest(raw_key),
        }
    }

    /// The running digest: all changes of this group on top of the digest before it.
    fn digest(&self) -> Digest {
        let mut text = self.start.digest.as_bytes().to_vec();
        for (raw_key, after) in &self.changes {
            let value = after.as_deref().map_or([0; 32], |value| *Digest::of(value).as_bytes());
            text.extend_from_slice(Digest::of(raw_key).as_bytes());
            text.push(u8::from(after.is_some()));
            text.extend_from_slice(&value);
        }
        Digest::of(&text)
    }
}

/// What one batch changes, as long as it can still fail.
#[derive(Debug, Default)]
struct Staged {
    before: Pairs,
    changes: Pairs,
    slots: u32,
}

impl Staged {
    fn remove(&mut self, raw_key: Vec<u8>, before: Option<sled::IVec>) {
        self.before.insert(raw_key.clone(), before);
        self.changes.insert(raw_key, None);
    }

    fn put(&mut self, raw_key: Vec<u8>, version: Version, value: &[u8]) {
        let (raw, chunks) = encode(&raw_key, version, self.slots, value);
        self.slots = self.slots.saturating_add(1);
        self.changes.insert(raw_key, Some(raw.into()));
        self.changes.extend(chunks.into_iter().map(|(key, chunk)| (key, Some(chunk.into()))));
    }
}
