//! Commands of the organisation that need approval themselves.

use std::collections::BTreeSet;
use std::sync::Arc;

use placet_core::error::Code;
use placet_core::gate::Gate;
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::command::{
    AddMember, AdoptPolicies, AssignRole, CommandKind, CreateEnvironment, CreateRole, CreateTeam,
    CreateUser, EndGrant, GrantGlobalRole, OrgCommand, RemoveModule, RemoveRole, RenameTeam,
    SetGovernance, SetPlatformGovernance, SetQuorum, SetUserActive, SetWorkflow,
};
use placet_core::org::{Criticality, GlobalRole, Interval, TeamRole, UserKind};
use placet_core::request::{Quorum, Request, State, StateName};
use placet_core::runner::Outcome;
use placet_core::store::{MemoryStore, Store as _};
use placet_core::testing::{Bench, FailingStore, Failure, Office, Seen};
use placet_core::workflow::Definition;

use crate::world::assert_invariants;

struct Ground {
    store: Arc<MemoryStore>,
    gate: Gate,
    office: Office,
}

/// An office in which Ana asks, Bo approves and runs, both manage, and `commands` need approval.
fn governed(commands: &[CommandKind]) -> Ground {
    let store = Arc::new(MemoryStore::default());
    let gate = Gate::new(Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap().parts);
    let office = Office::found(&gate).unwrap();
    office.let_all_manage(&gate).unwrap();
    let ground = Ground { store, gate, office };
    ground.gate.manage(&office.root, &ground.governance(commands)).unwrap();
    ground
}

impl Ground {
    fn governance(&self, commands: &[CommandKind]) -> SetGovernance {
        let Office { project, module, environment, .. } = self.office;
        SetGovernance { project, module, environment, commands: commands.iter().copied().collect() }
    }

    fn team(&self, name: &str) -> CreateTeam {
        CreateTeam { project: self.office.project, name: name.parse().unwrap() }
    }

    fn proposed(&self, command: impl Into<OrgCommand>) -> RequestId {
        let asked = self.gate.propose(&self.office.ana, &command.into(), "a command").unwrap();
        self.gate.submit(&self.office.ana, asked.header.id).unwrap().header.id
    }

    fn approved(&self, command: impl Into<OrgCommand>) -> RequestId {
        let id = self.proposed(command);
        let digest = self.gate.view(&self.office.ana, id).unwrap().digest.unwrap();
        self.gate.approve(&self.office.bo, id, digest, None).unwrap();
        id
    }

    fn run(&self, by: &Caller, id: RequestId) -> Request {
        let ticket = self.gate.execute(by, id).unwrap();
        self.gate.drive(ticket, &Seen::default()).unwrap()
    }

    fn teams(&self) -> usize {
        self.gate.organisation(&self.office.root, self.office.project).unwrap().teams.len()
    }
}

fn failure(request: &Request) -> String {
    let State::Failed(failed) = &request.state else { panic!("{:?}", request.state) };
    let Outcome::Failed(failure) = &failed.ended.outcome else { panic!() };
    failure.code.clone()
}

#[test]
fn nobody_does_alone_what_needs_approval_and_nothing_is_written() {
    let ground = governed(&[CommandKind::CreateTeam]);
    let (gate, office) = (&ground.gate, ground.office);
    let before = ground.store.log_len().unwrap();
    for by in [&office.root, &office.ana, &office.bo] {
        let error = gate.manage(by, &ground.team("Storage")).unwrap_err();
        assert_eq!(error.code(), Code::ApprovalRequired);
        assert!(error.help().is_some());
        assert_eq!(error.details()["command"], "create_team");
        // Loosening it is governed when anything is; and so is making it stricter.
        for commands in [&[][..], &[CommandKind::CreateTeam, CommandKind::SetQuorum]] {
            let error = gate.manage(by, &ground.governance(commands)).unwrap_err();
            assert_eq!(error.code(), Code::ApprovalRequired);
        }
    }
    assert_eq!(ground.store.log_len().unwrap(), before);
    // What is not governed goes on as before, and is not proposed.
    let (project, environment) = (office.project, office.environment);
    let quorum = SetQuorum { project, environment, quorum: Quorum::default() };
    gate.manage(&office.ana, &quorum).unwrap();
    let error = gate.propose(&office.ana, &quorum.into(), "why not").unwrap_err();
    assert_eq!(error.code(), Code::Refused);
}

