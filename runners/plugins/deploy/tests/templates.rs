//! What the words of a template say, and templates that nobody can follow.

use placet_deploy::Deploy;
use placet_plugin_sdk::Outcome;
use placet_plugin_sdk::testing::{FakeHost, Fault, World};

use crate::products::{Products, TEMPLATES, TWO_STEPS, job, shipped, two_steps};
use crate::stories::{executed, failed, planned, refused, unknown, verified};

#[test]
fn a_build_that_has_a_result_and_goes_on_is_not_told_as_ended() {
    let (name, template) = TEMPLATES[3];
    for fails in [false, true] {
        let (world, job) =
            (World::of(Products { fails, ..Products::new() }), shipped(name, template));
        let host = FakeHost::writing(&world).failing(0, Fault::LostAfter);
        unknown(Deploy::execute(&host, &job, &planned(&job)));
        // At the next look it says `building` and a result, both.
        world.borrow_mut().server.begun[0].left = 1;
        assert_eq!(unknown(verified(&world, &job)).code, "deploy.under_way", "fails={fails}");
        let ended = verified(&world, &job);
        assert_eq!(matches!(ended, Outcome::Succeeded(_)), !fails, "{ended:?}");
        assert_eq!(matches!(ended, Outcome::Failed(_)), fails, "{ended:?}");
    }
}

#[test]
fn what_may_go_on_or_never_ran_is_not_told_as_a_failure() {
    let ended = |name: &str, word| {
        let (_, template) = TEMPLATES.into_iter().find(|(known, _)| *known == name).unwrap();
        let world = World::of(Products { ends_as: Some(word), ..Products::new() });
        (executed(&world, &shipped(name, template)), verified(&world, &shipped(name, template)))
    };
    for (name, word) in [
        // Rundeck began another execution with the same options.
        ("rundeck", "failed-with-retry"),
        ("github", "action_required"),
        ("github", "skipped"),
        ("github", "neutral"),
        ("github", "stale"),
        ("gitlab", "skipped"),
        ("gitlab-trigger", "skipped"),
    ] {
        let (told, found) = ended(name, word);
        assert_eq!(unknown(told).code, "deploy.word", "{name} {word}");
        assert_eq!(unknown(found).code, "deploy.word", "{name} {word}");
    }
    for (name, word) in [
        ("rundeck", "aborted"),
        ("github", "cancelled"),
        ("github", "timed_out"),
        ("github", "startup_failure"),
        ("gitlab", "canceled"),
        ("gitlab-trigger", "canceled"),
        ("jenkins", "UNSTABLE"),
    ] {
        let (told, found) = ended(name, word);
        assert_eq!(failed(told).code, "deploy.failed", "{name} {word}");
        assert_eq!(failed(found).code, "deploy.failed", "{name} {word}");
    }
}

