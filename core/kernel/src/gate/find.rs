//! Finding requests, and keeping their histories.

use serde::{Deserialize, Serialize};

use super::Gate;
use super::about::TOLD;
use super::decide::not_found;
use super::txn::Txn;
use crate::audit::{Event, Leaf};
use crate::error::{Code, Error};
use crate::id::{ProjectId, RequestId, UserId};
use crate::identity::Caller;
use crate::letters::misleads;
use crate::org::{User, UserKind};
use crate::request::{Header, HistoryEntry, Request, Revision, StateName};
use crate::store::records::{self, Record};
use crate::workflow::Definition;

/// Lists a project's requests.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct RequestOf {
    pub(crate) project: ProjectId,
    pub(crate) request: RequestId,
}

impl Record for RequestOf {
    const KIND: &'static str = "request_of";

    fn path(&self) -> Vec<String> {
        vec![self.project.to_string(), self.request.to_string()]
    }
}

/// One step to note in a request's history.
#[derive(Debug)]
pub(super) struct Note<'a> {
    pub(super) caller: Option<&'a Caller>,
    // The core's word for it. What its workflow calls it is known from the way that was taken.
    pub(super) verb: &'static str,
    pub(super) from: Option<StateName>,
    pub(super) comment: Option<&'a str>,
}

/// How a request is called where it may not exist.
pub(super) fn subject(id: RequestId) -> String {
    format!("request `{id}`")
}

impl Txn<'_> {
    pub(super) fn request(&mut self, id: RequestId) -> Result<Request, Error> {
        let found = self.get::<Request>(&[&id.to_string()])?;
        let request = found.ok_or_else(|| not_found(&subject(id)))?;
        self.about = Some(id);
        Ok(request)
    }

    /// What stands behind a user who was judged. Whoever is not there acts as an agent would: they get less.
    pub(super) fn kind_of(&mut self, user: UserId) -> Result<UserKind, Error> {
        let found = self.get::<User>(&[&user.to_string()])?;
        Ok(found.map_or(UserKind::Agent, |user| user.kind))
    }

    /// Whether the user is an agent, as far as this try read who they are.
    pub(super) fn is_agent(&self, id: UserId) -> bool {
        let key = records::key_of::<User>(&[&id.to_string()]);
        let read = self.read.get(&key).and_then(Option::as_ref);
        let user = read.map(|stored| records::decode::<User>(&key, &stored.value));
        user.is_some_and(|user| user.is_ok_and(|user| user.kind == UserKind::Agent))
    }

    /// The request's present revision.
    pub(super) fn revision(&mut self, header: &Header) -> Result<Revision, Error> {
        self.revision_numbered(header.id, header.revision)
    }

    /// The revision of that number, which the request has.
    pub(super) fn revision_numbered(
        &mut self,
        id: RequestId,
        number: u32,
    ) -> Result<Revision, Error> {
        let found = self.get::<Revision>(&[&id.to_string(), &format!("{number:010}")])?;
        found.ok_or_else(|| {
            Error::new(Code::StoreDamaged, format!("revision {number} of `{id}` is not stored"))
                .with_help("restore the store from a backup")
        })
    }

    /// Writes the request, and the step that led to it.
    pub(super) fn save(&mut self, request: Request, note: &Note<'_>) -> Result<Request, Error> {
        self.save_in(request, note, None)
    }

    /// Like [`Self::save`]; the step belongs to a thread.
    pub(super) fn save_in(
        &mut self,
        mut request: Request,
        note: &Note<'_>,
        thread: Option<u32>,
    ) -> Result<Request, Error> {
        self.check_step(&request)?;
        let id = request.header.id.to_string();
        let before = self.get::<Request>(&[&id])?.map(|before| before.header.step);
        let kind = note.caller.map(|caller| self.kind_of(caller.user())).transpose()?;
        let action = self.taken.take().map_or_else(|| note.verb.to_owned(), |way| way.to_string());
        let entry = HistoryEntry {
            request: request.header.id,
            number: request.header.history_len,
            at: self.now,
            actor: note.caller.map(Caller::user),
            verb: note.verb.to_owned(),
            action,
            from: note.from,
            to: request.state.name(),
            from_step: before,
            to_step: request.header.step.clone(),
            revision: request.header.revision,
            comment: note.comment.map(str::to_owned),
            thread,
            on_behalf_of: note.caller.and_then(Caller::principal),
            by_agent: kind == Some(UserKind::Agent),
        };
        request.header.history_len = request.header.history_len.saturating_add(1);
        request.header.updated_at = self.now;
        self.add(&entry)?;
        // A new one is stored nowhere, and is not looked for.
        let was = match note.from {
            Some(_) => self.get::<Request>(&[&request.header.id.to_string()])?,
            None => None,
        };
        self.keep_due(was.as_ref(), &request)?;
        self.put(&request)?;
        Ok(request)
    }
}

