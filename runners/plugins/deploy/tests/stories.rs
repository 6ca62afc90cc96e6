//! What should happen.

use std::cell::RefCell;

use placet_deploy::Deploy;
use placet_plugin_sdk::exchange::Exchange;
use placet_plugin_sdk::testing::{FakeHost, Fault, World};
use placet_plugin_sdk::{ChangePlan, Failure, Job, Outcome, Plugin as _};
use serde_json::json;

use crate::products::{DEADLINE, Products, RUN, TEMPLATES, TWO_STEPS, job, shipped, two_steps};

pub(crate) fn planned(job: &Job) -> ChangePlan {
    let plan = Deploy::plan(job).unwrap();
    assert!(plan.findings.iter().all(|found| found.level != "error"), "{:?}", plan.findings);
    plan
}

pub(crate) fn refused(job: &Job) -> String {
    let plan = Deploy::plan(job).unwrap();
    let error = plan.findings.iter().find(|found| found.level == "error").expect("it is refused");
    assert!(plan.steps.is_empty() && error.help.is_some());
    error.code.clone()
}

pub(crate) fn executed(world: &RefCell<World<Products>>, job: &Job) -> Outcome {
    let (run, plan) = (&job.id.idempotency_key, planned(job));
    let host = FakeHost::writing(world).approving(run, plan.steps.iter().map(|step| &step.body));
    let outcome = Deploy::execute(&host, job, &plan);
    let is_success = matches!(outcome, Outcome::Succeeded(_));
    assert!(!is_success || host.left() == 0, "a success without every step");
    assert_eq!(world.borrow().forbidden, 0, "it wrote what nobody approved");
    outcome
}

pub(crate) fn verified(world: &RefCell<World<Products>>, job: &Job) -> Outcome {
    Deploy::verify(&FakeHost::reading(world), job, &planned(job))
}

pub(crate) fn failed(outcome: Outcome) -> Failure {
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    failure
}

pub(crate) fn unknown(outcome: Outcome) -> Failure {
    let Outcome::Unknown(failure) = outcome else { panic!("{outcome:?}") };
    failure
}

#[test]
fn every_shipped_template_deploys_once_and_is_verified() {
    for (name, template) in TEMPLATES {
        let (world, job) = (World::of(Products::new()), shipped(name, template));
        let outcome = executed(&world, &job);
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{name}: {outcome:?}");
        assert_eq!(world.borrow().server.begun.len(), 1, "{name}");
        assert!(matches!(verified(&world, &job), Outcome::Succeeded(_)), "{name}");
        assert_eq!(world.borrow().forbidden, 0, "{name}");
    }
}

#[test]
fn what_is_sent_is_what_was_approved_with_the_name_of_the_run() {
    for (name, template) in TEMPLATES {
        let (world, job) = (World::of(Products::new()), shipped(name, template));
        let plan = planned(&job);
        executed(&world, &job);
        let approved = Exchange::parse(&plan.steps[0].body).unwrap();
        assert!(plan.steps[0].body.contains("{{placet.run}}"), "{name}");
        assert_eq!(world.borrow().calls[0], approved.filled(RUN).unwrap(), "{name}");
        assert_eq!(
            (plan.steps[0].kind.as_str(), plan.steps[0].effect.as_str()),
            ("deploy", "at-most-once")
        );
    }
}

#[test]
fn a_plan_shows_the_exact_call_and_what_is_read() {
    let plan = planned(&two_steps());
    let digest = "ab".repeat(32);
    assert_eq!(
        plan.steps[0].body,
        format!(
            r#"{{"http":{{"body":"{{\"options\":{{\"digest\":\"{digest}\",\"placet_run\":\"{{{{placet.run}}}}\",\"share\":5}}}}","endpoint":"rundeck","headers":[["content-type","application/json"]],"method":"POST","path":"/api/41/job/7/run"}}}}"#
        )
    );
    assert_eq!(
        plan.steps[1].body,
        r#"{"command":{"arguments":[["run","{{placet.run}}"],["to","blue"]],"name":"switch","stdin":""}}"#
    );
    assert_eq!(plan.steps[0].title, "Deploy 1.2.3 of shop");
    assert!(plan.steps.iter().all(|step| step.reversible));
    assert_eq!(plan.rollback.as_ref().unwrap()[0].id, "r-back");
    let codes: Vec<_> =
        plan.findings.iter().map(|found| (found.code.as_str(), found.step.as_deref())).collect();
    assert_eq!(
        codes,
        [
            ("deploy.poll", Some("run")),
            ("deploy.verify", Some("run")),
            ("deploy.verify", Some("switch")),
            ("deploy.health", None)
        ]
    );
    assert!(plan.findings.iter().all(|found| found.level == "info"));
}

