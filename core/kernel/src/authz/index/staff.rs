//! Everybody's rows in one project, packed: found by a hash of the user, read from one end to the other.

use super::people::{Flags, spread};
use crate::clock::Timestamp;
use crate::id::UserId;
use crate::org::Interval;

/// Which rows of a user are meant.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Rows {
    Memberships,
    Grants,
}

/// When a row holds, and the number of the team or the role that it names.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Span {
    from: i64,
    until: i64,
    pub(super) what: u32,
}

/// The end of what has no end.
const OPEN: i64 = i64::MAX;

impl Span {
    /// Whether it holds at that instant: from its start on, until just before its end.
    #[inline]
    pub(super) const fn contains(&self, at: Timestamp) -> bool {
        let at = at.as_micros();
        self.from <= at && at < self.until
    }

    pub(super) fn interval(&self) -> Interval {
        let until = (self.until != OPEN).then(|| Timestamp::from_micros(self.until));
        let from = Timestamp::from_micros(self.from);
        Interval::new(from, until).unwrap_or_else(|_| Interval::starting(from))
    }

    /// The instants at which it begins and ceases to hold.
    pub(super) fn ends(&self) -> impl Iterator<Item = Timestamp> {
        let until = (self.until != OPEN).then_some(self.until);
        [Some(self.from), until].into_iter().flatten().map(Timestamp::from_micros)
    }
}

/// A row with its user and its id.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Line {
    user: UserId,
    kind: Rows,
    id: u128,
    span: Span,
}

impl Line {
    pub(super) fn new(user: UserId, id: u128, valid: Interval, what: u32, kind: Rows) -> Self {
        let until = valid.until().map_or(OPEN, Timestamp::as_micros);
        Self { user, kind, id, span: Span { from: valid.from().as_micros(), until, what } }
    }
}

/// The rows of all users of a project.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Staff {
    // Ascending; everything else goes by the place in here.
    users: Box<[UserId]>,
    flags: Box<[Flags]>,
    // Where a user's memberships and grants begin; one more at the end.
    starts: Box<[[u32; 2]]>,
    spans: Box<[Span]>,
    ids: Box<[u128]>,
    // An open-addressed table of places in `users`, each plus 1; at most three quarters of it are taken.
    slots: Box<[u32]>,
}

impl Staff {
    /// Packs `lines`, in whatever order they come.
    pub(super) fn pack(mut lines: Vec<Line>, flags: &dyn Fn(UserId) -> Flags) -> Self {
        lines.sort_unstable();
        let mut users: Vec<UserId> = Vec::new();
        let mut starts: Vec<[u32; 2]> = Vec::new();
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        for (at, line) in lines.iter().enumerate() {
            if users.last() != Some(&line.user) {
                users.push(line.user);
                starts.push([place(at), place(at)]);
            }
            if let (Rows::Memberships, Some([_, grants])) = (line.kind, starts.last_mut()) {
                *grants = place(at.saturating_add(1));
            }
        }
        starts.push([place(lines.len()); 2]);
        Self {
            flags: users.iter().map(|user| flags(*user)).collect(),
            slots: slots(&users),
            users: users.into(),
            starts: starts.into(),
            spans: lines.iter().map(|line| line.span).collect(),
            ids: lines.iter().map(|line| line.id).collect(),
        }
    }

    /// The rows with `line` put in, and what had its id taken out.
    pub(super) fn with(&self, line: Line, flags: &dyn Fn(UserId) -> Flags) -> Self {
        let mut lines = self.lines_without(line.id);
        lines.push(line);
        Self::pack(lines, flags)
    }

    /// The rows without the one of that id.
    pub(super) fn without(&self, id: u128, flags: &dyn Fn(UserId) -> Flags) -> Self {
        Self::pack(self.lines_without(id), flags)
    }