impl Gate {
    /// A leaf for something that `caller` does now.
    pub(super) fn leaf(txn: &Txn<'_>, event: Event, caller: Option<&Caller>) -> Leaf {
        let mut leaf = Leaf::new(event, txn.now);
        if let Some(caller) = caller {
            leaf.actor = Some(caller.user());
            leaf.by_agent = txn.is_agent(caller.user());
            leaf.on_behalf_of = caller.principal();
            leaf.channel = caller.channel();
            leaf.os_user = caller.os_user();
            leaf.trace = caller.trace();
        }
        leaf
    }

    /// A leaf about `request` as it is now.
    pub(super) fn request_leaf(
        txn: &Txn<'_>,
        event: Event,
        caller: Option<&Caller>,
        request: &Request,
    ) -> Leaf {
        let mut leaf = Self::leaf(txn, event, caller);
        leaf.scope = Some(request.header.scope());
        leaf.request = Some(request.header.id);
        leaf.revision = Some(request.header.revision);
        leaf.change = request.header.change_digest().ok();
        leaf.plugin = request.header.plan.map(|plan| plan.runner_digest);
        leaf.facts.extend(txn.told.map(|told| (TOLD.to_owned(), told.to_string())));
        let first_grant = txn.first_grant.iter();
        leaf.facts.extend(first_grant.map(|words| ("first_grant".to_owned(), words.clone())));
        if let Some(artifact) = &request.header.artifact {
            let name = format!("{}/{}", artifact.artifact_type, artifact.artifact_id);
            leaf.facts.insert("artifact".to_owned(), name);
            leaf.facts.insert("version".to_owned(), artifact.version.to_string());
        }
        // In `change` the event says it: its states are the phases.
        if !Definition::is_change(&request.header.workflow) {
            let Header { workflow, workflow_version, step, .. } = &request.header;
            leaf.facts.insert("workflow".to_owned(), format!("{workflow}/{workflow_version}"));
            leaf.facts.insert("step".to_owned(), step.to_string());
        }
        leaf
    }

    /// Refuses a title that is empty, too long or more than one line.
    pub(super) fn check_title(&self, title: &str) -> Result<(), Error> {
        self.check_comment(title, false)?;
        if title.trim().is_empty() || title.chars().any(misleads) {
            return Err(Error::new(Code::InvalidInput, "a request needs a title of one line")
                .with_help("say in a few words what it is for"));
        }
        Ok(())
    }

    /// Refuses a comment that is too long, or missing where one is needed.
    pub(super) fn check_comment(&self, text: &str, needed: bool) -> Result<(), Error> {
        let max = self.parts.limits.text_bytes_max;
        if text.len() > max {
            return Err(Error::new(
                Code::TooLarge,
                format!("the text has {} bytes; the limit is {max}", text.len()),
            )
            .with_help("shorten it, or raise `text_bytes_max`"));
        }
        if text.chars().any(|letter| misleads(letter) && !matches!(letter, '\n' | '\r' | '\t')) {
            return Err(Error::new(
                Code::InvalidInput,
                "the text holds letters that control a screen or turn its direction",
            )
            .with_help("write it without them: whoever reads it must see what is there"));
        }
        if needed && text.trim().is_empty() {
            return Err(Error::new(Code::InvalidInput, "this step needs a comment")
                .with_help("say why, in a few words"));
        }
        Ok(())
    }
}
