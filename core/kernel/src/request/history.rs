//! What happened to a request, step by step, for people to read.

use serde::{Deserialize, Serialize};

use super::state::StateName;
use crate::clock::Timestamp;
use crate::id::{RequestId, UserId};
use crate::store::erasable::{Erasable, erasable};
use crate::store::records::Record;
use crate::workflow::StateCode;

/// One step in a request's life.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let id = office.pending(&gate)?.header.id;
/// let history = gate.history(&office.ana, id)?;
/// let verbs: Vec<&str> = history.iter().map(|entry| entry.verb.as_str()).collect();
/// assert_eq!(verbs, ["DRAFT", "PLAN", "SUBMIT"]);
/// assert!(history.iter().all(|entry| entry.actor == Some(office.ana.user())));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The request.
    pub request: RequestId,
    /// Its place in the history, from 0.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Who did it; `None` is the system (an expired lease, a recovery).
    pub actor: Option<UserId>,
    /// What was done: a stable word of the core, such as `SUBMIT` or `APPROVE`. No workflow changes it: where it says
    /// `APPROVE`, somebody approved.
    pub verb: String,
    /// What its workflow calls that, such as `RESUBMIT` or `SYNC`; the word of [`Self::verb`] where the workflow has no
    /// word for it, as for a comment. For people: a workflow calls its ways as it likes.
    pub action: String,
    /// The state before; `None` for the first entry.
    pub from: Option<StateName>,
    /// The state after.
    pub to: StateName,
    /// The state of its workflow before; `None` for the first entry.
    pub from_step: Option<StateCode>,
    /// The state of its workflow after.
    pub to_step: StateCode,
    /// The revision at that time: what it said then. It is kept, and not copied here.
    pub revision: u32,
    /// What the actor said.
    pub comment: Option<String>,
    /// The thread that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u32>,
    /// Whom the actor did it for, as an agent does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<UserId>,
    /// Whether the actor is an agent: a program that acts by itself.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub by_agent: bool,
}

/// The words of [`HistoryEntry::verb`].
pub(crate) mod action {
    pub(crate) const DRAFT: &str = "DRAFT";
    pub(crate) const PROMOTE: &str = "PROMOTE";
    pub(crate) const EDIT: &str = "EDIT";
    pub(crate) const PLAN: &str = "PLAN";
    pub(crate) const SUBMIT: &str = "SUBMIT";
    pub(crate) const APPROVE: &str = "APPROVE";
    pub(crate) const REQUEST_CHANGES: &str = "REQUEST_CHANGES";
    pub(crate) const REJECT: &str = "REJECT";
    pub(crate) const CANCEL: &str = "CANCEL";
    pub(crate) const CHECK: &str = "CHECK";
    pub(crate) const COMMENT: &str = "COMMENT";
    pub(crate) const OPEN_THREAD: &str = "OPEN_THREAD";
    pub(crate) const REPLY: &str = "REPLY";
    pub(crate) const RESOLVE_THREAD: &str = "RESOLVE_THREAD";
    pub(crate) const REOPEN_THREAD: &str = "REOPEN_THREAD";
    pub(crate) const EXECUTE: &str = "EXECUTE";
    pub(crate) const RERUN: &str = "RERUN";
    pub(crate) const HOLD_BACK: &str = "HOLD_BACK";
    pub(crate) const STOP: &str = "STOP";
    pub(crate) const FINISH: &str = "FINISH";
    pub(crate) const LOSE: &str = "LOSE";
    pub(crate) const VERIFY: &str = "VERIFY";
    pub(crate) const RECONCILE: &str = "RECONCILE";
    pub(crate) const WITHDRAW: &str = "WITHDRAW";
    pub(crate) const DELETE: &str = "DELETE";
    pub(crate) const REOPEN: &str = "REOPEN";
    pub(crate) const REVERT: &str = "REVERT";
    pub(crate) const RESTORE: &str = "RESTORE";
    pub(crate) const NEW_VERSION: &str = "NEW_VERSION";
    pub(crate) const ADVANCE: &str = "ADVANCE";
    pub(crate) const AUTO_APPROVE: &str = "AUTO_APPROVE";
}

impl Record for HistoryEntry {
    const KIND: &'static str = "history";
    const ERASABLE: &'static [Erasable] = &[erasable("/comment", "\"(erased)\"")];

    fn path(&self) -> Vec<String> {
        vec![self.request.to_string(), format!("{:010}", self.number)]
    }
}
