//! A store in memory: the reference that every driver is compared with. Nothing survives the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Batch, CommitError, Committed, Key, Store, StoreError, Stored, Version};

/// Keeps everything in memory, for tests and for hosts that want nothing kept.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::gate::Gate;
/// use placet_core::store::MemoryStore;
/// use placet_core::testing::{Bench, Office};
///
/// let store = Arc::new(MemoryStore::default());
/// let office = Office::found(&Gate::new(Bench::on(store.clone())?.parts))?;
///
/// // Another gate on the same store finds what the first one wrote.
/// let gate = Gate::new(Bench::on(store)?.parts);
/// assert_eq!(gate.projects(&office.ana)?.len(), 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pairs: BTreeMap<Key, Stored>,
    log: Vec<Vec<u8>>,
    // One counter for all keys: a key that is removed and written again cannot get an old version.
    commits: u64,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave the state half changed: `commit` checks first, then applies.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        Ok(self.state().pairs.get(key).cloned())
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let start = after.filter(|after| *after >= prefix).unwrap_or(prefix);
        let found = self
            .state()
            .pairs
            .range(start.clone()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, _)| after != Some(*key))
            .take(limit)
            .map(|(key, stored)| (key.clone(), stored.clone()))
            .collect();
        Ok(found)
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.state().log.len()).unwrap_or(u64::MAX))
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        Ok(self.state().log.iter().skip(skip).take(limit).cloned().collect())
    }

    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        let mut state = self.state();
        for (key, expected) in batch.expected {
            if state.pairs.get(&key).map(|stored| stored.version) != expected {
                return Err(CommitError::Conflict { key });
            }
        }
        state.commits = state.commits.saturating_add(1);
        let version = Version::new(state.commits);
        for (key, value) in batch.writes {
            match value {
                Some(value) => drop(state.pairs.insert(key, Stored { version, value })),
                None => drop(state.pairs.remove(&key)),
            }
        }
        let log_index = batch.entry.map(|entry| {
            state.log.push(entry);
            u64::try_from(state.log.len()).unwrap_or(u64::MAX).saturating_sub(1)
        });
        Ok(Committed { version, log_index })
    }
}
