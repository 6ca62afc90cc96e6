//! The settings of runners.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use super::{Decided, Desk, ProjectCommand};
use crate::audit::Event;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ProjectId};
use crate::org::settings::{NO_SETTINGS, canonical_settings};
use crate::org::{Row, RunnerSettings, Slug};
use crate::runner::own;

/// The most runners of one project that have settings, counted in each environment: each decision reads them.
const SETTINGS_MAX: usize = 64;

/// Gives a runner its settings in an environment: which rules of a review hold there, how many rows a query may answer,
/// whatever the runner knows. `{}` takes them away.
///
/// Whoever reads the organisation reads them: credentials have no place here. The runner looks at them first
/// ([`Runner::check_settings`](crate::runner::Runner::check_settings)).
///
/// A plan is made with the settings of its moment, and approvals bind to them as they do to the plugin: what was
/// planned with others does not run, and is planned and approved again. So nobody loosens, after the approval, what the
/// approvers relied on, and nothing runs past a rule that was made stricter since.
///
/// Fails with [`Code::NotFound`] for an environment that the project does not have, with [`Code::InvalidInput`] for
/// what is no JSON object or could be read in two ways, with [`Code::TooLarge`] for more than 16 KiB, and with what the
/// runner says of them.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::SetRunnerSettings;
///
/// let (project, environment) = (office.project, office.environment);
/// let set = |settings: &str| {
///     let (runner, settings) = ("sql".parse()?, settings.to_owned());
///     gate.manage(&office.root, &SetRunnerSettings { project, environment, runner, settings })
/// };
/// set(r#"{ "rows_max": 1000, "mask": ["people.email"] }"#)?;
/// let kept = gate.organisation(&office.root, project)?.runner_settings.remove(0);
/// assert_eq!(kept.settings, r#"{"mask":["people.email"],"rows_max":1000}"#);
/// assert_eq!(set("1000").unwrap_err().code(), Code::InvalidInput);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetRunnerSettings {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The runner.
    pub runner: Slug,
    /// A JSON object of at most 16 KiB.
    pub settings: String,
}

impl ProjectCommand for SetRunnerSettings {
    type Output = ();
    const EVENT: Event = Event::OrgRunnerSettingsSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn facts(&self) -> BTreeMap<String, String> {
        // What cannot be read is refused, and nothing is noted of it.
        let settings = canonical_settings(&self.settings).unwrap_or_default();
        [
            ("environment", self.environment.to_string()),
            ("runner", self.runner.to_string()),
            ("settings", Digest::of(settings.as_bytes()).to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let (environment_id, runner) =
            (desk.book.environment(self.environment)?.id, self.runner.clone());
        if own::is_own(&runner) {
            let sentence = format!("`{runner}` carries out commands, and has no settings");
            return Err(Error::new(Code::Refused, sentence)
                .with_help("name the runner of a plugin, such as `sql`"));
        }
        let settings = canonical_settings(&self.settings)?;
        let there = desk.book.runner_settings.get(&(environment_id, runner.clone()));
        if settings == NO_SETTINGS {
            let row = there.cloned().map(Row::RunnerSettings);
            return Ok(Decided { put: Vec::new(), remove: row.into_iter().collect(), output: () });
        }
        if there.is_none() && desk.book.runner_settings.len() >= SETTINGS_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("{SETTINGS_MAX} runners have settings here already"),
            )
            .with_help("take those of one away, or make a project of its own"));
        }
        // One that panics has not said that they are good.
        let looked =
            catch_unwind(AssertUnwindSafe(|| desk.runner.check_settings(&runner, &settings)));
        looked.unwrap_or_else(|_| {
            Err(Error::new(Code::InvalidInput, format!("`{runner}` failed on these settings"))
                .with_help("write them more simply"))
        })?;
        let row = RunnerSettings { environment_id, runner, settings };
        Ok(Decided::put(Row::RunnerSettings(row), ()))
    }
}
