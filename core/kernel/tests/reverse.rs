//! Who can, and where: who may ask, what they learn, and which projects somebody sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use placet_core::authz::{Action, Paging, Places, Scope};
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::id::{GrantId, ModuleId, ProjectId, RoleId, UserId};
use placet_core::org::command::{
    AllowRole, AssignRole, CreatePermission, CreateProject, CreateRole, EndGrant, GrantGlobalRole,
};
use placet_core::org::{GlobalRole, Interval};
use placet_core::store::{Batch, Key, MemoryStore};
use placet_core::testing::{FailingStore, Failure};

use crate::world::World;

const ALL: Paging<Scope> = Paging::first(1_000);

fn project(world: &World, code: &str) -> ProjectId {
    let (code, name) = (code.parse().unwrap(), code.parse().unwrap());
    world.gate.administer(&world.caller("root"), &CreateProject { code, name }).unwrap()
}

/// A role for `name` that has `action` in the whole of `project`.
fn role(world: &World, name: &str, action: Action, project: ProjectId) -> RoleId {
    let (root, name) = (world.caller("root"), format!("{name} may {action}").parse().unwrap());
    let role = world.gate.manage(&root, &CreateRole { project, name }).unwrap();
    let known = world.gate.organisation(&root, project).unwrap().permissions;
    let known = known.iter().find(|row| row.action == action && row.environment_id.is_none());
    let command = CreatePermission { project, module: None, environment: None, action };
    let permission =
        known.map_or_else(|| world.gate.manage(&root, &command).unwrap(), |row| row.id);
    world.gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
    role
}

/// Gives `name` a role that has `action` in the whole of `project`.
fn let_them(world: &World, name: &str, action: Action, project: ProjectId) -> GrantId {
    let (user, role) = (world.people[name], role(world, name, action, project));
    let valid = Interval::starting(world.gate.now());
    let command = AssignRole { project, user, role, valid };
    world.gate.manage(&world.caller("root"), &command).unwrap()
}

fn make_auditor(world: &World, name: &str) {
    let command = GrantGlobalRole { user: world.people[name], role: GlobalRole::Auditor };
    world.gate.administer(&world.caller("root"), &command).unwrap();
}

/// Both say the same, so that nobody learns from it whether there is such a thing.
fn assert_same_nothing<A, B>(one: Result<A, Error>, other: Result<B, Error>) {
    let (Err(one), Err(other)) = (one, other) else { panic!("somebody was told something") };
    assert_eq!((one.code(), other.code()), (Code::NotFound, Code::NotFound));
    assert_eq!((one.to_string(), one.help()), (other.to_string(), other.help()));
}

#[test]
fn who_can_is_told_to_managers_and_auditors_and_to_nobody_else() {
    let world = World::new();
    let (place, now) = (Scope::module(world.project, world.pagos, world.prod), world.now());
    let ask = |name: &str, scope: Scope, action: &Action| {
        world.gate.who_can(&world.caller(name), action, scope, now, Paging::first(10))
    };
    let leads = [world.people["bo"], world.people["cy"]];
    assert_eq!(ask("root", place, &Action::APPROVE).unwrap().users, leads);
    // To read there is not enough, nor to be one of them.
    let nowhere = Scope::project(ProjectId::from_u128(7));
    for name in ["ana", "bo", "aud", "eve"] {
        assert_same_nothing(
            ask(name, place, &Action::APPROVE),
            ask("root", nowhere, &Action::APPROVE),
        );
        let away = [world.people["cy"]];
        assert_same_nothing(
            world.gate.who_can_without(
                &world.caller(name),
                &Action::APPROVE,
                place,
                now,
                &away,
                Paging::first(10),
            ),
            ask("root", nowhere, &Action::APPROVE),
        );
    }
    make_auditor(&world, "aud");
    let_them(&world, "eve", Action::MANAGE, world.project);
    for name in ["aud", "eve"] {
        assert_eq!(ask(name, place, &Action::APPROVE).unwrap().users, leads);
    }
    // A manager of a project is none of the platform.
    assert_same_nothing(
        ask("eve", Scope::Platform, &Action::AUDIT),
        ask("root", nowhere, &Action::APPROVE),
    );
    let platform = ask("aud", Scope::Platform, &Action::AUDIT).unwrap();
    assert_eq!(platform.global_roles, [GlobalRole::PlatformAdmin, GlobalRole::Auditor]);
    // In a module that there is not, nobody can do anything, whatever they hold.
    let no_module = Scope::module(world.project, ModuleId::from_u128(7), world.prod);
    let nobody = ask("root", no_module, &Action::MANAGE).unwrap();
    assert!(nobody.users.is_empty() && nobody.global_roles.is_empty());
}

