//! Which requests a rule is about: where they are, how they go, and what their plans say.

use serde::{Deserialize, Serialize};

use super::book::Book;
use super::project::Criticality;
use super::text::Slug;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ModuleId};
use crate::letters::misleads;
use crate::request::Header;
use crate::runner::{Finding, Level, Lock, Plan, Risk, Step};

/// The most members of one condition.
const LIST_MAX: usize = 32;
/// The longest code of a finding, in bytes.
const CODE_BYTES_MAX: usize = 100;
/// The longest kind of a step, in bytes.
const KIND_BYTES_MAX: usize = 64;
/// The longest name of an object, in bytes: a database, a schema and a table of 63 letters each, and some.
const OBJECT_BYTES_MAX: usize = 200;

/// What a request must be for a rule to hold: all that is said here. What is left open fits every request.
///
/// ```
/// use placet_core::org::{Conditions, Criticality, FindingIs};
/// use placet_core::runner::{Level, Lock, Risk};
///
/// let mut strict = Conditions::default();
/// strict.criticality = Some(Criticality::High); // or more
/// strict.risk = Some(Risk::High); // or more
/// strict.findings = vec![FindingIs::Level(Level::Warning), FindingIs::Code("sql.drop".to_owned())];
/// strict.lock = Some(Lock::Exclusive); // or more
/// strict.rows = Some(10_000); // or more, or nobody knows how many
/// strict.objects = vec!["shop.orders".to_owned()];
/// assert!(strict.modules.is_empty(), "of whatever module");
/// ```
///
/// What a plan does not tell counts as the worst: a step that changes something and has no estimate changes too many
/// rows, one without known objects touches each of them, and of a plan without steps everything is true, as of a step of
/// the kind `unknown`: nobody can tell what that does, so it is of each kind. A step changes something unless its kind is
/// `read`. Of a batch, it is enough that one of its plans fits; rows are those of
/// all of them together.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Conditions {
    /// One of these modules.
    pub modules: Vec<ModuleId>,
    /// One of these environments.
    pub environments: Vec<EnvironmentId>,
    /// An environment of at least this criticality.
    pub criticality: Option<Criticality>,
    /// One of these workflows, such as `change`.
    pub workflows: Vec<Slug>,
    /// One of these runners, such as `sql`.
    pub runners: Vec<Slug>,
    /// A plan of at least this risk. A plan without steps has the risk `high`, and so has a step of which it is not known.
    pub risk: Option<Risk>,
    /// A plan with at least one such finding.
    pub findings: Vec<FindingIs>,
    /// A step of one of these kinds, such as `ddl`.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// A step that takes at least this lock.
    #[serde(default)]
    pub lock: Option<Lock>,
    /// Whether a step must write a whole table anew. `false` leaves it open.
    #[serde(default)]
    pub rewrites: bool,
    /// At least so many rows, as estimated for all steps that change something.
    #[serde(default)]
    pub rows: Option<u64>,
    /// A step that touches one of these, such as `shop.orders`. Letters count alike in either case, and of two names that
    /// say differently much, what both say is compared: `orders` may be that of any schema.
    #[serde(default)]
    pub objects: Vec<String>,
    /// Whether a step that changes something must be one that cannot be undone. `false` leaves it open.
    #[serde(default)]
    pub irreversible: bool,
}

/// Which finding of a plan is meant.
///
/// ```
/// use placet_core::org::FindingIs;
/// use placet_core::runner::Level;
/// assert_ne!(FindingIs::Level(Level::Warning), FindingIs::Code("sql.no_where".to_owned()));
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a finding has a code and a level")]
pub enum FindingIs {
    /// One with this code, such as `sql.no_where`.
    Code(String),
    /// One of at least this level.
    Level(Level),
}

