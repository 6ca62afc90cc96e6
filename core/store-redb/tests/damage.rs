use std::path::Path;

use placet_core::store::{Key, Store as _, StoreError, StoreErrorKind};
use placet_store_redb::RedbStore;

use crate::story::{Numbers, seed, times, write};

type Content = (Vec<(Key, Vec<u8>)>, Vec<Vec<u8>>);

/// All that a store holds.
fn content(path: &Path) -> Result<Content, StoreError> {
    let store = RedbStore::open(path)?;
    let pairs = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX)?;
    let pairs = pairs.into_iter().map(|(key, stored)| (key, stored.value)).collect();
    let entries = store.log_read(0, usize::MAX)?;
    assert_eq!(store.log_len()?, u64::try_from(entries.len()).unwrap());
    Ok((pairs, entries))
}

/// The file of a closed store, opened twice on the way, and what it holds.
fn filled(path: &Path) -> (Vec<u8>, Content) {
    for part in 0..3 {
        let store = RedbStore::open(path).unwrap();
        for number in part * 50..part * 50 + 50 {
            write(&store, "a", number);
        }
    }
    let due = content(path).unwrap();
    (std::fs::read(path).unwrap(), due)
}

/// Opens a file of `raw`: the content is what it was (`false`), or damage is named (`true`).
fn is_named(path: &Path, raw: &[u8], due: &Content, what: &str) -> bool {
    let found = looked_at(path, raw, what);
    let changed = found.as_ref().is_some_and(|found| found != due);
    assert!(!changed, "{what}: something changed and nobody said so");
    found.is_none()
}

/// Opens a file of `raw`. `None` when damage is named.
fn looked_at(path: &Path, raw: &[u8], what: &str) -> Option<Content> {
    std::fs::write(path, raw).unwrap();
    match content(path) {
        Ok(found) => Some(found),
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Damaged, "{what}: {error}");
            None
        }
    }
}

#[test]
fn a_file_that_was_cut_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (good, due) = filled(&folder.path().join("whole"));
    let part = folder.path().join("part");
    for cut in 0..=40 {
        let length = good.len() * cut / 40;
        let named = is_named(&part, &good[..length], &due, &format!("cut to {length}"));
        assert_eq!(named, cut < 40, "cut to {length}");
    }
    let longer = [good.as_slice(), &[0; 5_000]].concat();
    is_named(&part, &longer, &due, "longer");
}

#[test]
fn a_flipped_byte_changes_nothing_or_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (good, due) = filled(&folder.path().join("whole"));
    let part = folder.path().join("part");
    let mut numbers = Numbers(seed(0x5eed_1234_5678_9abc));
    let used: Vec<_> = (0..good.len()).filter(|at| good[*at] != 0).collect();
    let mut damaged = 0;
    let flips = times("PLACET_CHANGES", 300);
    for flip in 0..flips {
        // Every second one in the head of the file, where one byte decides much.
        let at = if flip % 2 == 0 { numbers.index(320) } else { used[numbers.index(used.len())] };
        let bit = 1 << numbers.below(8);
        let mut raw = good.clone();
        raw[at] ^= bit;
        damaged += u32::from(is_named(&part, &raw, &due, &format!("bit {bit} of byte {at}")));
    }
    println!("{damaged} of {flips} flips were named, the others changed nothing");
    assert!(damaged > 0);
}

/// The head of a file whose process was killed. One bit says which of two commits counts, and nothing guards
/// it: the crate's page says so. It loses the last commit whole, never a part of it.
#[test]
fn in_a_killed_file_one_bit_of_the_head_is_not_guarded_and_no_other() {
    const COMMIT_BYTE: usize = 9;
    const COMMIT_BIT: u8 = 1;
    let folder = tempfile::tempdir().unwrap();
    let (whole, part) = (folder.path().join("whole"), folder.path().join("part"));
    let store = RedbStore::open(&whole).unwrap();
    for number in 0..20 {
        write(&store, "a", number);
    }
    // As a kill would leave it: the store is open, and nothing is being written.
    let good = std::fs::read(&whole).unwrap();
    let due = looked_at(&part, &good, "not flipped").unwrap();
    for at in 0..320 {
        for bit in 0..8 {
            let bit = 1 << bit;
            let mut raw = good.clone();
            raw[at] ^= bit;
            let what = format!("bit {bit} of byte {at}");
            if (at, bit) == (COMMIT_BYTE, COMMIT_BIT) {
                let found = looked_at(&part, &raw, &what).unwrap();
                assert_eq!(found.1[..], due.1[..19], "the last commit is gone");
                assert_eq!(found.0.len() + 1, due.0.len());
            } else {
                is_named(&part, &raw, &due, &what);
            }
        }
    }
}
