//! Long random histories, compared step by step with the store in memory.

use super::{Case, all, entries, key, ok};
use crate::store::{Batch, CommitError, Key, MemoryStore, Store, Version};

pub(super) const CASES: &[Case] = &[("any history has the ending that it has in memory", history)];

/// A repeatable row of numbers (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.checked_rem(bound).unwrap_or_default()
    }
}

fn history(store: &dyn Store) {
    let reference = MemoryStore::default();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    // For each key the versions that it had, here and in memory.
    let mut had: Vec<(Key, Version, Version)> = Vec::new();
    for step in 0..400_u32 {
        let [mut here, mut there] = [Batch::default(), Batch::default()];
        for number in 0..numbers.below(4) {
            let at = key(&["k", &format!("{number}{}", numbers.below(6))]);
            let fill = usize::try_from(numbers.below(64)).unwrap_or_default();
            let value = vec![0xa5; if fill == 0 { 20_000 } else { fill }];
            (here, there) = match numbers.below(5) {
                0 => (here.remove(at.clone()), there.remove(at.clone())),
                1 => (here.expect_absent(at.clone()), there.expect_absent(at.clone())),
                2 => {
                    let pick = numbers.below(u64::try_from(had.len()).unwrap_or_default());
                    match had.iter().rev().nth(usize::try_from(pick).unwrap_or_default()) {
                        Some((at, ours, theirs)) => {
                            (here.expect(at.clone(), *ours), there.expect(at.clone(), *theirs))
                        }
                        None => (here, there),
                    }
                }
                _ => (here.put(at.clone(), value.clone()), there.put(at.clone(), value)),
            };
        }
        if numbers.below(2) == 0 {
            (here, there) = (
                here.append(step.to_be_bytes().to_vec()),
                there.append(step.to_be_bytes().to_vec()),
            );
        }
        let written: Vec<Key> = here.writes.iter().map(|(key, _)| key.clone()).collect();
        match (store.commit(here), reference.commit(there)) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(ours.log_index, theirs.log_index, "step {step}");
                had.extend(written.into_iter().map(|key| (key, ours.version, theirs.version)));
            }
            (
                Err(CommitError::Conflict { key: ours }),
                Err(CommitError::Conflict { key: theirs }),
            ) => {
                assert_eq!(ours, theirs, "step {step}");
            }
            (ours, theirs) => assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "step {step}"),
        }
        if step % 40 == 0 {
            assert_eq!(pairs(store), pairs(&reference), "after step {step}");
        }
    }
    assert_eq!(pairs(store), pairs(&reference));
    assert_eq!(entries(store), entries(&reference));
}

fn pairs(store: &dyn Store) -> Vec<(Key, Vec<u8>)> {
    let found = ok(store.scan(&all(), None, usize::MAX));
    found.into_iter().map(|(key, stored)| (key, stored.value)).collect()
}
