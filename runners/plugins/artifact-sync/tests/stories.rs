//! What should happen.

use placet_artifact_sync::ArtifactSync;
use placet_plugin_sdk::exchange::Exchange;
use placet_plugin_sdk::testing::{FakeHost, Fault, World};
use placet_plugin_sdk::{Failure, Finding, Job, Outcome, Plugin as _};
use serde_json::{Value, json};

use crate::jira::{Jira, SETTINGS, artifact, executed, job, planned, verified};

fn refused(world: &std::cell::RefCell<World<Jira>>, job: &Job) -> Finding {
    let plan = ArtifactSync::plan(&FakeHost::reading(world), job).unwrap();
    assert!(plan.steps.is_empty(), "{plan:?}");
    plan.findings.into_iter().find(|found| found.level == "error").expect("it is refused")
}

fn failed(outcome: Outcome) -> Failure {
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    failure
}

fn unknown(outcome: Outcome) -> Failure {
    let Outcome::Unknown(failure) = outcome else { panic!("{outcome:?}") };
    failure
}

fn with(mut artifact: Value, name: &str, value: Value) -> Value {
    artifact[name] = value;
    artifact
}

#[test]
fn an_artifact_becomes_an_issue_and_its_next_version_the_same_issue() {
    let world = World::of(Jira::default());
    let first = job(&[artifact(42, 1), artifact(43, 1)]);
    let plan = planned(&world, &first);
    assert_eq!(plan.steps.len(), 2);
    assert_eq!(plan.steps[0].title, "Create an issue for version 1 of USER_STORY/42");
    assert!(matches!(executed(&world, &first, &plan), Outcome::Succeeded(_)));
    assert!(matches!(verified(&world, &first, &plan), Outcome::Succeeded(_)));
    let issue = world.borrow().server.issues[0].clone();
    assert_eq!(issue.fields["project"], json!({"key": "SHOP"}));
    assert_eq!(issue.fields["issuetype"], json!({"name": "Story"}));
    assert_eq!(issue.fields["customfield_10016"], 3);
    assert_eq!(issue.fields["description"]["type"], "doc");
    assert_eq!(issue.property()["id"], "shop/USER_STORY/42");

    let mut second = job(&[artifact(42, 2)]);
    second.id.idempotency_key = "run_2".into();
    let plan = planned(&world, &second);
    assert_eq!(plan.steps[0].title, "Update SHOP-1 to version 2 of USER_STORY/42");
    assert_eq!(plan.steps[0].effect, "idempotent");
    assert!(matches!(executed(&world, &second, &plan), Outcome::Succeeded(_)));
    let world = world.borrow();
    assert_eq!(
        (world.server.issues.len(), world.server.issues[0].property()["version"].as_u64()),
        (2, Some(2))
    );
    assert_eq!(world.forbidden, 0);
}

#[test]
fn what_is_sent_is_what_was_approved() {
    let world = World::of(Jira::default());
    let job = job(&[artifact(1, 1)]);
    let plan = planned(&world, &job);
    world.borrow_mut().calls.clear();
    executed(&world, &job, &plan);
    // The others look before and after it.
    let is_write = |call: &&Exchange| matches!(call, Exchange::Http(call) if call.method != "GET" && !call.path_and_query.ends_with("/search/jql"));
    let world = world.borrow();
    let sent: Vec<_> = world.calls.iter().filter(is_write).map(Exchange::to_text).collect();
    assert_eq!(sent, [plan.steps[0].body.as_str()]);
    assert!(matches!(Exchange::parse(&sent[0]), Ok(Exchange::Http(call)) if call.method == "POST"));
}

#[test]
fn only_what_is_approved_or_synced_is_published() {
    for status in ["DRAFT", "PENDING_REVIEW", "CHANGES_REQUESTED", "REJECTED", "", "approved"] {
        let world = World::of(Jira::default());
        let bad = job(&[artifact(1, 1), with(artifact(2, 1), "status", json!(status))]);
        let found = ArtifactSync::validate(&bad.payload);
        assert_eq!(found[0].code, "artifact.not_approved", "{status}");
        assert!(found[0].message.starts_with("Artifact not approved"));
        assert_eq!(refused(&world, &bad).code, "artifact.not_approved");
        // Nor where a plan of another payload is put under it.
        let plan = planned(&world, &job(&[artifact(1, 1)]));
        let failure = failed(executed(&world, &bad, &plan));
        assert_eq!(
            (failure.code.as_str(), world.borrow().server.issues.len()),
            ("artifact.not_approved", 0)
        );
    }
    let synced = job(&[with(artifact(1, 1), "status", json!("SYNCED"))]);
    assert!(ArtifactSync::validate(&synced.payload).is_empty());
    assert_eq!(planned(&World::of(Jira::default()), &synced).steps.len(), 1);
}

