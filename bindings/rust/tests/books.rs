//! Log and state side by side: every leaf tells of a state that was there, and every record has its leaf.

use std::collections::BTreeMap;

use placet::audit::Leaf;
use placet::digest::Digest;
use placet::store::{Key, Store};
use placet_core::testing::record_digest;

/// The kinds of records that no leaf names, as in the kernel's own list.
const DERIVED: [&str; 7] = ["unique", "used", "epoch", "live", "turn", "request_of", "denial"];

/// Follows each record through the leaves: what one left behind is what the next one found, and what the last
/// one left behind is what the store holds. Returns how many records there are.
pub(crate) fn balance(log: &[(u64, Leaf)], store: &dyn Store) -> usize {
    let mut told: BTreeMap<String, Digest> = BTreeMap::new();
    for (number, (index, leaf)) in (0..).zip(log) {
        assert_eq!(*index, number, "the log has no gaps");
        for row in &leaf.records {
            let name = &row.name;
            assert_eq!(row.before, told.remove(name), "leaf {index} of {name}: {}", leaf.event);
            told.extend(row.after.map(|after| (name.clone(), after)));
        }
    }
    let mut told: BTreeMap<Key, Digest> = told
        .into_iter()
        .map(|(name, after)| (Key::from_segments(&name.split('/').collect::<Vec<_>>()), after))
        .collect();
    let derived = DERIVED.map(|kind| Key::from_segments(&[kind]));
    let stored = store.scan(&Key::from_segments(&[]), None, usize::MAX).unwrap();
    let stored = stored.iter().filter(|(key, _)| !derived.iter().any(|kind| key.starts_with(kind)));
    let mut count = 0;
    for (key, found) in stored {
        assert_eq!(told.remove(key), Some(record_digest(&found.value)), "{key:?}");
        count += 1;
    }
    assert!(told.is_empty(), "the log tells of records that are not there: {told:?}");
    count
}
