//! The organisation of the model, and one request in it: on any store, or on a copy of it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use placet_core::error::Error;
use placet_core::gate::{Gate, LeaseKey, RequestView};
use placet_core::id::{RequestId, UserId};
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AllowRole, AssignRole, CreatePermission, CreateRole, CreateUser, GrantGlobalRole,
    SetQuorum, SetUserActive,
};
use placet_core::org::{GlobalRole, Interval, Slug, TeamRole, UserKind};
use placet_core::request::{Change, Quorum, State};
use placet_core::runner::{Finding, Job, Outcome, Plan, Report, RunLink, Runner, RunnerInfo};
use placet_core::store::{Batch, Key, MemoryStore, Store};
use placet_core::testing::{Bench, Office, ScriptedRunner};

use super::promises::{broken_promises, given};
use super::rules::{Node, QUORUM, Who};

/// A gate, those who call it, and the request that it is about.
#[derive(Debug)]
pub(crate) struct Stage {
    bench: Arc<Bench>,
    store: Arc<dyn Store>,
    pub(crate) gate: Gate,
    target: Arc<Target>,
    office: Office,
    users: Arc<BTreeMap<Who, UserId>>,
    id: RequestId,
    /// How many requests there were before it: each has a target of its own, so that none waits for another.
    number: u64,
    /// The key of its last run.
    lease: Cell<Option<LeaseKey>>,
}

/// A target that does and says what it is told, until it is told otherwise.
#[derive(Debug)]
struct Target {
    inner: ScriptedRunner,
    ends: Mutex<Outcome>,
    reads: Mutex<Outcome>,
}

impl Default for Target {
    fn default() -> Self {
        let success = || Mutex::new(Outcome::Succeeded(Report::default()));
        Self { inner: ScriptedRunner::default(), ends: success(), reads: success() }
    }
}

impl Runner for Target {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        self.inner.describe(runner)
    }

    fn validate(&self, runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error> {
        self.inner.validate(runner, payload)
    }

    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error> {
        self.inner.plan(job, link)
    }

    fn execute(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        self.inner.ends_with(self.ends.lock().unwrap().clone());
        self.inner.execute(job, approved, link)
    }

    fn verify(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        self.inner.reads(self.reads.lock().unwrap().clone());
        self.inner.verify(job, approved, link)
    }
}

/// Who has which actions, beside reading.
const ROLES: [(Who, &[&str]); 8] = [
    (Who::Edi, &["request", "approve"]),
    (Who::Bo, &["approve"]),
    (Who::Cy, &["approve"]),
    (Who::Exe, &["execute"]),
    (Who::Max, &["manage"]),
    (Who::Robot, &["request", "approve", "execute", "manage"]),
    (Who::Ina, &["request", "approve", "execute", "manage"]),
    (Who::Eve, &[]),
];

impl Stage {
    /// The organisation on an empty store, and a request of Ana's that was just drafted.
    pub(crate) fn on(store: Arc<dyn Store>) -> Self {
        let bench = Bench::on(Arc::clone(&store)).unwrap();
        let (mut parts, target) = (bench.parts.clone(), Arc::new(Target::default()));
        parts.runner = Arc::<Target>::clone(&target);
        let gate = Gate::new(parts);
        let office = Office::found(&gate).unwrap();
        let users = Arc::new(people(&gate, &office));
        let (bench, id) = (Arc::new(bench), RequestId::from_u128(0));
        let (number, lease) = (0, Cell::new(None));
        let mut stage = Self { bench, store, gate, target, office, users, id, number, lease };
        stage.begin();
        stage
    }

    /// Another request of Ana's, in the place of the one before.
    pub(crate) fn begin(&mut self) {
        self.number += 1;
        self.lease.set(None);
        let change = self.change("\"raise the price\"").unwrap();
        self.id =
            self.gate.draft(&self.office.ana, &self.office.request(change)).unwrap().header.id;
    }

    /// The same moment on a store in memory: what happens there leaves no trace here.
    pub(crate) fn copied(&self) -> Self {
        let store: Arc<dyn Store> = Arc::new(copy(&*self.store));
        let (mut parts, target) = (self.bench.parts.clone(), Arc::new(Target::default()));
        parts.store = Arc::clone(&store);
        parts.runner = Arc::<Target>::clone(&target);
        let (bench, users) = (Arc::clone(&self.bench), Arc::clone(&self.users));
        let (gate, lease) = (Gate::new(parts), self.lease.clone());
        let (office, id, number) = (self.office, self.id, self.number);
        Self { bench, store, gate, target, office, users, id, number, lease }
    }

    /// A process that starts on the same store.
    pub(crate) fn restarted(&self) -> Gate {
        let mut parts = self.bench.parts.clone();
        parts.store = Arc::clone(&self.store);
        parts.runner = Arc::<Target>::clone(&self.target);
        Gate::new(parts)
    }

    /// What the request asks for.
    pub(crate) fn change(&self, payload: &str) -> Result<Change, Error> {
        let target = format!("shop-{}", self.number).parse()?;
        Change::new("sql".parse()?, target, payload, self.gate.limits())
    }

    pub(crate) fn keep(&self, lease: LeaseKey) {
        self.lease.set(Some(lease));
    }

    pub(crate) fn lease(&self) -> Option<LeaseKey> {
        self.lease.get()
    }

