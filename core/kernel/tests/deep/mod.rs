//! `verify --deep`: whatever is changed past the gate changes nothing that counts, or is found and named.

mod says;
mod lab;
mod mutations;

use std::sync::Arc;

use placet_core::audit::{DeepFault, DeepOptions, DeepReport, DeepStep, verify_deep};
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::store::{Batch, Key, MemoryStore, Store};
use placet_core::testing::{Bench, InterleavingStore, Office, Seen};

use lab::Lab;

fn check(store: &dyn Store, options: &DeepOptions) -> DeepReport {
    verify_deep(store, options, |_| Ok(())).unwrap()
}

/// The faults that were found, each with its record.
fn faults(report: &DeepReport) -> Vec<(DeepFault, String)> {
    let named = report.findings.iter();
    named.map(|found| (found.fault, found.record.clone().unwrap_or_default())).collect()
}

#[test]
fn what_the_gate_wrote_is_whole_in_as_little_memory_as_there_is() {
    let lab = Lab::new();
    let whole = check(&lab.store(), &lab.options());
    assert_eq!(faults(&whole), []);
    assert_eq!((whole.passes, whole.entries_after_head), (1, Some(0)));
    assert_eq!(whole.root, lab.head.root());
    let long = Lab::long();
    assert_eq!(faults(&check(&long.store(), &long.options())), []);
    // Less memory than there are records: more passes, the same answer, and each is found all the same.
    let little = lab.options().with_memory_bytes_max(0);
    let parts = check(&lab.store(), &little);
    assert!(parts.is_whole() && parts.passes > 1, "{} passes", parts.passes);
    assert_eq!(
        (parts.root, parts.records, parts.entries),
        (whole.root, whole.records, whole.entries)
    );
    for key in lab.pairs.keys() {
        let store = lab.store();
        store.commit(Batch::default().remove(key.clone())).unwrap();
        let (one, many) = (check(&store, &lab.options()), check(&store, &little));
        assert_eq!(faults(&one), faults(&many));
        assert_ne!(one.is_whole(), lab.counts(key, None), "{key:?}");
    }
}

#[test]
fn each_fault_says_what_happened_and_where() {
    let lab = Lab::new();
    let request = lab.key_of("request/");
    let name = says::name(&request);
    let older = lab.past[&request][0].clone();
    let store = lab.store();
    store.commit(Batch::default().put(request.clone(), older)).unwrap();
    let found = &check(&store, &lab.options()).findings[0];
    assert_eq!((found.fault, found.record.as_deref()), (DeepFault::Older, Some(name.as_str())));
    let (source, leaf) = found.source.clone().unwrap();
    assert!(source == name && Some(leaf) < found.leaf, "{found}");

    let other = lab.key_of("user/");
    let store = lab.store();
    let swapped = lab.pairs[&other].clone();
    store.commit(Batch::default().put(request, swapped)).unwrap();
    let report = check(&store, &lab.options());
    let found =
        report.findings.iter().find(|found| found.record.as_deref() == Some(&name)).unwrap();
    assert_eq!(found.fault, DeepFault::Swapped);
    assert_eq!(found.source.clone().unwrap().0, says::name(&other));

    let store = lab.store();
    let copied = Key::from_segments(&["user", "usr_0000000000000000000000000000ffff"]);
    store.commit(Batch::default().put(copied, lab.pairs[&other].clone())).unwrap();
    let report = check(&store, &lab.options());
    assert!(
        faults(&report)
            .contains(&(DeepFault::Added, "user/usr_0000000000000000000000000000ffff".to_owned()))
    );
}

#[test]
fn a_log_that_was_cut_is_found_by_its_records_and_by_a_head() {
    let lab = Lab::new();
    for cut in 1..8 {
        let store = lab.store_with(&lab.log[..lab.log.len() - cut]);
        let report = check(&store, &lab.options());
        assert_eq!(report.findings[0].fault, DeepFault::LogCut);
        // Denials leave no record that a leaf names, and their notes are found.
        let alone = check(&store, &DeepOptions::default());
        assert!(!alone.is_whole(), "{cut} entries are missing");
    }
    // Records and log of an earlier day: only who kept a head sees it.
    let (store, earlier) = (lab.earlier.store(), lab.options());
    assert!(check(&store, &DeepOptions::default()).is_whole());
    assert_eq!(faults(&check(&store, &earlier)), [(DeepFault::LogCut, String::new())]);
    // Another log of the same length.
    let mut log = lab.log.clone();
    let last = log.len() - 1;
    log.swap(last, last - 1);
    let report = check(&lab.store_with(&log), &lab.options());
    assert!(faults(&report).contains(&(DeepFault::LogRewritten, String::new())));
}

#[test]
fn it_can_be_watched_and_stopped() {
    let lab = Lab::new();
    let (store, mut told) = (lab.store(), Vec::new());
    let little = lab.options().with_memory_bytes_max(0);
    verify_deep(&store, &little, |now| {
        told.push(*now);
        Ok(())
    })
    .unwrap();
    let last = told.last().unwrap();
    assert_eq!((last.step, last.pass), (DeepStep::Records, last.passes));
    assert!(told.iter().all(|now| now.pass <= now.passes));
    for stop in 0..told.len() {
        let mut calls = 0;
        let stopped = verify_deep(&store, &little, |_| {
            calls += 1;
            if calls > stop { Err(Error::new(Code::Cancelled, "enough")) } else { Ok(()) }
        });
        assert_eq!(stopped.unwrap_err().code(), Code::Cancelled);
    }
}

/// A live store: whatever a check reads, something else was written a moment later.
#[test]
fn others_may_write_while_it_looks() {
    let base: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let gate = Arc::new(Gate::new(Bench::on(Arc::clone(&base)).unwrap().parts));
    let office = Office::found(&gate).unwrap();
    office.approved(&gate).unwrap();
    for moment in 0..24 {
        let busy = InterleavingStore::new(Arc::clone(&base));
        let other = Arc::clone(&gate);
        // Between two reads, a request goes through all that one can.
        busy.before(moment, move || {
            let id = office.approved(&other).unwrap().header.id;
            let ticket = other.execute(&office.bo, id).unwrap();
            other.drive(ticket, &Seen::default()).unwrap();
        });
        let options = DeepOptions::default().with_memory_bytes_max(0);
        let report = check(&busy, &options);
        assert!(busy.happened());
        assert_eq!(faults(&report), [], "at read {moment}");
    }
}
