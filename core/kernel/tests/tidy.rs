//! Rules about the repository itself, which no compiler knows. Each rule is a function over texts, so
//! that it is shown to fail on a bad sample, and is then asked about the real files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One file: its path from the repository's root, with `/` between its parts, and its text.
type Files = BTreeMap<String, String>;

/// The most lines of a source file, tests aside.
const LINES_MAX: usize = 400;

/// What a crate may be reached by, and from nowhere else. Benches are excused: they compare.
const ONLY: &[(&str, &[&str])] = &[
    ("cedar-policy", &["policies"]),
    ("cedar-policy-symcc", &["policies"]),
    ("wasmtime", &["runners"]),
    // The other store measures what opening costs beside the bare one.
    ("sled", &["core/store-sled", "core/store-redb"]),
    ("redb", &["core/store-redb"]),
    (
        "tokio-postgres",
        &["core/store-postgres", "core/store-redb", "bindings/rust", "runners/targets/postgres"],
    ),
    // For MySQL no driver: the target speaks the protocol by itself, over rustls.
    (
        "rustls",
        &[
            "core/store-postgres",
            "core/witness",
            "runners/targets/deploy",
            "runners/targets/mysql",
            "runners/targets/postgres",
        ],
    ),
    ("sha1", &["runners/targets/mysql"]),
    ("mysql", &[]),
    ("mysql_async", &[]),
    ("ureq", &["core/witness"]),
    ("hyper", &["core/witness", "runners/targets/deploy"]),
    ("boon", &["core/forms"]),
    ("clap", &["bindings/cli"]),
    ("indicatif", &["bindings/cli"]),
];

/// What must not be below the kernel, at any depth: engines, databases, runtimes, networks, and every
/// other crate of ours.
const NOT_BELOW_KERNEL: &[&str] = &[
    "cedar-policy",
    "cedar-policy-core",
    "cedar-policy-symcc",
    "wasmtime",
    "sled",
    "redb",
    "rusqlite",
    "sqlx",
    "postgres",
    "tokio-postgres",
    "mysql",
    "tokio",
    "hyper",
    "reqwest",
    "ureq",
    "rustls",
    "clap",
    "pyo3",
    "napi",
    "placet",
    "boon",
    "placet-forms",
    "placet-policies",
    "placet-runners",
    "placet-store-sled",
    "placet-store-redb",
    "placet-store-postgres",
    "placet-witness",
];

// Reading.

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every text file of the repository that people write.
fn files() -> Files {
    let root = root();
    let (mut files, mut folders) = (Files::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type().unwrap();
            let skipped = [".git", "corpus", "artifacts", "node_modules", ".venv"];
            if kind.is_dir() {
                // Cargo marks what it builds; a source folder may be called `target`.
                let is_built = entry.path().join("CACHEDIR.TAG").exists();
                if !is_built && !skipped.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if kind.is_file() && (is_written(&name) || folder == ".ci") {
                // Somebody may remove a file while this looks.
                if let Ok(text) = fs::read_to_string(entry.path()) {
                    files.insert(path, text);
                }
            }
        }
    }
    assert!(files.contains_key("core/kernel/tests/tidy.rs"), "this is not the repository's root");
    files
}

fn is_written(name: &str) -> bool {
    let kinds = ["rs", "toml", "md", "cedar", "cedarschema", "wit", "sh", "py", "ts", "js"];
    name == "Cargo.lock" || kinds.iter().any(|kind| name.ends_with(&format!(".{kind}")))
}

fn ends_in(path: &str, kind: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == kind)
}

/// Whether a path is that of a test: in a folder `tests` or `tests-…`, or a file `…_tests.rs`.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part.starts_with("tests-"))
        || path.ends_with("_tests.rs")
        || path.ends_with("/tests.rs")
}

/// The lines of a source file before its test module.
fn without_tests(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = (0..lines.len()).find(|at| {
        let after = lines.iter().skip(*at);
        let mut below = after.skip_while(|line| line.starts_with("#[")).take(1);
        lines.get(*at) == Some(&"#[cfg(test)]")
            && below.any(|line| line.starts_with("mod ") && line.ends_with('{'))
    });
    lines.into_iter().take(begins.unwrap_or(usize::MAX)).collect()
}

/// The crates that a manifest names, in whatever section of dependencies, by their real names.
fn named_in(manifest: &str) -> BTreeSet<String> {
    let (mut names, mut in_dependencies) = (BTreeSet::new(), false);
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            let of_one = section.rsplit_once("dependencies.").map(|(_, name)| name.to_owned());
            in_dependencies = section.ends_with("dependencies");
            names.extend(of_one.filter(|_| !section.starts_with("workspace")));
            continue;
        }
        let renamed = line.split_once("package = \"").and_then(|(_, rest)| rest.split('"').next());
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default().trim_matches('"');
        if in_dependencies && !name.is_empty() && !name.starts_with('#') {
            names.insert(renamed.unwrap_or(name).to_owned());
        }
    }
    names
}

