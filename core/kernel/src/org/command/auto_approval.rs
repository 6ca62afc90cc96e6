//! Whether artifacts that agents made need nobody's approval in an environment.

use serde::{Deserialize, Serialize};

use super::{Decided, Desk, ProjectCommand};
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ProjectId};
use crate::org::{AutoApproval, Criticality, Environment, Row};

/// Says whether artifacts that agents alone made are approved by rule when they are submitted, in one environment.
/// It is off unless somebody says otherwise, and it never reaches the workflow `change`.
///
/// The rule acts when such an artifact is submitted, and in the same commit: it goes from being written to approved, as
/// the artifact workflow of the requirements asks, and is pending for nobody. Until an agent submits it, it is a draft
/// like any other, and a person who edits it before takes it out of the rule.
///
/// Only an environment of the lowest criticality can have it on, and one that is made more critical later has it
/// off from then on. Fails with [`Code::Refused`] for any other, and with [`Code::NotFound`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::Criticality;
/// use placet_core::org::command::{SetAutoApproveAi, UpdateEnvironment};
///
/// let (project, environment) = (office.project, office.environment);
/// let on = SetAutoApproveAi { project, environment, is_on: true };
/// gate.manage(&office.root, &on)?;
/// assert!(gate.organisation(&office.root, project)?.auto_approvals[0].is_on);
///
/// let (name, criticality) = ("Development".parse()?, Criticality::Medium);
/// let raise = UpdateEnvironment { project, environment, name, priority: 1, criticality };
/// gate.manage(&office.root, &raise)?;
/// assert!(!gate.organisation(&office.root, project)?.auto_approvals[0].is_on);
/// assert_eq!(gate.manage(&office.root, &on).unwrap_err().code(), Code::Refused);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetAutoApproveAi {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// Whether it is on.
    pub is_on: bool,
}

impl ProjectCommand for SetAutoApproveAi {
    type Output = ();
    const EVENT: Event = Event::OrgAutoApproveAiSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let environment = desk.book.environment(self.environment)?;
        if self.is_on && environment.criticality != Criticality::Low {
            let code = &environment.code;
            return Err(Error::new(
                Code::Refused,
                format!("`{code}` is too critical for an approval by rule"),
            )
            .with_help("only an environment of criticality `low` can have it; ask a person here"));
        }
        let row = AutoApproval { environment_id: environment.id, is_on: self.is_on };
        Ok(Decided::put(Row::AutoApproval(row), ()))
    }
}

/// What switches the rule off, where `environment` is too critical for it from now on.
pub(super) fn switched_off(desk: &Desk<'_>, environment: &Environment) -> Option<Row> {
    let is_on = desk.book.auto_approvals.get(&environment.id).is_some_and(|is_on| *is_on);
    (is_on && environment.criticality != Criticality::Low)
        .then_some(Row::AutoApproval(AutoApproval { environment_id: environment.id, is_on: false }))
}
