//! What commit applies, and when it refuses.

use std::collections::BTreeSet;

use super::{Case, all, commit, conflict, entries, key, keys, ok, put, value, version};
use crate::store::{Batch, Store, Version};

pub(super) const CASES: &[Case] = &[
    ("a batch applies all of its writes", whole),
    ("removing a key that is not there does nothing", remove_nothing),
    ("expecting a key to be absent holds only while it is", absent),
    ("expecting a version holds only for that version", expected),
    ("a version from before a removal is stale for good", removed_and_back),
    ("a conflict applies nothing", nothing_on_conflict),
    ("an expectation may be about a key that the batch does not write", elsewhere),
    ("no two writes of a key have the same version", versions),
    ("a batch that writes nothing is answered", empty),
];

fn whole(store: &dyn Store) {
    commit(store, put("a", b"1").put(key(&["b"]), b"1".to_vec()));
    commit(store, put("a", b"2").remove(key(&["b"])).put(key(&["c"]), b"2".to_vec()));
    assert_eq!(value(store, &key(&["a"])), Some(b"2".to_vec()));
    assert_eq!(value(store, &key(&["b"])), None);
    assert_eq!(value(store, &key(&["c"])), Some(b"2".to_vec()));
    assert_eq!(keys(store, &all(), None, 10), [key(&["a"]), key(&["c"])]);
}

fn remove_nothing(store: &dyn Store) {
    commit(store, Batch::default().remove(key(&["a"])));
    commit(store, put("a", b"1"));
    commit(store, Batch::default().remove(key(&["a"])));
    commit(store, Batch::default().remove(key(&["a"])));
    assert_eq!(keys(store, &all(), None, 10), []);
}

fn absent(store: &dyn Store) {
    let at = key(&["a"]);
    commit(store, put("a", b"1").expect_absent(at.clone()));
    conflict(store, put("a", b"2").expect_absent(at.clone()), &at);
    assert_eq!(value(store, &at), Some(b"1".to_vec()));
    commit(store, Batch::default().remove(at.clone()));
    commit(store, put("a", b"3").expect_absent(at.clone()));
    assert_eq!(value(store, &at), Some(b"3".to_vec()));
}

fn expected(store: &dyn Store) {
    let at = key(&["a"]);
    conflict(store, put("a", b"0").expect(at.clone(), Version::new(1)), &at);
    let first = commit(store, put("a", b"1")).version;
    let second = commit(store, put("a", b"2").expect(at.clone(), first)).version;
    conflict(store, put("a", b"3").expect(at.clone(), first), &at);
    let later = Version::new(second.get().saturating_add(1));
    conflict(store, put("a", b"3").expect(at.clone(), later), &at);
    conflict(store, Batch::default().remove(at.clone()).expect(at.clone(), first), &at);
    assert_eq!(value(store, &at), Some(b"2".to_vec()));
    commit(store, Batch::default().remove(at.clone()).expect(at.clone(), second));
    conflict(store, put("a", b"3").expect(at.clone(), second), &at);
    assert_eq!(value(store, &at), None);
}

fn removed_and_back(store: &dyn Store) {
    let at = key(&["a"]);
    let before = commit(store, put("a", b"1")).version;
    commit(store, Batch::default().remove(at.clone()));
    commit(store, put("a", b"1"));
    conflict(store, put("a", b"2").expect(at.clone(), before), &at);
    assert_eq!(value(store, &at), Some(b"1".to_vec()));
}

fn nothing_on_conflict(store: &dyn Store) {
    let lost = key(&["lost"]);
    let held = commit(store, put("a", b"1").put(lost.clone(), b"1".to_vec()).append(b"1".to_vec()));
    let batch = put("a", b"2")
        .put(key(&["b"]), b"2".to_vec())
        .remove(lost.clone())
        .append(b"2".to_vec())
        .expect(key(&["a"]), held.version)
        .expect_absent(lost.clone());
    conflict(store, batch, &lost);
    assert_eq!(version(store, &key(&["a"])), Some(held.version));
    assert_eq!(version(store, &lost), Some(held.version));
    assert_eq!(value(store, &key(&["b"])), None);
    assert_eq!(entries(store), [b"1".to_vec()], "a conflict appends nothing");
    assert_eq!(ok(store.log_len()), 1, "a conflict appends nothing");
}

fn elsewhere(store: &dyn Store) {
    let epoch = key(&["epoch"]);
    let first = commit(store, put("epoch", b"1")).version;
    commit(store, put("a", b"1").expect(epoch.clone(), first));
    assert_eq!(version(store, &epoch), Some(first), "an expectation writes nothing");
    commit(store, put("epoch", b"2"));
    conflict(store, put("a", b"2").expect(epoch.clone(), first), &epoch);
    assert_eq!(value(store, &key(&["a"])), Some(b"1".to_vec()));
}

fn versions(store: &dyn Store) {
    let at = key(&["a"]);
    let mut seen = BTreeSet::new();
    for round in 0..40_u8 {
        let committed = commit(store, put("a", &[round % 2]));
        assert_eq!(
            version(store, &at),
            Some(committed.version),
            "commit says which version it wrote"
        );
        assert!(seen.insert(committed.version), "{:?} was given twice", committed.version);
        if round % 3 == 0 {
            commit(store, Batch::default().remove(at.clone()));
        }
    }
}

fn empty(store: &dyn Store) {
    let committed = commit(store, Batch::default());
    assert_eq!(committed.log_index, None);
    let held = commit(store, put("a", b"1")).version;
    commit(store, Batch::default().expect(key(&["a"]), held));
    conflict(store, Batch::default().expect_absent(key(&["a"])), &key(&["a"]));
}
