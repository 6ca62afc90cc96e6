//! Looking at projects, requests, their histories and their trail in the log.

use super::Gate;
use super::decide::not_found;
use super::find::{RequestOf, subject};
use super::txn::Txn;
use crate::audit::Leaf;
use crate::authz::{Action, Audit, Read, Scope};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{ProjectId, RequestId, UserId};
use crate::identity::Caller;
use crate::org::Project;
use crate::request::{Change, Header, HistoryEntry, Request, Run, State, StateName};
use crate::runner::Plan;
use crate::store::Key;
use crate::store::records::{self, Record};

/// Everything that a reviewer sees of a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestView {
    /// What is true in every state.
    pub header: Header,
    /// What is true in this state.
    pub state: State,
    /// What is asked for.
    pub change: Change,
    /// What the runner says it would do, once it was asked.
    pub plan: Option<Plan>,
    /// What an approval would be for; nothing before there is a plan.
    pub digest: Option<Digest>,
    /// The runs so far, oldest first.
    pub runs: Vec<Run>,
}

/// One line of a list of requests.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RequestSummary {
    /// The request.
    pub id: RequestId,
    /// What people see.
    pub title: String,
    /// Its state.
    pub state: StateName,
    /// Who asked.
    pub requester: UserId,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A part of a list, and where the next part begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, oldest first.
    pub items: Vec<T>,
    /// Hand this in to get the next page; nothing when this was the last.
    pub next: Option<Cursor>,
}

/// A place in a list. It stays valid while things are added.
#[derive(Clone, Debug)]
pub struct Cursor(Key);

impl Gate {
    /// The request as a reviewer sees it. Whoever may read where it is may.
    ///
    /// Fails with [`Code::NotFound`] where it does not exist or may not be seen.
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
            let Request { header, state } = request;
            Ok(RequestView {
                header,
                state,
                change: revision.change,
                plan: revision.plan,
                digest,
                runs,
            })
        })
    }

    /// What happened to the request, oldest first.
    pub fn history(&self, caller: &Caller, id: RequestId) -> Result<Vec<HistoryEntry>, Error> {
        self.consult(|txn| {
            txn.readable(caller, id)?;
            self.scan_all(&records::key_of::<HistoryEntry>(&[&id.to_string()]))
        })
    }

    /// The requests of a project that the caller may read, in the order in which they were drafted. A page
    /// may hold fewer than there is room for.
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
            let sees_all = scope == Scope::project(project);
            let prefix = records::key_of::<RequestOf>(&[&project.to_string()]);
            let Page { items: rows, next } = self.page::<RequestOf>(&prefix, after)?;
            let mut items = Vec::with_capacity(rows.len());
            for row in rows {
                let Request { header, state } = txn.request(row.request)?;
                let here = header.scope();
                if !sees_all && !txn.quietly(caller.user(), &Action::READ, here)?.is_allowed() {
                    continue;
                }
                items.push(RequestSummary {
                    id: header.id,
                    title: header.title,
                    state: state.name(),
                    requester: header.requester,
                    updated_at: header.updated_at,
                });
            }
            Ok(Page { items, next })
        })
    }

    /// The projects that the caller may read or manage, by code.
    pub fn projects(&self, caller: &Caller) -> Result<Vec<Project>, Error> {
        self.consult(|txn| {
            let mut seen = Vec::new();
            for project in self.scan_all::<Project>(&records::key_of::<Project>(&[]))? {
                let (user, whole) = (caller.user(), Scope::project(project.id));
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

    /// The log entries about a request, with their indexes, for whoever may read the request.
    pub fn trail(&self, caller: &Caller, id: RequestId) -> Result<Vec<(u64, Leaf)>, Error> {
        self.consult(|txn| txn.readable(caller, id).map(drop))?;
        let mut found = Vec::new();
        self.each_leaf(|index, leaf| {
            if leaf.request == Some(id) {
                found.push((index, leaf));
            }
        })?;
        Ok(found)
    }

    /// Log entries from `from` on, for PLATFORM_ADMIN and AUDITOR, at most one page.
    pub fn audit(&self, caller: &Caller, from: u64) -> Result<Vec<(u64, Leaf)>, Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "audit log")?;
            permit.spend_on(&Scope::Platform).map(drop)
        })?;
        let entries = self.parts.store.log_read(from, self.parts.limits.page_rows_max.max(1))?;
        (0_u64..)
            .map(|n| from.saturating_add(n))
            .zip(entries)
            .map(|(index, bytes)| Ok((index, Leaf::from_bytes(&bytes)?)))
            .collect()
    }

    fn each_leaf(&self, mut visit: impl FnMut(u64, Leaf)) -> Result<(), Error> {
        let page = self.parts.limits.page_rows_max.max(1);
        let mut from = 0_u64;
        loop {
            let entries = self.parts.store.log_read(from, page)?;
            let full = entries.len() >= page;
            for bytes in entries {
                visit(from, Leaf::from_bytes(&bytes)?);
                from = from.saturating_add(1);
            }
            if !full {
                return Ok(());
            }
        }
    }

    /// One page of the records under `prefix`.
    pub(super) fn page<R: Record>(
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
    pub(super) fn scan_all<R: Record>(&self, prefix: &Key) -> Result<Vec<R>, Error> {
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
    fn readable(&mut self, caller: &Caller, id: RequestId) -> Result<Request, Error> {
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
