//! The compiled index of everything, kept as the store is.
//!
//! It is read whole when it is first asked for. Every commit that changes the organisation brings it up to date
//! before the verb returns, by reading again what was written: whatever order two commits are
//! looked at in, the later look sees both.

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;

use super::Gate;
use crate::audit::Leaf;
use crate::authz::{Index, IndexBuilder};
use crate::error::Error;
use crate::id::{GrantId, MembershipId, ProjectId, UserId};
use crate::org::book::{Book, Epoch, ProjectRow, global_role_path};
use crate::org::{GlobalRole, GlobalRoleGrant, Project, Row, User};
use crate::store::records::{self, Record};
use crate::store::{Key, Store};

/// How long a gate answers from its index without having asked the store for what others wrote, in
/// milliseconds.
const SILENCE_MS: u64 = 1_000;

/// Nobody looked into the log yet.
const NOWHERE: u64 = u64::MAX;

/// The index, and how far it is.
#[derive(Debug)]
pub(super) struct Access {
    current: ArcSwapOption<Index>,
    // Held by whoever makes the next index; nobody who asks ever waits for it.
    making: Mutex<()>,
    // How much of the log was heard, and is in the index where there is one; and when that was last compared with the
    // store.
    log_len: AtomicU64,
    heard_ms: AtomicU64,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            current: ArcSwapOption::default(),
            making: Mutex::default(),
            log_len: AtomicU64::new(NOWHERE),
            heard_ms: AtomicU64::default(),
        }
    }
}

impl Access {
    fn making(&self) -> MutexGuard<'_, ()> {
        // The index is put in whole, so a panic elsewhere leaves the former one.
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of the organisation a record is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Changed {
    User(UserId),
    Membership(ProjectId, MembershipId),
    Grant(ProjectId, GrantId),
    /// Anything else of a project.
    Project(ProjectId),
}

impl Changed {
    /// From the name of a record, as leaves have it; `None` for what the index does not hold.
    fn named(name: &str) -> Option<Self> {
        let mut parts = name.split('/');
        let kind = parts.next()?;
        match kind {
            User::KIND => Some(Self::User(parts.next()?.parse().ok()?)),
            GlobalRoleGrant::KIND => Some(Self::User(parts.nth(1)?.parse().ok()?)),
            Project::KIND => Some(Self::Project(parts.next()?.parse().ok()?)),
            ProjectRow::KIND => {
                let project = parts.next()?.parse().ok()?;
                match (parts.next()?, parts.next()?) {
                    ("team_members", id) => Some(Self::Membership(project, id.parse().ok()?)),
                    ("user_project_roles", id) => Some(Self::Grant(project, id.parse().ok()?)),
                    (
                        "quorums" | "quorum_rules" | "blocking_rules" | "auto_approvals"
                        | "workflows" | "governance" | "promotions" | "executions"
                        | "allowed_workflows" | "artifact_forms" | "runner_settings",
                        _,
                    ) => None,
                    _ => Some(Self::Project(project)),
                }
            }
            _ => None,
        }
    }
}

impl Gate {
    /// The index of everything as it is now. It is read whole at the first call, and kept from then on: a
    /// change that this gate acknowledged is in it, and one that another gate acknowledged is after a second
    /// at most. A copy that is held does not change.
    ///
    /// Fails as the store does, also where it cannot tell for a second what others wrote.
    ///
    /// ```
    /// use placet_core::authz::{Action, Scope};
    /// use placet_core::org::command::EndGrant;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (project, place) = (office.project, Scope::module(office.project, office.module, office.environment));
    /// let before = gate.index()?;
    /// let grants = gate.organisation(&office.root, project)?.grants;
    /// for grant in grants.iter().filter(|grant| grant.user_id == office.bo.user()) {
    ///     gate.manage(&office.root, &EndGrant { project, grant: grant.id, at: None })?;
    /// }
    /// assert!(!gate.index()?.can(office.bo.user(), &Action::APPROVE, place, gate.now()));
    /// assert!(before.can(office.bo.user(), &Action::APPROVE, place, gate.now())); // as it was then
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn index(&self) -> Result<Arc<Index>, Error> {
        loop {
            self.hear()?;
            if let Some(index) = self.access.current.load_full() {
                return Ok(index);
            }
            let _making = self.access.making();
            if self.access.current.load().is_none() {
                self.access.current.store(Some(Arc::new(self.read_index()?)));
            }
            // Reading may have taken long: it is handed out once what others wrote meanwhile is in it.
        }
    }

