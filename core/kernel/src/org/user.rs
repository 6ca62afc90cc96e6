//! Users: persons and agents that the host has authenticated.

use serde::{Deserialize, Serialize};

use super::text::{Email, Name};
use crate::id::UserId;

/// What stands behind a user.
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
