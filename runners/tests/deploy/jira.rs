//! Artifacts, as issues: each version once, found again by their property, and never one that nobody approved.

use placet_core::runner::{Job, Level, Outcome, Plan, Runner as _};
use placet_runners::deploy::testing::{Fault, Product, Scope};
use serde_json::{Value, json};

use super::ground::{Ground, job};
use crate::bench::failure;

const SETTINGS: &str = r#"{"project": "SHOP", "types": {"USER_STORY": "Story"}}"#;

fn artifact(id: u64, version: u32, status: &str) -> Value {
    json!({
        "type": "USER_STORY", "id": id, "version": version, "status": status,
        "digest": format!("{id:032x}{version:032x}"), "title": format!("Story {id}"), "text": "# Why\nso",
    })
}

fn publish(artifacts: &[Value]) -> Job {
    let job = job("artifact-sync", &json!({ "artifacts": artifacts }));
    Job { settings: SETTINGS.to_owned(), ..job }
}

/// Another attempt at the same.
fn again(job: &Job) -> Job {
    let mut id = job.id;
    id.attempt = id.attempt.saturating_add(1);
    id.run = placet_core::id::RunId::from_u128(0xbeef);
    Job { id, ..job.clone() }
}

fn published(ground: &Ground, job: &Job) -> (Plan, Outcome) {
    let plan = ground.plan(job);
    let outcome = ground.execute(job, &plan);
    (plan, outcome)
}

#[test]
fn an_artifact_becomes_one_issue_and_its_next_version_the_same() {
    let ground = Ground::of(Product::Jira);
    let first = publish(&[artifact(1, 1, "APPROVED"), artifact(2, 1, "SYNCED")]);
    let (plan, outcome) = published(&ground, &first);
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert_eq!((plan.steps.len(), ground.server.begun()), (2, 2));
    let second = again(&publish(&[artifact(1, 2, "APPROVED")]));
    let (plan, outcome) = published(&ground, &second);
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert_eq!(plan.steps[0].title, "Update SHOP-1 to version 2 of USER_STORY/1");
    assert_eq!(ground.server.begun(), 2);
    // What is there is not written once more.
    let plan = ground.plan(&again(&second));
    assert!(plan.steps.is_empty() && plan.findings[0].code == "artifact.there", "{plan:?}");
}

#[test]
fn what_nobody_approved_is_refused_before_anything_is_asked() {
    let ground = Ground::of(Product::Jira);
    for status in ["DRAFT", "PENDING_REVIEW", "REJECTED", "approved", ""] {
        let bad = publish(&[artifact(1, 1, "APPROVED"), artifact(2, 1, status)]);
        let plan = ground.runner.plan(&bad, &ground.link).unwrap();
        let refused = |found: &placet_core::runner::Finding| {
            found.level == Level::Error && found.code == "artifact.not_approved"
        };
        assert!(plan.steps.is_empty() && plan.findings.iter().any(refused), "{status}: {plan:?}");
        // Nor where somebody puts another plan under it.
        let good = ground.plan(&publish(&[artifact(1, 1, "APPROVED")]));
        let (word, failed) = failure(ground.execute(&bad, &good));
        assert_eq!((word, failed.code.as_str()), ("failed", "artifact.not_approved"), "{status}");
    }
    assert_eq!(ground.server.begun(), 0);
}

#[test]
fn an_issue_whose_answer_is_lost_is_found_by_its_property_and_not_created_again() {
    for fault in [Fault::LoseReply, Fault::CutBody, Fault::OversizedBody { bytes: 3 << 20 }] {
        let ground = Ground::of(Product::Jira);
        let job = publish(&[artifact(1, 1, "APPROVED"), artifact(2, 1, "APPROVED")]);
        let plan = ground.plan(&job);
        ground.server.fail(Scope::Writes, fault.clone(), 1);
        let (word, lost) = failure(ground.execute(&job, &plan));
        assert_eq!((word, lost.step.as_deref()), ("unknown", Some("a1")), "{fault:?} {lost:?}");
        assert_eq!(ground.server.begun(), 1, "{fault:?}: the second was not begun");
        // The first is there, and the second was never sent: known not to be complete.
        let (word, found) = failure(ground.verify(&job, &plan));
        assert_eq!((word, found.applied), ("failed", vec!["a1".to_owned()]), "{fault:?}");
        // What is planned next leaves the first alone.
        let next = again(&job);
        let (plan, outcome) = published(&ground, &next);
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{fault:?}: {outcome:?}");
        assert_eq!((plan.steps.len(), ground.server.begun()), (1, 2), "{fault:?}");
    }
}

#[test]
fn a_creation_that_never_came_stays_unknown() {
    for fault in [Fault::LoseRequest, Fault::ServerError] {
        let ground = Ground::of(Product::Jira);
        let job = publish(&[artifact(1, 1, "APPROVED")]);
        let plan = ground.plan(&job);
        ground.server.fail(Scope::Writes, fault.clone(), 1);
        assert_eq!(failure(ground.execute(&job, &plan)).0, "unknown", "{fault:?}");
        assert_eq!(failure(ground.verify(&job, &plan)).0, "unknown", "{fault:?}");
        assert_eq!(ground.server.begun(), 0, "{fault:?}");
    }
}

#[test]
fn an_issue_that_was_published_meanwhile_is_not_created_a_second_time() {
    let ground = Ground::of(Product::Jira);
    let job = publish(&[artifact(1, 1, "APPROVED")]);
    let stale = ground.plan(&job);
    assert!(matches!(published(&ground, &again(&job)).1, Outcome::Succeeded(_)));
    // The plugin finds it there, sends nothing, and says so: a run that sends no approved call is no success.
    let (word, failed) = failure(ground.execute(&job, &stale));
    assert_eq!((word, failed.code.as_str()), ("failed", "artifact.there"));
    assert_eq!((failed.applied.len(), ground.server.begun()), (0, 1));
}
