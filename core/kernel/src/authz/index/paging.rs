//! Which part of a long answer is wanted.

use crate::id::UserId;

/// Which page of a list: at most so many items, from the beginning or after one. Users are listed by their
/// ids, places by project, module and environment.
///
/// Whatever belongs on the list throughout is on exactly one page, also where the organisation changes from one
/// page to the next. Ask for all pages about the same instant.
///
/// ```
/// use placet_core::authz::Paging;
/// use placet_core::id::UserId;
/// let second = Paging::first(100).after(UserId::from_u128(7));
/// # assert_ne!(second, Paging::first(100));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Paging<Key = UserId> {
    after: Option<Key>,
    limit: usize,
}

impl<Key: Copy + Ord> Paging<Key> {
    /// The first page, of at most `limit`; of 1 where that is 0, for else there would be no next one.
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit: if limit == 0 { 1 } else { limit } }
    }

    /// The page that begins after `last`, such as [`super::WhoCan::next`] or [`super::Places::next`].
    #[must_use]
    pub const fn after(self, last: Key) -> Self {
        Self { after: Some(last), limit: self.limit }
    }

    /// The same page, of at most `limit`.
    pub(crate) fn at_most(self, limit: usize) -> Self {
        Self { limit: self.limit.min(limit.max(1)), ..self }
    }

    /// After what it begins.
    pub(super) const fn begins_after(&self) -> Option<Key> {
        self.after
    }

    /// Whether `item` comes on this page or a later one.
    pub(super) fn reaches(&self, item: Key) -> bool {
        self.after.is_none_or(|after| item > after)
    }

    /// How many more items a page with so many takes.
    pub(super) const fn room(&self, len: usize) -> usize {
        self.limit.saturating_sub(len)
    }

    /// Whether a page with so many items is full.
    pub(super) const fn is_full(&self, len: usize) -> bool {
        len >= self.limit
    }
}
