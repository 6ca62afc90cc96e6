//! Whatever fails in a decision, the answer is no.

use std::sync::Arc;

use placet_core::authz::{Action, Authorizer, Facts, PolicyHit, Question, Verdict};
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, NewRequest, Parts};
use placet_core::id::{ModuleId, UserId};
use placet_core::identity::Caller;
use placet_core::limits::Limits;
use placet_core::org::command::{
    AllowRole, AssignRole, CreatePermission, CreateRole, EndGrant, GrantGlobalRole,
};
use placet_core::org::{GlobalRole, Grant, Interval, Name};
use placet_core::request::{Change, PEOPLE_MAX, Quorum, State, StateName};
use placet_core::runner::{Failure, Outcome};
use placet_core::store::{Batch, Key, MemoryStore};
use placet_core::testing::Bench;

use crate::world::{World, assert_invariants, user};

fn pending(world: &World) -> placet_core::id::RequestId {
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    id.unwrap()
}

fn approve(world: &World, id: placet_core::id::RequestId) -> Result<(), Error> {
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).map(drop)
}

#[test]
fn a_policy_engine_that_fails_or_forbids_or_disagrees_lets_nobody_in() {
    let world = World::new();
    let id = pending(&world);
    let digest = world.digest(id);
    let hit = || PolicyHit::new("freeze".to_owned(), "host.cedar:3".to_owned());
    let cases = [
        (Err(Code::Internal), "a policy could not be evaluated", 0),
        (
            Ok(Verdict::new(vec![hit()], vec![hit()], vec![])),
            "the policy `freeze` (host.cedar:3) forbids it",
            0,
        ),
        (
            Ok(Verdict::new(vec![hit()], vec![], vec!["overflow".to_owned()])),
            "a policy could not be evaluated",
            0,
        ),
        (Ok(Verdict::new(vec![], vec![], vec![])), "the two deciders do not agree", 1),
    ];
    for (verdict, sentence, disagreements) in cases {
        let before = world.gate.disagreements();
        world.bench.authorizer.answer_with(verdict);
        let error = world.gate.approve(&world.caller("bo"), id, digest, None).unwrap_err();
        // The same engine decides about reading too, so the refused learn nothing.
        assert_eq!(error.code(), Code::NotFound, "{sentence}");
        assert_eq!(world.gate.disagreements() > before, disagreements > 0, "{sentence}");
    }
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn an_approval_is_for_what_its_giver_saw() {
    let world = World::new();
    let id = pending(&world);
    let seen = world.digest(id);
    world.step(&mut Some(id), "edit ana").unwrap();
    world.step(&mut Some(id), "submit ana").unwrap();
    let error = world.gate.approve(&world.caller("bo"), id, seen, None).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    approve(&world, id).unwrap();
}

#[test]
fn another_version_of_the_plugin_is_not_what_was_approved() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    world.bench.runner.install(b"scripted plugin, version 2");
    let error = world.gate.execute(&world.caller("bo"), id).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    assert_eq!(world.bench.runner.entered(), []);
}

#[test]
fn a_payload_that_was_changed_behind_the_gate_does_not_run() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    let store = &world.bench.parts.store;
    let key = Key::from_segments(&["revision", &id.to_string(), "0000000001"]);
    let stored = store.get(&key).unwrap().unwrap();
    // The text alone is not what the record commits to; a record that commits to it is not what was approved.
    let stored = String::from_utf8(stored.value).unwrap();
    let clumsy = stored.replace("SELECT 1", "SELECT 9");
    let mut json: serde_json::Value = serde_json::from_str(&stored).unwrap();
    let texts = json["texts"].as_object_mut().unwrap();
    let payload = texts.iter().find(|(_, kept)| kept["text"].is_string());
    let (commitment, mut kept) = payload.map(|(key, kept)| (key.clone(), kept.clone())).unwrap();
    texts.remove(&commitment);
    let text = kept["text"].as_str().unwrap().replace("SELECT 1", "SELECT 9");
    let salt = kept["salt"].as_str().unwrap();
    let forged = Digest::of_parts(&[salt.as_bytes(), b"t", text.as_bytes()]).to_string();
    kept["text"] = text.into();
    texts.insert(forged.clone(), kept);
    let thorough = json.to_string().replace(&commitment, &forged);
    for (forged, code) in [(clumsy, Code::StoreDamaged), (thorough, Code::DigestMismatch)] {
        store.commit(Batch::default().put(key.clone(), forged.into_bytes())).unwrap();
        let error = world.gate.execute(&world.caller("bo"), id).unwrap_err();
        assert_eq!(error.code(), code);
    }
    assert_eq!(world.bench.runner.entered(), []);
}