    fn lines_without(&self, id: u128) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.spans.len().saturating_add(1));
        for user in &self.users {
            for kind in [Rows::Memberships, Rows::Grants] {
                let rows = self.rows(*user, kind).filter(|(row, _)| *row != id);
                lines.extend(rows.map(|(id, span)| Line { user: *user, kind, id, span: *span }));
            }
        }
        lines
    }

    /// The same rows, with what is said of `user` now.
    pub(super) fn marked(&self, user: UserId, flags: Flags) -> Self {
        let mut marked = self.clone();
        if let Some(place) = self.find(user).and_then(|at| marked.flags.get_mut(at)) {
            *place = flags;
        }
        marked
    }

    /// Everybody, in ascending order.
    pub(super) fn users(&self) -> &[UserId] {
        &self.users
    }

    /// Everybody with what is said of them, in ascending order.
    pub(super) fn everybody(&self) -> impl DoubleEndedIterator<Item = (UserId, Flags, usize)> {
        let people = self.users.iter().zip(&self.flags).enumerate();
        people.map(|(at, (user, flags))| (*user, *flags, at))
    }

    /// Where `user` stands.
    #[inline]
    pub(super) fn find(&self, user: UserId) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let hash = spread(user);
        let mut at = usize::try_from(hash >> 32).unwrap_or_default();
        loop {
            let place = usize::try_from(*self.slots.get(at & mask)?).ok()?.checked_sub(1)?;
            if *self.users.get(place)? == user {
                return Some(place);
            }
            at = at.wrapping_add(1);
        }
    }

    #[inline]
    pub(super) fn flags(&self, place: usize) -> Flags {
        self.flags.get(place).copied().unwrap_or_default()
    }

    /// Memberships and grants of the user at `place`.
    #[inline]
    pub(super) fn spans(&self, place: usize) -> Option<(&[Span], &[Span])> {
        let [memberships, grants] = *self.starts.get(place)?;
        let [end, _] = *self.starts.get(place.wrapping_add(1))?;
        let wide = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        let spans = self.spans.get(wide(memberships)..wide(end))?;
        spans.split_at_checked(wide(grants).wrapping_sub(wide(memberships)))
    }

    /// How many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.users)
            .saturating_add(size_of_val(&*self.flags))
            .saturating_add(size_of_val(&*self.starts))
            .saturating_add(size_of_val(&*self.spans))
            .saturating_add(size_of_val(&*self.ids))
            .saturating_add(size_of_val(&*self.slots))
    }

    /// The rows of `user`, with their ids.
    pub(super) fn rows(&self, user: UserId, kind: Rows) -> impl Iterator<Item = (u128, &Span)> {
        let found = || {
            let place = self.find(user)?;
            let (memberships, grants) = self.spans(place)?;
            let [first, second] = *self.starts.get(place)?;
            let (start, spans) = match kind {
                Rows::Memberships => (first, memberships),
                Rows::Grants => (second, grants),
            };
            let start = usize::try_from(start).ok()?;
            Some((self.ids.get(start..start.checked_add(spans.len())?)?, spans))
        };
        let (ids, spans) = found().unwrap_or_default();
        ids.iter().copied().zip(spans)
    }
}

fn slots(users: &[UserId]) -> Box<[u32]> {
    if users.is_empty() {
        return Box::from([]);
    }
    let count = users.len().saturating_mul(4).div_ceil(3).saturating_add(1).next_power_of_two();
    let (mut slots, mask) = (vec![0; count], count.saturating_sub(1));
    for (place, user) in users.iter().enumerate() {
        let mut at = usize::try_from(spread(*user) >> 32).unwrap_or_default();
        while slots.get(at & mask).is_some_and(|taken| *taken != 0) {
            at = at.wrapping_add(1);
        }
        if let (Some(slot), Ok(place)) = (slots.get_mut(at & mask), u32::try_from(place)) {
            *slot = place.saturating_add(1);
        }
    }
    slots.into()
}