#[test]
fn a_command_that_was_approved_is_carried_out_in_one_commit() {
    let ground = governed(&[CommandKind::CreateTeam]);
    let (gate, office) = (&ground.gate, ground.office);
    let id = ground.approved(ground.team("Storage"));
    assert_eq!(gate.execute(&office.ana, id).unwrap_err().code(), Code::Denied, "she runs nothing");
    assert_eq!(ground.teams(), 1);
    let before = ground.store.log_len().unwrap();
    let done = ground.run(&office.bo, id);
    assert_eq!(ground.store.log_len().unwrap(), before + 1, "one leaf");
    assert_eq!((done.state.name(), ground.teams()), (StateName::Succeeded, 2));
    assert_eq!(gate.execute(&office.bo, id).unwrap_err().code(), Code::WrongState);
    // How it ended is known: there is nothing to read.
    assert_eq!(gate.verify(&office.bo, id).unwrap_err().code(), Code::WrongState);
    let (_, leaf) = gate.trail(&office.ana, id).unwrap().pop().unwrap();
    assert_eq!(
        (leaf.event.as_str(), leaf.facts["command"].as_str()),
        ("run.applied", "create_team")
    );
    assert_eq!(leaf.outcome.as_deref(), Some("succeeded"));
    assert!(leaf.facts.contains_key("team"));
    let judged: Vec<&str> = leaf.decisions.iter().map(|one| one.action.as_str()).collect();
    assert_eq!(judged, ["execute", "approve", "manage", "manage"]);
    let steps = gate.history(&office.ana, id).unwrap();
    let actions: Vec<&str> = steps.iter().map(|step| step.action.as_str()).collect();
    assert_eq!(actions, ["DRAFT", "PLAN", "SUBMIT", "APPROVE", "EXECUTE", "FINISH"]);
    assert_invariants(&*ground.store);
    gate.evidence(&office.ana, id, |_path, _bytes| Ok(())).unwrap();
}

#[test]
fn a_rule_that_refuses_ends_it_as_failed_and_nothing_is_applied() {
    let ground = governed(&[CommandKind::CreateTeam]);
    let (gate, office) = (&ground.gate, ground.office);
    let id = ground.approved(ground.team("Storage"));
    // Another team has that name by now.
    let team = gate.organisation(&office.root, office.project).unwrap().teams[0].id;
    let (project, name) = (office.project, "Storage".parse().unwrap());
    gate.manage(&office.root, &RenameTeam { project, team, name }).unwrap();
    let ended = ground.run(&office.bo, id);
    assert_eq!((failure(&ended).as_str(), ground.teams()), ("already_exists", 1));
    assert_invariants(&*ground.store);
}

#[test]
fn nobody_who_is_involved_gains_what_they_could_not_give_themselves() {
    let ground = governed(&[CommandKind::AssignRole]);
    let (gate, office) = (&ground.gate, ground.office);
    let shop = gate.organisation(&office.root, office.project).unwrap();
    let role = |name: &str| shop.roles.iter().find(|role| role.name.as_str() == name).unwrap().id;
    let grant = |user, name| {
        let role = role(name);
        let valid = Interval::starting(gate.now());
        AssignRole { project: office.project, user, role, valid }
    };
    // Not its author ...
    let own = gate.propose(&office.ana, &grant(office.ana.user(), "bo").into(), "for me");
    assert_eq!(own.unwrap_err().code(), Code::Refused);
    // ... and not who approves or runs it.
    let ended = ground.run(&office.bo, ground.approved(grant(office.bo.user(), "ana")));
    assert_eq!(failure(&ended), "refused");
    let ended = ground.run(&office.bo, ground.approved(grant(office.root.user(), "ana")));
    assert_eq!(ended.state.name(), StateName::Succeeded);
    assert_invariants(&*ground.store);
}

