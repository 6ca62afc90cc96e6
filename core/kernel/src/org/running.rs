//! How changes come to an environment, and who starts their runs there.

use serde::{Deserialize, Serialize};

use super::text::Slug;
use crate::id::EnvironmentId;

/// From where changes come to an environment.
///
/// ```
/// use placet_core::id::EnvironmentId;
/// use placet_core::org::PromotionRule;
/// let (dev, staging) = (EnvironmentId::from_u128(1), EnvironmentId::from_u128(2));
/// let rule = PromotionRule { environment_id: staging, from: dev, soak_ms: 3_600_000, only_promoted: true };
/// assert_eq!(rule.from, dev);
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct PromotionRule {
    /// The environment that changes come to.
    pub environment_id: EnvironmentId,
    /// The one that they come from.
    pub from: EnvironmentId,
    /// For how long a change must have stood there, in milliseconds.
    pub soak_ms: u64,
    /// Whether no other change comes there: one that was not promoted is refused.
    pub only_promoted: bool,
}

/// Who starts the run of a change that enough people agreed to.
///
/// ```
/// use placet_core::org::ExecutionMode;
/// assert_eq!(ExecutionMode::default(), ExecutionMode::Manual);
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever starts a run must know which it is")]
pub enum ExecutionMode {
    /// Somebody who may execute.
    #[default]
    Manual,
    /// The gate, on behalf of somebody who may execute: who asked, or who approved last.
    Automatic,
}

impl ExecutionMode {
    /// The stable text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Automatic => "automatic",
        }
    }
}

/// How changes are executed in an environment.
///
/// ```
/// use placet_core::id::EnvironmentId;
/// use placet_core::org::{ExecutionMode, ExecutionRule};
/// let rule = ExecutionRule {
///     environment_id: EnvironmentId::from_u128(1),
///     runner: Some("sql".parse()?),
///     mode: ExecutionMode::Automatic,
///     attempts_max: Some(1), // whatever failed is asked for anew
/// };
/// assert_eq!(rule.mode.as_str(), "automatic");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct ExecutionRule {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The runner; without one, it is for all that have no rule of their own.
    pub runner: Option<Slug>,
    /// Who starts runs.
    pub mode: ExecutionMode,
    /// After how many runs that failed there is no further attempt. The limit
    /// [`attempts_max`](crate::limits::Limits::attempts_max) holds beside it.
    pub attempts_max: Option<u32>,
}
