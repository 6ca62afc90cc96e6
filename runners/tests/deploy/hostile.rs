//! Every way to misuse endpoints and commands that a plugin has by name: as a look while it plans, as a step that people
//! approved without noticing, as a call that nobody approved, and as a look back. Nothing is sent, nothing is run, the
//! outcome says so, and the host goes on. Besides: floods, bodies without end, and what comes after a cancellation.

use std::collections::BTreeSet;

use placet_core::error::Code;
use placet_core::id::RunId;
use placet_core::runner::{Level, Outcome, Runner as _};
use placet_exchange::{HttpCall, RUN};
use placet_runners::deploy::DeployTarget;
use placet_runners::deploy::testing::{Fault, Product, ProductServer, Scope};
use placet_runners::{Grant, Manifest, RunnerLimits, WasmRunner};
use serde_json::json;

use super::ground::{CALLER, Ground, command, http, job, text};
use crate::bench::{failure, until};

const RUN_PATH: &str = "/api/41/job/7/run";
const LOOK_PATH: &str = "/api/41/job/7/executions";

/// A call by its name: how it looks as a read, and how as a write.
type Hostile = (String, String, String);

fn of(name: &str, change: impl Fn(&mut HttpCall)) -> Hostile {
    let made = |method: &str, path: &str| {
        let mut call = http(method, path);
        change(&mut call);
        text(call)
    };
    (name.to_owned(), made("GET", LOOK_PATH), made("POST", RUN_PATH))
}

/// Lines that would be more than one, and headers of the host's.
fn headers() -> Vec<Hostile> {
    let long = "x".repeat(5_000);
    let odd = [
        ("header value with a line break", "x-a", "b\r\nhost: evil.example"),
        ("header value with a bare line feed", "x-a", "b\nx-b: c"),
        ("header value with a bare carriage return", "x-a", "b\rc"),
        ("header value with a zero", "x-a", "b\0c"),
        ("header value with an escape", "x-a", "\u{1b}[2J"),
        ("header value with a space before it", "x-a", " b"),
        ("header value beyond ascii", "x-a", "\u{202e}b"),
        ("header value without end", "x-a", &long),
        ("header name with a line break", "x-a: b\r\nhost", "evil.example"),
        ("header name with a colon", "x-a:", "b"),
        ("header name with a space", "x a", "b"),
        ("header name with an underscore", "content_length", "0"),
        ("header name that is empty", "", "b"),
        ("header name beyond ascii", "höst", "b"),
        ("host", "Host", "evil.example"),
        ("length", "Content-Length", "0"),
        ("chunks", "Transfer-Encoding", "chunked"),
        ("upgrade", "Upgrade", "h2c"),
        ("connection", "Connection", "keep-alive"),
        ("expectation", "Expect", "100-continue"),
        ("authorization", "Authorization", "Bearer mine"),
        ("cookie", "Cookie", "session=mine"),
        ("credential of the endpoint", "x-rundeck-auth-token", "mine-0123456789"),
        ("key of the host", "Idempotency-Key", "mine"),
        ("method override", "X-HTTP-Method-Override", "DELETE"),
        ("path override", "X-Original-URL", "/admin"),
        ("forwarded", "X-Forwarded-For", "127.0.0.1"),
        ("proxy", "Proxy-Authorization", "Basic bWluZQ=="),
    ];
    let mut all: Vec<Hostile> = odd
        .iter()
        .map(|&(name, header, value)| {
            of(name, |call| call.headers = vec![(header.to_owned(), value.to_owned())])
        })
        .collect();
    all.push(of("header twice", |call| {
        call.headers = vec![("x-a".into(), "b".into()), ("X-A".into(), "c".into())];
    }));
    all.push(of("too many headers", |call| {
        call.headers = (0..40).map(|at| (format!("x-{at}"), "b".to_owned())).collect();
    }));
    all
}

