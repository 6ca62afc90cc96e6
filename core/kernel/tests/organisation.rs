//! The eleven tables, their rules, and who may change them.

use std::sync::Arc;

use placet_core::authz::{Action, Answer, Question, Scope};
use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::id::{TeamId, UserId};
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AllowRole, AssignModule, AssignRole, CreateEnvironment, CreateModule,
    CreatePermission, CreateProject, CreateRole, CreateTeam, CreateUser, EndGrant, EndMembership,
    GrantGlobalRole, RemoveEnvironment, RemoveModule, RemovePermission, RemoveRole, RemoveTeam,
    RenameTeam, RevokeGlobalRole, SetQuorum, SetUserActive, UnassignModule, UpdateEnvironment,
};
use placet_core::org::{Criticality, GlobalRole, Interval, TeamRole, UserKind};
use placet_core::request::Quorum;
use placet_core::store::{MemoryStore, Store};
use placet_core::testing::{Bench, FailingStore, Failure};

use crate::world::{World, assert_invariants, user};

fn code<T>(result: Result<T, Error>) -> Code {
    match result {
        Ok(_) => panic!("this was not refused"),
        Err(error) => {
            assert!(error.help().is_some_and(|help| !help.is_empty()), "{error} has no next step");
            error.code()
        }
    }
}

#[test]
fn the_first_admin_is_made_once_and_on_an_empty_store_only() {
    let world = World::new();
    let leaf = world.gate.audit(&world.caller("root"), 0).unwrap().remove(0);
    assert_eq!((leaf.0, leaf.1.event.as_str()), (0, "platform.bootstrapped"));
    assert_eq!(code(world.gate.bootstrap(&user("mallory"))), Code::AlreadyBootstrapped);
    let fresh = Gate::new(Bench::on(Arc::new(MemoryStore::default())).unwrap().parts);
    assert_eq!(code(fresh.bootstrap(&user("robot"))), Code::InvalidInput);
}

#[test]
fn whoever_missed_the_answer_of_the_founding_asks_again_and_gets_it() {
    // Every call to the store fails once, its answer lost, until none fails.
    for nth in 0.. {
        let kept: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let store = Arc::new(FailingStore::new(Arc::clone(&kept), nth, Failure::AnswerLost));
        let bench = Bench::on(Arc::<FailingStore>::clone(&store)).unwrap();
        let (gate, later) = (Gate::new(bench.parts), Gate::new(Bench::on(kept).unwrap().parts));
        let first = gate.bootstrap(&user("root"));
        if !store.failed() {
            assert!(first.is_ok() && nth > 2, "the commit was never lost");
            return;
        }
        assert_eq!(code(first), Code::StoreUnavailable);
        let again = gate.bootstrap(&user("root")).unwrap();
        // It was made once, also for the process that comes after this one, however the address is written.
        let root = Caller::authenticated(again);
        let email = "Root@Example.org".parse().unwrap();
        assert_eq!(later.bootstrap(&CreateUser { email, ..user("root") }).unwrap(), again);
        assert_eq!(later.users(&root, None).unwrap().items.len(), 1);
        assert_eq!(later.audit(&root, 0).unwrap().len(), 1);
        // Nobody else hears it, and nobody once anything else is on record.
        assert_eq!(code(later.bootstrap(&user("mallory"))), Code::AlreadyBootstrapped);
        later.administer(&root, &user("ana")).unwrap();
        for name in ["root", "ana"] {
            assert_eq!(code(later.bootstrap(&user(name))), Code::AlreadyBootstrapped);
        }
    }
}

