//! Two verbs at once: whatever happens in the middle of one, both together end as one after the other.

use std::sync::Arc;

use placet_core::authz::Action;
use placet_core::error::Code;
use placet_core::gate::Gate;
use placet_core::identity::Caller;
use placet_core::org::GlobalRole;
use placet_core::org::command::{EndGrant, GrantGlobalRole, RevokeGlobalRole, SetUserActive};
use placet_core::request::{State, StateName};
use placet_core::runner::Outcome;
use placet_core::store::{MemoryStore, Store};
use placet_core::testing::{InterleavingStore, Seen};

use crate::world::{World, assert_invariants};

/// A world, and a second gate on the same store whose calls can be interrupted.
fn interrupted() -> (Arc<World>, Arc<InterleavingStore>, Arc<Gate>) {
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let world = Arc::new(World::on(Arc::clone(&memory)).unwrap());
    let store = Arc::new(InterleavingStore::new(memory));
    let mut parts = world.bench.parts.clone();
    parts.store = Arc::<InterleavingStore>::clone(&store);
    (world, store, Arc::new(Gate::new(parts)))
}

/// Plays `story` once for each moment of the store at which something else can come in between, until the
/// moment is past its end.
fn at_every_moment(story: impl Fn(&Arc<World>, &Arc<InterleavingStore>, &Arc<Gate>, u64)) {
    let mut moments = 0;
    for nth in 0.. {
        let (world, store, gate) = interrupted();
        story(&world, &store, &gate, nth);
        assert_invariants(&*world.bench.parts.store);
        if !store.happened() {
            break;
        }
        moments += 1;
    }
    assert!(moments > 5, "only {moments} moments");
}

#[test]
fn an_administrator_always_remains() {
    at_every_moment(|world, store, gate, nth| {
        let role = GlobalRole::PlatformAdmin;
        let (root, bo) = (world.caller("root"), world.caller("bo"));
        world.gate.administer(&root, &GrantGlobalRole { user: bo.user(), role }).unwrap();
        let other = Arc::clone(world);
        store.before(nth, move || {
            let revoke = RevokeGlobalRole { user: bo.user(), role };
            drop(other.gate.administer(&bo, &revoke));
        });
        drop(gate.administer(&root, &SetUserActive { user: root.user(), active: false }));
        let left =
            [root, bo].iter().filter(|caller| world.gate.users(caller, None).is_ok()).count();
        assert!(left > 0, "moment {nth}: nobody administers the platform");
    });
}

#[test]
fn two_approvals_at_once_both_count() {
    at_every_moment(|world, store, gate, nth| {
        let mut id = None;
        for step in ["draft ana prod", "submit ana"] {
            world.step(&mut id, step).unwrap();
        }
        let id = id.unwrap();
        let digest = world.digest(id);
        let other = Arc::clone(world);
        store.before(nth, move || {
            other.gate.approve(&other.caller("cy"), id, digest, None).unwrap();
        });
        let approved = gate.approve(&world.caller("bo"), id, digest, None);
        if store.happened() {
            approved.unwrap();
            assert_eq!(world.look(id).state.name(), StateName::Approved, "moment {nth}");
        }
    });
}

#[test]
fn an_approver_who_is_stopped_meanwhile_does_not_approve_afterwards() {
    at_every_moment(|world, store, gate, nth| {
        let mut id = None;
        for step in ["draft ana", "submit ana"] {
            world.step(&mut id, step).unwrap();
        }
        let id = id.unwrap();
        let (digest, bo) = (world.digest(id), world.caller("bo"));
        let other = Arc::clone(world);
        store.before(nth, move || {
            let stop = SetUserActive { user: bo.user(), active: false };
            other.gate.administer(&other.caller("root"), &stop).unwrap();
        });
        let approved = gate.approve(&bo, id, digest, None);
        if store.happened() {
            let error = approved.unwrap_err();
            assert!(matches!(error.code(), Code::Denied | Code::NotFound), "moment {nth}: {error}");
        }
        assert_eq!(gate.disagreements(), 0, "moment {nth}");
    });
}

#[test]
fn a_plan_is_never_kept_for_another_revision() {
    at_every_moment(|world, store, gate, nth| {
        let mut id = None;
        world.step(&mut id, "draft ana").unwrap();
        let id = id.unwrap();
        let other = Arc::clone(world);
        store.before(nth, move || {
            other.step(&mut Some(id), "edit ana").unwrap();
        });
        drop(gate.plan(&world.caller("ana"), id));
        let view = world.gate.view(&world.caller("ana"), id).unwrap();
        if let Some(plan) = view.plan {
            assert_eq!(plan.steps[0].body, view.change.payload, "moment {nth}");
        }
    });
}

