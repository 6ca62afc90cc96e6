//! Two versions of the plugin interface in one host. The newer one is a fixture: `fixtures/wit-0.2`.

use std::sync::Arc;

use placet_core::error::Code;
use placet_core::runner::{Outcome, Runner as _};
use placet_runners::{Grant, Manifest, SqliteTarget, WasmRunner};

use crate::bench::{Bench, Link, failure, job, plugins};

static NEWER: &[u8] = include_bytes!("../plugins/built/tests-newer.wasm");

fn manifest() -> Manifest {
    Manifest::new("newer", "0.1.0").with_capability("sql").with_connection("target")
}

/// A host with a plugin of each version, in front of the bench's database.
fn host(bench: &Bench) -> WasmRunner {
    plugins(WasmRunner::builder())
        .plugin("newer".parse().unwrap(), NEWER, manifest(), Grant::none().with("sql"))
        .target("orders".parse().unwrap(), Arc::new(SqliteTarget::new(bench.path())))
        .build()
        .unwrap()
}

#[test]
fn a_plugin_of_each_version_does_the_same_story() {
    for plugin in ["sql", "newer"] {
        let bench = Bench::new();
        let host = host(&bench);
        let runner = plugin.parse().unwrap();
        assert!(host.describe(&runner).unwrap().capabilities == ["sql"], "{plugin}");
        let payload = r#"{"sql":"DELETE FROM orders WHERE id = 1; UPDATE orders SET state = 'x' WHERE TRUE"}"#;
        assert_eq!(host.validate(&runner, payload).unwrap(), [], "{plugin}");
        let job = job(plugin, payload);
        let plan = host.plan(&job, &bench.link).unwrap();
        let bodies: Vec<&str> = plan.steps.iter().map(|step| step.body.as_str()).collect();
        let expected =
            ["DELETE FROM orders WHERE id = 1", "UPDATE orders SET state = 'x' WHERE TRUE"];
        assert_eq!(bodies, expected, "{plugin}");
        assert_eq!(bench.number("SELECT count(*) FROM orders"), 3, "a plan changes nothing");

        // Nothing is there yet; then it is, and what the host counted is the same.
        let (word, _) = failure(host.verify(&job, &plan, &bench.link));
        assert_eq!(word, "failed", "{plugin}");
        let outcome = host.execute(&job, &plan, &bench.link);
        let Outcome::Succeeded(report) = outcome else { panic!("{plugin}: {outcome:?}") };
        assert_eq!(report.rows_affected, Some(3), "{plugin}");
        assert_eq!(bench.number("SELECT count(*) FROM orders WHERE state = 'x'"), 2);
        assert_eq!(bench.number("SELECT count(*) FROM placet_marker"), 1);
        let verified = host.verify(&job, &plan, &bench.link);
        assert!(matches!(verified, Outcome::Succeeded(_)), "{plugin}: {verified:?}");
    }
}

#[test]
fn a_newer_version_gets_past_no_check() {
    let bench = Bench::new();
    let host = host(&bench);
    let run = |behaviour: &str, link: &Link| {
        let payload = format!(r#"{{"sql":"DELETE FROM orders WHERE id = 1","how":"{behaviour}"}}"#);
        let job = job("newer", &payload);
        let plan = host.plan(&job, &Link::default()).unwrap();
        let (word, failure) = failure(host.execute(&job, &plan, link));
        assert_eq!(bench.number("SELECT count(*) FROM orders"), 3, "{behaviour}");
        (word, failure.code)
    };
    assert_eq!(run("lie", &bench.link), ("failed", "runner_fault".to_owned()));
    assert_eq!(run("other", &bench.link), ("failed", "denied".to_owned()));
    assert_eq!(run("loop", &Link::hurried()), ("failed", "timeout".to_owned()));
    let link = Link::default();
    *link.lease.cancelled.lock().unwrap() = Some(Code::Cancelled);
    assert_eq!(run("loop", &link), ("failed", "cancelled".to_owned()));
    // Terminal escapes go here too.
    let log = bench.link.log.lock().unwrap();
    assert!(!log.is_empty() && log.iter().all(|line| !line.message.contains('\u{1b}')), "{log:?}");
    drop(log);
    // A pure call reaches nothing.
    let reached = host.validate(&"newer".parse().unwrap(), "reach").unwrap_err();
    assert_eq!(reached.code(), Code::RunnerFault);
    bench.assert_alive();
}

#[test]
fn a_newer_version_needs_manifest_and_grant_too() {
    let install = |manifest, grant| {
        let name = "newer".parse().unwrap();
        WasmRunner::builder().plugin(name, NEWER, manifest, grant).build().map(drop)
    };
    assert!(install(manifest(), Grant::none().with("sql")).is_ok());
    let ungranted = install(manifest(), Grant::none()).unwrap_err();
    assert_eq!(ungranted.code(), Code::RunnerFault);
    assert!(ungranted.to_string().contains("not granted"), "{ungranted}");
    let unasked = Manifest::new("newer", "0.1.0");
    let unasked = install(unasked, Grant::none().with("sql")).unwrap_err();
    assert!(unasked.to_string().contains("manifest does not ask"), "{unasked}");
}

#[test]
fn a_version_that_the_host_does_not_speak_is_named() {
    // The same bytes, of a version of the day after tomorrow.
    let mut component = NEWER.to_vec();
    for at in 0..component.len().saturating_sub(6) {
        let end = at.saturating_add(6);
        if component.get(at..end) == Some(&b"@0.2.0"[..]) {
            component.splice(at..end, *b"@0.3.0");
        }
    }
    let name = "newer".parse().unwrap();
    let error = WasmRunner::builder()
        .plugin(name, component, manifest(), Grant::none().with("sql"))
        .build()
        .unwrap_err();
    assert_eq!(error.code(), Code::RunnerFault);
    assert!(error.to_string().contains("version 0.3.0"), "{error}");
    assert!(error.to_string().contains("speaks 0.1.0 and 0.2.0"), "{error}");
}
