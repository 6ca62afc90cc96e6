//! What is under way stops.

use std::thread;

use placet_target::{StopReason, StopSignal};
use placet_target_deploy::testing::{Fault, Product, ProductServer, Scope};
use placet_target_deploy::{Exchange, HttpFailure, HttpFailureKind, HttpRequest};

use crate::story::{LONG, begin, find, reading, until};

/// Sends, and raises the signal once the server has seen the request. Tells the failure, and that the connection ended.
fn stopped(
    request: &HttpRequest,
    call: &Exchange,
    fault: Fault,
    reason: StopReason,
) -> HttpFailure {
    let server = ProductServer::start(Product::Rundeck);
    server.fail(Scope::All, fault, 1);
    let rundeck = server.endpoint().build().unwrap();
    let stop = call.stop.clone();
    let failure = thread::scope(|scope| {
        let sent = scope.spawn(|| rundeck.send(request, call));
        until("the server has the request", || !server.seen().is_empty());
        stop.raise(reason);
        sent.join().unwrap().unwrap_err()
    });
    // Were the connection still open, the server would never come to the end of this one.
    assert_eq!(server.finish().len(), 1);
    failure
}

#[test]
fn a_stop_ends_an_exchange_and_tells_the_truth_about_it() {
    let write = || Exchange::writing(LONG, &StopSignal::new());
    for (reason, code) in [
        (StopReason::Cancelled, "cancelled"),
        (StopReason::LeaseLost, "lease_lost"),
        (StopReason::Timeout, "timeout"),
    ] {
        for fault in [Fault::HoldReply, Fault::DripHead] {
            let failure = stopped(&begin(Product::Rundeck), &write(), fault, reason);
            assert_eq!((failure.kind(), failure.code()), (HttpFailureKind::Unknown, code));
            assert!(failure.may_have_taken_effect());
        }
    }
    let failure =
        stopped(&find(Product::Rundeck), &reading(), Fault::DripHead, StopReason::Cancelled);
    assert_eq!((failure.kind(), failure.code()), (HttpFailureKind::Cancelled, "cancelled"));
    assert!(!failure.may_have_taken_effect());
}

#[test]
fn after_a_stop_nothing_is_sent() {
    let server = ProductServer::start(Product::Rundeck);
    let rundeck = server.endpoint().build().unwrap();
    let stop = StopSignal::new();
    stop.raise(StopReason::LeaseLost);
    let failure =
        rundeck.send(&begin(Product::Rundeck), &Exchange::writing(LONG, &stop)).unwrap_err();
    assert_eq!((failure.kind(), failure.code()), (HttpFailureKind::Cancelled, "lease_lost"));
    assert!(!failure.may_have_taken_effect());
    assert_eq!(server.finish(), []);
}

#[test]
fn a_call_from_within_a_runtime_works_too() {
    let server = ProductServer::start(Product::Rundeck);
    let rundeck = server.endpoint().build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(async { rundeck.send(&find(Product::Rundeck), &reading()) });
    assert_eq!(answer.unwrap().status, 200);
}

#[test]
fn many_calls_side_by_side_do_not_meet() {
    let server = ProductServer::start(Product::Rundeck);
    let rundeck = server.endpoint().build().unwrap();
    thread::scope(|scope| {
        for worker in 0..8 {
            let rundeck = &rundeck;
            scope.spawn(move || {
                for round in 0..5 {
                    let path = format!("/api/41/job/j-{worker}-{round}/executions");
                    let answer = rundeck.send(&HttpRequest::new("GET", path), &reading()).unwrap();
                    assert_eq!(answer.status, 200);
                }
            });
        }
    });
    assert_eq!(server.finish().len(), 40);
}
