//! Log and state side by side: every leaf tells of a state that was there, and every record has its leaf.

use std::collections::BTreeMap;

use placet::audit::{DeepOptions, Leaf, verify_deep};
use placet::digest::Digest;
use placet::store::{Key, Store};
use placet_core::testing::{is_derived, record_digest};

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
    let stored = store.scan(&Key::from_segments(&[]), None, usize::MAX).unwrap();
    let stored = stored.iter().filter(|(key, _)| !is_derived(&kind_of(key)));
    let mut count = 0;
    for (key, found) in stored {
        assert_eq!(told.remove(key), Some(record_digest(&found.value)), "{key:?}");
        count += 1;
    }
    assert!(told.is_empty(), "the log tells of records that are not there: {told:?}");
    // The product's own check, which also makes again what no leaf names.
    let report = verify_deep(store, &DeepOptions::default(), |_| Ok(())).unwrap();
    assert!(report.is_whole(), "{:?}", report.findings);
    count
}

fn kind_of(key: &Key) -> String {
    let kind = key.as_bytes().split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(kind).into_owned()
}
