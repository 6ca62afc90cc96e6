//! Bringing back what was rejected.

use crate::audit::Event;
use crate::authz::Restore;
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Request, State, action};
use crate::workflow::Verb;

impl Gate {
    /// Makes a draft of what was rejected. It has to be approved as if it were new. It takes the action `restore`, and
    /// a person.
    ///
    /// Fails with [`crate::error::Code::WrongState`] when it was not rejected, and where its workflow has no such way.
    /// An agent is [`crate::error::Code::Refused`].
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending_artifact(&gate, 42)?.header.id;
    /// gate.reject(&office.bo, id, "nobody needs it")?;
    /// let draft = gate.restore(&office.bo, id, Some("somebody does"))?;
    /// assert_eq!(draft.header.step.as_str(), "DRAFT");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn restore(
        &self,
        caller: &Caller,
        id: RequestId,
        comment: Option<&str>,
    ) -> Result<Request, Error> {
        self.check_comment(comment.unwrap_or_default(), false)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Restore>(caller.user(), scope, &subject(id))?;
            txn.refuse_agent(caller.user(), "takes a no back")?;
            let from = Some(request.state.name());
            let State::Rejected(rejected) = request.state else {
                return Err(request.wrong_state("restored"));
            };
            let mut header = request.header;
            txn.follow(caller, &mut header, Verb::Restore, comment)?;
            let state = rejected.restore(&header, permit)?.into();
            // The world moved on: what it would do is planned afresh.
            header.plan = None;
            let note = Note { caller: Some(caller), verb: action::RESTORE, from, comment };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestRestored, Some(caller), &request);
            Ok((request, leaf))
        })
    }
}
