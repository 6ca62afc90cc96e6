//! What somebody may do with a request now, and why not the rest: what a panel of actions shows.

use std::collections::BTreeSet;

use super::advance::action_in;
use crate::authz::{Action, Question};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::about::About;
use crate::gate::run::start::Start;
use crate::gate::txn::Txn;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::org::Name;
use crate::request::{Header, Request, State, StateName};
use crate::runner::RunnerInfo;
use crate::workflow::{ActionCode, Requirement, StateCode, Transition, Verb};

/// What somebody may do with a request where it is.
///
/// ```
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let id = office.artifact(&gate, 42)?.header.id;
/// let panel = gate.actions(&office.ana, id)?;
/// assert_eq!((panel.step.as_str(), panel.is_editable, panel.is_syncable), ("DRAFT", true, false));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Actions {
    /// The state of its workflow.
    pub step: StateCode,
    /// What people see of that state.
    pub label: Name,
    /// Whether what it says can be edited here. It takes the action `request`.
    pub is_editable: bool,
    /// Whether it may be handed on to other systems.
    pub is_syncable: bool,
    /// The ways that its workflow has from here, in its order. What a run does by itself is none.
    pub offers: Vec<Offer>,
}

/// One way from where a request is.
///
/// ```
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let id = office.pending_artifact(&gate, 42)?.header.id;
/// let open = |caller| {
///     let offers = gate.actions(caller, id)?.offers;
///     let open = offers.into_iter().filter(|offer| offer.refusal.is_none());
///     Ok::<_, placet_core::error::Error>(open.map(|offer| offer.action.to_string()).collect::<Vec<_>>())
/// };
/// assert_eq!(open(&office.bo)?, ["APPROVE", "REQUEST_CHANGES", "REJECT"]);
/// assert_eq!(open(&office.ana)?, ["CANCEL_REVIEW"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Offer {
    /// What the workflow calls it.
    pub action: ActionCode,
    /// The verb of the gate that it is.
    pub verb: Verb,
    /// Where it leads.
    pub to: StateCode,
    /// Whether it takes a comment.
    pub needs_comment: bool,
    /// Why this caller may not, as far as it can be told without trying; nothing where they may.
    pub refusal: Option<Error>,
}

impl Gate {
    /// What the caller may do with the request now, and the reason for each way that they may not take. Whoever may
    /// read it may ask, and nothing of it is recorded. The verb itself asks again.
    ///
    /// Fails with [`Code::NotFound`] where it does not exist or may not be seen.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending_artifact(&gate, 42)?.header.id;
    /// let offers = gate.actions(&office.ana, id)?.offers;
    /// let approve = offers.iter().find(|offer| offer.action.as_str() == "APPROVE");
    /// let why = approve.and_then(|offer| offer.refusal.as_ref());
    /// assert!(why.is_some_and(|why| why.code() == Code::Refused)); // she wrote it
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn actions(&self, caller: &Caller, id: RequestId) -> Result<Actions, Error> {
        self.consult(|txn| {
            let request = txn.readable(caller, id)?;
            let workflow = txn.workflow(&request.header)?;
            let Some(state) = workflow.state(&request.header.step) else {
                let step = &request.header.step;
                let sentence = format!("the workflow `{}` has no state {step}", workflow.name);
                return Err(Error::new(Code::StoreDamaged, sentence)
                    .with_help("restore the store from a backup"));
            };
            let mut offers = Vec::new();
            for way in workflow.ways_from(&state.code) {
                if matches!(way.verb, Verb::Finish | Verb::Lose) {
                    continue;
                }
                let verb = txn.verb_here(&request, way)?;
                let refusal = txn.refusal_of(caller, &request, (way, verb))?;
                // Where a run's outcome tells where it leads, it is one way, for whoever may take any of them.
                let same = offers.iter_mut().find(|offer: &&mut Offer| offer.action == way.action);
                if let Some(offer) = same {
                    if refusal.is_none() && offer.refusal.is_some() {
                        (offer.to, offer.refusal) = (way.to.clone(), None);
                    }
                    continue;
                }
                offers.push(Offer {
                    action: way.action.clone(),
                    verb,
                    to: way.to.clone(),
                    needs_comment: way.requires.contains(&Requirement::Comment),
                    refusal,
                });
            }
            let is_open = match &request.state {
                State::Draft(_) | State::ChangesRequested(_) | State::PendingApproval(_) => true,
                State::Approved(approved) => approved.check_not_begun(&request.header).is_ok(),
                State::Rejected(_)
                | State::Cancelled(_)
                | State::Executing(_)
                | State::Succeeded(_)
                | State::Failed(_)
                | State::Unknown(_) => false,
            };
            Ok(Actions {
                step: state.code.clone(),
                label: state.label.clone(),
                is_editable: state.edit_to.is_some() && is_open,
                is_syncable: txn.is_publishable(&request)?,
                offers,
            })
        })
    }
}

/// The action that a verb takes.
const fn action_of(verb: Verb, phase: StateName) -> Action {
    match verb {
        Verb::Advance => action_in(phase),
        Verb::Approve | Verb::RequestChanges | Verb::Reject => Action::APPROVE,
        Verb::Execute
        | Verb::Rerun
        | Verb::Stop
        | Verb::Finish
        | Verb::Lose
        | Verb::Verify
        | Verb::Reconcile => Action::EXECUTE,
        Verb::Revert => Action::REVERT,
        Verb::Restore => Action::RESTORE,
        Verb::Submit
        | Verb::Withdraw
        | Verb::Reopen
        | Verb::Cancel
        | Verb::Delete
        | Verb::NewVersion => Action::REQUEST,
    }
}

