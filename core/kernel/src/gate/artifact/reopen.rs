//! Making a draft of what was sent back.

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
    /// Makes a draft of what was sent back, for a larger edit: nobody expects it back soon. A smaller one edits it where
    /// it is, and submits it again. It takes the action `request`.
    ///
    /// Fails with [`crate::error::Code::WrongState`] when it was not sent back, and where its workflow has no such way.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending_artifact(&gate, 42)?.header.id;
    /// gate.request_changes(&office.bo, id, "two stories in one")?;
    /// assert_eq!(gate.reopen(&office.ana, id, None)?.header.step.as_str(), "DRAFT");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn reopen(
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
            let State::ChangesRequested(requested) = request.state else {
                return Err(request.wrong_state("reopened"));
            };
            let mut header = request.header;
            txn.follow(caller, &mut header, Verb::Reopen, comment)?;
            let state = requested.rewrite(&header, permit)?.into();
            // The world moved on: what it would do is planned afresh.
            header.plan = None;
            let note = Note { caller: Some(caller), verb: action::REOPEN, from, comment };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestReopened, Some(caller), &request);
            Ok((request, leaf))
        })
    }
}
