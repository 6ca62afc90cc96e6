//! Why, why not, and what would change it.

use placet_core::authz::{
    Action, Answer, Explanation, Language, Missing, Paging, Question, Reason, Scope,
};
use placet_core::error::Code;
use placet_core::id::{ModuleId, RoleId, UserId};
use placet_core::org::command::{
    AddMember, AllowRole, AssignModule, AssignRole, CreatePermission, CreateRole, CreateTeam,
    EndGrant, GrantGlobalRole, SetUserActive,
};
use placet_core::org::{GlobalRole, Interval, TeamRole};
use placet_core::testing::Chance;

use crate::world::World;

fn why(world: &World, name: &str, action: &str, scope: Scope) -> Explanation {
    let (user, action) = (world.people[name], action.parse().unwrap());
    let question = Question { user, action, scope, at: world.gate.now() };
    world.gate.explain(&world.caller("root"), &question).unwrap()
}

/// Seed 001, section 3.2: the team of Ana looks after `pagos`, and her role may deploy in dev.
#[test]
fn ana_deploys_in_dev_of_pagos_and_nowhere_else() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let action: Action = "deploy".parse().unwrap();
    let (module, environment) = (None, Some(world.dev));
    let command = CreatePermission { project, module, environment, action: action.clone() };
    let permission = world.gate.manage(&root, &command).unwrap();
    let role = CreateRole { project, name: "Deployer".parse().unwrap() };
    let role = world.gate.manage(&root, &role).unwrap();
    world.gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
    let (user, valid) = (world.people["ana"], Interval::starting(world.now()));
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();

    let dev_of_pagos = Scope::module(project, world.pagos, world.dev);
    let prod_of_pagos = Scope::module(project, world.pagos, world.prod);
    let dev_of_logistica = Scope::module(project, world.logistica, world.dev);
    for (place, expected) in
        [(dev_of_pagos, true), (prod_of_pagos, false), (dev_of_logistica, false)]
    {
        assert_eq!(world.gate.can(user, &action, place), expected, "{place}");
        assert_eq!(world.gate.authorize(user, &action, place).is_allowed(), expected, "{place}");
        assert_eq!(why(&world, "ana", "deploy", place).answer.is_allowed(), expected, "{place}");
        let index = world.gate.index().unwrap();
        let (handle, found) = (index.action(&action), index.place(place).unwrap());
        assert_eq!(index.can_at(user, &handle, &found, world.now()), expected);
        let places = index.where_can(user, &action, world.now(), Paging::first(100)).items;
        assert_eq!(places.contains(&place), expected);
    }
    let prod = why(&world, "ana", "deploy", prod_of_pagos);
    assert!(matches!(prod.missing.as_slice(), [Missing::Grant { roles, .. }] if roles.is_empty()));
    assert_eq!(
        prod.sentence(Language::English),
        "ana may not `deploy` in shop/pagos/prod: no role of theirs permits it there. No role of the project permits it there."
    );
    let logistica = why(&world, "ana", "deploy", dev_of_logistica);
    let Answer::Denied(denial) = &logistica.answer else { panic!("{logistica:?}") };
    assert!(matches!(denial.reasons.as_slice(), [Reason::NoMembership { .. }]), "{denial}");
    assert_eq!(
        logistica.sentence(Language::Spanish),
        "ana no puede hacer `deploy` en shop/logistica/dev: no pertenece a ningún equipo que se ocupe de shop/logistica. Hace falta pertenecer al equipo logistica."
    );
}

