//! The organisation of the model, and one request in it that can be put back to where it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use placet_core::error::Error;
use placet_core::gate::{Gate, RequestView};
use placet_core::id::{RequestId, UserId};
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AllowRole, AssignRole, CreatePermission, CreateRole, CreateUser, GrantGlobalRole,
    SetQuorum, SetUserActive,
};
use placet_core::org::{GlobalRole, Interval, Slug, TeamRole, UserKind};
use placet_core::request::{Approval, Quorum, State};
use placet_core::runner::{Finding, Job, Outcome, Plan, Report, RunLink, Runner, RunnerInfo};
use placet_core::store::MemoryStore;
use placet_core::testing::{Bench, Office, ScriptedRunner};

use super::copy;
use super::rules::{Node, QUORUM, Who};

/// A moment that can be gone back to.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    store: Arc<MemoryStore>,
    bench: Arc<Bench>,
    office: Office,
    users: Arc<BTreeMap<Who, UserId>>,
    id: RequestId,
}

/// A gate at such a moment.
#[derive(Debug)]
pub(crate) struct Stage {
    saved: Saved,
    pub(crate) gate: Gate,
    target: Arc<Target>,
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
    /// A request of Ana's that was just drafted.
    pub(crate) fn found() -> (Saved, Node) {
        let store = Arc::new(MemoryStore::default());
        let bench = Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap();
        let gate = Gate::new(bench.parts.clone());
        let office = Office::found(&gate).unwrap();
        let users = people(&gate, &office);
        let change = office.change("\"raise the price\"").unwrap();
        let id = gate.draft(&office.ana, &office.request(change)).unwrap().header.id;
        let (bench, users) = (Arc::new(bench), Arc::new(users));
        let target = Arc::new(Target::default());
        let stage = Self { saved: Saved { store, bench, office, users, id }, gate, target };
        (stage.save(), stage.look())
    }

    /// The stage as it was at that moment.
    pub(crate) fn at(saved: &Saved) -> Self {
        let store = Arc::new(copy(&saved.store));
        let (mut parts, target) = (saved.bench.parts.clone(), Arc::new(Target::default()));
        parts.store = Arc::<MemoryStore>::clone(&store);
        parts.runner = Arc::<Target>::clone(&target);
        Self { saved: Saved { store, ..saved.clone() }, gate: Gate::new(parts), target }
    }

    pub(crate) fn save(&self) -> Saved {
        Saved { store: Arc::new(copy(&self.saved.store)), ..self.saved.clone() }
    }

    /// Another gate on a copy: for what leaves traces that the model does not know.
    pub(crate) fn copied(&self) -> Self {
        Self::at(&self.saved)
    }

    pub(crate) fn id(&self) -> RequestId {
        self.saved.id
    }

    pub(crate) fn office(&self) -> &Office {
        &self.saved.office
    }

    pub(crate) fn caller(&self, who: Who) -> Caller {
        Caller::authenticated(self.user(who))
    }

    pub(crate) fn user(&self, who: Who) -> UserId {
        self.saved.users[&who]
    }

    pub(crate) fn ends_with(&self, outcome: Outcome) {
        *self.target.ends.lock().unwrap() = outcome;
    }

    pub(crate) fn reads(&self, outcome: Outcome) {
        *self.target.reads.lock().unwrap() = outcome;
    }

    pub(crate) fn wait_ms(&self, ms: u64) {
        self.saved.bench.clock.advance_ms(ms);
    }

    /// What is true of the request now.
    pub(crate) fn look(&self) -> Node {
        self.node_of(&self.view())
    }

    pub(crate) fn view(&self) -> RequestView {
        self.gate.view(&self.caller(Who::Ana), self.id()).unwrap()
    }

    pub(crate) fn node_of(&self, view: &RequestView) -> Node {
        let who = |user: UserId| *self.saved.users.iter().find(|(_, id)| **id == user).unwrap().0;
        let stopping = matches!(&view.state, State::Executing(now) if now.cancel_requested);
        Node {
            state: view.state.name(),
            editors: view.header.editors.iter().copied().map(who).collect(),
            approvals: given(&view.state).iter().map(|approval| who(approval.user)).collect(),
            planned: view.header.plan.is_some(),
            stopping,
        }
    }

    /// What must hold of the stored request, whatever the model says of it.
    pub(crate) fn broken_promises(view: &RequestView) -> Vec<String> {
        let (approvals, state, mut broken) = (given(&view.state), view.state.name(), Vec::new());
        let people: BTreeSet<UserId> = approvals.iter().map(|approval| approval.user).collect();
        if people.len() != approvals.len() {
            broken.push(format!("{state}: somebody was counted twice"));
        }
        let authors = || view.header.editors.iter().chain([&view.header.requester]);
        if authors().any(|author| people.contains(author)) {
            broken.push(format!("{state}: an author's approval counts"));
        }
        if approvals.iter().any(|approval| Some(approval.digest) != view.digest) {
            broken.push(format!("{state}: an approval is for something else"));
        }
        let needs = !view.runs.is_empty() || matches!(view.state, State::Approved(_));
        if needs && people.len() < QUORUM {
            broken.push(format!("{state}: it ran, or may, without its quorum"));
        }
        broken
    }
}

/// The approvals that count in a state.
fn given(state: &State) -> &[Approval] {
    match state {
        State::PendingApproval(pending) => &pending.approvals,
        State::Approved(approved) => &approved.approvals,
        State::Executing(run) => &run.approved.approvals,
        State::Succeeded(done) => &done.ended.approved.approvals,
        State::Failed(failed) => &failed.ended.approved.approvals,
        State::Unknown(unknown) => &unknown.ended.approved.approvals,
        State::Draft(_) | State::ChangesRequested(_) | State::Rejected(_) | State::Cancelled(_) => {
            &[]
        }
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
