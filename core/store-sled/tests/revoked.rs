//! An approval and the end of the grant that it rests on, at the same time, through one gate.

use std::sync::Arc;

use placet_core::gate::Gate;
use placet_core::store::{Batch, CommitError, Committed, MemoryStore, Store};
use placet_core::testing::{Bench, Chance, StoreWrapper, TrustingStore};
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
    let trusting = TrustingStore::over(Arc::new(MemoryStore::default()));
    let store: Arc<dyn Store> = Arc::new(Slow(trusting));
    let tally = on(&store, 60, seed(0x5EED));
    println!("{tally:?}");
    assert!(!tally.faults.is_empty(), "{tally:?}");
}

/// A store that is slow with approvals: what comes meanwhile comes first.
#[derive(Debug)]
struct Slow(TrustingStore);

impl StoreWrapper for Slow {
    fn inner(&self) -> &dyn Store {
        &self.0
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
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
        self.0.commit(batch)
    }
}
