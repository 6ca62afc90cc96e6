//! Project roles, their permissions, and who holds them.

use serde::{Deserialize, Serialize};

use super::staff::ended;
use super::{Decided, Desk, ProjectCommand, in_use, taken};
use crate::audit::Event;
use crate::authz::{Action, Rule};
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, GrantId, ModuleId, PermissionId, ProjectId, RoleId, UserId};
use crate::org::Row;
use crate::org::{Grant, Interval, Name, Permission, Role, RolePermission};

/// Adds a project role. Its name must be new within the project.
///
/// Fails with [`Code::AlreadyExists`] where it is not.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?; use placet_core::org::command::*;
/// let project = office.project;
/// let role = gate.manage(&office.root, &CreateRole { project, name: "QA".parse()? })?;
/// assert!(gate.organisation(&office.root, project)?.roles.iter().any(|row| row.id == role));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct CreateRole {
    /// The project.
    pub project: ProjectId,
    /// What people see, such as `Developer`.
    pub name: Name,
}

/// Removes a project role that nobody was ever granted and that no quorum and no workflow asks for.
///
/// Its permissions are taken from it first. Fails with [`Code::InUse`] for any other.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?; use placet_core::org::command::*;
/// # let (project, org) = (office.project, gate.organisation(&office.root, office.project)?);
/// let command = RemoveRole { project, role: org.grants[0].role_id };
/// let error = gate.manage(&office.root, &command).unwrap_err();
/// assert_eq!(error.code().as_str(), "in_use");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RemoveRole {
    /// The project.
    pub project: ProjectId,
    /// The role.
    pub role: RoleId,
}

/// Adds a permission to the project's catalogue. The same one cannot be there twice.
///
/// Fails with [`Code::AlreadyExists`] then, and with [`Code::InvalidInput`] for `administer` and `audit`.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?; use placet_core::org::command::*;
/// let (project, environment) = (office.project, Some(office.environment));
/// let command = CreatePermission { project, module: None, environment, action: "deploy".parse()? };
/// let deploy_to_dev = gate.manage(&office.root, &command)?;
/// assert!(deploy_to_dev.to_string().starts_with("prm_"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct CreatePermission {
    /// The project.
    pub project: ProjectId,
    /// The module it is for; `None` is the whole project.
    pub module: Option<ModuleId>,
    /// The environment it is for; `None` is all of them.
    pub environment: Option<EnvironmentId>,
    /// What may be done.
    pub action: Action,
}

/// Removes a permission that no role has.
///
/// Fails with [`Code::InUse`] for any other.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?; use placet_core::org::command::*;
/// # let (project, org) = (office.project, gate.organisation(&office.root, office.project)?);
/// let permission = org.role_permissions[0].permission_id;
/// let error = gate.manage(&office.root, &RemovePermission { project, permission }).unwrap_err();
/// assert_eq!(error.code().as_str(), "in_use");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RemovePermission {
    /// The project.
    pub project: ProjectId,
    /// The permission.
    pub permission: PermissionId,
}

/// Gives a role a permission. A holder of the role cannot do this.
///
/// Fails with [`Code::Refused`] then, and with [`Code::AlreadyExists`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?; use placet_core::org::command::*;
/// # let (project, org) = (office.project, gate.organisation(&office.root, office.project)?);
/// let role = gate.manage(&office.root, &CreateRole { project, name: "QA".parse()? })?;
/// gate.manage(&office.root, &AllowRole { project, role, permission: org.permissions[0].id })?;
/// assert!(gate.organisation(&office.root, project)?.role_permissions.iter().any(|r| r.role_id == role));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct AllowRole {
    /// The project.
    pub project: ProjectId,
    /// The role.
    pub role: RoleId,
    /// A permission of the same project.
    pub permission: PermissionId,
}

