//! Nobody approves what they wrote, whichever way it goes: alone, as a batch, run again, promoted, as the next version
//! of an artifact, and however many wrote it. And each check of that notices a record that breaks it.

use std::collections::BTreeSet;

use placet_core::digest::Digest;
use placet_core::error::Code;
use placet_core::gate::{NewArtifact, Promotion};
use placet_core::id::{RequestId, UserId};
use placet_core::org::command::{
    AddMember, ApplyRoleTemplate, AssignRole, RoleTemplate, SetAutoApproveAi, SetPromotion,
    SetQuorum,
};
use placet_core::org::{Interval, TeamRole};
use placet_core::request::{Change, Quorum, Request, State, StateName};
use placet_core::runner::{Failure, Outcome};
use placet_core::testing::Seen;
use serde_json::{Value, json};

use crate::model::promises::{broken_promises, given};
use crate::world::{World, assert_invariants};

/// The authors of a request, and how they came to be that. It ends pending, with nobody's yes.
const AUTHORS: &[(&str, &str, &[&str])] = &[
    ("who asked", "draft bo, submit bo", &["bo"]),
    ("who submitted what another wrote", "draft ana, submit bo", &["bo"]),
    ("a second editor", "draft ana, edit bo, submit ana", &["bo"]),
    ("one whose text was replaced", "draft ana, edit bo, edit ana, submit ana", &["bo"]),
    ("all who edited", "draft ana, edit bo, edit cy, submit ana", &["bo", "cy"]),
    ("an editor during the review", "draft ana, submit ana, edit bo, submit ana", &["bo"]),
    (
        "an editor after they had approved",
        "draft ana, submit ana, approve bo, edit bo, submit ana",
        &["bo"],
    ),
    (
        "an editor after another had approved",
        "draft ana, submit ana, approve cy, edit bo, submit ana",
        &["bo"],
    ),
    (
        "an editor after changes were asked for",
        "draft ana, submit ana, return cy why, edit bo, submit ana",
        &["bo"],
    ),
];

/// What comes after an approval. Where it goes back to a review, nobody who wrote it approves it there either.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Route {
    Alone,
    Batch,
    RunAgain,
    Promoted,
}

fn change(world: &World, payload: &str, more: bool) -> Change {
    let change = world.change(payload);
    let then = ["second"].into_iter().map(|name| name.parse().unwrap()).filter(|_| more);
    change.and_then_at(then, world.gate.limits()).unwrap()
}