#[test]
fn an_approver_who_lost_the_right_does_not_count_when_the_run_starts() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    let root = world.caller("root");
    world.bench.clock.advance_ms(1);
    for (_, leaf) in world.gate.audit(&root, 0).unwrap() {
        for change in leaf.records {
            let Some(grant) = change.name.rsplit_once("user_project_roles/") else { continue };
            let end =
                EndGrant { project: world.project, grant: grant.1.parse().unwrap(), at: None };
            let holder = world.gate.can(
                world.people["bo"],
                &Action::APPROVE,
                placet_core::authz::Scope::module(world.project, world.pagos, world.dev),
            );
            if holder {
                // Ends grants one by one until bo's right to approve is gone.
                world.gate.manage(&root, &end).unwrap();
            }
        }
    }
    let error = world.gate.execute(&world.caller("cy"), id).unwrap_err();
    assert_eq!(error.code(), Code::Refused, "{error}");
    assert_eq!(world.bench.runner.entered(), []);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_quorum_that_nobody_can_reach_is_an_error_and_not_an_approval() {
    let world = World::new();
    let mut id = None;
    world.step(&mut id, "draft bo prod").unwrap();
    // Two leads are asked for; bo wrote it, cy is one, the robot never counts.
    let error = world.step(&mut id, "submit bo").unwrap_err();
    assert_eq!(error.code(), Code::QuorumUnsatisfiable);
    assert_eq!(world.look(id.unwrap()).state.name(), StateName::Draft);
    assert_eq!(error.details()["able"], "1");
}

