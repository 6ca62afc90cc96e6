//! What agents made, and a rule approved.

use placet_core::audit::AuditQuery;
use placet_core::error::Code;
use placet_core::gate::NewArtifact;
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::command::{
    ApplyRoleTemplate, AssignRole, RoleTemplate, SetAutoApproveAi, UpdateEnvironment,
};
use placet_core::org::{Criticality, Interval};
use placet_core::request::{ApprovalRule, ArtifactName, State};
use placet_core::testing::Seen;

use crate::world::{World, assert_invariants};

/// The world with the roles of artifacts: Ana and the robot are EDITOR, Bo is ADMIN.
fn world() -> World {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let template = ApplyRoleTemplate { project, template: RoleTemplate::Artifact };
    let roles = world.gate.manage(&root, &template).unwrap();
    for (name, role) in [("ana", 1), ("robot", 1), ("bo", 0)] {
        let (user, role) = (world.people[name], roles[role].id);
        let valid = Interval::starting(world.now());
        world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    }
    world
}

fn switch(world: &World, is_on: bool) {
    let (project, environment) = (world.project, world.dev);
    let command = SetAutoApproveAi { project, environment, is_on };
    world.gate.manage(&world.caller("root"), &command).unwrap();
}

fn draft(world: &World, by: &Caller, number: i64) -> RequestId {
    let new = NewArtifact {
        project: world.project,
        module: world.pagos,
        environment: world.dev,
        artifact_type: "TEST_CASE".parse().unwrap(),
        artifact_id: number,
        title: "pay twice".to_owned(),
        body: r#"{"steps":["pay","pay"]}"#.to_owned(),
        runner: "sql".parse().unwrap(),
        target: "orders".parse().unwrap(),
        depends_on: [].into(),
    };
    let request = world.gate.draft_artifact(by, &new).unwrap();
    assert_eq!(request.header.step.as_str(), "DRAFT", "whoever made it");
    request.header.id
}

fn step(world: &World, id: RequestId) -> String {
    world.look(id).header.step.to_string()
}

#[test]
fn it_is_off_unless_somebody_says_otherwise() {
    let world = world();
    let robot = world.caller("robot");
    let id = draft(&world, &robot, 1);
    assert_eq!(world.gate.submit(&robot, id).unwrap().header.step.as_str(), "PENDING_REVIEW");
}

