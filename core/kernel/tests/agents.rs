//! Agents: programs that act by themselves. They draft, and are seen as what they are; they approve nothing.

use placet_core::audit::EventFormat;
use placet_core::error::{Code, Error};
use placet_core::gate::{Erasure, Finding};
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::command::{
    AllowRole, AssignRole, CreatePermission, CreateProject, CreateTeam, GrantGlobalRole,
};
use placet_core::org::{GlobalRole, Interval};
use placet_core::request::{StateName, ThreadPlace};
use placet_core::runner::{Failure, Outcome, Report};
use placet_core::testing::Seen;

use crate::world::World;

/// A world in which the robot holds every role of the project: all actions everywhere.
fn with_a_mighty_robot() -> World {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let command = CreatePermission {
        project,
        module: None,
        environment: None,
        action: "manage".parse().unwrap(),
    };
    let permission = gate.manage(&root, &command).unwrap();
    gate.manage(&root, &AllowRole { project, role: world.lead, permission }).unwrap();
    world
}

fn code<T>(answer: Result<T, Error>) -> Option<Code> {
    answer.err().map(|error| error.code())
}

#[test]
fn whoever_an_agent_writes_for_does_not_approve_it() {
    let world = World::new();
    let (gate, robot, ana) = (&world.gate, world.caller("robot"), world.caller("ana"));
    let for_bo = robot.on_behalf_of(world.people["bo"]);
    let new = world.new_request(world.dev);
    let other = world.change(r#"{"sql":"SELECT 2"}"#);
    let drafted = gate.draft(&for_bo, &new).unwrap().header.id;
    let edited = gate.draft(&ana, &new).unwrap().header.id;
    gate.edit(&for_bo, edited, "again", &other).unwrap();
    let handed_in = gate.draft(&ana, &new).unwrap().header.id;
    gate.plan(&ana, handed_in).unwrap();
    gate.submit(&for_bo, handed_in).unwrap();
    for id in [drafted, edited] {
        gate.submit(&robot, id).unwrap();
    }
    for id in [drafted, edited, handed_in] {
        let (bo, cy, digest) = (world.caller("bo"), world.caller("cy"), world.digest(id));
        assert_eq!(code(gate.approve(&bo, id, digest, None)), Some(Code::Refused));
        let header = world.look(id).header;
        assert!(header.editors.contains(&bo.user()) && header.principals.contains(&bo.user()));
        assert_eq!(code(gate.approve(&cy, id, digest, None)), None);
    }
    let first = gate.history(&ana, drafted).unwrap().remove(0);
    assert_eq!((first.actor, first.on_behalf_of), (Some(robot.user()), for_bo.principal()));
}

#[test]
fn an_agent_with_every_role_drafts_and_runs_and_never_approves_or_rules() {
    let world = with_a_mighty_robot();
    let (gate, robot, project) = (&world.gate, world.caller("robot"), world.project);
    let (root, person) = (world.caller("root"), world.people["eve"]);
    let request = |state: StateName| -> RequestId {
        let mut id = None;
        world.step(&mut id, "draft ana dev").unwrap();
        for (reached, step) in
            [(StateName::PendingApproval, "submit ana"), (StateName::Approved, "approve bo")]
        {
            if state >= reached {
                world.step(&mut id, step).unwrap();
            }
        }
        id.unwrap()
    };

    // What it never does, whatever it holds, and on behalf of whomever.
    for robot in [robot, robot.on_behalf_of(world.people["bo"])] {
        let pending = request(StateName::PendingApproval);
        let digest = world.digest(pending);
        assert_eq!(code(gate.approve(&robot, pending, digest, None)), Some(Code::Denied));
        assert_eq!(code(gate.reject(&robot, pending, "no")), Some(Code::Denied));
        assert_eq!(code(gate.request_changes(&robot, pending, "no")), Some(Code::Denied));
        assert_eq!(code(gate.cancel(&robot, pending, None)), Some(Code::Refused));
        let team = CreateTeam { project, name: "Robots".parse().unwrap() };
        assert_eq!(code(gate.manage(&robot, &team)), Some(Code::Denied));
        let (role, valid) = (world.lead, Interval::starting(world.now()));
        let grant = AssignRole { project, user: person, role, valid };
        assert_eq!(code(gate.manage(&robot, &grant)), Some(Code::Denied));
        let bank = CreateProject { code: "bank".parse().unwrap(), name: "Bank".parse().unwrap() };
        assert_eq!(code(gate.administer(&robot, &bank)), Some(Code::Denied));
        let set = gate.policy_set().unwrap();
        assert_eq!(code(gate.adopt_policies(&robot, set)), Some(Code::Denied));
        let erased = gate.erase(&robot, Erasure::Comment { request: pending, number: 0 });
        assert_eq!(code(erased), Some(Code::Denied));
        gate.open_thread(&world.caller("bo"), pending, ThreadPlace::Request, "who pays?").unwrap();
        assert_eq!(code(gate.resolve_thread(&robot, pending, 0)), Some(Code::Refused));
        assert_eq!(world.look(pending).state.name(), StateName::PendingApproval);

        let approved = request(StateName::Approved);
        world.bench.runner.ends_with(Outcome::Unknown(Failure::new("timeout", "lost")));
        gate.drive(gate.execute(&world.caller("bo"), approved).unwrap(), &Seen::default()).unwrap();
        world.bench.runner.reads(Outcome::Unknown(Failure::new("gone", "nobody can tell")));
        let word = gate.reconcile(&robot, approved, Finding::Done, "I looked");
        assert_eq!(code(word), Some(Code::Refused));
        let bo = world.caller("bo");
        gate.reconcile(&bo, approved, Finding::Done, "looked at it").unwrap();
    }
    // Not even another administrator makes it one.
    let crown = GrantGlobalRole { user: robot.user(), role: GlobalRole::PlatformAdmin };
    assert_eq!(code(gate.administer(&root, &crown)), Some(Code::Refused));

    // What it does: it writes, asks, and runs what people agreed to, where it was given the right.
    let own = gate.draft(&robot, &world.new_request(world.dev)).unwrap().header.id;
    gate.plan(&robot, own).unwrap();
    gate.submit(&robot, own).unwrap();
    gate.comment(&robot, own, "made from ticket 7").unwrap();
    gate.open_thread(&robot, own, ThreadPlace::Step(1), "is there an index?").unwrap();
    gate.resolve_thread(&robot, own, 0).unwrap();
    let digest = world.digest(own);
    assert_eq!(code(gate.approve(&robot, own, digest, None)), Some(Code::Denied));
    gate.approve(&world.caller("bo"), own, digest, None).unwrap();
    world.bench.runner.ends_with(Outcome::Succeeded(Report::default()));
    let done = gate.drive(gate.execute(&robot, own).unwrap(), &Seen::default()).unwrap();
    assert_eq!(done.state.name(), StateName::Succeeded);
}

#[test]
fn an_agent_is_seen_as_one_wherever_it_acted() {
    let world = World::new();
    let (gate, robot, bo) = (&world.gate, world.caller("robot"), world.caller("bo"));
    let own = gate.draft(&robot, &world.new_request(world.dev)).unwrap().header.id;
    gate.submit(&robot, own).unwrap();
    gate.approve(&bo, own, world.digest(own), None).unwrap();
    gate.drive(gate.execute(&robot, own).unwrap(), &Seen::default()).unwrap();
    let denied = gate.reject(&robot, own, "no").unwrap_err();
    assert_eq!(denied.code(), Code::Denied);

    let view = gate.view(&bo, own).unwrap();
    assert!(view.header.agents.contains(&robot.user()));
    assert!(view.runs[0].by_agent);
    let mut list = gate.requests(&bo, world.project, None).unwrap().items;
    assert!(list.pop().unwrap().by_agent);
    for step in gate.history(&bo, own).unwrap() {
        assert_eq!(step.by_agent, step.actor == Some(robot.user()), "{step:?}");
    }
    let trail = gate.trail(&bo, own).unwrap();
    assert!(trail.len() >= 6);
    for (index, leaf) in &trail {
        assert_eq!(leaf.by_agent, leaf.actor == Some(robot.user()), "{leaf:?}");
        let told = |format: &EventFormat| format.write(*index, leaf, gate.origin()).unwrap();
        let says = [
            (EventFormat::Cef, "flexString1=agent"),
            (EventFormat::Ocsf, "\"type\":\"Agent\""),
            (EventFormat::Ndjson, "\"by_agent\":true"),
            (EventFormat::CloudEvents, "\"by_agent\":true"),
        ];
        for (format, words) in says {
            assert_eq!(told(&format).contains(words), leaf.by_agent, "{}", told(&format));
        }
    }
    let mut page = String::new();
    gate.evidence(&bo, own, |path, bytes| {
        if path == "report.html" {
            page = String::from_utf8(bytes.to_vec()).unwrap();
        }
        Ok(())
    })
    .unwrap();
    assert!(page.contains(&format!("{}, an agent", robot.user())));
    assert!(page.contains("\nan agent"));
}

#[test]
fn one_word_of_an_agent_in_a_persons_request_is_seen_too() {
    let (world, mut id) = (World::new(), None);
    world.step(&mut id, "draft ana dev").unwrap();
    let id = id.unwrap();
    assert!(world.look(id).header.agents.is_empty());
    let robot: Caller = world.caller("robot");
    world.gate.edit(&robot, id, "again", &world.change("1")).unwrap();
    let header = world.look(id).header;
    assert!(header.agents.iter().eq([&robot.user()]));
    let list = world.gate.requests(&world.caller("ana"), world.project, None).unwrap().items;
    assert!(!list[0].by_agent, "a person asked for it");
}