#[test]
fn the_last_admin_stays() {
    let world = World::new();
    let root = world.caller("root");
    let (gate, role) = (&world.gate, GlobalRole::PlatformAdmin);
    let revoke = |user| gate.administer(&root, &RevokeGlobalRole { user, role });
    let stop = |user| gate.administer(&root, &SetUserActive { user, active: false });
    assert_eq!(code(revoke(root.user())), Code::Refused);
    assert_eq!(code(stop(root.user())), Code::Refused);
    // A second admin who is not active does not count.
    let bo = world.people["bo"];
    gate.administer(&root, &GrantGlobalRole { user: bo, role }).unwrap();
    stop(bo).unwrap();
    assert_eq!(code(revoke(root.user())), Code::Refused);
    gate.administer(&root, &SetUserActive { user: bo, active: true }).unwrap();
    revoke(root.user()).unwrap();
    assert_eq!(code(gate.administer(&root, &user("late"))), Code::Denied);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn nobody_grants_anything_to_themselves() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let (me, valid) = (root.user(), Interval::starting(world.now()));
    let role = world.lead;
    assert_eq!(
        code(gate.manage(&root, &AssignRole { project, user: me, role, valid })),
        Code::Refused
    );
    let member = |team, user| AddMember { project, team, user, role: TeamRole::Member, valid };
    assert_eq!(code(gate.manage(&root, &member(world.checkout, me))), Code::Refused);
    let grant = GrantGlobalRole { user: me, role: GlobalRole::Auditor };
    assert_eq!(code(gate.administer(&root, &grant)), Code::Refused);
    // Nor by the back door: a manager widens neither the role they hold nor the team they are in.
    let manage =
        CreatePermission { project, module: None, environment: None, action: Action::MANAGE };
    let permission = gate.manage(&root, &manage).unwrap();
    gate.manage(&root, &AllowRole { project, role: world.lead, permission }).unwrap();
    let bo = world.caller("bo");
    let wide = CreatePermission {
        project,
        module: None,
        environment: None,
        action: "deploy".parse().unwrap(),
    };
    let permission = gate.manage(&bo, &wide).unwrap();
    let mine = AllowRole { project, role: world.lead, permission };
    assert_eq!(code(gate.manage(&bo, &mine)), Code::Refused);
    let module = AssignModule { project, team: world.checkout, module: world.logistica };
    assert_eq!(code(gate.manage(&bo, &module)), Code::Refused);
    // Each refusal is on record.
    let log = gate.audit(&root, 0).unwrap();
    assert_eq!(log.iter().filter(|(_, leaf)| leaf.event == "refused").count(), 3);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_project_is_managed_by_its_managers_and_the_platform_admin_only() {
    let world = World::new();
    let module = |code: &str| CreateModule {
        project: world.project,
        code: code.parse().unwrap(),
        name: code.parse().unwrap(),
    };
    assert_eq!(code(world.gate.manage(&world.caller("bo"), &module("a"))), Code::Denied);
    assert_eq!(code(world.gate.manage(&world.caller("eve"), &module("b"))), Code::NotFound);
    let project = CreateProject { code: "mine".parse().unwrap(), name: "Mine".parse().unwrap() };
    assert_eq!(code(world.gate.administer(&world.caller("bo"), &project)), Code::Denied);
    // PLATFORM_ADMIN has no operational right by itself.
    let drafted = world.gate.draft(&world.caller("root"), &world.new_request(world.dev));
    assert_eq!(code(drafted), Code::Denied);
}

#[test]
fn an_auditor_reads_everything_and_changes_nothing() {
    let world = World::new();
    let (root, aud) = (world.caller("root"), world.caller("aud"));
    let drafted = world.gate.draft(&world.caller("ana"), &world.new_request(world.dev)).unwrap();
    assert_eq!(code(world.gate.view(&aud, drafted.header.id)), Code::NotFound);
    let grant = GrantGlobalRole { user: aud.user(), role: GlobalRole::Auditor };
    world.gate.administer(&root, &grant).unwrap();
    world.gate.view(&aud, drafted.header.id).unwrap();
    world.gate.audit(&aud, 0).unwrap();
    assert_eq!(world.gate.projects(&aud).unwrap().len(), 1);
    assert_eq!(code(world.gate.submit(&aud, drafted.header.id)), Code::Denied);
    assert_eq!(code(world.gate.administer(&aud, &user("x"))), Code::Denied);
}

#[test]
fn codes_names_addresses_and_pairs_are_unique() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let taken = Code::AlreadyExists;
    let mut same = user("ana");
    same.email = "ANA@example.org".parse().unwrap();
    assert_eq!(code(gate.administer(&root, &same)), taken);
    let shop = CreateProject { code: "shop".parse().unwrap(), name: "Other".parse().unwrap() };
    assert_eq!(code(gate.administer(&root, &shop)), taken);
    let (dev, name) = ("dev".parse().unwrap(), "Dev".parse().unwrap());
    let criticality = Criticality::Low;
    let environment = CreateEnvironment { project, code: dev, name, priority: 9, criticality };
    assert_eq!(code(gate.manage(&root, &environment)), taken);
    let module =
        CreateModule { project, code: "pagos".parse().unwrap(), name: "P".parse().unwrap() };
    assert_eq!(code(gate.manage(&root, &module)), taken);
    let name = "checkout".parse().unwrap();
    assert_eq!(code(gate.manage(&root, &CreateTeam { project, name })), taken);
    let name = "TechLead".parse().unwrap();
    assert_eq!(code(gate.manage(&root, &CreateRole { project, name })), taken);
    let (team, module) = (world.checkout, world.pagos);
    assert_eq!(code(gate.manage(&root, &AssignModule { project, team, module })), taken);
    let action = Action::APPROVE;
    let permission = CreatePermission { project, module: None, environment: None, action };
    assert_eq!(code(gate.manage(&root, &permission)), taken);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn rows_of_another_project_and_rows_that_are_not_there_are_refused() {
    let world = World::new();
    let (gate, root) = (&world.gate, world.caller("root"));
    let other = CreateProject { code: "other".parse().unwrap(), name: "Other".parse().unwrap() };
    let project = gate.administer(&root, &other).unwrap();
    let (team, module) = (world.checkout, world.pagos);
    assert_eq!(code(gate.manage(&root, &AssignModule { project, team, module })), Code::NotFound);
    let (user, role) = (world.people["ana"], world.lead);
    let valid = Interval::starting(world.now());
    assert_eq!(
        code(gate.manage(&root, &AssignRole { project, user, role, valid })),
        Code::NotFound
    );
    let project = world.project;
    let user = UserId::from_u128(9_999);
    assert_eq!(
        code(gate.manage(&root, &AssignRole { project, user, role, valid })),
        Code::NotFound
    );
    let member =
        AddMember { project, team: TeamId::from_u128(1), user, role: TeamRole::Member, valid };
    assert_eq!(code(gate.manage(&root, &member)), Code::NotFound);
    let (module, environment) = (None, Some(placet_core::id::EnvironmentId::from_u128(5)));
    let permission = CreatePermission { project, module, environment, action: Action::READ };
    assert_eq!(code(gate.manage(&root, &permission)), Code::NotFound);
}

#[test]
fn what_is_used_is_not_removed() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    assert_eq!(
        code(gate.manage(&root, &RemoveModule { project, module: world.pagos })),
        Code::InUse
    );
    assert_eq!(
        code(gate.manage(&root, &RemoveTeam { project, team: world.checkout })),
        Code::InUse
    );
    assert_eq!(code(gate.manage(&root, &RemoveRole { project, role: world.lead })), Code::InUse);
    let environment = world.dev;
    assert_eq!(code(gate.manage(&root, &RemoveEnvironment { project, environment })), Code::InUse);
    // A request keeps its module and environment, even when nothing else does.
    gate.draft(&world.caller("ana"), &world.new_request(world.prod)).unwrap();
    let environment = world.prod;
    assert_eq!(code(gate.manage(&root, &RemoveEnvironment { project, environment })), Code::InUse);
    // What nothing uses goes.
    let module =
        CreateModule { project, code: "old".parse().unwrap(), name: "Old".parse().unwrap() };
    let module = gate.manage(&root, &module).unwrap();
    gate.manage(&root, &RemoveModule { project, module }).unwrap();
    let action: Action = "deploy".parse().unwrap();
    let permission = CreatePermission { project, module: None, environment: None, action };
    let permission = gate.manage(&root, &permission).unwrap();
    gate.manage(&root, &RemovePermission { project, permission }).unwrap();
    let (team, module) = (world.checkout, world.pagos);
    gate.manage(&root, &UnassignModule { project, team, module }).unwrap();
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn memberships_and_grants_hold_from_their_first_instant_until_just_before_their_last() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let eve = world.people["eve"];
    let (from, until) = (world.now().plus_ms(1_000), world.now().plus_ms(2_000));
    let valid = Interval::new(from, Some(until)).unwrap();
    let (team, role) = (world.checkout, TeamRole::LeaderTemp);
    gate.manage(&root, &AddMember { project, team, user: eve, role, valid }).unwrap();
    let role = world.lead;
    gate.manage(&root, &AssignRole { project, user: eve, role, valid }).unwrap();
    let scope = Scope::module(project, world.pagos, world.dev);
    let may_at = |at: Timestamp| {
        world.bench.clock.set(at);
        gate.can(eve, &Action::APPROVE, scope)
    };
    let micro = |at: Timestamp, by: i64| Timestamp::from_micros(at.as_micros() + by);
    assert!(!may_at(micro(from, -1)));
    assert!(may_at(from));
    assert!(may_at(micro(until, -1)));
    assert!(!may_at(until));
}

