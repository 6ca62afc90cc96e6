//! Stores in many states of life, and what they hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use placet_core::store::{Batch, Key, Store as _, StoreError};
use placet_store_sled::{Options, SledStore};
use tempfile::TempDir;

use crate::story::{Numbers, copy, key};

/// All that a store holds.
#[derive(Clone, Default, Eq, PartialEq)]
pub(crate) struct Content {
    pub(crate) pairs: BTreeMap<Key, Vec<u8>>,
    pub(crate) log: Vec<Vec<u8>>,
}

impl Content {
    /// What `batch` makes of it.
    pub(crate) fn apply(&mut self, batch: &Batch) {
        for (key, value) in &batch.writes {
            match value {
                Some(value) => drop(self.pairs.insert(key.clone(), value.clone())),
                None => drop(self.pairs.remove(key)),
            }
        }
        self.log.extend(batch.entry.clone());
    }

    /// Reads all of `store` in order.
    pub(crate) fn scanned(store: &SledStore) -> Result<Self, StoreError> {
        let pairs = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX)?;
        let pairs = pairs.into_iter().map(|(key, stored)| (key, stored.value)).collect();
        Ok(Self { pairs, log: log(store)? })
    }

    /// Reads from `store` each key of `due`, one by one.
    pub(crate) fn gotten(store: &SledStore, due: &Self) -> Result<Self, StoreError> {
        let mut found = Self::default();
        for key in due.pairs.keys() {
            if let Some(stored) = store.get(key)? {
                found.pairs.insert(key.clone(), stored.value);
            }
        }
        found.log = log(store)?;
        Ok(found)
    }
}

fn log(store: &SledStore) -> Result<Vec<Vec<u8>>, StoreError> {
    let entries = store.log_read(0, usize::MAX)?;
    assert_eq!(store.log_len()?, u64::try_from(entries.len()).unwrap());
    Ok(entries)
}

/// A folder in memory where there is one: what is copied thousands of times need not reach a disk.
pub(crate) fn quick_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// With these a store of some megabytes has many parts in sled's file.
pub(crate) fn small_segments() -> Options {
    Options::default().with_segment_bytes(1 << 20)
}

/// A store that was closed, or lost its process, and what it holds.
pub(crate) struct Image {
    pub(crate) name: &'static str,
    pub(crate) folder: PathBuf,
    pub(crate) due: Content,
}

impl Image {
    /// A store below `base` that is opened for each of `rounds`, and at last killed or closed.
    fn new(base: &Path, name: &'static str, killed: bool, rounds: &[Vec<Batch>]) -> Self {
        let (life, folder) = (base.join(format!("{name} life")), base.join(name));
        let mut due = Content::default();
        for (round, batches) in rounds.iter().enumerate() {
            let store = SledStore::open_with(&life, &small_segments()).unwrap();
            for batch in batches {
                due.apply(batch);
                store.commit(batch.clone()).unwrap();
            }
            if killed && round + 1 == rounds.len() {
                // What another process would find after kill -9.
                copy(&life, &folder);
            }
        }
        if !killed {
            copy(&life, &folder);
        }
        std::fs::remove_dir_all(&life).unwrap();
        Self { name, folder, due }
    }

    /// All states of life.
    pub(crate) fn all(base: &Path, numbers: &mut Numbers) -> Vec<Self> {
        let small = small(numbers);
        let churned = churned(numbers);
        vec![
            Self::new(base, "small", false, &small),
            Self::new(base, "small, killed", true, &small),
            Self::new(base, "many keys, many removed", false, &churned),
            Self::new(base, "many keys, many removed, killed", true, &churned),
            Self::new(base, "long values", false, &long(numbers)),
            Self::new(base, "many segments", false, &many_segments(numbers)),
        ]
    }
}

