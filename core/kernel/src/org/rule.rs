//! Rules of a project about approvals: which quorum holds where, and what stops an approval.

use serde::{Deserialize, Serialize};

use super::conditions::{Conditions, FindingIs, has_finding};
use super::text::{Name, Slug};
use crate::error::Error;
use crate::id::{ProjectId, RuleId};
use crate::request::Quorum;
use crate::runner::Plan;

/// The most rules of each kind in a project.
pub const RULES_MAX: usize = 100;

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
