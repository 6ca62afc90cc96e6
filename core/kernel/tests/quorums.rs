//! Whose approvals are enough: stages, groups, rules, exclusions, and what is counted again at the start.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use placet_core::authz::Action;
use placet_core::error::{Code, Error};
use placet_core::id::{GrantId, ModuleId, RoleId, RuleId, TeamId, UserId};
use placet_core::org::command::{
    AddMember, AllowRole, AssignModule, AssignRole, CreateRole, CreateTeam, EndGrant,
    EndMembership, PutQuorumRule, RemoveEnvironment, RemoveModule, RemoveRole, RemoveRule,
    RemoveTeam, SetQuorum, SetUserActive,
};
use placet_core::org::{Conditions, Criticality, FindingIs, Interval, TeamRole};
use placet_core::request::{Exclude, Group, Need, Order, Quorum, Stage, State};
use placet_core::runner::{Level, Risk};
use placet_core::testing::Seen;

use crate::world::{World, assert_invariants, user};

/// The examples, and people of QA, product owners, one who is both, and a lead of another team.
struct House {
    world: World,
    qa: RoleId,
    owner: RoleId,
    platform: TeamId,
}

impl House {
    fn new() -> Self {
        let mut world = World::new();
        let (root, project, valid) =
            (world.caller("root"), world.project, Interval::starting(world.now()));
        let shop = world.gate.organisation(&root, project).unwrap();
        let permission = |action: Action| {
            shop.permissions.iter().find(|row| row.action == action).map(|row| row.id).unwrap()
        };
        let role = |name: &str| {
            let name = name.parse().unwrap();
            let role = world.gate.manage(&root, &CreateRole { project, name }).unwrap();
            for permission in [permission(Action::APPROVE), permission(Action::READ)] {
                world.gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
            }
            role
        };
        let (qa, owner) = (role("QA"), role("PO"));
        let name = "platform".parse().unwrap();
        let platform = world.gate.manage(&root, &CreateTeam { project, name }).unwrap();
        let module = world.pagos;
        world.gate.manage(&root, &AssignModule { project, team: platform, module }).unwrap();
        let developer = shop.roles.iter().find(|row| row.name.as_str() == "Developer").unwrap().id;
        for (name, team, roles) in [
            ("qim", world.checkout, vec![qa]),
            ("quin", world.checkout, vec![qa]),
            ("pia", world.checkout, vec![owner]),
            ("max", world.checkout, vec![qa, owner]),
            ("lee", platform, vec![developer, world.lead]),
        ] {
            let id = world.gate.administer(&root, &user(name)).unwrap();
            world.people.insert(name, id);
            let role = if name == "lee" { TeamRole::LeaderPrimary } else { TeamRole::Member };
            world.gate.manage(&root, &AddMember { project, team, user: id, role, valid }).unwrap();
            for role in roles {
                let command = AssignRole { project, user: id, role, valid };
                world.gate.manage(&root, &command).unwrap();
            }
        }
        Self { world, qa, owner, platform }
    }

    fn one(role: RoleId) -> Need {
        Need::NOf { n: 1, of: vec![Group::ProjectRole(role)] }
    }

    /// What `dev` asks for from now on.
    fn asks(&self, quorum: Quorum) -> Result<(), Error> {
        let (project, environment) = (self.world.project, self.world.dev);
        let command = SetQuorum { project, environment, quorum };
        self.world.gate.manage(&self.world.caller("root"), &command)
    }

    fn asks_in_stages(&self, stages: &[(&str, Need)], order: Order) {
        let stages =
            stages.iter().map(|(name, need)| Stage::new(name.parse().unwrap(), need.clone()));
        let quorum = Quorum::new(stages.collect(), order, Exclude::default()).unwrap();
        self.asks(quorum).unwrap();
    }

    /// Ends one of somebody's roles.
    fn takes(&self, role: RoleId, name: &str) {
        let (root, project) = (self.world.caller("root"), self.world.project);
        let held = self.world.gate.organisation(&root, project).unwrap().grants;
        let user = self.world.people[name];
        let grant = held.iter().find(|row| row.user_id == user && row.role_id == role).unwrap().id;
        self.world.bench.clock.advance_ms(1);
        self.world.gate.manage(&root, &EndGrant { project, grant, at: None }).unwrap();
    }