#[test]
fn bad_input_gets_a_code_and_a_next_step() {
    let world = World::new();
    let ana = world.caller("ana");
    let sql = || "sql".parse().unwrap();
    let limits = Limits::default();
    let change = |runner: &str, payload: &str| {
        Change::new(runner.parse().unwrap(), "orders".parse().unwrap(), payload, &limits)
    };
    let draft = |change: Change| {
        world.gate.draft(&ana, &NewRequest { change, ..world.new_request(world.dev) })
    };
    let huge = format!("\"{}\"", "x".repeat(10 << 20));
    // A caller with wider limits than the gate's does not get past the gate.
    let wide = Limits::default().with_payload_bytes_max(64 << 20);
    let smuggled = Change::new(sql(), "orders".parse().unwrap(), huge.as_str(), &wide).unwrap();
    let cases = [
        (Code::TooLarge, change("sql", &huge).map(drop)),
        (Code::TooLarge, draft(smuggled).map(drop)),
        (Code::InvalidPayload, change("sql", "{not json").map(drop)),
        (Code::InvalidPayload, draft(change("sql", "\"refuse\"").unwrap()).map(drop)),
        (Code::UnknownRunner, draft(change("nope", "1").unwrap()).map(drop)),
        (Code::InvalidInput, "Not A Slug".parse::<placet_core::org::Slug>().map(drop)),
        (Code::InvalidInput, "yesterday".parse::<placet_core::clock::Timestamp>().map(drop)),
        (Code::InvalidInput, "req_1".parse::<placet_core::id::RequestId>().map(drop)),
        (Code::NotFound, world.gate.view(&ana, placet_core::id::RequestId::from_u128(1)).map(drop)),
    ];
    for (expected, result) in cases {
        let error = result.unwrap_err();
        assert_eq!(error.code(), expected, "{error}");
        assert!(error.help().is_some(), "{error} has no next step");
    }
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn a_renewed_lease_lasts_and_one_that_ended_is_not_renewed() {
    let world = World::new();
    let id = pending(&world);
    approve(&world, id).unwrap();
    let ticket = world.gate.execute(&world.caller("bo"), id).unwrap();
    for _ in 0..5 {
        world.bench.clock.advance_ms(29_999);
        world.gate.renew(ticket.lease()).unwrap();
        assert_eq!(world.gate.tick().unwrap(), []);
    }
    world.bench.clock.advance_ms(30_000);
    assert_eq!(world.gate.tick().unwrap(), [id]);
    let ended = world.gate.renew(ticket.lease()).unwrap_err();
    assert_eq!(ended.code(), Code::LeaseLost);
}

#[test]
fn a_refused_call_before_the_founding_does_not_keep_anybody_out() {
    let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
    let gate = Gate::new(bench.parts);
    let nobody = Caller::authenticated(UserId::from_u128(1));
    assert_eq!(gate.audit(&nobody, 0).unwrap_err().code(), Code::Denied);
    let root = gate.bootstrap(&user("root")).unwrap();
    let log = gate.audit(&Caller::authenticated(root), 0).unwrap();
    assert_eq!(log[0].1.event, "platform.bootstrapped");
    assert_eq!(gate.audit(&Caller::authenticated(root), u64::MAX).unwrap(), []);
}

#[test]
fn invented_places_leave_no_denials_behind() {
    let world = World::new();
    let count = || world.gate.audit(&world.caller("root"), 0).unwrap().len();
    let before = count();
    for number in 0..50 {
        let module = ModuleId::from_u128(1_000 + number);
        let new = NewRequest { module, ..world.new_request(world.dev) };
        let error = world.gate.draft(&world.caller("eve"), &new).unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
    }
    assert_eq!(count(), before);
}

#[test]
fn another_plugin_does_not_say_what_became_of_a_run() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "crash bo", "wait 30000", "recover"] {
        world.step(&mut id, step).unwrap();
    }
    world.bench.runner.install(b"scripted plugin, version 2");
    let error = world.step(&mut id, "verify bo").unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
    assert_eq!(world.look(id.unwrap()).state.name(), StateName::Unknown);
}

#[test]
fn what_the_target_says_stands_beside_the_outcome() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "execute bo"] {
        world.step(&mut id, step).unwrap();
    }
    let lost = Outcome::Failed(Failure::new("not_committed", "there is no marker"));
    world.bench.runner.reads(lost.clone());
    let State::Succeeded(state) = world.step(&mut id, "verify bo").unwrap().state else {
        panic!("a recorded outcome stays")
    };
    assert_eq!(state.ended.last_read.unwrap().outcome, lost);
}

#[test]
fn a_resolved_run_is_resolved_everywhere() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "crash bo", "wait 30000", "recover"] {
        world.step(&mut id, step).unwrap();
    }
    world.step(&mut id, "verify bo").unwrap();
    let view = world.gate.view(&world.caller("bo"), id.unwrap()).unwrap();
    assert!(matches!(view.runs[0].outcome, Some(Outcome::Succeeded(_))), "{:?}", view.runs);
}