    pub(crate) fn id(&self) -> RequestId {
        self.id
    }

    pub(crate) fn office(&self) -> &Office {
        &self.office
    }

    pub(crate) fn caller(&self, who: Who) -> Caller {
        Caller::authenticated(self.user(who))
    }

    pub(crate) fn user(&self, who: Who) -> UserId {
        self.users[&who]
    }

    pub(crate) fn ends_with(&self, outcome: Outcome) {
        *self.target.ends.lock().unwrap() = outcome;
    }

    pub(crate) fn reads(&self, outcome: Outcome) {
        *self.target.reads.lock().unwrap() = outcome;
    }

    pub(crate) fn wait_ms(&self, ms: u64) {
        self.bench.clock.advance_ms(ms);
    }

    /// What is true of the request now.
    pub(crate) fn look(&self) -> Node {
        self.node_of(&self.view())
    }

    pub(crate) fn view(&self) -> RequestView {
        self.gate.view(&self.caller(Who::Ana), self.id()).unwrap()
    }

    pub(crate) fn node_of(&self, view: &RequestView) -> Node {
        let who = |user: UserId| *self.users.iter().find(|(_, id)| **id == user).unwrap().0;
        let stopping = matches!(&view.state, State::Executing(now) if now.cancel_requested);
        Node {
            state: view.state.name(),
            editors: view.header.editors.iter().copied().map(who).collect(),
            approvals: given(&view.state).iter().map(|approval| who(approval.user)).collect(),
            planned: view.header.plan.is_some(),
            stopping,
        }
    }

    /// What does not hold of the stored request, whatever the model says of it.
    pub(crate) fn broken_promises(view: &RequestView) -> Vec<String> {
        let ran = !view.runs.is_empty();
        let mut broken = broken_promises(&view.header, &view.state, view.digest, ran);
        // The organisation asks for two people. A draft that follows an approval has no runs.
        let needs = ran || matches!(view.state, State::Approved(_));
        let people: BTreeSet<UserId> = given(&view.state).iter().map(|it| it.user).collect();
        if needs && people.len() < QUORUM {
            broken.push(format!("{}: fewer than {QUORUM} agreed", view.state.name()));
        }
        broken
    }
}

fn people(gate: &Gate, office: &Office) -> BTreeMap<Who, UserId> {
    let (root, project) = (&office.root, office.project);
    let shop = gate.organisation(root, project).unwrap();
    let (team, valid) = (shop.teams[0].id, Interval::starting(gate.now()));
    let mut permissions = BTreeMap::new();
    for action in ["read", "request", "approve", "execute", "manage"] {
        let found = shop.permissions.iter().find(|row| row.action.as_str() == action);
        let id = found.map_or_else(
            || {
                let (module, environment, action) = (None, None, action.parse().unwrap());
                let command = CreatePermission { project, module, environment, action };
                gate.manage(root, &command).unwrap()
            },
            |row| row.id,
        );
        permissions.insert(action, id);
    }
    let user = |name: String, kind| {
        let (email, display_name) = (format!("{name}@example.net").parse(), name.parse());
        let (email, display_name) = (email.unwrap(), display_name.unwrap());
        gate.administer(root, &CreateUser { kind, email, display_name }).unwrap()
    };
    let mut users = BTreeMap::from([(Who::Ana, office.ana.user()), (Who::Root, root.user())]);
    for (who, actions) in ROLES {
        let name = format!("{who:?}").to_lowercase();
        let kind = if who == Who::Robot { UserKind::Agent } else { UserKind::Person };
        let user = user(name.clone(), kind);
        users.insert(who, user);
        if actions.is_empty() {
            continue;
        }
        let name = format!("role of {name}").parse().unwrap();
        let role = gate.manage(root, &CreateRole { project, name }).unwrap();
        for action in actions.iter().chain(&["read"]) {
            let permission = permissions[action];
            gate.manage(root, &AllowRole { project, role, permission }).unwrap();
        }
        gate.manage(root, &AssignRole { project, user, role, valid }).unwrap();
        let role = TeamRole::Member;
        gate.manage(root, &AddMember { project, team, user, role, valid }).unwrap();
    }
    let aud = user("aud".to_owned(), UserKind::Person);
    gate.administer(root, &GrantGlobalRole { user: aud, role: GlobalRole::Auditor }).unwrap();
    users.insert(Who::Aud, aud);
    // Bo of the office has no part in it.
    for user in [users[&Who::Ina], office.bo.user()] {
        gate.administer(root, &SetUserActive { user, active: false }).unwrap();
    }
    let (environment, n) = (office.environment, u8::try_from(QUORUM).unwrap());
    let quorum = Quorum::n_of(n, None).unwrap();
    gate.manage(root, &SetQuorum { project, environment, quorum }).unwrap();
    users
}

/// A copy of a store, for trying something out.
fn copy(store: &dyn Store) -> MemoryStore {
    let copy = MemoryStore::default();
    let mut batch = Batch::default();
    for (key, stored) in store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap() {
        batch = batch.put(key, stored.value);
    }
    copy.commit(batch).unwrap();
    for entry in store.log_read(0, usize::MAX).unwrap() {
        copy.commit(Batch::default().append(entry)).unwrap();
    }
    copy
}