#[test]
fn what_an_agent_alone_made_is_approved_at_once_and_by_nobody() {
    let world = world();
    switch(&world, true);
    let (robot, bo, root) = (world.caller("robot"), world.caller("bo"), world.caller("root"));
    let id = draft(&world, &robot, 1);
    let approved = world.gate.submit(&robot, id).unwrap();
    assert_eq!(approved.header.step.as_str(), "APPROVED");
    let State::Approved(state) = &approved.state else { panic!() };
    assert_eq!(state.by_rule, Some(ApprovalRule::AutoApproveAi));
    assert!(state.approvals.is_empty(), "no person's yes is made up");
    let last = world.gate.history(&bo, id).unwrap().pop().unwrap();
    assert_eq!((last.action.as_str(), last.actor), ("AUTO_APPROVE", None));
    assert_eq!(last.from_step.unwrap().as_str(), "PENDING_REVIEW");

    // It counts apart: it has an event of its own, and lists say so.
    let count = |event: &str| {
        let query = AuditQuery::default().event(event).unwrap();
        world.gate.query_audit(&root, &query, None, 10).unwrap().entries.len()
    };
    assert_eq!((count("request.approved_by_rule"), count("request.approved")), (1, 0));
    let list = world.gate.requests(&bo, world.project, None).unwrap().items;
    assert_eq!(list[0].approved_by_rule, Some(ApprovalRule::AutoApproveAi));

    let ticket = world.gate.execute(&bo, id).unwrap();
    world.gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(step(&world, id), "SYNCED");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_person_who_had_a_hand_in_it_needs_a_reviewer() {
    let world = world();
    switch(&world, true);
    let (ana, robot) = (world.caller("ana"), world.caller("robot"));
    // A person wrote it; a person edited it; a person handed it in.
    let theirs = draft(&world, &ana, 1);
    world.gate.submit(&ana, theirs).unwrap();
    let edited = draft(&world, &robot, 2);
    world.gate.edit(&ana, edited, "pay once", &world.change("1")).unwrap();
    world.gate.submit(&robot, edited).unwrap();
    let handed_in = draft(&world, &robot, 3);
    world.gate.submit(&ana, handed_in).unwrap();
    for id in [theirs, edited, handed_in] {
        assert_eq!(step(&world, id), "PENDING_REVIEW");
    }
}

#[test]
fn whoever_an_agent_works_for_did_not_write_it() {
    let world = world();
    switch(&world, true);
    let ana = world.caller("ana");
    let robot = world.caller("robot").on_behalf_of(ana.user());
    let id = draft(&world, &robot, 1);
    assert_eq!(world.gate.submit(&robot, id).unwrap().header.step.as_str(), "APPROVED");
    // Once she writes in it herself, she did.
    let id = draft(&world, &robot, 2);
    world.gate.edit(&ana, id, "pay once", &world.change("1")).unwrap();
    assert_eq!(world.look(id).header.principals, [].into());
    world.gate.submit(&robot, id).unwrap();
    assert_eq!(step(&world, id), "PENDING_REVIEW");
}

#[test]
fn it_never_reaches_a_change() {
    let world = world();
    switch(&world, true);
    let robot = world.caller("robot");
    let id = world.gate.draft(&robot, &world.new_request(world.dev)).unwrap().header.id;
    assert_eq!(world.gate.submit(&robot, id).unwrap().header.step.as_str(), "PENDING_APPROVAL");
}

#[test]
fn what_it_approved_does_not_run_once_it_is_off() {
    let world = world();
    let (robot, bo, root) = (world.caller("robot"), world.caller("bo"), world.caller("root"));
    switch(&world, true);
    let (first, second) = (draft(&world, &robot, 1), draft(&world, &robot, 2));
    world.gate.submit(&robot, first).unwrap();
    world.gate.submit(&robot, second).unwrap();
    switch(&world, false);
    let refused = world.gate.execute(&bo, first).unwrap_err();
    assert_eq!(refused.code(), Code::ArtifactNotApproved);
    // Nor does the host hand it on by itself.
    let name =
        |number| ArtifactName::new(world.project, "TEST_CASE".parse().unwrap(), number).unwrap();
    assert!(!world.gate.is_approved(&bo, &name(1)).unwrap());
    assert!(!world.gate.is_request_approved(&bo, first).unwrap());
    let refused = world.gate.check_publishable(&bo, &name(1)).unwrap_err();
    assert_eq!(refused.to_string(), "Artifact not approved");
    assert!(!world.gate.actions(&bo, first).unwrap().is_syncable);
    switch(&world, true);
    assert!(world.gate.is_approved(&bo, &name(1)).unwrap());
    let ticket = world.gate.execute(&bo, first).unwrap();
    world.gate.drive(ticket, &Seen::default()).unwrap();
    // What took effect stays published.
    switch(&world, false);
    assert!(world.gate.is_approved(&bo, &name(1)).unwrap());
    switch(&world, true);
    // Nor once the environment is more critical.
    let (project, environment) = (world.project, world.dev);
    let (name, criticality) = ("Development".parse().unwrap(), Criticality::Medium);
    let raise = UpdateEnvironment { project, environment, name, priority: 1, criticality };
    world.gate.manage(&root, &raise).unwrap();
    let refused = world.gate.execute(&bo, second).unwrap_err();
    assert_eq!(refused.code(), Code::ArtifactNotApproved);
    // A person's approval takes its place.
    world.gate.revert(&bo, second, None).unwrap();
    world.gate.submit(&robot, second).unwrap();
    let digest = world.digest(second);
    world.gate.approve(&bo, second, digest, None).unwrap();
    assert_eq!(step(&world, second), "APPROVED");
}
