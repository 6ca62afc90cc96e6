//! What is refused before anything of it runs.

use placet_core::digest::Digest;
use placet_core::error::Code;
use placet_core::runner::Runner as _;
use placet_runners::{Grant, Manifest, WasmRunner, shipped};

use crate::bench::{Bench, GRASPING, PACED, UNRULY};

#[test]
fn an_import_that_is_not_provided_refuses_the_plugin() {
    let manifest = Manifest::new("grasping", "0.1.0").with_capability("secrets");
    let grant = Grant::none().with("secrets");
    let builder =
        WasmRunner::builder().plugin("grasping".parse().unwrap(), GRASPING, manifest, grant);
    let refused = builder.build().unwrap_err();
    assert_eq!(refused.code(), Code::RunnerFault);
    assert!(refused.to_string().contains("placet:runner/secrets@0.1.0"), "{refused}");
    assert!(refused.help().is_some());
}

#[test]
fn a_capability_needs_manifest_and_grant() {
    let sql = shipped::sql();
    let name = || "sql".parse().unwrap();
    let ungranted =
        WasmRunner::builder().plugin(name(), sql.component.clone(), sql.manifest, Grant::none());
    let refused = ungranted.build().unwrap_err();
    assert_eq!(refused.to_string(), "the plugin `sql` asks for `sql`, which is not granted");

    let unasked = Manifest::new("sql", "0.1.0");
    let builder =
        WasmRunner::builder().plugin(name(), sql.component, unasked, Grant::none().with("sql"));
    assert_eq!(builder.build().unwrap_err().code(), Code::RunnerFault);
}

#[test]
fn bytes_that_are_no_component_are_refused() {
    for bytes in [&b""[..], b"nonsense", b"\0asm\x01\0\0\0"] {
        let manifest = Manifest::new("x", "1");
        let builder = WasmRunner::builder().plugin(
            "x".parse().unwrap(),
            bytes.to_vec(),
            manifest,
            Grant::none(),
        );
        assert_eq!(builder.build().unwrap_err().code(), Code::RunnerFault);
    }
}

#[test]
fn the_shipped_plugin_describes_itself() {
    let bench = Bench::new();
    let info = bench.runner.describe(&"sql".parse().unwrap()).unwrap();
    assert_eq!(info.title, "SQL script");
    assert_eq!(info.capabilities, ["sql"]);
    assert_eq!(info.digest, Digest::of(&shipped::sql().component));
    serde_json::from_str::<serde_json::Value>(&info.payload_schema).unwrap();
}

#[test]
fn built_components_are_those_of_the_lock_file() {
    let lock = include_str!("../plugins/plugins.lock");
    let newer = include_bytes!("../plugins/built/tests-newer.wasm");
    let sql = shipped::sql().component;
    for component in [&sql[..], UNRULY, GRASPING, PACED, newer] {
        let digest = Digest::of(component).to_string();
        assert!(lock.contains(&digest), "run the program in `runners/pack`: {digest}");
    }
}

#[test]
fn parts_of_webassembly_that_are_switched_off_are_refused() {
    let module = |sections: &[u8]| {
        let size = u8::try_from(sections.len().saturating_add(8)).unwrap();
        let mut component = b"\0asm\x0d\0\x01\0\x01".to_vec();
        component.push(size);
        component.extend(b"\0asm\x01\0\0\0");
        component.extend(sections);
        component
    };
    let refusal = |sections: &[u8]| {
        let (manifest, name) = (Manifest::new("x", "1"), "x".parse().unwrap());
        let builder = WasmRunner::builder().plugin(name, module(sections), manifest, Grant::none());
        let refused = builder.build().and_then(|runner| runner.warm_up()).unwrap_err();
        assert_eq!(refused.code(), Code::RunnerFault);
        refused.to_string()
    };
    // A memory of 32 bits is well; what this component lacks is the plugin itself.
    let plain = refusal(&[5, 3, 1, 0, 0]);
    assert!(plain.contains("placet:runner/runner"), "{plain}");
    for (word, sections) in [
        ("memory64", &[5, 3, 1, 4, 0][..]),
        ("exceptions", &[1, 4, 1, 0x60, 0, 0, 13, 3, 1, 0, 0][..]),
        ("threads", &[5, 4, 1, 3, 0, 1][..]),
        ("tail calls", &[1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x12, 0, 0x0b][..]),
    ] {
        let refused = refusal(sections);
        assert!(refused.contains(word), "{word}: {refused}");
    }
}
