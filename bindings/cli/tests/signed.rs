//! A plugin that people sign at their terminals, and a host that counts them.

use std::fs;

use placet::audit::{Ed25519Signer, SignedNote, VerifierKey};
use placet::error::Code;
use placet::runners::{Grant, Manifest, Trusted, WasmRunner};
use placet_core::audit::Signer as _;
use serde_json::Value;

use crate::tool::Tool;

/// A package of the shipped plugin, in a version that is nobody's.
fn packaged() -> Tool {
    let tool = Tool::empty();
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runners/plugins/built/sql.wasm");
    fs::copy(built, tool.path("sql.wasm")).unwrap();
    let manifest =
        r#"{"name": "own", "version": "7", "capabilities": ["sql"], "connections": ["target"]}"#;
    tool.write("sql.json", manifest);
    assert_eq!(tool.run("plugin package sql.wasm --output out").code, 0);
    tool
}

/// Makes a key, and says its public half.
fn key(tool: &Tool, who: &str) -> String {
    let made = tool.json(&format!("plugin key {who}.key --name {who}.example.org"));
    assert_eq!(made["made"], true);
    let shown = tool.json(&format!("plugin key {who}.key"));
    assert_eq!((&shown["key"], &shown["made"]), (&made["key"], &Value::Bool(false)));
    made["key"].as_str().unwrap().to_owned()
}

fn sign(tool: &Tool, who: &str) -> Value {
    tool.json(&format!("plugin sign out/plugin.wasm --key {who}.key"))
}

/// How `verify` ends, and how many it counts.
fn verified(tool: &Tool, keys: &[&str], needed: usize) -> (i32, usize) {
    let named: String = keys.iter().flat_map(|key| [" --key ", key]).collect();
    let words = format!("--json plugin verify out/plugin.wasm{named} --needed {needed}");
    let ran = tool.run(&words);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(said["holds"] == true, ran.code == 0, "{said}");
    (ran.code, said["signers"].as_array().map_or(0, Vec::len))
}

/// Whether a host that asks for so many of these takes the package.
fn installs(tool: &Tool, keys: &[&str], needed: usize) -> Result<(), Code> {
    let keys: Vec<VerifierKey> = keys.iter().map(|key| key.parse().unwrap()).collect();
    let manifest = Manifest::from_json(&tool.read("out/plugin.json")).unwrap();
    let component = fs::read(tool.path("out/plugin.wasm")).unwrap();
    let name = || "own".parse().unwrap();
    let builder = WasmRunner::builder()
        .signers(Trusted::new(keys, needed).unwrap())
        .plugin(name(), component, manifest, Grant::none().with("sql"))
        .note(name(), tool.read("out/plugin.note"));
    builder.build().map(drop).map_err(|error| error.code())
}

#[test]
fn two_people_sign_and_a_host_that_asks_for_two_takes_it() {
    let tool = packaged();
    let (ana, bo) = (key(&tool, "ana"), key(&tool, "bo"));
    // What nobody signed counts for nobody.
    assert_eq!(verified(&tool, &[&ana], 1), (1, 0));

    let signed = sign(&tool, "ana");
    assert_eq!((&signed["added"], &signed["signatures"]), (&true.into(), &1.into()));
    assert_eq!(
        (signed["key"].as_str(), &signed["manifest"]["version"]),
        (Some(&*ana), &"7".into())
    );
    assert_eq!(verified(&tool, &[&ana, &bo], 1), (0, 1));
    assert_eq!(verified(&tool, &[&ana, &bo], 2), (1, 1));
    assert_eq!(installs(&tool, &[&ana, &bo], 2), Err(Code::Refused));

    // Ana again is Ana.
    let again = sign(&tool, "ana");
    assert_eq!((&again["added"], &again["signatures"]), (&false.into(), &1.into()));
    assert_eq!(verified(&tool, &[&ana, &bo], 2), (1, 1));

    assert_eq!(sign(&tool, "bo")["signatures"], 2);
    assert_eq!(verified(&tool, &[&ana, &bo], 2), (0, 2));
    assert_eq!(installs(&tool, &[&ana, &bo], 2), Ok(()));
    // A stranger's line changes nothing, and counts for nobody who does not know it.
    let _zoe = key(&tool, "zoe");
    assert_eq!(sign(&tool, "zoe")["signatures"], 3);
    assert_eq!(verified(&tool, &[&ana, &bo], 2), (0, 2));
    let told = tool.run(&format!("plugin verify out/plugin.wasm --key {ana}"));
    assert!(told.out.contains("1 of 1 needed") && told.out.contains(&ana), "{}", told.out);
}

