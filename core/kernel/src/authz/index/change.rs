//! A change of the organisation makes a new index that shares what stayed.

use std::sync::Arc;

use super::Index;
use super::people::Flags;
use super::project::ProjectIndex;
use crate::id::{GrantId, MembershipId, ProjectId, UserId};
use crate::org::book::Book;
use crate::org::{GlobalRole, Grant, Membership, User};

impl Index {
    /// This index, with the project as it is now.
    #[must_use]
    pub(crate) fn with_project(&self, book: &Book) -> Self {
        let mut actions = (*self.actions).clone();
        let flags = |user| self.people.flags(user);
        let made = ProjectIndex::build(book, &mut actions, &flags);
        let mut changed = self.clone();
        changed.actions = Arc::new(actions);
        changed.put(made)
    }

    /// This index, with what is said of a user now.
    #[must_use]
    pub(crate) fn with_user(&self, user: &User, roles: &[GlobalRole]) -> Self {
        let flags = Flags::of(user, roles);
        let projects = self.people.projects(user.id).to_vec();
        let mut changed = self.clone();
        changed.people = self.people.with(user.id, flags, &projects);
        for number in projects {
            let Ok(at) = usize::try_from(number) else { continue };
            if let Some(found) = self.projects.get(at) {
                let marked = found.with_staff(found.staff.marked(user.id, flags));
                changed.projects = changed.projects.with(at, marked);
            }
        }
        changed
    }

    /// This index, with the membership as it is now; `None` takes it away.
    #[must_use]
    pub fn with_membership(
        &self,
        project: ProjectId,
        id: MembershipId,
        row: Option<&Membership>,
    ) -> Self {
        let Some((_, found)) = self.project(project) else { return self.clone() };
        let line = row.filter(|row| row.id == id).and_then(|row| found.membership(&row.into()));
        self.with_line(found, id.as_u128(), line)
    }

    /// This index, with the grant as it is now; `None` takes it away.
    #[must_use]
    pub fn with_grant(&self, project: ProjectId, id: GrantId, row: Option<&Grant>) -> Self {
        let Some((_, found)) = self.project(project) else { return self.clone() };
        let line = row.filter(|row| row.id == id && row.project_id == project);
        let line = line.and_then(|row| found.grant(&row.into()));
        self.with_line(found, id.as_u128(), line)
    }

    fn with_line(
        &self,
        project: &ProjectIndex,
        id: u128,
        line: Option<super::staff::Line>,
    ) -> Self {
        let flags = |user| self.people.flags(user);
        let staff = match line {
            Some(line) => project.staff.with(line, &flags),
            None => project.staff.without(id, &flags),
        };
        self.clone().put(project.with_staff(staff))
    }

    /// Puts a project in the place of what it was, and notes who has rows in it now.
    fn put(mut self, made: ProjectIndex) -> Self {
        let id = made.id;
        let before = self
            .project(id)
            .map(|(number, found)| (number, found.staff.users().collect::<Vec<_>>()));
        let (number, before) = before.unwrap_or_else(|| {
            let number = u32::try_from(self.projects.len()).unwrap_or(u32::MAX);
            self.numbers = Arc::new(self.numbers.with(id));
            (number, Vec::new())
        });
        let after = made.staff.users().collect::<Vec<_>>();
        if let Ok(at) = usize::try_from(number) {
            self.projects = self.projects.with(at, made);
        }
        let gone = before.iter().filter(|user| after.binary_search(user).is_err());
        let come = after.iter().filter(|user| before.binary_search(user).is_err());
        for user in gone.chain(come) {
            self.note(*user, number, after.binary_search(user).is_ok());
        }
        self
    }

    fn note(&mut self, user: UserId, project: u32, is_in: bool) {
        let mut projects = self.people.projects(user).to_vec();
        projects.retain(|number| *number != project);
        if is_in {
            projects.push(project);
            projects.sort_unstable();
        }
        self.people = self.people.with(user, self.people.flags(user), &projects);
    }
}
