//! What a gate does by itself goes on past what is damaged, and tells its host.

use core::ops::Deref as _;

use placet::error::Code;
use placet::id::RequestId;
use placet::limits::Limits;
use placet::request::StateName;
use placet::store::{Batch, Key, Store};

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
