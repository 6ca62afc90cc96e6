//! How changes come to an environment, and how they are executed there.

use serde::{Deserialize, Serialize};

use super::{Decided, Desk, ProjectCommand};
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ProjectId};
use crate::org::{ExecutionMode, ExecutionRule, PromotionRule, Row, Slug};

/// Says from where changes are promoted to an environment, and after how long.
///
/// Fails with [`Code::NotFound`] for an environment that the project does not have, and with [`Code::InvalidInput`] where
/// a stage would be skipped: `from` must be the one before it, by priority.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::Criticality;
/// use placet_core::org::command::{CreateEnvironment, SetPromotion};
///
/// let (project, from) = (office.project, office.environment);
/// let (code, name, criticality) = ("prod".parse()?, "Production".parse()?, Criticality::Critical);
/// let prod = CreateEnvironment { project, code, name, priority: 2, criticality };
/// let environment = gate.manage(&office.root, &prod)?;
/// let soak_ms = 24 * 60 * 60 * 1_000;
/// let rule = SetPromotion { project, environment, from, soak_ms, only_promoted: true };
/// gate.manage(&office.root, &rule)?;
/// assert_eq!(gate.organisation(&office.root, project)?.promotions[0].soak_ms, soak_ms);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetPromotion {
    /// The project.
    pub project: ProjectId,
    /// The environment that changes come to.
    pub environment: EnvironmentId,
    /// The one that they come from.
    pub from: EnvironmentId,
    /// For how long a change must have stood there, in milliseconds.
    pub soak_ms: u64,
    /// Whether no other change comes there.
    pub only_promoted: bool,
}

/// Says how changes are executed in an environment.
///
/// Requests that were approved before keep the mode of that moment. Fails with [`Code::NotFound`] for an environment that
/// the project does not have, and with [`Code::InvalidInput`] for 0 attempts.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::ExecutionMode;
/// use placet_core::org::command::SetExecution;
///
/// let (project, environment, mode) = (office.project, office.environment, ExecutionMode::Automatic);
/// let rule = SetExecution { project, environment, runner: None, mode, attempts_max: None };
/// gate.manage(&office.root, &rule)?;
/// let rules = gate.organisation(&office.root, project)?.executions;
/// assert_eq!((rules.len(), rules[0].mode), (1, mode));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetExecution {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The runner; without one, it is for all that have no rule of their own.
    pub runner: Option<Slug>,
    /// Who starts runs.
    pub mode: ExecutionMode,
    /// After how many runs that failed there is no further attempt.
    pub attempts_max: Option<u32>,
}

impl ProjectCommand for SetPromotion {
    type Output = ();
    const EVENT: Event = Event::OrgPromotionSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        desk.book.check_stage(self.from, self.environment)?;
        let Self { project: _, environment: environment_id, from, soak_ms, only_promoted } = *self;
        let rule = PromotionRule { environment_id, from, soak_ms, only_promoted };
        Ok(Decided::put(Row::Promotion(rule), ()))
    }
}

impl ProjectCommand for SetExecution {
    type Output = ();
    const EVENT: Event = Event::OrgExecutionSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let environment_id = desk.book.environment(self.environment)?.id;
        if self.attempts_max == Some(0) {
            return Err(Error::new(Code::InvalidInput, "0 attempts would run nothing")
                .with_help("write 1 for changes that are asked for anew when they fail"));
        }
        let (runner, mode) = (self.runner.clone(), self.mode);
        let rule = ExecutionRule { environment_id, runner, mode, attempts_max: self.attempts_max };
        Ok(Decided::put(Row::Execution(rule), ()))
    }
}
