//! Which commands need approval themselves.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::command::CommandKind;
use crate::authz::Scope;
use crate::id::{EnvironmentId, ModuleId, ProjectId};

/// Which commands nobody carries out alone, and where they are reviewed instead: as a request in that module and
/// environment, under its rules.
///
/// ```
/// use std::collections::BTreeSet;
/// use placet_core::id::{EnvironmentId, ModuleId, ProjectId};
/// use placet_core::org::Governance;
/// use placet_core::org::command::CommandKind;
/// let governance = Governance {
///     project_id: ProjectId::from_u128(1),
///     module_id: ModuleId::from_u128(2),
///     environment_id: EnvironmentId::from_u128(3),
///     commands: BTreeSet::from([CommandKind::SetQuorum]),
/// };
/// assert!(governance.governs(CommandKind::SetQuorum));
/// // Who could loosen it alone would not be governed.
/// assert!(governance.governs(CommandKind::SetGovernance));
/// assert!(!governance.governs(CommandKind::CreateTeam));
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct Governance {
    /// The project in which they are reviewed.
    pub project_id: ProjectId,
    /// The module.
    pub module_id: ModuleId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The kinds of commands. Never empty: then there is no governance.
    pub commands: BTreeSet<CommandKind>,
}

impl Governance {
    /// Whether commands of that kind need approval. The command that says so needs it with any other.
    pub fn governs(&self, kind: CommandKind) -> bool {
        let is_itself =
            matches!(kind, CommandKind::SetGovernance | CommandKind::SetPlatformGovernance);
        self.commands.contains(&kind) || is_itself && !self.commands.is_empty()
    }

    /// Where they are reviewed.
    pub const fn scope(&self) -> Scope {
        Scope::module(self.project_id, self.module_id, self.environment_id)
    }
}