/// Paths, addresses and methods that mean something else to somebody.
fn places() -> Vec<Hostile> {
    let path = |name: &str, path: &str| of(name, |call| path.clone_into(&mut call.path_and_query));
    let long = format!("/{}", "a".repeat(9_000));
    let mut all = vec![
        path("path that is empty", ""),
        path("path without a slash", "api/41/job/7/run"),
        path("path upwards", "/api/41/job/../../admin"),
        path("path upwards in code", "/api/41/job/%2e%2e/%2e%2e/admin"),
        path("path with a slash in code", "/api/41/job/7%2f..%2frun"),
        path("path with parameters", "/api/41/job/7;admin=1/run"),
        path("path with a backslash", "/api/41/job\\..\\admin"),
        path("path with two slashes", "/api/41//job/7/run"),
        path("path with a line", "/api/41/job/7/run HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /"),
        path("path with a zero", "/api/41/job/7/run\0"),
        path("path with a fragment", "/api/41/job/7/run#x"),
        path("path beyond ascii", "/api/41/job/7/rün"),
        path("path without end", &long),
        path("query with a line", "/api/41/job/7/executions?a=b\r\nX-A: c"),
        path("query with a space", "/api/41/job/7/executions?a=b c"),
        path("url of another host", "http://evil.example/api/41/job/7/run"),
        path("url without a scheme", "//evil.example/api/41/job/7/run"),
        path("url with a user", "@evil.example/api/41/job/7/run"),
        path("url of a file", "file:///etc/passwd"),
    ];
    for (name, endpoint) in [
        ("endpoint in other letters", "Rundeck"),
        ("endpoint that is empty", ""),
        ("endpoint that nobody named", "payroll"),
        ("endpoint as a path", "../rundeck"),
        ("endpoint as a url", "http://127.0.0.1:1/"),
        ("endpoint with a zero", "rundeck\0"),
        ("endpoint with escapes", "\u{1b}]0;owned\u{7}rundeck\u{202e}"),
    ] {
        all.push(of(name, |call| endpoint.clone_into(&mut call.endpoint)));
    }
    for (name, method) in [
        ("method in small letters", "post"),
        ("method that is empty", ""),
        ("method with a line", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\nPOST"),
        ("method that tunnels", "CONNECT"),
        ("method that repeats", "TRACE"),
        ("method that no rule allows", "DELETE"),
    ] {
        all.push(of(name, |call| method.clone_into(&mut call.method)));
    }
    all.push(of("body beyond the limit", |call| call.body = vec![b'x'; (1 << 20) + 1]));
    all
}

/// Arguments that would be options, or more than one, and names that are none.
fn commands() -> Vec<Hostile> {
    let long = "x".repeat(65);
    let mut all = Vec::new();
    for (name, value) in [
        ("argument that is an option", "--help"),
        ("argument that is a short option", "-e"),
        ("argument that is empty", ""),
        ("argument with a second command", "x; touch owned"),
        ("argument with a substitution", "$(touch owned)"),
        ("argument with backticks", "`touch owned`"),
        ("argument with a variable", "$HOME"),
        ("argument with a pipe", "x|y"),
        ("argument with a space", "x y"),
        ("argument with a line break", "x\ny"),
        ("argument with a zero", "x\0y"),
        ("argument with a path", "../../etc/passwd"),
        ("argument with escapes", "\u{1b}[2J"),
        ("argument without end", &long),
    ] {
        let call = |program, hole| command(program, &[(hole, value)]);
        all.push((name.to_owned(), call("say", "word"), call("true", "run")));
    }
    for (name, arguments) in [
        ("hole that is not there", &[("word", "x"), ("run", "x"), ("more", "x")][..]),
        ("hole that is left out", &[][..]),
        (
            "hole that is filled twice",
            &[("word", "x"), ("word", "y"), ("run", "x"), ("run", "y")][..],
        ),
        ("hole with another name", &[("WORD", "x"), ("RUN", "x")][..]),
    ] {
        all.push((name.to_owned(), command("say", arguments), command("true", arguments)));
    }
    for name in ["sh", "/bin/sh", "../true", "true; sh", "TRUE", "", "true\0"] {
        let call = command(name, &[("run", "x")]);
        all.push((format!("command {name:?}"), call.clone(), call));
    }
    all
}

fn all() -> Vec<Hostile> {
    [headers(), places(), commands()].concat()
}

/// What left the host: requests to its one server, and what commands said.
fn sent(ground: &Ground) -> usize {
    let ran = ground.log().matches("exit ").count();
    ground.server.seen().len().saturating_add(ran)
}

/// Nothing that anybody reads holds the credential, or moves a terminal.
fn assert_clean(ground: &Ground, name: &str, said: &str) {
    let all = format!("{said}{}", ground.log());
    assert!(!all.contains("tkn-0123456789abcdef"), "{name}: {all}");
    let moves = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
    assert!(!ground.log().contains(moves), "{name}: {:?}", ground.log());
}

/// The host works as before: the same runner takes an honest run to its end.
fn assert_alive(ground: &Ground, name: &str) {
    let before = sent(ground);
    let honest = json!({ "steps": [text(http("POST", RUN_PATH))], "execute": ["step 0"] });
    let mut honest = job("caller", &honest);
    honest.id.run = RunId::from_u128(0xbeef);
    let plan = ground.plan(&honest);
    let ended = ground.execute(&honest, &plan);
    assert!(matches!(ended, Outcome::Succeeded(_)), "{name}: {ended:?}");
    assert_eq!(sent(ground), before.saturating_add(1), "{name}");
}

#[test]
fn more_than_sixty_ways_to_misuse_a_call_are_told_apart() {
    let all = all();
    let names: BTreeSet<&str> = all.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names.len(), all.len());
    assert!(all.len() >= 80, "{}", all.len());
    let calls: BTreeSet<&str> = all.iter().map(|(_, _, write)| write.as_str()).collect();
    assert_eq!(calls.len(), all.len());
}

