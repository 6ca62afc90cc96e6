//! Asking for approval of exactly what is written now.

use super::Gate;
use super::decide::not_found;
use super::draft::refused_payload;
use super::find::{Note, subject};
use super::txn::Txn;
use crate::authz::{Action, Submit};
use crate::error::{Code, Error};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Header, Quorum, Request, State, action};
use crate::runner::Level;

impl Gate {
    /// Submits a draft, or a request that was sent back, for approval. Makes the plan first where there
    /// is none. It takes the action `request`.
    ///
    /// Fails with [`Code::QuorumUnsatisfiable`] when too few people could approve, and with
    /// [`Code::InvalidPayload`] when the plan has a finding of level `error`.
    pub fn submit(&self, caller: &Caller, id: RequestId) -> Result<Request, Error> {
        self.reopen(caller, id)?;
        let has_plan = self.consult(|txn| Ok(txn.request(id)?.header.plan.is_some()))?;
        if !has_plan {
            self.plan(caller, id)?;
        }
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Submit>(caller.user(), scope, &subject(id))?;
            let State::Draft(draft) = request.state else {
                return Err(request.wrong_state("submitted"));
            };
            let request = Request { header: request.header, state: draft.clone().into() };
            let revision = txn.revision(&request)?;
            let plan = revision.check_digests(&request.header)?;
            if let Some(finding) = plan.findings.iter().find(|f| f.level == Level::Error) {
                return Err(refused_payload(finding));
            }
            let header = request.header;
            let quorum = txn.quorum(&header)?;
            txn.check_satisfiable(&header, &quorum)?;
            let from = Some(draft_name());
            let state = draft.submit(&header, permit, quorum, txn.now)?.into();
            let note = Note { caller: Some(caller), action: action::SUBMIT, from, comment: None };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf = Self::request_leaf(txn, "request.submitted", Some(caller), &request);
            Ok((request, leaf))
        })
    }

    /// Writes a new request and submits it at once.
    pub fn draft_and_submit(
        &self,
        caller: &Caller,
        new: &super::NewRequest,
    ) -> Result<Request, Error> {
        let drafted = self.draft(caller, new)?;
        self.submit(caller, drafted.header.id)
    }

    /// Takes a request that was sent back into `DRAFT` again, with its plan dropped: the world may have
    /// moved on since it was made.
    fn reopen(&self, caller: &Caller, id: RequestId) -> Result<(), Error> {
        let sent_back =
            self.consult(|txn| Ok(matches!(txn.request(id)?.state, State::ChangesRequested(_))))?;
        if !sent_back {
            return Ok(());
        }
        self.transact(|txn| {
            let mut request = txn.request(id)?;
            let scope = request.header.scope();
            txn.ask::<Submit>(caller.user(), scope, &subject(id))?.spend_on(&scope)?;
            let from = Some(request.state.name());
            let State::ChangesRequested(requested) = request.state else {
                return Err(request.wrong_state("submitted"));
            };
            request.header.plan = None;
            let state = requested.reopen().into();
            let note = Note { caller: Some(caller), action: action::EDIT, from, comment: None };
            let request = txn.save(Request { header: request.header, state }, &note)?;
            let leaf = Self::request_leaf(txn, "request.reopened", Some(caller), &request);
            Ok(((), leaf))
        })
    }
}

const fn draft_name() -> crate::request::StateName {
    crate::request::StateName::Draft
}

impl Txn<'_> {
    /// Which approvals the request's environment asks for.
    fn quorum(&mut self, header: &Header) -> Result<Quorum, Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        Ok(shelf.book.quorums.get(&header.environment_id).cloned().unwrap_or_default())
    }

    /// Refuses a quorum that could never be reached: better now than after a week of waiting, and never
    /// an approval by default.
    fn check_satisfiable(&mut self, header: &Header, quorum: &Quorum) -> Result<(), Error> {
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let needed = quorum.people();
        let (decisions, asked) = (self.decisions.len(), self.asked.clone());
        let mut able: u8 = 0;
        for user in shelf.index.granted_users() {
            let fits = quorum
                .role()
                .is_none_or(|role| shelf.index.holds_role(user, role, self.now).is_some());
            if able >= needed || header.editors.contains(&user) || !fits {
                continue;
            }
            if self.judge(user, &Action::APPROVE, header.scope())?.is_ok() {
                able = able.saturating_add(1);
            }
        }
        // Counting is not a decision about anybody.
        self.decisions.truncate(decisions);
        self.asked = asked;
        if able >= needed {
            return Ok(());
        }
        let role = quorum
            .role()
            .and_then(|role| shelf.book.roles.get(&role))
            .map_or_else(String::new, |role| format!(" with the role `{}`", role.name));
        Err(Error::new(
            Code::QuorumUnsatisfiable,
            format!("{needed} approvals are needed{role}, and {able} people could give one now"),
        )
        .with_help("authors cannot approve; ask an administrator of the project for approvers")
        .with_detail("needed", needed)
        .with_detail("able", able))
    }
}
