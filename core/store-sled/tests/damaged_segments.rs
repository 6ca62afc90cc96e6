//! sled cuts its file into segments and treats damage in an earlier one in another way than in the last:
//! it can drop the whole segment and go on. What is caught and what is not is said on the crate's page.

use std::collections::BTreeMap;
use std::path::Path;

use placet_core::store::{Batch, Key, Store as _, StoreError, StoreErrorKind};
use placet_store_sled::SledStore;

use crate::story::{Numbers, copy, key, seed};

/// As in `folder.rs`.
const SEGMENT_BYTES: usize = 2 << 20;

/// Fills a store over at least eight segments, opened twice on the way: keys that are written once, keys
/// that are written again and again, values of many chunks, and log entries. Says all that was ever written.
fn filled(folder: &Path, numbers: &mut Numbers) -> Written {
    let mut written = Written::default();
    let mut bytes = |length: u64| {
        (0..length).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect::<Vec<_>>()
    };
    for part in 0..3_u32 {
        let store = SledStore::open(folder).unwrap();
        for commit in 0..25_u32 {
            let number = part * 25 + commit;
            let mut batch = Batch::default();
            let mut put = |key: Key, value: Vec<u8>| {
                written.pairs.entry(key.clone()).or_default().push(value.clone());
                batch = std::mem::take(&mut batch).put(key, value);
            };
            for once in 0..15 {
                put(key(&["once", &number.to_string(), &once.to_string()]), bytes(6_000));
            }
            put(key(&["often", &(number % 4).to_string()]), bytes(500));
            put(key(&["long", &(number % 9).to_string()]), bytes(40_000));
            let entry = bytes(2_000);
            written.log.push(entry.clone());
            store.commit(batch.append(entry)).unwrap();
        }
    }
    written
}

/// For each key its values, the last one counts; and the log.
#[derive(Default)]
struct Written {
    pairs: BTreeMap<Key, Vec<Vec<u8>>>,
    log: Vec<Vec<u8>>,
}

/// Values that are not the last ones, although nobody said so.
#[derive(Debug, Default)]
struct Silent {
    gone: usize,
    earlier: usize,
}

/// Reads everything. Whatever is damaged: the log is whole or refused, and a value is one that was
/// written to this key, and the last one but for those that are counted.
fn read(folder: &Path, due: &Written) -> Result<Silent, StoreError> {
    let store = SledStore::open(folder)?;
    assert!(store.log_read(0, usize::MAX)? == due.log, "the log changed, and nobody said so");
    let pairs = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX)?;
    let mut silent = Silent { gone: due.pairs.len() - pairs.len(), earlier: 0 };
    for (key, stored) in pairs {
        let values = &due.pairs[&key];
        assert!(values.contains(&stored.value), "{key:?} was never that");
        silent.earlier += usize::from(values.last() != Some(&stored.value));
    }
    Ok(silent)
}

/// What became of the tries.
#[derive(Debug, Default)]
struct Tally {
    refused: usize,
    unharmed: usize,
    silent: Vec<(String, Silent)>,
}

impl Tally {
    fn add(&mut self, what: &str, read: Result<Silent, StoreError>) {
        match read {
            Ok(Silent { gone: 0, earlier: 0 }) => self.unharmed += 1,
            Ok(silent) => self.silent.push((what.to_owned(), silent)),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Damaged, "{what}: {error}");
                self.refused += 1;
            }
        }
    }
}

#[test]
fn damage_in_any_segment_never_invents_a_value_and_never_cuts_the_log() {
    const FLIPS: usize = 15; // in each segment
    const CUTS: usize = 2;
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let mut numbers = Numbers(seed(0x5eed_0123_4567_89ab));
    let due = filled(&whole, &mut numbers);
    let good = std::fs::read(whole.join("db")).unwrap();
    // Each try brings its own.
    std::fs::remove_file(whole.join("db")).unwrap();
    let used = good.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let segments = used.div_ceil(SEGMENT_BYTES);
    assert!(segments >= 8, "{segments} segments");
    let part = folder.path().join("part");
    let read_with = |raw: &[u8]| {
        copy(&whole, &part);
        std::fs::write(part.join("db"), raw).unwrap();
        let found = read(&part, &due);
        std::fs::remove_dir_all(&part).unwrap();
        found
    };
    let control = read_with(&good).unwrap();
    assert_eq!((control.gone, control.earlier), (0, 0));
    let mut refused_everywhere = 0;
    let mut all_silent = 0;
    for segment in 0..segments {
        let start = segment * SEGMENT_BYTES;
        let bytes = u64::try_from(SEGMENT_BYTES.min(used - start)).unwrap();
        let mut anywhere = || start + usize::try_from(numbers.below(bytes)).unwrap();
        let (mut flips, mut cuts) = (Tally::default(), Tally::default());
        for flip in 0..FLIPS {
            // The first two: the segment's own header, which says whether and where it counts.
            let at = if flip < 2 { start + flip * 5 } else { anywhere() };
            let mut raw = good.clone();
            raw[at] ^= 1 << (flip % 8);
            flips.add(&format!("flip at {at}"), read_with(&raw));
        }
        for cut in 0..CUTS {
            // The first: just between two segments.
            let at = if cut == 0 { start } else { anywhere() };
            cuts.add(&format!("cut at {at}"), read_with(&good[..at]));
        }
        println!("segment {segment}: {flips:?}, {cuts:?}");
        assert_eq!(cuts.unharmed + cuts.silent.len(), 0, "a cut takes the last commits along");
        refused_everywhere += usize::from(flips.refused > 0);
        all_silent += flips.silent.len();
    }
    println!("{} flips, {all_silent} with silently missing values", segments * FLIPS);
    // Some segments hold only what was written again elsewhere.
    assert!(refused_everywhere >= segments / 2, "{refused_everywhere} of {segments}");
}
