//! A question, the rows that bear on it, and the names of those rows.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::action::Action;
use crate::clock::Timestamp;
use crate::id::{
    EnvironmentId, GrantId, MembershipId, ModuleId, PermissionId, ProjectId, TeamId, UserId,
};
use crate::org::{
    GlobalRoleGrant, Grant, Membership, Permission, RolePermission, Team, TeamModule, User,
};

/// Where something is done.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case", tag = "level")]
#[expect(clippy::exhaustive_enums, reason = "both deciders must cover every level")]
pub enum Scope {
    /// The whole platform: users, projects, global roles.
    Platform,
    /// Inside one project.
    Project {
        /// The project.
        project: ProjectId,
        /// One module of it, or the project as a whole.
        module: Option<ModuleId>,
        /// One environment of it, or none in particular.
        environment: Option<EnvironmentId>,
    },
}

impl Scope {
    /// A project as a whole.
    pub const fn project(project: ProjectId) -> Self {
        Self::Project { project, module: None, environment: None }
    }

    /// One environment of one module.
    pub const fn module(project: ProjectId, module: ModuleId, environment: EnvironmentId) -> Self {
        Self::Project { project, module: Some(module), environment: Some(environment) }
    }

    /// The project, when it is not the platform.
    pub const fn project_id(&self) -> Option<ProjectId> {
        match self {
            Self::Platform => None,
            Self::Project { project, module: _, environment: _ } => Some(*project),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("platform"),
            Self::Project { project, module, environment } => {
                write!(f, "{project}")?;
                if let Some(module) = module {
                    write!(f, "/{module}")?;
                }
                if let Some(environment) = environment {
                    write!(f, "/{environment}")?;
                }
                Ok(())
            }
        }
    }
}

/// May `user` do `action` in `scope` at the instant `at`?
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
pub struct Question {
    /// Who asks.
    pub user: UserId,
    /// What they want to do.
    pub action: Action,
    /// Where.
    pub scope: Scope,
    /// When.
    pub at: Timestamp,
}

/// The names of the rows that make the answer a yes; the audit leaf records them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Witness {
    /// The row of `team_members` for leg 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub membership: Option<MembershipId>,
    /// The team of that row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// The row of `user_project_roles` for leg 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The permission of that row's role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<PermissionId>,
    /// The global role that was enough by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_role: Option<crate::org::GlobalRole>,
}

/// The stored rows that a decision is made from. Whoever decides re-checks each of them: that a row is
/// here says that it is stored, not that it fits the question.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
pub struct Facts {
    /// The user who asks.
    pub user: User,
    /// The user's global roles.
    pub global_roles: Vec<GlobalRoleGrant>,
    /// Rows for leg 1, when the index named one.
    pub membership: Option<MembershipRows>,
    /// Rows for leg 2, when the index named one.
    pub grant: Option<GrantRows>,
}

/// The rows behind leg 1.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
pub struct MembershipRows {
    /// The membership.
    pub membership: Membership,
    /// Its team.
    pub team: Team,
    /// The team's assignment to the module of the question; none for a question about a whole project.
    pub team_module: Option<TeamModule>,
}

/// The rows behind leg 2.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "every decider must look at every part")]
pub struct GrantRows {
    /// The grant.
    pub grant: Grant,
    /// The link from the grant's role to the permission.
    pub role_permission: RolePermission,
    /// The permission.
    pub permission: Permission,
}
