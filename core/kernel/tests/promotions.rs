//! The same change from environment to environment, each time with its own approvals and run.

use placet_core::authz::Action;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::Promotion;
use placet_core::id::{EnvironmentId, RequestId};
use placet_core::org::Criticality;
use placet_core::org::command::{
    CreateEnvironment, RemoveEnvironment, SetAllowedWorkflows, SetPromotion, SetQuorum,
    UpdateEnvironment,
};
use placet_core::request::{Quorum, Request, StateName};
use placet_core::runner::{Failure, Outcome};
use placet_core::store::{Batch, Key};
use placet_core::testing::Seen;

use crate::policy_stories::{House, replayed, told};
use crate::world::{World, assert_invariants};

/// dev, staging, prod, in this order.
struct Stages {
    world: World,
    staging: EnvironmentId,
}

const HOUR_MS: u64 = 3_600_000;

fn stages() -> Stages {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let update = UpdateEnvironment {
        project,
        environment: world.prod,
        name: "Production".parse().unwrap(),
        priority: 3,
        criticality: Criticality::Critical,
    };
    world.gate.manage(&root, &update).unwrap();
    let staging = CreateEnvironment {
        project,
        code: "staging".parse().unwrap(),
        name: "Staging".parse().unwrap(),
        priority: 2,
        criticality: Criticality::High,
    };
    let staging = world.gate.manage(&root, &staging).unwrap();
    // In prod nobody but two leads; one is enough to play.
    let quorum = Quorum::n_of(1, None).unwrap();
    let environment = world.prod;
    world.gate.manage(&root, &SetQuorum { project, environment, quorum }).unwrap();
    Stages { world, staging }
}

impl Stages {
    fn rule(&self, to: EnvironmentId, from: EnvironmentId, soak_ms: u64, only: bool) {
        let project = self.world.project;
        let rule = SetPromotion { project, environment: to, from, soak_ms, only_promoted: only };
        self.world.gate.manage(&self.world.caller("root"), &rule).unwrap();
    }

    fn promote(&self, id: RequestId, to: EnvironmentId) -> Result<Request, Error> {
        self.promote_to(id, to, &[])
    }

    fn promote_to(
        &self,
        id: RequestId,
        environment: EnvironmentId,
        targets: &[&str],
    ) -> Result<Request, Error> {
        let targets = targets.iter().map(|name| name.parse().unwrap()).collect();
        let to = Promotion { environment, targets };
        self.world.gate.promote(&self.world.caller("ana"), id, &to)
    }

    fn drafted(&self, environment: EnvironmentId) -> RequestId {
        let new = self.world.new_request(environment);
        self.world.gate.draft(&self.world.caller("ana"), &new).unwrap().header.id
    }

    fn submit(&self, id: RequestId) -> Result<Request, Error> {
        self.world.gate.submit(&self.world.caller("ana"), id)
    }

    /// Submits it, has Bo agree, and runs it.
    fn run(&self, id: RequestId) -> Request {
        self.submit(id).unwrap();
        let (world, cy) = (&self.world, self.world.caller("cy"));
        world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
        world.gate.drive(world.gate.execute(&cy, id).unwrap(), &Seen::default()).unwrap()
    }

    fn succeeded(&self) -> RequestId {
        let id = self.drafted(self.world.dev);
        assert_eq!(self.run(id).state.name(), StateName::Succeeded);
        id
    }
}