#[test]
fn one_key_under_two_names_is_one_signer() {
    let tool = packaged();
    let known = |name: &str| Ed25519Signer::from_seed(name, &[7; 32]).unwrap();
    let (ana, alias) = (known("ana.example.org"), known("not-ana.example.org"));
    let manifest = Manifest::from_json(&tool.read("out/plugin.json")).unwrap();
    let component = fs::read(tool.path("out/plugin.wasm")).unwrap();
    let note = manifest.sign(&component, &[&ana, &alias]).unwrap();
    tool.write("out/plugin.note", note.to_string());
    let bo = key(&tool, "bo");
    let keys = [ana.verifier_key().to_string(), alias.verifier_key().to_string()];
    assert_eq!(verified(&tool, &[&keys[0], &keys[1], &bo], 2), (1, 1));
    assert_eq!(installs(&tool, &[&keys[0], &keys[1], &bo], 2), Err(Code::Refused));
    // Where only those two are named, two can never be reached.
    let words =
        format!("plugin verify out/plugin.wasm --key {} --key {} --needed 2", keys[0], keys[1]);
    assert_eq!(tool.run(&words).code, 3);
    // This is what would count a name for a person: it finds two.
    let lines = SignedNote::parse(tool.read("out/plugin.note").as_bytes()).unwrap();
    assert_eq!(lines.signatures().len(), 2);
    assert_eq!(sign(&tool, "bo")["signatures"], 3);
    assert_eq!(verified(&tool, &[&keys[0], &keys[1], &bo], 2), (0, 2));
}

#[test]
fn what_was_changed_after_it_was_signed_is_not_signed() {
    let tool = packaged();
    let ana = key(&tool, "ana");
    sign(&tool, "ana");
    let (note, manifest) = (tool.read("out/plugin.note"), tool.read("out/plugin.json"));
    let component = fs::read(tool.path("out/plugin.wasm")).unwrap();

    let not_any_more = |why: &str| {
        let ran = tool.run(&format!("plugin verify out/plugin.wasm --key {ana}"));
        assert_eq!((ran.code, ran.out.contains("not signed")), (1, true), "{why}: {}", ran.out);
        assert!(ran.out.contains("next:"), "{why}: {}", ran.out);
        assert!(installs(&tool, &[&ana], 1).is_err(), "{why}");
    };
    // A section more at the end of the component: it does the same, and is another one.
    tool.write("out/plugin.wasm", [component.as_slice(), &[0, 2, 1, 0x61]].concat());
    not_any_more("component");
    // Nobody signs below a text about something else.
    let _bo = key(&tool, "bo");
    let refused = tool.run("plugin sign out/plugin.wasm --key bo.key");
    assert_eq!(
        (refused.code, refused.err.contains("another manifest")),
        (5, true),
        "{}",
        refused.err
    );
    assert_eq!(tool.read("out/plugin.note"), note);
    tool.write("out/plugin.wasm", &component);

    tool.write("out/plugin.json", manifest.replace("\"target\"", "\"target\", \"payroll\""));
    not_any_more("manifest");
    tool.write("out/plugin.json", &manifest);

    // A line in Ana's name that she did not write.
    let (before, after) = note.split_at(note.len().saturating_sub(9));
    let flipped = if after.starts_with('A') { "B" } else { "A" };
    tool.write("out/plugin.note", format!("{before}{flipped}{}", after.get(1..).unwrap()));
    not_any_more("signature");
    let unsure = tool.run("plugin sign out/plugin.wasm --key ana.key");
    assert_ne!(unsure.code, 0, "a line in her name is not passed over: {}", unsure.out);
    tool.write("out/plugin.note", &note);
    assert_eq!(verified(&tool, &[&ana], 1), (0, 1));
}

#[test]
fn a_key_is_made_once_and_never_shown() {
    let tool = packaged();
    let ana = key(&tool, "ana");
    let secret = tool.read("ana.key");
    let secret = secret.trim_end().rsplit('+').next().unwrap();
    for words in [
        "plugin key ana.key",
        "--json plugin key ana.key",
        "plugin key ana.key --name bo.example.org",
        "plugin sign out/plugin.wasm --key ana.key",
    ] {
        let ran = tool.run(words);
        assert!(!format!("{}{}", ran.out, ran.err).contains(secret), "{words}");
    }
    let again = tool.run("plugin key ana.key --name bo.example.org");
    assert_eq!((again.code, again.err.contains("there is a file")), (6, true), "{}", again.err);
    assert_eq!(tool.json("plugin key ana.key")["key"], ana.as_str());
    for words in [
        "plugin key nobody.key",
        "plugin sign out/plugin.wasm --key nobody.key",
        "plugin sign out/plugin.wasm --key out/plugin.json",
    ] {
        assert_eq!(tool.run(words).code, 7, "{words}");
    }
    assert!(!tool.path("nobody.key").exists(), "looking for a key makes none");
    assert_eq!(tool.run("plugin verify out/plugin.wasm").code, 2);
    assert_eq!(tool.run("plugin verify out/plugin.wasm --key nonsense").code, 2);
}
