//! Everybody's rows in one project, packed: found by a hash of the user, read from one end to the other.

use super::people::Flags;
use super::table::{Table, spread};
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
///
/// In 20 bytes, of which a large organisation has millions. It also stands at the head of each user's rows, as
/// [`Span::head`] makes it: then one search finds the rows where it found the user.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(C, packed(4))]
pub(super) struct Span {
    from: i64,
    until: i64,
    what: u32,
}

/// The end of what has no end.
const OPEN: i64 = i64::MAX;

impl Span {
    const GRANT: u32 = 1 << 31;
    const LAST: u32 = 1 << 30;

    /// The most heads whose number fits beside the flags.
    const HEADS_MAX: u32 = (1 << 24) - 1;

    /// The head of a user's rows, with how many heads stand before it.
    fn head(user: UserId, flags: Flags, before: usize) -> Self {
        let (from, until) = halves(user);
        let before = place(before).min(Self::HEADS_MAX);
        Self { from, until, what: before << 8 | u32::from(flags.bits()) }
    }

    /// How many heads stand before this one; `None` where those are too many to say.
    fn heads_before(&self) -> Option<usize> {
        let before = self.what >> 8;
        (before < Self::HEADS_MAX).then(|| wide(before))
    }

    #[inline]
    fn is_head_of(&self, (from, until): (i64, i64)) -> bool {
        (self.from, self.until) == (from, until)
    }

    fn user(&self) -> UserId {
        let (high, low) = (self.from.cast_unsigned(), self.until.cast_unsigned());
        UserId::from_u128((u128::from(high) << 64) | u128::from(low))
    }

    #[inline]
    fn flags(&self) -> Flags {
        let [flags, _, _, _] = self.what.to_le_bytes();
        Flags::from_bits(flags)
    }

    /// The number of the team or the role.
    #[inline]
    pub(super) const fn what(&self) -> u32 {
        self.what & !(Self::GRANT | Self::LAST)
    }

    /// Whether it is of a grant, not of a membership.
    #[inline]
    pub(super) const fn is_grant(&self) -> bool {
        self.what & Self::GRANT != 0
    }

    #[inline]
    const fn is_last(&self) -> bool {
        self.what & Self::LAST != 0
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
    pub(super) fn ends(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (from, until) = (self.from, self.until);
        let until = (until != OPEN).then_some(until);
        [Some(from), until].into_iter().flatten().map(Timestamp::from_micros)
    }
}

/// The two halves of an id.
#[inline]
fn halves(user: UserId) -> (i64, i64) {
    let bits = user.as_u128();
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "each half is taken whole"
    )]
    let (high, low) = ((bits >> 64) as i64, bits as i64);
    (high, low)
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
        let what = match kind {
            Rows::Memberships => what,
            Rows::Grants => what | Span::GRANT,
        };
        Self { user, kind, id, span: Span { from: valid.from().as_micros(), until, what } }
    }
}

/// The rows of all users of a project.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Staff {
    // For each user, ascending: a head, then memberships, then grants, the last of them marked.
    spans: Box<[Span]>,
    // Of each row, heads left out.
    ids: Box<[u128]>,
    // Where the heads stand.
    heads: Box<[u32]>,
    table: Table,
}

fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn wide(at: u32) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

