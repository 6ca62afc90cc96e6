//! Teams, the modules they look after, and who is in them.

use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::text::Name;
use crate::id::{MembershipId, ModuleId, ProjectId, TeamId, UserId};

/// A row of `teams`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Team {
    /// Primary key.
    pub id: TeamId,
    /// The project that it works in.
    pub project_id: ProjectId,
    /// Unique within the project.
    pub name: Name,
}

/// A row of `team_modules`: this team looks after this module.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct TeamModule {
    /// The team.
    pub team_id: TeamId,
    /// A module of the same project.
    pub module_id: ModuleId,
}

/// What a user is inside a team.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(clippy::exhaustive_enums, reason = "the three roles of the data dictionary")]
pub enum TeamRole {
    /// Answers for the team. At most one at any instant.
    LeaderPrimary,
    /// Stands in for the leader; must have an end.
    LeaderTemp,
    /// Works in the team.
    Member,
}

impl TeamRole {
    /// The role's name in the data dictionary.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeaderPrimary => "LEADER_PRIMARY",
            Self::LeaderTemp => "LEADER_TEMP",
            Self::Member => "MEMBER",
        }
    }
}

/// A row of `team_members`: puts a user in a team for a time.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Membership {
    /// Primary key.
    pub id: MembershipId,
    /// The team.
    pub team_id: TeamId,
    /// The user.
    pub user_id: UserId,
    /// What the user is in the team.
    pub role: TeamRole,
    /// When it holds: `valid_from` and `valid_to` of the data dictionary.
    pub valid: Interval,
}