#[test]
fn what_is_there_in_this_version_is_left_alone() {
    let world = World::of(Jira::default());
    let job = job(&[artifact(1, 1)]);
    let plan = planned(&world, &job);
    executed(&world, &job, &plan);
    let again = planned(&world, &job);
    assert_eq!((again.steps.len(), again.findings[0].code.as_str()), (0, "artifact.there"));
    // And so does an execution of the older plan, in another run. It sends nothing, and so is no success.
    let mut other = job.clone();
    other.id.idempotency_key = "run_2".into();
    let failure = failed(executed(&world, &other, &plan));
    assert_eq!((failure.code.as_str(), failure.applied), ("artifact.there", vec![]));
    assert!(failure.message.ends_with("plan again"), "{}", failure.message);
    assert_eq!(world.borrow().server.issues.len(), 1);
    assert_eq!(world.borrow().server.issues[0].writes, 1);
}

#[test]
fn what_was_published_meanwhile_stops_a_run_before_what_comes_after_it() {
    let world = World::of(Jira::default());
    let all = job(&[artifact(1, 1), artifact(2, 1), artifact(3, 1)]);
    let plan = planned(&world, &all);
    let mut second = job(&[artifact(2, 1)]);
    second.id.idempotency_key = "run_2".into();
    executed(&world, &second, &planned(&world, &second));
    let failure = failed(executed(&world, &all, &plan));
    assert_eq!((failure.code.as_str(), failure.applied), ("artifact.there", vec!["a1".to_owned()]));
    assert_eq!(world.borrow().server.issues.len(), 2);
    // Nor does it say so when it looks back: the second is there, and was not sent.
    let failure = failed(verified(&world, &all, &plan));
    assert_eq!((failure.code.as_str(), failure.applied), ("artifact.there", vec!["a1".to_owned()]));
    // What is planned next is what is left.
    let mut again = all.clone();
    again.id.idempotency_key = "run_3".into();
    let plan = planned(&world, &again);
    assert_eq!(plan.steps.len(), 1);
    assert!(matches!(executed(&world, &again, &plan), Outcome::Succeeded(_)));
    assert_eq!(world.borrow().server.issues.len(), 3);
}

#[test]
fn a_version_that_is_not_the_next_is_refused() {
    let world = World::of(Jira::default());
    let second = job(&[artifact(1, 2)]);
    let plan = planned(&world, &second);
    executed(&world, &second, &plan);
    assert_eq!(refused(&world, &job(&[artifact(1, 1)])).code, "artifact.newer");
    let other_text = with(artifact(1, 2), "digest", json!("ab".repeat(32)));
    assert_eq!(refused(&world, &job(&[other_text])).code, "artifact.newer");
    let twice = world.borrow().server.issues[0].clone();
    world.borrow_mut().server.issues.push(twice);
    assert_eq!(refused(&world, &job(&[artifact(1, 3)])).code, "artifact.twice");
}

#[test]
fn what_changed_since_the_plan_stops_the_run() {
    let world = World::of(Jira::default());
    let first = job(&[artifact(1, 1)]);
    let create = planned(&world, &first);
    let mut second = job(&[artifact(1, 2)]);
    executed(&world, &second, &planned(&world, &second));
    let mut run_3 = first.clone();
    run_3.id.idempotency_key = "run_3".into();
    let failure = failed(executed(&world, &run_3, &create));
    assert_eq!(
        (failure.code.as_str(), world.borrow().server.issues.len()),
        ("artifact.conflict", 1)
    );
    second.payload = job(&[artifact(9, 1)]).payload;
    assert_eq!(failed(executed(&world, &second, &create)).code, "artifact.changed");
}

