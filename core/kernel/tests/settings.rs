//! The settings of runners: who gives them, what jobs get of them, and that a plan holds for those it was made with.

use std::sync::Arc;
use std::sync::Mutex;

use placet_core::audit::AuditQuery;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, Promotion};
use placet_core::id::EnvironmentId;
use placet_core::org::Slug;
use placet_core::org::command::{RemoveEnvironment, SetPromotion, SetQuorum, SetRunnerSettings};
use placet_core::request::{Quorum, StateName};
use placet_core::runner::{Failure, Finding, Job, Outcome, Plan, RunLink, Runner, RunnerInfo};
use placet_core::testing::{ScriptedRunner, Seen};

use crate::world::{World, assert_invariants};

/// Does what the script says, and writes down the settings of each job.
#[derive(Debug)]
struct Listening {
    script: Arc<ScriptedRunner>,
    heard: Heard,
    with: With,
}

impl Listening {
    fn hear(&self, act: &'static str, job: &Job) {
        self.heard.lock().unwrap().push((act, job.settings.clone()));
    }
}

impl Runner for Listening {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        let mut info = self.script.describe(runner)?;
        match *self.with.lock().unwrap() {
            Here::Alone => {}
            Here::With(reviewer) => info.configuration = Some(Digest::of(reviewer)),
            Here::Nothing => {
                return Err(Error::new(Code::UnknownRunner, "it is installed elsewhere"));
            }
        }
        Ok(info)
    }

    fn validate(&self, runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error> {
        self.script.validate(runner, payload)
    }

    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error> {
        self.hear("plan", job);
        self.script.plan(job, link)
    }

    fn execute(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        self.hear("execute", job);
        self.script.execute(job, approved, link)
    }

    fn verify(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        self.hear("verify", job);
        self.script.verify(job, approved, link)
    }
}