    /// Plays `script`, in which `waits` tells who is awaited, and compares what each step answered.
    fn check(&self, script: &str, expected: &Expect) {
        let (mut id, mut told) = (None, String::new());
        for step in script.split(", ") {
            let line = if step == "waits" {
                let view = self.world.gate.view(&self.world.caller("bo"), id.unwrap()).unwrap();
                self.world.named(&view.awaited.unwrap_or_else(|| "for nobody".to_owned()))
            } else {
                match self.world.step(&mut id, step) {
                    Ok(request) => request.state.name().as_str().to_lowercase().replace('_', " "),
                    Err(error) => self.world.named(&format!("{}: {error}", error.code())),
                }
            };
            writeln!(told, "{step}: {line}").unwrap();
        }
        expected.assert_eq(&told);
        assert_invariants(&*self.world.bench.parts.store);
    }
}

#[test]
fn one_of_qa_and_one_owner_are_two_people() {
    let house = House::new();
    let both = Need::AllOf(vec![House::one(house.qa), House::one(house.owner)]);
    house.asks_in_stages(&[("release", both)], Order::Sequence);
    house.check(
        "draft ana, submit ana, waits, approve qim, waits, approve quin, waits, approve bo, approve pia, waits, execute bo",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            waits: 1 of `QA`, 1 of `PO`
            approve qim: pending approval
            waits: 1 of `PO`
            approve quin: pending approval
            waits: 1 of `PO`
            approve bo: refused: `bo` is not among those who are awaited: 1 of `PO`
            approve pia: approved
            waits: for nobody
            execute bo: succeeded
        "]],
    );
    house.check(
        "draft ana, submit ana, approve max, waits, approve max, approve pia",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve max: pending approval
            waits: 1 of `PO`
            approve max: already_exists: `max` approved `it` before
            approve pia: approved
        "]],
    );
    house.check(
        "draft ana, submit ana, approve max, approve qim, execute bo",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve max: pending approval
            approve qim: approved
            execute bo: succeeded
        "]],
    );
}

#[test]
fn stages_follow_each_other_or_stand_side_by_side() {
    let house = House::new();
    let stages = [("test", House::one(house.qa)), ("release", House::one(house.owner))];
    house.asks_in_stages(&stages, Order::Sequence);
    house.check(
        "draft ana, submit ana, approve pia, approve max, approve max, waits, approve quin, approve pia",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve pia: refused: `pia` is not among those who are awaited: 1 of `QA` for `test`
            approve max: pending approval
            approve max: already_exists: `max` approved `it` before
            waits: 1 of `PO` for `release`
            approve quin: refused: `quin` is not among those who are awaited: 1 of `PO` for `release`
            approve pia: approved
        "]],
    );
    house.asks_in_stages(&stages, Order::Parallel);
    house.check(
        "draft ana, submit ana, waits, approve pia, waits, approve pia, approve qim",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            waits: 1 of `QA` for `test`, 1 of `PO` for `release`
            approve pia: pending approval
            waits: 1 of `QA` for `test`
            approve pia: already_exists: `pia` approved `it` before
            approve qim: approved
        "]],
    );
}

#[test]
fn an_approval_keeps_its_stage_and_its_rows() {
    let house = House::new();
    let world = &house.world;
    let lead = Group::TeamRole { team: None, role: TeamRole::LeaderPrimary };
    let stages = [
        ("test", House::one(house.qa)),
        ("lead", Need::NOf { n: 1, of: vec![lead, Group::Team(house.platform)] }),
    ];
    house.asks_in_stages(&stages, Order::Sequence);
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve qim", "approve lee"] {
        world.step(&mut id, step).unwrap();
    }
    let State::Approved(approved) = world.look(id.unwrap()).state else { panic!() };
    let [qim, lee] = approved.approvals.as_slice() else { panic!() };
    assert_eq!((qim.stage, lee.stage), (Some(0), Some(1)));
    let fit = qim.fits[0];
    assert!(fit.group == Group::ProjectRole(house.qa) && fit.grant.is_some());
    assert_eq!(lee.fits.len(), 2);
    assert!(lee.fits.iter().all(|fit| fit.membership.is_some() && fit.grant.is_none()));
    let trail = world.gate.trail(&world.caller("ana"), id.unwrap()).unwrap();
    let stage = |event: &str| {
        let leaf = trail.iter().find(|(_, leaf)| leaf.event == event).unwrap();
        leaf.1.facts["stage"].clone()
    };
    assert_eq!(
        (stage("request.approval_given"), stage("request.approved")),
        ("0".into(), "1".into())
    );
}

