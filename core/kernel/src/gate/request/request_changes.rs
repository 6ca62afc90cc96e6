//! Sends a request back to its author.

use crate::audit::Event;
use crate::authz::Approve;
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Request, State, action};
use crate::workflow::Verb;

impl Gate {
    /// Sends a request back to its author. The comment says why. It takes the action `approve`.
    ///
    /// Fails with [`crate::error::Code::InvalidInput`] without a comment, and with
    /// [`crate::error::Code::WrongState`] when it does not wait for approvals.
    ///
    /// ```
    /// use placet_core::request::StateName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let back = gate.request_changes(&office.bo, id, "add a WHERE")?;
    /// assert_eq!(back.state.name(), StateName::ChangesRequested);
    ///
    /// let change = office.change("\"raise one price\"")?;
    /// gate.edit(&office.ana, id, "raise one price", &change)?;
    /// assert_eq!(gate.submit(&office.ana, id)?.state.name(), StateName::PendingApproval);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn request_changes(
        &self,
        caller: &Caller,
        id: RequestId,
        comment: &str,
    ) -> Result<Request, Error> {
        self.check_comment(comment, true)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Approve>(caller.user(), scope, &subject(id))?;
            let from = Some(request.state.name());
            let State::PendingApproval(pending) = request.state else {
                return Err(request.wrong_state("sent back"));
            };
            let state = pending.request_changes(&request.header, permit, txn.now)?.into();
            let mut header = request.header;
            txn.follow(caller, &mut header, Verb::RequestChanges, Some(comment))?;
            let note = Note {
                caller: Some(caller),
                verb: action::REQUEST_CHANGES,
                from,
                comment: Some(comment),
            };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf =
                Self::request_leaf(txn, Event::RequestChangesRequested, Some(caller), &request);
            Ok((request, leaf))
        })
    }
}
