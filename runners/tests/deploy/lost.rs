//! Answers that are lost, cut, late or sent twice: one start all the same, unknown until somebody looks.

use core::sync::atomic::Ordering;
use core::time::Duration;

use placet_core::runner::Outcome;
use placet_runners::deploy::testing::{Fault, Product, ProductServer, Scope};

use super::ground::{DEPLOYING, Ground, deployment};
use crate::bench::failure;

#[test]
fn a_start_whose_answer_is_lost_is_unknown_until_it_is_found() {
    for product in DEPLOYING {
        for fault in [Fault::LoseReply, Fault::CutHead, Fault::CutBody, Fault::Garbage] {
            let ground = Ground::of(product);
            let job = deployment(product);
            let plan = ground.plan(&job);
            ground.server.fail(Scope::Writes, fault.clone(), 1);
            let (word, lost) = failure(ground.execute(&job, &plan));
            assert_eq!(word, "unknown", "{product:?} {fault:?}: {lost:?}");
            assert!(lost.code.starts_with("http."), "{product:?} {fault:?}: {lost:?}");
            assert_eq!(lost.step.as_ref(), Some(&plan.steps[0].id));
            assert_eq!(ground.server.begun(), 1, "{product:?} {fault:?}");
            let found = ground.verify(&job, &plan);
            assert!(matches!(found, Outcome::Succeeded(_)), "{product:?} {fault:?}: {found:?}");
            assert_eq!(ground.server.begun(), 1, "{product:?} {fault:?}");
        }
    }
}

#[test]
fn a_start_that_never_came_stays_unknown_for_a_list_may_be_late() {
    for product in DEPLOYING {
        for fault in [Fault::LoseRequest, Fault::ServerError] {
            let ground = Ground::of(product);
            let job = deployment(product);
            let plan = ground.plan(&job);
            ground.server.fail(Scope::Writes, fault.clone(), 1);
            assert_eq!(failure(ground.execute(&job, &plan)).0, "unknown", "{product:?} {fault:?}");
            assert_eq!(failure(ground.verify(&job, &plan)).0, "unknown", "{product:?} {fault:?}");
            assert_eq!(ground.server.begun(), 0, "{product:?} {fault:?}");
        }
    }
}

#[test]
fn a_run_whose_notes_nobody_can_read_is_not_said_to_have_sent_nothing() {
    let ground = Ground::of(Product::Rundeck);
    let job = deployment(Product::Rundeck);
    let plan = ground.plan(&job);
    ground.server.fail(Scope::Writes, Fault::LoseReply, 1);
    assert_eq!(failure(ground.execute(&job, &plan)).0, "unknown");
    // Somebody enters it once more, and the store does not answer.
    ground.link.is_deaf.store(true, Ordering::SeqCst);
    let (word, unread) = failure(ground.execute(&job, &plan));
    assert_eq!((word, unread.code.as_str()), ("unknown", "store_unavailable"), "{unread:?}");
    assert_eq!(ground.server.begun(), 1);
    ground.link.is_deaf.store(false, Ordering::SeqCst);
    let found = ground.verify(&job, &plan);
    assert!(matches!(found, Outcome::Succeeded(_)), "{found:?}");
    // One that was entered for the first time: nothing was sent, and a look says so.
    let fresh = Ground::of(Product::Rundeck);
    fresh.link.is_deaf.store(true, Ordering::SeqCst);
    assert_eq!(failure(fresh.execute(&job, &plan)).0, "unknown");
    fresh.link.is_deaf.store(false, Ordering::SeqCst);
    let (word, begun) = failure(fresh.verify(&job, &plan));
    assert_eq!((word, begun.code.as_str(), fresh.server.begun()), ("failed", "not_begun", 0));
}

#[test]
fn an_answer_that_comes_twice_is_one_answer() {
    for product in DEPLOYING {
        let ground = Ground::of(product);
        let job = deployment(product);
        let plan = ground.plan(&job);
        ground.server.fail(Scope::Writes, Fault::DuplicateReply, 1);
        let outcome = ground.execute(&job, &plan);
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{product:?}: {outcome:?}");
        assert_eq!(ground.server.begun(), 1, "{product:?}");
    }
}

#[test]
fn a_late_answer_is_not_waited_for_and_not_asked_for_again() {
    for product in DEPLOYING {
        // Long enough to connect and to send on a busy machine.
        let hurried = Duration::from_secs(2);
        let server = ProductServer::start(product);
        let ground = Ground::with(product, server, |endpoint| endpoint.duration_max(hurried));
        let job = deployment(product);
        let plan = ground.plan(&job);
        ground.server.fail(Scope::Writes, Fault::HoldReply, 1);
        let (word, late) = failure(ground.execute(&job, &plan));
        assert_eq!((word, late.code.as_str()), ("unknown", "http.slow"), "{product:?}");
        ground.server.release();
        // On a busy machine a look may be late too: then it stays unknown, and is looked for again.
        let found = (0..50).map(|_| ground.verify(&job, &plan)).find(is_known).unwrap();
        assert!(matches!(found, Outcome::Succeeded(_)), "{product:?}: {found:?}");
        assert_eq!(ground.server.begun(), 1, "{product:?}");
    }
}

fn is_known(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Unknown(_))
}
