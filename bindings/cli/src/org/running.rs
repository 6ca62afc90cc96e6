//! How changes come to an environment, and how they are executed there.

use clap::Args;
use placet::org::Slug;
use serde::Deserialize;

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
