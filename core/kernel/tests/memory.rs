//! What a gate remembers of rows spares trips, and never decides anything by itself.

use std::sync::Arc;

use placet_core::authz::{Action, Scope};
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::id::RequestId;
use placet_core::limits::Limits;
use placet_core::org::command::{AddMember, AssignRole, SetUserActive};
use placet_core::org::{Interval, TeamRole};
use placet_core::request::StateName;
use placet_core::store::{Batch, MemoryStore, Store};
use placet_core::testing::{FailingStore, Failure, TrustingStore};

use crate::world::{World, assert_invariants};

/// Two nodes on one store. What `near` remembers, `far` changes.
struct Nodes {
    far: World,
    near: Gate,
    // Counts what `near` asks of the store.
    store: Arc<FailingStore>,
    id: RequestId,
}

impl Nodes {
    /// With a request of `ana` that waits for approval, and that `near` has seen with the rows of `bo`.
    fn on(kept: Arc<dyn Store>) -> Self {
        let far = World::on(Arc::clone(&kept)).unwrap();
        let mut id = None;
        for step in ["draft ana", "submit ana"] {
            far.step(&mut id, step).unwrap();
        }
        let id = id.unwrap();
        let store = Arc::new(FailingStore::new(kept, u64::MAX, Failure::BeforeApplied));
        let mut parts = far.bench.parts.clone();
        parts.store = Arc::<FailingStore>::clone(&store);
        let near = Gate::new(parts);
        near.comment(&far.caller("bo"), id, "I look at it").unwrap();
        Self { far, near, store, id }
    }

    fn new() -> Self {
        Self::on(Arc::new(MemoryStore::default()))
    }

    fn step(&self, step: &str) {
        self.far.step(&mut Some(self.id), step).unwrap();
    }

    /// `bo` approves at `near`.
    fn approve(&self) -> Result<StateName, Error> {
        let digest = self.far.digest(self.id);
        let request = self.near.approve(&self.far.caller("bo"), self.id, digest, None)?;
        Ok(request.state.name())
    }

    /// How often `near` asks the store while it does `work`.
    fn calls(&self, work: impl FnOnce()) -> u64 {
        let before = self.store.calls();
        work();
        self.store.calls() - before
    }
}

#[test]
fn what_was_seen_is_not_asked_for_again() {
    let nodes = Nodes::new();
    let (ana, change) = (nodes.far.caller("ana"), nodes.far.change("\"again\""));
    let edit = || drop(nodes.near.edit(&ana, nodes.id, "again", &change).unwrap());
    edit();
    assert_eq!(nodes.calls(edit), 1, "the commit alone");

    // A gate that may remember nothing reads each row again.
    let mut parts = nodes.far.bench.parts.clone();
    parts.store = Arc::<FailingStore>::clone(&nodes.store);
    parts.limits = Limits::default().with_memory_bytes_max(0);
    let forgetful = Gate::new(parts);
    let edit = || drop(forgetful.edit(&ana, nodes.id, "again", &change).unwrap());
    edit();
    assert!(nodes.calls(edit) > 4);
}

#[test]
fn what_another_node_wrote_is_what_counts() {
    let withdrawn = Nodes::new();
    withdrawn.step("cancel ana");
    assert_eq!(withdrawn.approve().unwrap_err().code(), Code::WrongState);

    let rewritten = Nodes::new();
    let old = rewritten.far.digest(rewritten.id);
    for step in ["edit ana", "submit ana"] {
        rewritten.step(step);
    }
    let bo = rewritten.far.caller("bo");
    let late = rewritten.near.approve(&bo, rewritten.id, old, None).unwrap_err();
    assert_eq!(late.code(), Code::DigestMismatch);
    assert_eq!(rewritten.approve().unwrap(), StateName::Approved);

    for nodes in [&withdrawn, &rewritten] {
        assert_invariants(&*nodes.far.bench.parts.store);
    }
}

/// Whether `bo` can still approve at `near` after `far` took everything from `bo`.
fn outlives_dismissal(nodes: &Nodes) -> bool {
    let (root, bo) = (nodes.far.caller("root"), nodes.far.caller("bo").user());
    nodes.far.gate.administer(&root, &SetUserActive { user: bo, active: false }).unwrap();
    let digest = nodes.far.gate.view(&nodes.far.caller("cy"), nodes.id).unwrap().digest.unwrap();
    nodes.near.approve(&nodes.far.caller("bo"), nodes.id, digest, None).is_ok()
}

#[test]
fn what_was_taken_away_elsewhere_is_gone_here() {
    assert!(!outlives_dismissal(&Nodes::new()));
}