/// Takes a permission from a role.
///
/// Fails with [`Code::NotFound`] where the role does not have it.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?; use placet_core::org::command::*;
/// # let (project, org) = (office.project, gate.organisation(&office.root, office.project)?);
/// let pair = org.role_permissions[0];
/// let (role, permission) = (pair.role_id, pair.permission_id);
/// gate.manage(&office.root, &DisallowRole { project, role, permission })?;
/// assert!(!gate.organisation(&office.root, project)?.role_permissions.contains(&pair));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct DisallowRole {
    /// The project.
    pub project: ProjectId,
    /// The role.
    pub role: RoleId,
    /// The permission.
    pub permission: PermissionId,
}

/// Grants a user a project role for a time. Nobody does this to themselves; a user holds a role once
/// at a time.
///
/// Fails with [`Code::Refused`] and [`Code::AlreadyExists`], in the order of these rules.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?; use placet_core::org::command::*;
/// # let (project, org) = (office.project, gate.organisation(&office.root, office.project)?);
/// let role = gate.manage(&office.root, &CreateRole { project, name: "QA".parse()? })?;
/// let valid = placet_core::org::Interval::starting(gate.now());
/// let grant = gate.manage(&office.root, &AssignRole { project, user: office.bo.user(), role, valid })?;
/// assert!(!org.grants.iter().any(|row| row.id == grant));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct AssignRole {
    /// The project.
    pub project: ProjectId,
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: RoleId,
    /// When it holds.
    pub valid: Interval,
}

/// Ends a grant that has not ended yet, now or at an instant to come.
///
/// One that has not begun by then is removed. Fails with [`Code::InvalidInput`] for an instant that is past,
/// and with [`Code::WrongState`] when it ends by then anyway.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?; use placet_core::org::command::*;
/// # let (project, org) = (office.project, gate.organisation(&office.root, office.project)?);
/// gate.manage(&office.root, &EndGrant { project, grant: org.grants[0].id, at: None })?;
/// assert_eq!(gate.organisation(&office.root, project)?.grants.len() + 1, org.grants.len());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct EndGrant {
    /// The project.
    pub project: ProjectId,
    /// The grant.
    pub grant: GrantId,
    /// The first instant at which it no longer holds; `None` is now.
    pub at: Option<Timestamp>,
}

impl ProjectCommand for CreateRole {
    type Output = RoleId;
    const EVENT: Event = Event::OrgRoleCreated;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<RoleId>, Error> {
        if desk.book.roles.values().any(|row| row.name == self.name) {
            return Err(taken("role", self.name.as_str()));
        }
        let id = RoleId::from_u128(desk.ids.next());
        let row = Role { id, project_id: self.project, name: self.name.clone() };
        Ok(Decided::put(Row::Role(row), id))
    }
}

impl ProjectCommand for RemoveRole {
    type Output = ();
    const EVENT: Event = Event::OrgRoleRemoved;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let role = desk.book.role(self.role)?;
        if desk.book.grants.values().any(|row| row.role_id == role.id) {
            return Err(in_use("role", "grants"));
        }
        if desk.book.role_permissions.iter().any(|(id, _)| *id == role.id) {
            return Err(in_use("role", "permissions"));
        }
        if super::rule::names_role(desk.book, role.id) {
            return Err(in_use("role", "quorums"));
        }
        // Requests keep the version that they began with, so each version counts.
        if desk.book.workflows.names_role(&role.name) {
            return Err(in_use("role", "workflows"));
        }
        Ok(Decided::remove(Row::Role(role.clone()), ()))
    }
}

