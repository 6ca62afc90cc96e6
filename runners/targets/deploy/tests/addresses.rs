//! Where nobody goes.

use core::net::{IpAddr, Ipv4Addr};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use placet_target::{StopReason, StopSignal};
use placet_target_deploy::testing::{Product, ProductServer};
use placet_target_deploy::{Endpoint, Exchange, HttpFailureKind, Resolve, Rule};

use crate::story::{LONG, begin, get, reading, writing};

/// Answers one list after the other, as a name server does that changes its mind; the last one stays.
#[derive(Debug)]
struct Changing(Mutex<Vec<Vec<IpAddr>>>, Arc<AtomicUsize>);

impl Resolve for Changing {
    fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        let mut lists = self.0.lock().unwrap();
        Ok(if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() })
    }
}

fn changing(lists: &[&[&str]]) -> (Changing, Arc<AtomicUsize>) {
    let parsed = |list: &&[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    (Changing(Mutex::new(lists.iter().map(parsed).collect()), Arc::clone(&asked)), asked)
}

fn port(server: &ProductServer) -> String {
    server.url().rsplit(':').next().unwrap().to_owned()
}

#[test]
fn a_name_that_leads_inside_is_refused_and_nobody_connects() {
    let server = ProductServer::start(Product::Rundeck);
    let url = format!("http://ci.example.org:{}", port(&server));
    for addresses in [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["::ffff:127.0.0.1"],
        // One of them would do for somebody who tries them all.
        &["1.1.1.1", "127.0.0.1"],
    ] {
        let (resolver, asked) = changing(&[addresses, &["127.0.0.1"]]);
        let endpoint = Endpoint::builder(&url).allow_plain_http().resolver(resolver);
        let endpoint = endpoint.write(Rule::below("POST", "/")).build().unwrap();
        let refused = endpoint.send(&begin(Product::Rundeck), &writing()).unwrap_err();
        let found = (refused.kind(), refused.code());
        assert_eq!(found, (HttpFailureKind::Denied, "http.refused_address"), "{addresses:?}");
        assert!(!refused.may_have_taken_effect());
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
    // So is the address itself, without a name.
    let url = format!("http://127.0.0.1:{}", port(&server));
    let endpoint = Endpoint::builder(&url).allow_plain_http().read(Rule::below("GET", "/"));
    let refused = endpoint.build().unwrap().send(&get("/"), &reading()).unwrap_err();
    assert_eq!(refused.code(), "http.refused_address");
    assert_eq!(server.finish(), []);
}

#[test]
fn a_name_is_asked_once_for_each_call_and_metadata_services_are_never_reached() {
    let server = ProductServer::start(Product::Rundeck);
    let url = format!("http://ci.internal:{}", port(&server));
    // The second answer would only be taken by who asks twice.
    let (resolver, asked) = changing(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let endpoint = Endpoint::builder(&url).allow_plain_http().allow_private_addresses();
    let endpoint = endpoint.resolver(resolver).read(Rule::below("GET", "/")).build().unwrap();
    assert_eq!(endpoint.send(&get("/"), &reading()).unwrap().status, 401);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let refused = endpoint.send(&get("/"), &reading()).unwrap_err();
    assert_eq!(refused.code(), "http.refused_address");
    let seen = server.finish();
    assert_eq!(seen.len(), 1);
    // The name goes with the request, whatever it led to.
    assert!(seen[0].header("host").unwrap().starts_with("ci.internal:"));
}

#[test]
fn a_name_that_leads_nowhere_and_a_port_that_nobody_has_are_failures() {
    let (resolver, _asked) = changing(&[&[]]);
    let endpoint = Endpoint::builder("https://ci.example.org").resolver(resolver);
    let endpoint = endpoint.write(Rule::below("POST", "/")).build().unwrap();
    let refused = endpoint.send(&begin(Product::Rundeck), &writing()).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (HttpFailureKind::Connection, "http.resolve"));

    let server = ProductServer::start(Product::Rundeck);
    let endpoint = server.endpoint().build().unwrap();
    drop(server);
    let refused = endpoint.send(&begin(Product::Rundeck), &writing()).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (HttpFailureKind::Connection, "http.connect"));
    assert!(!refused.may_have_taken_effect());
    // Where the endpoint is stays with the host.
    assert!(!format!("{refused:?} {refused}").contains("127.0.0.1"));
}

/// Says stop while it is asked, and then where it is.
#[derive(Debug)]
struct Stopping(StopSignal);

impl Resolve for Stopping {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.0.raise(StopReason::LeaseLost);
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// Whether or not anybody looks at a timer in between.
#[test]
fn nothing_is_sent_once_somebody_said_stop_before_the_first_byte() {
    for _ in 0..20 {
        let server = ProductServer::start(Product::Rundeck);
        let url = format!("http://ci.example.org:{}", port(&server));
        let stop = StopSignal::new();
        let endpoint = Endpoint::builder(&url).allow_plain_http().allow_private_addresses();
        let endpoint = endpoint.resolver(Stopping(stop.clone())).write(Rule::below("POST", "/"));
        let stopped = endpoint
            .build()
            .unwrap()
            .send(&begin(Product::Rundeck), &Exchange::writing(LONG, &stop))
            .unwrap_err();
        assert!(!stopped.may_have_taken_effect(), "{stopped:?}");
        assert_eq!(server.finish(), []);
    }
}