#[test]
fn an_answer_says_until_when_it_holds_and_what_it_was_before() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let (scope, bo) = (Scope::module(project, world.pagos, world.dev), world.people["bo"]);
    let grants = world.gate.organisation(&root, project).unwrap().grants;
    let lead = grants.iter().find(|row| row.user_id == bo && row.role_id == world.lead).unwrap();
    let began = world.now();
    let end = began.plus_ms(60_000);
    let (grant, at) = (lead.id, Some(end));
    world.gate.manage(&root, &EndGrant { project, grant, at }).unwrap();

    let now = why(&world, "bo", "approve", scope);
    assert_eq!((now.answer.is_allowed(), now.until), (true, Some(end)));
    let without = "Policies were told no plan of a request, and may judge one otherwise.";
    assert!(now.sentence(Language::English).ends_with(&format!("until {end}. {without}")));

    world.bench.clock.advance_ms(90_000);
    let after = why(&world, "bo", "approve", scope);
    let Answer::Denied(denial) = &after.answer else { panic!("{after:?}") };
    assert!(matches!(denial.reasons.as_slice(), [Reason::GrantNotLive { .. }]), "{denial}");
    assert!(after.who_can.users.contains(&world.people["cy"]));
    let then = Question { user: bo, action: Action::APPROVE, scope, at: began };
    assert!(world.gate.explain(&root, &then).unwrap().answer.is_allowed());
}

#[test]
fn whoever_may_not_look_learns_nothing() {
    let world = World::new();
    let scope = Scope::module(world.project, world.pagos, world.dev);
    let ask = |name: &str, about: &str| {
        let (user, action) = (world.people[about], Action::APPROVE);
        let question = Question { user, action, scope, at: world.now() };
        world.gate.explain(&world.caller(name), &question)
    };
    // Oneself, where one reads; anybody, with audit or manage.
    assert!(ask("ana", "ana").is_ok());
    assert!(ask("root", "eve").is_ok());
    let denied = ask("ana", "bo").unwrap_err();
    let stranger = ask("eve", "eve").unwrap_err();
    assert_eq!((denied.code(), stranger.code()), (Code::NotFound, Code::NotFound));
    assert_eq!(denied.to_string(), stranger.to_string());
}

/// Being stopped hides what else is missing, and what is not.
#[test]
fn what_a_stopped_user_lacks_beside_is_told_too() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let grant = GrantGlobalRole { user: world.people["aud"], role: GlobalRole::Auditor };
    world.gate.administer(&root, &grant).unwrap();
    for name in ["aud", "eve", "robot"] {
        let stop = SetUserActive { user: world.people[name], active: false };
        world.gate.administer(&root, &stop).unwrap();
    }
    let whole = Scope::project(project);
    let missing = |name: &str, action: &str, scope| why(&world, name, action, scope).missing;
    for scope in [whole, Scope::module(project, world.pagos, world.dev)] {
        // An auditor reads by the global role: activation is all.
        assert_eq!(missing("aud", "read", scope), [Missing::Activation]);
        assert_eq!(missing("aud", "audit", scope), [Missing::Activation]);
        let eve = missing("eve", "audit", scope);
        assert!(matches!(eve.as_slice(), [Missing::Activation, Missing::GlobalRole { .. }]));
        assert_eq!(missing("eve", "administer", scope), []);
    }
    let eve = missing("eve", "administer", Scope::Platform);
    assert!(matches!(eve.as_slice(), [Missing::Activation, Missing::GlobalRole { .. }]), "{eve:?}");
    assert_eq!(missing("eve", "read", Scope::Platform), []);
    let nowhere = Scope::module(project, ModuleId::from_u128(12_345), world.dev);
    assert_eq!(missing("eve", "read", nowhere), []);
    assert_eq!(missing("robot", "approve", whole), []);
}

