//! Too large, too slow, too much.

use core::time::Duration;

use placet_target::StopSignal;
use placet_target_deploy::testing::{Fault, Product, ProductServer, Scope};
use placet_target_deploy::{EndpointBuilder, Exchange, HttpFailureKind};

use crate::story::{HURRIED, begin, find, reached, reading, writing};

#[test]
fn an_answer_over_a_limit_is_not_handed_out_at_all() {
    let small = |endpoint: EndpointBuilder| endpoint.response_bytes_max(1_000);
    let few = |endpoint: EndpointBuilder| endpoint.response_headers_max(20);
    let short = |endpoint: EndpointBuilder| endpoint.response_head_bytes_max(2_000);
    let cases: [(&dyn Fn(EndpointBuilder) -> EndpointBuilder, Fault); 4] = [
        (&small, Fault::OversizedBody { bytes: 1_001 }),
        (&small, Fault::OversizedBody { bytes: 4 << 20 }),
        (&few, Fault::ManyHeaders { count: 30 }),
        (&short, Fault::ManyHeaders { count: 300 }),
    ];
    for (limited, fault) in cases {
        let server = ProductServer::start(Product::Rundeck);
        server.fail(Scope::All, fault.clone(), 2);
        let rundeck = limited(server.endpoint()).build().unwrap();
        let read = rundeck.send(&find(Product::Rundeck), &reading()).unwrap_err();
        assert_eq!(
            (read.kind(), read.code()),
            (HttpFailureKind::Limit, "http.too_large"),
            "{fault:?}"
        );
        assert!(!read.may_have_taken_effect());
        let write = rundeck.send(&begin(Product::Rundeck), &writing()).unwrap_err();
        assert_eq!(write.code(), "http.too_large");
        assert!(write.may_have_taken_effect(), "{write:?}");
        match write.answered() {
            Some(200) => assert_eq!(write.kind(), HttpFailureKind::Limit),
            // The status is in a head that is too large to be read.
            None => assert_eq!(write.kind(), HttpFailureKind::Unknown),
            other => panic!("{other:?}"),
        }
        assert_eq!(server.begun(), 1);
    }
    let server = ProductServer::start(Product::Rundeck);
    server.fail(Scope::All, Fault::OversizedBody { bytes: 1_000 }, 1);
    let rundeck = server.endpoint().response_bytes_max(1_000).build().unwrap();
    assert_eq!(rundeck.send(&find(Product::Rundeck), &reading()).unwrap().body.len(), 1_000);
}

#[test]
fn bytes_that_drip_do_not_make_time_longer() {
    let stop = StopSignal::new();
    let (look, act) = (Exchange::reading(HURRIED, &stop), Exchange::writing(HURRIED, &stop));
    for fault in [Fault::DripBody, Fault::DripHead, Fault::HoldReply] {
        let (read, write, begun) = reached(|| {
            let server = ProductServer::start(Product::Gitlab);
            server.fail(Scope::All, fault.clone(), 2);
            let gitlab = server.endpoint().build().unwrap();
            let read = gitlab.send(&find(Product::Gitlab), &look).unwrap_err();
            let write = gitlab.send(&begin(Product::Gitlab), &act).unwrap_err();
            let begun = server.begun();
            (begun > 0 && server.finish().len() == 2).then_some((read, write, begun))
        });
        assert_eq!(begun, 1, "{fault:?}");
        assert!(!read.may_have_taken_effect() && write.may_have_taken_effect());
        if fault == Fault::DripBody {
            assert_eq!((read.kind(), read.code()), (HttpFailureKind::Limit, "http.slow"));
            assert_eq!((write.kind(), write.code()), (HttpFailureKind::Limit, "http.slow"));
            assert_eq!(write.answered(), Some(201));
        } else {
            assert_eq!((read.kind(), read.code()), (HttpFailureKind::Timeout, "timeout"));
            assert_eq!((write.kind(), write.code()), (HttpFailureKind::Unknown, "http.slow"));
        }
    }
}

#[test]
fn the_endpoints_own_limit_of_time_counts_where_it_is_shorter() {
    let write = reached(|| {
        let server = ProductServer::start(Product::Gitlab);
        server.fail(Scope::All, Fault::DripHead, 1);
        let gitlab = server.endpoint().duration_max(HURRIED).build().unwrap();
        let write = gitlab.send(&begin(Product::Gitlab), &writing()).unwrap_err();
        (server.begun() > 0).then_some(write)
    });
    assert_eq!((write.kind(), write.code()), (HttpFailureKind::Unknown, "http.slow"));
}

#[test]
fn no_time_left_means_that_nothing_is_sent() {
    let server = ProductServer::start(Product::Gitlab);
    let gitlab = server.endpoint().build().unwrap();
    let none = Exchange::writing(Duration::ZERO, &StopSignal::new());
    let refused = gitlab.send(&begin(Product::Gitlab), &none).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (HttpFailureKind::Timeout, "timeout"));
    assert!(!refused.may_have_taken_effect());
    assert_eq!(server.finish(), []);
}
