//! The life of a change request: what is asked for, who agreed, and what became of it.
//!
//! The workflow `change`, as types: a draft has no `approve`, and only what was approved can start.

mod change;
mod revision;
mod quorum;
mod state;
mod start;
mod back;
mod rule;
mod artifact;
mod batch;
mod record;
mod ended;
mod refusal;
mod history;
mod diff;
mod thread;
mod unique;
mod run;
mod check;

pub use artifact::{ArtifactName, ArtifactType, Version};
pub use batch::Done;
pub use change::{Change, Header, PlanNote};
pub use check::{Check, CheckStatus};
pub use diff::{Altered, Diff, Operation, OperationKind, RevisionRef};
pub(crate) use ended::DECLARED_PARTLY_DONE;
pub use ended::{Ended, Failed, Reading, Succeeded, Unknown};
pub use history::HistoryEntry;
pub use quorum::{
    Approval, Awaited, Exclude, Fit, Group, Need, Order, PEOPLE_MAX, Quorum, Stage, Standing,
};
pub use record::Request;
pub use rule::ApprovalRule;
pub use run::Run;
pub use state::{
    Approved, Cancelled, ChangesRequested, Draft, Executing, PendingApproval, Rejected, State,
    StateName,
};

pub(crate) use artifact::{Artifact, DEPENDS_ON_MAX, Dependants};
pub(crate) use diff::diff;
pub(crate) use history::action;
pub(crate) use quorum::{Slot, Voter, nearest};
pub(crate) use refusal::lease_lost;
pub(crate) use revision::Revision;
pub use thread::{Resolution, Thread, ThreadCount, ThreadPlace};
