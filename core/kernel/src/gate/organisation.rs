//! Looking at the organisation: what the commands need the ids of, and what an auditor reads.

use super::Gate;
use super::decide::not_found;
use super::read::{Cursor, Page};
use crate::authz::{Action, Audit, Scope};
use crate::error::Error;
use crate::id::{EnvironmentId, ProjectId};
use crate::identity::Caller;
use crate::org::{
    Environment, GlobalRoleGrant, Grant, Membership, Module, Permission, Project, Role,
    RolePermission, Team, TeamModule, User,
};
use crate::request::Quorum;
use crate::store::records;

/// Everything that is stored of one project's organisation, at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Organisation {
    /// The project.
    pub project: Project,
    /// Its environments, by priority.
    pub environments: Vec<Environment>,
    /// Its modules.
    pub modules: Vec<Module>,
    /// Its teams.
    pub teams: Vec<Team>,
    /// Which team looks after which module.
    pub team_modules: Vec<TeamModule>,
    /// Who is in which team, and when.
    pub memberships: Vec<Membership>,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Its catalogue of permissions.
    pub permissions: Vec<Permission>,
    /// Which role has which permission.
    pub role_permissions: Vec<RolePermission>,
    /// Who holds which role, and when.
    pub grants: Vec<Grant>,
    /// Which approvals are enough, by environment. Where there is none, [`Quorum::default`] holds.
    pub quorums: Vec<(EnvironmentId, Quorum)>,
}

impl Gate {
    /// The organisation of a project. Whoever may read the whole project or manages it may, and AUDITOR.
    pub fn organisation(&self, caller: &Caller, project: ProjectId) -> Result<Organisation, Error> {
        let what = format!("project `{project}`");
        self.consult(|txn| {
            let shelf = txn.shelf(project)?.ok_or_else(|| not_found(&what))?;
            let scope = Scope::project(project);
            let mut may = false;
            for action in [Action::READ, Action::MANAGE] {
                may = may || txn.quietly(caller.user(), &action, scope)?.is_allowed();
            }
            if !may {
                return Err(not_found(&what));
            }
            let book = &shelf.book;
            let mut environments: Vec<Environment> = book.environments.values().cloned().collect();
            environments.sort_by_key(|row| row.priority);
            let team_modules = book.team_modules.iter();
            let role_permissions = book.role_permissions.iter();
            Ok(Organisation {
                project: book.project.clone(),
                environments,
                modules: book.modules.values().cloned().collect(),
                teams: book.teams.values().cloned().collect(),
                team_modules: team_modules
                    .map(|&(team_id, module_id)| TeamModule { team_id, module_id })
                    .collect(),
                memberships: book.memberships.values().cloned().collect(),
                roles: book.roles.values().cloned().collect(),
                permissions: book.permissions.values().cloned().collect(),
                role_permissions: role_permissions
                    .map(|&(role_id, permission_id)| RolePermission { role_id, permission_id })
                    .collect(),
                grants: book.grants.values().cloned().collect(),
                quorums: book.quorums.iter().map(|(id, quorum)| (*id, quorum.clone())).collect(),
            })
        })
    }

    /// The users of the platform, in the order in which they were added. For PLATFORM_ADMIN and AUDITOR.
    pub fn users(&self, caller: &Caller, after: Option<&Cursor>) -> Result<Page<User>, Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "list of users")?;
            permit.spend_on(&Scope::Platform)?;
            self.page(&records::key_of::<User>(&[]), after)
        })
    }

    /// Who holds which global role. For PLATFORM_ADMIN and AUDITOR.
    pub fn global_roles(&self, caller: &Caller) -> Result<Vec<GlobalRoleGrant>, Error> {
        self.consult(|txn| {
            let permit =
                txn.ask::<Audit>(caller.user(), Scope::Platform, "list of global roles")?;
            permit.spend_on(&Scope::Platform)?;
            self.scan_all(&records::key_of::<GlobalRoleGrant>(&[]))
        })
    }
}