#[test]
fn an_approver_who_lost_the_role_does_not_count_when_the_run_starts() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana prod", "submit ana", "approve bo", "approve cy"] {
        world.step(&mut id, step).unwrap();
    }
    // bo may still approve, by another role; what the quorum asks for is gone.
    let (root, project) = (world.caller("root"), world.project);
    let organisation = world.gate.organisation(&root, project).unwrap();
    let bo = world.people["bo"];
    let is_lead = |g: &&Grant| g.user_id == bo && g.role_id == world.lead;
    let grant = organisation.grants.iter().find(is_lead).unwrap().id;
    let approve = organisation.permissions.iter().find(|p| p.action == Action::APPROVE).unwrap().id;
    let name = "Deputy".parse().unwrap();
    let role = world.gate.manage(&root, &CreateRole { project, name }).unwrap();
    let valid = Interval::starting(world.now());
    world.gate.manage(&root, &AllowRole { project, role, permission: approve }).unwrap();
    world.gate.manage(&root, &AssignRole { project, user: bo, role, valid }).unwrap();
    world.bench.clock.advance_ms(1);
    world.gate.manage(&root, &EndGrant { project, grant, at: None }).unwrap();
    let error = world.gate.execute(&world.caller("cy"), id.unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::Refused, "{error}");
}

#[test]
fn a_plan_with_an_error_in_it_is_not_submitted() {
    let world = World::new();
    let change = world.change("\"warn\"");
    let new = NewRequest { change, ..world.new_request(world.dev) };
    let id = world.gate.draft(&world.caller("ana"), &new).unwrap().header.id;
    let error = world.gate.submit(&world.caller("ana"), id).unwrap_err();
    assert_eq!(error.code(), Code::InvalidPayload);
}

#[test]
fn whoever_submits_does_not_approve_and_an_auditor_does_not_write() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit bo"] {
        world.step(&mut id, step).unwrap();
    }
    assert_eq!(world.step(&mut id, "approve bo").unwrap_err().code(), Code::Refused);
    let (root, user) = (world.caller("root"), world.people["aud"]);
    let grant = GrantGlobalRole { user, role: GlobalRole::Auditor };
    world.gate.administer(&root, &grant).unwrap();
    assert_eq!(world.step(&mut id, "comment aud hello").unwrap_err().code(), Code::Refused);
}

#[test]
fn a_reader_of_one_environment_reads_that_and_sees_the_project() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let read = CreatePermission {
        project,
        module: None,
        environment: Some(world.prod),
        action: Action::READ,
    };
    let permission = world.gate.manage(&root, &read).unwrap();
    let role = CreateRole { project, name: "Watcher".parse().unwrap() };
    let role = world.gate.manage(&root, &role).unwrap();
    world.gate.manage(&root, &AllowRole { project, role, permission }).unwrap();
    let (user, valid) = (world.people["eve"], Interval::starting(world.now()));
    let eve = world.caller("eve");
    assert_eq!(world.gate.projects(&eve).unwrap(), []);
    world.gate.manage(&root, &AssignRole { project, user, role, valid }).unwrap();
    assert_eq!(world.gate.projects(&eve).unwrap().len(), 1);
    let ana = world.caller("ana");
    let prod = world.gate.draft(&ana, &world.new_request(world.prod)).unwrap().header.id;
    let dev = world.gate.draft(&ana, &world.new_request(world.dev)).unwrap().header.id;
    world.gate.view(&eve, prod).unwrap();
    assert_eq!(world.gate.view(&eve, dev).unwrap_err().code(), Code::NotFound);
    let seen = world.gate.requests(&eve, project, None).unwrap().items;
    assert_eq!(seen.iter().map(|item| item.id).collect::<Vec<_>>(), [prod]);
}

#[test]
fn a_quorum_has_room_in_the_leaf_of_its_run() {
    let too_many = Quorum::n_of(PEOPLE_MAX + 1, None).unwrap_err();
    assert_eq!(too_many.code(), Code::InvalidInput);
}

#[test]
fn denials_of_one_kind_in_one_minute_leave_one_leaf() {
    let world = World::new();
    let id = pending(&world);
    let count = || {
        let log = world.gate.audit(&world.caller("root"), 0).unwrap();
        log.iter().filter(|(_, leaf)| leaf.event == "denied").count()
    };
    let before = count();
    for _ in 0..50 {
        world.step(&mut Some(id), "approve dora").unwrap_err();
    }
    assert_eq!(count() - before, 1);
    world.bench.clock.advance_ms(60_000);
    world.step(&mut Some(id), "approve dora").unwrap_err();
    assert_eq!(count() - before, 2);
}

