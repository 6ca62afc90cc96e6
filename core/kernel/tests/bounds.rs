//! How large a project may become.

use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, Organisation};
use placet_core::org::Criticality;
use placet_core::org::command::{
    AllowRole, CreateEnvironment, CreateModule, CreatePermission, CreateRole, CreateTeam,
    ProjectCommand, RemoveRole, RenameTeam, UpdateModule,
};
use placet_core::store::Key;

use crate::world::{World, assert_invariants};

/// A gate on the same store, that lets the rights of a project take so much.
fn bounded(world: &World, bytes: usize) -> Gate {
    let mut parts = world.bench.parts.clone();
    parts.limits = parts.limits.with_rights_bytes_max(bytes);
    Gate::new(parts)
}

fn organisation(world: &World) -> Organisation {
    world.gate.organisation(&world.caller("root"), world.project).unwrap()
}

/// Everything that is stored, the log too.
fn stored(world: &World) -> String {
    let store = &world.bench.parts.store;
    let rows = store.scan(&Key::from_bytes(Vec::new()), None, usize::MAX).unwrap();
    format!("{rows:?} {:?}", store.log_read(0, usize::MAX).unwrap())
}

fn module(world: &World, code: &str) -> CreateModule {
    let (code, name) = (code.parse().unwrap(), "One more".parse().unwrap());
    CreateModule { project: world.project, code, name }
}

fn permission(world: &World, action: &str) -> CreatePermission {
    let (module, environment) = (Some(world.pagos), None);
    CreatePermission {
        project: world.project,
        module,
        environment,
        action: action.parse().unwrap(),
    }
}

/// The rights of the shop, in words: four actions, two teams, and two roles with a field of two for each action.
const SHOP_BYTES: usize = 4 * (4 + 2 + 2 * (2 * 4));

#[test]
fn what_would_make_the_rights_of_a_project_too_large_is_refused_and_nothing_is_written() {
    let world = World::new();
    let (project, root) = (world.project, world.caller("root"));
    // Two words have room for 64 places: 21 times 3, with the project itself and with none in particular.
    for number in 3..=20 {
        world.gate.manage(&root, &module(&world, &format!("m{number}"))).unwrap();
    }
    let full = bounded(&world, SHOP_BYTES);
    let refused = |error: Error, bytes: usize| {
        assert_eq!(error.code(), Code::TooLarge, "{error}");
        assert!(error.help().is_some_and(|help| help.contains("remove")), "{error}");
        assert_eq!(error.details()["limit"], SHOP_BYTES.to_string());
        assert_eq!(error.details()["bytes"], bytes.to_string());
    };
    let before = stored(&world);
    let role = CreateRole { project, name: "QA".parse().unwrap() };
    refused(full.manage(&root, &role).unwrap_err(), SHOP_BYTES + 8 * 4);
    let one_more_action = full.manage(&root, &permission(&world, "deploy")).unwrap_err();
    refused(one_more_action, SHOP_BYTES + 4 * (1 + 2 * 2));
    refused(full.manage(&root, &module(&world, "m21")).unwrap_err(), SHOP_BYTES + 4 * 2 * 4);
    let environment = CreateEnvironment {
        project,
        code: "stage".parse().unwrap(),
        name: "Stage".parse().unwrap(),
        priority: 3,
        criticality: Criticality::Low,
    };
    refused(full.manage(&root, &environment).unwrap_err(), SHOP_BYTES + 4 * 2 * 4);
    let team = CreateTeam { project, name: "nights".parse().unwrap() };
    refused(full.manage(&root, &team).unwrap_err(), SHOP_BYTES + 4);
    assert_eq!(stored(&world), before);

    // Each of them fits where the limit is that much higher, and is too large for one byte less.
    fits_from(&world, &role, SHOP_BYTES + 8 * 4);
    assert_invariants(&*world.bench.parts.store);
}

fn fits_from<C: ProjectCommand>(world: &World, command: &C, bytes: usize) {
    let root = world.caller("root");
    let refused = bounded(world, bytes - 1).manage(&root, command).map(drop).unwrap_err();
    assert_eq!(refused.code(), Code::TooLarge);
    bounded(world, bytes).manage(&root, command).map(drop).unwrap();
}

#[test]
fn what_makes_nothing_larger_is_done_also_where_a_project_is_too_large_already() {
    let world = World::new();
    let (project, root) = (world.project, world.caller("root"));
    let role = CreateRole { project, name: "QA".parse().unwrap() };
    let role = world.gate.manage(&root, &role).unwrap();
    let full = bounded(&world, 0);
    let renamed = UpdateModule { project, module: world.pagos, name: "Payments".parse().unwrap() };
    full.manage(&root, &renamed).unwrap();
    let (team, name) = (world.checkout, "Checkout and more".parse().unwrap());
    full.manage(&root, &RenameTeam { project, team, name }).unwrap();
    // An action that some permission has already, and a role that gets it.
    let permission = full.manage(&root, &permission(&world, "approve")).unwrap();
    let lead = AllowRole { project, role: world.lead, permission };
    full.manage(&root, &lead).unwrap();
    full.manage(&root, &RemoveRole { project, role }).unwrap();
    // One place more needs no word more.
    full.manage(&root, &module(&world, "stock")).unwrap();
    assert_eq!(organisation(&world).modules.len(), 3);
    assert_invariants(&*world.bench.parts.store);
}
