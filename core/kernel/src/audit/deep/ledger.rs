//! What the log says of each record, for as many records as fit into the memory that it may take.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::store::Key;

/// What one line takes in memory, in bytes, with its part of the tree around it.
const LINE_BYTES: usize = 128;
/// Below this many lines a smaller share would only mean more passes.
const LINES_MIN: usize = 64;

/// Stands for a key: the first half of its SHA-256 digest. Whoever would confuse two keys on purpose had to find
/// two with the same half, and a key of ours names ids.
pub(super) type Mark = u128;

/// The mark of `key`.
pub(super) fn mark_of(key: &Key) -> Mark {
    let digest = Digest::of(key.as_bytes());
    let (half, _) = digest.as_bytes().split_at(16);
    half.iter().fold(0, |mark, byte| (mark << 8) | u128::from(*byte))
}

/// The records that one pass looks at: those whose marks end in the same bits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Share {
    bits: u32,
    ending: Mark,
}

impl Share {
    pub(super) fn has(self, mark: Mark) -> bool {
        let mask = 1_u128.checked_shl(self.bits).unwrap_or_default().wrapping_sub(1);
        mark & mask == self.ending
    }

    /// Keeps one half, and answers the other.
    fn halve(&mut self) -> Self {
        let bits = self.bits.saturating_add(1);
        let other = self.ending | 1_u128.checked_shl(self.bits).unwrap_or_default();
        self.bits = bits;
        Self { bits, ending: other }
    }
}

/// What the log says of one record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Says {
    /// It has these bytes.
    Bytes(Digest),
    /// It was removed.
    Gone,
    /// It is there; its key is all that counts.
    There,
    /// It, or another one, is there.
    Perhaps,
}

/// The last word of the log on one record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) says: Says,
    /// The leaf that says so.
    pub(super) leaf: u64,
    /// Whether that leaf erased texts of it.
    pub(super) erases: bool,
    /// Whether a record was there and fits.
    pub(super) seen: bool,
}

/// The last word of the log on each record of one share.
#[derive(Debug)]
pub(super) struct Ledger {
    share: Share,
    lines: BTreeMap<Mark, Line>,
    lines_max: usize,
}

impl Ledger {
    pub(super) fn new(share: Share, memory_bytes_max: usize) -> Self {
        let lines_max = memory_bytes_max.checked_div(LINE_BYTES).unwrap_or_default().max(LINES_MIN);
        Self { share, lines: BTreeMap::new(), lines_max }
    }

    pub(super) fn covers(&self, mark: Mark) -> bool {
        self.share.has(mark)
    }

    pub(super) fn line(&self, mark: Mark) -> Option<Line> {
        self.lines.get(&mark).copied()
    }

    /// Writes a line, and answers the one before. Where there are too many now, half of them are given up: the
    /// shares that another pass has to look at are added to `later`.
    pub(super) fn write(
        &mut self,
        mark: Mark,
        (says, leaf, erases): (Says, u64, bool),
        later: &mut Vec<Share>,
    ) -> Option<Line> {
        let before = self.lines.insert(mark, Line { says, leaf, erases, seen: false });
        while self.lines.len() > self.lines_max && self.share.bits < 64 {
            later.push(self.share.halve());
            let share = self.share;
            self.lines.retain(|mark, _| share.has(*mark));
        }
        before
    }

    pub(super) fn see(&mut self, mark: Mark) {
        if let Some(line) = self.lines.get_mut(&mark) {
            line.seen = true;
        }
    }

    /// What must be there and was not seen, with the leaves that say so.
    pub(super) fn unseen(&self) -> Vec<(Mark, u64)> {
        let must = |line: &Line| matches!(line.says, Says::Bytes(_) | Says::There);
        let lines = self.lines.iter().filter(|(_, line)| !line.seen && must(line));
        lines.map(|(mark, line)| (*mark, line.leaf)).collect()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lines.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_leave_nothing_out_and_never_hold_more_than_they_may() {
        let marks: Vec<Mark> = (0_u32..5_000)
            .map(|number| mark_of(&Key::from_segments(&["org", &number.to_string()])))
            .collect();
        let (mut later, mut met, mut passes) = (vec![Share::default()], Vec::new(), 0);
        while let Some(share) = later.pop() {
            passes += 1;
            let mut ledger = Ledger::new(share, 100 * LINE_BYTES);
            for mark in &marks {
                if ledger.covers(*mark) {
                    ledger.write(*mark, (Says::There, 0, false), &mut later);
                }
                assert!(ledger.len() <= 100);
            }
            met.extend(marks.iter().copied().filter(|mark| ledger.covers(*mark)));
        }
        met.sort_unstable();
        let mut all = marks;
        all.sort_unstable();
        assert_eq!(met, all, "each once");
        assert!((50..200).contains(&passes), "{passes} passes");
    }
}