#[test]
fn a_change_goes_from_stage_to_stage_each_with_its_own_approvals() {
    let stages = stages();
    let (world, first) = (&stages.world, stages.succeeded());
    let source = world.look(first).header;
    let second = stages.promote_to(first, stages.staging, &["staging-db"]).unwrap();
    let header = &second.header;
    assert_eq!((second.state.name(), header.promoted_from), (StateName::Draft, Some(first)));
    assert_eq!(header.payload_digest, source.payload_digest);
    assert_eq!((header.target.as_str(), header.fence, header.plan), ("staging-db", 0, None));
    let ended = stages.run(header.id);
    assert_eq!(ended.header.plan.unwrap().runner_digest, source.plan.unwrap().runner_digest);
    let third = stages.promote(header.id, world.prod).unwrap();
    assert_eq!(third.header.promoted_from, Some(header.id));
    assert_eq!(stages.run(third.header.id).state.name(), StateName::Succeeded);
    let history = world.gate.history(&world.caller("ana"), third.header.id).unwrap();
    assert_eq!(history[0].action, "PROMOTE");
    let (_, leaf) = world.gate.trail(&world.caller("ana"), third.header.id).unwrap().remove(0);
    assert_eq!(leaf.event, "request.promoted");
    assert_eq!(leaf.facts["promoted_from"], header.id.to_string());
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn whoever_wrote_what_was_promoted_is_an_author_in_a_replay_too() {
    let stages = stages();
    let world = &stages.world;
    let (bo, cy) = (world.caller("bo"), world.caller("cy"));
    let first = world.gate.draft_and_submit(&bo, &world.new_request(world.dev)).unwrap().header.id;
    world.gate.approve(&cy, first, world.digest(first), None).unwrap();
    world.gate.drive(world.gate.execute(&cy, first).unwrap(), &Seen::default()).unwrap();
    let second = stages.promote(first, stages.staging).unwrap().header.id;
    stages.submit(second).unwrap();
    let own = world.gate.approve(&bo, second, world.digest(second), None).unwrap_err();
    assert_eq!(own.code(), Code::Refused);
    let house = House {
        name: "no-authors",
        forbids: |asked, facts| {
            asked.action == Action::APPROVE && facts.authors.contains(&asked.user)
        },
    };
    assert_eq!(
        told(world, &replayed(&world.gate, world, &house).0),
        "bo approve: yes, now denied: the policy `no-authors` (house:1) forbids it; Policies"
    );
}

#[test]
fn no_stage_is_skipped_and_none_is_gone_back_to() {
    let stages = stages();
    let (world, id) = (&stages.world, stages.succeeded());
    let skipped = stages.promote(id, world.prod).unwrap_err();
    assert_eq!(skipped.code(), Code::InvalidInput);
    assert!(skipped.to_string().contains("skips `staging`"), "{skipped}");
    assert_eq!(stages.promote(id, world.dev).unwrap_err().code(), Code::InvalidInput);
    // Nor into a stage whose requests go through other workflows.
    let (project, environment, workflows) =
        (world.project, stages.staging, vec!["artifact".parse().unwrap()]);
    let only = SetAllowedWorkflows { project, environment, workflows };
    world.gate.manage(&world.caller("root"), &only).unwrap();
    assert_eq!(stages.promote(id, stages.staging).unwrap_err().code(), Code::Refused);
    let nowhere = EnvironmentId::from_u128(77);
    assert_eq!(stages.promote(id, nowhere).unwrap_err().code(), Code::NotFound);
    // Nor is a rule that would.
    let (project, root) = (world.project, world.caller("root"));
    for (from, environment) in
        [(world.dev, world.prod), (world.prod, stages.staging), (world.dev, world.dev)]
    {
        let rule = SetPromotion { project, environment, from, soak_ms: 0, only_promoted: false };
        assert_eq!(world.gate.manage(&root, &rule).unwrap_err().code(), Code::InvalidInput);
    }
}

#[test]
fn only_what_succeeded_and_stood_for_its_time_goes_on() {
    let stages = stages();
    let world = &stages.world;
    stages.rule(stages.staging, world.dev, HOUR_MS, false);
    let draft = stages.drafted(world.dev);
    assert_eq!(stages.promote(draft, stages.staging).unwrap_err().code(), Code::WrongState);
    world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "it says")));
    assert_eq!(stages.run(draft).state.name(), StateName::Failed);
    assert_eq!(stages.promote(draft, stages.staging).unwrap_err().code(), Code::WrongState);
    let id = stages.succeeded();
    let early = stages.promote(id, stages.staging).unwrap_err();
    assert_eq!(early.code(), Code::Refused);
    assert_eq!(early.details()["ready_at"], world.now().plus_ms(HOUR_MS).to_string());
    world.bench.clock.advance_ms(HOUR_MS - 1);
    assert_eq!(stages.promote(id, stages.staging).unwrap_err().code(), Code::Refused);
    world.bench.clock.advance_ms(1);
    stages.promote(id, stages.staging).unwrap();
    // One of which the target says otherwise stays where it is.
    let id = stages.succeeded();
    world.bench.clock.advance_ms(HOUR_MS);
    world.bench.runner.reads(Outcome::Failed(Failure::new("absent", "it is not there")));
    world.gate.verify(&world.caller("bo"), id).unwrap();
    assert_eq!(stages.promote(id, stages.staging).unwrap_err().code(), Code::Refused);
}