#[test]
fn one_of_several_ways_is_enough() {
    let house = House::new();
    let leads = Need::NOf { n: 2, of: vec![Group::ProjectRole(house.world.lead)] };
    let pia = Need::NOf { n: 1, of: vec![Group::Person(house.world.people["pia"])] };
    let either = Need::AnyOf(vec![leads, pia]);
    house.asks_in_stages(&[("either", either.clone())], Order::Sequence);
    house.check(
        "draft ana, submit ana, waits, approve qim, approve bo, approve pia",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            waits: 1 of `pia`; or 2 of `TechLead`
            approve qim: refused: `qim` is not among those who are awaited: 1 of `pia`; or 2 of `TechLead`
            approve bo: pending approval
            approve pia: approved
        "]],
    );
    let some =
        Need::SomeOf { k: 2, of: vec![either, House::one(house.qa), House::one(house.owner)] };
    house.asks_in_stages(&[("two of three", some)], Order::Parallel);
    house.check(
        "draft ana, submit ana, approve max, approve pia",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve max: pending approval
            approve pia: approved
        "]],
    );
}

#[test]
fn an_edit_voids_what_every_stage_had() {
    let house = House::new();
    let both = Need::AllOf(vec![House::one(house.qa), House::one(house.owner)]);
    house.asks_in_stages(&[("release", both)], Order::Sequence);
    house.check(
        "draft ana, submit ana, approve qim, edit ana, submit ana, approve pia, waits, edit bo, submit bo, approve qim, approve pia, execute bo",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve qim: pending approval
            edit ana: draft
            submit ana: pending approval
            approve pia: pending approval
            waits: 1 of `QA`
            edit bo: draft
            submit bo: pending approval
            approve qim: pending approval
            approve pia: approved
            execute bo: succeeded
        "]],
    );
}

