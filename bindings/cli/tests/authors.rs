//! What authors of plugins do: begin, check, measure, package.

use std::fs;

use placet::runners::Manifest;
use placet_core::audit::Ed25519Signer;
use serde_json::Value;

use crate::tool::Tool;

const MANIFEST: &str =
    r#"{"name": "sql", "version": "0.1.0", "capabilities": ["sql"], "connections": ["target"]}"#;
const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runners/plugins/sdk");

fn built(name: &str) -> String {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runners/plugins/built");
    format!("{built}/{name}.wasm")
}

/// A folder with the shipped plugin in it.
fn with_sql() -> Tool {
    let tool = Tool::empty();
    fs::copy(built("sql"), tool.path("sql.wasm")).unwrap();
    tool.write("sql.json", MANIFEST);
    tool.write("payload.json", r#"{"sql": "DELETE FROM orders WHERE id = 1"}"#);
    tool
}

#[test]
fn a_new_plugin_is_a_folder_with_its_name_in_it() {
    for language in ["rust", "rust-deploy", "python", "javascript", "c"] {
        let tool = Tool::empty();
        let words = format!("plugin new tidy-up --language {language} --sdk {SDK}");
        let made = tool.json(&words);
        let files = made["files"].as_array().unwrap();
        assert!(files.len() >= 5, "{language}: {made}");
        for file in files {
            let name = format!("tidy-up/{}", file.as_str().unwrap());
            let text = tool.read(&name);
            let of_template = ["close-orders", "announce-release"];
            let is_there = of_template.iter().any(|of_template| text.contains(of_template));
            assert!(!is_there, "{name} has the name of the template");
            assert!(!text.contains("../../plugins/sdk"), "{name} looks for the SDK beside itself");
        }
        let manifest = Manifest::from_json(&tool.read("tidy-up/manifest.json")).unwrap();
        assert_eq!(manifest.name, "tidy-up");
        let interface = tool.path("tidy-up/wit/runner.wit").exists();
        assert_eq!(interface, !language.starts_with("rust"), "{language}");
        // What is there already stays as it is.
        tool.write("tidy-up/README.md", "mine");
        let again = tool.run(&words);
        assert_eq!((again.code, tool.read("tidy-up/README.md").as_str()), (3, "mine"));
    }
}

#[test]
fn a_plugin_in_rust_is_told_where_the_sdk_is() {
    let tool = Tool::empty();
    let without = tool.run("plugin new tidy-up --language rust");
    assert_eq!((without.code, without.err.contains("--sdk")), (3, true), "{}", without.err);
    let elsewhere = tool.run("plugin new tidy-up --language rust --sdk .");
    assert_eq!((elsewhere.code, elsewhere.err.contains("not the folder of the SDK")), (3, true));
    assert!(!tool.path("tidy-up").exists(), "nothing is left of it");
    let nameless = tool.run("plugin new ../up --language c");
    assert_eq!((nameless.code, tool.path("../up").exists()), (2, false), "{}", nameless.err);
}

#[test]
fn an_exam_is_passed_or_says_what_is_wrong() {
    let tool = with_sql();
    let passed = tool.run("plugin check sql.wasm --payload payload.json --conformance");
    assert_eq!(passed.code, 0, "{}{}", passed.out, passed.err);
    assert!(passed.out.contains("passed kill.verified (payload 1)"), "{}", passed.out);
    assert!(!passed.out.contains("FAILED"), "{}", passed.out);

    fs::copy(built("tests-unruly"), tool.path("unruly.wasm")).unwrap();
    tool.write("unruly.json", MANIFEST.replace("\"sql\", \"version", "\"unruly\", \"version"));
    tool.write("lie.json", r#"{"behaviour": "no-commit", "sql": "DELETE FROM orders"}"#);
    let words = "--json plugin check unruly.wasm --payload lie.json --conformance";
    let failed = tool.run(words);
    assert_eq!(failed.code, 1, "{}", failed.out);
    let answer: Value = serde_json::from_str(&failed.out).unwrap();
    let checks = answer["conformance"]["checks"].as_array().unwrap();
    let run = checks.iter().find(|check| check["name"] == "run.truthful").unwrap();
    assert_eq!(run["passed"], false, "{run}");
    assert!(run["why"].as_str().unwrap().contains("runner_fault"), "{run}");
    // Without a payload there is nothing to examine.
    assert_eq!(tool.run("plugin check sql.wasm --conformance").code, 2);
}

#[test]
fn a_bench_tells_what_each_call_takes() {
    let tool = with_sql();
    let paced = tool.json("plugin bench sql.wasm --payload payload.json --rounds 5");
    let parts = paced["pace"]["parts"].as_array().unwrap();
    let names: Vec<&str> = parts.iter().map(|part| part["what"].as_str().unwrap()).collect();
    assert_eq!(names, ["instantiate", "describe", "validate", "plan"]);
    for part in parts {
        let ns = |name: &str| part[name].as_u64().unwrap();
        assert!(part["rounds"] == 5 && 0 < ns("p50_ns"), "{part}");
        assert!(ns("p50_ns") <= ns("p95_ns") && ns("p95_ns") <= ns("max_ns"), "{part}");
    }
    let told = tool.run("plugin bench sql.wasm --payload payload.json --rounds 5").out;
    assert!(told.contains("p95") && told.contains("instantiate"), "{told}");
    assert_eq!(tool.run("plugin bench sql.wasm --payload payload.json --rounds 0").code, 2);
}

#[test]
fn a_package_is_what_people_sign() {
    let tool = with_sql();
    let packaged = tool.run("plugin package sql.wasm --output out");
    assert_eq!(packaged.code, 0, "{}", packaged.err);
    let bytes = fs::read(tool.path("out/plugin.wasm")).unwrap();
    assert_eq!(bytes, fs::read(tool.path("sql.wasm")).unwrap(), "a component stays as it is");
    let manifest = Manifest::from_json(&tool.read("out/plugin.json")).unwrap();
    let digest = placet_core::digest::Digest::of(&bytes);
    assert_eq!(tool.read("out/plugin.sha256"), format!("{digest}  plugin.wasm\n"));
    let ana = Ed25519Signer::from_seed("ana.example.org", &[1; 32]).unwrap();
    let note = manifest.sign(&bytes, &[&ana]).unwrap();
    let note = note.to_string();
    let text = tool.read("out/plugin.note");
    assert!(note.starts_with(&format!("{text}\n")), "{note}\n{text}");
    // It loads from there, and nothing is written over it.
    assert_eq!(tool.run("plugin check out/plugin.wasm").code, 0);
    assert_eq!(tool.run("plugin package sql.wasm --output out").code, 3);
}

#[test]
fn what_does_not_load_is_not_packaged() {
    let tool = with_sql();
    tool.write("none.json", MANIFEST.replace(r#"["sql"]"#, "[]"));
    for (words, code) in [
        ("plugin package sql.wasm none.json --output out", 9),
        ("plugin package sql.json sql.json --output out", 9),
        ("plugin package sql.wasm --output out --world moon", 2),
    ] {
        let ran = tool.run(words);
        assert_eq!(ran.code, code, "{words}: {}", ran.err);
        assert!(!tool.path("out").exists(), "{words}");
    }
    // A core module that is nobody's plugin.
    tool.write("empty.wasm", b"\0asm\x01\0\0\0");
    let empty = tool.run("plugin package empty.wasm sql.json --output out");
    assert_eq!(empty.code, 3, "{}", empty.err);
    assert!(empty.err.contains("cannot be made a component"), "{}", empty.err);
    assert!(!tool.path("out").exists());
}
