//! The same change in the next environment, once it succeeded in this one.

use serde::{Deserialize, Serialize};

use super::draft::{Beginning, NewRequest, not_proposed};
use crate::audit::Event;
use crate::authz::{Scope, Submit};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::subject;
use crate::gate::txn::Txn;
use crate::id::{EnvironmentId, RequestId};
use crate::identity::Caller;
use crate::org::Slug;
use crate::org::book::Book;
use crate::request::{Change, Header, Request, Revision, State, action};
use crate::runner::{Outcome, own};
use crate::store::records::Record;
use crate::workflow::Verb;

/// Where a change goes next.
///
/// ```
/// use placet_core::gate::Promotion;
/// use placet_core::id::EnvironmentId;
/// let staging = EnvironmentId::from_u128(2);
/// let to = Promotion { environment: staging, targets: vec!["shop-staging".parse()?] };
/// assert_eq!(to.targets.len(), 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct Promotion {
    /// The next environment.
    pub environment: EnvironmentId,
    /// The targets there, the canary first. None: those of the same names.
    pub targets: Vec<Slug>,
}

/// Which request a promotion made, so that asking again makes no second one.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Promoted {
    source: RequestId,
    environment: EnvironmentId,
    request: RequestId,
}

impl Record for Promoted {
    const KIND: &'static str = "promotion";

    fn path(&self) -> Vec<String> {
        vec![self.source.to_string(), self.environment.to_string()]
    }
}

impl Gate {
    /// Writes a request for the next environment, with the payload and the plugin that succeeded in this one, in state
    /// `DRAFT`. It gets a plan, approvals and a run of its own; whoever wrote the change cannot approve it there
    /// either. Promoting again answers the request that is there, unless that was withdrawn before it took effect
    /// anywhere, or rejected for good; one that failed is run again. It takes reading this request, and the action `request` in the next environment.
    ///
    /// That it is the same change, and that it may come from there, is looked at again when it is submitted, and at the
    /// start of each run.
    ///
    /// Fails with [`Code::WrongState`] unless the request succeeded, with [`Code::InvalidInput`] where a stage would be
    /// skipped, and with [`Code::Refused`] before it stood there for the time that
    /// [`SetPromotion`](crate::org::command::SetPromotion) says, where the target contradicts that it succeeded, and
    /// where changes come from another environment. What was erased is [`Code::DigestMismatch`].
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::gate::Promotion;
    /// use placet_core::org::Criticality;
    /// use placet_core::org::command::CreateEnvironment;
    /// use placet_core::testing::{Office, Seen};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (project, priority, criticality) = (office.project, 2, Criticality::High);
    /// let (code, name) = ("staging".parse()?, "Staging".parse()?);
    /// let staging = CreateEnvironment { project, code, name, priority, criticality };
    /// let environment = gate.manage(&office.root, &staging)?;
    ///
    /// let id = office.approved(&gate)?.header.id;
    /// let to = Promotion { environment, targets: vec!["shop-staging".parse()?] };
    /// assert_eq!(gate.promote(&office.ana, id, &to).unwrap_err().code(), Code::WrongState);
    /// gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
    ///
    /// let next = gate.promote(&office.ana, id, &to)?.header;
    /// assert_eq!((next.environment_id, next.promoted_from), (environment, Some(id)));
    /// assert_eq!(gate.promote(&office.ana, id, &to)?.header.id, next.id);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn promote(
        &self,
        caller: &Caller,
        id: RequestId,
        to: &Promotion,
    ) -> Result<Request, Error> {
        self.attempt(|txn| {
            let source = txn.readable(caller, id)?;
            let header = &source.header;
            let scope = Scope::module(header.project_id, header.module_id, to.environment);
            let what = format!("such environment in project `{}`", header.project_id);
            let shelf = txn.shelf(header.project_id)?.ok_or_else(|| not_found(&what))?;
            if !shelf.book.environments.contains_key(&to.environment) {
                return Err(not_found(&what));
            }
            let permit = txn.ask::<Submit>(caller.user(), scope, &what)?;
            permit.spend_on(&scope)?;
            check_is_a_change(header)?;
            let revision = txn.revision(header)?;
            let change = promoted_change(&revision, to);
            if let Some(made) = txn.promoted(id, to.environment)? {
                return answer_again(made, &change).map(|request| (request, None));
            }
            txn.check_promotable(&source, &shelf.book, to.environment)?;
            revision.check_digests(header)?;
            self.check_change(txn, &header.title, &change)?;
            let new = NewRequest {
                project: header.project_id,
                module: header.module_id,
                environment: to.environment,
                title: header.title.clone(),
                change,
            };
            let workflow = shelf.book.workflows.to_begin(&header.workflow)?;
            shelf.book.check_allowed(to.environment, &workflow.name)?;
            let mut made = self.new_header(txn, caller, &new, &workflow)?;
            // Whoever wrote it there wrote what comes here.
            made.add_authors_of(header);
            made.promoted_from = Some(id);
            let promoted = Promoted { source: id, environment: to.environment, request: made.id };
            txn.put(&promoted)?;
            let (action, event) = (action::PROMOTE, Event::RequestPromoted);
            let begins = Beginning { workflow: &header.workflow, action, event };
            let (request, mut leaf) =
                Self::write_draft(txn, caller, (made, new.change.clone()), &begins)?;
            leaf.facts.insert("promoted_from".to_owned(), id.to_string());
            Ok((request, Some(leaf)))
        })
    }
}