type Heard = Arc<Mutex<Vec<(&'static str, String)>>>;
type With = Arc<Mutex<Here>>;

/// What is installed here.
#[derive(Debug)]
enum Here {
    /// The plugin.
    Alone,
    /// The plugin, and a reviewer of the host's.
    With(&'static [u8]),
    /// Neither.
    Nothing,
}

/// The world, whose runner tells which settings it got.
fn listening() -> (World, Heard) {
    let (world, heard, _) = reviewed();
    (world, heard)
}

/// The same, and a hand on what is installed.
fn reviewed() -> (World, Heard, With) {
    let mut world = World::new();
    let (heard, with) = (Heard::default(), Arc::new(Mutex::new(Here::Alone)));
    let mut parts = world.bench.parts.clone();
    let (script, ears) = (Arc::clone(&world.bench.runner), Arc::clone(&heard));
    parts.runner = Arc::new(Listening { script, heard: ears, with: Arc::clone(&with) });
    world.gate = Gate::new(parts);
    (world, heard, with)
}

/// What was planned before a reviewer was installed, or by another version, was not reviewed by what would run now.
#[test]
fn what_another_plugin_planned_is_planned_again_when_it_is_submitted() {
    let (world, heard, with) = reviewed();
    let mut id = None;
    for change in 0..3 {
        world.step(&mut id, "draft ana").unwrap();
        world.gate.plan(&world.caller("ana"), id.unwrap()).unwrap();
        match change {
            0 => world.bench.runner.install(b"the next version"),
            1 => *with.lock().unwrap() = Here::With(b"a reviewer"),
            _ => *with.lock().unwrap() = Here::With(b"a stricter reviewer"),
        }
        take(&heard);
        for step in ["submit ana", "approve bo", "execute bo"] {
            world.step(&mut id, step).unwrap();
        }
        assert_eq!(take(&heard).len(), 2, "planned again, and run");
        assert_eq!(world.look(id.unwrap()).state.name(), StateName::Succeeded);
        id = None;
    }
    // As long as nothing changed, once is enough.
    world.step(&mut id, "draft ana").unwrap();
    world.gate.plan(&world.caller("ana"), id.unwrap()).unwrap();
    take(&heard);
    world.step(&mut id, "submit ana").unwrap();
    assert_eq!(take(&heard), []);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn nobody_approves_what_another_plugin_planned() {
    let (world, heard, with) = reviewed();
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    let bo = world.caller("bo");
    let offered = || {
        let offers = world.gate.actions(&bo, id.unwrap()).unwrap().offers;
        let offer = offers.into_iter().find(|offer| offer.action.as_str() == "APPROVE").unwrap();
        offer.refusal.map(|error| error.code())
    };
    assert_eq!(offered(), None);
    *with.lock().unwrap() = Here::With(b"a reviewer");
    assert_eq!(offered(), Some(Code::DigestMismatch));
    let digest = world.digest(id.unwrap());
    let error = world.gate.approve(&bo, id.unwrap(), digest, None).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch, "{error}");
    assert_eq!(world.look(id.unwrap()).state.name(), StateName::PendingApproval);
    // Where none is installed, another node has it: people agree here all the same.
    *with.lock().unwrap() = Here::Nothing;
    assert_eq!(offered(), None);
    // Sent back, it is planned by what is there now.
    *with.lock().unwrap() = Here::With(b"a reviewer");
    world.step(&mut id, "return bo there is a reviewer now").unwrap();
    take(&heard);
    for step in ["submit ana", "approve bo"] {
        world.step(&mut id, step).unwrap();
    }
    assert_eq!(take(&heard).len(), 1);
    // A run is compared with the whole of it too.
    *with.lock().unwrap() = Here::With(b"a stricter reviewer");
    assert_eq!(world.step(&mut id, "execute bo").unwrap_err().code(), Code::DigestMismatch);
    *with.lock().unwrap() = Here::With(b"a reviewer");
    world.step(&mut id, "execute bo").unwrap();
    assert_invariants(&*world.bench.parts.store);
}

fn take(heard: &Heard) -> Vec<(&'static str, String)> {
    std::mem::take(&mut *heard.lock().unwrap())
}

fn set_in(world: &World, environment: EnvironmentId, settings: &str) -> Result<(), Error> {
    let (runner, settings) = ("sql".parse().unwrap(), settings.to_owned());
    let command = SetRunnerSettings { project: world.project, environment, runner, settings };
    world.gate.manage(&world.caller("root"), &command)
}

fn set(world: &World, settings: &str) {
    set_in(world, world.dev, settings).unwrap();
}

const STRICT: &str = r#"{"backup":"required","rows_max":10}"#;

#[test]
fn jobs_have_the_settings_of_their_environment_and_runner() {
    let (world, heard) = listening();
    set(&world, r#" { "rows_max": 10, "backup": "required" } "#);
    set_in(&world, world.prod, r#"{"rows_max":1}"#).unwrap();
    let other = SetRunnerSettings {
        project: world.project,
        environment: world.dev,
        runner: "deploy".parse().unwrap(),
        settings: r#"{"replicas":3}"#.to_owned(),
    };
    world.gate.manage(&world.caller("root"), &other).unwrap();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "execute bo", "verify bo"] {
        world.step(&mut id, step).unwrap();
    }
    let strict = STRICT.to_owned();
    let expected = [("plan", strict.clone()), ("execute", strict.clone()), ("verify", strict)];
    assert_eq!(take(&heard), expected);
    // Where nobody said anything, an empty object.
    set(&world, "{}");
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    assert_eq!(take(&heard), [("plan", "{}".to_owned())]);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn they_are_kept_and_audited_and_go_with_their_environment() {
    let world = World::new();
    let (root, project) = (world.caller("root"), world.project);
    let kept = || world.gate.organisation(&root, project).unwrap().runner_settings;
    set(&world, r#"{"rows_max": 10, "backup": "required"}"#);
    set(&world, r#"{"rows_max": 11}"#);
    assert_eq!(
        kept().iter().map(|row| row.settings.as_str()).collect::<Vec<_>>(),
        [r#"{"rows_max":11}"#]
    );
    let query = AuditQuery::default().event("org.runner_settings_set").unwrap();
    let entries = world.gate.query_audit(&root, &query, None, 10).unwrap().entries;
    let told: Vec<_> = entries.iter().map(|(_, leaf)| leaf.facts["settings"].clone()).collect();
    let mut expected =
        [STRICT, r#"{"rows_max":11}"#].map(|text| Digest::of(text.as_bytes()).to_string());
    // Newest first or last: what counts is that each is there.
    let mut told = told;
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    assert_eq!(entries[0].1.facts["runner"], "sql");
    assert_eq!(entries[0].1.facts["environment"], world.dev.to_string());
    set(&world, "{}");
    assert!(kept().is_empty());
    // What is taken away twice is gone.
    set(&world, "{ }");
    set_in(&world, world.prod, STRICT).unwrap();
    let environment = world.prod;
    world.gate.manage(&root, &RemoveEnvironment { project, environment }).unwrap();
    assert!(kept().is_empty());
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn whoever_may_not_manage_gives_none() {
    let world = World::new();
    let (project, environment) = (world.project, world.dev);
    for name in ["ana", "bo", "robot", "eve", "aud"] {
        let (runner, settings) = ("sql".parse().unwrap(), STRICT.to_owned());
        let command = SetRunnerSettings { project, environment, runner, settings };
        let error = world.gate.manage(&world.caller(name), &command).unwrap_err();
        assert!(matches!(error.code(), Code::Denied | Code::NotFound), "{name}: {error}");
    }
    let shop = world.gate.organisation(&world.caller("root"), project).unwrap();
    assert!(shop.runner_settings.is_empty());
}

#[test]
fn what_was_planned_with_other_settings_does_not_run() {
    let (world, heard) = listening();
    set(&world, STRICT);
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo"] {
        world.step(&mut id, step).unwrap();
    }
    take(&heard);
    // Neither looser ones nor stricter ones: approvers relied on those that they saw.
    for other in [r#"{"backup":"off"}"#, r#"{"backup":"required","rows_max":1}"#, "{}"] {
        set(&world, other);
        let error = world.step(&mut id, "execute bo").unwrap_err();
        assert_eq!(error.code(), Code::DigestMismatch, "{error}");
    }
    assert!(take(&heard).is_empty(), "the runner saw nothing of it");
    // As they were, it runs. Another spelling is no other settings.
    set(&world, r#"{ "rows_max": 10, "backup": "required" }"#);
    world.step(&mut id, "execute bo").unwrap();
    assert_eq!(take(&heard), [("execute", STRICT.to_owned())]);
    assert_invariants(&*world.bench.parts.store);
}

#[test]
fn what_is_submitted_is_planned_with_the_settings_of_that_moment() {
    let (world, heard) = listening();
    let mut id = None;
    world.step(&mut id, "draft ana").unwrap();
    world.gate.plan(&world.caller("ana"), id.unwrap()).unwrap();
    set(&world, STRICT);
    world.step(&mut id, "submit ana").unwrap();
    let settings: Vec<String> = take(&heard).into_iter().map(|(_, settings)| settings).collect();
    assert_eq!(settings, ["{}", STRICT]);
    for step in ["approve bo", "execute bo"] {
        world.step(&mut id, step).unwrap();
    }
}

#[test]
fn an_approval_is_for_the_settings_too() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    let seen = world.digest(id.unwrap());
    set(&world, STRICT);
    // Sent back and submitted again, the steps are the same, and it is another thing to agree to.
    for step in ["return bo look again", "submit ana"] {
        world.step(&mut id, step).unwrap();
    }
    let error = world.gate.approve(&world.caller("bo"), id.unwrap(), seen, None).unwrap_err();
    assert_eq!(error.code(), Code::DigestMismatch);
}

#[test]
fn what_failed_runs_again_with_the_same_settings_or_not_at_all() {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo"] {
        world.step(&mut id, step).unwrap();
    }
    world.bench.runner.ends_with(Outcome::Failed(Failure::new("sql.1", "no")));
    assert_eq!(world.step(&mut id, "execute bo").unwrap().state.name(), StateName::Failed);
    set(&world, STRICT);
    assert_eq!(world.step(&mut id, "rerun bo").unwrap_err().code(), Code::DigestMismatch);
    // How it ended can be found out all the same.
    world.bench.runner.reads(Outcome::Failed(Failure::new("sql.1", "nothing stands there")));
    world.step(&mut id, "verify bo").unwrap();
    set(&world, "{}");
    assert_eq!(world.step(&mut id, "rerun bo").unwrap().state.name(), StateName::Succeeded);
}

#[test]
fn a_batch_stops_where_the_settings_changed() {
    let world = World::new();
    let mut new = world.new_request(world.dev);
    new.change = new.change.and_then_at(["second".parse().unwrap()], world.gate.limits()).unwrap();
    let (ana, bo) = (world.caller("ana"), world.caller("bo"));
    let id = world.gate.draft_and_submit(&ana, &new).unwrap().header.id;
    world.gate.approve(&bo, id, world.digest(id), None).unwrap();
    let run = || {
        let ticket = world.gate.execute(&bo, id)?;
        world.gate.drive(ticket, &Seen::default())
    };
    assert_eq!(run().unwrap().state.name(), StateName::Approved);
    set(&world, STRICT);
    assert_eq!(run().unwrap_err().code(), Code::DigestMismatch);
    set(&world, "{}");
    assert_eq!(run().unwrap().state.name(), StateName::Succeeded);
}

#[test]
fn a_promoted_change_has_the_settings_of_where_it_comes_to() {
    let (world, heard) = listening();
    let (root, project) = (world.caller("root"), world.project);
    let (environment, from) = (world.prod, world.dev);
    let rule = SetPromotion { project, environment, from, soak_ms: 0, only_promoted: true };
    world.gate.manage(&root, &rule).unwrap();
    let quorum = Quorum::n_of(1, None).unwrap();
    world.gate.manage(&root, &SetQuorum { project, environment, quorum }).unwrap();
    set_in(&world, environment, STRICT).unwrap();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "execute bo"] {
        world.step(&mut id, step).unwrap();
    }
    take(&heard);
    let to = Promotion { environment, targets: Vec::new() };
    let ana = world.caller("ana");
    let mut next = Some(world.gate.promote(&ana, id.unwrap(), &to).unwrap().header.id);
    for step in ["submit ana", "approve bo", "execute bo"] {
        world.step(&mut next, step).unwrap();
    }
    assert_eq!(take(&heard), [("plan", STRICT.to_owned()), ("execute", STRICT.to_owned())]);
}

/// Accepts settings, until it is asked.
#[derive(Debug)]
struct Broken;

impl Runner for Broken {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        Ok(RunnerInfo::new(runner.clone(), "1".to_owned(), Digest::of(b"1")))
    }

    fn validate(&self, _runner: &Slug, _payload: &str) -> Result<Vec<Finding>, Error> {
        Ok(Vec::new())
    }

    fn check_settings(&self, _runner: &Slug, _settings: &str) -> Result<(), Error> {
        panic!("the words of these settings are too long for me")
    }

    fn plan(&self, _job: &Job, _link: &dyn RunLink) -> Result<Plan, Error> {
        Ok(Plan::new(Vec::new(), Vec::new()))
    }

    fn execute(&self, _job: &Job, _approved: &Plan, _link: &dyn RunLink) -> Outcome {
        Outcome::Failed(Failure::new("never", "it is not run"))
    }

    fn verify(&self, _job: &Job, _approved: &Plan, _link: &dyn RunLink) -> Outcome {
        Outcome::Failed(Failure::new("never", "it is not run"))
    }
}

#[test]
fn a_runner_that_fails_on_settings_did_not_accept_them() {
    let mut world = World::new();
    let mut parts = world.bench.parts.clone();
    parts.runner = Arc::new(Broken);
    world.gate = Gate::new(parts);
    assert_eq!(set_in(&world, world.dev, STRICT).unwrap_err().code(), Code::InvalidInput);
    let shop = world.gate.organisation(&world.caller("root"), world.project).unwrap();
    assert!(shop.runner_settings.is_empty());
    // Taking settings away asks nobody.
    set(&world, "{}");
}
