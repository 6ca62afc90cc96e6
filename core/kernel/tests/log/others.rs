//! An exported log of 10,000 entries, verified by programs whose every hash and signature is other people's: Go's
//! `sumdb/note` and `sumdb/tlog`, and Python's `tamperlog` and `cryptography`. Both also have to refuse what was
//! tampered with. `bash .ci/setup` installs them.
#![expect(
    clippy::disallowed_methods,
    reason = "this test runs programs, and asks whether it may skip them"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_core::audit::{TiledTree, hash_tile};
use placet_core::digest::Digest;

use super::folder::{Dice, exported, key, tree_of};

const ENTRIES: u64 = 10_000;

/// Where Debian keeps the sources of Go packages.
const GO_SOURCES: &str = "/usr/share/gocode";

fn skip(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}; run `bash .ci/setup`");
    eprintln!("SKIPPED: {why}; run `bash .ci/setup`");
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/log/outside")
}

/// A folder of this test's own, removed at its end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn line(kind: &str, place: u64, proof: &[Digest]) -> String {
    proof.iter().fold(format!("{kind} {place}"), |mut line, hash| {
        write!(line, " {}", STANDARD.encode(hash.as_bytes())).unwrap();
        line
    }) + "\n"
}

/// The export, with a hundred proofs of each kind beside it.
fn log_in(place: &Place) -> String {
    let entries: Vec<Vec<u8>> =
        (0..ENTRIES).map(|one| format!("{{\"entry\":{one}}}").into_bytes()).collect();
    for (path, bytes) in exported(&entries) {
        place.write(&path, &bytes);
    }
    let tree = tree_of(&entries);
    let tiled = TiledTree::new(ENTRIES, |path| Ok(hash_tile(&tree, path)));
    let (mut proofs, mut dice) = (String::new(), Dice(7));
    for number in 0..100 {
        let edges = [0, 255, 256, 8_191, 8_192, 9_983, 9_984, ENTRIES - 1];
        let place = edges.get(number).copied().unwrap_or_else(|| dice.roll() % ENTRIES);
        let earlier = place + 1;
        proofs += &line("inclusion", place, &tiled.inclusion_proof(place, ENTRIES).unwrap());
        let proof = tiled.consistency_proof(earlier, ENTRIES).unwrap();
        proofs += &line("consistency", earlier, &proof);
    }
    place.write("proofs", proofs.as_bytes());
    STANDARD.encode(tree.root().as_bytes())
}

/// Whole, and with one bit flipped in each kind of file.
fn check(name: &str, verify: impl Fn(&Path, &str) -> Output) {
    let place = Place::new(name);
    let root = log_in(&place);
    let key = key().to_string();
    let whole = verify(&place.0, &key);
    let told = String::from_utf8_lossy(&whole.stdout);
    let due = format!("{ENTRIES} entries, 100 inclusion, 100 consistency, root {root}\n");
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    assert_eq!(told, due);
    for (path, at) in [
        ("tile/entries/017", 1_000),
        ("tile/entries/039.p/16", 30),
        ("tile/0/021", 77),
        ("tile/1/000.p/39", 700),
        ("checkpoint", 20),
        ("checkpoint", 120),
        ("proofs", 1_000),
    ] {
        let good = fs::read(place.0.join(path)).unwrap();
        let mut bad = good.clone();
        bad[at] ^= 1;
        place.write(path, &bad);
        let refused = verify(&place.0, &key);
        assert!(!refused.status.success(), "{name} believes a changed byte {at} of {path}");
        place.write(path, &good);
    }
    assert!(verify(&place.0, &key).status.success());
}

#[test]
fn go_s_checksum_database_verifies_an_exported_log_and_refuses_a_changed_one() {
    if !Path::new(GO_SOURCES).join("src/golang.org/x/mod/sumdb/tlog").is_dir() {
        return skip("Go's sumdb packages (golang-golang-x-mod-dev) are not installed");
    }
    let place = Place::new("go-build");
    let program = place.0.join("verify");
    let mut go = Command::new("go");
    // Offline, from the sources of the system.
    go.env("GO111MODULE", "off").env("GOFLAGS", "").env("GOPROXY", "off").env("GOPATH", GO_SOURCES);
    go.env("GOCACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache"));
    let built = go.args(["build", "-o"]).arg(&program).arg(sources().join("verify.go")).output();
    let Ok(built) = built else { return skip("Go (golang-go) is not installed") };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    check("go", |folder, key| Command::new(&program).arg(folder).arg(key).output().unwrap());
}

#[test]
fn a_python_library_verifies_an_exported_log_and_refuses_a_changed_one() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    let has = Command::new(&python).args(["-c", "import tamperlog, cryptography"]).output();
    if !has.is_ok_and(|has| has.status.success()) {
        return skip("Python's tamperlog and cryptography are not in `.venv`");
    }
    check("python", |folder, key| {
        let mut verify = Command::new(&python);
        verify.arg(sources().join("verify.py")).arg(folder).arg(key).output().unwrap()
    });
}
