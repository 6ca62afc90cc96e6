//! Ana goes on leave.

use placet_core::authz::{Action, Paging, Question, Scope};
use placet_core::clock::Timestamp;
use placet_core::id::UserId;
use placet_core::org::command::{AddMember, AssignRole, EndGrant};
use placet_core::org::{Interval, TeamRole};

use crate::world::World;

const DAY_MS: u64 = 86_400_000;

/// A world in which nobody but Ana may approve in `pagos`: who else could went to other work.
fn world_of_ana() -> World {
    let world = World::new();
    let (root, project, role) = (world.caller("root"), world.project, world.lead);
    let (user, valid) = (world.people["ana"], Interval::starting(world.now()));
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    let grants = world.gate.organisation(&root, project).unwrap().grants;
    for name in ["bo", "cy"] {
        let theirs = |row: &&placet_core::org::Grant| row.user_id == world.people[name];
        let lead = grants.iter().filter(theirs).find(|row| row.role_id == role).unwrap();
        world.gate.manage(&root, &EndGrant { project, grant: lead.id, at: None }).unwrap();
    }
    world
}

/// Their names, so that a story reads as people tell it.
fn names(world: &World, users: &[UserId]) -> Vec<&'static str> {
    let name = |user: &UserId| world.people.iter().find(|(_, id)| *id == user).unwrap();
    users.iter().map(|user| *name(user).0).collect()
}

/// Who can approve in Prod of Pagos at that instant, with all there or without some.
fn approvers(world: &World, at: Timestamp, away: &[&str]) -> Vec<&'static str> {
    let prod_of_pagos = Scope::module(world.project, world.pagos, world.prod);
    let away: Vec<UserId> = away.iter().map(|name| world.people[name]).collect();
    let (root, approve, page) = (world.caller("root"), Action::APPROVE, Paging::first(100));
    let gate = &world.gate;
    let found = gate.who_can_without(&root, &approve, prod_of_pagos, at, &away, page).unwrap();
    assert!(found.global_roles.is_empty(), "no global role approves anything");
    names(world, &found.users)
}

/// Whether nobody but Ana can approve in Prod of Pagos at that instant.
fn only_ana(world: &World, at: Timestamp) -> bool {
    let prod_of_pagos = Scope::module(world.project, world.pagos, world.prod);
    let (root, ana) = (world.caller("root"), world.people["ana"]);
    let page = Paging::first(100);
    let only = world.gate.only_by(&root, ana, &Action::APPROVE, at, page).unwrap();
    only.items.contains(&prod_of_pagos)
}

#[test]
fn ana_goes_on_leave_and_eve_stands_in_for_her() {
    let world = world_of_ana();
    let (root, project) = (world.caller("root"), world.project);
    let today = world.now();
    let (leave, back) = (today.plus_ms(7 * DAY_MS), today.plus_ms(21 * DAY_MS));

    // Ana approves in Prod of Pagos. While she is away nobody would, and that is known before she leaves.
    assert_eq!(approvers(&world, leave, &[]), ["ana"]);
    assert_eq!(approvers(&world, leave, &["ana"]), [""; 0]);
    assert!(only_ana(&world, leave));

    // Eve stands in for her: in the team, and in the role, for as long as Ana is away.
    let (user, valid) = (world.people["eve"], Interval::new(leave, Some(back)).unwrap());
    let (team, role) = (world.checkout, TeamRole::LeaderTemp);
    world.gate.manage(&root, &AddMember { project, team, user, role, valid }).unwrap();
    let role = world.lead;
    assert!(only_ana(&world, leave), "being in the team is not enough");
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();

    // Now somebody is there, from the first instant of the leave until just before its last.
    let just_before = |at: Timestamp| Timestamp::from_micros(at.as_micros() - 1);
    assert_eq!(approvers(&world, just_before(leave), &["ana"]), [""; 0]);
    assert_eq!(approvers(&world, leave, &["ana"]), ["eve"]);
    assert!(!only_ana(&world, leave));
    assert_eq!(approvers(&world, just_before(back), &["ana"]), ["eve"]);
    assert_eq!(approvers(&world, back, &["ana"]), [""; 0]);
    assert!(only_ana(&world, back));
    assert_eq!(approvers(&world, leave, &["ana", "eve"]), [""; 0]);

    // When does this change? When the leave begins, and when it ends.
    let scope = Scope::module(project, world.pagos, world.prod);
    let until = |at: Timestamp| {
        let question = Question { user, action: Action::APPROVE, scope, at };
        let told = world.gate.explain(&root, &question).unwrap();
        assert_eq!(
            told.until,
            world.gate.index().unwrap().until(user, &Action::APPROVE, scope, at)
        );
        (told.answer.is_allowed(), told.until)
    };
    assert_eq!(until(today), (false, Some(leave)));
    assert_eq!(until(leave), (true, Some(back)));
    assert_eq!(until(back), (false, None));

    // And so it comes: nobody has to do anything on the day.
    assert!(!world.gate.can(user, &Action::APPROVE, scope));
    world.bench.clock.advance_ms(7 * DAY_MS);
    assert!(world.gate.can(user, &Action::APPROVE, scope));
    world.bench.clock.advance_ms(14 * DAY_MS);
    assert!(!world.gate.can(user, &Action::APPROVE, scope));
}
