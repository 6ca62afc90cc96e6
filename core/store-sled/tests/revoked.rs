//! An approval and the end of the grant that it rests on, at the same time, through one gate.

use std::sync::Arc;

use placet_core::gate::Gate;
use placet_core::store::Store;
use placet_core::store::{Batch, CommitError, Committed, Key, MemoryStore, StoreError, Stored};
use placet_core::testing::{Bench, Chance};
use placet_store_sled::SledStore;

use crate::approve_or_revoke::{Doors, Tally, assert_the_log_is_the_order, race};
use crate::story::{seed, times};

/// Races through one gate on `store`.
fn on(store: &Arc<dyn Store>, races: u64, seed: u64) -> Tally {
    let bench = Bench::on(Arc::clone(store)).unwrap();
    let gate = Gate::new(bench.parts);
    let doors = Doors { far: &gate, near: &gate, store: &**store, clocks: &[&*bench.clock] };
    let tally = race(&doors, races, &mut Chance::new(seed));
    assert_eq!(gate.disagreements(), 0);
    tally
}

/// `PLACET_RACES` asks for more, `SEED` for those of one run again.
#[test]
fn an_approval_stands_before_the_end_of_its_grant_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (races, seed) = (times("PLACET_RACES", 200), seed(0x5EED));
    let store: Arc<dyn Store> = Arc::new(SledStore::open(folder.path()).unwrap());
    let tally = on(&store, races, seed);
    println!("{tally:?}");
    assert_the_log_is_the_order(&tally);
}

#[test]
fn a_store_that_expects_nothing_is_noticed() {
    let store: Arc<dyn Store> = Arc::new(Trusting(MemoryStore::default()));
    let tally = on(&store, 60, seed(0x5EED));
    println!("{tally:?}");
    assert!(!tally.faults.is_empty(), "{tally:?}");
}

/// A store that takes every expectation for kept, and is slow with approvals: what comes meanwhile comes first.
#[derive(Debug)]
struct Trusting(MemoryStore);

impl Store for Trusting {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.0.get(key)
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        self.0.scan(prefix, after, limit)
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.0.log_len()
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.0.log_read(from, limit)
    }

    fn commit(&self, mut batch: Batch) -> Result<Committed, CommitError> {
        let entry = batch.entry.as_deref().map(String::from_utf8_lossy);
        if entry.is_some_and(|text| text.contains("\"request.approved\"")) {
            let before = self.0.log_len()?;
            for _ in 0..20_000 {
                if self.0.log_len()? > before {
                    break;
                }
                std::thread::yield_now();
            }
        }
        batch.expected.clear();
        self.0.commit(batch)
    }
}
