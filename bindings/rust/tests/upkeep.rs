//! What a gate does by itself goes on past what is damaged, and tells its host; whoever waits waits in time.

use core::ops::Deref as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use placet::Gate;
use placet::clock::{Clock, Timestamp};
use placet::error::Code;
use placet::id::RequestId;
use placet::limits::Limits;
use placet::request::StateName;
use placet::store::{Batch, Key, MemoryStore, Store as _};
use placet_core::testing::{Bench, Office};

use crate::shop::{Shop, builder, payload};

/// The key of a lease that nobody holds, and bytes that are none.
fn damaged() -> Batch {
    let nobody = RequestId::from_u128(7).to_string();
    Batch::default().put(Key::from_segments(&["live", &nobody]), b"not a lease".to_vec())
}

#[test]
fn one_damaged_record_keeps_nobody_from_opening_and_from_everything_else() {
    let shop = Shop::new();
    let change = shop.change(&payload("DELETE FROM orders WHERE id = 1")).unwrap();
    let id = shop.approved(change).unwrap();
    // The process goes away before it drives the run.
    drop(shop.gate.deref().execute(&shop.office.bo, id).unwrap());
    let Shop { gate, office, database, folder } = shop;
    assert_eq!(gate.housekeeping_failures().count, 0);
    drop(gate);
    let store = placet::store_sled::SledStore::open(folder.path().join("placet").join("store"));
    store.unwrap().commit(damaged()).unwrap();

    let gate = builder(folder.path()).housekeeping(false).open().unwrap();
    let failures = gate.housekeeping_failures();
    let (_, error) = failures.latest.unwrap();
    assert_eq!((failures.count, error.code()), (1, Code::StoreDamaged));
    assert!(error.to_string().contains(&RequestId::from_u128(7).to_string()), "{error}");
    // The run beside it was declared unknown, and everything goes on.
    let shop = Shop { gate, office, database, folder };
    assert_eq!(shop.gate.view(&office.ana, id).unwrap().state.name(), StateName::Unknown);
    shop.gate.verify(&office.bo, id).unwrap();
    let change = shop.change(&payload("DELETE FROM orders WHERE id = 2")).unwrap();
    assert_eq!(shop.run(change).unwrap().state.name(), StateName::Succeeded);
    assert_eq!(shop.cents(), 400);
}

#[test]
fn what_fails_in_the_background_is_counted_and_the_rest_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("placet").join("store");
    std::fs::create_dir_all(folder.path().join("placet")).unwrap();
    placet::store_sled::SledStore::open(store).unwrap().commit(damaged()).unwrap();
    let limits = Limits::default().with_lease_ms(30);
    let gate = builder(folder.path()).limits(limits).open().unwrap();
    // Until it has failed again and again; nobody called anything.
    for _ in 0..60_000 {
        if gate.housekeeping_failures().count > 3 {
            let (_, error) = gate.housekeeping_failures().latest.unwrap();
            assert_eq!(error.code(), Code::StoreDamaged);
            return;
        }
        std::thread::park_timeout(core::time::Duration::from_millis(1));
    }
    panic!("{:?}", gate.housekeeping_failures());
}

/// A clock on which a second passes whenever it is looked at.
#[derive(Debug, Default)]
struct Hasty {
    looks: AtomicU64,
}

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_770_000_000_000_000)
    }

    fn steady_ms(&self) -> u64 {
        self.looks.fetch_add(1, Ordering::SeqCst) * 1_000
    }
}

#[test]
fn whoever_waits_for_a_turn_waits_as_long_as_was_said_and_counts_all_of_it() {
    let store = Arc::new(MemoryStore::default());
    let mut parts = Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap().parts;
    parts.clock = Arc::new(Hasty::default());
    let gate = Gate::over(placet_core::gate::Gate::new(parts));
    let office = Office::found(&gate).unwrap();
    let [first, second] = [(); 2].map(|()| office.approved(&gate).unwrap().header.id);
    let ticket = gate.deref().execute(&office.bo, first).unwrap();
    let busy = gate.execute_in_turn(&office.bo, second, 20_000).unwrap_err();
    assert_eq!(busy.code(), Code::TargetBusy);
    // Each try looks at the clock as well: the twenty seconds are over after ten tries at most, most of them
    // long before their pauses alone would have filled that time.
    let turns = store.scan(&Key::from_segments(&["turn"]), None, 9).unwrap();
    let (_, turn) = turns.first().unwrap();
    let turn: serde_json::Value = serde_json::from_slice(&turn.value).unwrap();
    let asks = turn["body"]["asks"].as_u64().unwrap();
    assert!((2..=10).contains(&asks), "{asks} asks");
    drop(ticket);
}
