//! One project, read at one epoch, with its index.

use crate::authz::Action;
use crate::authz::Known;
use crate::authz::index::{Actions, Flags, PlaceIds, ProjectIndex};
use crate::clock::Timestamp;
use crate::id::{GrantId, RoleId, UserId};
use crate::org::book::Book;

#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) book: Book,
    index: ProjectIndex,
    actions: Actions,
}

impl Shelf {
    pub(super) fn of(book: Book) -> Self {
        let mut actions = Actions::default();
        // Who is active is read with the question, from the user's own row.
        let index = ProjectIndex::build(&book, &mut actions, &|_| Flags::default());
        Self { book, index, actions }
    }

    pub(super) fn known(&self) -> Known<'_> {
        Known { book: &self.book, index: &self.index, actions: &self.actions }
    }

    /// The widest place that `user` may read anything at.
    pub(super) fn read_place(&self, user: UserId, at: Timestamp) -> Option<PlaceIds> {
        self.index.read_place(user, self.actions.number(&Action::READ), at)
    }

    /// Whether `user` holds `role` at that instant, by which grant.
    pub(super) fn holds_role(&self, user: UserId, role: RoleId, at: Timestamp) -> Option<GrantId> {
        self.index.holds_role(user, role, at)
    }

    /// Everybody with a grant in the project.
    pub(super) fn granted_users(&self) -> impl Iterator<Item = UserId> + '_ {
        self.index.granted_users()
    }
}
