//! A plugin from each template: made in a fresh folder with the commands of its README, examined there, and run on a
//! database. What it says is what the kept component of the same story says, byte for byte. The one that calls another
//! system is made, checked and packaged: this program has no endpoints to run it on.
//!
//! Those in Rust are tried where the target `wasm32-wasip2` is installed, which it is in CI. The others fetch their tools
//! from registries, so that they are tried where `PLACET_TEMPLATES` names them: `PLACET_TEMPLATES=rust,python,javascript,c`.
#![expect(clippy::print_stderr, reason = "what was not tried is said loudly")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

use crate::tool::Tool;

const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runners/plugins/sdk");
const KEPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../runners/tests/fixtures/published/0.1.0");

fn is_asked_for(language: &str) -> bool {
    let asked = std::env::var("PLACET_TEMPLATES").unwrap_or_default();
    asked.split(',').any(|asked| asked == language)
}

fn has_target() -> bool {
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", "wasm32-wasip2"])
        .stderr(Stdio::null())
        .output();
    let Ok(printed) = printed else { return false };
    let folder = String::from_utf8_lossy(&printed.stdout).trim().to_owned();
    fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some())
}

/// The commands of the first block in a README.
fn documented(readme: &str) -> String {
    let block = readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap().to_owned()
}

/// Runs the commands as a person would, in the folder. Tells what they print.
fn follow(folder: &Path, commands: &str) -> String {
    let placet = Path::new(env!("CARGO_BIN_EXE_placet")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(placet).chain(std::env::split_paths(&path));
    let mut shell = Command::new("sh");
    shell.args(["-e", "-x", "-c", commands]).current_dir(folder).stdin(Stdio::null());
    shell.env("PATH", std::env::join_paths(paths).unwrap());
    // A person has none of these.
    for word in ["CARGO_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "PLACET_FOLDER"] {
        shell.env_remove(word);
    }
    let ended = shell.output().unwrap();
    let out = String::from_utf8_lossy(&ended.stdout).into_owned();
    let err = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{commands}\n{out}\n{err}");
    eprintln!("{out}");
    out
}

/// A plugin from this template, called like it, after the commands of its README. Tells what they print.
fn made(tool: &Tool, name: &str, language: &str) -> String {
    let made = tool.run(&format!("plugin new {name} --language {language} --sdk {SDK}"));
    assert_eq!(made.code, 0, "{}", made.err);
    follow(&tool.path(name), &documented(&tool.read(format!("{name}/README.md"))))
}

/// Findings, plan and outcome on a database of nine orders.
fn story(tool: &Tool, component: &str, manifest: &str) -> Value {
    let path = tool.path("shop.db");
    let _before = fs::remove_file(&path);
    let database = Connection::open(&path).unwrap();
    database.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT)").unwrap();
    for id in 1..=9 {
        database.execute("INSERT INTO orders VALUES (?1, 'new')", [id]).unwrap();
    }
    let payload = tool.write("story.json", r#"{"orders": [3, 5, 8]}"#);
    let words = ["--json", "--sqlite", "shop=shop.db", "plugin", "run", component, manifest];
    let more = ["--payload", payload.to_str().unwrap(), "--target", "shop", "--execute"];
    let ran = tool.run_with(&[words.as_slice(), more.as_slice()].concat(), "");
    assert_eq!(ran.code, 0, "{}", ran.out);
    let closed: Vec<i64> = database
        .prepare("SELECT id FROM orders WHERE state = 'closed' ORDER BY id")
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(closed, [3, 5, 8]);
    serde_json::from_str(&ran.out).unwrap()
}

/// What every language says.
fn expected(tool: &Tool) -> Value {
    let told = story(tool, &format!("{KEPT}/rust.wasm"), &format!("{KEPT}/manifest.json"));
    assert_eq!(told["outcome"]["summary"], "closed 3 orders", "{told}");
    assert_eq!(told["outcome"]["rows_affected"], 3, "{told}");
    assert_eq!(told["plan"]["steps"].as_array().unwrap().len(), 3, "{told}");
    told
}

fn tried(language: &str) {
    let tool = Tool::empty();
    let expected = expected(&tool);
    let out = made(&tool, "close-orders", language);
    // The exam, the table and the package were made, whatever else was said.
    assert!(out.contains("passed kill.verified") && !out.contains("FAILED"), "{out}");
    assert!(out.contains("p95") && out.contains("packaged"), "{out}");
    let told = story(&tool, "close-orders/package/plugin.wasm", "close-orders/package/plugin.json");
    assert_eq!(told, expected, "{language}");
}

fn skipped(language: &str) {
    eprintln!("NOT TRIED: the template in {language}. PLACET_TEMPLATES={language} tries it.");
}

/// Whether those in Rust are tried. CI has what they need.
fn tries_rust() -> bool {
    let tries = has_target() || is_asked_for("rust");
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(tries || !is_ci, "skipped in CI: the target wasm32-wasip2 is not installed");
    tries
}

#[test]
fn a_plugin_in_rust() {
    if tries_rust() { tried("rust") } else { skipped("rust") }
}

#[test]
fn a_plugin_in_rust_that_calls_another_system() {
    if !tries_rust() {
        return skipped("rust");
    }
    let tool = Tool::empty();
    let out = made(&tool, "announce-release", "rust-deploy");
    assert!(out.contains("accepts") && out.contains("packaged"), "{out}");
    // It asks for the way out that it uses, and for nothing else.
    let checked = |payload: &str| {
        tool.write("release.json", payload);
        let package = "announce-release/package";
        let words = format!("{package}/plugin.wasm {package}/plugin.json --payload release.json");
        tool.run(&format!("--json plugin check {words}"))
    };
    let good = checked(r#"{"version": "1.4.2"}"#);
    assert_eq!(good.code, 0, "{}", good.out);
    let good: Value = serde_json::from_str(&good.out).unwrap();
    assert_eq!(good["manifest"]["capabilities"], serde_json::json!(["http"]), "{good}");
    assert_eq!(good["findings"], serde_json::json!([]), "{good}");
    let bad = checked(r#"{"version": "one"}"#);
    assert_eq!((bad.code, bad.out.contains("release.payload")), (1, true), "{}", bad.out);
}

#[test]
fn a_plugin_in_python() {
    if is_asked_for("python") { tried("python") } else { skipped("python") }
}

#[test]
fn a_plugin_in_javascript() {
    if is_asked_for("javascript") { tried("javascript") } else { skipped("javascript") }
}

#[test]
fn a_plugin_in_c() {
    if is_asked_for("c") { tried("c") } else { skipped("c") }
}

#[test]
fn the_kept_components_tell_the_same_story() {
    let tool = Tool::empty();
    let expected = expected(&tool);
    let mut compared = 0_u32;
    for entry in fs::read_dir(KEPT).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "wasm") {
            let told = story(&tool, path.to_str().unwrap(), &format!("{KEPT}/manifest.json"));
            assert_eq!(told, expected, "{}", path.display());
            compared = compared.saturating_add(1);
        }
    }
    // One alone would be compared with itself.
    assert!(compared >= 2, "{compared} components are kept");
}