    /// Asks the index, where there is one that is fresh enough.
    pub(super) fn with_index<T>(&self, ask: impl FnOnce(&Index) -> T) -> Result<T, Error> {
        if self.is_heard()
            && let Some(index) = self.access.current.load().as_deref()
        {
            return Ok(ask(index));
        }
        Ok(ask(&*self.index()?))
    }

    fn is_heard(&self) -> bool {
        let heard = self.access.heard_ms.load(Ordering::Acquire);
        heard != 0 && self.parts.clock.steady_ms().saturating_sub(heard) <= SILENCE_MS
    }

    /// Makes sure that what others wrote up to a second ago is in the index.
    fn hear(&self) -> Result<(), Error> {
        if self.is_heard() {
            return Ok(());
        }
        let _making = self.access.making();
        // Whoever had the turn before may have heard it all.
        if self.is_heard() { Ok(()) } else { self.follow_log() }
    }

    /// Takes note that an entry of the log is this gate's own, and in the index. Where others write between, the
    /// entries are read.
    pub(super) fn wrote_entry(&self, index: Option<u64>) {
        if let Some(index) = index {
            let (after, order) = (index.saturating_add(1), Ordering::AcqRel);
            let _raced =
                self.access.log_len.compare_exchange(index, after, order, Ordering::Relaxed);
        }
    }

    /// Brings what other gates wrote into the index, where there is one, and lets go of texts that they erased.
    pub(super) fn catch_up(&self) -> Result<(), Error> {
        let _making = self.access.making();
        self.follow_log()
    }

    /// Reads the log on from where this gate stands.
    fn follow_log(&self) -> Result<(), Error> {
        let asked_ms = self.parts.clock.steady_ms().max(1);
        let mut changed = BTreeSet::new();
        let mut from = self.access.log_len.load(Ordering::Acquire);
        if from == NOWHERE {
            // What is remembered by now may be erased by now.
            from = self.parts.store.log_len()?;
            self.memory().empty();
        }
        let page = self.parts.limits.page_rows_max.max(1);
        loop {
            let entries = self.parts.store.log_read(from, page)?;
            let full = entries.len() >= page;
            for entry in entries {
                from = from.saturating_add(1);
                let Ok(leaf) = Leaf::from_bytes(&entry) else {
                    // Of a newer version, say: the rows tell what it was about, all of them.
                    self.access.current.store(None);
                    self.memory().empty();
                    continue;
                };
                if !leaf.erased.is_empty() {
                    self.memory().empty();
                }
                let names = leaf.records.iter().map(|record| record.name.as_str());
                let named: Vec<Changed> = names.filter_map(Changed::named).collect();
                if !named.is_empty() {
                    // Behind it, what that node ended would still hold here.
                    self.not_before(leaf.at);
                }
                changed.extend(named);
            }
            if !full {
                break;
            }
        }
        self.read_again(&changed);
        self.access.log_len.store(from, Ordering::Release);
        self.access.heard_ms.fetch_max(asked_ms, Ordering::AcqRel);
        Ok(())
    }

    /// Looks again at records that a commit wrote, or may have written.
    pub(super) fn organisation_changed(&self, names: &[String]) {
        let changed: BTreeSet<Changed> =
            names.iter().filter_map(|name| Changed::named(name)).collect();
        if changed.is_empty() {
            return;
        }
        let _making = self.access.making();
        self.read_again(&changed);
    }