/// A policy engine that breaks its contract in the worst way.
#[derive(Debug)]
struct Falls;

impl Authorizer for Falls {
    fn decide(&self, _: &Question, _: &Facts) -> Result<Verdict, Error> {
        panic!("this panic is part of the test")
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"falls")
    }
}

#[test]
fn a_policy_engine_that_falls_over_denies() {
    let world = World::new();
    let id = pending(&world);
    let parts = Parts { authorizer: Arc::new(Falls), ..world.bench.parts.clone() };
    let before = world.gate.view(&world.caller("ana"), id).unwrap();
    let digest = before.header.change_digest().unwrap();
    let refused = Gate::new(parts).approve(&world.caller("bo"), id, digest, None).unwrap_err();
    // Not even whether it exists is told: that would take a yes too.
    assert_eq!(refused.code(), Code::NotFound);
    let after = world.gate.view(&world.caller("ana"), id).unwrap();
    assert_eq!((after.header, after.state), (before.header, before.state));
}

/// A policy engine that looks at one thing only: whose text it is.
#[derive(Debug)]
struct NotTheirOwn;

impl Authorizer for NotTheirOwn {
    fn decide(&self, asked: &Question, facts: &Facts) -> Result<Verdict, Error> {
        let hit = |id: &str| vec![PolicyHit::new(id.to_owned(), "own.rs:1".to_owned())];
        let own = asked.action == Action::APPROVE && facts.authors.contains(&asked.user);
        Ok(Verdict::new(hit("any"), if own { hit("own") } else { Vec::new() }, Vec::new()))
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"not their own")
    }
}

#[test]
fn the_policies_are_told_whose_request_it_is() {
    let world = World::new();
    let parts = Parts { authorizer: Arc::new(NotTheirOwn), ..world.bench.parts.clone() };
    let gate = Gate::new(parts);
    let mut id = None;
    world.step(&mut id, "draft bo").unwrap();
    world.step(&mut id, "submit bo").unwrap();
    let id = id.unwrap();
    let digest = gate.view(&world.caller("bo"), id).unwrap().header.change_digest().unwrap();
    let refused = gate.approve(&world.caller("bo"), id, digest, None).unwrap_err();
    assert_eq!(refused.code(), Code::Refused);
    assert!(refused.to_string().ends_with("and cannot approve it"), "{refused}");
    // The policies said it, not only the state: the log has their no.
    let log = gate.audit(&world.caller("root"), 0).unwrap();
    let mut codes = log.iter().flat_map(|(_, leaf)| &leaf.decisions).flat_map(|d| &d.because);
    assert!(codes.any(|code| code == "forbidden:own"), "the policies were not told");
    let agreed = gate.approve(&world.caller("cy"), id, digest, None).unwrap();
    assert_eq!(agreed.state.name(), StateName::Approved);
}

#[test]
fn no_text_can_look_like_another() {
    let world = World::new();
    let id = pending(&world);
    for text in ["drop \u{202e}eciton", "a\u{2066}b", "\u{1b}[2J", "a\u{0}b"] {
        assert_eq!(text.parse::<Name>().unwrap_err().code(), Code::InvalidInput, "{text:?}");
        let bo = world.caller("bo");
        let said = world.gate.comment(&bo, id, text).unwrap_err();
        assert_eq!(said.code(), Code::InvalidInput, "{text:?}");
        let new = NewRequest { title: text.to_owned(), ..world.new_request(world.dev) };
        let asked = world.gate.draft(&world.caller("ana"), &new).unwrap_err();
        assert_eq!(asked.code(), Code::InvalidInput, "{text:?}");
    }
    // What people write in every language stays possible.
    world.gate.comment(&world.caller("ana"), id, "sí:\n\tשלום 👩‍💻").unwrap();
}
