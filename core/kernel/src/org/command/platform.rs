//! Users, projects and global roles: what PLATFORM_ADMIN manages.

use serde::{Deserialize, Serialize};

use crate::id::{ProjectId, UserId};
use crate::org::{Email, GlobalRole, Name, Slug, UserKind};

/// Adds a user, active from now on. The e-mail address must be new.
///
/// Fails with [`crate::error::Code::AlreadyExists`] where it is not, upper and lower case taken as equal.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::UserKind;
/// use placet_core::org::command::CreateUser;
///
/// let eva = |email: &str| {
///     let (email, display_name) = (email.parse()?, "Eva".parse()?);
///     gate.administer(&office.root, &CreateUser { kind: UserKind::Person, email, display_name })
/// };
/// eva("eva@example.org")?;
/// assert_eq!(eva("EVA@example.org").unwrap_err().code(), Code::AlreadyExists);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
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
///
/// Fails with [`crate::error::Code::Refused`] for that last one, and with
/// [`crate::error::Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::SetUserActive;
///
/// gate.administer(&office.root, &SetUserActive { user: office.ana.user(), active: false })?;
/// assert!(gate.projects(&office.ana)?.is_empty());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetUserActive {
    /// The user.
    pub user: UserId,
    /// Whether they may act.
    pub active: bool,
}

/// Adds a project. Its code must be new.
///
/// Fails with [`crate::error::Code::AlreadyExists`] where it is not, and with
/// [`crate::error::Code::InvalidInput`] for `platform` and `project`: those are contexts of a
/// [`crate::authz::PermissionString`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::CreateProject;
///
/// let command = CreateProject { code: "bank".parse()?, name: "Bank".parse()? };
/// let bank = gate.administer(&office.root, &command)?;
/// assert!(gate.projects(&office.root)?.iter().any(|project| project.id == bank));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct CreateProject {
    /// Its code, such as `shop`.
    pub code: Slug,
    /// What people see.
    pub name: Name,
}

/// Changes a project's name. Its code stays.
///
/// Fails with [`crate::error::Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::command::RenameProject;
///
/// let name = "Web shop".parse()?;
/// gate.administer(&office.root, &RenameProject { project: office.project, name })?;
/// let shop = gate.organisation(&office.root, office.project)?.project;
/// assert_eq!((shop.code.as_str(), shop.name.as_str()), ("shop", "Web shop"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RenameProject {
    /// The project.
    pub project: ProjectId,
    /// What people see.
    pub name: Name,
}

/// Grants a user a global role. Nobody does this to themselves; an agent is never PLATFORM_ADMIN.
///
/// Fails with [`crate::error::Code::Refused`] for either, and with
/// [`crate::error::Code::AlreadyExists`] for a role that the user holds.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::GlobalRole;
/// use placet_core::org::command::GrantGlobalRole;
///
/// let role = GlobalRole::Auditor;
/// gate.administer(&office.root, &GrantGlobalRole { user: office.ana.user(), role })?;
/// let to_oneself = GrantGlobalRole { user: office.root.user(), role };
/// assert_eq!(gate.administer(&office.root, &to_oneself).unwrap_err().code(), Code::Refused);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct GrantGlobalRole {
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: GlobalRole,
}

/// Takes a global role from a user. The last active PLATFORM_ADMIN keeps it.
///
/// Fails with [`crate::error::Code::Refused`] for the last, and with [`crate::error::Code::NotFound`] where
/// the user does not hold it.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::GlobalRole;
/// use placet_core::org::command::RevokeGlobalRole;
///
/// let last = RevokeGlobalRole { user: office.root.user(), role: GlobalRole::PlatformAdmin };
/// assert_eq!(gate.administer(&office.root, &last).unwrap_err().code(), Code::Refused);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RevokeGlobalRole {
    /// The user.
    pub user: UserId,
    /// The role.
    pub role: GlobalRole,
}

/// Which texts a retention is for.
///
/// Names and addresses of users have none: they go when somebody erases them.
///
/// ```
/// use placet_core::org::command::{RetentionClass, SetRetention};
/// let a_year = SetRetention { class: RetentionClass::Comment, keep_days: Some(365) };
/// assert_eq!(a_year.class, RetentionClass::Comment);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RetentionClass {
    /// What a request asks for, what was planned, and what its runs said.
    Content,
    /// What people wrote at the steps of a request.
    Comment,
}

/// Says how long texts are kept after their request is over and was last touched.
/// [`Gate::erase_expired`](crate::gate::Gate::erase_expired) erases what is kept no longer.
///
/// ```
/// use placet_core::org::command::{RetentionClass, SetRetention};
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let two_years = SetRetention { class: RetentionClass::Content, keep_days: Some(730) };
/// gate.administer(&office.root, &two_years)?;
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetRetention {
    /// Which texts.
    pub class: RetentionClass,
    /// How many days of 24 hours they are kept; nothing: for ever.
    pub keep_days: Option<u32>,
}
