//! What can be done, by name, and which rule decides about it.

use core::fmt;
use core::str::FromStr;
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};
use crate::org::is_slug;

/// The name of an action. Ten are built in; a project may add its own, such as `deploy`.
///
/// ```
/// use placet_core::authz::{Action, Rule};
/// assert_eq!(Action::APPROVE.as_str(), "approve");
/// assert_eq!("deploy".parse::<Action>()?.rule(), Rule::TwoLegs);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Action(Cow<'static, str>);

/// Which rule decides about an action.
///
/// ```
/// use placet_core::authz::{Action, Rule};
/// let needs_a_team = |action: Action| action.rule() == Rule::TwoLegs;
/// assert!(needs_a_team(Action::EXECUTE));
/// assert!(!needs_a_team(Action::READ));
/// assert_eq!(Action::ADMINISTER.rule(), Rule::Administer);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "both deciders must cover every rule")]
pub enum Rule {
    /// An active user with a live membership in a team of the module, and a live grant of a role with
    /// the permission.
    TwoLegs,
    /// A live grant with the permission is enough; AUDITOR may too.
    Read,
    /// PLATFORM_ADMIN, or a live grant of a role with a permission for the whole project.
    Manage,
    /// PLATFORM_ADMIN only.
    Administer,
    /// PLATFORM_ADMIN or AUDITOR.
    Audit,
}

impl Action {
    /// Draft, edit, submit and withdraw requests.
    pub const REQUEST: Self = Self(Cow::Borrowed("request"));
    /// Approve, reject, ask for changes.
    pub const APPROVE: Self = Self(Cow::Borrowed("approve"));
    /// Execute approved requests, verify their outcome.
    pub const EXECUTE: Self = Self(Cow::Borrowed("execute"));
    /// Undo an approval, where the workflow has that.
    pub const REVERT: Self = Self(Cow::Borrowed("revert"));
    /// Bring back what was rejected, where the workflow has that.
    pub const RESTORE: Self = Self(Cow::Borrowed("restore"));
    /// Report what the host's own checks, such as its tests, said of a change.
    pub const CHECK: Self = Self(Cow::Borrowed("check"));
    /// See the project and its requests.
    pub const READ: Self = Self(Cow::Borrowed("read"));
    /// Manage the teams, modules, environments, roles and grants of a project.
    pub const MANAGE: Self = Self(Cow::Borrowed("manage"));
    /// Manage users, projects and global roles. Never part of a project role.
    pub const ADMINISTER: Self = Self(Cow::Borrowed("administer"));
    /// Read the global audit. Never part of a project role.
    pub const AUDIT: Self = Self(Cow::Borrowed("audit"));

    const BUILT_IN: [Self; 10] = [
        Self::REQUEST,
        Self::APPROVE,
        Self::EXECUTE,
        Self::REVERT,
        Self::RESTORE,
        Self::CHECK,
        Self::READ,
        Self::MANAGE,
        Self::ADMINISTER,
        Self::AUDIT,
    ];

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether verbs by which a request goes on take it: of these, policies are told what its plan says.
    pub(crate) fn goes_on(&self) -> bool {
        [Self::REQUEST, Self::APPROVE, Self::EXECUTE].contains(self)
    }

    /// The rule that decides about this action.
    pub fn rule(&self) -> Rule {
        match self.as_str() {
            "read" => Rule::Read,
            "manage" => Rule::Manage,
            "administer" => Rule::Administer,
            "audit" => Rule::Audit,
            _ => Rule::TwoLegs,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Action {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // Those that every question is about take no memory.
        if let Some(known) = Self::BUILT_IN.iter().find(|known| known.as_str() == text) {
            return Ok(known.clone());
        }
        if is_slug(text) {
            return Ok(Self(Cow::Owned(text.to_owned())));
        }
        let shown = crate::letters::shown(text);
        Err(Error::new(Code::InvalidInput, format!("`{shown}` is not an action"))
            .with_help("write 1 to 63 of: a to z, 0 to 9, `-`"))
    }
}

impl TryFrom<String> for Action {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.0.into_owned()
    }
}
