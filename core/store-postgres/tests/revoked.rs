//! An approval at one node and the end of the grant that it rests on at another, at the same time.

use std::sync::Arc;

use placet_core::clock::{Clock as _, Timestamp};
use placet_core::gate::{Gate, Parts};
use placet_core::store::Store;
use placet_core::testing::{Bench, Chance, ManualClock, TrustingStore};

use crate::approve_or_revoke::{Doors, Tally, assert_the_log_is_the_order, race};
use crate::server::{fresh, server};
use crate::story::{seed, times};

/// How far the clock of the node where the approver is may be behind, in milliseconds.
const BEHIND_MS: u64 = 3_000;

/// Races through two gates: the grants end at `far`, the approvals are given at `near`.
fn between(far: &Arc<dyn Store>, near: Arc<dyn Store>, races: u64, seed: u64) -> Tally {
    let (bench, store) = (Bench::on(Arc::clone(far)).unwrap(), Arc::clone(far));
    bench.clock.advance_ms(BEHIND_MS);
    let behind = bench.clock.now().as_micros() - i64::try_from(BEHIND_MS).unwrap() * 1_000;
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(behind)));
    // The ids are common: those of a second bench would repeat the first one's.
    let parts =
        Parts { store: near, clock: Arc::<ManualClock>::clone(&clock), ..bench.parts.clone() };
    let (far, near) = (Gate::new(bench.parts), Gate::new(parts));
    let clocks = [&*bench.clock, &*clock];
    let doors = Doors { far: &far, near: &near, store: &*store, clocks: &clocks };
    let tally = race(&doors, races, &mut Chance::new(seed));
    assert_eq!((far.disagreements(), near.disagreements()), (0, 0));
    tally
}

/// `PLACET_RACES` asks for more, `SEED` for those of one run again.
#[test]
fn an_approval_at_one_node_stands_before_the_end_of_its_grant_at_another_or_not_at_all() {
    let Some(server) = server() else { return };
    let schema = fresh("revoked");
    let (far, near): (Arc<dyn Store>, _) = (Arc::new(server.store(&schema)), server.store(&schema));
    let (races, seed) = (times("PLACET_RACES", 200), seed(0x5EED));
    let tally = between(&far, Arc::new(near), races, seed);
    println!("{tally:?}");
    assert_the_log_is_the_order(&tally);
}

#[test]
fn a_node_whose_commits_expect_nothing_is_noticed() {
    let Some(server) = server() else { return };
    let schema = fresh("trusting");
    let (far, near): (Arc<dyn Store>, _) = (Arc::new(server.store(&schema)), server.store(&schema));
    let tally = between(&far, Arc::new(TrustingStore::over(Arc::new(near))), 60, seed(0x5EED));
    println!("{tally:?}");
    assert!(!tally.faults.is_empty(), "{tally:?}");
}