#[test]
fn a_workflow_that_is_unsound_by_now_ends_as_failed_and_not_as_an_error() {
    let ground = governed(&[CommandKind::SetWorkflow]);
    let (gate, office) = (&ground.gate, ground.office);
    let project = office.project;
    let lawyer = CreateRole { project, name: "Lawyer".parse().unwrap() };
    let role = gate.manage(&office.root, &lawyer).unwrap();
    let mut definition =
        Definition { name: "purchase".parse().unwrap(), version: 0, ..Definition::change() };
    definition.transitions[0].roles.insert("Lawyer".parse().unwrap());
    let id = ground.approved(SetWorkflow { project, definition });
    gate.manage(&office.root, &RemoveRole { project, role }).unwrap();
    let ended = ground.run(&office.bo, id);
    assert_eq!(failure(&ended), "unsound_workflow");
    assert_invariants(&*ground.store);
}

#[test]
fn whoever_lost_the_right_to_it_asks_in_vain() {
    let ground = governed(&[CommandKind::CreateTeam]);
    let (gate, office) = (&ground.gate, ground.office);
    let id = ground.approved(ground.team("Storage"));
    let shop = gate.organisation(&office.root, office.project).unwrap();
    let held = shop.grants.iter().find(|grant| grant.user_id == office.ana.user()).unwrap().id;
    gate.manage(&office.root, &EndGrant { project: office.project, grant: held, at: None })
        .unwrap();
    assert_eq!(gate.execute(&office.bo, id).unwrap_err().code(), Code::Refused);
    assert_eq!(ground.teams(), 1);
}

#[test]
fn there_is_no_other_way_to_write_such_a_request() {
    let ground = governed(&[CommandKind::CreateTeam]);
    let (gate, office) = (&ground.gate, ground.office);
    let payload = OrgCommand::from(ground.team("Storage")).to_payload().unwrap();
    let mut change = office.change(&payload).unwrap();
    let honest = gate.draft(&office.ana, &office.request(change.clone())).unwrap().header.id;
    change.runner = "placet".parse().unwrap();
    let drafted = gate.draft(&office.ana, &office.request(change.clone()));
    assert_eq!(drafted.unwrap_err().code(), Code::InvalidInput);
    let edited = gate.edit(&office.ana, honest, "a change", &change);
    assert_eq!(edited.unwrap_err().code(), Code::InvalidInput);

    let id = ground.approved(ground.team("Storage"));
    let view = gate.view(&office.ana, id).unwrap();
    let other = office.change("1").unwrap();
    assert_eq!(gate.edit(&office.ana, id, "x", &other).unwrap_err().code(), Code::InvalidInput);
    // Another command is another revision, and nobody agreed to it; blanks are not one.
    let mut next = view.change;
    next.payload = next.payload.replace(':', ": ");
    assert_eq!(gate.edit(&office.ana, id, "x", &next).unwrap_err().code(), Code::InvalidPayload);
    next.payload = OrgCommand::from(ground.team("Stock")).to_payload().unwrap();
    // Nor is it a batch: what was approved once is carried out once.
    let mut twice = next.clone();
    twice.then = vec!["organisation-2".parse().unwrap()];
    let batch = gate.edit(&office.ana, id, "twice", &twice).unwrap_err();
    assert_eq!(batch.code(), Code::InvalidInput);
    let edited = gate.edit(&office.ana, id, "another name", &next).unwrap();
    assert_eq!((edited.header.revision, edited.state.name()), (2, StateName::Draft));
    assert_eq!(gate.execute(&office.bo, id).unwrap_err().code(), Code::WrongState);
    for bad in ["null", "{}", r#"{"command":"create_team"}"#, r#"{"command":"x","with":{}}"#] {
        next.payload = bad.to_owned();
        let refused = gate.edit(&office.ana, id, "x", &next).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidPayload, "{bad}");
    }
}

