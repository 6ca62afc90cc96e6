use std::path::Path;

use placet_core::store::{StoreError, StoreErrorKind};
use placet_store_sled::SledStore;

use crate::images::Content;
use crate::story::{copy, refusal, write, write_all};

fn content(folder: &Path) -> Result<Content, StoreError> {
    Content::scanned(&SledStore::open(folder)?)
}

/// A closed store with 300 commits, opened twice on the way.
fn filled(folder: &Path) -> Content {
    for part in 0..3 {
        let store = SledStore::open(folder).unwrap();
        write_all(&store, "a", part * 100..part * 100 + 100);
    }
    content(folder).unwrap()
}

#[test]
fn what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    filled(&whole);
    let part = |name: &str| {
        let part = folder.path().join(name);
        copy(&whole, &part);
        part
    };
    let without = |name: &str| {
        let part = part(&format!("without {name}"));
        std::fs::remove_file(part.join(name)).unwrap();
        refusal(&part)
    };
    let (kind, text) = without("db");
    assert_eq!(kind, StoreErrorKind::Damaged);
    assert!(text.contains("commits 1 to 300 are missing"), "{text}");
    let (kind, text) = without("head");
    assert_eq!(kind, StoreErrorKind::Damaged);
    assert!(text.contains("the store is not empty"), "{text}");

    // An older copy of the data under the head of today.
    let older = part("older");
    write(&SledStore::open(&whole).unwrap(), "a", 1_000);
    std::fs::copy(whole.join("head"), older.join("head")).unwrap();
    let (kind, text) = refusal(&older);
    assert_eq!(kind, StoreErrorKind::Damaged);
    assert!(
        text.contains("commits 301 to 301 are missing, 300 of 301 log entries are there"),
        "{text}"
    );

    // Data that went another way.
    let other = folder.path().join("other");
    filled(&other);
    let store = SledStore::open(&other).unwrap();
    write_all(&store, "b", 500..510);
    drop(store);
    std::fs::copy(whole.join("head"), other.join("head")).unwrap();
    let (kind, text) = refusal(&other);
    assert_eq!(kind, StoreErrorKind::Damaged);
    assert!(text.contains("do not belong together"), "{text}");
}

#[test]
fn one_half_of_the_head_may_be_torn_but_not_both() {
    let folder = tempfile::tempdir().unwrap();
    let due = filled(folder.path());
    let head = folder.path().join("head");
    let good = std::fs::read(&head).unwrap();
    for (halves, torn) in [(vec![0], false), (vec![4_096], false), (vec![0, 4_096], true)] {
        let mut raw = good.clone();
        for at in halves {
            raw[at + 20] ^= 1;
        }
        std::fs::write(&head, raw).unwrap();
        if torn {
            let (kind, text) = refusal(folder.path());
            assert_eq!(kind, StoreErrorKind::Damaged);
            assert!(text.contains("neither half"), "{text}");
        } else {
            assert!(content(folder.path()).unwrap() == due);
        }
    }
}

#[test]
fn another_format_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let head = folder.path().join("head");
    let good = std::fs::read(&head).unwrap();
    let data = std::fs::read(folder.path().join("db")).unwrap();
    // Magic, format, position, and the first bytes of their digest. The first format had shorter slots.
    for (format, bytes, due) in
        [(3_u32, 504, StoreErrorKind::NewerFormat), (1, 60, StoreErrorKind::Unavailable)]
    {
        let mut slot = b"placet-h".to_vec();
        slot.extend_from_slice(&format.to_be_bytes());
        slot.resize(bytes, 0);
        let sum = placet_core::digest::Digest::of(&slot);
        slot.extend_from_slice(&sum.as_bytes()[..8]);
        let mut raw = good.clone();
        raw[..slot.len()].copy_from_slice(&slot);
        std::fs::write(&head, raw).unwrap();
        let (kind, text) = refusal(folder.path());
        assert_eq!(kind, due);
        assert!(text.contains(&format!("format {format}")), "{text}");
        assert!(std::fs::read(folder.path().join("db")).unwrap() == data);
    }
}