/// A request written by these, through the verbs of the world, or as a batch.
fn written(world: &World, steps: &str, route: Route) -> RequestId {
    let (mut id, batch) = (None, route == Route::Batch);
    for step in steps.split(", ") {
        let (verb, name) = step.split_once(' ').unwrap();
        match verb {
            "draft" => {
                let mut new = world.new_request(world.dev);
                new.change = change(world, r#"{"sql":"SELECT 1"}"#, batch);
                let made = world.gate.draft(&world.caller(name), &new).unwrap();
                id = Some(made.header.id);
            }
            "edit" => {
                let text = change(world, r#"{"sql":"SELECT 2"}"#, batch);
                world.gate.edit(&world.caller(name), id.unwrap(), "again", &text).unwrap();
            }
            _ => drop(world.step(&mut id, step).unwrap()),
        }
    }
    id.unwrap()
}

/// None of the authors approves it, and nothing but the note of that is written.
fn assert_no_author_approves(world: &World, id: RequestId, authors: &[&str], what: &str) {
    let before = world.look(id);
    for name in authors {
        let answer = world.gate.approve(&world.caller(name), id, world.digest(id), None);
        let code = answer.map(|request| request.state.name()).map_err(|error| error.code());
        let refused = matches!(code, Err(Code::Denied | Code::Refused | Code::NotFound));
        assert!(refused, "{what}: {name} approves: {code:?}");
        assert_eq!(world.look(id), before, "{what}: {name}");
    }
}

/// After its approvals nobody adds one, and what is counted is what it was.
fn assert_nobody_adds_an_approval(world: &World, id: RequestId, what: &str) {
    let before = given(&world.look(id).state).to_vec();
    for name in ["bo", "cy", "robot", "ana"] {
        let answer = world.gate.approve(&world.caller(name), id, world.digest(id), None);
        assert!(answer.is_err(), "{what}: {name} approves what is approved");
    }
    assert_eq!(given(&world.look(id).state), before, "{what}");
}

fn assert_kept(world: &World, id: RequestId, what: &str) {
    let view = world.gate.view(&world.caller("ana"), id).unwrap();
    let ran = !view.runs.is_empty();
    let broken = broken_promises(&view.header, &view.state, view.digest, ran);
    assert!(broken.is_empty(), "{what}: {broken:?}");
}

fn run(world: &World, id: RequestId, again: bool) -> StateName {
    // Whoever approved does not have to be somebody else than who runs it.
    let caller = world.caller("cy");
    let ticket =
        if again { world.gate.rerun(&caller, id) } else { world.gate.execute(&caller, id) };
    world.gate.drive(ticket.unwrap(), &Seen::default()).unwrap().state.name()
}

/// One more lead, so that there is somebody to approve what two of them wrote; and one yes is enough.
fn world() -> World {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let dora = world.people["dora"];
    let (team, role, valid) = (world.checkout, TeamRole::Member, Interval::starting(world.now()));
    world.gate.manage(&root, &AddMember { project, team, user: dora, role, valid }).unwrap();
    let quorum = Quorum::n_of(1, None).unwrap();
    world.gate.manage(&root, &SetQuorum { project, environment: world.prod, quorum }).unwrap();
    let (environment, from) = (world.prod, world.dev);
    let rule = SetPromotion { project, environment, from, soak_ms: 0, only_promoted: false };
    world.gate.manage(&root, &rule).unwrap();
    world
}

fn play(steps: &str, authors: &[&str], route: Route, what: &str) {
    let world = world();
    let id = written(&world, steps, route);
    assert_no_author_approves(&world, id, authors, what);
    world.gate.approve(&world.caller("dora"), id, world.digest(id), None).unwrap();
    assert_kept(&world, id, what);
    match route {
        Route::Alone => assert_eq!(run(&world, id, false), StateName::Succeeded),
        Route::Batch => {
            assert_eq!(run(&world, id, false), StateName::Approved, "{what}: the canary");
            assert_nobody_adds_an_approval(&world, id, what);
            assert_eq!(run(&world, id, false), StateName::Succeeded, "{what}");
        }
        Route::RunAgain => {
            world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "no")));
            assert_eq!(run(&world, id, false), StateName::Failed, "{what}");
            assert_nobody_adds_an_approval(&world, id, what);
            world.bench.runner.ends_well();
            assert_eq!(run(&world, id, true), StateName::Succeeded, "{what}");
        }
        Route::Promoted => {
            assert_eq!(run(&world, id, false), StateName::Succeeded, "{what}");
            let to = Promotion { environment: world.prod, targets: Vec::new() };
            let next = world.gate.promote(&world.caller("ana"), id, &to).unwrap().header.id;
            world.gate.submit(&world.caller("ana"), next).unwrap();
            assert_no_author_approves(&world, next, authors, what);
            world.gate.approve(&world.caller("dora"), next, world.digest(next), None).unwrap();
            assert_kept(&world, next, what);
            assert_eq!(run(&world, next, false), StateName::Succeeded, "{what}");
            assert_kept(&world, next, what);
        }
    }
    assert_kept(&world, id, what);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn nobody_who_wrote_it_approves_it_alone_or_as_a_batch() {
    for (what, steps, authors) in AUTHORS {
        for route in [Route::Alone, Route::Batch] {
            play(steps, authors, route, &format!("{what}, {route:?}"));
        }
    }
}

#[test]
fn nobody_who_wrote_it_approves_it_when_it_is_run_again_or_promoted() {
    for (what, steps, authors) in AUTHORS {
        for route in [Route::RunAgain, Route::Promoted] {
            play(steps, authors, route, &format!("{what}, {route:?}"));
        }
    }
}

/// Gives a user a role of the template.
fn give(world: &World, name: &str, role: &str) {
    let (root, project) = (world.caller("root"), world.project);
    let template = RoleTemplate::Artifact;
    world.gate.manage(&root, &ApplyRoleTemplate { project, template }).unwrap();
    let roles = world.gate.organisation(&root, project).unwrap().roles;
    let role = roles.iter().find(|row| row.name.as_str() == role).unwrap().id;
    let valid = Interval::starting(world.now());
    let user = world.people[name];
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
}

fn artifact(world: &World, by: &str) -> RequestId {
    let new = NewArtifact {
        project: world.project,
        module: world.pagos,
        environment: world.dev,
        artifact_type: "USER_STORY".parse().unwrap(),
        artifact_id: 7,
        title: "a story".to_owned(),
        body: r#"{"i_want":"to pay"}"#.to_owned(),
        runner: "sql".parse().unwrap(),
        target: "orders".parse().unwrap(),
        depends_on: BTreeSet::new(),
    };
    world.gate.draft_artifact(&world.caller(by), &new).unwrap().header.id
}

