//! Builds the guests for WebAssembly, copies them to `plugins/built` and writes `plugins/plugins.lock`.
//!
//! `cargo run --release --manifest-path runners/pack/Cargo.toml` builds and writes. With `-- --check` it
//! builds, compares with the lock file and with what is committed, and writes nothing.
//!
//! It ends with 0 when all is well, 1 when something failed or differs, and 3 when this machine lacks the
//! WebAssembly target: then nothing was built and nothing was checked.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wasmparser::{Parser, Payload};

const TARGET: &str = "wasm32-wasip2";

/// What a missing target ends with, so that a script can tell it from a failure.
const NO_TARGET: u8 = 3;

/// The package in `plugins/`, the name of its component in `plugins/built`, and the capabilities that it imports. What it
/// imports is what it asks for, so that a plugin which began to import more is noticed here.
const GUESTS: [(&str, &str, &[&str]); 8] = [
    ("placet-sql", "sql", &["sql"]),
    ("placet-deploy", "deploy", &["command", "http"]),
    ("placet-artifact-sync", "artifact-sync", &["http"]),
    ("placet-tests-unruly", "tests-unruly", &["sql"]),
    ("placet-tests-grasping", "tests-grasping", &["secrets"]),
    ("placet-tests-caller", "tests-caller", &["command", "http"]),
    ("placet-tests-newer", "tests-newer", &["sql"]),
    ("placet-tests-paced", "tests-paced", &["sql"]),
];

/// What every plugin may import: values, and logs, progress and time.
const OF_ALL: [&str; 2] = ["context", "types"];

#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
struct Lock {
    plugin: Vec<Entry>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Entry {
    name: String,
    version: String,
    sha256: String,
    size_bytes: usize,
}

fn main() -> ExitCode {
    let check = match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [word] if word == "--check" => true,
        _ => {
            eprintln!("usage: placet-pack [--check]");
            return ExitCode::FAILURE;
        }
    };
    if !has_target() {
        eprintln!("NOT CHECKED: this machine has no `{TARGET}` target, so no guest was built.");
        eprintln!(
            "The committed components stay as they are. Add it with `rustup target add {TARGET}`."
        );
        return ExitCode::from(NO_TARGET);
    }
    match pack(check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn has_target() -> bool {
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(plugins())
        .output();
    let Ok(printed) = printed else { return false };
    let folder = String::from_utf8_lossy(&printed.stdout);
    fs::read_dir(folder.trim()).is_ok_and(|mut files| files.next().is_some())
}

fn plugins() -> PathBuf {
    // Asked when it runs: a program that was built in another copy of the repository must not look there.
    let pack = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| "runners/pack".to_owned());
    Path::new(&pack).join("../plugins")
}

fn pack(check: bool) -> Result<(), String> {
    let built = build()?;
    let mut lock = Lock::default();
    let mut differs = Vec::new();
    for (package, name, capabilities) in GUESTS {
        let file = built.join(format!("{}.wasm", package.replace('-', "_")));
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let imported = imports(&bytes).map_err(|why| format!("{}: {why}", file.display()))?;
        if imported != capabilities {
            return Err(format!(
                "`{name}` imports {imported:?}, and is listed with {capabilities:?}"
            ));
        }
        let entry = Entry {
            name: name.to_owned(),
            version: version(package)?,
            sha256: hex(&Sha256::digest(&bytes)),
            size_bytes: bytes.len(),
        };
        println!("{name} {} {} bytes sha256 {}", entry.version, entry.size_bytes, entry.sha256);
        let committed = plugins().join("built").join(format!("{name}.wasm"));
        if !check {
            fs::create_dir_all(plugins().join("built")).map_err(|error| error.to_string())?;
            fs::write(&committed, &bytes).map_err(|error| error.to_string())?;
        } else if fs::read(&committed).ok().as_ref() != Some(&bytes) {
            differs.push(format!("`plugins/built/{name}.wasm` is not what its source builds to"));
        }
        lock.plugin.push(entry);
    }
    let path = plugins().join("plugins.lock");
    if check {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        if toml::from_str::<Lock>(&text).map_err(|error| error.to_string())? != lock {
            differs.push("`plugins/plugins.lock` does not name what was built".to_owned());
        }
        if !differs.is_empty() {
            return Err(differs.join("\n       "));
        }
        println!(
            "checked: {} guests were built again, byte for byte what is committed",
            GUESTS.len()
        );
        return Ok(());
    }
    let text = toml::to_string(&lock).map_err(|error| error.to_string())?;
    fs::write(&path, format!("# Written by runners/pack. Do not edit.\n\n{text}"))
        .map_err(|error| error.to_string())?;
    println!("written: {} components and plugins.lock", GUESTS.len());
    Ok(())
}

/// Builds all guests and returns the folder that they are in.
fn build() -> Result<PathBuf, String> {
    let target = plugins().join("target");
    let printed = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(plugins())
        .output()
        .map_err(|error| error.to_string())?;
    let sysroot = String::from_utf8_lossy(&printed.stdout).trim().to_owned();
    // Paths of this machine, and names of registries, would make other bytes elsewhere. The last match counts.
    let home = cargo_home()?;
    let here = fs::canonicalize(plugins()).map_err(|error| error.to_string())?;
    // The review stands beside the plugins' workspace.
    let beside = here.parent().map(Path::to_owned).unwrap_or_default();
    let mut remapped = vec![
        (sysroot.into(), "rust"),
        (beside, "runners"),
        (here, "plugins"),
        (home.clone(), "cargo"),
    ];
    let registries = fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten();
    remapped.extend(registries.map(|folder| (folder.path(), "crates")));
    let flags: Vec<String> = remapped
        .iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect();
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--locked", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(plugins())
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env_remove("RUSTFLAGS")
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if !status.success() {
        return Err("the guests do not build".to_owned());
    }
    Ok(target.join(TARGET).join("release"))
}

fn cargo_home() -> Result<PathBuf, String> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .ok_or_else(|| "there is neither CARGO_HOME nor a home folder".to_owned())
}

/// All guests share the version of their workspace.
fn version(package: &str) -> Result<String, String> {
    let path = plugins().join("Cargo.toml");
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let manifest: toml::Table = toml::from_str(&text).map_err(|error| error.to_string())?;
    let version = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("package"))
        .and_then(|shared| shared.get("version"))
        .and_then(toml::Value::as_str);
    version.map(ToOwned::to_owned).ok_or_else(|| format!("`{package}` has no version"))
}

/// The capabilities that a component imports, in the order of their names. Anything else that it imports is an error.
fn imports(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut found = BTreeSet::new();
    // Modules and components inside have imports of their own, which the outer one satisfies.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| error.to_string())? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import.map_err(|error| error.to_string())?;
                    let name = import.name.name;
                    let ours =
                        name.strip_prefix("placet:runner/").and_then(|rest| rest.split('@').next());
                    let ours = ours.ok_or_else(|| format!("it imports `{name}`"))?;
                    if !OF_ALL.contains(&ours) {
                        found.insert(ours.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found.into_iter().collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
