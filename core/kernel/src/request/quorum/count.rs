//! Counting: each person fills one place, and as many places as possible are filled.

use std::collections::BTreeSet;

use super::need::Group;

/// A place that one person fills.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Slot<'a> {
    /// The stage that it belongs to, from 0.
    pub(crate) stage: u8,
    /// The groups that the person may come from.
    pub(crate) of: &'a [Group],
}

/// One person, once.
#[derive(Clone, Debug)]
pub(crate) struct Voter {
    /// The only stage that their yes is for, where it is for one.
    pub(crate) stage: Option<u8>,
    /// The groups that they are in.
    pub(crate) groups: BTreeSet<Group>,
}

impl Voter {
    fn fits(&self, slot: &Slot<'_>) -> bool {
        self.stage.is_none_or(|stage| stage == slot.stage)
            && slot.of.iter().any(|group| self.groups.contains(group))
    }
}

/// For each place the number of the person in it, with as many places filled as can be: a maximum matching, found
/// by augmenting paths.
pub(crate) fn matching(slots: &[Slot<'_>], voters: &[Voter]) -> Vec<Option<usize>> {
    let mut seats = Seats { slots, voters, seat_of: vec![None; voters.len()] };
    for slot in 0..slots.len() {
        seats.place(slot, &mut vec![false; voters.len()]);
    }
    let sits = |slot: usize| seats.seat_of.iter().position(|seat| *seat == Some(slot));
    (0..slots.len()).map(sits).collect()
}

struct Seats<'a> {
    slots: &'a [Slot<'a>],
    voters: &'a [Voter],
    // The place of each person, where they have one.
    seat_of: Vec<Option<usize>>,
}

impl Seats<'_> {
    /// Fills `slot`, and lets others change their places for it. Answers whether it could.
    fn place(&mut self, slot: usize, asked: &mut Vec<bool>) -> bool {
        let (slots, voters) = (self.slots, self.voters);
        let Some(wanted) = slots.get(slot) else { return false };
        for (number, voter) in voters.iter().enumerate() {
            if !voter.fits(wanted) {
                continue;
            }
            // Each is asked once.
            match asked.get_mut(number) {
                Some(was) if !*was => *was = true,
                Some(_) | None => continue,
            }
            let held = self.seat_of.get(number).copied().flatten();
            if held.is_none_or(|other| self.place(other, asked))
                && let Some(seat) = self.seat_of.get_mut(number)
            {
                *seat = Some(slot);
                return true;
            }
        }
        false
    }
}

/// How near people come to one of several ways.
#[derive(Debug)]
pub(crate) struct Nearest<'w, 'a> {
    /// The places of the way.
    pub(crate) slots: &'w [Slot<'a>],
    /// Who is in each.
    pub(crate) held: Vec<Option<usize>>,
    /// How many are empty.
    pub(crate) missing: usize,
}

impl<'a> Nearest<'_, 'a> {
    /// The empty places.
    pub(crate) fn empty(&self) -> impl Iterator<Item = Slot<'a>> {
        let pairs = self.slots.iter().zip(&self.held);
        pairs.filter(|(_, held)| held.is_none()).map(|(slot, _)| *slot)
    }
}

/// The ways by how near `voters` come to them, the nearest first. A way without places is none: it would be met by
/// nobody.
pub(crate) fn nearest<'w, 'a>(ways: &'w [Vec<Slot<'a>>], voters: &[Voter]) -> Vec<Nearest<'w, 'a>> {
    let ways = ways.iter().filter(|way| !way.is_empty());
    let mut found: Vec<_> = ways
        .map(|slots| {
            let held = matching(slots, voters);
            let missing = held.iter().filter(|held| held.is_none()).count();
            Nearest { slots, held, missing }
        })
        .collect();
    found.sort_by_key(|way| way.missing);
    found
}