#[test]
fn whoever_wrote_a_version_of_an_artifact_approves_none_that_comes_from_it() {
    let world = world();
    for (name, role) in [("bo", "ADMIN"), ("cy", "ADMIN"), ("dora", "ADMIN")] {
        give(&world, name, role);
    }
    let first = artifact(&world, "bo");
    world.gate.submit(&world.caller("bo"), first).unwrap();
    assert_no_author_approves(&world, first, &["bo"], "an artifact");
    world.gate.approve(&world.caller("cy"), first, world.digest(first), None).unwrap();
    // An approval that is undone does not come back with the text.
    world.gate.revert(&world.caller("cy"), first, Some("the wrong release")).unwrap();
    assert!(given(&world.look(first).state).is_empty());
    world.gate.submit(&world.caller("bo"), first).unwrap();
    assert_no_author_approves(&world, first, &["bo"], "an artifact that was taken back");
    world.gate.approve(&world.caller("dora"), first, world.digest(first), None).unwrap();
    assert_eq!(run(&world, first, false), StateName::Succeeded);
    let next = world.gate.new_version(&world.caller("cy"), first).unwrap().header.id;
    world.gate.submit(&world.caller("cy"), next).unwrap();
    assert_no_author_approves(&world, next, &["bo", "cy"], "the next version");
    world.gate.approve(&world.caller("dora"), next, world.digest(next), None).unwrap();
    assert_kept(&world, next, "the next version");
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn what_a_rule_agreed_to_is_recorded_as_that() {
    let world = world();
    for (name, role) in [("robot", "EDITOR"), ("bo", "ADMIN"), ("cy", "ADMIN")] {
        give(&world, name, role);
    }
    let (root, project, environment) = (world.caller("root"), world.project, world.dev);
    world.gate.manage(&root, &SetAutoApproveAi { project, environment, is_on: true }).unwrap();
    let id = artifact(&world, "robot");
    let approved = world.gate.submit(&world.caller("robot"), id).unwrap();
    let State::Approved(by_rule) = &approved.state else { panic!("{:?}", approved.state) };
    assert!(by_rule.by_rule.is_some() && by_rule.approvals.is_empty());
    assert_eq!(run(&world, id, false), StateName::Succeeded);
    assert_kept(&world, id, "by a rule");
    // A record that lost the rule, or that the rule is not for, is noticed.
    let request = world.look(id);
    let forged = forge(&request, |json| {
        json["state"]["ended"]["approved"].as_object_mut().unwrap().remove("by_rule");
    });
    assert_noticed(&world, &forged, "without its quorum");
    let forged = forge(&request, |json| {
        json["header"].as_object_mut().unwrap().remove("artifact");
    });
    assert_noticed(&world, &forged, "is no artifact");
    let forged = forge(&request, |json| json["header"]["plan"]["needs_person"] = json!(true));
    assert_noticed(&world, &forged, "what a person must look at");
}

/// The record with something in it changed.
fn forge(request: &Request, change: impl FnOnce(&mut Value)) -> Request {
    let mut json = json!({ "header": request.header, "state": request.state });
    change(&mut json);
    serde_json::from_value(json).unwrap()
}

#[track_caller]
fn assert_noticed(world: &World, forged: &Request, what: &str) {
    let digest = Some(world.digest(forged.header.id));
    let broken = broken_promises(&forged.header, &forged.state, digest, true);
    assert!(broken.iter().any(|it| it.contains(what)), "nobody noticed: {what}: {broken:?}");
}

/// Each of the promises, broken in a record: the checks are checked.
#[test]
fn a_record_that_breaks_a_promise_is_noticed() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana prod", "edit robot", "submit ana", "approve bo", "approve cy"] {
        world.step(&mut id, step).unwrap();
    }
    let id = id.unwrap();
    assert_eq!(run(&world, id, false), StateName::Succeeded);
    assert_kept(&world, id, "as it is");
    let request = world.look(id);
    let (ana, robot, bo): (UserId, UserId, UserId) =
        (world.people["ana"], world.people["robot"], world.people["bo"]);
    let approvals = |change: fn(&mut Value, UserId), user: UserId| {
        forge(&request, |json| change(&mut json["state"]["ended"]["approved"]["approvals"], user))
    };
    let one = |list: &mut Value, _: UserId| drop(list.as_array_mut().unwrap().pop());
    assert_noticed(&world, &approvals(one, bo), "without its quorum");
    let by = |list: &mut Value, user: UserId| list[1]["user"] = json!(user);
    assert_noticed(&world, &approvals(by, ana), "an author's approval");
    // The second editor, whom nobody would look for.
    assert_noticed(&world, &approvals(by, robot), "an author's approval");
    assert_noticed(&world, &approvals(by, bo), "counted twice");
    let older = |list: &mut Value, _: UserId| {
        list[0]["digest"] = json!(Digest::of(b"before the edit"));
    };
    assert_noticed(&world, &approvals(older, bo), "for something else");
    let drafted = forge(&request, |json| json["state"] = json!({ "state": "DRAFT" }));
    assert_noticed(&world, &drafted, "nothing says who agreed");
    // What was edited after the approvals.
    let edited = Digest::of(b"after the edit");
    let broken = broken_promises(&request.header, &request.state, Some(edited), true);
    assert!(broken.iter().any(|it| it.contains("agreed to is something else")), "{broken:?}");
}
