use std::path::Path;

use placet_core::store::{Key, Store as _, StoreError, StoreErrorKind};
use placet_store_sled::SledStore;

use crate::story::{Numbers, copy, refusal, seed, write, write_all};

type Content = (Vec<(Key, Vec<u8>)>, Vec<Vec<u8>>);

/// All that a store holds.
fn content(folder: &Path) -> Result<Content, StoreError> {
    let store = SledStore::open(folder)?;
    let pairs = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX)?;
    let pairs = pairs.into_iter().map(|(key, stored)| (key, stored.value)).collect();
    assert_eq!(store.log_len()?, u64::try_from(store.log_read(0, usize::MAX)?.len()).unwrap());
    Ok((pairs, store.log_read(0, usize::MAX)?))
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
fn a_file_that_was_cut_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let due = filled(&whole);
    let length = std::fs::metadata(whole.join("db")).unwrap().len();
    let mut damaged = 0;
    for cut in 1..=40 {
        let part = folder.path().join(cut.to_string());
        copy(&whole, &part);
        let file = std::fs::OpenOptions::new().write(true).open(part.join("db")).unwrap();
        file.set_len(length * (40 - cut) / 40).unwrap();
        drop(file);
        match content(&part) {
            Ok(found) => {
                assert!(found == due, "cut {cut}: something is missing and nobody said so");
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Damaged, "cut {cut}: {error}");
                damaged += 1;
            }
        }
    }
    println!("{damaged} of 40 cuts were found to be damage, the others cut nothing that counts");
    assert!(damaged > 0);
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
fn a_newer_format_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    // Magic, format, position, and the first bytes of their digest.
    let mut slot = b"placet-h".to_vec();
    slot.extend_from_slice(&2_u32.to_be_bytes());
    slot.resize(60, 0);
    let sum = placet_core::digest::Digest::of(&slot);
    slot.extend_from_slice(&sum.as_bytes()[..8]);
    let mut raw = std::fs::read(folder.path().join("head")).unwrap();
    raw[..68].copy_from_slice(&slot);
    std::fs::write(folder.path().join("head"), raw).unwrap();
    let data = std::fs::read(folder.path().join("db")).unwrap();
    let (kind, text) = refusal(folder.path());
    assert_eq!(kind, StoreErrorKind::NewerFormat);
    assert!(text.contains("format 2"), "{text}");
    assert!(std::fs::read(folder.path().join("db")).unwrap() == data);
}

#[test]
fn a_flipped_byte_changes_nothing_or_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let due = filled(&whole);
    let mut numbers = Numbers(seed(0x5eed_1234_5678_9abc));
    let good = std::fs::read(whole.join("db")).unwrap();
    let used = good.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut damaged = 0;
    for flip in 0..150 {
        let part = folder.path().join("part");
        copy(&whole, &part);
        let mut raw = good.clone();
        let at = usize::try_from(numbers.below(u64::try_from(used).unwrap())).unwrap();
        // The first is the control: nothing is flipped.
        raw[at] ^= if flip == 0 { 0 } else { 1 << numbers.below(8) };
        std::fs::write(part.join("db"), raw).unwrap();
        match content(&part) {
            Ok(found) => assert!(found == due, "flip {flip} at {at}: changed, and nobody said so"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Damaged, "flip {flip} at {at}: {error}");
                damaged += 1;
            }
        }
        std::fs::remove_dir_all(&part).unwrap();
    }
    println!("{damaged} of 149 flips were named, the others changed nothing");
    assert!(damaged > 0);
}
