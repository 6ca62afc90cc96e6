//! Whoever has rows in a project, with a hint of which.

use super::rows::{Line, Span};
use crate::id::UserId;

/// Which teams and roles somebody's rows name, at whatever time they hold: a bit for each, those of teams in the lower
/// half. Where there are more than sixteen of a kind, several share a bit. So a hint tells who surely cannot, without
/// a look at their rows, and never who can.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Hint(u32);

impl Hint {
    pub(super) const fn team(number: u32) -> Self {
        Self(1 << (number % 16))
    }

    pub(super) const fn role(number: u32) -> Self {
        Self((1 << 16) << (number % 16))
    }

    const fn of(span: &Span) -> Self {
        if span.is_grant() { Self::role(span.what()) } else { Self::team(span.what()) }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Everybody with rows in a project, in ascending order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Members {
    users: Box<[UserId]>,
    hints: Box<[Hint]>,
}

impl Members {
    /// Whoever has one of these rows, which come in any order.
    pub(super) fn of(lines: &[Line]) -> Self {
        lines.iter().map(|line| (line.user, Hint::of(&line.span))).collect()
    }

    /// The same, after all rows of some became these.
    pub(super) fn with(&self, affected: &[UserId], lines: &[Line]) -> Self {
        let others = self.users.iter().copied().zip(self.hints.iter().copied());
        let others = others.filter(|(user, _)| !affected.contains(user));
        others.chain(lines.iter().map(|line| (line.user, Hint::of(&line.span)))).collect()
    }

    pub(super) fn users(&self) -> &[UserId] {
        &self.users
    }

    /// Those from place `first` on whose hint meets each of `wanted`.
    pub(super) fn hinted(&self, first: usize, wanted: &[Hint]) -> impl Iterator<Item = UserId> {
        let users = self.users.iter().copied().zip(&self.hints).skip(first);
        users.filter(|(_, hint)| wanted.iter().all(|one| hint.meets(*one))).map(|(user, _)| user)
    }

    /// How many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.users).saturating_add(size_of_val(&*self.hints))
    }
}

impl FromIterator<(UserId, Hint)> for Members {
    fn from_iter<I: IntoIterator<Item = (UserId, Hint)>>(hints: I) -> Self {
        let mut hints: Vec<(UserId, Hint)> = hints.into_iter().collect();
        hints.sort_unstable();
        hints.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 = kept.1.and(later.1);
            }
            is_same
        });
        let (users, hints): (Vec<UserId>, Vec<Hint>) = hints.into_iter().unzip();
        Self { users: users.into(), hints: hints.into() }
    }
}