/// The manifests of the members, by folder, benches aside.
fn members(files: &Files) -> BTreeMap<&str, BTreeSet<String>> {
    let manifests = files.iter().filter_map(|(path, text)| {
        let folder = path.strip_suffix("/Cargo.toml")?;
        (folder.split('/').next() != Some("benches")).then(|| (folder, named_in(text)))
    });
    manifests.collect()
}

/// Everything that `crate_name` depends on by a lock file, at any depth.
fn below(lock: &str, crate_name: &str) -> BTreeSet<String> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut package = "";
    for line in lock.lines() {
        if let Some(name) = line.strip_prefix("name = ") {
            package = name.trim_matches('"');
        } else if let Some(name) = line.strip_prefix(" \"") {
            let name = name.split(['"', ' ']).next().unwrap_or_default();
            edges.entry(package).or_default().insert(name);
        }
    }
    let (mut found, mut open) = (BTreeSet::new(), vec![crate_name]);
    while let Some(next) = open.pop() {
        for name in edges.get(next).into_iter().flatten() {
            if found.insert((*name).to_owned()) {
                open.push(name);
            }
        }
    }
    found
}

// The rules. Each answers what is wrong; nothing is wrong when the answer is empty.

fn only_its_owner_names_an_engine(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (folder, names) in members(files) {
        for (name, owners) in ONLY {
            if names.contains(*name) && !owners.contains(&folder) {
                wrong.push(format!("`{folder}` names `{name}`; only {owners:?} may"));
            }
        }
    }
    wrong
}

fn kernel_stands_alone(files: &Files) -> Vec<String> {
    let lock = files.get("Cargo.lock").map(String::as_str).unwrap_or_default();
    let below = below(lock, "placet-core");
    let found = NOT_BELOW_KERNEL.iter().filter(|name| below.contains(**name));
    found.map(|name| format!("the kernel reaches `{name}`")).collect()
}

fn neighbours_do_not_know_each_other(files: &Files) -> Vec<String> {
    let apart = [("policies", "placet-runners"), ("runners", "placet-policies")];
    let members = members(files);
    let found = apart
        .iter()
        .filter(|(folder, name)| members.get(folder).is_some_and(|names| names.contains(*name)));
    found.map(|(folder, name)| format!("`{folder}` names `{name}`")).collect()
}

fn guests_do_not_link_the_host(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    for (folder, names) in members(files) {
        let is_guest = folder.starts_with("runners/plugins");
        for name in names.iter().filter(|name| name.starts_with("placet")) {
            // Neither links host or kernel: both sides read with them.
            let shared = ["placet-plugin-sdk", "placet-sql-review", "placet-exchange"];
            if is_guest && !shared.contains(&name.as_str()) {
                wrong.push(format!("the guest `{folder}` names `{name}`"));
            }
        }
    }
    let lock = files.get("runners/plugins/Cargo.lock").map(String::as_str).unwrap_or_default();
    if lock.contains("name = \"placet-core\"") {
        wrong.push("a guest links the kernel".to_owned());
    }
    wrong
}

fn no_file_is_too_long(files: &Files) -> Vec<String> {
    let sources = files.iter().filter(|(path, _)| ends_in(path, "rs") && !is_test(path));
    let counted = sources.map(|(path, text)| (path, without_tests(text).len()));
    let long = counted.filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(path, lines)| format!("`{path}` has {lines} lines; the limit is {LINES_MAX}"))
        .collect()
}

/// One binary for all tests of a crate: it links once, and no file is forgotten.
fn every_test_file_is_a_module(files: &Files) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files.keys() {
        if let Some((folder, name)) = path.rsplit_once('/')
            && folder.ends_with("/tests")
            && !folder.ends_with("/src/tests")
            && let Some(module) = name.strip_suffix(".rs")
        {
            folders.entry(folder).or_default().push(module);
        }
    }
    for (folder, modules) in folders.iter().filter(|(_, modules)| modules.len() > 1) {
        let krate = folder.trim_end_matches("/tests");
        let manifest = files.get(&format!("{krate}/Cargo.toml")).map(String::as_str);
        if !manifest.unwrap_or_default().contains("autotests = false") {
            wrong.push(format!("`{krate}/Cargo.toml` lacks `autotests = false`"));
        }
        let main = files.get(&format!("{folder}/main.rs")).map(String::as_str).unwrap_or_default();
        for module in modules.iter().filter(|module| **module != "main") {
            if !main.contains(&format!("mod {module};")) {
                wrong.push(format!("`{folder}/{module}.rs` is not a module of `main.rs`"));
            }
        }
    }
    wrong
}

