//! Rules of a project about approvals: which quorum holds where, and what stops an approval.

use serde::{Deserialize, Serialize};

use super::book::Book;
use super::project::Criticality;
use super::text::{Name, Slug};
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ModuleId, ProjectId, RuleId};
use crate::letters::misleads;
use crate::request::{Header, Quorum};
use crate::runner::{Finding, Level, Plan, Risk};

/// The most rules of each kind in a project.
pub const RULES_MAX: usize = 100;
/// The most members of one condition.
const LIST_MAX: usize = 32;
/// The longest code of a finding, in bytes.
const CODE_BYTES_MAX: usize = 100;

/// What a request must be for a rule to hold: all that is said here. What is left open fits every request.
///
/// ```
/// use placet_core::org::{Conditions, Criticality, FindingIs};
/// use placet_core::runner::{Level, Risk};
///
/// let mut strict = Conditions::default();
/// strict.criticality = Some(Criticality::High); // or more
/// strict.risk = Some(Risk::High); // or more
/// strict.findings = vec![FindingIs::Level(Level::Warning), FindingIs::Code("sql.drop".to_owned())];
/// assert!(strict.modules.is_empty(), "of whatever module");
/// ```
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

    fn check(&self) -> Result<(), Error> {
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
    }

    /// Refuses what the project does not have, and what is too long.
    pub(crate) fn check(&self, book: &Book) -> Result<(), Error> {
        let lens = [
            self.modules.len(),
            self.environments.len(),
            self.workflows.len(),
            self.runners.len(),
            self.findings.len(),
        ];
        if lens.iter().any(|len| *len > LIST_MAX) {
            let sentence = format!("a condition of a rule has over {LIST_MAX} members");
            return Err(Error::new(Code::TooLarge, sentence).with_help("write two rules"));
        }
        self.modules.iter().try_for_each(|id| book.module(*id).map(drop))?;
        self.environments.iter().try_for_each(|id| book.environment(*id).map(drop))?;
        self.findings.iter().try_for_each(FindingIs::check)
    }
}

fn has_finding(wanted: &[FindingIs], plan: &Plan) -> bool {
    plan.findings.iter().any(|finding| wanted.iter().any(|one| one.fits(finding)))
}

/// Which quorum holds for which requests. The first rule of a project, by position, whose conditions fit decides; where
/// none does, the quorum of the environment.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::org::Conditions;
/// use placet_core::org::command::PutQuorumRule;
/// use placet_core::request::{Quorum, State};
///
/// let rule = PutQuorumRule {
///     project: office.project,
///     rule: None, // a new one
///     position: 1,
///     name: "everything".parse()?,
///     when: Conditions::default(),
///     quorum: Quorum::n_of(1, None)?,
/// };
/// let rule = gate.manage(&office.root, &rule)?;
/// let State::PendingApproval(pending) = office.pending(&gate)?.state else { unreachable!() };
/// assert_eq!(pending.rule, Some(rule));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct QuorumRule {
    /// Primary key.
    pub id: RuleId,
    /// The project.
    pub project_id: ProjectId,
    /// Its place among the rules, ascending; no two have the same.
    pub position: u32,
    /// What people see.
    pub name: Name,
    /// Which requests it is about.
    pub when: Conditions,
    /// Which approvals are enough for them.
    pub quorum: Quorum,
}

/// What keeps requests from being approved, and from being run where it comes after the approval.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::{Block, Conditions};
/// use placet_core::org::command::PutBlockingRule;
///
/// let rule = PutBlockingRule {
///     project: office.project,
///     rule: None, // a new one
///     name: "no change without tests".parse()?,
///     when: Conditions::default(),
///     block: Block::Check("tests".parse()?),
/// };
/// gate.manage(&office.root, &rule)?;
/// let error = office.approved(&gate).unwrap_err();
/// assert_eq!(error.code(), Code::Blocked);
/// assert!(error.to_string().contains("no change without tests"), "{error}");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a row has the columns of its table")]
pub struct BlockingRule {
    /// Primary key.
    pub id: RuleId,
    /// The project.
    pub project_id: ProjectId,
    /// What people see, also in the refusal.
    pub name: Name,
    /// Which requests it is about.
    pub when: Conditions,
    /// What stops them.
    pub block: Block,
}

/// What stops an approval.
///
/// ```
/// use placet_core::org::{Block, FindingIs};
/// // A statement that could not be parsed is a finding of the plan.
/// let unparsed = Block::Finding(FindingIs::Code("sql.unparsed".to_owned()));
/// assert_ne!(unparsed, Block::OpenThreads);
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Block {
    /// The plan has such a finding.
    Finding(FindingIs),
    /// The check of this name was not reported for exactly this change, or did not pass. It counts as long as whoever
    /// reported it may report checks there, and is no author.
    Check(Slug),
    /// A thread about the request is open. Whoever may read the request may open one, agents too, and stops it by that:
    /// take this rule where that is wanted. An author resolves only what they opened themselves.
    OpenThreads,
}

impl Block {
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Finding(finding) => finding.check(),
            Self::Check(_) | Self::OpenThreads => Ok(()),
        }
    }

    /// Whether the plan alone stops it.
    pub(crate) fn is_found_in(&self, plan: &Plan) -> bool {
        match self {
            Self::Finding(finding) => has_finding(core::slice::from_ref(finding), plan),
            Self::Check(_) | Self::OpenThreads => false,
        }
    }
}
