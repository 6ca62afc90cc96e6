//! What its keeper moves now and then, and for how long nobody did.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most that one watch remembers. About two megabytes, and far more than run or wait at one time.
pub(in crate::gate) const WATCHED_MAX: usize = 16_384;

/// Marks as this gate last saw them, and when it saw them move, by its steady clock. Whoever is alive moves
/// their mark; for how long one stood still, each gate measures for itself, so that no two clocks are compared
/// and none that is set matters.
pub(in crate::gate) struct Watch<K, M> {
    seen: Mutex<Seen<K, M>>,
    most: usize,
}

#[derive(Debug)]
struct Seen<K, M> {
    marks: BTreeMap<K, Sighting<M>>,
    // When it was last looked for room.
    cleared_ms: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sighting<M> {
    mark: M,
    at_ms: u64,
}

impl<K: Ord, M: Copy + Eq> Watch<K, M> {
    /// Remembers at most `most` marks.
    pub(in crate::gate) const fn of(most: usize) -> Self {
        let seen = Seen { marks: BTreeMap::new(), cleared_ms: 0 };
        Self { seen: Mutex::new(seen), most }
    }

    fn seen(&self) -> MutexGuard<'_, Seen<K, M>> {
        // Each sighting is inserted whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how many milliseconds `mark` stood still at `key`: 0 at first sight, and when it moved. Whatever stands
    /// still for `kept_ms` is over.
    ///
    /// Where there is no room, it is not watched yet: it counts as alive, and is measured later.
    pub(in crate::gate) fn still_ms(&self, key: K, mark: M, now_ms: u64, kept_ms: u64) -> u64 {
        let mut seen = self.seen();
        match seen.marks.get_mut(&key) {
            Some(sighting) if sighting.mark == mark => now_ms.saturating_sub(sighting.at_ms),
            Some(sighting) => {
                *sighting = Sighting { mark, at_ms: now_ms };
                0
            }
            None => {
                if seen.has_room(self.most, now_ms, kept_ms) {
                    seen.marks.insert(key, Sighting { mark, at_ms: now_ms });
                }
                0
            }
        }
    }

    /// Forgets `key`.
    pub(in crate::gate) fn forget(&self, key: &K) {
        self.seen().marks.remove(key);
    }

    /// Forgets what is not `there` any more. What was first seen after `looked_ms` may be there all the same.
    pub(in crate::gate) fn keep_only(&self, there: impl Fn(&K) -> bool, looked_ms: u64) {
        self.seen().marks.retain(|key, sighting| there(key) || sighting.at_ms >= looked_ms);
    }

    #[cfg(test)]
    pub(in crate::gate) fn len(&self) -> usize {
        self.seen().marks.len()
    }
}

impl<K: Ord, M> Seen<K, M> {
    /// Makes room where it is full, of what nobody here looks at any more: whoever does would have found it over.
    fn has_room(&mut self, most: usize, now_ms: u64, kept_ms: u64) -> bool {
        // Not at each of many that find no room: a look through all of them takes a while.
        if self.marks.len() >= most && now_ms >= self.cleared_ms.saturating_add(kept_ms / 4) {
            let longest_ms = kept_ms.saturating_mul(2);
            self.marks.retain(|_, seen| now_ms.saturating_sub(seen.at_ms) < longest_ms);
            self.cleared_ms = now_ms;
        }
        self.marks.len() < most
    }
}

impl<K, M> fmt::Debug for Watch<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT_MS: u64 = 1_000;

    #[test]
    fn a_mark_that_moves_is_alive_and_one_that_stands_still_is_measured() {
        let watch = Watch::of(10);
        let still_ms = |mark: u32, now_ms| watch.still_ms("run", mark, now_ms, KEPT_MS);
        assert_eq!(still_ms(0, 5_000), 0);
        assert_eq!(still_ms(0, 5_900), 900);
        assert_eq!(still_ms(1, 6_000), 0);
        assert_eq!(still_ms(1, 6_999), 999);
        // A clock that goes back makes nobody old.
        assert_eq!(still_ms(1, 10), 0);
    }

    #[test]
    fn it_is_bounded_and_who_finds_no_room_counts_as_alive() {
        let watch = Watch::of(100);
        for key in 0..10_000 {
            assert_eq!(watch.still_ms(key, 0, 7, KEPT_MS), 0);
            assert!(watch.len() <= 100);
        }
        // Those that were there first are measured on, and end; the others get their room then.
        assert_eq!(watch.still_ms(99, 0, 7 + KEPT_MS, KEPT_MS), KEPT_MS);
        assert_eq!(watch.still_ms(100, 0, 7 + KEPT_MS, KEPT_MS), 0);
        for key in 0..100 {
            watch.forget(&key);
        }
        assert_eq!(watch.still_ms(100, 0, 2_000, KEPT_MS), 0);
        assert_eq!(watch.still_ms(100, 0, 2_000 + KEPT_MS, KEPT_MS), KEPT_MS);
    }

    #[test]
    fn what_nobody_looks_at_any_more_makes_room() {
        let watch = Watch::of(100);
        for key in 0..100 {
            watch.still_ms(key, 0, 0, KEPT_MS);
        }
        // One of them is alive.
        watch.still_ms(7, 1, 2 * KEPT_MS, KEPT_MS);
        watch.still_ms(200, 0, 2 * KEPT_MS, KEPT_MS);
        assert_eq!(watch.len(), 2);
    }

    #[test]
    fn what_is_gone_is_forgotten_and_what_came_meanwhile_is_not() {
        let watch = Watch::of(100);
        for (key, now_ms) in [(1, 10), (2, 10), (3, 20)] {
            watch.still_ms(key, 0, now_ms, KEPT_MS);
        }
        watch.keep_only(|key| *key == 1, 20);
        assert_eq!(watch.still_ms(1, 0, 110, KEPT_MS), 100);
        assert_eq!(watch.still_ms(3, 0, 110, KEPT_MS), 90);
        assert_eq!(watch.len(), 2);
    }
}
