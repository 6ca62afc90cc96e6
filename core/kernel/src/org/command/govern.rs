//! Saying which commands need approval themselves.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{CommandKind, Decided, Desk, ProjectCommand};
use crate::audit::Event;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ModuleId, ProjectId};
use crate::org::{Governance, Row};

/// Says which commands of a project need approval themselves, and where they are reviewed. None: nothing does.
///
/// From then on [`Gate::manage`](crate::gate::Gate::manage) refuses those with [`Code::ApprovalRequired`], whoever
/// calls, and [`Gate::propose`](crate::gate::Gate::propose) makes a request of one. As long as any command needs
/// approval, this one does too. [`CommandKind::RIGHTS`] are those that leave no way around.
///
/// Fails with [`Code::NotFound`] for a place that the project does not have, with [`Code::InvalidInput`] for a
/// command of the platform, and with [`Code::QuorumUnsatisfiable`] where nobody could propose, approve and run
/// such a request now: the project would be locked. While the platform is governed in this project, one that leaves
/// out any of [`CommandKind::RIGHTS`], or reviews them elsewhere, is [`Code::Refused`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use std::collections::BTreeSet;
/// use placet_core::error::Code;
/// use placet_core::org::command::{CommandKind, CreateTeam, SetGovernance};
///
/// office.let_all_manage(&gate)?;
/// let (project, module, environment) = (office.project, office.module, office.environment);
/// let commands = BTreeSet::from([CommandKind::CreateTeam]);
/// gate.manage(&office.root, &SetGovernance { project, module, environment, commands })?;
///
/// let team = CreateTeam { project, name: "Storage".parse()? };
/// let error = gate.manage(&office.root, &team).unwrap_err();
/// assert_eq!(error.code(), Code::ApprovalRequired);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetGovernance {
    /// The project.
    pub project: ProjectId,
    /// The module in which they are reviewed.
    pub module: ModuleId,
    /// The environment in which they are reviewed.
    pub environment: EnvironmentId,
    /// The kinds of commands.
    pub commands: BTreeSet<CommandKind>,
}

/// Says which commands of the platform need approval themselves, and in which project they are reviewed. None:
/// nothing does.
///
/// It works as [`SetGovernance`] does, for [`Gate::administer`](crate::gate::Gate::administer) and
/// [`Gate::adopt_policies`](crate::gate::Gate::adopt_policies). Fails as that does, and with [`Code::Refused`]
/// unless the project itself governs all of [`CommandKind::RIGHTS`], and has them reviewed in the same module and
/// environment: else fewer people could name the approvers.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use std::collections::BTreeSet;
/// use placet_core::error::Code;
/// use placet_core::org::command::{CommandKind, SetPlatformGovernance};
///
/// let (project, module, environment) = (office.project, office.module, office.environment);
/// let commands = BTreeSet::from([CommandKind::GrantGlobalRole]);
/// let command = SetPlatformGovernance { project, module, environment, commands };
/// // In this project anybody who manages it could make approvers.
/// assert_eq!(gate.administer(&office.root, &command).unwrap_err().code(), Code::Refused);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetPlatformGovernance {
    /// The project in which they are reviewed.
    pub project: ProjectId,
    /// The module.
    pub module: ModuleId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The kinds of commands.
    pub commands: BTreeSet<CommandKind>,
}

/// Lets a set of policies decide from then on, as [`Gate::adopt_policies`](crate::gate::Gate::adopt_policies) does.
/// As data it is what is proposed where that needs approval.
///
/// ```
/// use placet_core::digest::Digest;
/// use placet_core::org::command::{AdoptPolicies, CommandKind, OrgCommand};
/// let command = OrgCommand::from(AdoptPolicies { digest: Digest::of(b"a set") });
/// assert_eq!((command.kind(), command.project()), (CommandKind::AdoptPolicies, None));
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct AdoptPolicies {
    /// The digest of the set.
    pub digest: Digest,
}

/// Refuses kinds of the other level.
pub(crate) fn check_level(
    commands: &BTreeSet<CommandKind>,
    is_of_a_project: bool,
) -> Result<(), Error> {
    match commands.iter().find(|kind| kind.is_of_a_project() != is_of_a_project) {
        None => Ok(()),
        Some(kind) => {
            let of = if is_of_a_project { "a project" } else { "the platform" };
            Err(Error::new(Code::InvalidInput, format!("`{kind}` is no command of {of}"))
                .with_help("govern commands of a project there, and those of the platform at it"))
        }
    }
}

impl ProjectCommand for SetGovernance {
    type Output = ();
    const EVENT: Event = Event::OrgGovernanceSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        check_level(&self.commands, true)?;
        let row = Governance {
            project_id: self.project,
            module_id: desk.book.module(self.module)?.id,
            environment_id: desk.book.environment(self.environment)?.id,
            commands: self.commands.clone(),
        };
        Ok(match (row.commands.is_empty(), &desk.book.governance) {
            (false, _) => Decided::put(Row::Governance(row), ()),
            (true, Some(there)) => Decided::remove(Row::Governance(there.clone()), ()),
            (true, None) => Decided { put: Vec::new(), remove: Vec::new(), output: () },
        })
    }
}