#[test]
fn what_looks_honest_is_sent_and_would_be_noticed() {
    // The same acts with an honest call: whoever counts what was sent counts them.
    let ground = Ground::of(Product::Rundeck);
    let acts = [text(http("GET", LOOK_PATH)), command("say", &[("word", "x")])];
    ground.plan(&job("caller", &json!({ "steps": [], "plan": acts })));
    assert_eq!(sent(&ground), 2);
    let honest = json!({ "steps": [command("true", &[("run", "x")])], "execute": ["step 0"] });
    let honest = job("caller", &honest);
    let plan = ground.plan(&honest);
    ground.execute(&honest, &plan);
    assert_eq!(sent(&ground), 3);
    assert_alive(&ground, "honest");
}

#[test]
fn however_a_plugin_looks_while_it_plans_nothing_is_sent() {
    let ground = Ground::of(Product::Rundeck);
    for (name, look, write) in all() {
        let plan = ground.plan(&job("caller", &json!({ "steps": [], "plan": [look, write] })));
        assert_eq!(sent(&ground), 0, "{name}: {}", ground.log());
        assert_clean(&ground, &name, &format!("{plan:?}"));
        ground.link.log.lock().unwrap().clear();
    }
    assert_alive(&ground, "after all of them");
}

#[test]
fn however_a_plugin_looks_back_nothing_is_sent_and_nobody_knows_more() {
    let ground = Ground::of(Product::Rundeck);
    let steps = [text(http("POST", RUN_PATH))];
    let lost = job("caller", &json!({ "steps": steps, "execute": ["step 0"] }));
    let plan = ground.plan(&lost);
    ground.server.fail(Scope::Writes, Fault::LoseReply, 1);
    assert_eq!(failure(ground.execute(&lost, &plan)).0, "unknown");
    ground.link.log.lock().unwrap().clear();
    for (name, look, write) in all() {
        let nosy = json!({ "steps": steps, "verify": [look, write], "finds": "succeeded" });
        let (word, failed) = failure(ground.verify(&job("caller", &nosy), &plan));
        assert_eq!((word, failed.code.as_str()), ("unknown", "not_read"), "{name}: {failed:?}");
        assert_eq!(sent(&ground), 1, "{name}: {}", ground.log());
        assert_clean(&ground, &name, &format!("{failed:?}"));
        ground.link.log.lock().unwrap().clear();
    }
    // An honest look finds it.
    let honest = [text(http("GET", LOOK_PATH))];
    let honest = json!({ "steps": steps, "verify": honest, "finds": "succeeded" });
    let found = ground.verify(&job("caller", &honest), &plan);
    assert!(matches!(found, Outcome::Succeeded(_)), "{found:?}");
    assert_eq!(ground.server.begun(), 1);
}

