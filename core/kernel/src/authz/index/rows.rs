//! Memberships and grants, as the index holds them.

use crate::clock::Timestamp;
use crate::id::UserId;
use crate::org::Interval;

/// Which rows of a user are meant.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Rows {
    Memberships,
    Grants,
}

/// A row as it lies in memory, without its id. A large organisation has millions.
pub(super) type RowWords = [u32; ROW];
pub(super) const ROW: usize = 5;

/// When a row holds, and the number of the team or the role that it names.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Span {
    from: i64,
    until: i64,
    what: u32,
}

/// The end of what has no end.
const OPEN: i64 = i64::MAX;

impl Span {
    const GRANT: u32 = 1 << 31;

    #[inline]
    pub(super) fn of([a, b, c, d, what]: &RowWords) -> Self {
        let join = |low: u32, high: u32| (u64::from(high) << 32 | u64::from(low)).cast_signed();
        Self { from: join(*a, *b), until: join(*c, *d), what: *what }
    }

    pub(super) fn words(self) -> RowWords {
        let halves = |at: i64| {
            let (low, high) = (at.cast_unsigned() & u64::from(u32::MAX), at.cast_unsigned() >> 32);
            [low, high].map(|half| u32::try_from(half).unwrap_or_default())
        };
        let ([a, b], [c, d]) = (halves(self.from), halves(self.until));
        [a, b, c, d, self.what]
    }

    /// The number of the team or the role.
    #[inline]
    pub(super) const fn what(&self) -> u32 {
        self.what & !Self::GRANT
    }

    /// Whether it is of a grant, not of a membership.
    #[inline]
    pub(super) const fn is_grant(&self) -> bool {
        self.what & Self::GRANT != 0
    }

    /// Whether it holds at that instant: from its start on, until just before its end.
    #[inline]
    pub(super) const fn contains(&self, at: Timestamp) -> bool {
        let at = at.as_micros();
        self.from <= at && at < self.until
    }

    pub(super) fn interval(&self) -> Interval {
        let until = self.until;
        let until = (until != OPEN).then(|| Timestamp::from_micros(until));
        let from = Timestamp::from_micros(self.from);
        Interval::new(from, until).unwrap_or_else(|_| Interval::starting(from))
    }

    /// The instants at which it begins and ceases to hold.
    pub(super) fn ends(self) -> impl Iterator<Item = Timestamp> {
        let until = (self.until != OPEN).then_some(self.until);
        [Some(self.from), until].into_iter().flatten().map(Timestamp::from_micros)
    }
}

/// A row with its user, the number of its project, and its id. In this order they lie in memory.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Line {
    pub(super) user: UserId,
    pub(super) project: u32,
    kind: Rows,
    pub(super) id: u128,
    pub(super) span: Span,
}

impl Line {
    pub(super) fn new(user: UserId, id: u128, valid: Interval, what: u32, kind: Rows) -> Self {
        let until = valid.until().map_or(OPEN, Timestamp::as_micros);
        let what = match kind {
            Rows::Memberships => what,
            Rows::Grants => what | Span::GRANT,
        };
        let span = Span { from: valid.from().as_micros(), until, what };
        Self { user, project: 0, kind, id, span }
    }

    /// The row that lies in memory as `span`.
    pub(super) fn of(user: UserId, project: u32, (id, span): (u128, Span)) -> Self {
        let kind = if span.is_grant() { Rows::Grants } else { Rows::Memberships };
        Self { user, project, kind, id, span }
    }

    /// The same, of the project with that number.
    pub(super) fn in_project(self, project: u32) -> Self {
        Self { project, ..self }
    }
}