/// Refuses what has another way from place to place: versions of an artifact, and commands of the organisation.
fn check_is_a_change(header: &Header) -> Result<(), Error> {
    if own::is_own(&header.runner) {
        return Err(not_proposed());
    }
    if header.artifact.is_none() {
        return Ok(());
    }
    let sentence = format!("`{}` is a version of an artifact, and no change to promote", header.id);
    Err(Error::new(Code::Refused, sentence).with_help("make a new version of it"))
}

/// The change as it was, for the targets of the next environment.
fn promoted_change(revision: &Revision, to: &Promotion) -> Change {
    let mut change = revision.change.clone();
    if let Some((first, then)) = to.targets.split_first() {
        change.target = first.clone();
        change.then = then.to_vec();
    }
    change
}

/// What a promotion that was asked for again is answered.
fn answer_again(made: Request, change: &Change) -> Result<Request, Error> {
    let id = made.header.id;
    if matches!(made.state, State::Cancelled(_)) {
        let sentence =
            format!("it was promoted as `{id}`, which took effect before it was cancelled");
        return Err(Error::new(Code::AlreadyExists, sentence)
            .with_help("begin again in the first environment, with what is left to do")
            .with_detail("request", id));
    }
    if made.header.targets().eq(change.targets()) {
        return Ok(made);
    }
    Err(Error::new(Code::AlreadyExists, format!("it was promoted as `{id}`, for other targets"))
        .with_help("go on with that one, or withdraw it and promote again")
        .with_detail("request", id))
}

