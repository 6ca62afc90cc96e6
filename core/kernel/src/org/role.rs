//! Project roles, permissions, and who holds them; the two global roles.

use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::text::Name;
use crate::authz::Action;
use crate::id::{EnvironmentId, GrantId, ModuleId, PermissionId, ProjectId, RoleId, UserId};

/// A row of `project_roles`.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let roles = gate.organisation(&office.root, office.project)?.roles;
/// let named = |name: &str| roles.iter().any(|role| role.name.as_str() == name);
/// assert!(named("ana") && !named("QA"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::authz::Action;
///
/// let permissions = gate.organisation(&office.root, office.project)?.permissions;
/// let approve = permissions.iter().find(|row| row.action == Action::APPROVE);
/// // For all modules and environments of the project.
/// assert!(approve.is_some_and(|row| row.module_id.is_none() && row.environment_id.is_none()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let org = gate.organisation(&office.root, office.project)?;
///
/// // What a role may do: from the role over this row to the permission.
/// let bo = org.roles.iter().find(|role| role.name.as_str() == "bo").map(|role| role.id);
/// let held = org.role_permissions.iter().filter(|row| Some(row.role_id) == bo);
/// let actions = held.filter_map(|row| org.permissions.iter().find(|of| of.id == row.permission_id));
/// let actions: Vec<&str> = actions.map(|permission| permission.action.as_str()).collect();
/// assert_eq!(actions, ["approve", "execute"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct RolePermission {
    /// The role.
    pub role_id: RoleId,
    /// A permission of the same project.
    pub permission_id: PermissionId,
}

/// A row of `user_project_roles`: gives a user a project role for a time.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let grants = gate.organisation(&office.root, office.project)?.grants;
/// let held = grants.iter().filter(|row| row.user_id == office.bo.user());
/// assert_eq!(held.filter(|row| row.valid.contains(gate.now())).count(), 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::GlobalRole;
/// use placet_core::org::command::GrantGlobalRole;
///
/// assert_eq!(GlobalRole::Auditor.as_str(), "AUDITOR");
/// gate.administer(&office.root, &GrantGlobalRole { user: office.bo.user(), role: GlobalRole::Auditor })?;
/// assert!(!gate.audit(&office.bo, 0)?.is_empty());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::GlobalRole;
///
/// let rows = gate.global_roles(&office.root)?;
/// let admins = rows.iter().filter(|row| row.role == GlobalRole::PlatformAdmin);
/// assert!(admins.map(|row| row.user_id).eq([office.root.user()]));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct GlobalRoleGrant {
    /// The user.
    pub user_id: UserId,
    /// The role.
    pub role: GlobalRole,
}
