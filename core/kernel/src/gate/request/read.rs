//! Looking at projects, requests and their histories.

use std::collections::BTreeMap;

use crate::authz::{Action, Read, Scope};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::find::{RequestOf, subject};
use crate::gate::txn::Txn;
use crate::id::{ProjectId, RequestId, UserId};
use crate::identity::Caller;
use crate::org::Project;
use crate::request::{
    ApprovalRule, Change, Check, Header, HistoryEntry, Request, Run, State, StateName, Version,
};
use crate::runner::Plan;
use crate::store::Key;
use crate::store::records::{self, Record};
use crate::workflow::StateCode;

/// Everything that a reviewer sees of a request.
///
/// ```
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let view = gate.view(&office.ana, office.pending(&gate)?.header.id)?;
/// let plan = view.plan.expect("submitting made it");
/// assert_eq!((view.change.payload.as_str(), plan.steps.len()), ("\"raise the price\"", 1));
/// assert!(view.runs.is_empty());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestView {
    /// What is true in every state.
    pub header: Header,
    /// What is true in this state.
    pub state: State,
    /// What is asked for.
    pub change: Change,
    /// What the runner says it would do, once it was asked; of a batch, at its canary.
    pub plan: Option<Plan>,
    /// What it would do at the other targets of a batch, in their order.
    pub plans_then: Vec<Plan>,
    /// What an approval would be for; nothing before there is a plan.
    pub digest: Option<Digest>,
    /// The runs so far, oldest first.
    pub runs: Vec<Run>,
    /// Who is still needed, while it waits for approvals: such as "1 of `QA`, 1 of `PO`".
    pub awaited: Option<String>,
    /// What the host's checks said of what is asked for now, by name.
    pub checks: Vec<Check>,
}

/// One line of a list of requests.
///
/// ```
/// use placet_core::request::StateName;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// office.pending(&gate)?;
/// let list = gate.requests(&office.ana, office.project, None)?.items;
/// let waiting = list.iter().filter(|line| line.state == StateName::PendingApproval);
/// let titles: Vec<_> = waiting.map(|line| line.title.as_str()).collect();
/// assert_eq!(titles, ["a change"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RequestSummary {
    /// The request.
    pub id: RequestId,
    /// What people see.
    pub title: String,
    /// Its state.
    pub state: StateName,
    /// The state of its workflow.
    pub step: StateCode,
    /// Which version of which artifact it is.
    pub artifact: Option<Version>,
    /// The rule that approved it in place of people.
    pub approved_by_rule: Option<ApprovalRule>,
    /// Who asked.
    pub requester: UserId,
    /// Whether that is an agent.
    pub by_agent: bool,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A part of a list, and where the next part begins.
///
/// ```
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let (mut all, mut after) = (Vec::new(), None);
/// loop {
///     let page = gate.users(&office.root, after.as_ref())?;
///     all.extend(page.items);
///     after = page.next;
///     if after.is_none() {
///         break;
///     }
/// }
/// assert_eq!(all.len(), 3);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, oldest first.
    pub items: Vec<T>,
    /// Hand this in to get the next page; nothing when this was the last.
    pub next: Option<Cursor>,
}

/// A place in a list. It stays valid while things are added.
///
/// ```
/// use std::sync::Arc;
/// use placet_core::gate::Gate;
/// use placet_core::store::MemoryStore;
/// use placet_core::testing::{Bench, Office};
///
/// let mut parts = Bench::on(Arc::new(MemoryStore::default()))?.parts;
/// parts.limits.page_rows_max = 1;
/// let gate = Gate::new(parts);
/// let office = Office::found(&gate)?;
/// let first = gate.users(&office.root, None)?;
/// let second = gate.users(&office.root, first.next.as_ref())?;
/// assert_eq!(second.items[0].id, office.ana.user());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cursor(Key);

