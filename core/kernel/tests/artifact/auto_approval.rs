//! Which environments may have artifacts of agents approved by rule.

use placet_core::audit::AuditQuery;
use placet_core::error::{Code, Error};
use placet_core::id::EnvironmentId;
use placet_core::org::command::{RemoveEnvironment, SetAutoApproveAi, UpdateEnvironment};
use placet_core::org::{AutoApproval, Criticality};

use crate::world::{World, assert_invariants};

fn set(world: &World, environment: EnvironmentId, is_on: bool) -> Result<(), Error> {
    let project = world.project;
    world.gate.manage(&world.caller("root"), &SetAutoApproveAi { project, environment, is_on })
}

fn criticality(world: &World, criticality: Criticality) {
    let (project, environment) = (world.project, world.dev);
    let name = "Development".parse().unwrap();
    let command = UpdateEnvironment { project, environment, name, priority: 1, criticality };
    world.gate.manage(&world.caller("root"), &command).unwrap();
}

fn is_on(world: &World) -> Option<bool> {
    let shop = world.gate.organisation(&world.caller("root"), world.project).unwrap();
    let rule = shop.auto_approvals.iter().find(|rule| rule.environment_id == world.dev);
    rule.map(|rule: &AutoApproval| rule.is_on)
}

#[test]
fn only_the_lowest_criticality_can_have_it() {
    let world = World::new();
    assert_eq!(is_on(&world), None, "it is off where nobody said anything");
    for too_much in [Criticality::Medium, Criticality::High, Criticality::Critical] {
        criticality(&world, too_much);
        let refused = set(&world, world.dev, true).unwrap_err();
        assert_eq!(refused.code(), Code::Refused, "{too_much:?}");
        set(&world, world.dev, false).unwrap();
    }
    criticality(&world, Criticality::Low);
    set(&world, world.dev, true).unwrap();
    assert_eq!(is_on(&world), Some(true));
    let nowhere = EnvironmentId::from_u128(77);
    assert_eq!(set(&world, nowhere, true).unwrap_err().code(), Code::NotFound);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn raising_the_criticality_switches_it_off_and_the_log_says_so() {
    let world = World::new();
    let root = world.caller("root");
    set(&world, world.dev, true).unwrap();
    // As critical as before: it stays.
    criticality(&world, Criticality::Low);
    assert_eq!(is_on(&world), Some(true));
    criticality(&world, Criticality::Medium);
    assert_eq!(is_on(&world), Some(false));
    let (_, leaf) = world.gate.audit(&root, 0).unwrap().pop().unwrap();
    assert_eq!(leaf.event, "org.environment_updated");
    assert_eq!(leaf.facts["criticality"], "medium");
    assert_eq!(leaf.facts["auto_approve_ai"], "off");
    // Lowered again, it stays off until somebody says otherwise.
    criticality(&world, Criticality::Low);
    assert_eq!(is_on(&world), Some(false));

    let query = AuditQuery::default().event("org.auto_approve_ai_set").unwrap();
    let said = world.gate.query_audit(&root, &query, None, 10).unwrap().entries;
    assert_eq!(said.len(), 1);
}

#[test]
fn it_goes_with_its_environment() {
    let world = World::new();
    set(&world, world.dev, true).unwrap();
    let (root, project) = (world.caller("root"), world.project);
    let shop = world.gate.organisation(&root, project).unwrap();
    for row in shop.permissions.iter().filter(|row| row.environment_id == Some(world.dev)) {
        for held in shop.role_permissions.iter().filter(|held| held.permission_id == row.id) {
            let (role, permission) = (held.role_id, row.id);
            let command = placet_core::org::command::DisallowRole { project, role, permission };
            world.gate.manage(&root, &command).unwrap();
        }
        let permission = row.id;
        let command = placet_core::org::command::RemovePermission { project, permission };
        world.gate.manage(&root, &command).unwrap();
    }
    let remove = RemoveEnvironment { project, environment: world.dev };
    world.gate.manage(&root, &remove).unwrap();
    assert!(world.gate.organisation(&root, project).unwrap().auto_approvals.is_empty());
    assert_invariants(&*world.bench.parts.store);
}