fn every_policy_has_an_id_of_its_own(files: &Files) -> Vec<String> {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (path, text) in files.iter().filter(|(path, _)| ends_in(path, "cedar")) {
        let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        let code = lines.collect::<Vec<_>>().join("\n");
        for policy in code.split(';').map(str::trim).filter(|policy| !policy.is_empty()) {
            let id = policy.split_once("@id(\"").and_then(|(_, rest)| rest.split('"').next());
            match id {
                None => wrong.push(format!("a policy in `{path}` has no @id: {policy}")),
                Some(id) if !seen.insert(id.to_owned()) => {
                    wrong.push(format!("`{path}` uses the id `{id}` again"));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}

fn nothing_is_left_over(files: &Files) -> Vec<String> {
    // In two halves, so that this file may name them.
    let words =
        [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X"), concat!("todo", "!")];
    let mut wrong = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| !ends_in(path, "lock")) {
        for (number, line) in (1..).zip(text.lines()) {
            let mut parts = line.split(|letter: char| !letter.is_alphanumeric() && letter != '!');
            if parts.any(|part| words.contains(&part)) {
                wrong.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    wrong
}

/// A file that is not listed is not compiled, and nobody notices.
fn every_verb_is_listed(files: &Files) -> Vec<String> {
    let gate = "core/kernel/src/gate/";
    let mut missing = Vec::new();
    for path in files.keys().filter(|path| path.starts_with(gate)) {
        let Some((folder, file)) = path.rsplit_once('/') else { continue };
        let Some(name) = file.strip_suffix(".rs") else { continue };
        if name == "mod" || name.ends_with("_tests") {
            continue;
        }
        let listed = files.get(&format!("{folder}/mod.rs")).map(String::as_str).unwrap_or_default();
        let is_listed = listed
            .lines()
            .any(|line| line.strip_prefix("pub(super) ").unwrap_or(line) == format!("mod {name};"));
        if !is_listed {
            missing.push(format!("{folder}/mod.rs does not list `{name}`"));
        }
    }
    missing
}

fn no_machine_is_named(files: &Files) -> Vec<String> {
    let places = ["tmp", "work", "home", "root", "Users", "var/tmp"];
    let starts = ['"', '\'', '`', ' ', '(', '=', ':'];
    let mut wrong = Vec::new();
    let sources = files.iter().filter(|(path, _)| !path.starts_with(".ci/") && !is_test(path));
    for (path, text) in sources {
        for (number, line) in (1..).zip(without_tests(text)) {
            let named = places.iter().any(|place| {
                starts.iter().any(|start| line.contains(&format!("{start}/{place}/")))
            });
            if named {
                wrong.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    wrong
}

/// Whether the documentation above the line at `at` holds an example.
fn has_example(lines: &[&str], at: usize) -> bool {
    let above = lines.iter().take(at).rev().map(|line| line.trim());
    let mut belongs = above.take_while(|line| {
        line.starts_with("///") || !(line.is_empty() || line.ends_with(['{', '}', ';']))
    });
    belongs.any(|line| line.starts_with("/// ```"))
}

/// Types, traits and functions of every library, and the methods of the gates. The methods of other
/// types are shown by the example of their type.
fn every_public_item_has_an_example(files: &Files) -> Vec<String> {
    let kinds = ["struct", "enum", "trait", "fn", "const fn"];
    let gates = ["core/kernel/src/gate/", "bindings/rust/src/gate", "bindings/rust/src/run.rs"];
    let mut wrong = Vec::new();
    let sources = files.iter().filter(|(path, _)| {
        let outside = [
            "examples/",
            "benches/",
            "fuzz/",
            "runners/pack/",
            "runners/plugins/sql/",
            "runners/plugins/deploy/",
            "runners/plugins/artifact-sync/",
            "runners/src/link/",
            "core/kernel/src/testing/conformance/",
        ];
        path.contains("src/")
            && ends_in(path, "rs")
            && !is_test(path)
            && !outside.iter().any(|folder| path.starts_with(folder))
    });
    for (path, text) in sources {
        let is_gate = gates.iter().any(|start| path.starts_with(start));
        let lines = without_tests(text);
        for (at, line) in lines.iter().enumerate() {
            let is_item = kinds.iter().any(|kind| {
                let item = format!("pub {kind} ");
                line.starts_with(&item) || is_gate && line.starts_with(&format!("    {item}"))
            });
            if is_item && !has_example(&lines, at) {
                wrong.push(format!("{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    wrong
}

// The rules, asked: first about a sample that breaks them, then about the repository.

#[track_caller]
fn check(rule: fn(&Files) -> Vec<String>, bad: &[(&str, &str)]) {
    let sample: Files =
        bad.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    assert!(!rule(&sample).is_empty(), "the rule does not notice a sample that breaks it");
    let wrong = rule(&files());
    assert!(wrong.is_empty(), "\n  {}\n", wrong.join("\n  "));
}

#[test]
fn only_policies_speak_cedar_and_only_runners_run_components() {
    for manifest in [
        "[dependencies]\ncedar-policy.workspace = true\n",
        "[dependencies]\ncedar-policy = \"4\"\n",
        "[dependencies]\nrules = { package = \"cedar-policy\", version = \"4\" }\n",
        "[dependencies.wasmtime]\nversion = \"48\"\n",
        "[target.'cfg(unix)'.dev-dependencies]\nsled = \"=0.34.7\"\n",
    ] {
        check(only_its_owner_names_an_engine, &[("core/kernel/Cargo.toml", manifest)]);
    }
}

#[test]
fn the_kernel_reaches_no_engine_and_no_driver() {
    let lock = "name = \"placet-core\"\ndependencies = [\n \"helper 1.0.0\",\n]\n\n\
                name = \"helper\"\ndependencies = [\n \"tokio\",\n]\n";
    check(kernel_stands_alone, &[("Cargo.lock", lock)]);
    assert!(below(&files()["Cargo.lock"], "placet-core").contains("sha2"), "the lock is not read");
}

#[test]
fn policies_and_runners_do_not_know_each_other() {
    let bad = ("policies/Cargo.toml", "[dev-dependencies]\nplacet-runners.workspace = true\n");
    check(neighbours_do_not_know_each_other, &[bad]);
}

#[test]
fn guests_link_the_sdk_and_nothing_else_of_ours() {
    let bad = ("runners/plugins/sql/Cargo.toml", "[dependencies]\nplacet-core = \"0.1\"\n");
    check(guests_do_not_link_the_host, &[bad]);
    let bad = ("runners/plugins/Cargo.lock", "name = \"placet-core\"\n");
    check(guests_do_not_link_the_host, &[bad]);
}

#[test]
fn a_file_is_read_in_one_sitting() {
    let long = "fn f() {}\n".repeat(LINES_MAX + 1);
    check(no_file_is_too_long, &[("core/kernel/src/long.rs", &long)]);
    let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert_eq!(without_tests(&tested).len(), 1, "tests do not count");
    assert_eq!(without_tests("#[cfg(test)]\nmod tests;\nmod more;\n").len(), 3);
}

#[test]
fn each_crate_has_one_test_binary_that_knows_every_file() {
    let manifest = ("core/x/Cargo.toml", "autotests = false\n");
    let (main, lost) = (("core/x/tests/main.rs", "mod a;\n"), ("core/x/tests/b.rs", ""));
    check(every_test_file_is_a_module, &[manifest, main, lost]);
    check(every_test_file_is_a_module, &[("x/tests/main.rs", "mod b;\n"), ("x/tests/b.rs", "")]);
}

#[test]
fn a_denial_can_name_the_policy_behind_it() {
    let nameless = "// @id(\"x\")\npermit (principal, action, resource);\n";
    check(every_policy_has_an_id_of_its_own, &[("policies/src/base/x.cedar", nameless)]);
    let twice = "@id(\"x\") permit (principal, action, resource);\n".repeat(2);
    check(every_policy_has_an_id_of_its_own, &[("policies/src/base/x.cedar", &twice)]);
}

#[test]
fn nothing_is_marked_as_unfinished() {
    check(nothing_is_left_over, &[("a.rs", concat!("// FIX", "ME: later\n"))]);
    check(nothing_is_left_over, &[("a.rs", concat!("fn f() { todo", "!() }\n"))]);
}

#[test]
fn every_file_of_the_gate_is_a_module_of_it() {
    let gate = ("core/kernel/src/gate/mod.rs", "mod approve;\n");
    check(every_verb_is_listed, &[gate, ("core/kernel/src/gate/new.rs", "")]);
    let folder = ("core/kernel/src/gate/run/mod.rs", "pub(super) mod start;\n");
    check(every_verb_is_listed, &[folder, ("core/kernel/src/gate/run/new.rs", "")]);
}

#[test]
fn no_source_knows_the_machine_it_was_written_on() {
    check(no_machine_is_named, &[("core/kernel/src/x.rs", "let folder = \"/tmp/placet\";\n")]);
    check(no_machine_is_named, &[("README.md", "see `/home/ana/notes`\n")]);
}

#[test]
fn what_is_public_shows_how_it_is_used() {
    let rule = every_public_item_has_an_example;
    check(rule, &[("x/src/a.rs", "/// Words.\npub struct A;\n")]);
    let after_another = "/// ```\n/// f();\n/// ```\npub fn f() {}\npub fn g() {}\n";
    check(rule, &[("x/src/a.rs", after_another)]);
    let verb = "impl Gate {\n    /// Words.\n    pub fn act(&self) {}\n}\n";
    check(rule, &[("core/kernel/src/gate/act.rs", verb)]);
}