#[test]
fn intervals_and_team_roles_keep_their_rules() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let (team, now) = (world.checkout, world.now());
    assert_eq!(code(Interval::new(now, Some(now))), Code::InvalidInput);
    let add = |name: &str, role, from: u64, until: Option<u64>| {
        let user = world.people[name];
        let valid = Interval::new(now.plus_ms(from), until.map(|ms| now.plus_ms(ms))).unwrap();
        gate.manage(&root, &AddMember { project, team, user, role, valid })
    };
    assert_eq!(code(add("eve", TeamRole::LeaderTemp, 0, None)), Code::InvalidInput);
    let first = add("eve", TeamRole::LeaderPrimary, 0, Some(1_000)).unwrap();
    assert_eq!(
        code(add("eve", TeamRole::LeaderPrimary, 999, Some(1_500))),
        Code::AlreadyExists,
        "a user has a role in a team once at a time"
    );
    assert_eq!(code(add("aud", TeamRole::LeaderPrimary, 999, None)), Code::AlreadyExists);
    let second = add("aud", TeamRole::LeaderPrimary, 1_000, None).unwrap();
    // Ending: now, later, not in the past, and not twice.
    let end = |membership, at| gate.manage(&root, &EndMembership { project, membership, at });
    end(second, Some(now.plus_ms(5_000))).unwrap();
    assert_eq!(code(end(second, Some(now.plus_ms(6_000)))), Code::WrongState);
    world.bench.clock.advance_ms(500);
    assert_eq!(code(end(first, Some(now))), Code::InvalidInput);
    end(first, None).unwrap();
    assert_eq!(code(end(first, None)), Code::WrongState);
    assert_invariants(&*world.bench.parts.store);
}