impl Txn<'_> {
    /// The request that was made of `source` for an environment, where it may still come to something.
    fn promoted(
        &mut self,
        source: RequestId,
        environment: EnvironmentId,
    ) -> Result<Option<Request>, Error> {
        let path = [source.to_string(), environment.to_string()];
        let found = self.get::<Promoted>(&path.each_ref().map(String::as_str))?;
        let Some(found) = found else { return Ok(None) };
        let request = self.request(found.request)?;
        self.about = Some(source);
        // One that failed may run again, and a batch that was withdrawn half-way took effect: a second one would do it
        // twice.
        let is_over = match &request.state {
            State::Cancelled(gone) => gone.done.is_empty(),
            State::Rejected(_) => {
                let workflow = self.workflow(&request.header)?;
                workflow.way(&request.header.step, Verb::Restore).is_none()
            }
            State::Draft(_)
            | State::PendingApproval(_)
            | State::ChangesRequested(_)
            | State::Approved(_)
            | State::Executing(_)
            | State::Succeeded(_)
            | State::Failed(_)
            | State::Unknown(_) => false,
        };
        Ok((!is_over).then_some(request))
    }

    /// Refuses what did not succeed, did not stand for long enough, or would skip a stage.
    fn check_promotable(
        &mut self,
        source: &Request,
        book: &Book,
        to: EnvironmentId,
    ) -> Result<(), Error> {
        let (id, from) = (source.header.id, source.header.environment_id);
        let refused = |why: String, help: &str| {
            Error::new(Code::Refused, format!("`{id}` cannot be promoted yet: {why}"))
                .with_help(help)
        };
        let State::Succeeded(done) = &source.state else {
            return Err(source.wrong_state("promoted"));
        };
        let read = done.ended.last_read.as_ref().map(|read| &read.outcome);
        if matches!(read, Some(Outcome::Failed(_))) {
            let why = "its target says that it was not done".to_owned();
            return Err(refused(why, "look at the target, and draft a new request"));
        }
        book.check_stage(from, to)?;
        let Some(rule) = book.promotions.get(&to) else { return Ok(()) };
        if rule.from != from {
            let why = format!("changes come there from `{}`", book.environment(rule.from)?.code);
            return Err(refused(why, "promote it from there"));
        }
        let ready_at = done.ended.ended_at.plus_ms(rule.soak_ms);
        if self.now < ready_at {
            let why = format!("it must stand until {ready_at}");
            return Err(refused(why, "promote it then").with_detail("ready_at", ready_at));
        }
        Ok(())
    }

    /// Refuses a request that is not what succeeded in the environment before, and one that comes from nowhere where
    /// only promoted changes come. Looked at again at the start of each run.
    pub(in crate::gate) fn check_origin(&mut self, header: &Header) -> Result<(), Error> {
        let Some(id) = header.promoted_from else { return self.check_may_begin_here(header) };
        let source = self.request(id)?;
        self.about = Some(header.id);
        let plugin = |header: &Header| header.plan.map(|plan| plan.runner_digest);
        let is_same = matches!(source.state, State::Succeeded(_))
            && source.header.project_id == header.project_id
            && source.header.module_id == header.module_id
            && source.header.payload_digest == header.payload_digest
            && source.header.runner == header.runner
            && plugin(&source.header).is_some()
            && plugin(&source.header) == plugin(header);
        if is_same {
            // The order of the stages, and what the target says, may be another by now.
            let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
            return self.check_promotable(&source, &shelf.book, header.environment_id);
        }
        let sentence = format!("`{}` is not what succeeded as {}", header.id, subject(id));
        Err(Error::new(Code::DigestMismatch, sentence).with_help(
            "install the plugin that ran there, or begin again in the first environment",
        ))
    }

    fn check_may_begin_here(&mut self, header: &Header) -> Result<(), Error> {
        if own::is_own(&header.runner) {
            // A command changes the organisation, and runs where it is reviewed.
            return Ok(());
        }
        let shelf = self.shelf(header.project_id)?.ok_or_else(|| not_found("project"))?;
        let rule = shelf.book.promotions.get(&header.environment_id);
        let Some(rule) = rule.filter(|rule| rule.only_promoted) else { return Ok(()) };
        let from = &shelf.book.environment(rule.from)?.code;
        let sentence = format!("only changes that were promoted from `{from}` come here");
        Err(Error::new(Code::Refused, sentence)
            .with_help(format!("draft it in `{from}`, run it there, and promote it")))
    }
}

impl Header {
    /// Refuses another text for a change that was promoted: it would not be the same any more.
    pub(in crate::gate) fn check_keeps_payload(&self, change: &Change) -> Result<(), Error> {
        let is_same = self.runner == change.runner
            && self.payload_digest == crate::digest::Digest::of(change.payload.as_bytes());
        if self.promoted_from.is_none() || is_same {
            return Ok(());
        }
        Err(Error::new(Code::Refused, format!("`{}` was promoted, and keeps its payload", self.id))
            .with_help(
                "change its title or its targets only, or begin again in the first environment",
            ))
    }
}