impl Txn<'_> {
    /// Why the caller may not take that way; nothing where they may. What fails for other reasons is an error.
    fn refusal_of(
        &mut self,
        caller: &Caller,
        request: &Request,
        (way, verb): (&Transition, Verb),
    ) -> Result<Option<Error>, Error> {
        match self.try_way(caller, request, (way, verb)) {
            Ok(()) => Ok(None),
            Err(error) if is_of_the_way(&error) => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    fn try_way(
        &mut self,
        caller: &Caller,
        request: &Request,
        (way, verb): (&Transition, Verb),
    ) -> Result<(), Error> {
        let (user, header, phase) = (caller.user(), &request.header, request.state.name());
        if verb == Verb::Approve {
            header.check_is_not_author(user)?;
        }
        let (action, scope) = (action_of(verb, phase), header.scope());
        let question = Question { user, action: action.clone(), scope, at: self.now };
        // As the verbs do: whoever wrote a request may turn it down.
        let is_told = action == Action::APPROVE && matches!(verb, Verb::Approve | Verb::Advance);
        let authors = if is_told { header.authors() } else { BTreeSet::new() };
        let goes_on = matches!(
            verb,
            Verb::Submit | Verb::Approve | Verb::Advance | Verb::Execute | Verb::Rerun
        );
        let about = if goes_on { self.about(header)? } else { About::default() };
        if let Err(denial) = self.judge_question(&question, &about.with_authors(authors))? {
            return Err(Error::new(
                Code::Denied,
                format!("`{user}` may not {action} here: {denial}"),
            )
            .with_help("ask an administrator of the project for what is missing"));
        }
        if verb.phases().iter().all(|(from, _)| *from != phase) {
            return Err(request.wrong_state("taken there"));
        }
        // A comment is written when it is asked for.
        self.check_way(caller, header, way, Some("-"))?;
        match verb {
            Verb::Approve => {
                let State::PendingApproval(pending) = &request.state else { return Ok(()) };
                pending.check_not_twice(header, user)?;
                self.gate.check_plugin_is_not_other(header)?;
                self.try_plugin(header).map(drop)
            }
            Verb::Delete => self.check_nothing_depends_on(header.id),
            Verb::Execute | Verb::Rerun => self.try_start(caller, request),
            Verb::NewVersion => self.check_is_newest(header),
            Verb::Revert => {
                self.refuse_agent(user, "undoes an approval")?;
                request.approved().map_or(Ok(()), |approved| approved.check_not_begun(header))
            }
            Verb::Restore => self.refuse_agent(user, "takes a no back"),
            Verb::Reconcile => self.refuse_agent(user, "says what nobody can tell"),
            Verb::Submit => {
                header.check_did_not_run()?;
                let _described = self.try_plugin(header)?;
                self.check_workflow_allowed(header)?;
                self.check_origin(header)
            }
            Verb::RequestChanges
            | Verb::Reject
            | Verb::Withdraw
            | Verb::Reopen
            | Verb::Cancel
            | Verb::Advance
            | Verb::Stop
            | Verb::Finish
            | Verb::Lose
            | Verb::Verify => Ok(()),
        }
    }

    /// The verb of the gate that a way is where the request is: what failed runs again, also where its workflow has no
    /// way of its own for that.
    fn verb_here(&mut self, request: &Request, way: &Transition) -> Result<Verb, Error> {
        let has_failed = request.state.name() == StateName::Failed;
        let is_again = has_failed
            && way.verb == Verb::Execute
            && self.start_verb(&request.header, Start::Again)? == Verb::Execute;
        Ok(if is_again { Verb::Rerun } else { way.verb })
    }

    /// Refuses a start, as far as it can be told without trying.
    fn try_start(&mut self, caller: &Caller, request: &Request) -> Result<(), Error> {
        let header = &request.header;
        if header.artifact.is_some() {
            self.check_publishable(request)?;
        }
        let (start, approved) = if let State::Failed(failed) = &request.state {
            (Start::Again, self.repeatable(header, failed.clone())?)
        } else {
            let approved = request.approved().ok_or_else(|| request.wrong_state("run"))?;
            (Start::First, approved.clone())
        };
        if let Some(info) = self.try_plugin(header)? {
            let payload = self.revision(header)?.change.payload;
            self.check_handed_on(header, &info, &payload)?;
        }
        approved.check_executor(header, caller.user())?;
        let verb = self.start_verb(header, start)?;
        self.check_target(caller, header, verb)
    }

    /// What the plugin is, where it says so. Refuses one that may not reach what it asks for. One that cannot say what it is
    /// refuses nobody here: the verb tells what ails it.
    fn try_plugin(&mut self, header: &Header) -> Result<Option<RunnerInfo>, Error> {
        let grant = self.plugin_grant(&header.runner)?;
        if let Some(grant) = &grant {
            grant.check_stands()?;
        }
        let described = self.gate.described(&header.runner).unwrap_or_default();
        if let (Some(grant), Some(info)) = (&grant, &described) {
            grant.check(info)?;
        }
        Ok(described)
    }

    fn check_is_newest(&mut self, header: &Header) -> Result<(), Error> {
        self.newest_of(header).map(drop)
    }
}

/// Whether an error says why somebody may not, and not that nobody can tell.
fn is_of_the_way(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::Denied
            | Code::Refused
            | Code::WrongState
            | Code::InvalidInput
            | Code::InvalidPayload
            | Code::TooLarge
            | Code::InUse
            | Code::DigestMismatch
            | Code::AlreadyExists
            | Code::UnknownTarget
            | Code::UnknownRunner
            | Code::ArtifactNotApproved
            | Code::PluginNotGranted
    )
}
