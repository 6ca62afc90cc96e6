//! An approval and the end of the grant that it rests on, at the same time, through one gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

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
    // Only an approval that was judged before the end of its grant is wrong, and who comes first is chance: on a busy
    // machine as well, but not each time.
    let seed = seed(0x5EED);
    let caught = (0..100).find(|round| {
        let store: Arc<dyn Store> = Arc::new(Slow::new());
        let tally = on(&store, 20, seed.wrapping_add(*round));
        println!("{tally:?}");
        !tally.faults.is_empty()
    });
    assert!(caught.is_some(), "2,000 races, and nobody noticed");
}

/// A store that expects nothing and is slow with approvals: what comes meanwhile comes first.
#[derive(Debug)]
struct Slow {
    trusting: TrustingStore,
    // Whoever made it prepares each race; those who race are threads of their own.
    prepares: ThreadId,
    // How many grants were ended in all, and by the time the race began.
    ended: AtomicU64,
    ended_before: AtomicU64,
}

impl Slow {
    fn new() -> Self {
        let (ended, ended_before) = (AtomicU64::new(0), AtomicU64::new(0));
        let trusting = TrustingStore::over(Arc::new(MemoryStore::default()));
        Self { trusting, prepares: thread::current().id(), ended, ended_before }
    }
}

impl StoreWrapper for Slow {
    fn inner(&self) -> &dyn Store {
        &self.trusting
    }

    fn write(&self, batch: Batch) -> Result<Committed, CommitError> {
        let entry = batch.entry.as_deref().map(String::from_utf8_lossy);
        let is_of = |event: &str| entry.as_ref().is_some_and(|text| text.contains(event));
        let (ends, approves) = (is_of("\"org.grant_ended\""), is_of("\"request.approved\""));
        let is_race = thread::current().id() != self.prepares;
        if !is_race {
            self.ended_before.store(self.ended.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        // Of each race the end of a grant is a part. The bound is for one whose thread has panicked.
        for _ in 0..60_000 {
            let has_ended =
                self.ended.load(Ordering::SeqCst) > self.ended_before.load(Ordering::SeqCst);
            if !approves || !is_race || has_ended {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let committed = self.trusting.commit(batch);
        self.ended.fetch_add(u64::from(ends), Ordering::SeqCst);
        committed
    }
}