#[test]
fn a_commit_that_expects_nothing_would_be_noticed() {
    let trusting = TrustingStore::over(Arc::new(MemoryStore::default()));
    assert!(outlives_dismissal(&Nodes::on(Arc::new(trusting))));
}

#[test]
fn nobody_is_refused_for_what_is_no_longer_so() {
    let nodes = Nodes::new();
    let eve = nodes.far.caller("eve");
    let say = |text: &str| nodes.near.comment(&eve, nodes.id, text);
    assert_eq!(say("may I?").unwrap_err().code(), Code::NotFound);

    let World { gate, project, checkout, lead, .. } = &nodes.far;
    let (root, user, valid) =
        (nodes.far.caller("root"), eve.user(), Interval::starting(nodes.far.now()));
    let joins =
        AddMember { project: *project, team: *checkout, user, role: TeamRole::Member, valid };
    gate.manage(&root, &joins).unwrap();
    let roles = gate.organisation(&root, *project).unwrap().roles;
    let developer = roles.iter().find(|role| role.id != *lead).unwrap().id;
    gate.manage(&root, &AssignRole { project: *project, user, role: developer, valid }).unwrap();
    say("now I may").unwrap();
}

#[test]
fn a_lost_answer_leaves_nothing_remembered_that_is_not_so() {
    for failure in Failure::ALL {
        let kept = Arc::new(MemoryStore::default());
        let nodes = Nodes::on(Arc::<MemoryStore>::clone(&kept));
        let (ana, change) = (nodes.far.caller("ana"), nodes.far.change("\"again\""));
        for nth in 0.. {
            let store = Arc::new(FailingStore::new(Arc::<MemoryStore>::clone(&kept), nth, failure));
            let mut parts = nodes.far.bench.parts.clone();
            parts.store = Arc::<FailingStore>::clone(&store);
            let gate = Gate::new(parts);
            let edit = || gate.edit(&ana, nodes.id, "again", &change);
            // The first fills the memory, the second rests on it.
            let (first, second) = (edit(), edit());
            assert_eq!(first.is_err() || second.is_err(), store.failed(), "{nth}");
            if !store.failed() {
                assert!(nth > 5, "only {nth} calls");
                break;
            }
            // Whatever was lost, the next edit rests on what is there.
            edit().unwrap();
        }
        assert_invariants(&*kept);
    }
}

/// A run whose holder is gone, with a lease that `near` remembers as it was before its last renewal.
#[test]
fn a_remembered_lease_keeps_no_run_alive() {
    let nodes = Nodes::new();
    nodes.step("approve bo");
    let (bo, lease_ms) = (nodes.far.caller("bo"), nodes.near.limits().lease_ms);
    let ticket = nodes.far.gate.execute(&bo, nodes.id).unwrap();
    nodes.near.stop(&bo, nodes.id).unwrap();
    nodes.far.gate.renew(ticket.lease()).unwrap();
    drop(ticket);
    // Two looks in the length of a lease: the first sees it, the second it stand still, the third that it is over.
    let mut ticks = 0;
    loop {
        ticks += 1;
        let over = nodes.near.tick().unwrap();
        if over == [nodes.id] {
            break;
        }
        assert!(over.is_empty() && ticks < 10, "{ticks} ticks: {over:?}");
        nodes.far.bench.clock.advance_ms(lease_ms / 2);
    }
    assert_eq!(ticks, 3);
    assert_invariants(&*nodes.far.bench.parts.store);
}

#[test]
fn without_retries_a_refusal_is_told_all_the_same() {
    let nodes = Nodes::new();
    let mut parts = nodes.far.bench.parts.clone();
    parts.limits.conflict_retries_max = 0;
    let gate = Gate::new(parts);
    let eve = nodes.far.caller("eve");
    for _ in 0..2 {
        let refused = gate.comment(&eve, nodes.id, "may I?").unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
}

/// As a node of a later version writes it. Rows tell what it was about.
#[test]
fn an_entry_that_cannot_be_read_stops_no_answer() {
    let world = World::new();
    let (bo, place) = (world.people["bo"], Scope::module(world.project, world.pagos, world.dev));
    let can = || world.gate.can(bo, &Action::APPROVE, place);
    assert!(can());
    let entry = Batch::default().append(b"of a later version".to_vec());
    world.bench.parts.store.commit(entry).unwrap();
    world.bench.clock.advance_ms(2_000);
    assert!(can());
    let (root, active) = (world.caller("root"), false);
    world.gate.administer(&root, &SetUserActive { user: bo, active }).unwrap();
    assert!(!can());
    world.bench.clock.advance_ms(2_000);
    assert!(!can());
}
