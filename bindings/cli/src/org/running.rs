//! How changes come to an environment, and how they are executed there.

use core::convert::Infallible;
use core::str::FromStr;
use std::path::PathBuf;

use clap::Args;
use placet::error::Error;
use placet::org::Slug;
use placet::org::command as kernel;
use serde::{Deserialize, Deserializer};

use crate::files;
use crate::names::{Named as _, Names};

/// From where changes are promoted to an environment.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetPromotion {
    /// The project.
    #[arg(long)]
    pub(super) project: String,
    /// The environment that changes come to.
    #[arg(long)]
    pub(super) environment: String,
    /// The one before it, by priority.
    #[arg(long)]
    pub(super) from: String,
    /// For how long a change must have stood there, in milliseconds.
    #[arg(long, default_value_t = 0)]
    #[serde(default)]
    pub(super) soak_ms: u64,
    /// No other change comes there.
    #[arg(long)]
    #[serde(default)]
    pub(super) only_promoted: bool,
}

/// Who starts runs in an environment, and how often.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetExecution {
    /// The project.
    #[arg(long)]
    pub(super) project: String,
    /// The environment.
    #[arg(long)]
    pub(super) environment: String,
    /// Only for this runner.
    #[arg(long)]
    pub(super) runner: Option<Slug>,
    /// The gate starts runs by itself, on behalf of who asked or who approved last.
    #[arg(long)]
    #[serde(default)]
    pub(super) automatic: bool,
    /// After how many failures there is no further attempt.
    #[arg(long)]
    pub(super) attempts_max: Option<u32>,
}

/// The settings of a runner in an environment: which rules of a review hold there, how many rows a query may answer,
/// whatever the runner knows. What was planned with others does not run. `{}` takes them away.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetRunnerSettings {
    /// The project.
    #[arg(long)]
    project: String,
    /// The environment.
    #[arg(long)]
    environment: String,
    /// The runner, such as `sql`.
    #[arg(long)]
    runner: Slug,
    /// A JSON file with the settings, one object; `-` is standard input. Credentials have no place in it.
    #[arg(long, value_name = "FILE")]
    settings: Settings,
}

/// Settings as they were written, or the file that they stand in: the gate looks at every letter of them.
#[derive(Clone, Debug)]
pub(crate) enum Settings {
    File(PathBuf),
    Said(String),
}

impl FromStr for Settings {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::File(PathBuf::from(text)))
    }
}

/// A file of commands has the object in its place.
impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = serde_json::Value::deserialize(deserializer)?;
        Ok(Self::Said(said.to_string()))
    }
}

impl SetRunnerSettings {
    /// With what stands in its file.
    pub(super) fn read(self) -> Result<Self, Error> {
        let text = match self.settings {
            Settings::File(path) => files::text(&path)?,
            Settings::Said(text) => text,
        };
        Ok(Self { settings: Settings::Said(text), ..self })
    }

    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::SetRunnerSettings, Error> {
        let Self { project, environment, runner, settings } = self;
        let settings = match settings {
            Settings::Said(text) => text,
            Settings::File(path) => files::text(&path)?,
        };
        let shop = names.organisation(&project)?;
        let (project, environment) = (shop.project.id, shop.environment_id(&environment)?);
        Ok(kernel::SetRunnerSettings { project, environment, runner, settings })
    }
}
