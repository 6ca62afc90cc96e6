//! Users, projects and global roles: what PLATFORM_ADMIN manages.

use crate::id::{ProjectId, UserId};
use crate::org::{Email, GlobalRole, Name, Slug, UserKind};

/// Adds a user, active from now on. The e-mail address must be new.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct CreateUser {
    /// Person or agent.
    pub kind: UserKind,
    /// Unique over all users.
    pub email: Email,
    /// What people see.
    pub display_name: Name,
}

/// Lets a user act, or stops them. The last active PLATFORM_ADMIN cannot be stopped, and nobody
/// activates themselves.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetUserActive {
    /// The user.
    pub user: UserId,
    /// Whether they may act.
    pub active: bool,
}

/// Adds a project. Its code must be new.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct CreateProject {
    /// Its code, such as `shop`.
    pub code: Slug,
    /// What people see.
    pub name: Name,
}

/// Changes a project's name. Its code stays.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RenameProject {
    /// The project.
    pub project: ProjectId,
    /// What people see.
    pub name: Name,
}

/// Grants a user a global role. Nobody does this to themselves; an agent is never PLATFORM_ADMIN.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct GrantGlobalRole {
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: GlobalRole,
}

/// Takes a global role from a user. The last active PLATFORM_ADMIN keeps it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RevokeGlobalRole {
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: GlobalRole,
}