#[test]
fn steps_follow_one_another_and_health_comes_last() {
    let world = World::of(Products::new());
    let Outcome::Succeeded(report) = executed(&world, &two_steps()) else { panic!() };
    assert_eq!(report.summary, "deployed in 2 steps");
    let world = world.borrow();
    assert_eq!((world.server.begun.len(), world.server.switched.len()), (1, 1));
    let last = world.calls.last().unwrap().to_text();
    assert!(last.contains(r#""endpoint":"shop""#), "{last}");
    // Between two looks it waits.
    assert_eq!(world.seconds, 10);
}

#[test]
fn a_deployment_that_fails_there_is_a_failure_that_took_effect() {
    for (name, template) in TEMPLATES {
        let (world, job) = (World::of(Products::new()), shipped(name, template));
        world.borrow_mut().server.fails = true;
        let plan = planned(&job);
        let failure = failed(executed(&world, &job));
        assert_eq!(
            (failure.code.as_str(), failure.applied),
            ("deploy.failed", vec![plan.steps[0].id.clone()]),
            "{name}"
        );
        assert_eq!(failed(verified(&world, &job)).code, "deploy.failed", "{name}");
    }
    let world = World::of(Products::new());
    world.borrow_mut().server.fails = true;
    assert_eq!(failed(executed(&world, &two_steps())).applied, ["run"]);
    assert!(world.borrow().server.switched.is_empty(), "nothing comes after a failure");
}

#[test]
fn a_system_that_is_not_well_is_a_failure_and_says_how_to_go_back() {
    let (world, job) = (World::of(Products::new()), two_steps());
    world.borrow_mut().server.is_ill = true;
    let failure = failed(executed(&world, &job));
    assert_eq!(failure.code, "deploy.unhealthy");
    assert_eq!(failure.applied, ["run", "switch"]);
    assert!(failure.message.contains("a rollback is a request of its own"));
    assert_eq!(failed(verified(&world, &job)).code, "deploy.unhealthy");
}

#[test]
fn a_rollback_is_a_request_of_its_own() {
    let payload = json!({
        "do": "shop", "rollback": true,
        "with": {"version": "1.2.3", "share": 5, "colour": "blue"},
        "artifact": {"name": "shop", "digest": "ab".repeat(32)}
    });
    let (world, job) = (World::of(Products::new()), job(TWO_STEPS, &payload.to_string()));
    let plan = planned(&job);
    assert_eq!(
        (plan.steps.len(), plan.steps[0].reversible, plan.rollback.is_none()),
        (1, false, true)
    );
    // What was planned for a deployment does not go back; it would deploy again.
    let forth = two_steps();
    let outcome = Deploy::rollback(&FakeHost::writing(&world), &forth, &planned(&forth));
    assert_eq!((failed(outcome).code.as_str(), world.borrow().calls.len()), ("unsupported", 0));
    let outcome = Deploy::rollback(&FakeHost::writing(&world), &job, &plan);
    assert!(matches!(outcome, Outcome::Succeeded(_)));
    assert_eq!(world.borrow().server.switched, [RUN]);
    let (_, template) = TEMPLATES[0];
    let none = crate::products::job(
        template,
        r#"{"do": "shop", "rollback": true, "with": {"version": "1"}}"#,
    );
    assert_eq!(refused(&none), "deploy.no_rollback");
}

#[test]
fn a_lost_answer_is_unknown_and_then_found_by_its_marker() {
    for (name, template) in TEMPLATES {
        let (world, job) = (World::of(Products::new()), shipped(name, template));
        let host = FakeHost::writing(&world).failing(0, Fault::LostAfter);
        let failure = unknown(Deploy::execute(&host, &job, &planned(&job)));
        assert_eq!((failure.code.as_str(), host.made()), ("deploy.unknown", 1), "{name}");
        // Under way: nobody knows yet.
        assert_eq!(unknown(verified(&world, &job)).code, "deploy.under_way", "{name}");
        world.borrow_mut().server.settle();
        assert!(matches!(verified(&world, &job), Outcome::Succeeded(_)), "{name}");
        // The same run is never sent again, whoever asks.
        assert_eq!(unknown(executed(&world, &job)).code, "deploy.unknown", "{name}");
        assert_eq!(world.borrow().server.begun.len(), 1, "{name}");
    }
}

#[test]
fn what_is_not_listed_stays_unknown_unless_the_list_is_complete() {
    let late = |world: &RefCell<World<Products>>, s| world.borrow_mut().seconds = s;
    // Rundeck's list as shipped is one page: nothing follows from what is not on it.
    let (name, template) = TEMPLATES[0];
    for (job, is_complete) in [(shipped(name, template), false), (two_steps(), true)] {
        let world = World::of(Products::new());
        let host = FakeHost::writing(&world).failing(0, Fault::LostBefore);
        unknown(Deploy::execute(&host, &job, &planned(&job)));
        assert!(DEADLINE.contains("00:30:00"));
        late(&world, 30 * 60 + 300);
        assert_eq!(unknown(verified(&world, &job)).code, "deploy.unknown");
        late(&world, 30 * 60 + 301);
        let now = verified(&world, &job);
        if is_complete {
            let failure = failed(now);
            assert_eq!((failure.code.as_str(), failure.applied), ("deploy.not_begun", vec![]));
        } else {
            unknown(now);
        }
    }
}

#[test]
fn what_left_the_queue_is_found_where_it_went() {
    let (name, template) = TEMPLATES[3];
    let (world, job) = (World::of(Products::new()), shipped(name, template));
    // The trigger, two looks at the queue, and one at the build.
    let host = FakeHost::writing(&world).cancelled_after(4);
    assert_eq!(unknown(Deploy::execute(&host, &job, &planned(&job))).code, "cancelled");
    let mut server = world.borrow().server.clone();
    server.settle();
    server.is_queue_tidied = true;
    world.borrow_mut().server = server;
    let found = verified(&world, &job);
    assert!(matches!(found, Outcome::Succeeded(_)), "{found:?}");
}

#[test]
fn a_run_is_not_looked_for_where_other_settings_point() {
    let (world, job) = (World::of(Products::new()), two_steps());
    let plan = planned(&job);
    let host = FakeHost::writing(&world).failing(0, Fault::LostAfter);
    unknown(Deploy::execute(&host, &job, &plan));
    world.borrow_mut().server.settle();
    world.borrow_mut().seconds = 86_400;
    let mut other = job.clone();
    other.settings = job.settings.replace(r#""job": "7""#, r#""job": "8""#);
    let looking = FakeHost::reading(&world);
    let outcome = unknown(Deploy::verify(&looking, &other, &plan));
    assert_eq!((outcome.code.as_str(), looking.made()), ("deploy.changed", 0));
    // How it is looked for may be corrected.
    other.settings = job.settings.replace(r#""times_max": 5"#, r#""times_max": 6"#);
    let found = failed(Deploy::verify(&FakeHost::reading(&world), &other, &plan));
    assert_eq!((found.code.as_str(), found.applied), ("deploy.not_begun", vec!["run".to_owned()]));
}

#[test]
fn a_command_that_may_be_under_way_is_not_told_as_never_begun() {
    let (world, job) = (World::of(Products::new()), two_steps());
    let plan = planned(&job);
    // The trigger and three looks; then the command, whose host dies before anything of it is to be seen.
    let host = FakeHost::writing(&world).failing(4, Fault::LostBefore);
    let lost = unknown(Deploy::execute(&host, &job, &plan));
    assert_eq!((lost.step.as_deref(), host.made()), (Some("switch"), 5));
    for seconds in [0, 30 * 60, 30 * 60 + 300] {
        world.borrow_mut().seconds = seconds;
        let now = unknown(verified(&world, &job));
        assert_eq!((now.code.as_str(), now.applied), ("deploy.unknown", vec!["run".to_owned()]));
    }
    world.borrow_mut().seconds = 30 * 60 + 301;
    let failure = failed(verified(&world, &job));
    assert_eq!(
        (failure.code.as_str(), failure.applied),
        ("deploy.not_begun", vec!["run".to_owned()])
    );
    // What it did after all is seen at any time.
    world.borrow_mut().seconds = 0;
    world.borrow_mut().server.switched.push(RUN.to_owned());
    assert!(matches!(verified(&world, &job), Outcome::Succeeded(_)));
}

#[test]
fn two_of_the_same_name_are_for_a_person() {
    let (name, template) = TEMPLATES[0];
    let (world, job) = (World::of(Products::new()), shipped(name, template));
    let host = FakeHost::writing(&world).failing(0, Fault::LostAfter);
    unknown(Deploy::execute(&host, &job, &planned(&job)));
    let twice = world.borrow().server.begun[0].clone();
    world.borrow_mut().server.begun.push(twice);
    world.borrow_mut().server.settle();
    assert_eq!(unknown(verified(&world, &job)).code, "deploy.several");
}

#[test]
fn a_late_list_is_asked_again() {
    let (name, template) = TEMPLATES[1];
    let (world, job) = (World::of(Products::new()), shipped(name, template));
    world.borrow_mut().server.late = 3;
    assert!(matches!(executed(&world, &job), Outcome::Succeeded(_)));
    let world = World::of(Products::new());
    world.borrow_mut().server.late = 1_000;
    assert_eq!(unknown(executed(&world, &job)).code, "deploy.no_id");
}

#[test]
fn a_cancelled_run_sends_nothing_more_and_does_not_lie_about_what_it_began() {
    let job = two_steps();
    let cancelled = |calls| {
        let world = World::of(Products::new());
        let host = FakeHost::writing(&world).cancelled_after(calls);
        let outcome = Deploy::execute(&host, &job, &planned(&job));
        (outcome, host.made())
    };
    let (outcome, made) = cancelled(0);
    assert_eq!((failed(outcome).code.as_str(), made), ("cancelled", 0));
    let (outcome, made) = cancelled(1);
    assert_eq!((unknown(outcome).code.as_str(), made), ("cancelled", 1));
    // The trigger and three looks: the first step ended, the second was not sent.
    let (outcome, made) = cancelled(4);
    let failure = failed(outcome);
    assert_eq!(
        (failure.code.as_str(), failure.applied, made),
        ("cancelled", vec!["run".to_owned()], 4)
    );
}

#[test]
fn a_command_that_was_not_begun_is_known_to_have_had_no_effect() {
    let job = two_steps();
    for (fault, code) in
        [(Fault::Timeout, "timeout"), (Fault::Cancelled, "cancelled"), (Fault::Limit, "limit")]
    {
        // The trigger and three looks; then the command.
        let world = World::of(Products::new());
        let host = FakeHost::writing(&world).failing(4, fault);
        let failure = failed(Deploy::execute(&host, &job, &planned(&job)));
        assert_eq!((failure.code.as_str(), host.made()), (code, 5));
        assert_eq!(
            (failure.step.as_deref(), failure.applied),
            (Some("switch"), vec!["run".to_owned()])
        );
        assert!(world.borrow().server.switched.is_empty());
    }
}

#[test]
fn what_could_not_be_noted_is_not_sent() {
    let (world, job) = (World::of(Products::new()), two_steps());
    let host = FakeHost::writing(&world).keeping(0);
    let failure = failed(Deploy::execute(&host, &job, &planned(&job)));
    assert_eq!((failure.code.as_str(), host.made()), ("checkpoint", 0));
    // Notes may also end later: what took effect stays in the outcome.
    let host = FakeHost::writing(&world).keeping(1);
    let failure = failed(Deploy::execute(&host, &job, &planned(&job)));
    assert_eq!((failure.code.as_str(), failure.applied), ("checkpoint", vec!["run".to_owned()]));
}

#[test]
fn another_attempt_has_a_name_and_notes_of_its_own() {
    let (name, template) = TEMPLATES[0];
    let (world, mut job) = (World::of(Products::new()), shipped(name, template));
    world.borrow_mut().server.fails = true;
    failed(executed(&world, &job));
    world.borrow_mut().server.fails = false;
    job.id.idempotency_key = "run_2".to_owned();
    assert!(matches!(executed(&world, &job), Outcome::Succeeded(_)));
    assert_eq!(world.borrow().server.begun.len(), 2);
    assert!(matches!(verified(&world, &job), Outcome::Succeeded(_)));
}

#[test]
fn payloads_and_values_that_do_not_fit_are_refused() {
    let codes = |payload: &str| -> Vec<String> {
        Deploy::validate(payload).into_iter().map(|found| found.code).collect()
    };
    assert!(codes(r#"{"do": "shop"}"#).is_empty());
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"do": ""}"#,
        r#"{"do": "shop", "more": 1}"#,
        r#"{"do": "shop", "with": {"a": [1]}}"#,
        r#"{"do": "shop", "with": {"a": 1.5}}"#,
        r#"{"do": "shop", "artifact": {"name": "a", "digest": "abc"}}"#,
        r#"{"do": "shop", "artifact": {"name": "a"}}"#,
    ] {
        assert_eq!(codes(bad), ["deploy.payload"], "{bad}");
    }
    let with = |version: &str, share: &str, colour: &str| {
        let payload = json!({
            "do": "shop", "with": {"version": version, "share": share, "colour": colour},
            "artifact": {"name": "shop", "digest": "ab".repeat(32)}
        });
        job(TWO_STEPS, &payload.to_string())
    };
    assert!(!planned(&with("1", "1", "green")).steps.is_empty());
    for bad in [
        with("", "1", "green"),
        with("a b", "1", "green"),
        with("a\nb", "1", "green"),
        with("{{placet.run}}", "1", "green"),
        with(&"1".repeat(129), "1", "green"),
        with("1", "0", "green"),
        with("1", "+1", "green"),
        with("1", "101", "green"),
        with("1", "1", "red"),
        job(TWO_STEPS, r#"{"do": "shop", "with": {"version": "1"}}"#),
        job(
            TWO_STEPS,
            r#"{"do": "shop", "with": {"version": "1", "share": 1, "colour": "blue", "more": "1"}}"#,
        ),
    ] {
        assert_eq!(refused(&bad), "deploy.values");
    }
    assert_eq!(refused(&job(TWO_STEPS, r#"{"do": "other"}"#)), "deploy.unknown");
    // The template has no place for an artifact.
    let artifact = json!({"do": "shop", "with": {"version": "1"}, "artifact": {"name": "a", "digest": "ab".repeat(32)}});
    assert_eq!(refused(&job(TEMPLATES[0].1, &artifact.to_string())), "deploy.values");
    // The template asks for an artifact.
    let without = r#"{"do": "shop", "with": {"version": "1", "share": 1, "colour": "blue"}}"#;
    assert_eq!(refused(&job(TWO_STEPS, without)), "deploy.settings");
}

#[test]
fn no_value_leaves_its_place() {
    let template = |path: &str| {
        format!(
            r#"{{"holes": {{"v": {{"text": {{"also": "./?#%&=;+ \"\\"}}}}}}, "steps": [{{"id": "a", "title": "t",
            "http": {{"endpoint": "ci", "path": "{path}", "form": [["v", "{{v}}"]], "json": null}}}}]}}"#
        )
    };
    let body = |path: &str, value: &str| {
        let payload = json!({"do": "shop", "with": {"v": value}});
        Deploy::plan(&job(&template(path), &payload.to_string()))
            .unwrap()
            .steps
            .pop()
            .map(|step| step.body)
    };
    assert!(body("/x/{v}/y", "a/../b").unwrap().contains(r#""path":"/x/a%2F..%2Fb/y""#));
    assert!(body("/x?v={v}&w=1", "1&w=2#").unwrap().contains(r#""path":"/x?v=1%26w%3D2%23&w=1""#));
    assert!(body("/x", "1&v=2 \"").unwrap().contains(r#""body":"v=1%26v%3D2%20%22""#));
    assert_eq!(body("/x/{v}/y", ".."), None);
    assert_eq!(body("/x/{v}", "."), None);
    for odd in ["x", "//evil.example/x", "/x y", "/x#y", "/../x", "/{marker", "/{nobody}"] {
        assert_eq!(body(odd, "1"), None, "{odd}");
    }
}

#[test]
fn an_application_that_is_synced_by_somebody_else_is_not_ours() {
    let (name, template) = TEMPLATES[4];
    let (world, job) = (World::of(Products::new()), shipped(name, template));
    let host = FakeHost::writing(&world).failing(0, Fault::LostAfter);
    unknown(Deploy::execute(&host, &job, &planned(&job)));
    let mut other = shipped(name, template);
    other.id.idempotency_key = "run_2".to_owned();
    assert!(matches!(executed(&world, &other), Outcome::Succeeded(_)));
    assert_eq!(unknown(verified(&world, &job)).code, "deploy.unknown");
}
