//! What a command of a project is checked against, and what comes of it. The types stand in signatures of
//! hidden methods, so they are public; nobody outside can name them.

use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{Ids, UserId};
use crate::org::Row;
use crate::org::User;
use crate::org::book::Book;
use crate::runner::Runner;
use crate::workflow::FormChecker;

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
    /// Those of the people whom the command names that there are.
    pub(crate) named: &'a [User],
    /// Whether requests refer to what the command removes.
    pub(crate) in_use: bool,
    pub(crate) now: Timestamp,
    pub(crate) ids: &'a dyn Ids,
    pub(crate) forms: &'a dyn FormChecker,
    pub(crate) runner: &'a dyn Runner,
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