#[test]
fn whoever_approved_does_not_run_it_where_that_is_asked() {
    let house = House::new();
    let exclude = Exclude::default().with_executor();
    let lead = house.world.lead;
    house.asks(Quorum::n_of(1, Some(lead)).unwrap().excluding(exclude)).unwrap();
    house.check(
        "draft ana, submit ana, approve bo, execute bo, execute cy",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve bo: approved
            execute bo: refused: `bo` approved `it` and cannot run it
            execute cy: succeeded
        "]],
    );
    // Where everybody who may run it would have to approve it, it is not accepted.
    let (world, root) = (&house.world, house.world.caller("root"));
    for name in ["robot", "lee", "ana"] {
        let user = world.people[name];
        world.gate.administer(&root, &SetUserActive { user, active: false }).unwrap();
    }
    house.asks(Quorum::n_of(2, Some(lead)).unwrap().excluding(exclude)).unwrap();
    let (root, project) = (world.caller("root"), world.project);
    let (developer, valid) = (
        world
            .gate
            .organisation(&root, project)
            .unwrap()
            .roles
            .iter()
            .find(|row| row.name.as_str() == "Developer")
            .unwrap()
            .id,
        Interval::starting(world.now()),
    );
    let qim = world.people["qim"];
    let grant = AssignRole { project, user: qim, role: developer, valid };
    let grant = world.gate.manage(&root, &grant).unwrap();
    house.check(
        "draft qim, submit qim, approve bo, approve cy, execute qim",
        &expect![[r"
            draft qim: draft
            submit qim: pending approval
            approve bo: pending approval
            approve cy: approved
            execute qim: succeeded
        "]],
    );
    let mut id = None;
    world.step(&mut id, "draft qim").unwrap();
    let executes = world.gate.organisation(&root, project).unwrap();
    let execute = executes
        .permissions
        .iter()
        .find(|row| row.action == Action::EXECUTE && row.environment_id.is_some());
    let permission = execute.unwrap().id;
    let disallow = placet_core::org::command::DisallowRole { project, role: developer, permission };
    world.gate.manage(&root, &disallow).unwrap();
    let error = world.step(&mut id, "submit qim").unwrap_err();
    assert_eq!(error.code(), Code::QuorumUnsatisfiable);
    assert_eq!(
        error.to_string(),
        "2 approvals are needed, and those who could give one now lack somebody who may execute it and is not needed to approve it"
    );
    assert_ne!(grant, GrantId::from_u128(0));
}

#[test]
fn whoever_approved_to_spare_does_not_run_it_again_either() {
    let house = House::new();
    let (world, root, project) = (&house.world, house.world.caller("root"), house.world.project);
    let both = Need::AllOf(vec![House::one(house.qa), House::one(house.owner)]);
    let stages = vec![Stage::new("release".parse().unwrap(), both)];
    let exclude = Exclude::default().with_executor();
    house.asks(Quorum::new(stages, Order::Sequence, exclude).unwrap()).unwrap();
    // Quin may execute, too.
    let (user, role, valid) = (world.people["quin"], world.lead, Interval::starting(world.now()));
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve qim", "approve quin", "approve pia"] {
        world.step(&mut id, step).unwrap();
    }
    let failure = placet_core::runner::Failure::new("sql.40001", "serialization failure");
    world.bench.runner.ends_with(placet_core::runner::Outcome::Failed(failure));
    world.step(&mut id, "execute cy").unwrap();
    let error = world.step(&mut id, "rerun quin").unwrap_err();
    assert_eq!(world.named(&error.to_string()), "`quin` approved `it` and cannot run it");
    // And whose yes was spare at the first attempt is there for the second.
    house.takes(house.qa, "qim");
    let request = world.step(&mut id, "rerun cy").unwrap();
    assert_eq!(request.state.name(), placet_core::request::StateName::Succeeded);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn the_teams_of_the_authors_do_not_approve_where_that_is_asked() {
    let house = House::new();
    let quorum = Quorum::n_of(1, None).unwrap();
    house.asks(quorum.excluding(Exclude::default().with_same_team())).unwrap();
    house.check(
        "draft ana, submit ana, approve bo, approve lee, execute bo",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve bo: refused: `bo` is in a team with an author of `it` and cannot approve it
            approve lee: approved
            execute bo: succeeded
        "]],
    );
    // A second editor brings their team with them.
    house.check(
        "draft ana, edit lee, submit ana",
        &expect![[r"
            draft ana: draft
            edit lee: draft
            submit ana: quorum_unsatisfiable: 1 approvals are needed, and those who could give one now lack 1 of those who may approve there
        "]],
    );
    // Whoever joins the author's team afterwards stops counting.
    let (world, root, project) = (&house.world, house.world.caller("root"), house.world.project);
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve lee"] {
        world.step(&mut id, step).unwrap();
    }
    let (team, user, role) = (house.platform, world.people["ana"], TeamRole::Member);
    let valid = Interval::starting(world.now());
    world.gate.manage(&root, &AddMember { project, team, user, role, valid }).unwrap();
    let error = world.gate.execute(&world.caller("bo"), id.unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::Refused);
    assert!(error.to_string().contains("no longer counts"), "{error}");
}

#[test]
fn what_no_longer_counts_at_the_start_is_left_out() {
    let house = House::new();
    let world = &house.world;
    let both = Need::AllOf(vec![House::one(house.qa), House::one(house.owner)]);
    house.asks_in_stages(&[("release", both)], Order::Sequence);
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve qim", "approve quin", "approve pia"] {
        world.step(&mut id, step).unwrap();
    }
    let id = id.unwrap();
    house.takes(house.qa, "qim");
    let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
    let State::Executing(running) = world.look(id).state else { panic!() };
    let gave: Vec<UserId> = running.approved.approvals.iter().map(|given| given.user).collect();
    assert_eq!(gave, ["qim", "quin", "pia"].map(|name| world.people[name]), "nobody is forgotten");
    let (_, leaf) = world.gate.trail(&world.caller("ana"), id).unwrap().pop().unwrap();
    assert_eq!((leaf.event.as_str(), leaf.facts["left_out"].as_str()), ("run.started", "1"));
    let judged: Vec<UserId> = leaf.decisions.iter().map(|decision| decision.user).collect();
    assert_eq!(judged, ["bo", "quin", "pia"].map(|name| world.people[name]), "who count");
    world.gate.drive(ticket, &Seen::default()).unwrap();

    // Nobody counts for what they were not when they said yes.
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve quin", "approve pia"] {
        world.step(&mut id, step).unwrap();
    }
    let (root, project) = (world.caller("root"), world.project);
    let (user, role, valid) = (world.people["pia"], house.qa, Interval::starting(world.now()));
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    house.takes(house.qa, "quin");
    let error = world.gate.execute(&world.caller("bo"), id.unwrap()).unwrap_err();
    assert_eq!(world.named(&error.to_string()), "the approval of `quin` no longer counts");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_quorum_that_cannot_be_reached_says_whom_it_lacks() {
    let house = House::new();
    let (world, root) = (&house.world, house.world.caller("root"));
    let both = Need::AllOf(vec![House::one(house.qa), House::one(house.owner)]);
    house.asks_in_stages(&[("release", both)], Order::Sequence);
    for name in ["pia", "qim", "quin"] {
        let user = world.people[name];
        world.gate.administer(&root, &SetUserActive { user, active: false }).unwrap();
    }
    // max is both, and one person.
    house.check(
        "draft ana, submit ana",
        &expect![[r"
            draft ana: draft
            submit ana: quorum_unsatisfiable: 2 approvals are needed, and those who could give one now lack 1 of `PO`
        "]],
    );
    let mut id = None;
    world.step(&mut id, "draft ana").unwrap();
    let error = world.step(&mut id, "submit ana").unwrap_err();
    assert_eq!((error.details()["needed"].as_str(), error.details()["able"].as_str()), ("2", "1"));
    // An agent holds the role of the leads, and never counts.
    house.asks(Quorum::n_of(3, Some(world.lead)).unwrap()).unwrap();
    let user = world.people["lee"];
    world.gate.administer(&root, &SetUserActive { user, active: false }).unwrap();
    house.check(
        "draft ana, submit ana",
        &expect![[r"
            draft ana: draft
            submit ana: quorum_unsatisfiable: 3 approvals are needed, and those who could give one now lack 1 of `TechLead`
        "]],
    );
}

#[test]
fn an_agent_never_counts_by_whatever_verb() {
    let house = House::new();
    let (world, robot) = (&house.world, house.world.caller("robot"));
    let named = Need::NOf { n: 1, of: vec![Group::Person(robot.user())] };
    let quorum = Quorum::new(
        vec![Stage::new("robot".parse().unwrap(), named)],
        Order::Sequence,
        Exclude::default(),
    );
    let before = world.bench.parts.store.log_len().unwrap();
    assert_eq!(house.asks(quorum.unwrap()).unwrap_err().code(), Code::InvalidInput);
    assert_eq!(world.bench.parts.store.log_len().unwrap(), before);
    let team = vec![Group::Anyone, Group::Team(world.checkout), Group::ProjectRole(world.lead)];
    house.asks_in_stages(&[("all", Need::NOf { n: 1, of: team })], Order::Parallel);
    house.check(
        "draft ana, submit ana, approve robot, reject robot no, return robot no, execute robot, approve bo, execute robot",
        &expect![[r"
            draft ana: draft
            submit ana: pending approval
            approve robot: denied: `robot` may not approve here: an agent never approves
            reject robot no: denied: `robot` may not approve here: an agent never approves
            return robot no: denied: `robot` may not approve here: an agent never approves
            execute robot: wrong_state: `it` is PENDING_APPROVAL and cannot be executed
            approve bo: approved
            execute robot: succeeded
        "]],
    );
}

/// Puts a rule with these conditions at the next position.
fn rule(house: &House, position: u32, when: Conditions, quorum: Quorum) -> Result<RuleId, Error> {
    let world = &house.world;
    let name = format!("rule {position}").parse().unwrap();
    let command =
        PutQuorumRule { project: world.project, rule: None, position, name, when, quorum };
    world.gate.manage(&world.caller("root"), &command)
}

/// The rule that a request with this payload falls under.
fn ruled(house: &House, payload: &str) -> Option<RuleId> {
    let world = &house.world;
    let mut new = world.new_request(world.dev);
    new.change = world.change(payload);
    let request = world.gate.draft_and_submit(&world.caller("ana"), &new).unwrap();
    let State::PendingApproval(pending) = request.state else { panic!() };
    let trail = world.gate.trail(&world.caller("ana"), request.header.id).unwrap();
    let told = trail.last().unwrap().1.facts.get("quorum_rule").cloned();
    assert_eq!(told, pending.rule.map(|rule| rule.to_string()), "the leaf says which");
    pending.rule
}

#[test]
fn rules_choose_the_quorum_by_what_a_request_is() {
    let house = House::new();
    let (world, root) = (&house.world, house.world.caller("root"));
    let when = |change: &dyn Fn(&mut Conditions)| {
        let mut when = Conditions::default();
        change(&mut when);
        when
    };
    let code = |code: &str| FindingIs::Code(code.to_owned());
    // What is said, a payload, and whether the rule is about a request with it: in module pagos, in dev, which is of low
    // criticality, by the runner sql.
    let cases: Vec<(&str, Conditions, &str, bool)> = vec![
        ("everything", when(&|_| ()), "1", true),
        ("the module", when(&|when| when.modules = vec![world.logistica, world.pagos]), "1", true),
        ("another module", when(&|when| when.modules = vec![world.logistica]), "1", false),
        ("the environment", when(&|when| when.environments = vec![world.dev]), "1", true),
        ("another environment", when(&|when| when.environments = vec![world.prod]), "1", false),
        ("low or more", when(&|when| when.criticality = Some(Criticality::Low)), "1", true),
        ("medium or more", when(&|when| when.criticality = Some(Criticality::Medium)), "1", false),
        ("the workflow", when(&|when| when.workflows = vec!["change".parse().unwrap()]), "1", true),
        (
            "another workflow",
            when(&|when| when.workflows = vec!["artifact".parse().unwrap()]),
            "1",
            false,
        ),
        ("the runner", when(&|when| when.runners = vec!["sql".parse().unwrap()]), "1", true),
        (
            "another runner",
            when(&|when| when.runners = vec!["deploy".parse().unwrap()]),
            "1",
            false,
        ),
        ("high risk", when(&|when| when.risk = Some(Risk::High)), "\"risky\"", true),
        ("low risk", when(&|when| when.risk = Some(Risk::High)), "1", false),
        ("more than medium", when(&|when| when.risk = Some(Risk::Medium)), "\"risky\"", true),
        ("a finding", when(&|when| when.findings = vec![code("scripted.look")]), "\"look\"", true),
        ("no finding", when(&|when| when.findings = vec![code("scripted.look")]), "1", false),
        ("another finding", when(&|when| when.findings = vec![code("other")]), "\"look\"", false),
        (
            "one of two",
            when(&|when| when.findings = vec![code("other"), FindingIs::Level(Level::Info)]),
            "\"look\"",
            true,
        ),
        (
            "an error",
            when(&|when| when.findings = vec![FindingIs::Level(Level::Error)]),
            "\"look\"",
            false,
        ),
        (
            "all of it",
            when(&|when| (when.modules, when.risk) = (vec![world.pagos], Some(Risk::High))),
            "1",
            false,
        ),
    ];
    for (name, when, payload, fits) in cases {
        let id = rule(&house, 1, when, Quorum::n_of(1, None).unwrap()).unwrap();
        assert_eq!(ruled(&house, payload), fits.then_some(id), "{name}");
        world.gate.manage(&root, &RemoveRule { project: world.project, rule: id }).unwrap();
    }
    // The first that fits decides, whatever was written first.
    let risky = when(&|when| when.risk = Some(Risk::High));
    let all = rule(&house, 20, Conditions::default(), Quorum::n_of(2, None).unwrap()).unwrap();
    let first = rule(&house, 10, risky, Quorum::n_of(3, None).unwrap()).unwrap();
    assert_eq!((ruled(&house, "\"risky\""), ruled(&house, "1")), (Some(first), Some(all)));
    let listed = world.gate.organisation(&root, world.project).unwrap().quorum_rules;
    assert!(listed.iter().map(|rule| rule.id).eq([first, all]));
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_rule_names_what_there_is_or_writes_nothing() {
    let house = House::new();
    let (world, root, project) = (&house.world, house.world.caller("root"), house.world.project);
    let one = || Quorum::n_of(1, None).unwrap();
    let of = |group: Group| {
        let need = Need::NOf { n: 1, of: vec![group] };
        Quorum::new(
            vec![Stage::new("x".parse().unwrap(), need)],
            Order::Sequence,
            Exclude::default(),
        )
        .unwrap()
    };
    let unknown = [
        Group::ProjectRole(RoleId::from_u128(7777)),
        Group::Team(TeamId::from_u128(7777)),
        Group::TeamRole { team: Some(TeamId::from_u128(7777)), role: TeamRole::Member },
        Group::Person(UserId::from_u128(7777)),
    ];
    let before = world.bench.parts.store.log_len().unwrap();
    for group in unknown {
        let error = house.asks(of(group)).unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{group:?}: {error}");
        let error = rule(&house, 1, Conditions::default(), of(group)).unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{group:?}: {error}");
    }
    let mut when = Conditions::default();
    when.modules = vec![ModuleId::from_u128(7777)];
    assert_eq!(rule(&house, 1, when, one()).unwrap_err().code(), Code::NotFound);
    let long = "x".repeat(10 << 20);
    for code in ["", "a b", "line\nbreak", "\u{202e}txt", long.as_str()] {
        let mut when = Conditions::default();
        when.findings = vec![FindingIs::Code(code.to_owned())];
        assert_eq!(rule(&house, 1, when, one()).unwrap_err().code(), Code::InvalidInput);
    }
    let mut when = Conditions::default();
    when.modules = vec![world.pagos; 33];
    assert_eq!(rule(&house, 1, when, one()).unwrap_err().code(), Code::TooLarge);
    let gone = RemoveRule { project, rule: RuleId::from_u128(7777) };
    assert_eq!(world.gate.manage(&root, &gone).unwrap_err().code(), Code::NotFound);
    assert_eq!(world.bench.parts.store.log_len().unwrap(), before, "nothing is written");

    // What a rule names stays.
    let mut when = Conditions::default();
    (when.modules, when.environments) = (vec![world.logistica], vec![world.prod]);
    let name = "idle".parse().unwrap();
    let team = world.gate.manage(&root, &CreateTeam { project, name }).unwrap();
    let name = "Idle".parse().unwrap();
    let role = world.gate.manage(&root, &CreateRole { project, name }).unwrap();
    let groups = vec![Group::Team(team), Group::ProjectRole(role), Group::Anyone];
    let need = Need::NOf { n: 1, of: groups };
    let quorum = Quorum::new(
        vec![Stage::new("x".parse().unwrap(), need)],
        Order::Sequence,
        Exclude::default(),
    )
    .unwrap();
    let id = rule(&house, 1, when, quorum).unwrap();
    let taken = rule(&house, 1, Conditions::default(), one()).unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists);
    let code = |error: Result<(), Error>| error.unwrap_err().code();
    assert_eq!(code(world.gate.manage(&root, &RemoveTeam { project, team })), Code::InUse);
    assert_eq!(code(world.gate.manage(&root, &RemoveRole { project, role })), Code::InUse);
    let module = world.logistica;
    assert_eq!(code(world.gate.manage(&root, &RemoveModule { project, module })), Code::InUse);
    let environment = world.prod;
    let remove = RemoveEnvironment { project, environment };
    assert_eq!(code(world.gate.manage(&root, &remove)), Code::InUse);
    world.gate.manage(&root, &RemoveRule { project, rule: id }).unwrap();
    world.gate.manage(&root, &RemoveTeam { project, team }).unwrap();
    world.gate.manage(&root, &RemoveRole { project, role }).unwrap();
    world.gate.manage(&root, &remove).unwrap();
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_membership_that_ends_takes_its_approval_along() {
    let house = House::new();
    let (world, root, project) = (&house.world, house.world.caller("root"), house.world.project);
    let team = Need::NOf { n: 1, of: vec![Group::Team(house.platform)] };
    house.asks_in_stages(&[("platform", team)], Order::Sequence);
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve lee"] {
        world.step(&mut id, step).unwrap();
    }
    // lee may approve by another team from now on, and is not in that one any more.
    let (user, valid, role) =
        (world.people["lee"], Interval::starting(world.now()), TeamRole::Member);
    let add = AddMember { project, team: world.checkout, user, role, valid };
    world.gate.manage(&root, &add).unwrap();
    let held = world.gate.organisation(&root, project).unwrap().memberships;
    let row = held.iter().find(|row| row.user_id == user && row.team_id == house.platform).unwrap();
    world.bench.clock.advance_ms(1);
    let end = EndMembership { project, membership: row.id, at: None };
    world.gate.manage(&root, &end).unwrap();
    let error = world.gate.execute(&world.caller("bo"), id.unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::Refused, "{error}");
}
