//! The roles of the template: what each may do, and that saying it again changes nothing.

use std::collections::BTreeSet;

use placet_core::authz::{Action, Scope};
use placet_core::error::Code;
use placet_core::identity::Caller;
use placet_core::org::Interval;
use placet_core::org::command::{
    AllowRole, ApplyRoleTemplate, AssignRole, CreateRole, DisallowRole, RemoveRole, RoleTemplate,
};

use crate::world::{World, assert_invariants};

/// What each may do, written down beside the template and not read from it.
const DUE: [(&str, &str); 4] = [
    ("ADMIN", "approve execute manage read request restore revert"),
    ("EDITOR", "execute read request"),
    ("REVIEWER", "approve read"),
    ("VIEWER", "read"),
];

fn template(world: &World) -> ApplyRoleTemplate {
    ApplyRoleTemplate { project: world.project, template: RoleTemplate::Artifact }
}

fn root(world: &World) -> Caller {
    world.caller("root")
}

#[test]
fn each_role_may_what_it_is_for_and_nothing_else() {
    let world = World::new();
    let roles = world.gate.manage(&root(&world), &template(&world)).unwrap();
    let shop = world.gate.organisation(&root(&world), world.project).unwrap();
    let found = roles.iter().map(|role| {
        let held = shop.role_permissions.iter().filter(|row| row.role_id == role.id);
        let held = held.map(|row| {
            let found = shop.permissions.iter().find(|found| found.id == row.permission_id);
            let permission = found.unwrap();
            assert_eq!((permission.module_id, permission.environment_id), (None, None));
            permission.action.to_string()
        });
        let actions = held.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ");
        (role.name.as_str(), actions)
    });
    let found: Vec<_> = found.collect();
    assert_eq!(found, DUE.map(|(name, actions)| (name, actions.to_owned())));
    // The catalogue has each permission once, those that were there among them.
    let whole = shop.permissions.iter().filter(|row| row.environment_id.is_none());
    let mut actions: Vec<&Action> = whole.map(|row| &row.action).collect();
    let all = actions.len();
    actions.sort();
    actions.dedup();
    assert_eq!(actions.len(), all);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn an_admin_of_the_project_is_none_of_the_platform() {
    let world = World::new();
    let roles = world.gate.manage(&root(&world), &template(&world)).unwrap();
    let (project, user) = (world.project, world.people["ana"]);
    let valid = Interval::starting(world.now());
    let command = AssignRole { project, user, role: roles[0].id, valid };
    world.gate.manage(&root(&world), &command).unwrap();
    assert!(world.gate.can(user, &Action::MANAGE, Scope::project(project)));
    assert!(!world.gate.can(user, &Action::ADMINISTER, Scope::Platform));
    let ana = world.caller("ana");
    assert_eq!(world.gate.users(&ana, None).unwrap_err().code(), Code::Denied);
    // And makes no role more of their own: saying the template again adds nothing.
    assert_eq!(world.gate.manage(&ana, &template(&world)).unwrap(), roles);
}

#[test]
fn saying_it_again_makes_what_is_missing_and_leaves_the_rest() {
    let world = World::new();
    let root = root(&world);
    let first = world.gate.manage(&root, &template(&world)).unwrap();
    let before = world.gate.organisation(&root, world.project).unwrap();
    assert_eq!(world.gate.manage(&root, &template(&world)).unwrap(), first);
    let after = world.gate.organisation(&root, world.project).unwrap();
    assert_eq!(after.roles, before.roles);
    assert_eq!(after.permissions, before.permissions);
    assert_eq!(after.role_permissions, before.role_permissions);
    let (_, leaf) = world.gate.audit(&root, 0).unwrap().pop().unwrap();
    assert_eq!(leaf.event, "org.role_template_applied");
    assert_eq!(leaf.facts["template"], "artifact");

    // One of them is taken away, and comes back.
    let (project, viewer) = (world.project, first[3].id);
    for row in after.role_permissions.iter().filter(|row| row.role_id == viewer) {
        let command = DisallowRole { project, role: viewer, permission: row.permission_id };
        world.gate.manage(&root, &command).unwrap();
    }
    world.gate.manage(&root, &RemoveRole { project, role: viewer }).unwrap();
    let again = world.gate.manage(&root, &template(&world)).unwrap();
    assert_eq!(again[..3], first[..3]);
    assert_ne!(again[3].id, viewer);
}

#[test]
fn a_role_of_that_name_that_may_something_else_is_not_touched() {
    let world = World::new();
    let (root, project) = (root(&world), world.project);
    let command = CreateRole { project, name: "REVIEWER".parse().unwrap() };
    let role = world.gate.manage(&root, &command).unwrap();
    let entries = world.bench.parts.store.log_len().unwrap();
    let refused = world.gate.manage(&root, &template(&world)).unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert!(refused.to_string().contains("`REVIEWER`"), "{refused}");
    assert!(refused.help().unwrap().contains("read, approve"));
    assert_eq!(world.bench.parts.store.log_len().unwrap(), entries, "nothing is written");
    // With exactly its rights it is one of the template.
    let shop = world.gate.organisation(&root, project).unwrap();
    for action in [Action::READ, Action::APPROVE] {
        let is_it = |row: &&placet_core::org::Permission| {
            row.action == action && row.module_id.is_none() && row.environment_id.is_none()
        };
        let permission = shop.permissions.iter().find(is_it).unwrap().id;
        world.gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
    }
    let roles = world.gate.manage(&root, &template(&world)).unwrap();
    assert_eq!(roles[2].id, role);
}

#[test]
fn who_does_not_manage_makes_no_roles() {
    let world = World::new();
    let refused = world.gate.manage(&world.caller("bo"), &template(&world)).unwrap_err();
    assert_eq!(refused.code(), Code::Denied);
}