/// Gives `user` what is missing, and makes a team or a role for it where there is none.
fn give(world: &World, user: UserId, module: Option<ModuleId>, missing: &Missing) {
    let (root, project) = (world.caller("root"), world.project);
    let manage = |name: &str| -> RoleId {
        let role = CreateRole { project, name: name.parse().unwrap() };
        world.gate.manage(&root, &role).unwrap()
    };
    let valid = Interval::starting(world.now());
    let name = format!("made {}", world.gate.index().unwrap().heap_bytes());
    match missing {
        Missing::Activation => {
            world.gate.administer(&root, &SetUserActive { user, active: true }).unwrap();
        }
        Missing::Membership { teams, .. } => {
            let team = teams.first().map_or_else(
                || {
                    let team = CreateTeam { project, name: name.parse().unwrap() };
                    let team = world.gate.manage(&root, &team).unwrap();
                    let module = module.unwrap();
                    world.gate.manage(&root, &AssignModule { project, team, module }).unwrap();
                    team
                },
                |(team, _)| *team,
            );
            let role = TeamRole::Member;
            world.gate.manage(&root, &AddMember { project, team, user, role, valid }).unwrap();
        }
        Missing::Grant { action, roles, .. } => {
            let role = roles.first().map_or_else(
                || {
                    let (role, action) = (manage(&name), action.clone());
                    let command =
                        CreatePermission { project, module: None, environment: None, action };
                    let permission = world.gate.manage(&root, &command).unwrap();
                    world.gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
                    role
                },
                |(role, _)| *role,
            );
            world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
        }
        Missing::GlobalRole { any_of } => {
            // The last of them is the one that an agent may have, where there is one.
            let role = *any_of.last().unwrap();
            world.gate.administer(&root, &GrantGlobalRole { user, role }).unwrap();
        }
        other => panic!("nobody knows how to give {other:?}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test takes its length from outside")]
fn asked_for() -> Option<u64> {
    std::env::var("PLACET_CASES").ok()?.parse().ok()
}

/// `PLACET_CASES` asks for more than the suite's.
#[test]
fn what_an_explanation_names_makes_a_yes_of_it() {
    let cases = asked_for().unwrap_or(4_000);
    let mut chance = Chance::new(7);
    let actions =
        ["request", "approve", "execute", "read", "manage", "deploy", "administer", "audit"];
    let people = ["ana", "bo", "cy", "dora", "eve", "robot", "aud"];
    let (mut flipped, mut behind, mut world) = (0, 0, World::new());
    for case in 0..cases {
        if case % 40 == 0 {
            world = World::new();
        }
        let (root, project) = (world.caller("root"), world.project);
        let name = chance.one_of(&people).unwrap();
        let user = world.people[name];
        let module = chance.is(70).then(|| chance.one_of(&[world.pagos, world.logistica]).unwrap());
        let environment = chance.is(70).then(|| chance.one_of(&[world.dev, world.prod]).unwrap());
        // Sometimes a place that is not there, and sometimes none of a project at all.
        let unknown = chance.is(5);
        let module = if unknown { Some(ModuleId::from_u128(12_345)) } else { module };
        let on_platform = chance.is(10);
        let scope = if on_platform {
            Scope::Platform
        } else {
            Scope::Project { project, module, environment }
        };
        let action = chance.one_of(&actions).unwrap();
        if chance.is(15) {
            let active = chance.is(50);
            world.gate.administer(&root, &SetUserActive { user, active }).unwrap();
        }
        let before = why(&world, name, action, scope);
        if before.answer.is_allowed() {
            continue;
        }
        for missing in &before.missing {
            give(&world, user, module, missing);
        }
        let after = why(&world, name, action, scope);
        let is_possible = match action {
            "administer" => on_platform,
            "audit" => on_platform || !unknown,
            _ => !on_platform && !unknown,
        };
        let never = ["approve", "manage", "administer"].contains(&action) && name == "robot";
        let can_be = is_possible && !never;
        assert_eq!(after.answer.is_allowed(), can_be, "{case}: {before:?} {after:?}");
        assert_eq!(before.missing.is_empty(), !can_be, "{before:?}");
        flipped += u64::from(can_be);
        let hidden = before.missing.contains(&Missing::Activation) && before.missing.len() > 1;
        behind += u64::from(can_be && hidden);
    }
    eprintln!("{cases} cases, {flipped} flipped, {behind} of them by more than an activation");
    assert!(flipped > cases / 10 && behind > cases / 200);
}