#[test]
fn a_global_role_is_named_while_somebody_holds_it_who_is_not_away() {
    let world = World::new();
    let (root, now) = (world.caller("root"), world.now());
    let place = Scope::project(world.project);
    let without = |action: &Action, away: &[&str]| {
        let away: Vec<UserId> = away.iter().map(|name| world.people[name]).collect();
        let page = Paging::first(10);
        let found = world.gate.who_can_without(&root, action, place, now, &away, page).unwrap();
        found.global_roles
    };
    assert_eq!(without(&Action::MANAGE, &["bo"]), [GlobalRole::PlatformAdmin]);
    assert_eq!(without(&Action::MANAGE, &["root"]), []);
    assert_eq!(without(&Action::READ, &[]), []); // nobody is AUDITOR
    make_auditor(&world, "aud");
    assert_eq!(without(&Action::READ, &["root"]), [GlobalRole::Auditor]);
    assert_eq!(without(&Action::READ, &["root", "aud"]), []);
}

fn projects_of<Item>(found: &Places<Item>, scope: impl Fn(&Item) -> Scope) -> Vec<ProjectId> {
    let ids = found.items.iter().filter_map(|item| scope(item).project_id());
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

#[test]
fn of_somebody_else_a_manager_sees_what_they_can_in_the_manager_s_own_projects() {
    let world = World::new();
    let (shop, bank) = (world.project, project(&world, "bank"));
    let_them(&world, "bo", Action::READ, bank);
    let_them(&world, "aud", Action::READ, bank);
    let_them(&world, "eve", Action::MANAGE, shop);
    make_auditor(&world, "bo");
    let (gate, now, bo) = (&world.gate, world.gate.now(), world.people["bo"]);

    let both: Vec<ProjectId> = BTreeSet::from([shop, bank]).into_iter().collect();
    for (name, projects, roles) in [
        ("bo", both.clone(), vec![GlobalRole::Auditor]),
        ("root", both, vec![GlobalRole::Auditor]),
        ("eve", vec![shop], vec![]),
    ] {
        let caller = world.caller(name);
        let places = gate.where_can(&caller, bo, &Action::READ, now, ALL).unwrap();
        assert_eq!(projects_of(&places, |scope| *scope), projects, "{name}");
        assert_eq!(places.global_roles, roles, "{name}");
        let matrix = gate.matrix(&caller, bo, now, ALL).unwrap();
        assert_eq!(projects_of(&matrix, |(scope, _)| *scope), projects, "{name}");
        assert_eq!(matrix.global_roles, roles, "{name}");
    }
    // What somebody cannot do anywhere is an empty list for whoever may ask about them.
    let deploy = "deploy".parse().unwrap();
    assert!(gate.where_can(&world.caller("eve"), bo, &deploy, now, ALL).unwrap().items.is_empty());

    // Somebody of another project is to Eve as nobody at all; and so is everybody to Ana, who manages nothing.
    let nobody = UserId::from_u128(7);
    let ask = |name: &str, user| gate.where_can(&world.caller(name), user, &Action::READ, now, ALL);
    let matrix = |name: &str, user| gate.matrix(&world.caller(name), user, now, ALL);
    assert_same_nothing(ask("eve", world.people["aud"]), ask("eve", nobody));
    assert_same_nothing(matrix("eve", world.people["aud"]), matrix("ana", bo));
    assert_same_nothing(ask("ana", bo), ask("ana", nobody));
    assert!(ask("ana", world.people["ana"]).is_ok());
    // What only they can do is about the others, so Ana is not told of herself either.
    let only =
        |name: &str, user| gate.only_by(&world.caller(name), user, &Action::REQUEST, now, ALL);
    assert_same_nothing(only("ana", world.people["ana"]), ask("ana", nobody));
    assert!(only("eve", world.people["ana"]).unwrap().items.is_empty());
}

#[test]
fn a_list_comes_in_pages_that_are_no_longer_than_the_gate_s() {
    let world = World::new();
    let mut parts = world.bench.parts.clone();
    parts.limits.page_rows_max = 3;
    let gate = Gate::new(parts);
    let (root, bo, now) = (world.caller("root"), world.people["bo"], world.now());
    let (mut listed, mut page) = (Vec::new(), Some(ALL));
    while let Some(which) = page {
        let found = gate.where_can(&root, bo, &Action::REQUEST, now, which).unwrap();
        assert!((1..=3).contains(&found.items.len()));
        listed.extend(found.items);
        page = found.next.map(|last| which.after(last));
    }
    assert_eq!(listed, world.gate.where_can(&root, bo, &Action::REQUEST, now, ALL).unwrap().items);
    // No module or `pagos`, in no environment or one of two.
    assert_eq!(listed.len(), 6);
    let place = Scope::project(world.project);
    let read = gate.who_can(&root, &Action::READ, place, now, Paging::first(1_000)).unwrap();
    assert_eq!((read.users.len(), read.next), (3, read.users.last().copied()));
}

fn codes(gate: &Gate, world: &World, name: &str) -> Vec<String> {
    let seen = gate.projects(&world.caller(name)).unwrap();
    seen.into_iter().map(|project| project.code.to_string()).collect()
}

#[test]
fn a_project_manager_sees_a_and_b_and_not_c() {
    let world = World::new();
    let [a, b, _] = ["a", "b", "c"].map(|code| project(&world, code));
    let reads = let_them(&world, "eve", Action::READ, a);
    let_them(&world, "eve", Action::MANAGE, b);
    assert_eq!(codes(&world.gate, &world, "eve"), ["a", "b"]);
    assert_eq!(codes(&world.gate, &world, "root"), ["a", "b", "c", "shop"]);
    // What was taken away is gone with the next list.
    let end = EndGrant { project: a, grant: reads, at: None };
    world.bench.clock.advance_ms(1);
    world.gate.manage(&world.caller("root"), &end).unwrap();
    assert_eq!(codes(&world.gate, &world, "eve"), ["b"]);
}

#[test]
fn a_list_of_projects_has_what_another_node_gave_and_not_what_it_took() {
    let world = World::new();
    let near = Gate::new(world.bench.parts.clone());
    let bank = project(&world, "bank");
    for _ in 0..50 {
        assert_eq!(codes(&near, &world, "eve"), [""; 0]);
        let grant = let_them_again(&world, bank);
        assert_eq!(codes(&near, &world, "eve"), ["bank"]);
        world.bench.clock.advance_ms(1);
        let end = EndGrant { project: bank, grant, at: None };
        world.gate.manage(&world.caller("root"), &end).unwrap();
    }
    assert_eq!(codes(&near, &world, "eve"), [""; 0]);
}

/// Lets Eve read the bank, by a role that is made once.
fn let_them_again(world: &World, project: ProjectId) -> GrantId {
    let root = world.caller("root");
    let roles = world.gate.organisation(&root, project).unwrap().roles;
    let role =
        roles.first().map_or_else(|| role(world, "eve", Action::READ, project), |role| role.id);
    let (user, valid) = (world.people["eve"], Interval::starting(world.gate.now()));
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap()
}

#[test]
fn a_list_of_projects_costs_no_more_where_there_are_more_that_are_not_on_it() {
    let kept = Arc::new(MemoryStore::default());
    let store = Arc::new(FailingStore::new(kept, u64::MAX, Failure::BeforeApplied));
    let world = World::on(Arc::<FailingStore>::clone(&store)).unwrap();
    let cost = |name: &str| {
        // Once for what is read only once.
        codes(&world.gate, &world, name);
        let before = store.calls();
        codes(&world.gate, &world, name);
        store.calls() - before
    };
    let (before, before_all) = (cost("ana"), cost("root"));
    for number in 0..30 {
        project(&world, &format!("other-{number}"));
    }
    assert_eq!(cost("ana"), before);
    // PLATFORM_ADMIN manages each of them.
    assert!(cost("root") >= before_all + 30);
}

#[test]
fn a_damaged_record_of_somebody_else_keeps_nobody_from_their_projects() {
    let world = World::new();
    let key = Key::from_segments(&["user", &world.people["cy"].to_string()]);
    let store = &world.bench.parts.store;
    assert!(store.get(&key).unwrap().is_some());
    store.commit(Batch::default().put(key, b"not a record".to_vec())).unwrap();
    // Another node that starts now cannot build its index.
    let near = Gate::new(world.bench.parts.clone());
    assert_eq!(near.index().unwrap_err().code(), Code::StoreDamaged);
    assert_eq!(codes(&near, &world, "ana"), ["shop"]);
}
