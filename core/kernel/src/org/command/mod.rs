//! The typed commands that change the organisation. Each is one value; the gate authorizes it, checks
//! it against everything that is stored of the project, and writes it with its leaf.

mod desk;
mod place;
mod running;
mod settings;
mod staff;
mod rights;
mod template;
mod auto_approval;
mod rule;
mod platform;
mod plugin;
mod workflow;
mod narrowing;
mod govern;
mod kind;

use core::fmt;
use std::collections::BTreeMap;

pub use auto_approval::SetAutoApproveAi;
pub(crate) use desk::{Decided, Desk};
pub(crate) use govern::check_level;
pub use govern::{AdoptPolicies, SetGovernance, SetPlatformGovernance};
pub(crate) use kind::Visitor;
pub use kind::{CommandKind, OrgCommand};
pub use narrowing::{SetAllowedWorkflows, SetArtifactForm};
pub use place::{
    CreateEnvironment, CreateModule, RemoveEnvironment, RemoveModule, SetQuorum, UpdateEnvironment,
    UpdateModule,
};
pub use platform::{
    CreateProject, CreateUser, GrantGlobalRole, RenameProject, RetentionClass, RevokeGlobalRole,
    SetRetention, SetUserActive,
};
pub use plugin::{GrantPlugin, RevokePluginGrant};
pub use rights::{
    AllowRole, AssignRole, CreatePermission, CreateRole, DisallowRole, EndGrant, RemovePermission,
    RemoveRole,
};
pub use rule::{PutBlockingRule, PutQuorumRule, RemoveRule};
pub use running::{SetExecution, SetPromotion};
pub use settings::SetRunnerSettings;
pub use staff::{
    AddMember, AssignModule, CreateTeam, EndMembership, RemoveTeam, RenameTeam, UnassignModule,
};
pub use template::{ApplyRoleTemplate, RoleTemplate};
pub use workflow::{RetireWorkflow, SetWorkflow};

use crate::audit::Event;
use crate::error::{Code, Error};
use crate::id::{ProjectId, UserId};

pub(crate) mod sealed {
    /// Only the commands in the list of `kind.rs` are commands.
    pub trait Sealed {
        /// Which one it is.
        const KIND: super::CommandKind;
    }
}

/// A command about one project. It takes PLATFORM_ADMIN or the action `manage` for the whole project.
///
/// ```
/// use placet_core::org::command::{CreateTeam, ProjectCommand};
/// # use placet_core::id::ProjectId;
///
/// /// What a host asks before it carries a command out.
/// fn question<C: ProjectCommand>(command: &C) -> String {
///     format!("{} in {}?", C::EVENT, command.project())
/// }
///
/// # let project = ProjectId::from_u128(1);
/// let command = CreateTeam { project, name: "Checkout".parse()? };
/// assert_eq!(question(&command), format!("org.team_created in {project}?"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait ProjectCommand: sealed::Sealed + fmt::Debug {
    /// What it gives back, such as the id of what it made.
    type Output;
    /// The event's code in the audit log.
    const EVENT: Event;

    /// The project.
    fn project(&self) -> ProjectId;

    /// The user that it is about, if it is about one.
    fn subject(&self) -> Option<UserId> {
        None
    }

    /// The people whom it names beside that.
    #[doc(hidden)]
    fn names(&self) -> Vec<UserId> {
        Vec::new()
    }

    /// The module or environment that it removes, which no request may refer to.
    #[doc(hidden)]
    fn removes(&self) -> Option<String> {
        None
    }

    /// What the audit log says of it where it writes many rows; nothing: what it says of each row.
    #[doc(hidden)]
    fn facts(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Checks the command against what is stored, and says what to write.
    #[doc(hidden)]
    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<Self::Output>, Error>;
}

pub(crate) fn unknown_user(user: UserId) -> Error {
    Error::new(Code::NotFound, format!("there is no user `{user}`"))
        .with_help("check the id, or ask an administrator of the platform to add them")
}

pub(crate) fn taken(what: &str, text: &str) -> Error {
    Error::new(Code::AlreadyExists, format!("there is already a {what} `{text}`"))
        .with_help("choose another, or use the one that is there")
}

pub(crate) fn in_use(what: &str, by: &str) -> Error {
    Error::new(Code::InUse, format!("this {what} is still used by {by}"))
        .with_help(format!("remove {by} first"))
}
