//! Users: persons and agents that the host has authenticated.

use serde::{Deserialize, Serialize};

use super::text::{Email, Name};
use crate::id::UserId;

/// What stands behind a user.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::UserKind;
/// use placet_core::org::command::CreateUser;
///
/// let (email, display_name) = ("bot@example.org".parse()?, "Bot".parse()?);
/// gate.administer(&office.root, &CreateUser { kind: UserKind::Agent, email, display_name })?;
/// let users = gate.users(&office.root, None)?.items;
/// assert_eq!(users.iter().filter(|user| user.kind == UserKind::Agent).count(), 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever decides about approvals must see every kind")]
pub enum UserKind {
    /// A human being.
    Person,
    /// A program that acts by itself, such as an AI agent. It may draft and submit; it never approves.
    Agent,
}

/// A row of `users`. Credentials are not part of it: the host authenticates.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let users = gate.users(&office.root, None)?.items;
/// let ana = users.iter().find(|user| user.email.as_str() == "ana@example.org");
/// assert!(ana.is_some_and(|user| user.id == office.ana.user() && user.is_active));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct User {
    /// Primary key.
    pub id: UserId,
    /// Person or agent.
    pub kind: UserKind,
    /// Unique over all users, upper and lower case taken as equal.
    pub email: Email,
    /// What people see.
    pub display_name: Name,
    /// Whether the user may do anything at all. New users are active.
    pub is_active: bool,
}