#[test]
fn a_request_starts_once() {
    at_every_moment(|world, store, gate, nth| {
        let mut id = None;
        for step in ["draft ana", "submit ana", "approve bo"] {
            world.step(&mut id, step).unwrap();
        }
        let id = id.unwrap();
        let other = Arc::clone(world);
        store.before(nth, move || {
            // Late moments fall inside the other's own run: then this one is refused.
            drop(other.step(&mut Some(id), "execute cy"));
        });
        if let Ok(ticket) = gate.execute(&world.caller("bo"), id) {
            gate.drive(ticket, &Seen::default()).unwrap();
        }
        assert_eq!(world.bench.runner.entered().len(), 1, "moment {nth}");
    });
}

#[test]
fn a_project_is_never_read_half_way_through_a_change() {
    at_every_moment(|world, store, gate, nth| {
        let root = world.caller("root");
        let organisation = world.gate.organisation(&root, world.project).unwrap();
        let grant =
            organisation.grants.iter().find(|g| g.user_id == world.people["bo"]).unwrap().id;
        let (other, project) = (Arc::clone(world), world.project);
        store.before(nth, move || {
            let end = EndGrant { project, grant, at: None };
            other.gate.manage(&other.caller("root"), &end).unwrap();
        });
        // The first question of this gate reads the whole project.
        let scope = placet_core::authz::Scope::module(project, world.pagos, world.dev);
        for _ in 0..2 {
            let first = gate.authorize(world.people["bo"], &Action::REQUEST, scope).is_allowed();
            assert!(first || store.happened(), "moment {nth}");
        }
        assert_eq!(gate.disagreements(), 0, "moment {nth}");
    });
}

fn running() -> (Arc<World>, placet_core::id::RequestId, placet_core::gate::Ticket) {
    let world = Arc::new(World::new());
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo"] {
        world.step(&mut id, step).unwrap();
    }
    let id = id.unwrap();
    let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
    (world, id, ticket)
}

#[test]
fn a_run_that_is_stopped_hears_of_it() {
    let (world, id, ticket) = running();
    let other = Arc::clone(&world);
    world.bench.runner.meanwhile(move || {
        other.gate.stop(&other.caller("cy"), id).unwrap();
    });
    let request = world.gate.drive(ticket, &Seen::default()).unwrap();
    let State::Failed(failed) = request.state else { panic!("{:?}", request.state) };
    let Outcome::Failed(failure) = failed.ended.outcome else { panic!("it failed") };
    assert_eq!(failure.code, "cancelled");
}

#[test]
fn a_run_that_was_stopped_before_it_began_is_not_entered() {
    let (world, id, ticket) = running();
    world.gate.stop(&world.caller("cy"), id).unwrap();
    let request = world.gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(request.state.name(), StateName::Failed);
    assert_eq!(world.bench.runner.entered(), []);
}

#[test]
fn a_result_that_comes_too_late_is_recorded_and_changes_nothing() {
    let (world, id, ticket) = running();
    let other = Arc::clone(&world);
    world.bench.runner.meanwhile(move || {
        other.bench.clock.advance_ms(30_000);
        assert_eq!(other.gate.tick().unwrap(), [id]);
    });
    let error = world.gate.drive(ticket, &Seen::default()).unwrap_err();
    assert_eq!(error.code(), Code::LeaseLost);
    assert_eq!(world.look(id).state.name(), StateName::Unknown);
    let trail = world.gate.trail(&world.caller("bo"), id).unwrap();
    let events: Vec<&str> = trail.iter().map(|(_, leaf)| leaf.event.as_str()).collect();
    assert!(events.ends_with(&["run.started", "run.lost", "run.late_result"]), "{events:?}");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn comments_do_not_lose_an_outcome() {
    let (world, id, ticket) = running();
    let other = Arc::clone(&world);
    world.bench.runner.meanwhile(move || {
        for _ in 0..40 {
            other.gate.comment(&other.caller("ana"), id, "well?").unwrap();
        }
    });
    let request = world.gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(request.state.name(), StateName::Succeeded);
}

#[test]
fn nothing_is_entered_after_it_was_declared_over() {
    let (world, id, ticket) = running();
    world.bench.clock.advance_ms(30_000);
    world.gate.tick().unwrap();
    let caller = Caller::authenticated(world.people["bo"]);
    world.gate.verify(&caller, id).unwrap();
    let error = world.gate.drive(ticket, &Seen::default()).unwrap_err();
    assert_eq!(error.code(), Code::LeaseLost);
    assert_eq!(world.bench.runner.entered(), []);
}

#[test]
fn a_lease_ends_with_the_runs_longest_time() {
    let (world, id, ticket) = running();
    let lease = ticket.lease();
    let mut renewed = 0;
    while world.gate.renew(lease).is_ok() {
        world.bench.clock.advance_ms(20_000);
        renewed += 1;
        assert!(renewed < 100, "a lease was renewed for ever");
    }
    world.bench.clock.advance_ms(30_000);
    assert_eq!(world.gate.tick().unwrap(), [id]);
    drop(ticket);
}