#[test]
fn promoting_again_makes_no_second_one() {
    let stages = stages();
    let (world, id) = (&stages.world, stages.succeeded());
    let made = stages.promote(id, stages.staging).unwrap().header.id;
    let count = || world.bench.parts.store.log_len().unwrap();
    let before = count();
    assert_eq!(stages.promote(id, stages.staging).unwrap().header.id, made);
    let other = stages.promote_to(id, stages.staging, &["elsewhere"]).unwrap_err();
    assert_eq!(
        (other.code(), &other.details()["request"]),
        (Code::AlreadyExists, &made.to_string())
    );
    assert_eq!(count(), before);
    // One that came to nothing makes room for another, and one that succeeded does not.
    world.gate.cancel(&world.caller("ana"), made, None).unwrap();
    let again = stages.promote(id, stages.staging).unwrap().header.id;
    assert_ne!(again, made);
    stages.run(again);
    assert_eq!(stages.promote(id, stages.staging).unwrap().header.id, again);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn what_failed_or_took_effect_somewhere_makes_no_room_for_another() {
    let stages = stages();
    let (world, id) = (&stages.world, stages.succeeded());
    let failure = || Outcome::Failed(Failure::new("sql.40001", "serialization failure"));
    let made = stages.promote_to(id, stages.staging, &["one", "two"]).unwrap().header.id;
    world.bench.runner.ends_with(failure());
    assert_eq!(stages.run(made).state.name(), StateName::Failed);
    let again = stages.promote_to(id, stages.staging, &["one", "two"]).unwrap();
    assert_eq!((again.header.id, again.state.name()), (made, StateName::Failed));
    // It is done at one of two targets, and withdrawn.
    let cy = world.caller("cy");
    let ticket = world.gate.rerun(&cy, made).unwrap();
    let half = world.gate.drive(ticket, &Seen::default()).unwrap();
    assert_eq!(half.state.name(), StateName::Approved);
    world.gate.cancel(&world.caller("ana"), made, None).unwrap();
    let again = stages.promote_to(id, stages.staging, &["one", "two"]).unwrap_err();
    assert_eq!(again.code(), Code::AlreadyExists);
    assert!(again.to_string().contains("took effect before it was cancelled"), "{again}");
    // A no is for good in `change`.
    let second = stages.succeeded();
    let made = stages.promote(second, stages.staging).unwrap().header.id;
    stages.submit(made).unwrap();
    world.gate.reject(&world.caller("bo"), made, "not in December").unwrap();
    assert_ne!(stages.promote(second, stages.staging).unwrap().header.id, made);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn whoever_wrote_it_there_does_not_approve_it_here() {
    let stages = stages();
    let (world, bo) = (&stages.world, stages.world.caller("bo"));
    // Bo edits in dev, Ana submits, Cy approves and runs; then Ana promotes.
    let id = stages.drafted(world.dev);
    world.gate.edit(&bo, id, "again", &world.change(r#"{"sql":"SELECT 2"}"#)).unwrap();
    stages.submit(id).unwrap();
    let cy = world.caller("cy");
    world.gate.approve(&cy, id, world.digest(id), None).unwrap();
    world.gate.drive(world.gate.execute(&cy, id).unwrap(), &Seen::default()).unwrap();
    let next = stages.promote(id, stages.staging).unwrap().header.id;
    stages.submit(next).unwrap();
    let digest = world.digest(next);
    assert_eq!(world.gate.approve(&bo, next, digest, None).unwrap_err().code(), Code::Refused);
    world.gate.approve(&cy, next, digest, None).unwrap();
}

#[test]
fn whoever_may_not_ask_there_or_read_here_promotes_nothing() {
    let stages = stages();
    let (world, id) = (&stages.world, stages.succeeded());
    let to = Promotion { environment: stages.staging, targets: Vec::new() };
    for name in ["eve", "aud"] {
        let error = world.gate.promote(&world.caller(name), id, &to).unwrap_err();
        assert_eq!(error.code(), Code::NotFound, "{name}");
    }
    let dora = world.gate.promote(&world.caller("dora"), id, &to).unwrap_err();
    assert_eq!(dora.code(), Code::Denied);
}

#[test]
fn where_only_promoted_changes_come_another_is_refused() {
    let stages = stages();
    let world = &stages.world;
    // Approved before the rule, and looked at again when it starts.
    let early = stages.drafted(stages.staging);
    stages.submit(early).unwrap();
    world.gate.approve(&world.caller("bo"), early, world.digest(early), None).unwrap();
    stages.rule(stages.staging, world.dev, 0, true);
    let error = world.gate.execute(&world.caller("cy"), early).unwrap_err();
    assert_eq!(error.code(), Code::Refused, "{error}");
    let direct = stages.drafted(stages.staging);
    let error = stages.submit(direct).unwrap_err();
    assert_eq!((error.code(), world.look(direct).state.name()), (Code::Refused, StateName::Draft));
    let id = stages.succeeded();
    let promoted = stages.promote(id, stages.staging).unwrap().header.id;
    assert_eq!(stages.run(promoted).state.name(), StateName::Succeeded);
    // An environment that changes come from stays.
    let (project, root) = (world.project, world.caller("root"));
    let remove = RemoveEnvironment { project, environment: world.dev };
    assert_eq!(world.gate.manage(&root, &remove).unwrap_err().code(), Code::InUse);
}

#[test]
fn a_promoted_change_keeps_its_payload_and_its_plugin() {
    let stages = stages();
    let (world, ana) = (&stages.world, stages.world.caller("ana"));
    let id = stages.promote(stages.succeeded(), stages.staging).unwrap().header.id;
    let other = world.gate.edit(&ana, id, "again", &world.change(r#"{"sql":"SELECT 2"}"#));
    assert_eq!(other.unwrap_err().code(), Code::Refused);
    // Another title, and another target, are another revision of the same change.
    let mut change = world.change(r#"{"sql":"SELECT 1"}"#);
    change.target = "elsewhere".parse().unwrap();
    let edited = world.gate.edit(&ana, id, "to staging", &change).unwrap();
    assert_eq!(edited.header.revision, 2);
    world.bench.runner.install(b"the next version");
    assert_eq!(stages.submit(id).unwrap_err().code(), Code::DigestMismatch);
    world.bench.runner.install(b"scripted plugin, version 1");
    world.gate.plan(&ana, id).unwrap();
    assert_eq!(stages.run(id).state.name(), StateName::Succeeded);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn what_may_not_come_from_there_any_more_does_not_run() {
    let stages = stages();
    let (world, root) = (&stages.world, stages.world.caller("root"));
    let project = world.project;
    let source = stages.succeeded();
    let id = stages.promote(source, stages.staging).unwrap().header.id;
    stages.submit(id).unwrap();
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
    let entered = world.bench.runner.entered().len();
    let refused = || world.gate.execute(&world.caller("cy"), id).unwrap_err();
    // A stage was put between.
    let (code, name) = ("test".parse().unwrap(), "Test".parse().unwrap());
    let criticality = Criticality::Low;
    let test = CreateEnvironment { project, code, name, priority: 2, criticality };
    let test = world.gate.manage(&root, &test).unwrap();
    let later = UpdateEnvironment {
        project,
        environment: stages.staging,
        name: "Staging".parse().unwrap(),
        priority: 3,
        criticality: Criticality::High,
    };
    world.gate.manage(&root, &later).unwrap();
    let error = refused();
    assert!(error.to_string().contains("skips `test`"), "{error}");
    world.gate.manage(&root, &RemoveEnvironment { project, environment: test }).unwrap();
    // It should have stood for longer.
    stages.rule(stages.staging, world.dev, HOUR_MS, false);
    assert_eq!(refused().code(), Code::Refused);
    world.bench.clock.advance_ms(HOUR_MS);
    // The target of the source says that nothing is there.
    world.bench.runner.reads(Outcome::Failed(Failure::new("absent", "it is not there")));
    world.gate.verify(&world.caller("bo"), source).unwrap();
    let error = refused();
    assert!(error.to_string().contains("says that it was not done"), "{error}");
    assert_eq!(world.bench.runner.entered().len(), entered);
    world.gate.verify(&world.caller("bo"), source).unwrap();
    drop(world.gate.execute(&world.caller("cy"), id).unwrap());
    assert_invariants(&*world.bench.parts.store);
}

/// Whatever is bound, changed behind the gate's back: each is refused at the start of the run, or nothing is changed.
#[test]
fn what_drifted_from_what_succeeded_does_not_run() {
    let stages = stages();
    let world = &stages.world;
    let store = &world.bench.parts.store;
    let source = stages.succeeded();
    let id = stages.promote(source, stages.staging).unwrap().header.id;
    stages.submit(id).unwrap();
    world.gate.approve(&world.caller("bo"), id, world.digest(id), None).unwrap();
    let entered = world.bench.runner.entered().len();
    let here = Key::from_segments(&["request", &id.to_string()]);
    let there = Key::from_segments(&["request", &source.to_string()]);
    let (ours, another) = (source.to_string(), RequestId::from_u128(99).to_string());
    let plugin = Digest::of(b"scripted plugin, version 1").to_string();
    let cases = [
        // Linked to another request, or to none.
        (&here, format!(r#""promoted_from":"{ours}""#), format!(r#""promoted_from":"{another}""#)),
        (&here, format!(r#""promoted_from":"{ours}""#), r#""promoted_from":null"#.to_owned()),
        // The source is another one now.
        (&there, r#""state":"SUCCEEDED""#.to_owned(), r#""state":"FAILED""#.to_owned()),
        (&there, r#""runner":"sql""#.to_owned(), r#""runner":"sqx""#.to_owned()),
        (&there, plugin, Digest::of(b"another").to_string()),
    ];
    for (key, from, to) in cases {
        let stored = store.get(key).unwrap().unwrap();
        let text = String::from_utf8(stored.value.clone()).unwrap();
        if !text.contains(&from) {
            // It stands beside the record, where its commitment vouches for it.
            continue;
        }
        let forged = text.replacen(&from, &to, 1);
        store.commit(Batch::default().put(key.clone(), forged.into_bytes())).unwrap();
        let error = world.gate.execute(&world.caller("cy"), id).unwrap_err();
        let is_caught =
            matches!(error.code(), Code::DigestMismatch | Code::StoreDamaged | Code::NotFound);
        assert!(is_caught, "{from} to {to}: {error}");
        store.commit(Batch::default().put(key.clone(), stored.value)).unwrap();
    }
    assert_eq!(world.bench.runner.entered().len(), entered);
    drop(world.gate.execute(&world.caller("cy"), id).unwrap());
}
