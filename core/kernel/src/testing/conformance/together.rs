//! Many callers at once: no lost update, no gap, one order.

use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use super::{Case, all, commit, entries, key, ok, value};
use crate::store::{Batch, CommitError, Store};

pub(super) const CASES: &[Case] = &[
    ("no update is lost among many callers", counters),
    ("entries of many callers stand in the order of their commits, without a gap", one_log),
    ("a reader sees all of a batch or none of it", no_half),
];

const CALLERS: u8 = 8;
const ROUNDS: u64 = 25;

/// How often one increment may lose. In a sound store somebody else has won each time, and there are fewer winners
/// than this by far: a store that refuses for ever is named, and does not hang the exam.
const LOSSES_MAX: u64 = 100_000;

/// Raises a flag when it goes: also when its thread panics, so that nobody waits for it any more.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Adds one to the number at `counter`, again and again until nobody comes between.
#[expect(clippy::panic, reason = "an exam that is not passed ends the test")]
fn increment(store: &dyn Store, counter: &str) {
    let at = key(&[counter]);
    for _ in 0..LOSSES_MAX {
        let stored = ok(store.get(&at));
        let count = stored.as_ref().map_or(0, |stored| number(&stored.value)).saturating_add(1);
        let batch = match &stored {
            Some(stored) => Batch::default().expect(at.clone(), stored.version),
            None => Batch::default().expect_absent(at.clone()),
        };
        let text = [counter.as_bytes(), &count.to_be_bytes()].concat();
        match store.commit(batch.put(at.clone(), count.to_be_bytes().to_vec()).append(text)) {
            Ok(_) => return,
            Err(CommitError::Conflict { .. }) => {}
            Err(CommitError::Store(error)) => ok(Err(error)),
        }
    }
    panic!("an update lost {LOSSES_MAX} times, and so often nobody came between");
}

fn number(value: &[u8]) -> u64 {
    value.try_into().map_or(0, u64::from_be_bytes)
}

fn counters(store: &dyn Store) {
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    increment(store, "x");
                    increment(store, "y");
                }
            });
        }
    });
    let due = u64::from(CALLERS).saturating_mul(ROUNDS);
    for name in ["x", "y"] {
        let count = value(store, &key(&[name])).map(|value| number(&value));
        assert_eq!(count, Some(due), "counter {name}");
        let steps: Vec<Vec<u8>> =
            entries(store).into_iter().filter(|entry| entry.starts_with(name.as_bytes())).collect();
        let steps_due: Vec<Vec<u8>> =
            (1..=due).map(|count| [name.as_bytes(), &count.to_be_bytes()].concat()).collect();
        assert_eq!(steps, steps_due, "the log tells the steps of {name} in order");
    }
}

fn one_log(store: &dyn Store) {
    let answers: Vec<(u64, u64, Vec<u8>)> = thread::scope(|scope| {
        let append = |caller: u8, round: u64| {
            let text = [[caller].as_slice(), &round.to_be_bytes()].concat();
            let committed = commit(store, Batch::default().append(text.clone()));
            (committed.log_index.unwrap_or(u64::MAX), committed.version.get(), text)
        };
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                scope.spawn(move || {
                    (0..ROUNDS).map(|round| append(caller, round)).collect::<Vec<_>>()
                })
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap_or_default()).collect()
    });
    let total = u64::from(CALLERS).saturating_mul(ROUNDS);
    let by_index: BTreeMap<u64, Vec<u8>> =
        answers.iter().map(|(index, _, text)| (*index, text.clone())).collect();
    assert!(by_index.keys().copied().eq(0..total), "each index is given once, none is left out");
    assert_eq!(entries(store), by_index.into_values().collect::<Vec<_>>());
    assert_eq!(ok(store.log_len()), total);
    let versions: BTreeSet<u64> = answers.iter().map(|(_, version, _)| *version).collect();
    assert_eq!(versions.len(), answers.len(), "each commit has a version of its own");
}

fn no_half(store: &dyn Store) {
    let pair = [key(&["pair", "a"]), key(&["pair", "b"])];
    let written = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _written = OnDrop(&written);
            for round in 0..u64::from(CALLERS).saturating_mul(ROUNDS) {
                let batch = pair.iter().fold(Batch::default(), |batch, key| {
                    batch.put(key.clone(), round.to_be_bytes().to_vec())
                });
                commit(store, batch.append(round.to_be_bytes().to_vec()));
            }
        });
        scope.spawn(|| {
            let mut least = 0;
            while !written.load(Ordering::Acquire) {
                let values: Vec<u64> = ok(store.scan(&all(), None, 10))
                    .iter()
                    .map(|(_, stored)| number(&stored.value))
                    .collect();
                let Some(first) = values.first() else { continue };
                assert_eq!(values, [*first, *first], "one scan saw half a batch");
                assert!(*first >= least, "a later scan saw an earlier state");
                least = *first;
                assert!(ok(store.log_len()) > least, "the writes were there before their entry");
            }
        });
    });
}