#[test]
fn a_parent_is_found_or_named() {
    let world = World::of(Jira::default());
    let child = with(artifact(2, 1), "parent", json!({"type": "USER_STORY", "id": 1}));
    assert_eq!(refused(&world, &job(&[artifact(1, 1), child.clone()])).code, "artifact.parent");
    let parent = job(&[artifact(1, 1)]);
    executed(&world, &parent, &planned(&world, &parent));
    assert!(
        planned(&world, &job(&[child])).steps[0]
            .body
            .contains(r#"\"parent\":{\"key\":\"SHOP-1\"}"#)
    );
    let child = with(artifact(2, 1), "parent", json!({"key": "EPIC-7"}));
    assert!(
        planned(&world, &job(&[child])).steps[0]
            .body
            .contains(r#"\"parent\":{\"key\":\"EPIC-7\"}"#)
    );
}

#[test]
fn a_lost_answer_is_unknown_and_then_found_by_its_property() {
    let world = World::of(Jira::default());
    let job = job(&[artifact(1, 1), artifact(2, 1)]);
    let plan = planned(&world, &job);
    // The search, then the create.
    let host = FakeHost::writing(&world).failing(1, Fault::LostAfter);
    let failure = unknown(ArtifactSync::execute(&host, &job, &plan));
    assert_eq!((failure.code.as_str(), host.made()), ("artifact.unknown", 2));
    assert_eq!(unknown(executed(&world, &job, &plan)).code, "artifact.unknown", "never sent again");
    // The search is late: nobody knows, however late it is.
    world.borrow_mut().server.searchable = Some(0);
    world.borrow_mut().seconds = 86_400;
    assert_eq!(unknown(verified(&world, &job, &plan)).code, "artifact.unknown");
    world.borrow_mut().server.searchable = None;
    let failure = failed(verified(&world, &job, &plan));
    assert_eq!(
        (failure.code.as_str(), failure.applied),
        ("artifact.not_begun", vec!["a1".to_owned()])
    );
    assert_eq!(world.borrow().server.issues.len(), 1);
}

#[test]
fn an_artifact_that_somebody_else_creates_at_the_same_moment_is_no_success() {
    let world = World::of(Jira { has_rival: true, ..Jira::default() });
    let job = job(&[artifact(1, 1), artifact(2, 1)]);
    let plan = planned(&world, &job);
    let failure = failed(executed(&world, &job, &plan));
    assert_eq!((failure.code.as_str(), failure.applied), ("artifact.twice", vec!["a1".to_owned()]));
    assert_eq!(world.borrow().server.issues.len(), 2, "nothing was sent after it");
    assert_eq!(refused(&world, &job).code, "artifact.twice");
    // A search that is late shows one of them, and one is what there should be.
    let world = World::of(Jira { has_rival: true, searchable: Some(0), ..Jira::default() });
    assert!(matches!(executed(&world, &job, &plan), Outcome::Succeeded(_)));
}

#[test]
fn a_search_that_shows_not_all_of_them_says_nothing() {
    let world = World::of(Jira::default());
    let job = job(&[artifact(1, 1)]);
    let plan = planned(&world, &job);
    world.borrow_mut().server.has_pages = true;
    let why = ArtifactSync::plan(&FakeHost::reading(&world), &job).unwrap_err();
    assert!(why.contains("more than 50 issues"), "{why}");
    let failure = failed(executed(&world, &job, &plan));
    assert_eq!((failure.code.as_str(), world.borrow().server.issues.len()), ("jira.pages", 0));
}

#[test]
fn what_was_created_is_not_looked_for_where_other_settings_point() {
    let world = World::of(Jira::default());
    let job = job(&[artifact(1, 1)]);
    let plan = planned(&world, &job);
    let host = FakeHost::writing(&world).failing(1, Fault::LostAfter);
    unknown(ArtifactSync::execute(&host, &job, &plan));
    world.borrow_mut().seconds = 86_400;
    for (from, to) in [
        ("\"SHOP\"", "\"OTHER\""),
        ("{\"project\"", "{\"property\": \"other\", \"project\""),
        ("{\"project\"", "{\"search\": \"label\", \"project\""),
        ("{\"project\"", "{\"endpoint\": \"other\", \"project\""),
    ] {
        let mut other = job.clone();
        let changed = SETTINGS.replacen(from, to, 1);
        other.settings = changed.replacen('{', r#"{"absent": "not_begun", "#, 1);
        let looking = FakeHost::reading(&world);
        let outcome = unknown(ArtifactSync::verify(&looking, &other, &plan));
        assert_eq!((outcome.code.as_str(), looking.made()), ("artifact.changed", 0), "{to}");
        let acting = FakeHost::writing(&world);
        other.id.idempotency_key = "run_2".into();
        let failure = failed(ArtifactSync::execute(&acting, &other, &plan));
        assert_eq!((failure.code.as_str(), acting.made()), ("artifact.changed", 0), "{to}");
    }
    assert!(matches!(verified(&world, &job, &plan), Outcome::Succeeded(_)));
}

#[test]
fn an_update_that_was_lost_is_read_from_the_issue_itself() {
    let world = World::of(Jira::default());
    let first = job(&[artifact(1, 1)]);
    executed(&world, &first, &planned(&world, &first));
    let mut second = job(&[artifact(1, 2)]);
    second.id.idempotency_key = "run_2".into();
    let plan = planned(&world, &second);
    let host = FakeHost::writing(&world).failing(2, Fault::LostBefore);
    unknown(ArtifactSync::execute(&host, &second, &plan));
    assert_eq!(
        unknown(verified(&world, &second, &plan)).code,
        "artifact.unknown",
        "it may still come"
    );
    world.borrow_mut().seconds = 86_400;
    assert_eq!(failed(verified(&world, &second, &plan)).code, "artifact.not_begun");
}

#[test]
fn issues_can_be_found_by_a_label() {
    let world = World::of(Jira::default());
    let mut first = job(&[artifact(1, 1)]);
    first.settings = SETTINGS.replacen('{', r#"{"search": "label", "#, 1);
    let plan = planned(&world, &first);
    assert!(matches!(executed(&world, &first, &plan), Outcome::Succeeded(_)));
    assert_eq!(
        world.borrow().server.issues[0].fields["labels"],
        json!(["placet-shop-USER_STORY-1"])
    );
    assert_eq!(planned(&world, &first).findings[0].code, "artifact.there");
}

#[test]
fn payloads_and_settings_that_do_not_fit_are_refused() {
    let world = World::of(Jira::default());
    let good = || artifact(1, 1);
    for bad in [
        with(good(), "type", json!("user story")),
        with(good(), "id", json!(-1)),
        with(good(), "id", json!(9_007_199_254_740_992_u64)),
        with(good(), "version", json!(0)),
        with(good(), "digest", json!("abc")),
        with(good(), "title", json!("")),
        with(good(), "title", json!("a\nb")),
        with(good(), "title", json!("x".repeat(256))),
        with(good(), "parent", json!({"key": "../SHOP-1"})),
        with(good(), "parent", json!({"key": "SHOP-1/x"})),
        with(good(), "parent", json!({"type": "\" OR 1", "id": 1})),
        with(good(), "parent", json!({})),
        with(good(), "more", json!(1)),
    ] {
        assert_eq!(
            ArtifactSync::validate(&job(std::slice::from_ref(&bad)).payload)[0].code,
            "artifact.payload",
            "{bad}"
        );
        assert_eq!(refused(&world, &job(&[bad])).code, "artifact.payload");
    }
    assert_eq!(refused(&world, &job(&[])).code, "artifact.payload");
    assert_eq!(refused(&world, &job(&[good(), good()])).code, "artifact.payload");
    assert_eq!(refused(&world, &job(&vec![good(); 101])).code, "artifact.payload");
    for (settings, artifact) in [
        ("{}".to_owned(), good()),
        (SETTINGS.replace("SHOP", "A\\\" OR"), good()),
        // Its issues are called `SHOP-1` all the same, and no update of them would be ours.
        (SETTINGS.replace("SHOP", "shop"), good()),
        (SETTINGS.replace("SHOP", "1SHOP"), good()),
        (SETTINGS.replacen('{', r#"{"property": "a/b", "#, 1), good()),
        (SETTINGS.replacen('{', r#"{"more": 1, "#, 1), good()),
        (SETTINGS.replace("customfield_10016", "project"), good()),
        (SETTINGS.to_owned(), with(good(), "type", json!("OTHER"))),
        (SETTINGS.to_owned(), with(good(), "fields", json!({"other": 1}))),
    ] {
        let mut job = job(&[artifact]);
        job.settings = settings;
        assert_eq!(refused(&world, &job).code, "artifact.settings", "{}", job.settings);
    }
    assert!(world.borrow().server.issues.is_empty());
}
