//! What the index takes from the rows of a project: ids, and when rows hold; no names, no codes.

use crate::authz::Action;
use crate::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, RoleId, TeamId, UserId,
};
use crate::org::book::Book;
use crate::org::{Grant, Interval, Membership, Permission, Row};

/// A project as gathered, in whatever order its rows came. Of two rows with one id, the later counts.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    pub(super) id: ProjectId,
    pub(super) modules: Vec<ModuleId>,
    pub(super) environments: Vec<EnvironmentId>,
    pub(super) teams: Vec<TeamId>,
    pub(super) team_modules: Vec<(TeamId, ModuleId)>,
    pub(super) roles: Vec<RoleId>,
    pub(super) permissions: Vec<Allowed>,
    pub(super) role_permissions: Vec<(RoleId, PermissionId)>,
    pub(super) memberships: Vec<Member>,
    pub(super) grants: Vec<Granted>,
}

/// A permission.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    pub(super) id: PermissionId,
    pub(super) module: Option<ModuleId>,
    pub(super) environment: Option<EnvironmentId>,
    pub(super) action: Action,
}

/// A membership.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) id: MembershipId,
    pub(super) user: UserId,
    pub(super) team: TeamId,
    pub(super) valid: Interval,
}

/// A grant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted {
    pub(super) id: GrantId,
    pub(super) user: UserId,
    pub(super) role: RoleId,
    pub(super) valid: Interval,
}

impl From<&Membership> for Member {
    fn from(row: &Membership) -> Self {
        Self { id: row.id, user: row.user_id, team: row.team_id, valid: row.valid }
    }
}

impl From<&Grant> for Granted {
    fn from(row: &Grant) -> Self {
        Self { id: row.id, user: row.user_id, role: row.role_id, valid: row.valid }
    }
}

impl Outline {
    pub(super) const fn new(id: ProjectId) -> Self {
        Self {
            id,
            modules: Vec::new(),
            environments: Vec::new(),
            teams: Vec::new(),
            team_modules: Vec::new(),
            roles: Vec::new(),
            permissions: Vec::new(),
            role_permissions: Vec::new(),
            memberships: Vec::new(),
            grants: Vec::new(),
        }
    }

    /// Takes what the index holds of a row. A row that says it is of another project helps nobody.
    pub(super) fn insert(&mut self, row: &Row) {
        let id = self.id;
        match row {
            Row::Environment(row) if row.project_id == id => self.environments.push(row.id),
            Row::Module(row) if row.project_id == id => self.modules.push(row.id),
            Row::Team(row) if row.project_id == id => self.teams.push(row.id),
            Row::Role(row) if row.project_id == id => self.roles.push(row.id),
            Row::Permission(row) if row.project_id == id => self.allow(row),
            Row::Grant(row) if row.project_id == id => self.grants.push(row.into()),
            Row::TeamModule(row) => self.team_modules.push((row.team_id, row.module_id)),
            Row::Membership(row) => self.memberships.push(row.into()),
            Row::RolePermission(row) => {
                self.role_permissions.push((row.role_id, row.permission_id));
            }
            Row::Environment(_)
            | Row::Module(_)
            | Row::Team(_)
            | Row::Role(_)
            | Row::Permission(_)
            | Row::Grant(_)
            | Row::Quorum(_)
            | Row::AutoApproval(_)
            | Row::Workflow(_)
            | Row::AllowedWorkflows(_)
            | Row::ArtifactForm(_)
            | Row::QuorumRule(_)
            | Row::BlockingRule(_)
            | Row::Governance(_)
            | Row::Promotion(_)
            | Row::Execution(_)
            | Row::RunnerSettings(_) => {}
        }
    }

    fn allow(&mut self, row: &Permission) {
        let (module, environment) = (row.module_id, row.environment_id);
        self.permissions.push(Allowed {
            id: row.id,
            module,
            environment,
            action: row.action.clone(),
        });
    }

    /// Sorts all by their ids, each once.
    pub(super) fn settle(&mut self) {
        sort(&mut self.modules);
        sort(&mut self.environments);
        sort(&mut self.teams);
        sort(&mut self.team_modules);
        sort(&mut self.roles);
        sort(&mut self.role_permissions);
        keep_last(&mut self.permissions, |row| row.id);
        keep_last(&mut self.memberships, |row| row.id);
        keep_last(&mut self.grants, |row| row.id);
    }
}

fn sort<T: Ord>(items: &mut Vec<T>) {
    items.sort_unstable();
    items.dedup();
}

/// Sorts by `id`; of several with one id the one that came last stays.
pub(super) fn keep_last<T, Id: Ord>(rows: &mut Vec<T>, id: impl Fn(&T) -> Id) {
    // From a store they come in order, each once: then there is nothing to do.
    if rows.is_sorted_by(|a, b| id(a) < id(b)) {
        return;
    }
    rows.reverse();
    rows.sort_by_key(|row| id(row));
    rows.dedup_by(|later, kept| id(later) == id(kept));
}

impl From<&Book> for Outline {
    fn from(book: &Book) -> Self {
        let mut made = Self::new(book.project.id);
        let ours = |of: ProjectId| of == book.project.id;
        let modules = book.modules.values().filter(|row| ours(row.project_id));
        made.modules.extend(modules.map(|row| row.id));
        let environments = book.environments.values().filter(|row| ours(row.project_id));
        made.environments.extend(environments.map(|row| row.id));
        let teams = book.teams.values().filter(|row| ours(row.project_id));
        made.teams.extend(teams.map(|row| row.id));
        let roles = book.roles.values().filter(|row| ours(row.project_id));
        made.roles.extend(roles.map(|row| row.id));
        book.permissions
            .values()
            .filter(|row| ours(row.project_id))
            .for_each(|row| made.allow(row));
        made.team_modules.extend(&book.team_modules);
        made.role_permissions.extend(&book.role_permissions);
        made.memberships.extend(book.memberships.values().map(Member::from));
        let grants = book.grants.values().filter(|row| ours(row.project_id));
        made.grants.extend(grants.map(Granted::from));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_rows_with_one_id_the_later_counts() {
        let mut rows = vec![(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        keep_last(&mut rows, |row| row.0);
        assert_eq!(rows, [(1, 'e'), (2, 'd'), (3, 'c')]);
        keep_last(&mut rows, |row| row.0);
        assert_eq!(rows.len(), 3);
        let mut same = vec![(1, 'a'), (1, 'b')];
        keep_last(&mut same, |row| row.0);
        assert_eq!(same, [(1, 'b')]);
    }
}