impl ProjectCommand for CreatePermission {
    type Output = PermissionId;
    const EVENT: Event = Event::OrgPermissionCreated;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<PermissionId>, Error> {
        if matches!(self.action.rule(), Rule::Administer | Rule::Audit) {
            return Err(Error::new(
                Code::InvalidInput,
                format!("`{}` is an action of the platform, not of a project", self.action),
            )
            .with_help("grant a global role instead"));
        }
        if let Some(module) = self.module {
            desk.book.module(module)?;
        }
        if let Some(environment) = self.environment {
            desk.book.environment(environment)?;
        }
        let same = |row: &&Permission| {
            row.module_id == self.module
                && row.environment_id == self.environment
                && row.action == self.action
        };
        if let Some(row) = desk.book.permissions.values().find(same) {
            return Err(taken("permission like this:", &row.id.to_string()));
        }
        let id = PermissionId::from_u128(desk.ids.next());
        let row = Permission {
            id,
            project_id: self.project,
            module_id: self.module,
            environment_id: self.environment,
            action: self.action.clone(),
        };
        Ok(Decided::put(Row::Permission(row), id))
    }
}

impl ProjectCommand for RemovePermission {
    type Output = ();
    const EVENT: Event = Event::OrgPermissionRemoved;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let row = desk.book.permission(self.permission)?;
        if desk.book.role_permissions.iter().any(|(_, permission)| *permission == row.id) {
            return Err(in_use("permission", "roles"));
        }
        Ok(Decided::remove(Row::Permission(row.clone()), ()))
    }
}

impl ProjectCommand for AllowRole {
    type Output = ();
    const EVENT: Event = Event::OrgRoleAllowed;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let role_id = desk.book.role(self.role)?.id;
        let permission_id = desk.book.permission(self.permission)?.id;
        if desk.book.role_permissions.contains(&(role_id, permission_id)) {
            return Err(taken("permission of this role:", &permission_id.to_string()));
        }
        // A grant that is still to come counts too: it would hold the permission then.
        let holds = desk.book.grants.values().any(|row| {
            row.role_id == role_id
                && row.user_id == desk.caller
                && row.valid.until().is_none_or(|until| desk.now < until)
        });
        if holds {
            desk.refuse_self(desk.caller, "add permissions of a role they hold")?;
        }
        let row = RolePermission { role_id, permission_id };
        Ok(Decided::put(Row::RolePermission(row), ()))
    }
}

impl ProjectCommand for DisallowRole {
    type Output = ();
    const EVENT: Event = Event::OrgRoleDisallowed;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let pair = (desk.book.role(self.role)?.id, desk.book.permission(self.permission)?.id);
        if !desk.book.role_permissions.contains(&pair) {
            return Err(desk.book.missing("role with permission", self.permission));
        }
        let row = RolePermission { role_id: pair.0, permission_id: pair.1 };
        Ok(Decided::remove(Row::RolePermission(row), ()))
    }
}

impl ProjectCommand for AssignRole {
    type Output = GrantId;
    const EVENT: Event = Event::OrgRoleAssigned;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn subject(&self) -> Option<UserId> {
        Some(self.user)
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<GrantId>, Error> {
        let user_id = desk.subject()?.id;
        desk.refuse_self(user_id, "grant a role")?;
        let role_id = desk.book.role(self.role)?.id;
        let held = desk.book.grants.values().find(|row| {
            row.user_id == user_id && row.role_id == role_id && row.valid.overlaps(self.valid)
        });
        if let Some(row) = held {
            return Err(Error::new(
                Code::AlreadyExists,
                format!("the user holds this role at that time, by `{}`", row.id),
            )
            .with_help("end that grant first, or choose a time after it"));
        }
        let id = GrantId::from_u128(desk.ids.next());
        let row = Grant { id, project_id: self.project, user_id, role_id, valid: self.valid };
        Ok(Decided::put(Row::Grant(row), id))
    }
}

impl ProjectCommand for EndGrant {
    type Output = ();
    const EVENT: Event = Event::OrgGrantEnded;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let missing = || desk.book.missing("grant", self.grant);
        let row = desk.book.grants.get(&self.grant).ok_or_else(missing)?;
        match ended(row.valid, self.at.unwrap_or(desk.now), desk.now)? {
            Some(valid) => Ok(Decided::put(Row::Grant(Grant { valid, ..row.clone() }), ())),
            None => Ok(Decided::remove(Row::Grant(row.clone()), ())),
        }
    }
}
