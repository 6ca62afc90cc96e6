//! Each product, from plan to outcome: one start, followed to its end, found again by whoever looks back.

use placet_core::runner::{Effect, Job, Level, Outcome, Risk};
use placet_runners::deploy::testing::Ending;
use placet_runners::deploy::testing::Product;
use serde_json::{Value, json};

use super::ground::{DEPLOYING, Ground, deployment};
use crate::bench::failure;

#[test]
fn each_product_is_started_once_and_followed_to_its_end() {
    for product in DEPLOYING {
        let ground = Ground::of(product);
        ground.server.ends(Ending::Succeeded, 1);
        let job = deployment(product);
        let plan = ground.plan(&job);
        assert_eq!(ground.server.begun(), 0, "{product:?}: a plan changes nothing");
        let outcome = ground.execute(&job, &plan);
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{product:?}: {outcome:?}");
        assert_eq!(ground.server.begun(), 1, "{product:?}");
        // Who looks back finds the same, and starts nothing.
        let found = ground.verify(&job, &plan);
        let by_notes = matches!(&found, Outcome::Unknown(why) if why.code == "not_read");
        assert!(matches!(found, Outcome::Succeeded(_)) || by_notes, "{product:?}: {found:?}");
        assert_eq!(ground.server.begun(), 1, "{product:?}");
    }
}

#[test]
fn what_was_started_and_failed_is_a_failure_that_names_its_step() {
    for product in DEPLOYING {
        let ground = Ground::of(product);
        ground.server.ends(Ending::Failed, 0);
        let job = deployment(product);
        let plan = ground.plan(&job);
        let (word, failed) = failure(ground.execute(&job, &plan));
        assert_eq!((word, failed.code.as_str()), ("failed", "deploy.failed"), "{product:?}");
        assert_eq!(failed.applied, [plan.steps[0].id.clone()], "{product:?}");
        assert_eq!(ground.server.begun(), 1, "{product:?}");
    }
}

/// A deployment by Rundeck that has a way back, to this path.
fn with_rollback(path: &str, asks_for_it: bool) -> Job {
    let mut job = deployment(Product::Rundeck);
    let mut settings: Value = serde_json::from_str(&job.settings).unwrap();
    let json = json!({ "options": { "version": "before", "placet_run": "{marker}" } });
    let back = json!({ "endpoint": "rundeck", "path": path, "json": json });
    settings["deployments"]["shop"]["rollback"] =
        json!([{ "id": "back", "title": "Run the job of the version before", "http": back }]);
    job.settings = settings.to_string();
    if asks_for_it {
        let payload = json!({ "do": "shop", "with": { "version": "1.2.3" }, "rollback": true });
        let asked = super::ground::job("deploy", &payload);
        job = Job { settings: job.settings, ..asked };
    }
    job
}

#[test]
fn what_would_take_a_deployment_back_is_told_with_its_plan_and_run_by_no_one_else() {
    let ground = Ground::of(Product::Rundeck);
    let job = with_rollback("/api/41/job/9/run", false);
    let plan = ground.plan(&job);
    assert_eq!((plan.steps.len(), plan.steps[0].reversible), (1, true));
    let told: Vec<_> =
        plan.findings.iter().filter(|found| found.code == "deploy.rollback").collect();
    assert_eq!(told.len(), 1, "{:?}", plan.findings);
    assert_eq!(
        told[0].message,
        "a request of its own can take it back by `Run the job of the version before`: POST \
         /api/41/job/9/run at rundeck"
    );
    assert_eq!((told[0].level, told[0].needs_person), (Level::Info, false));
    // It runs the deployment, and nothing of what would take it back.
    assert!(matches!(ground.execute(&job, &plan), Outcome::Succeeded(_)));
    let posts: Vec<_> =
        ground.server.seen().into_iter().filter(|seen| seen.method == "POST").collect();
    assert!(posts.len() == 1 && !posts[0].path.contains("/9/"), "{posts:?}");
    // Asked for, it is a plan of its own, which is not taken back.
    let back = ground.plan(&with_rollback("/api/41/job/9/run", true));
    assert_eq!((back.steps.len(), back.steps[0].reversible), (1, false));
    assert!(back.steps[0].body.contains("/api/41/job/9/run"), "{:?}", back.steps[0]);
    assert!(back.findings.iter().all(|found| found.code != "deploy.rollback"));
}

#[test]
fn nobody_counts_on_a_way_back_that_the_target_refuses() {
    let ground = Ground::of(Product::Rundeck);
    let plan = ground.plan(&with_rollback("/api/41/jobs/delete", false));
    let found = plan.findings.iter().find(|found| found.code == "deploy.no_rollback").unwrap();
    assert!(
        found.message.contains("the endpoint `rundeck` refuses it: http.not_allowed"),
        "{}",
        found.message
    );
    assert_eq!((found.level, found.help.is_some()), (Level::Warning, true));
    assert!(!plan.steps[0].reversible, "a rule about what can be undone must not believe it");
}

#[test]
fn the_host_says_what_a_call_may_do_whatever_its_plugin_says() {
    for product in DEPLOYING {
        let ground = Ground::of(product);
        let plan = ground.plan(&deployment(product));
        for step in &plan.steps {
            assert_eq!((step.kind.as_str(), step.risk), ("deploy", Risk::High));
            assert_eq!((step.effect, step.reversible), (Effect::AtMostOnce, false));
        }
        assert_eq!(plan.basis, None);
    }
}

#[test]
fn each_start_has_a_key_of_its_own_and_the_credential_that_no_plugin_sees() {
    for product in DEPLOYING {
        let ground = Ground::of(product);
        let job = deployment(product);
        let plan = ground.plan(&job);
        let outcome = ground.execute(&job, &plan);
        let said = format!("{outcome:?}{}{plan:?}", ground.log());
        let key = format!("{}:{}", job.id.run, plan.steps[0].id);
        let seen = ground.server.finish();
        let with_key: Vec<_> =
            seen.iter().filter(|seen| seen.header("idempotency-key") == Some(&*key)).collect();
        assert_eq!(with_key.len(), 1, "{product:?}");
        assert!(with_key.iter().all(|seen| seen.method == "POST"), "{product:?}");
        assert!(!said.contains("tkn-0123456789abcdef"), "{product:?}: {said}");
    }
}

#[test]
fn a_run_that_is_entered_twice_sends_nothing_the_second_time() {
    for product in DEPLOYING {
        let ground = Ground::of(product);
        let job = deployment(product);
        let plan = ground.plan(&job);
        assert!(matches!(ground.execute(&job, &plan), Outcome::Succeeded(_)));
        let (word, failed) = failure(ground.execute(&job, &plan));
        assert_eq!((word, failed.code.as_str()), ("unknown", "entered_before"));
        assert_eq!(ground.server.begun(), 1, "{product:?}");
    }
}