#[test]
fn what_was_approved_elsewhere_is_not_carried_out() {
    let ground = governed(&[CommandKind::CreateTeam]);
    let (gate, office) = (&ground.gate, ground.office);
    let waiting = ground.approved(ground.team("Storage"));
    let project = office.project;
    let (code, name) = ("prod".parse().unwrap(), "Production".parse().unwrap());
    let criticality = Criticality::Critical;
    let prod = CreateEnvironment { project, code, name, priority: 2, criticality };
    let environment = gate.manage(&office.root, &prod).unwrap();
    let stricter = SetGovernance { environment, ..ground.governance(&[CommandKind::CreateTeam]) };
    let moved = ground.run(&office.bo, ground.approved(stricter));
    assert_eq!(moved.state.name(), StateName::Succeeded);
    assert_eq!(gate.execute(&office.bo, waiting).unwrap_err().code(), Code::Refused);
    assert_eq!(ground.teams(), 1);
    // The place in which commands are reviewed stays.
    let removed = gate.manage(&office.root, &RemoveModule { project, module: office.module });
    assert_eq!(removed.unwrap_err().code(), Code::InUse);
}

#[test]
fn a_governance_that_would_lock_everybody_out_is_refused_and_one_that_does_is_lifted_by_the_host() {
    let (gate, office) = Office::in_memory().unwrap();
    let Office { project, module, environment, .. } = office;
    let commands = BTreeSet::from([CommandKind::SetQuorum]);
    let command = SetGovernance { project, module, environment, commands };
    // Nobody but root manages, and root has no right to ask or run there.
    let locked = gate.manage(&office.root, &command).unwrap_err();
    assert_eq!(locked.code(), Code::QuorumUnsatisfiable);
    office.let_all_manage(&gate).unwrap();
    gate.manage(&office.root, &command).unwrap();
    assert_eq!(gate.lift_governance(None).unwrap_err().code(), Code::NotFound);
    assert_eq!(gate.lift_governance(Some(project)).unwrap_err().code(), Code::WrongState);
    let gone = SetUserActive { user: office.ana.user(), active: false };
    gate.administer(&office.root, &gone).unwrap();
    gate.lift_governance(Some(project)).unwrap();
    let (_, leaf) = gate.audit(&office.root, 0).unwrap().pop().unwrap();
    assert_eq!((leaf.event.as_str(), leaf.actor), ("governance.lifted", None));
    let quorum = SetQuorum { project, environment, quorum: Quorum::default() };
    gate.manage(&office.root, &quorum).unwrap();
}

#[test]
fn a_governance_is_not_lifted_as_long_as_nobody_can_tell_who_is_locked_out() {
    let ground = governed(&[CommandKind::SetQuorum]);
    let (office, project) = (ground.office, ground.office.project);
    let kept: Arc<MemoryStore> = ground.store;
    let log = kept.log_len().unwrap();
    let bench = Bench::on(Arc::<MemoryStore>::clone(&kept)).unwrap();
    let gate = Gate::new(bench.parts);
    // Policies that fail let nobody in: that is no reason to let everybody.
    bench.authorizer.answer_with(Err(Code::Internal));
    let error = gate.lift_governance(Some(project)).unwrap_err();
    assert_eq!(error.code(), Code::WrongState);
    assert!(error.to_string().starts_with("nobody can tell"), "{error}");
    // Nor is a store that fails, at whichever of its calls.
    for nth in 1.. {
        let inner = Arc::<MemoryStore>::clone(&kept);
        let store = Arc::new(FailingStore::new(inner, nth, Failure::BeforeApplied));
        let gate = Gate::new(Bench::on(Arc::<FailingStore>::clone(&store)).unwrap().parts);
        let error = gate.lift_governance(Some(project)).unwrap_err();
        assert_eq!(kept.log_len().unwrap(), log, "call {nth}: {error}");
        if !store.failed() {
            assert_eq!(error.code(), Code::WrongState);
            assert!(nth > 3, "{nth}");
            break;
        }
    }
    let shop = ground.gate.organisation(&office.root, project).unwrap();
    assert!(shop.governance.is_some());
}

