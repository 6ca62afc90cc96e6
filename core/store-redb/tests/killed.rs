use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use placet_core::store::{Key, Store as _};
use placet_store_redb::RedbStore;

use crate::story::{Numbers, is_there, seed, write};

const FILE: &str = "PLACET_TEST_FILE";
const CALLERS: u64 = 4;
const KILLS: u64 = 5;

/// Not a test of its own: the child of the test below. Says each number once it is acknowledged.
#[test]
fn child() {
    let Ok(path) = std::env::var(FILE) else { return };
    let store = RedbStore::open(path).unwrap();
    let start = store.log_len().unwrap();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let store = &store;
            scope.spawn(move || {
                for number in start.. {
                    let committed = write(store, &caller.to_string(), number);
                    let line = format!("ack {caller} {number} {}\n", committed.log_index.unwrap());
                    // One call for one line, past the harness: a kill must not tear what was said.
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Runs this very test binary as the child.
fn spawn(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The acknowledgement in a line of the child: caller, number, log index.
fn acknowledged(line: &str) -> Option<(String, u64, u64)> {
    let mut words = line.split_once("ack ")?.1.split(' ');
    let caller = words.next()?.to_owned();
    Some((caller, words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let kills = std::env::var("PLACET_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut numbers = Numbers(seed(0x5eed_0009_dead_0009));
    let mut said: BTreeMap<u64, (String, u64)> = BTreeMap::new();
    for kill in 0..kills {
        let mut child = spawn(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed after so many answers, wherever it is in its work just then.
        let wait = numbers.index(120) + 1;
        let heard = lines.by_ref().map_while(Result::ok).filter_map(|line| acknowledged(&line));
        let heard: Vec<_> = heard.take(wait).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let rest = lines.map_while(Result::ok).filter_map(|line| acknowledged(&line));
        for (caller, number, index) in heard.into_iter().chain(rest) {
            let before = said.insert(index, (caller, number));
            assert_eq!(before, None, "log index {index} was given twice");
        }
        let store = RedbStore::open(&path).unwrap();
        for (index, (caller, number)) in &said {
            let there = is_there(&store, caller, *number, *index);
            assert!(there, "kill {kill}: {caller} {number} is lost");
        }
        let entries = store.log_read(0, usize::MAX).unwrap();
        assert_eq!(u64::try_from(entries.len()).unwrap(), store.log_len().unwrap());
        // What was not acknowledged is there whole or not at all.
        let pairs = store.scan(&Key::from_segments(&["n"]), None, usize::MAX).unwrap();
        assert_eq!(pairs.len(), entries.len(), "kill {kill}: writes and entries go together");
    }
    println!("{kills} kills, {} acknowledged commits, all there", said.len());
    assert!(u64::try_from(said.len()).unwrap() >= kills);
}
