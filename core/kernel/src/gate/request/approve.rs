//! One person's yes to exactly one digest.

use crate::audit::Event;
use crate::digest::Digest;
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::{Note, subject};
use crate::id::{ApprovalId, RequestId};
use crate::identity::Caller;
use crate::request::{Approval, Request, State, action};
use crate::workflow::Verb;

impl Gate {
    /// Approves what `digest` names: the change digest that the approver saw. It takes the action
    /// `approve`, and nobody approves what they wrote.
    ///
    /// Fails with [`crate::error::Code::DigestMismatch`] when the request asks for something else by now, with
    /// [`crate::error::Code::Refused`] for an author and for whoever is not awaited, with
    /// [`crate::error::Code::AlreadyExists`] for a second yes of the same person, and with
    /// [`crate::error::Code::Blocked`] where a rule of the project stops it, and
    /// [`crate::error::Code::PluginNotGranted`] where the plugin may not reach what it asks for.
    /// When it does not wait for approvals, that is [`crate::error::Code::WrongState`].
    ///
    /// ```
    /// use placet_core::digest::Digest;
    /// use placet_core::error::Code;
    /// use placet_core::request::StateName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let header = office.pending(&gate)?.header;
    /// let other = Digest::of(b"an older revision");
    /// let error = gate.approve(&office.bo, header.id, other, None).unwrap_err();
    /// assert_eq!(error.code(), Code::DigestMismatch);
    ///
    /// let agreed = gate.approve(&office.bo, header.id, header.change_digest()?, Some("fine"))?;
    /// assert_eq!(agreed.state.name(), StateName::Approved);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn approve(
        &self,
        caller: &Caller,
        id: RequestId,
        digest: Digest,
        comment: Option<&str>,
    ) -> Result<Request, Error> {
        self.check_comment(comment.unwrap_or_default(), false)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let permit = txn.ask_to_approve(caller.user(), &request.header, &subject(id))?;
            let from = Some(request.state.name());
            let State::PendingApproval(pending) = request.state else {
                return Err(request.wrong_state("approved"));
            };
            let (header, user) = (&request.header, caller.user());
            if let Some(principal) = caller.principal() {
                header.check_is_not_author(principal)?;
            }
            let shelf = txn.shelf(header.project_id)?.ok_or_else(|| not_found(&subject(id)))?;
            txn.check_is_no_teammate(header, &pending.quorum, user)?;
            let so_far = (pending.approvals.as_slice(), &pending.digest);
            let awaited = txn.awaited(header, &pending.quorum, so_far)?;
            let approval = Approval {
                id: ApprovalId::from_u128(self.parts.ids.next()),
                user,
                at: txn.now,
                digest,
                stage: None,
                fits: shelf.fits(user, &pending.quorum, header.module_id, txn.now),
            };
            let mut state = pending.approve(header, permit, approval, &awaited)?;
            if let State::Approved(approved) = &mut state {
                approved.is_automatic = txn.is_automatic(header)?;
            }
            // Last: what is wrong with the approval itself is told first.
            let revision = txn.revision(header)?;
            revision.check_digests(header)?;
            self.check_plugin_is_not_other(header)?;
            txn.check_granted(&header.runner)?;
            txn.check_not_blocked(header, &revision)?;
            let is_enough = matches!(state, State::Approved(_));
            let way = txn.way(caller, &request.header, Verb::Approve, comment)?;
            let mut header = request.header;
            txn.taken = Some(way.action);
            if is_enough {
                header.step = way.to;
            }
            let event =
                if is_enough { Event::RequestApproved } else { Event::RequestApprovalGiven };
            let note = Note { caller: Some(caller), verb: action::APPROVE, from, comment };
            let request = txn.save(Request { header, state }, &note)?;
            let mut leaf = Self::request_leaf(txn, event, Some(caller), &request);
            let given = request.state.approvals().last();
            let stage = given.and_then(|given| given.stage);
            leaf.facts.extend(stage.map(|stage| ("stage".to_owned(), stage.to_string())));
            Ok((request, leaf))
        })
    }
}