#[test]
fn the_platform_and_its_policies_are_governed_in_a_project_that_is() {
    let ground = governed(CommandKind::RIGHTS);
    let (gate, office) = (&ground.gate, ground.office);
    let Office { project, module, environment, .. } = office;
    for by in [&office.ana, &office.bo] {
        let grant = GrantGlobalRole { user: by.user(), role: GlobalRole::PlatformAdmin };
        gate.administer(&office.root, &grant).unwrap();
    }
    let commands = BTreeSet::from([CommandKind::SetUserActive, CommandKind::AdoptPolicies]);
    let command = SetPlatformGovernance { project, module, environment, commands };
    let wrong = BTreeSet::from([CommandKind::SetQuorum]);
    let level =
        gate.administer(&office.root, &SetPlatformGovernance { commands: wrong, ..command });
    assert_eq!(level.unwrap_err().code(), Code::InvalidInput);
    gate.administer(&office.root, &command).unwrap();
    assert!(gate.platform_governance(&office.root).unwrap().is_some());

    let stop = SetUserActive { user: office.root.user(), active: false };
    assert_eq!(gate.administer(&office.ana, &stop).unwrap_err().code(), Code::ApprovalRequired);
    let digest = gate.policy_set().unwrap();
    let adopted = gate.adopt_policies(&office.root, digest).unwrap_err();
    assert_eq!(adopted.code(), Code::ApprovalRequired);
    let loosened = SetPlatformGovernance { commands: BTreeSet::new(), ..command };
    let loosened = gate.administer(&office.root, &loosened).unwrap_err();
    assert_eq!(loosened.code(), Code::ApprovalRequired);

    let ended = ground.run(&office.bo, ground.approved(AdoptPolicies { digest }));
    assert_eq!(ended.state.name(), StateName::Succeeded);
    let ended = ground.run(&office.bo, ground.approved(stop));
    assert_eq!(ended.state.name(), StateName::Succeeded);
    let users = gate.users(&office.ana, None).unwrap().items;
    assert!(users.iter().any(|user| user.id == office.root.user() && !user.is_active));
    assert_invariants(&*ground.store);
}

#[test]
fn nobody_names_the_approvers_of_the_platform_more_easily_than_the_platform_is_changed() {
    let ground = governed(CommandKind::RIGHTS);
    let (gate, office) = (&ground.gate, ground.office);
    let Office { project, module, environment, .. } = office;
    for by in [&office.ana, &office.bo] {
        let grant = GrantGlobalRole { user: by.user(), role: GlobalRole::PlatformAdmin };
        gate.administer(&office.root, &grant).unwrap();
    }
    let (code, name) = ("prod".parse().unwrap(), "Production".parse().unwrap());
    let criticality = Criticality::Critical;
    let prod = CreateEnvironment { project, code, name, priority: 2, criticality };
    let elsewhere = gate.manage(&office.root, &prod).unwrap();
    let commands = BTreeSet::from([CommandKind::GrantGlobalRole]);
    let command = SetPlatformGovernance { project, module, environment: elsewhere, commands };
    // The project is reviewed in `dev`, where fewer may have to agree.
    assert_eq!(gate.administer(&office.root, &command).unwrap_err().code(), Code::Refused);
    gate.administer(&office.root, &SetPlatformGovernance { environment, ..command }).unwrap();
    // From now on that stays, also where all who are asked agree.
    let fewer = CommandKind::RIGHTS.iter().copied().filter(|it| *it != CommandKind::AddMember);
    let all = ground.governance(CommandKind::RIGHTS);
    for loosened in [
        ground.governance(&[]),
        ground.governance(&[CommandKind::SetQuorum]),
        ground.governance(&fewer.collect::<Vec<_>>()),
        SetGovernance { environment: elsewhere, ..all },
    ] {
        let proposed = gate.propose(&office.ana, &loosened.into(), "more freedom");
        assert_eq!(proposed.unwrap_err().code(), Code::Refused);
    }
    let more = CommandKind::RIGHTS.iter().copied().chain([CommandKind::CreateTeam]);
    let stricter = ground.governance(&more.collect::<Vec<_>>());
    let ended = ground.run(&office.bo, ground.approved(stricter));
    assert_eq!(ended.state.name(), StateName::Succeeded);
    // Where both lock everybody out, the host lifts that of the platform first.
    assert_eq!(gate.lift_governance(Some(project)).unwrap_err().code(), Code::WrongState);
    let gone = SetUserActive { user: office.bo.user(), active: false };
    gate.administer(&office.root, &gone).unwrap();
    assert_eq!(gate.lift_governance(Some(project)).unwrap_err().code(), Code::Refused);
    gate.lift_governance(None).unwrap();
    gate.lift_governance(Some(project)).unwrap();
    assert_invariants(&*ground.store);
}

