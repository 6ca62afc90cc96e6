//! Project roles, permissions, and who holds them; the two global roles.

use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::text::Name;
use crate::authz::Action;
use crate::id::{EnvironmentId, GrantId, ModuleId, PermissionId, ProjectId, RoleId, UserId};

/// A row of `project_roles`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Role {
    /// Primary key.
    pub id: RoleId,
    /// The project that it belongs to.
    pub project_id: ProjectId,
    /// Unique within the project: `Developer`, `QA`, `Product Owner`.
    pub name: Name,
}

/// A row of `project_permissions`: an action, and where in the project it may be done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Permission {
    /// Primary key.
    pub id: PermissionId,
    /// The project that it belongs to.
    pub project_id: ProjectId,
    /// The module it is for; `None` is the whole project.
    pub module_id: Option<ModuleId>,
    /// The environment it is for; `None` is all of them.
    pub environment_id: Option<EnvironmentId>,
    /// What may be done.
    pub action: Action,
}

/// A row of `project_role_permissions`: this role has this permission.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct RolePermission {
    /// The role.
    pub role_id: RoleId,
    /// A permission of the same project.
    pub permission_id: PermissionId,
}

/// A row of `user_project_roles`: gives a user a project role for a time.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Grant {
    /// Primary key.
    pub id: GrantId,
    /// The project that the role belongs to.
    pub project_id: ProjectId,
    /// The user.
    pub user_id: UserId,
    /// The role.
    pub role_id: RoleId,
    /// When it holds: `start_at` and `end_at` of the data dictionary.
    pub valid: Interval,
}

/// A role over the whole platform.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(clippy::exhaustive_enums, reason = "the two global roles of the permission model")]
pub enum GlobalRole {
    /// Manages users, projects and plugins, reads the global audit. No operational right by itself.
    PlatformAdmin,
    /// Reads audit and configuration everywhere, changes nothing.
    Auditor,
}

impl GlobalRole {
    /// The role's name in the permission model.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlatformAdmin => "PLATFORM_ADMIN",
            Self::Auditor => "AUDITOR",
        }
    }
}

/// Gives a user a global role.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct GlobalRoleGrant {
    /// The user.
    pub user_id: UserId,
    /// The role.
    pub role: GlobalRole,
}