impl Staff {
    /// Packs `lines`, in whatever order they come.
    pub(super) fn pack(mut lines: Vec<Line>, flags: &dyn Fn(UserId) -> Flags) -> Self {
        lines.sort_unstable();
        let people = lines.chunk_by(|a, b| a.user == b.user).count();
        let mut spans = Vec::with_capacity(lines.len().saturating_add(people));
        let mut heads = Vec::with_capacity(people);
        for of_one in lines.chunk_by(|a, b| a.user == b.user) {
            let before = heads.len();
            heads.push(place(spans.len()));
            let first = of_one.first();
            spans.extend(first.map(|line| Span::head(line.user, flags(line.user), before)));
            spans.extend(of_one.iter().map(|line| line.span));
            if let Some(last) = spans.last_mut() {
                last.what |= Span::LAST;
            }
        }
        let users = lines.chunk_by(|a, b| a.user == b.user).filter_map(|of_one| of_one.first());
        let hashes = users.map(|line| spread(line.user.as_u128()));
        let pairs: Vec<(u64, u32)> = hashes.zip(heads.iter().copied()).collect();
        Self {
            table: Table::build(&pairs),
            spans: spans.into(),
            ids: lines.iter().map(|line| line.id).collect(),
            heads: heads.into(),
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

    fn lines_without(&self, without: u128) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.ids.len().saturating_add(1));
        for (user, _, at) in self.everybody() {
            let rows = self.rows_at(at).filter(|(id, _)| *id != without);
            lines.extend(rows.map(|(id, span)| {
                let kind = if span.is_grant() { Rows::Grants } else { Rows::Memberships };
                Line { user, kind, id, span: Span { what: span.what & !Span::LAST, ..span } }
            }));
        }
        lines
    }

    /// The same rows, with what is said of `user` now.
    pub(super) fn marked(&self, user: UserId, flags: Flags) -> Self {
        let mut marked = self.clone();
        let Some(at) = self.find(user) else { return marked };
        let before = self.heads_before(at);
        if let Some(head) = marked.spans.get_mut(at) {
            *head = Span::head(user, flags, before);
        }
        marked
    }

    /// Everybody, in ascending order.
    pub(super) fn users(&self) -> impl Iterator<Item = UserId> {
        self.everybody().map(|(user, _, _)| user)
    }

    /// Everybody with what is said of them and where they stand, in ascending order.
    pub(super) fn everybody(&self) -> impl Iterator<Item = (UserId, Flags, usize)> {
        self.heads.iter().filter_map(|at| {
            let head = self.spans.get(wide(*at))?;
            Some((head.user(), head.flags(), wide(*at)))
        })
    }

    /// Where `user` stands.
    #[inline]
    pub(super) fn find(&self, user: UserId) -> Option<usize> {
        let halves = halves(user);
        self.table.find(spread(user.as_u128()), |at| {
            self.spans.get(at).is_some_and(|head| head.is_head_of(halves))
        })
    }

    /// What is said of the user at `at`.
    #[inline]
    pub(super) fn flags(&self, at: usize) -> Flags {
        self.spans.get(at).map(Span::flags).unwrap_or_default()
    }

    /// The rows of the user at `at`: memberships, then grants.
    #[inline]
    pub(super) fn spans(&self, at: usize) -> impl Iterator<Item = &Span> {
        let mut rows = self.spans.get(at.wrapping_add(1)..).unwrap_or_default().iter();
        let mut is_over = false;
        core::iter::from_fn(move || {
            let row = rows.next().filter(|_| !is_over)?;
            is_over = row.is_last();
            Some(row)
        })
    }

    /// How many heads stand before the one at `at`.
    fn heads_before(&self, at: usize) -> usize {
        let said = self.spans.get(at).and_then(Span::heads_before);
        said.unwrap_or_else(|| self.heads.partition_point(|head| wide(*head) < at))
    }

    /// How many bytes this takes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.spans)
            .saturating_add(size_of_val(&*self.ids))
            .saturating_add(size_of_val(&*self.heads))
            .saturating_add(self.table.heap_bytes())
    }

    /// The rows of `user`, with their ids.
    pub(super) fn rows(&self, user: UserId, kind: Rows) -> impl Iterator<Item = (u128, Span)> {
        let rows = self.find(user).map(|at| self.rows_at(at));
        rows.into_iter().flatten().filter(move |(_, row)| row.is_grant() == (kind == Rows::Grants))
    }

    /// The rows of the user at `at`, with their ids.
    pub(super) fn rows_at(&self, at: usize) -> impl Iterator<Item = (u128, Span)> {
        // As many heads as there are before this user's first row have no id.
        let ids = self.ids.get(at.saturating_sub(self.heads_before(at))..).unwrap_or_default();
        ids.iter().copied().zip(self.spans(at).copied())
    }
}
