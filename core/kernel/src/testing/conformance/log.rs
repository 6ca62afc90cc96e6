//! The log: dense, in order, one with the writes.

use super::{Case, commit, conflict, entries, key, ok, put, value};
use crate::store::{Batch, Store};

pub(super) const CASES: &[Case] = &[
    ("entries get the indexes 0, 1, 2 and so on", dense),
    ("log_read returns the entries of a range, in order", ranges),
    ("an entry is appended with the writes of its batch or not at all", with_writes),
    ("entries may be empty", empty),
];

fn append(store: &dyn Store, entry: &[u8]) -> Option<u64> {
    commit(store, Batch::default().append(entry.to_vec())).log_index
}

fn dense(store: &dyn Store) {
    for index in 0..30_u64 {
        assert_eq!(append(store, &index.to_be_bytes()), Some(index));
        assert_eq!(commit(store, put("a", b"no entry")).log_index, None);
        assert_eq!(ok(store.log_len()), index.saturating_add(1));
    }
    let due: Vec<Vec<u8>> = (0..30_u64).map(|index| index.to_be_bytes().to_vec()).collect();
    assert_eq!(entries(store), due);
}

fn ranges(store: &dyn Store) {
    for index in 0..300_u16 {
        append(store, &index.to_be_bytes());
    }
    let read = |from: u64, limit: usize| -> Vec<u16> {
        let entries = ok(store.log_read(from, limit));
        let number = |entry: Vec<u8>| entry.try_into().map_or(u16::MAX, u16::from_be_bytes);
        entries.into_iter().map(number).collect()
    };
    assert_eq!(read(0, 3), [0, 1, 2]);
    assert_eq!(read(254, 4), [254, 255, 256, 257]);
    assert_eq!(read(298, 10), [298, 299]);
    assert_eq!(read(0, usize::MAX).len(), 300);
    assert_eq!(read(7, 0), [0_u16; 0]);
    assert_eq!(read(300, 10), [0_u16; 0]);
    assert_eq!(read(u64::MAX, usize::MAX), [0_u16; 0]);
}

fn with_writes(store: &dyn Store) {
    let at = key(&["a"]);
    let first = commit(store, put("a", b"1").append(b"one".to_vec()));
    conflict(store, put("a", b"2").expect_absent(at.clone()).append(b"two".to_vec()), &at);
    let third =
        commit(store, put("a", b"3").expect(at.clone(), first.version).append(b"three".to_vec()));
    assert_eq!((first.log_index, third.log_index), (Some(0), Some(1)), "a conflict leaves no gap");
    assert_eq!(entries(store), [b"one".to_vec(), b"three".to_vec()]);
    assert_eq!(value(store, &at), Some(b"3".to_vec()));
}

fn empty(store: &dyn Store) {
    assert_eq!(append(store, b""), Some(0));
    assert_eq!(append(store, b""), Some(1));
    assert_eq!(entries(store), [Vec::<u8>::new(), Vec::new()]);
}
