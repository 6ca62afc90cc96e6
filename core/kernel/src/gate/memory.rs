//! Rows as this gate last saw them, so that a verb need not travel to the store for each.
//!
//! Nothing is ever decided on a row that moved: whatever a verb read is expected unchanged by its commit,
//! and a verb that fails on remembered rows is run again on rows read at that moment.

use core::mem;
use std::collections::BTreeMap;

use crate::store::{Key, Stored};

/// A bounded memory of rows, and of keys where there is no row.
#[derive(Debug)]
pub(super) struct Memory {
    bytes_max: usize,
    // Two halves: when the young one is full, the old one is forgotten, and what is used again is young.
    young: BTreeMap<Key, Option<Stored>>,
    young_bytes: usize,
    old: BTreeMap<Key, Option<Stored>>,
    // Counts how often everything was let go of.
    emptied: u64,
}

/// What an entry takes beside its key and its value: about a map's share and two pointers.
const ENTRY_BYTES: usize = 64;

impl Memory {
    /// Remembers about `bytes_max` bytes; 0 is nothing.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, young: BTreeMap::new(), young_bytes: 0, old: BTreeMap::new(), emptied: 0 }
    }

    /// How often it was emptied. Whoever goes to the store asks before, and hands it back with what was found.
    pub(super) const fn emptied(&self) -> u64 {
        self.emptied
    }

    /// Lets go of everything, because a text was erased. What was read before and comes in later is not taken: it may
    /// be from before the erasure.
    pub(super) fn empty(&mut self) {
        *self = Self { emptied: self.emptied.wrapping_add(1), ..Self::new(self.bytes_max) };
    }

    /// Puts the row at `key`, as it was last seen, among `rows`; answers whether it is known.
    pub(super) fn recall(&mut self, key: &Key, rows: &mut BTreeMap<Key, Option<Stored>>) -> bool {
        if let Some(seen) = self.young.get(key) {
            rows.insert(key.clone(), seen.clone());
            return true;
        }
        let Some(seen) = self.old.remove(key) else { return false };
        rows.insert(key.clone(), seen.clone());
        self.keep(key.clone(), seen);
        true
    }

    /// Remembers what is at `key` now, unless it was emptied since it was `emptied` times.
    pub(super) fn note(&mut self, key: Key, seen: Option<Stored>, emptied: u64) {
        if emptied == self.emptied {
            self.keep(key, seen);
        }
    }

    fn keep(&mut self, key: Key, seen: Option<Stored>) {
        let half = self.bytes_max.checked_div(2).unwrap_or_default();
        let size = seen.as_ref().map_or(0, |stored| stored.value.len());
        let size = size.saturating_add(key.as_bytes().len()).saturating_add(ENTRY_BYTES);
        self.old.remove(&key);
        if size > half {
            self.young.remove(&key);
            return;
        }
        if self.young_bytes.saturating_add(size) > half {
            self.old = mem::take(&mut self.young);
            self.old.remove(&key);
            self.young_bytes = 0;
        }
        // A row that is noted again counts twice until the halves change: a bound that is kept early.
        self.young_bytes = self.young_bytes.saturating_add(size);
        self.young.insert(key, seen);
    }

    /// How many rows hold `text`.
    #[cfg(test)]
    pub(super) fn says(&self, text: &str) -> usize {
        let rows = self.young.values().chain(self.old.values()).flatten();
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        rows.filter(|stored| holds(&stored.value)).count()
    }

    /// Forgets `key`.
    pub(super) fn forget(&mut self, key: &Key) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Version;

    fn key(number: usize) -> Key {
        Key::from_segments(&[&format!("{number:04}")])
    }

    fn row(version: u64, bytes: usize) -> Stored {
        Stored::new(Version::new(version), vec![7; bytes])
    }

    /// The version at `number`, and whether it is known at all.
    fn recall(memory: &mut Memory, number: usize) -> (bool, Option<u64>) {
        let mut rows = BTreeMap::new();
        let known = memory.recall(&key(number), &mut rows);
        (known, rows.remove(&key(number)).flatten().map(|stored| stored.version.get()))
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let each = key(0).as_bytes().len() + 90 + ENTRY_BYTES;
        let mut memory = Memory::new(100 * each);
        for number in 0..1_000 {
            memory.note(key(number), Some(row(1, 90)), 0);
            assert_eq!(recall(&mut memory, 0), (true, Some(1)), "{number}");
            assert!(memory.young.len() + memory.old.len() <= 100);
        }
        assert_eq!(recall(&mut memory, 500), (false, None));
        memory.note(key(0), None, 0);
        assert_eq!(recall(&mut memory, 0), (true, None)); // known to be absent
        memory.forget(&key(0));
        assert_eq!(recall(&mut memory, 0), (false, None));
    }

    #[test]
    fn what_was_read_before_it_was_emptied_does_not_come_in_afterwards() {
        let mut memory = Memory::new(10_000);
        let before = memory.emptied();
        memory.note(key(1), Some(row(1, 10)), before);
        memory.empty();
        memory.note(key(2), Some(row(1, 10)), before);
        assert_eq!(recall(&mut memory, 1), (false, None));
        assert_eq!(recall(&mut memory, 2), (false, None));
        memory.note(key(2), Some(row(2, 10)), memory.emptied());
        assert_eq!(recall(&mut memory, 2), (true, Some(2)));
    }

    #[test]
    fn a_row_over_the_bound_is_not_kept_and_not_left_old() {
        let mut memory = Memory::new(1_000);
        memory.note(key(1), Some(row(1, 10)), 0);
        memory.note(key(1), Some(row(2, 5_000)), 0);
        assert_eq!(recall(&mut memory, 1), (false, None));
        let mut nothing = Memory::new(0);
        nothing.note(key(1), Some(row(1, 0)), 0);
        assert_eq!(recall(&mut nothing, 1), (false, None));
    }

    #[test]
    fn the_newest_note_counts_also_when_the_halves_change() {
        let mut memory = Memory::new(4 * (ENTRY_BYTES + 10));
        for version in 1..50 {
            memory.note(key(1), Some(row(version, 1)), 0);
            assert_eq!(recall(&mut memory, 1), (true, Some(version)));
        }
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod erased_tests;
