//! The life of a change request: what is asked for, who agreed, and what became of it.
//!
//! The workflow `change`, as types: a draft has no `approve`, and only what was approved can start.

mod change;
mod quorum;
mod state;
mod record;
mod ended;
mod refusal;
mod history;
mod run;

pub use change::{Change, Header, PlanNote};
pub use ended::{Ended, Failed, Reading, Succeeded, Unknown};
pub use history::HistoryEntry;
pub use quorum::{Approval, PEOPLE_MAX, Quorum, Standing};
pub use record::Request;
pub use run::Run;
pub use state::{
    Approved, Cancelled, ChangesRequested, Draft, Executing, PendingApproval, Rejected, State,
    StateName,
};

pub(crate) use change::Revision;
pub(crate) use history::action;
pub(crate) use refusal::lease_lost;
