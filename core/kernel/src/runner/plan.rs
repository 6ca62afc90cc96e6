//! What a runner says it would do. Approvers see it, and approvals bind to its digest.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;
use crate::org::Slug;

/// The steps that a run would take, and what was found while looking.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What an approver should know.
    pub findings: Vec<Finding>,
}

impl Plan {
    /// A plan from its parts.
    pub const fn new(steps: Vec<Step>, findings: Vec<Finding>) -> Self {
        Self { steps, findings }
    }

    /// The digest of what would be done: the steps in canonical form, without estimates (they change
    /// from hour to hour) and without findings. Computed here, never taken from a plugin.
    pub fn digest(&self) -> Result<Digest, Error> {
        let signed: Vec<Step> =
            self.steps.iter().map(|step| Step { estimated_rows: None, ..step.clone() }).collect();
        Digest::of_json(&signed)
    }

    /// The greatest risk of any step.
    pub fn risk(&self) -> Risk {
        self.steps.iter().map(|step| step.risk).max().unwrap_or(Risk::High)
    }
}

/// One step.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Step {
    /// Names the step within the plan.
    pub id: String,
    /// A few words.
    pub title: String,
    /// The exact text that would be run or sent.
    pub body: String,
    /// The digest of `body`.
    pub body_digest: Digest,
    /// The name of the target.
    pub target: Slug,
    /// `read`, `write`, `ddl`, `deploy` or a word of the plugin's own.
    pub kind: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// What a lost answer would mean.
    pub effect: Effect,
    /// Rows it would touch, from a dry run or an estimate. Shown, not signed.
    pub estimated_rows: Option<u64>,
    /// Whether it can be undone.
    pub reversible: bool,
}

/// How much harm a step can do. What cannot be told is at least [`Risk::High`].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "rules by risk must cover each of them")]
pub enum Risk {
    /// None.
    None,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// Everything.
    Critical,
}

impl Risk {
    /// Reads the word of the plugin interface; a word that is not known is [`Self::High`].
    pub fn from_word(word: &str) -> Self {
        match word {
            "none" => Self::None,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "critical" => Self::Critical,
            _ => Self::High,
        }
    }
}

/// What it means for a step when its answer is lost.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "execution must cover each of them")]
pub enum Effect {
    /// Committed with our marker row or not at all.
    Transactional,
    /// Doing it twice is like doing it once.
    Idempotent,
    /// Must not be sent again.
    AtMostOnce,
}

impl Effect {
    /// Reads the word of the plugin interface; a word that is not known is [`Self::AtMostOnce`].
    pub fn from_word(word: &str) -> Self {
        match word {
            "transactional" => Self::Transactional,
            "idempotent" => Self::Idempotent,
            _ => Self::AtMostOnce,
        }
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "an error refuses; whoever shows findings must know")]
pub enum Level {
    /// Good to know.
    Info,
    /// Look twice.
    Warning,
    /// This refuses the payload.
    Error,
}

/// Something that an approver should know.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// A stable code such as `sql.no_where`.
    pub code: String,
    /// What was found, in words.
    pub message: String,
    /// The step that it is about.
    pub step: Option<String>,
    /// The line in the payload's text, counted from 1.
    pub line: Option<u32>,
}
