//! A project's own workflow, from storing it to the end of a request.

use std::collections::BTreeSet;

use placet_core::authz::Action;
use placet_core::error::Code;
use placet_core::gate::Finding;
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_core::org::command::{
    AssignRole, CreateRole, RemoveRole, RetireWorkflow, SetAllowedWorkflows, SetQuorum, SetWorkflow,
};
use placet_core::org::{Interval, Name, Slug};
use placet_core::request::{Quorum, StateName};
use placet_core::runner::{Failure, Outcome, Report};
use placet_core::testing::Seen;
use placet_core::workflow::{
    ActionCode, Definition, Form, Requirement, StateCode, StateDef, Transition, Verb,
};

use crate::policy_stories::{House, replayed};
use crate::world::{World, assert_invariants};

pub(crate) fn code(text: &str) -> StateCode {
    text.parse().unwrap()
}

pub(crate) fn action(text: &str) -> ActionCode {
    text.parse().unwrap()
}

/// `change` with a second look between submitting and approving: somebody passes it on, and says why.
pub(crate) fn two_looks(name: &str) -> Definition {
    let mut definition =
        Definition { name: name.parse().unwrap(), version: 0, ..Definition::change() };
    definition.states.insert(
        1,
        StateDef {
            code: code("WITH_LEGAL"),
            label: "With the lawyers".parse().unwrap(),
            phases: [StateName::PendingApproval].into(),
            edit_to: Some(code("DRAFT")),
            is_syncable: false,
        },
    );
    for way in definition.transitions.iter_mut().filter(|way| way.verb == Verb::Submit) {
        way.to = code("WITH_LEGAL");
    }
    definition.transitions.push(Transition {
        action: action("PASS"),
        verb: Verb::Advance,
        from: code("WITH_LEGAL"),
        to: code("PENDING_APPROVAL"),
        roles: BTreeSet::new(),
        requires: [Requirement::Comment].into(),
    });
    definition
}