impl Gate {
    /// The request as a reviewer sees it. Whoever may read where it is may.
    ///
    /// Fails with [`Code::NotFound`] where it does not exist or may not be seen.
    /// What is stored but is not what its digests say is [`Code::DigestMismatch`].
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let header = office.pending(&gate)?.header;
    /// let view = gate.view(&office.ana, header.id)?;
    /// assert_eq!(view.digest, Some(header.change_digest()?));
    /// // Bo may not read here.
    /// assert_eq!(gate.view(&office.bo, header.id).unwrap_err().code(), Code::NotFound);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn view(&self, caller: &Caller, id: RequestId) -> Result<RequestView, Error> {
        self.consult(|txn| {
            let request = txn.readable(caller, id)?;
            let revision = txn.revision(&request.header)?;
            // What is shown is what an approval would be for, or nothing is shown.
            if request.header.plan.is_some() {
                revision.check_digests(&request.header)?;
            }
            let runs = self.scan_all(&records::key_of::<Run>(&[&id.to_string()]))?;
            let digest = request.header.change_digest().ok();
            let awaited = if let State::PendingApproval(pending) = &request.state {
                let so_far = (pending.approvals.as_slice(), &pending.digest);
                Some(txn.awaited(&request.header, &pending.quorum, so_far)?)
            } else {
                None
            };
            let mut checks = self.checks(id)?;
            checks.retain(|check| Some(check.digest) == digest);
            let Request { header, state } = request;
            Ok(RequestView {
                header,
                state,
                change: revision.change,
                plan: revision.plan,
                plans_then: revision.then,
                digest,
                runs,
                awaited,
                checks,
            })
        })
    }

    /// What happened to the request, oldest first.
    ///
    /// Fails with [`Code::NotFound`] as [`Self::view`] does.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let steps = gate.history(&office.ana, id)?;
    /// let actions: Vec<_> = steps.iter().map(|step| step.action.as_str()).collect();
    /// assert_eq!(actions, ["DRAFT", "PLAN", "SUBMIT", "APPROVE"]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn history(&self, caller: &Caller, id: RequestId) -> Result<Vec<HistoryEntry>, Error> {
        self.consult(|txn| {
            txn.readable(caller, id)?;
            self.scan_all(&records::key_of::<HistoryEntry>(&[&id.to_string()]))
        })
    }

    /// The requests of a project that the caller may read, in the order in which they were drafted. A page
    /// may hold fewer than there is room for.
    ///
    /// The room is [`crate::limits::Limits::page_rows_max`]. Fails with [`Code::NotFound`] for whoever may
    /// read nothing in the project.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (first, second) = (office.approved(&gate)?, office.pending(&gate)?);
    /// let list = gate.requests(&office.ana, office.project, None)?.items;
    /// let ids: Vec<_> = list.iter().map(|line| line.id).collect();
    /// assert_eq!(ids, [first.header.id, second.header.id]);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn requests(
        &self,
        caller: &Caller,
        project: ProjectId,
        after: Option<&Cursor>,
    ) -> Result<Page<RequestSummary>, Error> {
        let what = format!("project `{project}`");
        self.consult(|txn| {
            let scope = txn.read_scope(caller.user(), project)?;
            txn.ask::<Read>(caller.user(), scope, &what)?.spend_on(&scope)?;
            // Each place is judged, also for whoever reads the whole: a policy may close one to them.
            let mut judged = BTreeMap::new();
            let prefix = records::key_of::<RequestOf>(&[&project.to_string()]);
            let Page { items: rows, next } = self.page::<RequestOf>(&prefix, after)?;
            let mut items = Vec::with_capacity(rows.len());
            for row in rows {
                let request = txn.request(row.request)?;
                let approved_by_rule = request.approved().and_then(|approved| approved.by_rule);
                let Request { header, state } = request;
                let place = (header.module_id, header.environment_id);
                let reads = match judged.get(&place) {
                    Some(reads) => *reads,
                    None => txn.quietly(caller.user(), &Action::READ, header.scope())?.is_allowed(),
                };
                judged.insert(place, reads);
                if !reads {
                    continue;
                }
                items.push(RequestSummary {
                    id: header.id,
                    title: header.title,
                    state: state.name(),
                    step: header.step,
                    artifact: header.artifact,
                    approved_by_rule,
                    requester: header.requester,
                    by_agent: header.agents.contains(&header.requester),
                    updated_at: header.updated_at,
                });
            }
            Ok(Page { items, next })
        })
    }

    /// The projects that the caller may read or manage, by code.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let codes: Vec<_> = gate.projects(&office.ana)?.into_iter().map(|row| row.code).collect();
    /// assert_eq!(codes, ["shop".parse()?]);
    /// assert!(gate.projects(&office.bo)?.is_empty()); // Bo may neither read nor manage
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn projects(&self, caller: &Caller) -> Result<Vec<Project>, Error> {
        self.consult(|txn| {
            let (user, mut seen) = (caller.user(), Vec::new());
            for project in self.perhaps_seen(txn, user)? {
                let whole = Scope::project(project.id);
                let place = txn.read_scope(user, project.id)?;
                if txn.quietly(user, &Action::READ, place)?.is_allowed()
                    || txn.quietly(user, &Action::MANAGE, whole)?.is_allowed()
                {
                    seen.push(project);
                }
            }
            seen.sort_by(|a, b| a.code.cmp(&b.code));
            Ok(seen)
        })
    }

    /// The projects of which the index says that `user` sees something: no other is worth a question. All of them
    /// where a global role shows all, or where a damaged row keeps the index from being built.
    fn perhaps_seen(&self, txn: &mut Txn<'_>, user: UserId) -> Result<Vec<Project>, Error> {
        // The index may lack what another node acknowledged a moment ago: a list must not.
        let heard = self.catch_up();
        let few = heard.and_then(|()| self.with_index(|index| index.seen_by(user, self.now())));
        let ids = match few {
            Ok(Some(ids)) => ids,
            Err(error) if error.code() != Code::StoreDamaged => return Err(error),
            // A damaged row of somebody else is none of theirs.
            Ok(None) | Err(_) => return self.scan_all(&records::key_of::<Project>(&[])),
        };
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        txn.fetch(ids.iter().map(|id| records::key_of::<Project>(&[id])).collect())?;
        let found = ids.iter().map(|id| txn.get::<Project>(&[id]));
        found.filter_map(Result::transpose).collect()
    }

    /// One page of the records under `prefix`.
    pub(in crate::gate) fn page<R: Record>(
        &self,
        prefix: &Key,
        after: Option<&Cursor>,
    ) -> Result<Page<R>, Error> {
        let limit = self.parts.limits.page_rows_max.max(1);
        let found = self.parts.store.scan(prefix, after.map(|cursor| &cursor.0), limit)?;
        let last = found.last().filter(|_| found.len() >= limit);
        let next = last.map(|(key, _)| Cursor(key.clone()));
        let decoded = found.iter().map(|(key, stored)| records::decode(key, &stored.value));
        Ok(Page { items: decoded.collect::<Result<_, _>>()?, next })
    }

    /// Every record under `prefix`.
    pub(in crate::gate) fn scan_all<R: Record>(&self, prefix: &Key) -> Result<Vec<R>, Error> {
        let (page, mut after, mut all) = (self.parts.limits.page_rows_max.max(1), None, Vec::new());
        loop {
            let found = self.parts.store.scan(prefix, after.as_ref(), page)?;
            let full = found.len() >= page;
            for (key, stored) in found {
                all.push(records::decode(&key, &stored.value)?);
                after = Some(key);
            }
            if !full {
                return Ok(all);
            }
        }
    }
}

impl Txn<'_> {
    /// The request, if the caller may read its project.
    pub(in crate::gate) fn readable(
        &mut self,
        caller: &Caller,
        id: RequestId,
    ) -> Result<Request, Error> {
        let request = self.request(id)?;
        let scope = request.header.scope();
        match self.ask::<Read>(caller.user(), scope, &subject(id)) {
            Ok(permit) => permit.spend_on(&scope).map(|_| request),
            // Whoever may not read is told nothing, not even that a right is missing.
            Err(error) if error.code() == Code::Denied => Err(not_found(&subject(id))),
            Err(error) => Err(error),
        }
    }
}