/// Bo is a member of the team for ever, and stands in for its leader from 1 to 15 August.
#[test]
fn a_member_stands_in_for_the_leader_and_is_a_member_all_along() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let (team, user) = (world.checkout, world.people["bo"]);
    let instant = |text: &str| text.parse::<Timestamp>().unwrap();
    let (first, last) = (instant("2026-08-01T00:00:00Z"), instant("2026-08-15T00:00:00Z"));
    assert!(world.now() < first);
    let stand_in = |from, until| {
        let valid = Interval::new(from, Some(until)).unwrap();
        let role = TeamRole::LeaderTemp;
        world.gate.manage(&root, &AddMember { project, team, user, role, valid })
    };
    let membership = stand_in(first, last).unwrap();
    // Not twice, and not a member twice.
    assert_eq!(
        code(stand_in(instant("2026-08-14T00:00:00Z"), instant("2026-09-01T00:00:00Z"))),
        Code::AlreadyExists
    );
    let valid = Interval::starting(first);
    let again = AddMember { project, team, user, role: TeamRole::Member, valid };
    assert_eq!(code(world.gate.manage(&root, &again)), Code::AlreadyExists);

    let dev = Scope::module(project, world.pagos, world.dev);
    let may = |at: Timestamp| {
        world.bench.clock.advance_ms(at.ms_since(world.now()));
        world.gate.can(user, &Action::APPROVE, dev)
            && world.gate.authorize(user, &Action::APPROVE, dev).is_allowed()
    };
    for at in ["2026-07-31T00:00:00Z", "2026-08-01T00:00:00Z"] {
        assert!(may(instant(at)), "{at}");
    }
    // That the one ends takes nothing from the other.
    let end = EndMembership { project, membership, at: Some(instant("2026-08-10T00:00:00Z")) };
    world.gate.manage(&root, &end).unwrap();
    for at in ["2026-08-10T00:00:00Z", "2026-08-15T00:00:00Z", "2027-01-01T00:00:00Z"] {
        assert!(may(instant(at)), "{at}");
    }
    assert_invariants(&*world.bench.parts.store);
}

