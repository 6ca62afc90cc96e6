//! What a step is answered with that a request does not have in its state.

use super::record::Request;
use super::state::StateName;
use crate::error::{Code, Error};
use crate::id::RequestId;

/// The run lost its lease.
pub(crate) fn lease_lost(id: RequestId) -> Error {
    Error::new(Code::LeaseLost, format!("this run of `{id}` no longer holds the lease"))
        .with_help("read the request; if it is unknown, verify it")
}

impl Request {
    /// The refusal of a step that this state does not have.
    pub(crate) fn wrong_state(&self, step: &str) -> Error {
        let (id, state) = (self.header.id, self.state.name());
        let help = match state {
            StateName::Draft | StateName::ChangesRequested => "submit it first",
            StateName::PendingApproval => "wait for its approvals",
            StateName::Approved => "execute it, or edit it to make a new revision",
            StateName::Executing => "wait for its outcome",
            StateName::Unknown => "verify it, or reconcile it where nobody can tell",
            StateName::Failed => "run it again, or draft a new request",
            StateName::Rejected | StateName::Cancelled | StateName::Succeeded => {
                "this is an end; draft a new request"
            }
        };
        Error::new(Code::WrongState, format!("`{id}` is {state} and cannot be {step}"))
            .with_help(help)
            .with_detail("state", state)
    }
}
