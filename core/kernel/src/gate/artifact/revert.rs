//! Undoing an approval that has not taken effect.

use crate::audit::Event;
use crate::authz::Revert;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::gate::txn::Txn;
use crate::id::{RequestId, UserId};
use crate::identity::Caller;
use crate::org::UserKind;
use crate::request::{Request, State, action};
use crate::workflow::Verb;

impl Gate {
    /// Undoes an approval, also of what is known to have failed: the request is a draft again, and has to be approved
    /// anew. It takes the action `revert`, and a person. What ran is submitted again only as a new revision: edit it.
    ///
    /// Fails with [`Code::WrongState`] when it is not approved, while it runs and once it took effect, and where its
    /// workflow has no such way. An agent is [`Code::Refused`].
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved_artifact(&gate, 42)?.header.id;
    /// assert_eq!(gate.revert(&office.bo, id, Some("wrong release"))?.header.step.as_str(), "DRAFT");
    /// assert!(gate.execute(&office.bo, id).is_err());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn revert(
        &self,
        caller: &Caller,
        id: RequestId,
        comment: Option<&str>,
    ) -> Result<Request, Error> {
        self.check_comment(comment.unwrap_or_default(), false)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Revert>(caller.user(), scope, &subject(id))?;
            txn.refuse_agent(caller.user(), "undoes an approval")?;
            let from = Some(request.state.name());
            let state = match &request.state {
                State::Approved(approved) => {
                    txn.leave_queue(approved.next_target(&request.header)?, id)?;
                    approved.clone().revert(&request.header, permit)?
                }
                State::Failed(failed) => failed.clone().revert(&request.header, permit)?,
                State::Draft(_)
                | State::PendingApproval(_)
                | State::ChangesRequested(_)
                | State::Rejected(_)
                | State::Cancelled(_)
                | State::Executing(_)
                | State::Succeeded(_)
                | State::Unknown(_) => return Err(request.wrong_state("reverted")),
            };
            let mut header = request.header;
            txn.follow(caller, &mut header, Verb::Revert, comment)?;
            // The world moved on: what it would do is planned afresh.
            header.plan = None;
            let note = Note { caller: Some(caller), verb: action::REVERT, from, comment };
            let request = txn.save(Request { header, state: state.into() }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestReverted, Some(caller), &request);
            Ok((request, leaf))
        })
    }
}

impl Txn<'_> {
    /// Refuses an agent, whatever rights it has.
    pub(in crate::gate) fn refuse_agent(&mut self, user: UserId, what: &str) -> Result<(), Error> {
        if self.asker(user)?.is_some_and(|asker| asker.user.kind == UserKind::Person) {
            return Ok(());
        }
        Err(Error::new(Code::Refused, format!("`{user}` is an agent, and only a person {what}"))
            .with_help("ask a person who may"))
    }
}
