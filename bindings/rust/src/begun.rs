//! The note beside a store that its log has entries: a store that is empty later lost them.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use placet_core::store::{
    Batch, CommitError, Committed, Key, Store, StoreError, StoreErrorKind, Stored,
};

use crate::durable::write_durably;

/// A store that leaves the note before it acknowledges the first entry of its log. Here, under every verb: there is
/// no way to the store that does not pass it.
#[derive(Debug)]
pub(crate) struct BegunStore {
    inner: Arc<dyn Store>,
    note: PathBuf,
    is_noted: AtomicBool,
    writing: Mutex<()>,
}

impl BegunStore {
    /// Over `inner`, whose note is at `note`.
    pub(crate) fn over(inner: Arc<dyn Store>, note: PathBuf) -> Self {
        let is_noted = AtomicBool::new(note.exists());
        Self { inner, note, is_noted, writing: Mutex::default() }
    }

    /// Whether the log was begun: the note says so.
    pub(crate) fn is_noted(&self) -> bool {
        self.is_noted.load(Ordering::Acquire)
    }

    /// Leaves the note, where the log has entries and there is none yet.
    pub(crate) fn note_begun(&self) -> Result<(), StoreError> {
        if self.is_noted() || self.inner.log_len()? == 0 {
            return Ok(());
        }
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_noted() {
            return Ok(());
        }
        let text = "The log of this folder has entries. If its store is empty, they were lost.\n";
        write_durably(&self.note, text).map_err(|source| self.unwritable(source))?;
        self.is_noted.store(true, Ordering::Release);
        Ok(())
    }

    fn unwritable(&self, source: io::Error) -> StoreError {
        let text = format!("the note `{}` cannot be written", self.note.display());
        StoreError::new(StoreErrorKind::Unavailable, text)
            .with_help("let this process write to the folder, and do it again")
            .with_source(source)
    }
}

impl Store for BegunStore {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.inner.get(key)
    }

    fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        self.inner.get_many(keys)
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        self.inner.scan(prefix, after, limit)
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.inner.log_len()
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.inner.log_read(from, limit)
    }

    fn wait_for_log(&self, longer_than: u64, wait_ms: u64) -> Result<u64, StoreError> {
        self.inner.wait_for_log(longer_than, wait_ms)
    }

    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        let committed = self.inner.commit(batch)?;
        // Also after a commit without an entry: whoever could not leave the note tries it again.
        self.note_begun()?;
        Ok(committed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use placet_core::store::MemoryStore;
    use placet_core::testing::conformance;

    #[test]
    fn it_is_the_store_that_it_stands_before() {
        let folder = tempfile::tempdir().unwrap();
        conformance::check(|| {
            BegunStore::over(Arc::new(MemoryStore::default()), folder.path().join("log.begun"))
        });
    }

    #[test]
    fn the_first_entry_is_acknowledged_when_the_note_is_there_and_no_earlier() {
        let folder = tempfile::tempdir().unwrap();
        let (note, inner) = (folder.path().join("log.begun"), Arc::new(MemoryStore::default()));
        let store = BegunStore::over(Arc::<MemoryStore>::clone(&inner), note.clone());
        let key = Key::from_segments(&["state"]);
        store.commit(Batch::default().put(key, vec![1])).unwrap();
        assert!(!note.exists(), "there is no log yet");
        // A folder stands where the note is written first.
        let in_the_way = folder.path().join("log.begun.partial");
        std::fs::create_dir(&in_the_way).unwrap();
        assert!(store.commit(Batch::default().append(vec![1])).is_err());
        std::fs::remove_dir(&in_the_way).unwrap();
        store.commit(Batch::default()).unwrap();
        assert!(note.exists() && store.is_noted());
        // It is written once.
        std::fs::remove_file(&note).unwrap();
        store.commit(Batch::default().append(vec![2])).unwrap();
        assert!(!note.exists());
    }
}
