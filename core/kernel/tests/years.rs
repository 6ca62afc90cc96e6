//! The log by years: sealed once, exported and verified alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::audit::{Leaf, leaf_hash, verify_export};
use placet_core::error::Code;
use placet_core::gate::{Gate, LogYear};
use placet_core::store::{Batch, MemoryStore, Store as _};
use placet_core::testing::{Bench, Office};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A log of three years: the founding in 2026, work in each, and it is 2029 now.
fn aged() -> (Arc<MemoryStore>, Bench, Gate, Office) {
    let store = Arc::new(MemoryStore::default());
    let bench = Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap();
    let gate = Gate::new(bench.parts.clone());
    let office = Office::found(&gate).unwrap();
    for _ in 0..3 {
        for _ in 0..70 {
            office.approved(&gate).unwrap();
        }
        bench.clock.advance_ms(365 * DAY_MS);
    }
    (store, bench, gate, office)
}

#[test]
fn each_year_that_is_over_is_a_log_of_its_own() {
    let (store, bench, gate, office) = aged();
    assert_eq!(gate.seal_years().unwrap(), 3);
    assert_eq!(gate.seal_years().unwrap(), 0, "once is enough");
    let years = gate.years(&office.root).unwrap();
    assert_eq!(years.iter().map(|year| year.year).collect::<Vec<_>>(), [2026, 2027, 2028]);
    let entries = store.log_read(0, usize::MAX).unwrap();
    let mut next = 0;
    for LogYear { year, first, size, .. } in years {
        assert_eq!(first, next, "no entry is between two years");
        next = first + size;
        let mut folder = BTreeMap::new();
        gate.export_year(&office.root, year, &mut folder).unwrap();
        let read = |path: &str| Ok(folder.get(path).cloned());
        let origin = format!("{}/{year}", gate.origin());
        let verified = verify_export(read, &origin, gate.verifier_key()).unwrap();
        assert_eq!(verified.checkpoint().size(), size);
        // It is not taken for the whole log, and holds the entries of that year only.
        verify_export(read, gate.origin(), gate.verifier_key()).unwrap_err();
        let (from, to) = (usize::try_from(first).unwrap(), usize::try_from(next).unwrap());
        for entry in &entries[from..to] {
            assert!(Leaf::from_bytes(entry).unwrap().at.to_string().starts_with(&year.to_string()));
        }
        // An entry that is not as it was sealed is found by whoever has the folder.
        let mut forged = folder.clone();
        forged.get_mut("tile/entries/000").unwrap()[20] ^= 1;
        let read = |path: &str| Ok(forged.get(path).cloned());
        let error = verify_export(read, &origin, gate.verifier_key()).unwrap_err();
        assert_eq!(error.details()["leaf"], "0");
    }
    // The year that goes on is in no shard yet, and neither are the leaves that tell of the seals.
    assert_eq!(next, u64::try_from(entries.len()).unwrap() - 3);
    bench.clock.advance_ms(365 * DAY_MS);
    assert_eq!(gate.seal_years().unwrap(), 1);
    assert_eq!(gate.years(&office.root).unwrap()[3].size, 3);
}

#[test]
fn two_nodes_seal_a_year_once() {
    let (store, bench, gate, office) = aged();
    let other = Gate::new(bench.parts);
    let before = store.log_len().unwrap();
    std::thread::scope(|scope| {
        let nodes = [&gate, &other].map(|node| scope.spawn(|| node.seal_years().unwrap()));
        let sealed: u32 = nodes.map(|node| node.join().unwrap()).iter().sum();
        assert_eq!(sealed, 3);
    });
    assert_eq!(store.log_len().unwrap(), before + 3);
    assert_eq!(gate.years(&office.root).unwrap(), other.years(&office.root).unwrap());
}

#[test]
fn whoever_may_not_audit_gets_no_year_and_nobody_one_that_goes_on() {
    let (_store, _bench, gate, office) = aged();
    gate.seal_years().unwrap();
    let mut folder = BTreeMap::new();
    let denied = gate.export_year(&office.ana, 2026, &mut folder).unwrap_err();
    assert!(matches!(denied.code(), Code::Denied | Code::NotFound), "{denied}");
    let early = gate.export_year(&office.root, 2029, &mut folder).unwrap_err();
    assert_eq!(early.code(), Code::NotFound);
    assert!(folder.is_empty());
}

/// The entries of a year after it was sealed are compared with the seal.
#[test]
fn a_log_that_was_changed_behind_the_seal_is_not_exported() {
    let (store, bench, gate, office) = aged();
    gate.seal_years().unwrap();
    let forged = Arc::new(MemoryStore::default());
    for (index, mut entry) in store.log_read(0, usize::MAX).unwrap().into_iter().enumerate() {
        if index == 7 {
            entry = String::from_utf8(entry).unwrap().replace("org.", "OrG.").into_bytes();
            assert_ne!(leaf_hash(&entry), leaf_hash(&store.log_read(7, 1).unwrap()[0]));
        }
        forged.commit(Batch::default().append(entry)).unwrap();
    }
    for (key, stored) in
        store.scan(&placet_core::store::Key::from_segments(&[]), None, usize::MAX).unwrap()
    {
        forged.commit(Batch::default().put(key, stored.value)).unwrap();
    }
    let mut parts = bench.parts;
    parts.store = forged;
    let mut folder = BTreeMap::new();
    let error = Gate::new(parts).export_year(&office.root, 2026, &mut folder).unwrap_err();
    assert_eq!(error.code(), Code::LogTampered);
    assert!(folder.is_empty());
}
