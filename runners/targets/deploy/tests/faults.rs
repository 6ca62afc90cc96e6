//! Answers that are lost, doubled, late or broken: one deployment, and the truth about it.

use placet_target::StopSignal;
use placet_target_deploy::testing::{Fault, Product, ProductServer, Scope};
use placet_target_deploy::{Endpoint, Exchange, HttpFailureKind, HttpRequest, HttpResponse};

use crate::story::{LONG, SHORT, begin, find, is_found, reading, writing};

/// What somebody is told who begins a deployment at a server with this fault, and how many were begun.
fn told(product: Product, fault: &Fault) -> (HttpFailureKind, &'static str, usize) {
    let server = ProductServer::start(product);
    server.fail(Scope::Writes, fault.clone(), 1);
    let endpoint = server.endpoint().build().unwrap();
    let lost = endpoint.send(&begin(product), &writing()).unwrap_err();
    assert!(lost.may_have_taken_effect(), "{product:?} {fault:?}: {lost:?}");
    // Not what else may be wrong: whoever mends that first would send it again.
    assert!(lost.help().starts_with("look at the server"), "{}: {}", lost.code(), lost.help());
    // Whoever looks finds what was begun.
    let begun = server.begun();
    if begun > 0 {
        assert!(is_found(&server, product), "{product:?} {fault:?}");
    }
    assert_eq!(server.begun(), begun, "looking begins nothing");
    (lost.kind(), lost.code(), begun)
}

#[test]
fn a_lost_answer_is_unknown_and_nothing_is_sent_twice() {
    for product in Product::ALL {
        for (fault, code, begun) in [
            (Fault::LoseReply, "http.lost", 1),
            (Fault::LoseRequest, "http.lost", 0),
            (Fault::CutHead, "http.lost", 1),
            (Fault::Garbage, "http.protocol", 1),
            (Fault::Redirect { to: "http://127.0.0.1:1/".to_owned() }, "http.redirect", 1),
            (Fault::Compressed, "http.encoding", 1),
        ] {
            let due = (HttpFailureKind::Unknown, code, begun);
            assert_eq!(told(product, &fault), due, "{product:?} {fault:?}");
        }
    }
    for product in [Product::Rundeck, Product::Gitlab, Product::ArgoCd, Product::Jira] {
        let due = (HttpFailureKind::Unknown, "http.cut", 1);
        assert_eq!(told(product, &Fault::CutBody), due, "{product:?}");
    }
}

#[test]
fn a_lost_answer_to_a_read_is_a_plain_failure() {
    for (fault, kind, code) in [
        (Fault::LoseReply, HttpFailureKind::Connection, "http.lost"),
        (Fault::CutHead, HttpFailureKind::Connection, "http.lost"),
        (Fault::CutBody, HttpFailureKind::Connection, "http.cut"),
        (Fault::Garbage, HttpFailureKind::Connection, "http.protocol"),
        (Fault::Redirect { to: "/x".to_owned() }, HttpFailureKind::Denied, "http.redirect"),
        (Fault::Compressed, HttpFailureKind::Denied, "http.encoding"),
    ] {
        let server = ProductServer::start(Product::Jira);
        server.fail(Scope::All, fault.clone(), 1);
        let jira = server.endpoint().build().unwrap();
        let failed = jira.send(&find(Product::Jira), &reading()).unwrap_err();
        assert_eq!((failed.kind(), failed.code()), (kind, code), "{fault:?}");
        assert!(!failed.may_have_taken_effect());
        // And it is not asked again by itself.
        assert_eq!(server.finish().len(), 1);
    }
}

#[test]
fn a_doubled_answer_is_one_answer_and_an_error_of_the_server_is_told() {
    for product in Product::ALL {
        let server = ProductServer::start(product);
        server.fail(Scope::Writes, Fault::DuplicateReply, 1);
        let endpoint = server.endpoint().build().unwrap();
        let answer = endpoint.send(&begin(product), &writing()).unwrap();
        assert!((200..300).contains(&answer.status), "{product:?}: {answer:?}");
        assert_eq!((server.begun(), is_found(&server, product)), (1, true));

        server.fail(Scope::Writes, Fault::ServerError, 1);
        assert_eq!(endpoint.send(&begin(product), &writing()).unwrap().status, 500);
        assert_eq!(server.begun(), 1);
    }
}

#[test]
fn an_answer_that_is_too_late_is_unknown_and_one_in_time_is_taken() {
    for product in Product::ALL {
        let (server, late) = crate::story::reached(|| {
            let server = ProductServer::start(product);
            server.fail(Scope::Writes, Fault::HoldReply, 1);
            let endpoint = server.endpoint().build().unwrap();
            let call = Exchange::writing(crate::story::HURRIED, &StopSignal::new());
            let late = endpoint.send(&begin(product), &call).unwrap_err();
            (server.begun() > 0).then_some((server, late))
        });
        assert_eq!((late.kind(), late.code()), (HttpFailureKind::Unknown, "http.slow"));
        server.release();
        assert_eq!((server.begun(), is_found(&server, product)), (1, true), "{product:?}");
    }
    let server = ProductServer::start(Product::Rundeck);
    server.fail(Scope::Writes, Fault::HoldReply, 1);
    let rundeck = server.endpoint().build().unwrap();
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| {
            let call = Exchange::writing(LONG, &StopSignal::new());
            rundeck.send(&begin(Product::Rundeck), &call)
        });
        crate::story::until("the server has begun", || server.begun() == 1);
        while !sent.is_finished() {
            server.release();
            std::thread::sleep(SHORT / 20);
        }
        assert_eq!(sent.join().unwrap().unwrap().status, 200);
    });
}

#[test]
fn without_a_credential_nothing_begins() {
    for product in Product::ALL {
        let server = ProductServer::start(product);
        let stranger = Endpoint::builder(&server.url())
            .allow_plain_http()
            .allow_private_addresses()
            .write(placet_target_deploy::Rule::below("POST", "/"))
            .build()
            .unwrap();
        assert_eq!(stranger.send(&begin(product), &writing()).unwrap().status, 401);
        assert_eq!(server.begun(), 0);
    }
}

/// A client that tries again, as many do.
fn sends_again(endpoint: &Endpoint, request: &HttpRequest) -> HttpResponse {
    endpoint.send(request, &writing()).or_else(|_lost| endpoint.send(request, &writing())).unwrap()
}

#[test]
fn the_count_finds_a_client_that_tries_again() {
    let server = ProductServer::start(Product::Rundeck);
    server.fail(Scope::Writes, Fault::LoseReply, 1);
    let _answer = sends_again(&server.endpoint().build().unwrap(), &begin(Product::Rundeck));
    assert_eq!(server.begun(), 2);
}
