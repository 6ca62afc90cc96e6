//! Writing a request, and writing it again.

use std::collections::BTreeSet;

use super::plan::guarded;
use crate::audit::{Event, Leaf};
use crate::authz::{Scope, Submit};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::{Note, RequestOf, subject};
use crate::gate::txn::Txn;
use crate::id::{EnvironmentId, ModuleId, ProjectId, RequestId, UserId};
use crate::identity::Caller;
use crate::org::book::Used;
use crate::org::{Slug, UserKind};
use crate::request::{Change, Draft, Header, Request, Revision, State, ThreadCount, action};
use crate::runner::{Finding, Level, own};
use crate::workflow::Definition;

/// A request as its author writes it.
///
/// ```
/// use placet_core::gate::NewRequest;
/// use placet_core::request::Change;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let payload = r#"{"sql":"UPDATE prices SET cents = 250 WHERE id = 7"}"#;
/// let new = NewRequest {
///     project: office.project,
///     module: office.module,
///     environment: office.environment,
///     title: "raise the price of tea".to_owned(),
///     change: Change::new("sql".parse()?, "shop".parse()?, payload, gate.limits())?,
/// };
/// assert_eq!(gate.draft(&office.ana, &new)?.header.title, "raise the price of tea");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct NewRequest {
    /// The project.
    pub project: ProjectId,
    /// The module.
    pub module: ModuleId,
    /// The environment.
    pub environment: EnvironmentId,
    /// What people see: one line.
    pub title: String,
    /// What is asked for.
    pub change: Change,
}

/// How a request comes into being.
#[derive(Debug)]
pub(in crate::gate) struct Beginning<'a> {
    pub(in crate::gate) workflow: &'a Slug,
    // What its history begins with.
    pub(in crate::gate) action: &'static str,
    pub(in crate::gate) event: Event,
}

impl NewRequest {
    /// What is true of it from its first moment on.
    pub(in crate::gate) fn header(
        &self,
        id: RequestId,
        workflow: &Definition,
        (requester, kind): (UserId, UserKind),
        (nonce, now): (Digest, Timestamp),
    ) -> Header {
        let mut header = Header {
            id,
            workflow: workflow.name.clone(),
            workflow_version: workflow.version,
            step: workflow.initial.clone(),
            ran_from: None,
            artifact: None,
            depends_on: BTreeSet::new(),
            title: self.title.clone(),
            project_id: self.project,
            module_id: self.module,
            environment_id: self.environment,
            requester,
            editors: BTreeSet::new(),
            principals: BTreeSet::new(),
            agents: BTreeSet::new(),
            created_at: now,
            updated_at: now,
            revision: 1,
            runner: self.change.runner.clone(),
            target: self.change.target.clone(),
            then: self.change.then.clone(),
            payload_digest: Digest::of(self.change.payload.as_bytes()),
            nonce,
            plan: None,
            promoted_from: None,
            history_len: 0,
            threads: ThreadCount::default(),
            fence: 0,
            attempts: 0,
        };
        header.add_author(requester, kind);
        header
    }
}