/// What the entry `text` goes with: made from it alone, so that the log says what must be there.
pub(crate) fn batch(text: &str) -> Batch {
    let (caller, number) = text.split_once(' ').unwrap();
    // About half a megabyte for `long`, and nearly two, the most that one batch may have, for `huge`.
    let (caller, parts) = match (caller.strip_prefix("long"), caller.strip_prefix("huge")) {
        (Some(caller), _) => (caller, 24),
        (None, Some(caller)) => (caller, 76),
        (None, None) => (caller, 0),
    };
    let turn: u64 = number.parse().unwrap();
    let bytes = |length: u64| {
        let length = usize::try_from(length).unwrap();
        let mut bytes = format!("{text} ").repeat(length / text.len()).into_bytes();
        bytes.truncate(length);
        bytes
    };
    let name = |turn: u64| key(&["n", caller, &turn.to_string()]);
    let mut batch = Batch::default().put(name(turn), bytes(30 + turn % 90));
    // Some are written again and again, so that parts of the file are used again.
    let slot = key(&["slot", &(turn * 7 % 24).to_string()]);
    batch = match turn % 16 {
        15 => batch.remove(slot),
        14 => batch.put(slot, bytes(70_000 + turn)),
        13 => batch.put(slot, bytes(20_000 + turn)),
        _ => batch.put(slot, bytes(500 + turn * 997 % 8_000)),
    };
    for part in 0..parts {
        // Of so many names that each batch writes each of its own once.
        let names = if parts > 61 { 163 } else { 61 };
        let name = key(&["part", &((turn * 5 + part * 3) % names).to_string()]);
        batch = batch.put(name, bytes(20_000 + (turn + part) * 997 % 9_000));
    }
    if turn >= 40 {
        batch = batch.remove(name(turn - 40));
    }
    batch.append(text.as_bytes().to_vec())
}

/// Keys of their own, counters, and the log.
fn small(numbers: &mut Numbers) -> Vec<Vec<Batch>> {
    let batch = |number: u64, numbers: &mut Numbers| {
        Batch::default()
            .put(key(&["n", &number.to_string()]), numbers.bytes(120))
            .put(key(&["last", &(number % 3).to_string()]), numbers.bytes(40))
            .append(numbers.bytes(200))
    };
    (0..3).map(|round| (0..60).map(|n| batch(round * 60 + n, numbers)).collect()).collect()
}

/// Enough keys for several sections, of which most are removed, and some written again.
fn churned(numbers: &mut Numbers) -> Vec<Vec<Batch>> {
    let name = |number: u64| key(&["churn", &format!("{number:05}")]);
    let mut rounds = Vec::new();
    for round in 0..3 {
        let mut batches = Vec::new();
        for first in (0..1_200).step_by(40) {
            let mut batch = Batch::default().append(numbers.bytes(60));
            for number in first..first + 40 {
                let removes = round > 0 && numbers.below(4) > 0;
                batch = if removes {
                    batch.remove(name(number))
                } else {
                    batch.put(name(number), numbers.bytes(30))
                };
            }
            batches.push(batch);
        }
        rounds.push(batches);
    }
    rounds
}

/// Values and log entries in several pieces, written over and removed.
fn long(numbers: &mut Numbers) -> Vec<Vec<Batch>> {
    let mut round = || {
        let mut batches = Vec::new();
        for number in 0..10_u64 {
            let name = |number: u64| key(&["long", &(number % 6).to_string()]);
            let batch = Batch::default()
                .put(name(number), numbers.bytes(20_000 + 9_000 * (number % 4)))
                .put(key(&["blob", &(number % 4).to_string()]), numbers.bytes(70_000 + number % 2))
                .put(key(&["short", &number.to_string()]), numbers.bytes(10))
                .remove(name(number + 3))
                .append(numbers.bytes(9_000));
            batches.push(batch);
        }
        batches
    };
    vec![round(), round()]
}

/// More than eight of the parts in which sled writes its file: sled can drop one and go on. Keys that are
/// written once, keys that are written again and again, and long values.
fn many_segments(numbers: &mut Numbers) -> Vec<Vec<Batch>> {
    let mut rounds = Vec::new();
    for round in 0..3_u64 {
        let mut batches = Vec::new();
        for number in round * 25..round * 25 + 25 {
            let mut batch = Batch::default();
            for once in 0..15 {
                let name = key(&["once", &number.to_string(), &once.to_string()]);
                batch = batch.put(name, numbers.bytes(6_000));
            }
            batch = batch.put(key(&["often", &(number % 4).to_string()]), numbers.bytes(500));
            batch = batch.put(key(&["long", &(number % 9).to_string()]), numbers.bytes(40_000));
            batches.push(batch.append(numbers.bytes(2_000)));
        }
        rounds.push(batches);
    }
    rounds
}