    /// Reads what changed. What cannot be read makes the whole index be read anew when it is next asked.
    fn read_again(&self, changed: &BTreeSet<Changed>) {
        let Some(index) = self.access.current.load_full() else { return };
        let read = changed.iter().try_fold((*index).clone(), |index, one| self.apply(index, one));
        self.access.current.store(read.ok().map(Arc::new));
    }

    fn apply(&self, index: Index, changed: &Changed) -> Result<Index, Error> {
        match changed {
            Changed::User(id) => {
                let Some(user) = self.read_one::<User>(&[&id.to_string()])? else {
                    return Ok(index);
                };
                let mut held = Vec::new();
                for role in [GlobalRole::PlatformAdmin, GlobalRole::Auditor] {
                    let [name, holder] = global_role_path(role, *id);
                    if self.read_one::<GlobalRoleGrant>(&[&name, &holder])?.is_some() {
                        held.push(role);
                    }
                }
                Ok(index.with_user(&user, &held))
            }
            Changed::Membership(project, id) => {
                let path = [project.to_string(), "team_members".to_owned(), id.to_string()];
                let row = self.read_one::<ProjectRow>(&path.each_ref().map(String::as_str))?;
                let row = row.and_then(|found| {
                    if let Row::Membership(row) = found.row { Some(row) } else { None }
                });
                Ok(index.with_membership(*project, *id, row.as_ref()))
            }
            Changed::Grant(project, id) => {
                let path = [project.to_string(), "user_project_roles".to_owned(), id.to_string()];
                let row = self.read_one::<ProjectRow>(&path.each_ref().map(String::as_str))?;
                let row =
                    row.and_then(
                        |found| if let Row::Grant(row) = found.row { Some(row) } else { None },
                    );
                Ok(index.with_grant(*project, *id, row.as_ref()))
            }
            Changed::Project(id) => {
                let Some(project) = self.read_one::<Project>(&[&id.to_string()])? else {
                    return Ok(index);
                };
                let mut book = Book::new(project);
                let prefix = records::key_of::<ProjectRow>(&[&id.to_string()]);
                self.each::<ProjectRow>(&prefix, |found| book.insert(found.row))?;
                Ok(index.with_project(&book))
            }
        }
    }

    /// Reads the organisation whole, and how long the log was before.
    fn read_index(&self) -> Result<Index, Error> {
        // First: what is written meanwhile is looked at again.
        let log_len = self.parts.store.log_len()?;
        // The entries before are not read, and one of them may say that a text was erased.
        self.memory().empty();
        let mut builder = IndexBuilder::default();
        self.each::<User>(&records::key_of::<User>(&[]), |row| builder.user(&row))?;
        let roles = records::key_of::<GlobalRoleGrant>(&[]);
        self.each::<GlobalRoleGrant>(&roles, |row| builder.global_role(&row))?;
        self.each::<Project>(&records::key_of::<Project>(&[]), |row| builder.project(&row))?;
        let rows = records::key_of::<ProjectRow>(&[]);
        self.each::<ProjectRow>(&rows, |found| builder.row(found.project, found.row))?;
        // Where the clock was set back meanwhile, what was ended before would hold again.
        self.each::<Epoch>(&records::key_of::<Epoch>(&[]), |row| self.not_before(row.at))?;
        self.access.log_len.store(log_len, Ordering::Release);
        Ok(builder.build())
    }

    fn read_one<R: Record>(&self, path: &[&str]) -> Result<Option<R>, Error> {
        let key = records::key_of::<R>(path);
        let stored = self.parts.store.get(&key)?;
        stored.map(|stored| records::decode(&key, &stored.value)).transpose()
    }

    fn each<R: Record>(&self, prefix: &Key, mut visit: impl FnMut(R)) -> Result<(), Error> {
        let store: &dyn Store = &*self.parts.store;
        let (page, mut after) = (self.parts.limits.page_rows_max.max(1), None);
        loop {
            let found = store.scan(prefix, after.as_ref(), page)?;
            let full = found.len() >= page;
            for (key, stored) in found {
                visit(records::decode(&key, &stored.value)?);
                after = Some(key);
            }
            if !full {
                return Ok(());
            }
        }
    }
}
