//! Asking for approval of exactly what is written now.

use super::draft::refused_payload;
use crate::audit::Event;
use crate::authz::Submit;
use crate::error::Error;
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Request, State, action};
use crate::runner::{Level, own};
use crate::workflow::Verb;

impl Gate {
    /// Submits a draft, or a request that was sent back, for approval. Makes the plan first where there
    /// is none, and where it is not from the runner as it is installed now, or from other settings. It takes the action
    /// `request`.
    ///
    /// Fails with [`crate::error::Code::QuorumUnsatisfiable`] when too few people could approve, and with
    /// [`crate::error::Code::InvalidPayload`] when the plan has a finding of level `error`. Where only promoted
    /// changes come, another one is [`crate::error::Code::Refused`], and a promoted one with another plugin
    /// [`crate::error::Code::DigestMismatch`].
    /// A plugin that asks for more than was granted is [`crate::error::Code::PluginNotGranted`].
    /// In any other state it is [`crate::error::Code::WrongState`]. A payload that does not fit the form of its workflow is
    /// [`crate::error::Code::InvalidPayload`] with each field, where the workflow asks for it.
    ///
    /// An artifact that agents alone made is approved by rule at once, where the project says so
    /// ([`crate::org::command::SetAutoApproveAi`]). Where a rule of the project stops approvals of it, that is
    /// [`crate::error::Code::Blocked`].
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::org::command::SetQuorum;
    /// use placet_core::request::Quorum;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let new = office.request(office.change("\"raise the price\"")?);
    /// let id = gate.draft(&office.ana, &new)?.header.id;
    /// let (project, environment) = (office.project, office.environment);
    /// let quorum = Quorum::n_of(2, None)?; // and only Bo may approve
    /// gate.manage(&office.root, &SetQuorum { project, environment, quorum })?;
    /// assert_eq!(gate.submit(&office.ana, id).unwrap_err().code(), Code::QuorumUnsatisfiable);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn submit(&self, caller: &Caller, id: RequestId) -> Result<Request, Error> {
        // What was sent back is planned afresh: the world may have moved on since.
        let needs_plan = self.consult(|txn| {
            let request = txn.request(id)?;
            let is_sent_back = matches!(request.state, State::ChangesRequested(_));
            let may_be = request.header.attempts == 0;
            // And so is what other settings hold for by now, what another plugin would run, or what has no plan.
            let is_written = is_sent_back || matches!(request.state, State::Draft(_));
            Ok(may_be
                && is_written
                && (is_sent_back
                    || !txn.has_settings_of_plan(&request.header)?
                    || self.is_other_plugin(&request.header)))
        })?;
        if needs_plan {
            self.plan(caller, id)?;
        }
        self.transact(|txn| {
            let request = txn.request(id)?;
            let permit = txn.ask_about::<Submit>(caller.user(), &request.header, &subject(id))?;
            let from = Some(request.state.name());
            let draft = match &request.state {
                State::Draft(draft) => draft.clone(),
                State::ChangesRequested(requested) => requested.clone().reopen(),
                State::PendingApproval(_)
                | State::Approved(_)
                | State::Rejected(_)
                | State::Cancelled(_)
                | State::Executing(_)
                | State::Succeeded(_)
                | State::Failed(_)
                | State::Unknown(_) => return Err(request.wrong_state("submitted")),
            };
            let mut header = request.header;
            header.check_did_not_run()?;
            let revision = txn.revision(&header)?;
            revision.check_digests(&header)?;
            txn.check_granted(&header.runner)?;
            txn.check_origin(&header)?;
            txn.check_workflow_allowed(&header)?;
            let mut findings = revision.plans().flat_map(|plan| &plan.findings);
            if let Some(finding) = findings.find(|finding| finding.level == Level::Error) {
                return Err(refused_payload(finding));
            }
            // Whoever asks for approval does not give it.
            header.add_author(caller.user(), txn.kind_of(caller.user())?);
            header.add_principal(caller.principal());
            let (quorum, quorum_rule) =
                txn.quorum_for(&header, &revision.plans().collect::<Vec<_>>())?;
            if own::is_own(&header.runner) {
                txn.check_has_room(&header, &revision.change.payload, &quorum)?;
            }
            let rule = txn.rule_for(&header)?;
            match rule {
                // What stops people from approving stops a rule too.
                Some(_) => txn.check_not_blocked(&header, &revision)?,
                None => txn.check_satisfiable(&header, &quorum)?,
            }
            let state = draft.submit(&header, permit, (quorum, quorum_rule), txn.now)?.into();
            txn.follow(caller, &mut header, Verb::Submit, None)?;
            let note = Note { caller: Some(caller), verb: action::SUBMIT, from, comment: None };
            let request = txn.save(Request { header, state }, &note)?;
            if let Some(rule) = rule {
                let request = txn.approve_by_rule(request, rule)?;
                let leaf = Self::rule_leaf(txn, caller, &request, rule);
                return Ok((request, leaf));
            }
            let mut leaf = Self::request_leaf(txn, Event::RequestSubmitted, Some(caller), &request);
            leaf.facts.extend(quorum_rule.map(|rule| ("quorum_rule".to_owned(), rule.to_string())));
            Ok((request, leaf))
        })
    }

    /// Writes a new request and submits it at once. When only the second fails, the draft stays, and the
    /// error's detail `request` names it.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::request::StateName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// // The scripted runner's plan for this has a finding of level `error`.
    /// let new = office.request(office.change("\"warn\"")?);
    /// let error = gate.draft_and_submit(&office.ana, &new).unwrap_err();
    /// assert_eq!(error.code(), Code::InvalidPayload);
    /// let draft = error.details()["request"].parse()?;
    /// assert_eq!(gate.view(&office.ana, draft)?.state.name(), StateName::Draft);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn draft_and_submit(
        &self,
        caller: &Caller,
        new: &crate::gate::NewRequest,
    ) -> Result<Request, Error> {
        let id = self.draft(caller, new)?.header.id;
        self.submit(caller, id).map_err(|error| error.with_detail("request", id))
    }
}
