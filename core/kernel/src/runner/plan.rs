//! What a runner says it would do. Approvers see it, and approvals bind to its digest.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;
use crate::org::Slug;

/// The steps that a run would take, and what was found while looking.
///
/// ```
/// use placet_core::runner::Risk;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let draft = gate.draft(&office.ana, &office.request(office.change("1")?))?.header.id;
///
/// let plan = gate.plan(&office.ana, draft)?;
/// assert_eq!(plan.risk(), Risk::Low);
///
/// let mut other = plan.clone();
/// other.steps[0].estimated_rows = Some(9_000); // an estimate moves, the approval stays
/// assert_eq!(other.digest()?, plan.digest()?);
/// other.steps[0].body.push_str("; DROP TABLE carts");
/// assert_ne!(other.digest()?, plan.digest()?);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
    ///
    /// Fails as [`Digest::of_json`] does.
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
///
/// ```
/// use placet_core::digest::Digest;
/// use placet_core::runner::{Effect, Plan, Risk, Step};
/// let body = "DELETE FROM carts WHERE paid";
/// let step = Step {
///     id: "1".to_owned(),
///     title: "forget paid carts".to_owned(),
///     body: body.to_owned(),
///     body_digest: Digest::of(body.as_bytes()),
///     target: "orders".parse()?,
///     kind: "write".to_owned(),
///     risk: Risk::Medium,
///     effect: Effect::Transactional,
///     estimated_rows: Some(120),
///     reversible: false,
/// };
/// assert_eq!(Plan::new(vec![step], Vec::new()).risk(), Risk::Medium);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// use placet_core::runner::Risk;
/// assert!(Risk::Low < Risk::Critical);
/// assert_eq!(Risk::from_word("medium"), Risk::Medium);
/// assert_eq!(Risk::from_word("harmless, trust me"), Risk::High);
/// ```
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
///
/// ```
/// use placet_core::runner::Effect;
/// // Whether a step may be sent once more when its answer was lost.
/// let may_repeat = |word: &str| Effect::from_word(word) == Effect::Idempotent;
/// assert!(may_repeat("idempotent"));
/// assert!(!may_repeat("at-most-once"));
/// assert!(!may_repeat("who knows"));
/// ```
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
///
/// ```
/// use placet_core::runner::{Level, Runner};
/// # use placet_core::testing::ScriptedRunner;
/// # let runner = ScriptedRunner::default();
/// let refuses = |payload: &str| -> Result<bool, placet_core::error::Error> {
///     let findings = runner.validate(&"sql".parse()?, payload)?;
///     Ok(findings.iter().any(|finding| finding.level == Level::Error))
/// };
/// assert!(refuses("\"refuse\"")?);
/// assert!(!refuses("\"raise the price\"")?);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
///
/// ```
/// use placet_core::error::Code;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let draft = gate.draft(&office.ana, &office.request(office.change("\"warn\"")?))?.header.id;
///
/// let finding = &gate.plan(&office.ana, draft)?.findings[0];
/// assert_eq!(finding.code, "scripted.warn");
/// assert_eq!(finding.message, "the script found something");
///
/// let error = gate.submit(&office.ana, draft).expect_err("its level is error");
/// assert_eq!(error.code(), Code::InvalidPayload);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
