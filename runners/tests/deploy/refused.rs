//! What the drivers refuse of an answer or of a server, with a code that the outcome tells.

use core::time::Duration;

use placet_core::runner::{Failure, Job, Outcome, Plan};
use placet_runners::deploy::testing::{Certificate, Fault, Product, ProductServer, Scope};

use super::ground::{DEPLOYING, Ground, deployment};
use crate::bench::failure;

/// Starts with a fault: how that ended, and what it was about.
fn started(ground: &Ground, product: Product, fault: Fault) -> (&'static str, Failure, Job, Plan) {
    let job = deployment(product);
    let plan = ground.plan(&job);
    ground.server.fail(Scope::Writes, fault, 1);
    let (word, failed) = failure(ground.execute(&job, &plan));
    (word, failed, job, plan)
}

#[test]
fn an_answer_that_no_plugin_may_see_leaves_the_run_unknown_until_it_is_found() {
    // Long enough to connect and to send on a busy machine.
    let hurried = Duration::from_secs(2);
    for product in DEPLOYING {
        let elsewhere = ProductServer::start(product);
        for (fault, code) in [
            (Fault::Redirect { to: elsewhere.url() }, "http.redirect"),
            (Fault::OversizedBody { bytes: 3 << 20 }, "http.too_large"),
            (Fault::ManyHeaders { count: 1_000 }, "http.too_large"),
            (Fault::Compressed, "http.encoding"),
            (Fault::DripBody, "http.slow"),
            (Fault::DripHead, "http.slow"),
        ] {
            let server = ProductServer::start(product);
            let is_slow = code == "http.slow";
            let ground = Ground::with(product, server, |endpoint| {
                if is_slow { endpoint.duration_max(hurried) } else { endpoint }
            });
            let (word, failed, job, plan) = started(&ground, product, fault.clone());
            assert_eq!((word, failed.code.as_str()), ("unknown", code), "{product:?} {fault:?}");
            assert_eq!(ground.server.begun(), 1, "{product:?} {fault:?}");
            // A look may be late on a busy machine; then it is looked again.
            let looks = (0..50).map(|_| ground.verify(&job, &plan));
            let found = { looks }.find(|found| !matches!(found, Outcome::Unknown(_))).unwrap();
            assert!(matches!(found, Outcome::Succeeded(_)), "{product:?} {fault:?}: {found:?}");
            assert_eq!(ground.server.begun(), 1, "{product:?} {fault:?}");
        }
        assert_eq!(elsewhere.finish(), [], "{product:?}: nobody followed");
    }
}

#[test]
fn a_status_that_says_no_is_a_failure_without_an_effect() {
    // Nobody knows this job: the server answers 404.
    let ground = Ground::of(Product::Rundeck);
    let mut job = deployment(Product::Rundeck);
    job.settings = job.settings.replace("/run\"", "/no-such-call\"");
    let plan = ground.plan(&job);
    let (word, failed) = failure(ground.execute(&job, &plan));
    assert_eq!((word, failed.code.as_str()), ("failed", "http.404"));
    assert_eq!((failed.applied.len(), ground.server.begun()), (0, 0));
    // Where the process died after it, its note says the same.
    let (word, failed) = failure(ground.verify(&job, &plan));
    assert_eq!((word, failed.code.as_str()), ("failed", "http.404"));
}

#[test]
fn a_server_with_another_certificate_gets_nothing() {
    let Some(known) = Certificate::of("IP:127.0.0.1") else { return };
    let Some(changed) = Certificate::of("IP:127.0.0.1") else { return };
    for product in DEPLOYING {
        let server = ProductServer::start_tls(product, &known.pem, &known.key);
        let ground = Ground::with(product, server, |endpoint| endpoint.roots_pem(&known.pem));
        let job = deployment(product);
        let outcome = ground.execute(&job, &ground.plan(&job));
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{product:?}: {outcome:?}");

        let server = ProductServer::start_tls(product, &changed.pem, &changed.key);
        let ground = Ground::with(product, server, |endpoint| endpoint.roots_pem(&known.pem));
        let plan = ground.plan(&job);
        let (word, failed) = failure(ground.execute(&job, &plan));
        assert_eq!((word, failed.code.as_str()), ("failed", "http.certificate"), "{product:?}");
        assert_eq!((failed.applied.len(), ground.server.begun()), (0, 0));
        let (word, failed) = failure(ground.verify(&job, &plan));
        assert_eq!((word, failed.code.as_str()), ("failed", "http.certificate"), "{product:?}");
        assert_eq!(ground.server.finish(), [], "{product:?}: not even a request was read");
    }
}
