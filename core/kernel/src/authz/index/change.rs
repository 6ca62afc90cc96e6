//! A change of the organisation makes a new index that shares what stayed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Index;
use super::flags::Flags;
use super::project::ProjectIndex;
use super::rows::Line;
use super::words::{narrow, wide};
use crate::id::{GrantId, MembershipId, ProjectId, UserId};
use crate::org::book::Book;
use crate::org::{GlobalRole, Grant, Membership, User};

impl Index {
    /// This index, with the project as it is now.
    #[must_use]
    pub(crate) fn with_project(&self, book: &Book) -> Self {
        let (mut changed, mut actions) = (self.clone(), (*self.actions).clone());
        let number = self.numbers.get(book.project.id).unwrap_or_else(|| {
            changed.numbers = Arc::new(self.numbers.with(book.project.id));
            self.projects.len()
        });
        let (made, lines) = ProjectIndex::compile(book.into(), narrow(number), &mut actions);
        changed.actions = Arc::new(actions);
        let before = self.projects.get(number).map(ProjectIndex::users).unwrap_or_default();
        let affected: BTreeSet<UserId> = before.iter().chain(made.users()).copied().collect();
        let affected: Vec<UserId> = affected.into_iter().collect();
        changed.people = self.people.with_rows(&affected, narrow(number), &lines);
        changed.projects = self.projects.with(number, made);
        changed
    }

    /// This index, with what is said of a user now.
    #[must_use]
    pub(crate) fn with_user(&self, user: &User, roles: &[GlobalRole]) -> Self {
        let people = self.people.with_flags(user.id, Flags::of(user, roles));
        Self { people, ..self.clone() }
    }

    /// This index, with the membership as it is now; `None` takes it away.
    #[must_use]
    pub fn with_membership(
        &self,
        project: ProjectId,
        id: MembershipId,
        row: Option<&Membership>,
    ) -> Self {
        let Some((number, found)) = self.project(project) else { return self.clone() };
        let line = row.filter(|row| row.id == id).and_then(|row| found.membership(&row.into()));
        self.with_line(number, found, id.as_u128(), line)
    }

    /// This index, with the grant as it is now; `None` takes it away.
    #[must_use]
    pub fn with_grant(&self, project: ProjectId, id: GrantId, row: Option<&Grant>) -> Self {
        let Some((number, found)) = self.project(project) else { return self.clone() };
        let line = row.filter(|row| row.id == id && row.project_id == project);
        let line = line.and_then(|row| found.grant(&row.into()));
        self.with_line(number, found, id.as_u128(), line)
    }

    /// This index, with `line` in the place of the row with that id.
    fn with_line(&self, number: u32, project: &ProjectIndex, id: u128, line: Option<Line>) -> Self {
        let line = line.map(|line| line.in_project(number));
        let rows_of = |user: UserId| {
            let person = self.people.find(user);
            person.into_iter().flat_map(move |person| person.rows(number))
        };
        let has_it = |user: &UserId| rows_of(*user).any(|(other, _)| other == id);
        // Mostly it is the same user's; where it is not, everybody here is asked.
        let same = line.map(|line| line.user).filter(has_it);
        let holder = same.or_else(|| project.users().iter().copied().find(|user| has_it(user)));
        let mut affected: Vec<UserId> =
            holder.into_iter().chain(line.map(|line| line.user)).collect();
        affected.sort_unstable();
        affected.dedup();
        let mut lines: Vec<Line> = Vec::new();
        for user in &affected {
            let others = rows_of(*user).filter(|(other, _)| *other != id);
            lines.extend(others.map(|row| Line::of(*user, number, row)));
        }
        lines.extend(line);

        let mut changed = self.clone();
        changed.people = self.people.with_rows(&affected, number, &lines);
        let members = project.members().with(&affected, &lines);
        if members != *project.members() {
            let made = project.with_members(members);
            changed.projects = self.projects.with(wide(number), made);
        }
        changed
    }
}