impl Gate {
    /// Writes a new request, in state `DRAFT`. It takes the action `request`.
    ///
    /// Fails with [`Code::InvalidPayload`] and the first finding when the runner refuses the payload.
    /// A title that is empty or not one line is [`Code::InvalidInput`], what is over the limits
    /// [`Code::TooLarge`], a runner that is not installed [`Code::UnknownRunner`], one whose plugin asks for more than was
    /// granted [`Code::PluginNotGranted`], and a place that is not there [`Code::NotFound`].
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::request::StateName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let good = office.request(office.change("\"raise the price\"")?);
    /// assert_eq!(gate.draft(&office.ana, &good)?.state.name(), StateName::Draft);
    /// // The scripted runner refuses this one.
    /// let bad = office.request(office.change("\"refuse\"")?);
    /// assert_eq!(gate.draft(&office.ana, &bad).unwrap_err().code(), Code::InvalidPayload);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn draft(&self, caller: &Caller, new: &NewRequest) -> Result<Request, Error> {
        self.draft_in(caller, new, &Definition::change().name)
    }

    /// Writes a new request as [`Self::draft`] does, which goes through the workflow of that name in its latest
    /// version, and stays with that version.
    ///
    /// Fails with [`Code::NotFound`] where the project has no such workflow, or retired it.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let new = office.request(office.change("\"raise the price\"")?);
    /// let header = gate.draft_in(&office.ana, &new, &"change".parse()?)?.header;
    /// assert_eq!((header.workflow_version, header.step.as_str()), (1, "DRAFT"));
    /// let error = gate.draft_in(&office.ana, &new, &"purchase".parse()?).unwrap_err();
    /// assert_eq!(error.code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn draft_in(
        &self,
        caller: &Caller,
        new: &NewRequest,
        workflow: &Slug,
    ) -> Result<Request, Error> {
        let begins = Beginning { workflow, action: action::DRAFT, event: Event::RequestDrafted };
        self.begin(caller, new, &begins, |_txn, header| {
            if header.workflow == Definition::artifact().name {
                return Err(Error::new(
                    Code::InvalidInput,
                    "the workflow `artifact` is for artifacts, which have names",
                )
                .with_help("say which artifact it is: `draft_artifact`"));
            }
            Ok(())
        })
    }

    /// Writes a new request, of which `complete` says what else is true.
    pub(in crate::gate) fn begin(
        &self,
        caller: &Caller,
        new: &NewRequest,
        begins: &Beginning<'_>,
        complete: impl Fn(&mut Txn<'_>, &mut Header) -> Result<(), Error>,
    ) -> Result<Request, Error> {
        let scope = Scope::module(new.project, new.module, new.environment);
        // The same words for what is not there and for what may not be seen.
        let what = format!("such module and environment in project `{}`", new.project);
        self.transact(|txn| {
            let shelf = txn.shelf(new.project)?.ok_or_else(|| not_found(&what))?;
            // Looked up before anybody is judged: invented places leave no denials behind.
            let exists = shelf.book.modules.contains_key(&new.module)
                && shelf.book.environments.contains_key(&new.environment);
            if !exists {
                return Err(not_found(&what));
            }
            let permit = txn.ask::<Submit>(caller.user(), scope, &what)?;
            permit.spend_on(&scope)?;
            if own::is_own(&new.change.runner) {
                return Err(not_proposed());
            }
            self.check_change(txn, &new.title, &new.change)?;
            let workflow = shelf.book.workflows.to_begin(begins.workflow)?;
            shelf.book.check_allowed(new.environment, &workflow.name)?;
            let mut header = self.new_header(txn, caller, new, &workflow)?;
            complete(txn, &mut header)?;
            Self::write_draft(txn, caller, (header, new.change.clone()), begins)
        })
    }

    /// Writes a new revision, and goes where the workflow says: back to `DRAFT` in `change`. Whatever was approved
    /// is approved no longer, and whoever writes a revision cannot approve the request.
    /// It takes the action `request`.
    ///
    /// Fails as [`Self::draft`] does, with [`Code::WrongState`] where the workflow lets nobody edit, and once it
    /// runs, took effect somewhere or is over, and with [`Code::Refused`] for another payload of a change that was
    /// promoted.
    ///
    /// ```
    /// use placet_core::request::StateName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let change = office.change("\"raise it twice\"")?;
    /// let edited = gate.edit(&office.ana, id, "raise it twice", &change)?;
    /// assert_eq!((edited.header.revision, edited.state.name()), (2, StateName::Draft));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn edit(
        &self,
        caller: &Caller,
        id: RequestId,
        title: &str,
        change: &Change,
    ) -> Result<Request, Error> {
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Submit>(caller.user(), scope, &subject(id))?;
            let (author, _) = permit.spend_on(&scope)?;
            if own::is_own(&request.header.runner) || own::is_own(&change.runner) {
                txn.check_is_proposal(author, &request.header, change)?;
            }
            self.check_change(txn, title, change)?;
            request.header.check_keeps_payload(change)?;
            let from = request.state.name();
            let mut header = request.header.clone();
            if let State::Approved(approved) = &request.state {
                approved.check_not_begun(&header)?;
                // It has to be approved anew, maybe for another target.
                txn.leave_queue(approved.next_target(&header)?, id)?;
            }
            let state = match &request.state {
                State::Draft(_)
                | State::ChangesRequested(_)
                | State::PendingApproval(_)
                | State::Approved(_) => {
                    // What was sent back may stay sent back: it holds no approval either.
                    let stays = txn.edit_way(&mut header, from)?;
                    if stays { request.state } else { Draft::default().into() }
                }
                State::Rejected(_)
                | State::Cancelled(_)
                | State::Executing(_)
                | State::Succeeded(_)
                | State::Failed(_)
                | State::Unknown(_) => return Err(request.wrong_state("edited")),
            };
            header.revision = header.revision.checked_add(1).ok_or_else(|| {
                Error::new(Code::TooLarge, format!("`{id}` has too many revisions"))
                    .with_help("draft a new request")
            })?;
            header.add_author(author, txn.kind_of(author)?);
            header.add_principal(caller.principal());
            title.clone_into(&mut header.title);
            header.runner = change.runner.clone();
            header.target = change.target.clone();
            header.then.clone_from(&change.then);
            header.payload_digest = Digest::of(change.payload.as_bytes());
            header.nonce = self.nonce()?;
            header.plan = None;
            header.attempts = 0;
            let title = title.to_owned();
            txn.add(&Revision::new(id, header.revision, author, title, change.clone()))?;
            let note =
                Note { caller: Some(caller), verb: action::EDIT, from: Some(from), comment: None };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestEdited, Some(caller), &request);
            Ok((request, leaf))
        })
    }

    /// What is true of a new request of that caller.
    pub(in crate::gate) fn new_header(
        &self,
        txn: &mut Txn<'_>,
        caller: &Caller,
        new: &NewRequest,
        workflow: &Definition,
    ) -> Result<Header, Error> {
        let (id, requester) = (RequestId::from_u128(self.parts.ids.next()), caller.user());
        let author = (requester, txn.kind_of(requester)?);
        let mut header = new.header(id, workflow, author, (self.nonce()?, txn.now));
        header.add_principal(caller.principal());
        Ok(header)
    }

    /// Writes the first revision of a request that was looked at.
    pub(in crate::gate) fn write_draft(
        txn: &mut Txn<'_>,
        caller: &Caller,
        (header, change): (Header, Change),
        begins: &Beginning<'_>,
    ) -> Result<(Request, Leaf), Error> {
        let (id, project) = (header.id, header.project_id);
        txn.add(&Revision::new(id, 1, header.requester, header.title.clone(), change))?;
        txn.add(&RequestOf { project, request: id })?;
        for used in [header.module_id.to_string(), header.environment_id.to_string()] {
            if txn.get::<Used>(&[&used])?.is_none() {
                txn.put(&Used { id: used })?;
            }
        }
        let request = Request { header, state: Draft::default().into() };
        let (caller, action) = (Some(caller), begins.action);
        let note = Note { caller, verb: action, from: None, comment: None };
        let request = txn.save(request, &note)?;
        let leaf = Self::request_leaf(txn, begins.event, caller, &request);
        Ok((request, leaf))
    }

    /// Looks at what was written: sizes here, the payload by its runner. Changes nothing.
    pub(in crate::gate) fn check_change(
        &self,
        txn: &mut Txn<'_>,
        title: &str,
        change: &Change,
    ) -> Result<(), Error> {
        self.check_title(title)?;
        change.check(&self.parts.limits)?;
        txn.check_granted(&change.runner)?;
        let runner = self.runner(&change.runner);
        let findings = guarded(|| runner.validate(&change.runner, &change.payload))?;
        match findings.iter().find(|finding| finding.level == Level::Error) {
            None => Ok(()),
            Some(finding) => Err(refused_payload(finding)),
        }
    }
}

/// The error for a payload that its runner refuses.
pub(in crate::gate) fn refused_payload(finding: &Finding) -> Error {
    let error = Error::new(
        Code::InvalidPayload,
        format!("the runner refuses the payload: {}", finding.message),
    )
    .with_help("correct it and try again")
    .with_detail("finding", &finding.code);
    match finding.line {
        Some(line) => error.with_detail("line", line),
        None => error,
    }
}

/// A command of the organisation was written as if it were a change of something else.
pub(in crate::gate) fn not_proposed() -> Error {
    Error::new(Code::InvalidInput, "commands of the organisation have requests of their own")
        .with_help("propose the command, or name another runner")
}
