use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use placet_core::store::Store as _;
use placet_store_postgres::{Options, PostgresStore};

use crate::server::{Server, fresh, patient, server};
use crate::story::{Numbers, is_there, key, seed, times, write};

const URL: &str = "PLACET_TEST_URL";
const SCHEMA: &str = "PLACET_TEST_SCHEMA";
const CALLERS: u64 = 4;

fn options(schema: &str) -> Options {
    // A node that was stopped in the middle of a transaction is not waited for any longer than this.
    patient(schema).with_idle_in_transaction_timeout_ms(400)
}

/// Not a test of its own: the child of the tests below. Says each number once it is acknowledged.
#[test]
fn child() {
    let (Ok(url), Ok(schema)) = (std::env::var(URL), std::env::var(SCHEMA)) else { return };
    let store = PostgresStore::open_with(&url, &options(&schema)).unwrap();
    let start = store.log_len().unwrap();
    let name = std::process::id();
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let store = &store;
            scope.spawn(move || {
                let caller = format!("{name}.{caller}");
                for number in start.. {
                    let index = write(store, &caller, number).log_index.unwrap();
                    let line = format!("ack {caller} {number} {index}\n");
                    // One call for one line, past the harness: a kill must not tear what was said.
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

fn spawn(server: &Server, schema: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture", "--test-threads=1"])
        .env(URL, server.url())
        .env(SCHEMA, schema)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What was acknowledged, by log index.
type Said = BTreeMap<u64, (String, u64)>;

/// The acknowledgement in a line that the child said.
fn hear(said: &mut Said, line: &str) -> bool {
    let parsed = || {
        let mut words = line.split_once("ack ")?.1.split(' ');
        let caller = words.next()?.to_owned();
        let number = words.next()?.parse().ok()?;
        let index = words.next()?.parse().ok()?;
        Some((index, (caller, number)))
    };
    let Some((index, what)) = parsed() else { return false };
    assert_eq!(said.insert(index, what), None, "log index {index} was given twice");
    true
}

fn check(store: &PostgresStore, said: &Said, when: &str) {
    for (index, (caller, number)) in said {
        assert!(is_there(store, caller, *number, *index), "{when}: {caller} {number} is lost");
    }
    // The server may still carry out what a killed node sent last. The log only grows: one that is as long after the
    // reading as before it did not change meanwhile.
    let (entries, pairs) = loop {
        let length = store.log_len().unwrap();
        let entries = store.log_read(0, usize::MAX).unwrap();
        let pairs = store.scan(&key(&["n"]), None, usize::MAX).unwrap();
        if store.log_len().unwrap() == length {
            assert_eq!(u64::try_from(entries.len()).unwrap(), length, "{when}");
            break (entries, pairs);
        }
    };
    // What was not acknowledged is there whole or not at all, and nothing is there twice.
    assert_eq!(pairs.len(), entries.len(), "{when}: writes and entries go together");
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let Some(server) = server() else { return };
    let schema = fresh("killed");
    let store = server.open(&options(&schema));
    let mut numbers = Numbers(seed(0x5eed_0009_dead_0009));
    let mut said = Said::new();
    let kills = times("PLACET_POSTGRES_KILLS", 20);
    for kill in (0..kills).step_by(2) {
        // Two nodes, each killed after so many answers, wherever it is in its work just then.
        let mut children = [spawn(&server, &schema), spawn(&server, &schema)];
        let wait = 1 + numbers.below(100);
        let mut heard = 0;
        for child in &mut children {
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            while heard < wait {
                heard += u64::from(hear(&mut said, &lines.next().unwrap().unwrap()));
            }
            child.kill().unwrap();
            child.wait().unwrap();
            for line in lines.map_while(Result::ok) {
                hear(&mut said, &line);
            }
        }
        // Not all of it each time: the log grows.
        let tail: Said = said.iter().rev().take(300).map(|(at, it)| (*at, it.clone())).collect();
        check(&store, &tail, &format!("kill {kill}"));
    }
    check(&store, &said, "at the end");
    println!("{kills} kills, {} acknowledged commits, all there", said.len());
}

/// A node that stops in the middle of whatever it does holds the others up for a moment, not for good,
/// and tells the truth when it goes on.
#[test]
fn a_node_that_stops_for_a_while_neither_blocks_nor_lies() {
    let Some(server) = server() else { return };
    let schema = fresh("stopped");
    let store = server.open(&options(&schema));
    let mut numbers = Numbers(seed(0x5eed_570b_dead_570b));
    let mut said = Said::new();
    let mut child = spawn(&server, &schema);
    let id = child.id().to_string();
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let stops = times("PLACET_POSTGRES_STOPS", 8);
    for stop in 0..stops {
        let mut wait = 1 + numbers.below(40);
        while wait > 0 {
            wait -= u64::from(hear(&mut said, &lines.next().unwrap().unwrap()));
        }
        signal("-STOP");
        // The other node writes, and after the wait the server has ended what the first one had begun.
        write(&store, "other", stop);
        std::thread::sleep(Duration::from_millis(500));
        write(&store, "another", stop);
        signal("-CONT");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines.map_while(Result::ok) {
        hear(&mut said, &line);
    }
    check(&store, &said, "after the stops");
    println!("{stops} stops, {} acknowledged commits, all there", said.len());
}