/// As many more people as `count`, who may all do what Bo may.
fn hire(ground: &Ground, count: usize) -> Vec<Caller> {
    let (gate, office) = (&ground.gate, ground.office);
    let shop = gate.organisation(&office.root, office.project).unwrap();
    let (project, team) = (office.project, shop.teams[0].id);
    let role = shop.roles.iter().find(|role| role.name.as_str() == "bo").unwrap().id;
    let valid = Interval::starting(gate.now());
    let hired = (0..count).map(|number| {
        let email = format!("p{number}@example.org").parse().unwrap();
        let display_name = format!("P {number}").parse().unwrap();
        let new = CreateUser { kind: UserKind::Person, email, display_name };
        let user = gate.administer(&office.root, &new).unwrap();
        let role_there = TeamRole::Member;
        gate.manage(&office.root, &AddMember { project, team, user, role: role_there, valid })
            .unwrap();
        gate.manage(&office.root, &AssignRole { project, user, role, valid }).unwrap();
        Caller::authenticated(user)
    });
    hired.collect()
}

#[test]
fn what_is_too_much_for_one_entry_of_the_log_is_told_before_anybody_agrees() {
    let ground = governed(&[CommandKind::CreateTeam]);
    let (gate, office) = (&ground.gate, ground.office);
    let people = hire(&ground, 16);
    let ask = |count: u8| {
        let quorum = Quorum::n_of(count, None).unwrap();
        let (project, environment) = (office.project, office.environment);
        gate.manage(&office.root, &SetQuorum { project, environment, quorum }).unwrap();
        let command = ground.team(&format!("Storage {count}")).into();
        let id = gate.propose(&office.ana, &command, "a team").unwrap().header.id;
        gate.submit(&office.ana, id)
    };
    let error = ask(16).unwrap_err();
    assert_eq!(error.code(), Code::TooLarge);
    assert!(error.help().is_some());
    // As many as there is room for agree, and it runs.
    let (most, pending) = (1..16).rev().find_map(|most| Some((most, ask(most).ok()?))).unwrap();
    assert!(most >= 8, "{most}");
    let (id, digest) = (pending.header.id, pending.header.change_digest().unwrap());
    for person in people.iter().take(usize::from(most)) {
        gate.approve(person, id, digest, None).unwrap();
    }
    let ended = ground.run(&office.bo, id);
    assert_eq!((ended.state.name(), ground.teams()), (StateName::Succeeded, 2));
    assert_invariants(&*ground.store);
}

#[test]
fn every_kind_of_command_reads_back_by_its_name() {
    for kind in CommandKind::ALL {
        assert_eq!(kind.as_str().parse::<CommandKind>().unwrap(), *kind);
    }
    let names: BTreeSet<&str> = CommandKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(names.len(), CommandKind::ALL.len());
    assert!(CommandKind::RIGHTS.iter().all(|kind| kind.is_of_a_project()));
    // Rules that stop approvals are as much a right as those that ask for them: both can be changed by what removes them.
    for kind in [CommandKind::PutBlockingRule, CommandKind::PutQuorumRule, CommandKind::RemoveRule]
    {
        assert!(CommandKind::RIGHTS.contains(&kind), "{kind}");
    }
    assert!("set_everything".parse::<CommandKind>().is_err());
}
