//! Going from one state of a workflow to another of the same phase.

use crate::audit::Event;
use crate::authz::{Action, ActionKind, Execute, Submit};
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::gate::txn::Txn;
use crate::id::{RequestId, UserId};
use crate::identity::Caller;
use crate::request::{Header, Request, StateName, action};
use crate::workflow::{ActionCode, Verb};

impl Gate {
    /// Takes a way of the request's workflow that stays in its phase, such as from one review to the next. It takes
    /// what the phase takes: the action `request` for what is being written or is over without a run, `approve`
    /// for what waits for approvals, and `execute` for what was approved or ran; and what the way requires besides.
    ///
    /// Fails with [`crate::error::Code::WrongState`] where there is no such way, or one that another verb takes; with
    /// [`crate::error::Code::Refused`] for who lacks its roles; and with [`crate::error::Code::InvalidInput`] without a comment where it takes
    /// one.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// // The workflow `change` has one state for each phase: there is nowhere to go within one.
    /// let error = gate.advance(&office.bo, id, &"APPROVE".parse()?, None).unwrap_err();
    /// assert_eq!(error.code(), Code::WrongState);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn advance(
        &self,
        caller: &Caller,
        id: RequestId,
        by: &ActionCode,
        comment: Option<&str>,
    ) -> Result<Request, Error> {
        self.check_comment(comment.unwrap_or_default(), false)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let (scope, phase) = (request.header.scope(), request.state.name());
            let user = caller.user();
            match Taken::in_phase(phase) {
                Taken::Approve => {
                    let permit = txn.ask_to_approve(user, &request.header, &subject(id))?;
                    permit.spend_on(&scope)?;
                }
                Taken::Execute => txn.ask_and_spend::<Execute>(user, &request.header)?,
                Taken::Submit => txn.ask_and_spend::<Submit>(user, &request.header)?,
            }
            let workflow = txn.workflow(&request.header)?;
            let way = workflow.transition(&request.header.step, by);
            let stays = Verb::Advance.phases().contains(&(phase, phase));
            let Some(way) = way.filter(|way| way.verb == Verb::Advance && stays) else {
                return Err(request.wrong_state(&format!("advanced by {by}")));
            };
            txn.check_way(caller, &request.header, way, comment)?;
            let mut header = request.header;
            header.step = way.to.clone();
            txn.taken = Some(way.action.clone());
            let (verb, from) = (action::ADVANCE, Some(phase));
            let note = Note { caller: Some(caller), verb, from, comment };
            let request = txn.save(Request { header, state: request.state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestAdvanced, Some(caller), &request);
            Ok((request, leaf))
        })
    }
}

/// What advancing takes.
#[derive(Clone, Copy, Debug)]
enum Taken {
    Submit,
    Approve,
    Execute,
}

impl Taken {
    const fn in_phase(phase: StateName) -> Self {
        match phase {
            StateName::PendingApproval => Self::Approve,
            StateName::Approved
            | StateName::Executing
            | StateName::Succeeded
            | StateName::Failed
            | StateName::Unknown => Self::Execute,
            StateName::Draft
            | StateName::ChangesRequested
            | StateName::Rejected
            | StateName::Cancelled => Self::Submit,
        }
    }
}

/// The action that advancing takes in that phase.
pub(super) const fn action_in(phase: StateName) -> Action {
    match Taken::in_phase(phase) {
        Taken::Submit => Action::REQUEST,
        Taken::Approve => Action::APPROVE,
        Taken::Execute => Action::EXECUTE,
    }
}

impl Txn<'_> {
    fn ask_and_spend<A: ActionKind>(&mut self, user: UserId, header: &Header) -> Result<(), Error> {
        let permit = self.ask_about::<A>(user, header, &subject(header.id))?;
        permit.spend_on(&header.scope()).map(drop)
    }
}
