//! When the disk is full, or a file may not grow: a named error, nothing lost, and it goes on afterwards.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use placet_core::store::{CommitError, Store as _, StoreError, StoreErrorKind};
use placet_store_sled::SledStore;

use crate::images::{Content, batch};
use crate::story::skip;

const FOLDER: &str = "PLACET_TEST_FULL_FOLDER";
/// What is removed to make room.
const FILLER: &str = "filler";

/// Not a test of its own: the child of the tests below. Writes until it cannot, and says each number once it
/// is acknowledged, then how it failed, and how it goes on when there is room again.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let mut acknowledged = Vec::new();
    let refused = match SledStore::open(folder) {
        Ok(store) => fill(&store, &mut acknowledged),
        Err(error) => error,
    };
    say(&format!("refused: {:?}: {refused}", refused.kind()));
    assert!(refused.help().is_some());
    let filler = folder.parent().unwrap().join(FILLER);
    if filler.exists() {
        std::fs::remove_file(filler).unwrap();
        check(folder, &acknowledged);
        say("whole");
    }
}

/// Writes until it fails; then nothing may be read or written.
fn fill(store: &SledStore, acknowledged: &mut Vec<String>) -> StoreError {
    for number in store.log_len().unwrap().. {
        let text = format!("0 {number}");
        match store.commit(batch(&text)) {
            Ok(committed) => {
                say(&format!("ack {} {text}", committed.log_index.unwrap()));
                acknowledged.push(text);
            }
            Err(CommitError::Store(error)) => {
                assert_eq!(store.log_len().unwrap_err().kind(), StoreErrorKind::Poisoned);
                return error;
            }
            Err(CommitError::Conflict { .. }) => panic!("nothing was expected"),
        }
    }
    panic!("it was never full")
}

fn say(text: &str) {
    // Past the harness.
    std::io::stdout().write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// All that was acknowledged is there, nothing half, and it takes more.
fn check(folder: &Path, acknowledged: &[String]) {
    let store = SledStore::open(folder).unwrap();
    let found = Content::scanned(&store).unwrap();
    let mut due = Content::default();
    for entry in &found.log {
        due.apply(&batch(std::str::from_utf8(entry).unwrap()));
    }
    assert!(found == due);
    let first: Vec<_> = found.log.iter().take(acknowledged.len()).collect();
    assert_eq!(first, acknowledged.iter().map(String::as_bytes).collect::<Vec<_>>());
    store.commit(batch("1 0")).unwrap();
}

/// Runs the child below `words`, and returns what it said.
fn run(words: &[&str], folder: &Path) -> String {
    let output = Command::new(words[0])
        .args(&words[1..])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full_disk::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    said
}

fn acknowledged(said: &str) -> Vec<String> {
    let lines = said.lines().filter_map(|line| line.split_once("ack ")?.1.split_once(' '));
    lines.map(|(_, text)| text.to_owned()).collect()
}

#[test]
#[cfg(unix)]
fn a_file_that_may_not_grow_is_named_and_nothing_is_lost() {
    // From too little for a store to several parts of sled's file, in KiB.
    for limit in [1, 4, 64, 1_000, 9_000, 20_000] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("store");
        // Ignored, the signal becomes an error.
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\"");
        let said = run(&["bash", "-c", &script, "bash"], &folder);
        let refused = said.lines().find(|line| line.contains("refused: ")).unwrap();
        assert!(refused.contains("refused: Unavailable"), "{limit} KiB: {refused}");
        println!("{limit} KiB: {} acknowledged, {refused}", acknowledged(&said).len());
        check(&folder, &acknowledged(&said));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    // A disk of our own, which needs no rights.
    let words = |script: &str| {
        format!("mount -t tmpfs -o size=48m none {} && {script}", folder.path().display())
    };
    let unshare = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c"];
    let probe = Command::new(unshare[0]).args(&unshare[1..]).arg(words("true")).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        skip("no disk can be mounted here");
        return;
    }
    let filler = folder.path().join(FILLER);
    for filler_kib in [20_000, 36_000, 48_000, 49_152] {
        let script = words(&format!(
            "dd if=/dev/zero of={} bs=1024 count={filler_kib} status=none; exec \"$@\"",
            filler.display()
        ));
        let said = run(&[&unshare[..], &[&script, "bash"]].concat(), &folder.path().join("store"));
        let refused = said.lines().find(|line| line.contains("refused: ")).unwrap();
        println!("{} acknowledged, {refused}", acknowledged(&said).len());
        assert!(refused.contains("refused: Unavailable"), "{refused}");
        assert!(said.contains("whole"), "{said}");
    }
}
