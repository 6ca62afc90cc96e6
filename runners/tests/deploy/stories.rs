//! Each product, from plan to outcome: one start, followed to its end, found again by whoever looks back.

use placet_core::runner::{Effect, Outcome, Risk};
use placet_runners::deploy::testing::Ending;

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