impl FindingIs {
    fn fits(&self, finding: &Finding) -> bool {
        match self {
            Self::Code(code) => finding.code == *code,
            Self::Level(level) => finding.level >= *level,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let Self::Code(code) = self else { return Ok(()) };
        let is_long = code.is_empty() || code.len() > CODE_BYTES_MAX;
        if is_long || code.chars().any(|letter| misleads(letter) || letter.is_whitespace()) {
            return Err(Error::new(Code::InvalidInput, "this is not the code of a finding")
                .with_help("write a code as a runner does, such as `sql.no_where`"));
        }
        Ok(())
    }
}

impl Conditions {
    /// Whether a request with this plan is one that the rule is about.
    pub(crate) fn fit(&self, header: &Header, plans: &[&Plan], criticality: Criticality) -> bool {
        let open_or = |is_open: bool, fits: bool| is_open || fits;
        open_or(self.modules.is_empty(), self.modules.contains(&header.module_id))
            && open_or(
                self.environments.is_empty(),
                self.environments.contains(&header.environment_id),
            )
            && self.criticality.is_none_or(|least| criticality >= least)
            && open_or(self.workflows.is_empty(), self.workflows.contains(&header.workflow))
            && open_or(self.runners.is_empty(), self.runners.contains(&header.runner))
            && self.risk.is_none_or(|least| plans.iter().any(|plan| plan.risk() >= least))
            && open_or(
                self.findings.is_empty(),
                plans.iter().any(|plan| has_finding(&self.findings, plan)),
            )
            && self.fit_steps(plans)
    }

    /// Whether the steps of the plans are such ones. A plan without steps says nothing, and fits whatever is asked.
    fn fit_steps(&self, plans: &[&Plan]) -> bool {
        let any = |fits: &dyn Fn(&Step) -> bool| {
            plans.iter().any(|plan| plan.steps.is_empty() || plan.steps.iter().any(fits))
        };
        let touches = |step: &Step| {
            let objects = &step.impact.objects;
            !step.has_known_objects()
                || objects.iter().any(|object| self.objects.iter().any(|one| same(one, object)))
        };
        let is_kind = |step: &Step| step.is_unknown() || self.kinds.contains(&step.kind);
        (self.kinds.is_empty() || any(&is_kind))
            && self.lock.is_none_or(|least| any(&|step| step.lock() >= least))
            && (!self.rewrites || any(&Step::rewrites))
            && self.rows.is_none_or(|least| Plan::rows(plans).is_none_or(|rows| rows >= least))
            && (self.objects.is_empty() || any(&touches))
            && (!self.irreversible || any(&Step::is_irreversible))
    }

    /// Refuses what the project does not have, and what is too long.
    pub(crate) fn check(&self, book: &Book) -> Result<(), Error> {
        let lens = [
            self.modules.len(),
            self.environments.len(),
            self.workflows.len(),
            self.runners.len(),
            self.findings.len(),
            self.kinds.len(),
            self.objects.len(),
        ];
        if lens.iter().any(|len| *len > LIST_MAX) {
            let sentence = format!("a condition of a rule has over {LIST_MAX} members");
            return Err(Error::new(Code::TooLarge, sentence).with_help("write two rules"));
        }
        self.modules.iter().try_for_each(|id| book.module(*id).map(drop))?;
        self.environments.iter().try_for_each(|id| book.environment(*id).map(drop))?;
        self.findings.iter().try_for_each(FindingIs::check)?;
        self.kinds.iter().try_for_each(|kind| check_kind(kind))?;
        self.objects.iter().try_for_each(|object| check_object(object))
    }
}

/// Whether the plan has one of these findings.
pub(super) fn has_finding(wanted: &[FindingIs], plan: &Plan) -> bool {
    plan.findings.iter().any(|finding| wanted.iter().any(|one| one.fits(finding)))
}

/// Refuses what is no word of a runner for what a step is.
fn check_kind(kind: &str) -> Result<(), Error> {
    let is_long = kind.is_empty() || kind.len() > KIND_BYTES_MAX;
    if is_long || kind.chars().any(|letter| misleads(letter) || letter.is_whitespace()) {
        return Err(Error::new(Code::InvalidInput, "this is not the kind of a step")
            .with_help("write a word as a runner does, such as `write` or `ddl`"));
    }
    Ok(())
}

/// Refuses what nothing can be named by.
fn check_object(object: &str) -> Result<(), Error> {
    let is_long = object.trim() != object || object.is_empty() || object.len() > OBJECT_BYTES_MAX;
    if is_long || object.chars().any(misleads) {
        return Err(Error::new(Code::InvalidInput, "this is not the name of an object")
            .with_help("write a name as plans do, such as `shop.orders`"));
    }
    Ok(())
}

/// Whether two names may mean the same: a name without a schema may be of any.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    one.rsplit('.').zip(other.rsplit('.')).all(|(one, other)| one == other)
}
