//! Taking a request back from those who would approve it.

use crate::audit::Event;
use crate::authz::Submit;
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Request, State, action};
use crate::workflow::Verb;

impl Gate {
    /// Takes a request back from those who would approve it, to write on. Approvals that were given are void. It takes
    /// the action `request`, and in both built-in workflows an author.
    ///
    /// Fails with [`crate::error::Code::Refused`] for somebody who did not write it, and with
    /// [`crate::error::Code::WrongState`] when it does not wait for approvals.
    ///
    /// ```
    /// use placet_core::request::StateName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// let draft = gate.withdraw(&office.ana, id, Some("one more step is missing"))?;
    /// assert_eq!(draft.state.name(), StateName::Draft);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn withdraw(
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
            let from = Some(request.state.name());
            let State::PendingApproval(pending) = request.state else {
                return Err(request.wrong_state("withdrawn"));
            };
            let mut header = request.header;
            txn.follow(caller, &mut header, Verb::Withdraw, comment)?;
            let state = pending.withdraw(&header, permit)?.into();
            let note = Note { caller: Some(caller), verb: action::WITHDRAW, from, comment };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestWithdrawn, Some(caller), &request);
            Ok((request, leaf))
        })
    }
}