/// The same, where it is a lawyer who passes it on, and the request has to be complete.
pub(crate) fn reviewed_twice() -> Definition {
    let mut definition = two_looks("purchase");
    for way in &mut definition.transitions {
        if way.verb == Verb::Submit {
            way.requires.insert(Requirement::Complete);
        } else if way.verb == Verb::Advance {
            way.roles = ["Lawyer".parse().unwrap()].into();
        }
    }
    definition.form = Some(Form::parse(r#"{"required": ["sql"]}"#).unwrap());
    definition
}

/// The world, in which Cy is a lawyer, with the workflow stored.
fn purchasing() -> World {
    let world = World::new();
    let root = world.caller("root");
    let project = world.project;
    let name = "Lawyer".parse().unwrap();
    let role = world.gate.manage(&root, &CreateRole { project, name }).unwrap();
    let (user, valid) = (world.people["cy"], Interval::starting(world.now()));
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    let command = SetWorkflow { project, definition: reviewed_twice() };
    assert_eq!(world.gate.manage(&root, &command).unwrap(), 1);
    world
}

fn draft(world: &World, by: &Caller) -> RequestId {
    let new = world.new_request(world.dev);
    world.gate.draft_in(by, &new, &"purchase".parse().unwrap()).unwrap().header.id
}

fn step(world: &World, id: RequestId) -> String {
    world.look(id).header.step.to_string()
}

#[test]
fn a_request_goes_through_the_states_of_its_own_workflow() {
    let world = purchasing();
    let (gate, ana, bo, cy) =
        (&world.gate, world.caller("ana"), world.caller("bo"), world.caller("cy"));
    let id = draft(&world, &ana);
    assert_eq!((step(&world, id), world.look(id).header.workflow_version), ("DRAFT".to_owned(), 1));
    gate.submit(&ana, id).unwrap();
    assert_eq!(step(&world, id), "WITH_LEGAL");

    // There is no way to approve there, whoever asks.
    let early = gate.approve(&bo, id, world.digest(id), None).unwrap_err();
    assert_eq!((early.code(), early.details()["step"].as_str()), (Code::WrongState, "WITH_LEGAL"));
    assert_eq!(early.help(), Some("from here lead: PASS"));

    // Passing it on takes the role, a comment, and the right to approve, and the panel says so.
    let shown = |by: &Caller| {
        let mut offers = gate.actions(by, id).unwrap().offers.into_iter();
        let offer = offers.find(|offer| offer.action == action("PASS")).unwrap();
        offer.refusal.map(|why| why.code())
    };
    assert_eq!([&ana, &bo, &cy].map(shown), [Some(Code::Denied), Some(Code::Refused), None]);
    let pass = |by: &Caller, comment| gate.advance(by, id, &action("PASS"), comment);
    assert_eq!(pass(&bo, Some("fine")).unwrap_err().code(), Code::Refused);
    assert_eq!(pass(&cy, None).unwrap_err().code(), Code::InvalidInput);
    assert_eq!(pass(&cy, Some(" ")).unwrap_err().code(), Code::InvalidInput);
    assert_eq!(pass(&ana, Some("fine")).unwrap_err().code(), Code::Denied);
    let passed = pass(&cy, Some("the terms are ours")).unwrap();
    assert_eq!(
        (passed.header.step, passed.state.name()),
        (code("PENDING_APPROVAL"), StateName::PendingApproval)
    );
    assert_eq!(pass(&cy, Some("again")).unwrap_err().code(), Code::WrongState);

    gate.approve(&bo, id, world.digest(id), None).unwrap();
    assert_eq!(step(&world, id), "APPROVED");
    let ticket = gate.execute(&bo, id).unwrap();
    assert_eq!(step(&world, id), "EXECUTING");
    gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(step(&world, id), "SUCCEEDED");

    let history = gate.history(&bo, id).unwrap();
    let told: Vec<&str> = history.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(told, ["DRAFT", "PLAN", "SUBMIT", "PASS", "APPROVE", "EXECUTE", "FINISH"]);
    let trail = gate.trail(&bo, id).unwrap();
    let advanced = trail.iter().find(|(_, leaf)| leaf.event == "request.advanced").unwrap();
    assert_eq!(advanced.1.facts["workflow"], "purchase/1");
    assert_eq!(advanced.1.facts["step"], "PENDING_APPROVAL");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn an_edit_in_any_state_voids_what_was_approved() {
    let world = purchasing();
    let (gate, ana, bo, cy) =
        (&world.gate, world.caller("ana"), world.caller("bo"), world.caller("cy"));
    let id = draft(&world, &ana);
    gate.submit(&ana, id).unwrap();
    gate.advance(&cy, id, &action("PASS"), Some("fine")).unwrap();
    let digest = world.digest(id);
    gate.approve(&bo, id, digest, None).unwrap();
    let edited = gate.edit(&ana, id, "another", &world.change(r#"{"sql":"SELECT 2"}"#)).unwrap();
    assert_eq!((edited.header.step, edited.state.name()), (code("DRAFT"), StateName::Draft));
    assert_eq!(gate.execute(&bo, id).unwrap_err().code(), Code::WrongState);
    gate.submit(&ana, id).unwrap();
    gate.advance(&cy, id, &action("PASS"), Some("fine")).unwrap();
    assert_eq!(gate.approve(&bo, id, digest, None).unwrap_err().code(), Code::DigestMismatch);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_payload_that_does_not_fit_the_form_is_not_submitted() {
    let world = purchasing();
    let (gate, ana) = (&world.gate, world.caller("ana"));
    let mut new = world.new_request(world.dev);
    new.change = world.change(r#"{"table":"orders"}"#);
    let id = gate.draft_in(&ana, &new, &"purchase".parse().unwrap()).unwrap().header.id;
    let error = gate.submit(&ana, id).unwrap_err();
    assert_eq!(error.code(), Code::InvalidPayload);
    assert_eq!(error.details()["at /sql"], "is required");
    assert_eq!(world.look(id).state.name(), StateName::Draft);
    gate.edit(&ana, id, "better", &world.change(r#"{"sql":"SELECT 1"}"#)).unwrap();
    gate.submit(&ana, id).unwrap();
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_request_keeps_the_version_that_it_began_with() {
    let world = purchasing();
    let (gate, root, ana, bo) =
        (&world.gate, world.caller("root"), world.caller("ana"), world.caller("bo"));
    let project = world.project;
    let name = "purchase".parse().unwrap();
    let old = draft(&world, &ana);
    // The second version has no lawyers.
    let definition =
        Definition { name: "purchase".parse().unwrap(), version: 2, ..Definition::change() };
    assert_eq!(
        gate.manage(&root, &SetWorkflow { project, definition: definition.clone() }).unwrap(),
        2
    );
    // Somebody who changed the first version is told that there is a second.
    let late = gate.manage(&root, &SetWorkflow { project, definition }).unwrap_err();
    assert_eq!((late.code(), late.details()["version"].as_str()), (Code::WrongState, "3"));

    let new = draft(&world, &ana);
    gate.submit(&ana, old).unwrap();
    gate.submit(&ana, new).unwrap();
    assert_eq!(
        (step(&world, old), step(&world, new)),
        ("WITH_LEGAL".to_owned(), "PENDING_APPROVAL".to_owned())
    );

    // Retired: nothing begins, what began goes on, and both versions can be read.
    gate.manage(&root, &RetireWorkflow { project, name }).unwrap();
    let name = "purchase".parse().unwrap();
    let refused = gate.draft_in(&ana, &world.new_request(world.dev), &name).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    gate.approve(&bo, new, world.digest(new), None).unwrap();
    assert_eq!(gate.workflow(&ana, project, &name, Some(1)).unwrap().states.len(), 11);
    assert_eq!(gate.workflow(&ana, project, &name, None).unwrap().version, 2);
    let listed = gate.workflows(&ana, project).unwrap();
    assert!(listed.iter().any(|line| line.name == name && line.is_retired && line.version == 2));
    let again = RetireWorkflow { project, name };
    assert_eq!(gate.manage(&root, &again).unwrap_err().code(), Code::WrongState);
    // A new version opens it again.
    let definition = Definition { version: 0, ..reviewed_twice() };
    assert_eq!(gate.manage(&root, &SetWorkflow { project, definition }).unwrap(), 3);
    draft(&world, &ana);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_run_that_nobody_can_tell_about_comes_to_an_end_in_every_workflow() {
    let world = purchasing();
    let (gate, ana, bo, cy) =
        (&world.gate, world.caller("ana"), world.caller("bo"), world.caller("cy"));
    let id = draft(&world, &ana);
    gate.submit(&ana, id).unwrap();
    gate.advance(&cy, id, &action("PASS"), Some("fine")).unwrap();
    gate.approve(&bo, id, world.digest(id), None).unwrap();
    world.bench.runner.ends_with(Outcome::Unknown(Failure::new("timeout", "the line went dead")));
    gate.drive(gate.execute(&bo, id).unwrap(), &Seen::default()).unwrap();
    assert_eq!(step(&world, id), "UNKNOWN");
    gate.verify(&bo, id).unwrap();
    assert_eq!(step(&world, id), "SUCCEEDED");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn whoever_says_what_became_of_a_run_takes_the_way_that_leads_there() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let name: Name = "Boss".parse().unwrap();
    let role = gate.manage(&root, &CreateRole { project, name: name.clone() }).unwrap();
    let mut definition =
        Definition { name: "purchase".parse().unwrap(), version: 0, ..Definition::change() };
    // The harmless way is listed first, and takes nobody in particular.
    definition.transitions.reverse();
    let done = |way: &&mut Transition| {
        matches!(way.verb, Verb::Reconcile | Verb::Verify) && way.to == code("SUCCEEDED")
    };
    for way in definition.transitions.iter_mut().filter(done) {
        way.roles.insert(name.clone());
    }
    gate.manage(&root, &SetWorkflow { project, definition }).unwrap();
    let (ana, bo) = (world.caller("ana"), world.caller("bo"));
    let unknown = || Outcome::Unknown(Failure::new("timeout", "the line went dead"));
    let run = || {
        world.bench.runner.ends_with(unknown());
        let id = draft(&world, &ana);
        gate.submit(&ana, id).unwrap();
        gate.approve(&bo, id, world.digest(id), None).unwrap();
        gate.drive(gate.execute(&bo, id).unwrap(), &Seen::default()).unwrap();
        assert_eq!(step(&world, id), "UNKNOWN");
        id
    };
    let id = run();
    let says = |id, finding| {
        // The target says it once.
        world.bench.runner.reads(unknown());
        gate.reconcile(&bo, id, finding, "I looked")
    };
    let refused = says(id, Finding::Done).unwrap_err();
    assert_eq!((refused.code(), refused.details()["roles"].as_str()), (Code::Refused, "Boss"));
    says(id, Finding::NothingDone).unwrap();
    assert_eq!(step(&world, id), "FAILED");
    let id = run();
    world.bench.runner.reads(Outcome::Succeeded(Report::default()));
    assert_eq!(gate.verify(&bo, id).unwrap_err().code(), Code::Refused);
    assert_eq!(step(&world, id), "UNKNOWN");
    let (user, valid) = (world.people["bo"], Interval::starting(world.now()));
    gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    gate.verify(&bo, id).unwrap();
    assert_eq!(step(&world, id), "SUCCEEDED");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn no_workflow_says_that_somebody_did_what_they_did_not() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let mut definition = two_looks("purchase");
    let pass = definition.transitions.iter_mut().find(|way| way.verb == Verb::Advance).unwrap();
    // It would make whoever takes it an author, or an approver, of those who go by this name.
    pass.action = action("SUBMIT");
    let mut again = pass.clone();
    (again.from, again.to) = (pass.to.clone(), pass.from.clone());
    again.action = action("REJECT");
    let reject = definition.transitions.iter_mut().find(|way| way.verb == Verb::Reject).unwrap();
    reject.action = action("APPROVED");
    definition.transitions.push(again);
    gate.manage(&root, &SetWorkflow { project, definition }).unwrap();
    let (ana, bo) = (world.caller("ana"), world.caller("bo"));
    let id = draft(&world, &ana);
    gate.submit(&ana, id).unwrap();
    for name in ["SUBMIT", "REJECT", "SUBMIT"] {
        gate.advance(&bo, id, &action(name), Some("on it goes")).unwrap();
    }
    gate.approve(&bo, id, world.digest(id), None).unwrap();
    let told: Vec<String> = gate
        .history(&ana, id)
        .unwrap()
        .iter()
        .skip(2)
        .map(|step| format!("{} {}", step.verb, step.action))
        .collect();
    assert_eq!(
        told,
        ["SUBMIT SUBMIT", "ADVANCE SUBMIT", "ADVANCE REJECT", "ADVANCE SUBMIT", "APPROVE APPROVE"]
    );
    // And a replay tells the policies no author that there was none.
    let house = House {
        name: "no-authors",
        forbids: |asked, facts| {
            asked.action == Action::APPROVE && facts.authors.contains(&asked.user)
        },
    };
    assert_eq!(crate::policy_stories::told(&world, &replayed(gate, &world, &house).0), "");
}

#[test]
fn where_a_project_says_which_workflows_nobody_chooses_another() {
    let world = purchasing();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let (ana, environment) = (world.caller("ana"), world.dev);
    let only = |names: &[&str]| {
        let workflows = names.iter().map(|name| name.parse().unwrap()).collect();
        gate.manage(&root, &SetAllowedWorkflows { project, environment, workflows })
    };
    let early = gate.draft(&ana, &world.new_request(environment)).unwrap().header.id;
    only(&["purchase"]).unwrap();
    // Neither what begins, nor what began before.
    let late = gate.draft(&ana, &world.new_request(environment)).unwrap_err();
    assert_eq!((late.code(), late.details()["workflows"].as_str()), (Code::Refused, "purchase"));
    assert_eq!(gate.submit(&ana, early).unwrap_err().code(), Code::Refused);
    assert_eq!(world.look(early).state.name(), StateName::Draft);
    let id = draft(&world, &ana);
    gate.submit(&ana, id).unwrap();
    // In another environment they choose.
    gate.draft(&ana, &world.new_request(world.prod)).unwrap();
    for (names, code) in
        [(&["nowhere"][..], Code::NotFound), (&["change", "change"], Code::InvalidInput)]
    {
        assert_eq!(only(names).unwrap_err().code(), code);
    }
    // One that it is told to use is there.
    let name: Slug = "purchase".parse().unwrap();
    let retire = RetireWorkflow { project, name };
    assert_eq!(gate.manage(&root, &retire).unwrap_err().code(), Code::InUse);
    let rows = || gate.organisation(&root, project).unwrap().allowed_workflows;
    assert_eq!(rows()[0].workflows, ["purchase".parse().unwrap()].into());
    only(&[]).unwrap();
    assert!(rows().is_empty());
    gate.manage(&root, &retire).unwrap();
    assert_eq!(only(&["purchase"]).unwrap_err().code(), Code::NotFound);
    gate.submit(&ana, early).unwrap();
    assert_invariants(&*world.bench.parts.store);
}

/// Each look has its own approvers, and what the first agreed to counts in the second.
#[test]
fn a_quorum_may_be_reached_over_several_looks() {
    let world = World::new();
    let (gate, root, project) = (&world.gate, world.caller("root"), world.project);
    let mut roles = Vec::new();
    for (name, who) in [("Early", "bo"), ("Late", "cy")] {
        let role =
            gate.manage(&root, &CreateRole { project, name: name.parse().unwrap() }).unwrap();
        let (user, valid) = (world.people[who], Interval::starting(world.now()));
        gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
        roles.push(role);
    }
    let mut definition = two_looks("twice");
    let mut early = None;
    for way in &mut definition.transitions {
        if way.verb == Verb::Approve {
            way.roles = ["Late".parse().unwrap()].into();
            early.get_or_insert(Transition {
                action: action("FIRST"),
                from: code("WITH_LEGAL"),
                roles: ["Early".parse().unwrap()].into(),
                ..way.clone()
            });
        }
    }
    definition.transitions.extend(early);
    gate.manage(&root, &SetWorkflow { project, definition }).unwrap();
    let quorum = Quorum::n_of(2, None).unwrap();
    gate.manage(&root, &SetQuorum { project, environment: world.dev, quorum }).unwrap();
    let (ana, bo, cy) = (world.caller("ana"), world.caller("bo"), world.caller("cy"));
    let name = "twice".parse().unwrap();
    let id = gate.draft_in(&ana, &world.new_request(world.dev), &name).unwrap().header.id;
    gate.submit(&ana, id).unwrap();
    gate.approve(&bo, id, world.digest(id), None).unwrap();
    gate.advance(&bo, id, &action("PASS"), Some("the terms are ours")).unwrap();
    gate.approve(&cy, id, world.digest(id), None).unwrap();
    assert_eq!(world.look(id).state.name(), StateName::Approved);
}

#[test]
fn a_role_that_a_workflow_names_stays() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let name: Name = "Lawyer".parse().unwrap();
    let role = world.gate.manage(&root, &CreateRole { project, name }).unwrap();
    let stored = SetWorkflow { project, definition: reviewed_twice() };
    world.gate.manage(&root, &stored).unwrap();
    let remove = RemoveRole { project, role };
    assert_eq!(world.gate.manage(&root, &remove).unwrap_err().code(), Code::InUse);
    // A later version that does without changes nothing: requests may still go by the first.
    let mut definition = reviewed_twice();
    definition.transitions.iter_mut().for_each(|way| way.roles.clear());
    world.gate.manage(&root, &SetWorkflow { project, definition }).unwrap();
    assert_eq!(world.gate.manage(&root, &remove).unwrap_err().code(), Code::InUse);
}

#[test]
fn strangers_are_told_nothing_and_not_everybody_stores_workflows() {
    let world = purchasing();
    let (gate, project) = (&world.gate, world.project);
    let name = "purchase".parse().unwrap();
    let stranger = world.caller("eve");
    assert_eq!(gate.workflows(&stranger, project).unwrap_err().code(), Code::NotFound);
    assert_eq!(gate.workflow(&stranger, project, &name, None).unwrap_err().code(), Code::NotFound);
    let command = SetWorkflow { project, definition: reviewed_twice() };
    assert_eq!(gate.manage(&world.caller("ana"), &command).unwrap_err().code(), Code::Denied);
    assert_eq!(gate.manage(&world.caller("robot"), &command).unwrap_err().code(), Code::Denied);
}
