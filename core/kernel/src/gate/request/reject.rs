//! Says no for good.

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
    /// Says no for good. The comment says why. It takes the action `approve`.
    ///
    /// Fails with [`crate::error::Code::InvalidInput`] without a comment, and with
    /// [`crate::error::Code::WrongState`] when it does not wait for approvals.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::request::StateName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// assert_eq!(gate.reject(&office.bo, id, " ").unwrap_err().code(), Code::InvalidInput);
    /// let over = gate.reject(&office.bo, id, "not in December")?;
    /// assert_eq!(over.state.name(), StateName::Rejected);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn reject(&self, caller: &Caller, id: RequestId, comment: &str) -> Result<Request, Error> {
        self.check_comment(comment, true)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Approve>(caller.user(), scope, &subject(id))?;
            let from = Some(request.state.name());
            let State::PendingApproval(pending) = request.state else {
                return Err(request.wrong_state("rejected"));
            };
            let state = pending.reject(&request.header, permit, txn.now)?.into();
            let mut header = request.header;
            txn.follow(caller, &mut header, Verb::Reject, Some(comment))?;
            let note =
                Note { caller: Some(caller), verb: action::REJECT, from, comment: Some(comment) };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestRejected, Some(caller), &request);
            Ok((request, leaf))
        })
    }
}