/// A grant from next year on would be live at once, and for good: no later look is earlier.
#[test]
fn a_clock_that_leaps_takes_no_organisation_with_it() {
    let world = World::new();
    let (root, project, user) = (world.caller("root"), world.project, world.people["eve"]);
    let (gate, clock, before) = (&world.gate, &world.bench.clock, world.now());
    let day_ms = 86_400_000;
    let team =
        |name: &str| gate.manage(&root, &CreateTeam { project, name: name.parse().unwrap() });
    let valid = Interval::starting(before.plus_ms(400 * day_ms));
    let grant = AssignRole { project, user, role: world.lead, valid };
    gate.manage(&root, &grant).unwrap();
    let entries = gate.audit(&root, 0).unwrap().len();
    clock.set(before.plus_ms(401 * day_ms));
    assert_eq!(code(team("Leapt")), Code::ClockLeapt);
    assert_eq!(code(gate.administer(&root, &self::user("leapt"))), Code::ClockLeapt);
    assert_eq!(gate.audit(&root, 0).unwrap().len(), entries);
    // Corrected, other gates go by the time that it is. This one saw the other time, and goes by it.
    clock.set(before);
    assert_eq!(code(team("Corrected")), Code::ClockLeapt);
    let other = Gate::new(world.bench.parts.clone());
    assert!(other.now() < before.plus_ms(day_ms));
    other.manage(&root, &CreateTeam { project, name: "Other".parse().unwrap() }).unwrap();

    assert!(!other.can(user, &Action::APPROVE, Scope::module(project, world.pagos, world.dev)));

    // A day is within the limit, also right after one; time that passes is no leap.
    let team = |gate: &Gate, name: &str| {
        gate.manage(&root, &CreateTeam { project, name: name.parse().unwrap() })
    };
    clock.set(world.now().plus_ms(day_ms));
    team(&other, "A day").unwrap();
    clock.advance_ms(500 * day_ms);
    team(&other, "Late").unwrap();
    clock.set(world.now().plus_ms(day_ms + 1));
    assert_eq!(code(team(&other, "A day and more")), Code::ClockLeapt);
    // Somebody who opens a gate by that clock says that it is right; then it is so everywhere.
    let opened = Gate::new(world.bench.parts.clone());
    team(&opened, "Opened").unwrap();
    team(&other, "By now").unwrap();
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_grant_that_ends_takes_its_holder_out_at_once() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let user = world.people["eve"];
    let valid = Interval::starting(world.now());
    let team = world.checkout;
    gate.manage(&root, &AddMember { project, team, user, role: TeamRole::Member, valid }).unwrap();
    let role = world.lead;
    let grant = gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    let scope = Scope::module(project, world.pagos, world.dev);
    assert!(gate.can(user, &Action::APPROVE, scope));
    world.bench.clock.advance_ms(1);
    gate.manage(&root, &EndGrant { project, grant, at: None }).unwrap();
    assert!(!gate.can(user, &Action::APPROVE, scope));
    let question = Question { user, action: Action::APPROVE, scope, at: gate.now() };
    let why = gate.explain(&root, &question).unwrap().answer;
    let Answer::Denied(denial) = why else { panic!("{why}") };
    assert!(denial.to_string().contains("of the role `TechLead` holds from"), "{denial}");
}

#[test]
fn a_quorum_asks_for_somebody_and_for_roles_that_exist() {
    let world = World::new();
    let (project, environment) = (world.project, world.dev);
    assert_eq!(code(Quorum::n_of(0, None)), Code::InvalidInput);
    let quorum = Quorum::n_of(1, Some(placet_core::id::RoleId::from_u128(77))).unwrap();
    let set = SetQuorum { project, environment, quorum };
    assert_eq!(code(world.gate.manage(&world.caller("root"), &set)), Code::NotFound);
}

#[test]
fn an_environment_is_renamed_and_its_code_stays() {
    let world = World::new();
    let (project, environment) = (world.project, world.dev);
    let (name, criticality) = ("Development".parse().unwrap(), Criticality::Medium);
    let update = UpdateEnvironment { project, environment, name, priority: 3, criticality };
    world.gate.manage(&world.caller("root"), &update).unwrap();
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn an_agent_is_never_the_platform_admin() {
    let world = World::new();
    let grant = GrantGlobalRole { user: world.people["robot"], role: GlobalRole::PlatformAdmin };
    assert_eq!(code(world.gate.administer(&world.caller("root"), &grant)), Code::Refused);
    assert_eq!(user("robot").kind, UserKind::Agent);
}

#[test]
fn a_team_may_be_given_the_name_that_it_has_and_no_other_team_s() {
    let world = World::new();
    let (root, project, team) = (world.caller("root"), world.project, world.checkout);
    let rename = |name: &str| {
        let name = name.parse().unwrap();
        world.gate.manage(&root, &RenameTeam { project, team, name })
    };
    world.gate.manage(&root, &CreateTeam { project, name: "Storage".parse().unwrap() }).unwrap();
    rename("Payments").unwrap();
    rename("Payments").unwrap();
    assert_eq!(code(rename("Storage")), Code::AlreadyExists);
}
