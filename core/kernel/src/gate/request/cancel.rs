//! Withdrawing a request before it runs, and asking a run to stop.

use crate::audit::Event;
use crate::authz::{Execute, Submit};
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::gate::run::lease::Live;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Cancelled, Executing, Request, State, StateName, action};
use crate::workflow::Verb;

impl Gate {
    /// Withdraws a request that does not run. Its authors may, with the action `request`. A batch that took effect at
    /// some targets keeps that in its state, and runs at no other.
    ///
    /// Fails with [`crate::error::Code::Refused`] for somebody who did not write it, and with [`crate::error::Code::WrongState`] once it
    /// runs or is over.
    ///
    /// ```
    /// use placet_core::request::StateName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let gone = gate.cancel(&office.ana, id, Some("the price stays"))?;
    /// assert_eq!(gone.state.name(), StateName::Cancelled);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
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
            // In every workflow, whatever its own way asks for.
            request.header.check_is_author(by)?;
            let from = Some(request.state.name());
            let done = match &request.state {
                State::Draft(_) | State::PendingApproval(_) | State::ChangesRequested(_) => {
                    Vec::new()
                }
                State::Approved(approved) => {
                    txn.leave_queue(approved.next_target(&request.header)?, id)?;
                    approved.done.clone()
                }
                State::Rejected(_)
                | State::Cancelled(_)
                | State::Executing(_)
                | State::Succeeded(_)
                | State::Failed(_)
                | State::Unknown(_) => return Err(request.wrong_state("withdrawn")),
            };
            let mut header = request.header;
            txn.follow(caller, &mut header, Verb::Cancel, comment)?;
            let state = Cancelled { by, at: txn.now, done }.into();
            let note = Note { caller: Some(caller), verb: action::CANCEL, from, comment };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestCancelled, Some(caller), &request);
            Ok((request, leaf))
        })
    }

    /// Asks a run to stop. Its outcome tells whether it did in time. It takes the action `execute`. Asking
    /// again while it stops changes nothing, and answers the same.
    ///
    /// Fails with [`crate::error::Code::WrongState`] when it does not run.
    ///
    /// ```
    /// use placet_core::request::State;
    /// use placet_core::runner::Outcome;
    /// use placet_core::testing::{Office, Seen};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let ticket = gate.execute(&office.bo, office.approved(&gate)?.header.id)?;
    /// gate.stop(&office.bo, ticket.request())?;
    /// let State::Failed(failed) = gate.drive(ticket, &Seen::default())?.state else {
    ///     panic!("it was stopped before it began")
    /// };
    /// assert!(matches!(failed.ended.outcome, Outcome::Failed(why) if why.code == "cancelled"));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn stop(&self, caller: &Caller, id: RequestId) -> Result<Request, Error> {
        self.attempt(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Execute>(caller.user(), scope, &subject(id))?;
            permit.spend_on(&scope)?;
            let from = Some(request.state.name());
            if matches!(request.state, State::Executing(Executing { cancel_requested: true, .. })) {
                // It was asked before: the first time is on record.
                return Ok((request, None));
            }
            let State::Executing(executing) = request.state else {
                return Err(request.wrong_state("stopped"));
            };
            let stop = (Verb::Stop, StateName::Executing);
            txn.check_run_way(caller, &request.header, stop, None)?;
            if let Some(live) = txn.get::<Live>(&[&id.to_string()])?
                && live.fence == executing.fence
            {
                txn.put(&Live { is_stopped: true, ..live })?;
            }
            let state = Executing { cancel_requested: true, ..executing }.into();
            let note = Note { caller: Some(caller), verb: action::STOP, from, comment: None };
            let request = txn.save(Request { header: request.header, state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RunStopRequested, Some(caller), &request);
            Ok((request, Some(leaf)))
        })
    }
}