#[test]
fn what_no_answer_can_hold_is_refused_and_not_told_as_never_begun() {
    // Each would find nothing of a run that goes on, in a list that is complete.
    let blind = [
        (r#"{"**": {"contains": "{marker}"}}, "id""#, r#"{"**": {"contian": "{marker}"}}, "id""#),
        (r#"{"**": {"contains": "{marker}"}}, "id""#, r#"{"argstring": "{marker}"}, "id""#),
        (r#"{"**": {"contains": "{marker}"}}, "id""#, r#"{"***": "{marker}"}, "id""#),
        (r#"{"**": {"contains": "{marker}"}}, "id""#, r#"{"**": 7}, "id""#),
        (r#"{"**": {"contains": "{marker}"}}, "id""#, r#"{"**": {"contains": ""}}, "id""#),
        (r#""items": "/executions""#, r#""items": "executions""#),
        (r#""id": "/id", "absent""#, r#""id": "id", "absent""#),
        (r#""found": {"body": "/id"}"#, r#""found": {"body": "id"}"#),
        (r#""state": ["/status"]"#, r#""state": ["status"]"#),
        (r#""state": ["/status"]"#, r#""ours": {"id": "1"}, "state": ["/status"]"#),
        (r#""state": ["/status"]"#, r#""ours": {"/id": {"contain": "1"}}, "state": ["/status"]"#),
        (r#""where": {"/status": "ok"}"#, r#""where": {"status": "ok"}"#),
        (r#""where": {"/status": "ok"}"#, r#""where": {"/status": {"is": "ok"}}"#),
    ];
    for (good, bad) in blind {
        let template = TWO_STEPS.replacen(good, bad, 1);
        assert_ne!(template, TWO_STEPS, "{good}");
        let job = job(&template, &two_steps().payload);
        assert_eq!(refused(&job), "deploy.settings", "{bad}");
    }
    for good in ["{\"\": [1]}", "{\"/status\": null, \"/a/0\": [1, 2]}", "{\"**\": \"ok\"}"] {
        let template = TWO_STEPS.replacen(r#"{"/status": "ok"}"#, good, 1);
        planned(&job(&template, &two_steps().payload));
    }
    // A part that turns out to be empty says nothing either.
    let template = TWO_STEPS
        .replacen(r#""set": {"job": "7"}"#, r#""set": {"job": "7", "part": ""}"#, 1)
        .replacen(r#"{"contains": "{marker}"}"#, r#"{"contains": "{part}"}"#, 1);
    let (world, job) = (World::of(Products::new()), job(&template, &two_steps().payload));
    let host = FakeHost::writing(&world).failing(0, Fault::LostAfter);
    unknown(Deploy::execute(&host, &job, &planned(&job)));
    world.borrow_mut().seconds = 86_400;
    assert_eq!(unknown(verified(&world, &job)).code, "deploy.unknown");
}

#[test]
fn settings_that_nobody_can_follow_are_refused() {
    let step = |rest: &str| format!(r#"{{"steps": [{{"id": "a", "title": "t", {rest}}}]}}"#);
    let http = r#""http": {"endpoint": "ci", "path": "/"}"#;
    let found = r#""found": {"body": "/id"}, "poll": {"path": "/{id}", "state": ["/s"], "words": {"a": "running"}}"#;
    for bad in [
        r#"{"steps": []}"#.to_owned(),
        r#"{"steps": [], "more": 1}"#.to_owned(),
        step(r#""risk": "low""#),
        step(&format!(r#"{http}, "command": {{"name": "a"}}"#)),
        step(r#""http": {"endpoint": "ci", "path": "/", "json": {}, "form": []}"#),
        step(&format!(r#"{http}, "found": {{"body": "/id"}}"#)),
        step(&format!(
            r#"{http}, "found": "marker", "poll": {{"path": "/", "state": [], "words": {{}}}}"#
        )),
        step(&format!(r#"{http}, "verify": {{"path": "/", "where": {{}}}}"#)),
        step(&format!(r#"{http}, {found}, "verify": {{"path": "/", "where": {{"/a": "b"}}}}"#)),
        step(&format!(r#"{http}, {}"#, found.replace("\"running\"", "\"walking\""))),
        step(&format!(r#"{http}, {}"#, found.replace("\"words\"", "\"every_ms\": 1, \"words\""))),
        step(&format!(r#"{http}, {}"#, found.replace("/{id}", "/{nobody}"))),
        step(r#""command": {"name": "a"}, "verify": {"path": "/", "where": {"/a": "b"}}"#),
        step(&format!(r#"{http}, "check": {{"name": "a"}}"#)),
        step(http).replace("\"id\": \"a\"", "\"id\": \"a b\""),
        format!(
            r#"{{"set": {{"a": "1"}}, "holes": {{"a": {{"text": {{}}}}}}, "steps": [{{"id": "a", "title": "t", {http}}}]}}"#
        ),
    ] {
        assert_eq!(refused(&job(&bad, r#"{"do": "shop"}"#)), "deploy.settings", "{bad}");
    }
    let plan = planned(&job(&step(http), r#"{"do": "shop"}"#));
    let codes: Vec<_> = plan.findings.iter().map(|found| found.code.as_str()).collect();
    assert_eq!(codes, ["deploy.no_marker", "deploy.no_poll"]);
}

#[test]
fn a_state_that_nobody_explained_is_no_success() {
    let (name, template) = TEMPLATES[0];
    let template = template.replace("\"succeeded\": \"succeeded\",", "");
    let (world, job) = (World::of(Products::new()), shipped(name, &template));
    assert_eq!(unknown(executed(&world, &job)).code, "deploy.word");
}

#[test]
fn settings_that_changed_since_the_approval_stop_the_run() {
    let (name, template) = TEMPLATES[0];
    let approved = planned(&shipped(name, template));
    for changed in [
        template.replace("placet_run", "other_run"),
        template.replace("\"api\": \"41\"", "\"api\": \"40\""),
        template.replace("\"id\": \"run\"", "\"id\": \"walk\""),
    ] {
        let (world, job) = (World::of(Products::new()), shipped(name, &changed));
        let host = FakeHost::writing(&world);
        let failure = failed(Deploy::execute(&host, &job, &approved));
        assert_eq!((failure.code.as_str(), host.made()), ("deploy.changed", 0));
    }
}
