//! What a runner says it would do. Approvers see it, and approvals bind to its digest.

use serde::{Deserialize, Serialize};

use super::Finding;
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
    /// A digest of what the steps rest on at the target, such as the tables that they name, where the runner can tell.
    /// A run whose target rests on something else when it begins does nothing.
    pub basis: Option<Digest>,
}

impl Plan {
    /// A plan from its parts.
    pub const fn new(steps: Vec<Step>, findings: Vec<Finding>) -> Self {
        Self { steps, findings, basis: None }
    }

    /// The digest of what would be done: the steps and what they rest on in canonical form, without estimates (they
    /// change from hour to hour) and without findings. Computed here, never taken from a plugin.
    ///
    /// Fails as [`Digest::of_json`] does.
    pub fn digest(&self) -> Result<Digest, Error> {
        let signed: Vec<Step> =
            self.steps.iter().map(|step| Step { estimated_rows: None, ..step.clone() }).collect();
        Digest::of_json(&(signed, self.basis))
    }

    /// Whether a person must have looked at it: a finding says so.
    pub fn needs_person(&self) -> bool {
        self.findings.iter().any(|finding| finding.needs_person)
    }

    /// The rows that all steps of these plans that change something would touch, by their estimates; nothing where one
    /// of them has none, or where a plan has no steps.
    pub(crate) fn rows(plans: &[&Self]) -> Option<u64> {
        let steps = plans.iter().flat_map(|plan| &plan.steps);
        let rows =
            steps.map(Step::rows).try_fold(0, |sum: u64, rows| Some(sum.saturating_add(rows?)))?;
        plans.iter().all(|plan| !plan.steps.is_empty()).then_some(rows)
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
/// use placet_core::runner::{Effect, Impact, Plan, Risk, Step};
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
///     impact: Impact { objects: vec!["carts".to_owned()], ..Impact::default() },
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
    /// `read`, `write`, `ddl`, `deploy` or a word of the plugin's own; `unknown` where nobody can tell. Of a step of
    /// which nobody can tell, rules and policies believe nothing else either: it counts as the worst in all that it does.
    pub kind: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// What a lost answer would mean.
    pub effect: Effect,
    /// Rows it would touch, from a dry run or an estimate. Shown, not signed.
    pub estimated_rows: Option<u64>,
    /// Whether it can be undone.
    pub reversible: bool,
    /// What it does to its target besides.
    #[serde(default = "Impact::untold")]
    pub impact: Impact,
}

impl Step {
    /// Whether it changes something, as far as its kind tells: a word of a plugin's own may mean anything.
    pub(crate) fn changes(&self) -> bool {
        self.kind != "read"
    }

    /// Whether nobody can tell what it does: what it says of its locks, rows and objects is a guess then.
    pub(crate) fn is_unknown(&self) -> bool {
        self.kind == "unknown"
    }

    /// The lock that it takes for all that is known.
    pub(crate) fn lock(&self) -> Lock {
        if self.is_unknown() { Lock::Exclusive } else { self.impact.lock }
    }

    /// Whether it writes a whole table anew for all that is known.
    pub(crate) fn rewrites(&self) -> bool {
        self.is_unknown() || self.impact.rewrites
    }

    /// How many rows it changes; nothing where that is not known.
    pub(crate) fn rows(&self) -> Option<u64> {
        if self.changes() { self.estimated_rows.filter(|_| !self.is_unknown()) } else { Some(0) }
    }

    /// Whether its objects are all that it touches, as far as that matters: who only reads changes none of them.
    pub(crate) fn has_known_objects(&self) -> bool {
        !self.changes() || (!self.is_unknown() && !self.impact.objects.is_empty())
    }

    /// Whether it changes something for good, for all that is known.
    pub(crate) fn is_irreversible(&self) -> bool {
        self.is_unknown() || (self.changes() && !self.reversible)
    }
}

/// What a step does to its target, as far as it can be told from its text. With the kind, the risk, the rows and
/// whether it can be undone, these are what rules read.
///
/// ```
/// use placet_core::runner::{Impact, Lock};
///
/// let mut alter = Impact::default();
/// alter.lock = Lock::from_word("exclusive");
/// assert!(alter.lock > Lock::Rows, "nobody can read the table meanwhile");
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Impact {
    /// The strongest lock that it takes on anything.
    pub lock: Lock,
    /// Whether it writes a whole table anew.
    pub rewrites: bool,
    /// What it touches, such as `shop.orders`. None where that cannot be told, or where there is nothing.
    pub objects: Vec<String>,
}

impl Impact {
    /// That of a step which was written before steps told theirs: the worst.
    const fn untold() -> Self {
        Self { lock: Lock::Exclusive, rewrites: true, objects: Vec::new() }
    }
}

/// How much a step keeps others away from what it touches.
///
/// ```
/// use placet_core::runner::Lock;
/// assert_eq!(Lock::from_word("share"), Lock::Share);
/// assert_eq!(Lock::from_word("a feather"), Lock::Exclusive);
/// assert!(Lock::None < Lock::Rows && Lock::Rows < Lock::Share && Lock::Share < Lock::Exclusive);
/// ```
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "rules by lock must cover each of them")]
pub enum Lock {
    /// Nobody.
    #[default]
    None,
    /// Who would change the same rows.
    Rows,
    /// Who would change anything in the same table.
    Share,
    /// Everybody, also who only reads.
    Exclusive,
}

impl Lock {
    /// The stable text form.
    ///
    /// ```
    /// use placet_core::runner::Lock;
    /// assert_eq!(Lock::from_word(Lock::Share.as_str()), Lock::Share);
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rows => "rows",
            Self::Share => "share",
            Self::Exclusive => "exclusive",
        }
    }

    /// Reads the word of the plugin interface; a word that is not known is [`Self::Exclusive`].
    pub fn from_word(word: &str) -> Self {
        match word {
            "none" => Self::None,
            "rows" => Self::Rows,
            "share" => Self::Share,
            _ => Self::Exclusive,
        }
    }
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
    /// The stable text form.
    ///
    /// ```
    /// use placet_core::runner::Risk;
    /// assert_eq!(Risk::from_word(Risk::Critical.as_str()), Risk::Critical);
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

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
