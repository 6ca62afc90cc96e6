//! What must be there when a store is opened again.

use super::{commit, conflict, entries, key, ok, put, value, version};
use crate::store::{Batch, Store};

pub(super) fn keeps<S: Store>(open: &impl Fn() -> S) {
    let store = open();
    let kept = commit(&store, put("kept", b"1").append(b"one".to_vec()));
    commit(&store, put("gone", &vec![7; 50_000]).append(vec![8; 50_000]));
    commit(&store, Batch::default().remove(key(&["gone"])));
    conflict(&store, put("lost", b"1").expect_absent(key(&["kept"])), &key(&["kept"]));
    drop(store);
    for _ in 0..3 {
        let store = open();
        assert_eq!(value(&store, &key(&["kept"])), Some(b"1".to_vec()));
        assert_eq!(version(&store, &key(&["kept"])), Some(kept.version), "the version stays");
        assert_eq!(value(&store, &key(&["gone"])), None);
        assert_eq!(value(&store, &key(&["lost"])), None);
        assert!(entries(&store) == [b"one".to_vec(), vec![8; 50_000]], "the log stays");
        assert_eq!(ok(store.log_len()), 2);
    }
}

pub(super) fn goes_on<S: Store>(open: &impl Fn() -> S) {
    let at = key(&["again"]);
    let mut last = None;
    for round in 0..5_u8 {
        let store = open();
        let entries_before = ok(store.log_len());
        let committed = commit(&store, put("again", &[round]).append(vec![round]));
        assert!(Some(committed.version) > last, "{:?} after {last:?}", committed.version);
        assert_eq!(committed.log_index, Some(entries_before), "the log goes on where it ended");
        if let Some(stale) = last {
            conflict(&store, put("again", b"stale").expect(at.clone(), stale), &at);
        }
        last = Some(committed.version);
        // Removed at the end: the version must not come back although nothing remembers it here.
        commit(&store, Batch::default().remove(at.clone()));
    }
}
