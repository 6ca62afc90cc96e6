//! Approving by rule what agents alone made, where the project says so.

use crate::audit::{Event, Leaf};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::{Note, subject};
use crate::gate::txn::Txn;
use crate::identity::Caller;
use crate::org::{Criticality, UserKind};
use crate::request::{ApprovalRule, Approved, Header, Request, State, action};
use crate::workflow::Verb;

impl Txn<'_> {
    /// The rule that agrees to the request in place of people, at this moment.
    pub(in crate::gate) fn rule_for(
        &mut self,
        header: &Header,
    ) -> Result<Option<ApprovalRule>, Error> {
        if header.artifact.is_none() || header.needs_person() {
            return Ok(None);
        }
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found(&subject(header.id)))?;
        let is_on = shelf.book.auto_approvals.get(&header.environment_id).is_some_and(|on| *on);
        let criticality = shelf.book.environment(header.environment_id)?.criticality;
        // The second is said by the first, and looked at all the same.
        if !is_on || criticality != Criticality::Low {
            return Ok(None);
        }
        // Whoever an agent works for did not write it.
        for author in header.authors().difference(&header.principals).copied() {
            let asker = self.asker(author)?;
            if asker.is_none_or(|asker| asker.user.kind != UserKind::Agent) {
                return Ok(None);
            }
        }
        Ok(Some(ApprovalRule::AutoApproveAi))
    }

    /// Approves what was submitted just now by `rule`: a step of its own in the history, which nobody took.
    pub(in crate::gate) fn approve_by_rule(
        &mut self,
        request: Request,
        rule: ApprovalRule,
    ) -> Result<Request, Error> {
        let from = Some(request.state.name());
        let State::PendingApproval(pending) = request.state else {
            return Err(request.wrong_state("approved"));
        };
        let mut header = request.header;
        let state = pending.approve_by_rule(&header, rule, self.now)?.into();
        let workflow = self.workflow(&header)?;
        let way = workflow.way(&header.step, Verb::Approve).ok_or_else(|| {
            Error::new(Code::WrongState, format!("`{}` is not approved where it is", header.id))
                .with_help("look at its workflow")
        })?;
        header.step = way.to.clone();
        let note = Note { caller: None, verb: action::AUTO_APPROVE, from, comment: None };
        self.save(Request { header, state }, &note)
    }

    /// Refuses what a rule approved that would not approve it now.
    pub(in crate::gate) fn check_rule(
        &mut self,
        header: &Header,
        approved: &Approved,
    ) -> Result<(), Error> {
        let Some(rule) = approved.by_rule else { return Ok(()) };
        if self.rule_for(header)? == Some(rule) {
            return Ok(());
        }
        Err(Error::new(
            Code::Refused,
            format!("the rule `{rule}` approved `{}`, and no longer holds for it", header.id),
        )
        .with_help("revert it and submit it again, so that people who may approve do"))
    }
}

impl Gate {
    /// The leaf for what a rule approved: it names who submitted it, and the rule.
    pub(in crate::gate) fn rule_leaf(
        txn: &Txn<'_>,
        caller: &Caller,
        request: &Request,
        rule: ApprovalRule,
    ) -> Leaf {
        let event = Event::RequestApprovedByRule;
        let mut leaf = Self::request_leaf(txn, event, Some(caller), request);
        leaf.facts.insert("rule".to_owned(), rule.to_string());
        leaf
    }
}
