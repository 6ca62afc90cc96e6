//! The typed commands that change the organisation. Each is one value; the gate authorizes it, checks
//! it against everything that is stored of the project, and writes it with its leaf.

mod place;
mod staff;
mod rights;
mod platform;

use core::fmt;

pub use place::{
    CreateEnvironment, CreateModule, RemoveEnvironment, RemoveModule, SetQuorum, UpdateEnvironment,
    UpdateModule,
};
pub use platform::{
    CreateProject, CreateUser, GrantGlobalRole, RenameProject, RevokeGlobalRole, SetUserActive,
};
pub use rights::{
    AllowRole, AssignRole, CreatePermission, CreateRole, DisallowRole, EndGrant, RemovePermission,
    RemoveRole,
};
pub use staff::{
    AddMember, AssignModule, CreateTeam, EndMembership, RemoveTeam, RenameTeam, UnassignModule,
};

use super::Row;
use super::User;
use super::book::Book;
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{Ids, ProjectId, UserId};

pub(crate) mod sealed {
    /// Only the commands in this module are commands.
    pub trait Sealed {}
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
    const EVENT: &'static str;

    /// The project.
    fn project(&self) -> ProjectId;

    /// The user that it is about, if it is about one.
    fn subject(&self) -> Option<UserId> {
        None
    }

    /// The module or environment that it removes, which no request may refer to.
    #[doc(hidden)]
    fn removes(&self) -> Option<String> {
        None
    }

    /// Checks the command against what is stored, and says what to write.
    #[doc(hidden)]
    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<Self::Output>, Error>;
}

/// What a command is checked against.
///
/// Only the gate lays one out: what is stored of the project, who calls, and when.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # use placet_core::{error::Code, org::command::CreateModule};
/// // The code is compared with every module that is stored of this project.
/// let again = CreateModule { project: office.project, code: "pagos".parse()?, name: "Pagos".parse()? };
/// assert_eq!(gate.manage(&office.root, &again).unwrap_err().code(), Code::AlreadyExists);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
pub struct Desk<'a> {
    pub(crate) book: &'a Book,
    pub(crate) caller: UserId,
    pub(crate) subject: Option<&'a User>,
    /// Whether requests refer to what the command removes.
    pub(crate) in_use: bool,
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a dyn Ids,
}

/// What a command writes, and what it gives back.
///
/// The gate writes it and hands on what it gives back.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # use placet_core::org::command::CreateTeam;
/// let command = CreateTeam { project: office.project, name: "Storage".parse()? };
/// let team = gate.manage(&office.root, &command)?;
/// let teams = gate.organisation(&office.root, office.project)?.teams;
/// assert!(teams.iter().any(|row| row.id == team));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
pub struct Decided<T> {
    pub(crate) put: Vec<Row>,
    pub(crate) remove: Vec<Row>,
    pub(crate) output: T,
}

impl<T> Decided<T> {
    pub(crate) fn put(row: Row, output: T) -> Self {
        Self { put: vec![row], remove: Vec::new(), output }
    }

    pub(crate) fn remove(row: Row, output: T) -> Self {
        Self { put: Vec::new(), remove: vec![row], output }
    }
}

impl Desk<'_> {
    pub(crate) fn subject(&self) -> Result<&User, Error> {
        self.subject.ok_or_else(|| Error::new(Code::Internal, "a command lost its user"))
    }

    /// Nobody grants anything to themselves.
    pub(crate) fn refuse_self(&self, user: UserId, what: &str) -> Result<(), Error> {
        if user == self.caller {
            return Err(Error::new(Code::Refused, format!("`{user}` cannot {what} to themselves"))
                .with_help("ask another administrator of the project"));
        }
        Ok(())
    }
}

pub(crate) fn taken(what: &str, text: &str) -> Error {
    Error::new(Code::AlreadyExists, format!("there is already a {what} `{text}`"))
        .with_help("choose another, or use the one that is there")
}

pub(crate) fn in_use(what: &str, by: &str) -> Error {
    Error::new(Code::InUse, format!("this {what} is still used by {by}"))
        .with_help(format!("remove {by} first"))
}