#[test]
fn a_hostile_step_that_people_approved_is_refused_all_the_same() {
    for (name, _, write) in all() {
        let ground = Ground::of(Product::Rundeck);
        let approved = json!({ "steps": [write], "execute": ["step 0"], "says": "succeeded" });
        let approved = job("caller", &approved);
        // Some are no call at all, or nothing that the target allows: people are told before they agree.
        let planned = ground.runner.plan(&approved, &ground.link);
        let told = match &planned {
            Ok(plan) => {
                let (word, failed) = failure(ground.execute(&approved, plan));
                assert_eq!((word, failed.applied.len()), ("failed", 0), "{name}: {failed:?}");
                let (word, failed) = failure(ground.verify(&approved, plan));
                assert_eq!((word, failed.applied.len()), ("failed", 0), "{name}: {failed:?}");
                plan.findings.iter().any(|found| found.level == Level::Error)
            }
            Err(error) => error.code() == Code::RunnerFault,
        };
        let is_name = name.starts_with("endpoint") || name.starts_with("command");
        assert!(told || !is_name, "{name}: {planned:?}");
        assert_eq!(sent(&ground), 0, "{name}: {}", ground.log());
        assert_clean(&ground, &name, "");
    }
}

#[test]
fn a_hostile_call_in_the_place_of_an_approved_one_is_not_sent() {
    let ground = Ground::of(Product::Rundeck);
    for (number, (name, look, write)) in (1..).zip(all()) {
        let before = sent(&ground);
        let steps = [text(http("POST", RUN_PATH))];
        let swapped = json!({ "steps": steps, "execute": [look, write], "says": "succeeded" });
        let mut swapped = job("caller", &swapped);
        swapped.id.run = RunId::from_u128(number);
        let plan = ground.plan(&swapped);
        let (word, failed) = failure(ground.execute(&swapped, &plan));
        assert_eq!((word, failed.applied.len()), ("failed", 0), "{name}: {failed:?}");
        assert_eq!(sent(&ground), before, "{name}: {}", ground.log());
        assert_clean(&ground, &name, &format!("{failed:?}"));
        ground.link.log.lock().unwrap().clear();
    }
    assert_alive(&ground, "after all of them");
}

#[test]
fn a_flood_of_calls_ends_at_the_limit_and_leaves_what_was_sent_true() {
    let limits = RunnerLimits::default().with_host_calls_max(40);
    let look = text(http("GET", LOOK_PATH));
    let denied = text(http("DELETE", RUN_PATH));
    let echo = command("say", &[("word", "x")]);
    for flood in [look, denied, echo] {
        let ground = Ground::limited(limits.clone());
        let mut acts = vec!["step 0".to_owned()];
        acts.extend(std::iter::repeat_n(flood.clone(), 200));
        let steps = [text(http("POST", RUN_PATH))];
        let flooding = json!({ "steps": steps, "execute": acts, "says": "succeeded" });
        let flooding = job("caller", &flooding);
        let plan = ground.plan(&flooding);
        let (word, failed) = failure(ground.execute(&flooding, &plan));
        // It broke off after its one step was accepted: nobody knows what it would have found.
        assert_eq!((word, failed.code.as_str()), ("unknown", "limit"), "{flood}: {failed:?}");
        assert_eq!(failed.applied, ["s0"], "{flood}");
        assert_eq!(ground.server.begun(), 1, "{flood}");
        assert!(sent(&ground) <= 41, "{flood}: {}", sent(&ground));
        // The same while it plans.
        let before = sent(&ground);
        let acts: Vec<_> = std::iter::repeat_n(flood.clone(), 200).collect();
        let planning = job("caller", &json!({ "steps": [], "plan": acts }));
        let refused = ground.runner.plan(&planning, &ground.link).unwrap_err();
        assert_eq!(refused.code(), Code::LimitReached, "{flood}");
        assert!(sent(&ground) <= before + 41, "{flood}");
    }
}

