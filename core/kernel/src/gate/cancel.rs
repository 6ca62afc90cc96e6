//! Withdrawing a request before it runs, and asking a run to stop.

use super::Gate;
use super::find::{Note, subject};
use crate::authz::{Execute, Submit};
use crate::error::{Code, Error};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Cancelled, Executing, Request, State, action};

impl Gate {
    /// Withdraws a request that does not run yet. Its authors may, with the action `request`.
    pub fn cancel(
        &self,
        caller: &Caller,
        id: RequestId,
        comment: Option<&str>,
    ) -> Result<Request, Error> {
        self.check_comment(comment.unwrap_or_default(), false)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Submit>(caller.user(), scope, &subject(id))?;
            let (by, _) = permit.spend_on(&scope)?;
            if !request.header.editors.contains(&by) {
                return Err(Error::new(
                    Code::Refused,
                    format!("`{by}` did not write `{id}` and cannot withdraw it"),
                )
                .with_help("ask its author, or reject it as an approver"));
            }
            let from = Some(request.state.name());
            match request.state {
                State::Draft(_)
                | State::PendingApproval(_)
                | State::ChangesRequested(_)
                | State::Approved(_) => {}
                State::Rejected(_)
                | State::Cancelled(_)
                | State::Executing(_)
                | State::Succeeded(_)
                | State::Failed(_)
                | State::Unknown(_) => return Err(request.wrong_state("withdrawn")),
            }
            let state = Cancelled { by, at: txn.now }.into();
            let note = Note { caller: Some(caller), action: action::CANCEL, from, comment };
            let request = txn.save(Request { header: request.header, state }, &note)?;
            let leaf = Self::request_leaf(txn, "request.cancelled", Some(caller), &request);
            Ok((request, leaf))
        })
    }

    /// Asks a run to stop. Its outcome tells whether it did in time. It takes the action `execute`.
    pub fn stop(&self, caller: &Caller, id: RequestId) -> Result<Request, Error> {
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Execute>(caller.user(), scope, &subject(id))?;
            permit.spend_on(&scope)?;
            let from = Some(request.state.name());
            let State::Executing(executing) = request.state else {
                return Err(request.wrong_state("stopped"));
            };
            let state = Executing { cancel_requested: true, ..executing }.into();
            let note = Note { caller: Some(caller), action: action::CANCEL, from, comment: None };
            let request = txn.save(Request { header: request.header, state }, &note)?;
            let leaf = Self::request_leaf(txn, "run.stop_requested", Some(caller), &request);
            Ok((request, leaf))
        })
    }
}
