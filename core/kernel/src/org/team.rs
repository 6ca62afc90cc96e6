//! Teams, the modules they look after, and who is in them.

use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::text::Name;
use crate::id::{MembershipId, ModuleId, ProjectId, TeamId, UserId};

/// A row of `teams`.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let teams = gate.organisation(&office.root, office.project)?.teams;
/// assert_eq!(teams[0].name.as_str(), "Checkout");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let org = gate.organisation(&office.root, office.project)?;
///
/// let of_pagos = org.team_modules.iter().find(|row| row.module_id == office.module);
/// assert_eq!(of_pagos.map(|row| row.team_id), Some(org.teams[0].id));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct TeamModule {
    /// The team.
    pub team_id: TeamId,
    /// A module of the same project.
    pub module_id: ModuleId,
}

/// What a user is inside a team.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::AddMember;
/// use placet_core::org::{Interval, TeamRole};
///
/// # let team = gate.organisation(&office.root, office.project)?.teams[0].id;
/// let stand_in = AddMember {
///     project: office.project,
///     team,
///     user: office.bo.user(),
///     role: TeamRole::LeaderTemp,
///     valid: Interval::starting(gate.now()), // without an end
/// };
/// let error = gate.manage(&office.root, &stand_in).unwrap_err();
/// assert_eq!(error.code(), Code::InvalidInput);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::TeamRole;
///
/// let memberships = gate.organisation(&office.root, office.project)?.memberships;
/// let ana = memberships.iter().find(|row| row.user_id == office.ana.user());
/// assert!(ana.is_some_and(|row| row.role == TeamRole::Member && row.valid.until().is_none()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