#[test]
fn bodies_without_end_end_at_the_limit() {
    let mut limits = RunnerLimits::default();
    limits.host_bytes_max = 256 << 10;
    let large = |endpoint: &str, method: &str, path: &str| {
        let call = HttpCall {
            endpoint: endpoint.into(),
            body: vec![b'x'; 300 << 10],
            ..http(method, path)
        };
        text(call)
    };
    // Also where nobody would listen.
    for call in [
        large("rundeck", "POST", RUN_PATH),
        large("rundeck", "GET", LOOK_PATH),
        large("nowhere", "POST", RUN_PATH),
    ] {
        let ground = Ground::limited(limits.clone());
        let steps = [text(http("POST", RUN_PATH))];
        let greedy = json!({ "steps": steps, "execute": [call], "says": "succeeded" });
        let greedy = job("caller", &greedy);
        let plan = ground.plan(&greedy);
        let (word, failed) = failure(ground.execute(&greedy, &plan));
        assert_eq!((word, failed.code.as_str()), ("failed", "runner_fault"), "{failed:?}");
        assert_eq!(sent(&ground), 0);
    }
}

#[test]
fn after_a_cancellation_no_call_leaves_the_host() {
    for more in ["step 1", "look"] {
        let ground = Ground::of(Product::Rundeck);
        let (one, two) = (text(http("POST", RUN_PATH)), text(http("POST", "/api/41/job/8/run")));
        let look = text(http("GET", LOOK_PATH));
        let echo = command("say", &[("word", "x")]);
        let more = if more == "look" { look.clone() } else { more.to_owned() };
        let acts = ["step 0", &more, &look, &echo, "step 1", "wait 1", &look, &echo];
        let stubborn = json!({ "steps": [one, two], "execute": acts, "says": "succeeded" });
        let stubborn = job("caller", &stubborn);
        let plan = ground.plan(&stubborn);
        ground.server.fail(Scope::Writes, Fault::HoldReply, 1);
        let lease = std::sync::Arc::clone(&ground.link.lease);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // It waits for its answer; then somebody cancels, and the answer may come.
                until("the server has the request", || !ground.server.seen().is_empty());
                lease.end(Code::Cancelled);
            });
            let (word, failed) = failure(ground.execute(&stubborn, &plan));
            assert_eq!(word, "unknown", "{failed:?}");
        });
        assert_eq!(sent(&ground), 1, "{}", ground.log());
        ground.server.release();
        assert_eq!(ground.server.begun(), 1);
        // Where the run is over before the first call, there is none.
        let never = Ground::of(Product::Rundeck);
        let plan = never.plan(&stubborn);
        never.link.lease.end(Code::Cancelled);
        let (word, failed) = failure(never.execute(&stubborn, &plan));
        assert_eq!((word, failed.code.as_str(), sent(&never)), ("failed", "cancelled", 0));
    }
}

#[test]
fn what_was_not_granted_is_not_installed_and_what_was_not_named_is_not_there() {
    let asked =
        || Manifest::new("caller", "0.1.0").with_capability("http").with_capability("command");
    let build = |manifest: Manifest, grant: Grant| {
        let builder = WasmRunner::builder();
        let manifest = manifest.with_connection("target");
        builder.plugin("caller".parse().unwrap(), CALLER, manifest, grant).build()
    };
    let both = || Grant::none().with("http").with("command");
    assert!(build(asked(), both()).is_ok());
    for (grant, missing) in
        [(Grant::none().with("http"), "command"), (Grant::none().with("command"), "http")]
    {
        let refused = build(asked(), grant).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("the plugin `caller` asks for `{missing}`, which is not granted")
        );
    }
    // It imports what its manifest does not name: granted or not, it is not installed.
    let hiding = Manifest::new("caller", "0.1.0").with_capability("http");
    assert_eq!(build(hiding, both()).unwrap_err().code(), Code::RunnerFault);

    // A target without commands has none, whatever another target of the same host has.
    let server = ProductServer::start(Product::Rundeck);
    let target = DeployTarget::builder().endpoint("rundeck", server.endpoint()).build().unwrap();
    let mut ground = Ground::of(Product::Rundeck);
    let builder = super::ground::plugins(WasmRunner::builder());
    ground.runner = builder.deploy_target("orders".parse().unwrap(), target).build().unwrap();
    let nosy = json!({ "steps": [], "plan": [command("say", &[("word", RUN)]), command("true", &[("run", "x")])] });
    ground.plan(&job("caller", &nosy));
    assert_eq!((sent(&ground), ground.log().matches("Denied").count()), (0, 2), "{}", ground.log());
}
