//! kill -9 in the middle of whole requests: what was acknowledged is there, and nothing ran twice.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use placet::Gate;
use placet::id::RequestId;
use placet::request::{Change, State, StateName};
use placet_core::testing::Office;
use rusqlite::Connection;

use crate::shop::{builder, create_database, payload, verify_log};

/// How often the process is killed. `PLACET_KILLS=1000` makes it a long test.
const KILLS: u64 = 20;
const CHILD: &str = "PLACET_KILL_FOLDER";

/// The steps that the child acknowledges, in order, by the words of the request's history.
const STEPS: [&str; 6] = ["DRAFT", "SUBMIT", "APPROVE", "EXECUTE", "FINISH", "VERIFY"];

#[test]
fn nothing_acknowledged_is_lost_and_nothing_runs_twice() {
    let kills = std::env::var("PLACET_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let seed = std::env::var("SEED").map_or(20_260_207, |text| text.parse().unwrap());
    println!("SEED={seed} PLACET_KILLS={kills}");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    create_database(&folder.join("orders.db"));
    let gate = builder(folder).open().unwrap();
    let office = Office::found(&gate).unwrap();
    drop(gate);
    let mut acknowledged = BTreeMap::new();
    let (mut random, mut unknown) = (seed, 0_u64);
    for round in 0..kills {
        let mut child = spawn(folder, &office);
        random = next(random);
        let lines = 1 + random % 23;
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..lines {
            let Some(line) = told.next() else { break };
            note(&line.unwrap(), &mut acknowledged);
        }
        // The child goes on while this spins, so the kill falls anywhere inside a step.
        for _ in 0..random % 2_000_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said before it died counts too.
        told.map_while(Result::ok).for_each(|line| note(&line, &mut acknowledged));
        unknown += check(folder, &office, &acknowledged, round);
    }
    println!("{} requests, {unknown} unknown at reopening", acknowledged.len());
    assert!(u64::try_from(acknowledged.len()).unwrap() >= kills, "the child hardly worked");
}

fn next(random: u64) -> u64 {
    // SplitMix64, Steele, Lea and Flood 2014.
    let mut z = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn note(line: &str, acknowledged: &mut BTreeMap<RequestId, usize>) {
    // The test harness writes lines of its own.
    let Some(rest) = line.split_once("ack ").map(|(_, rest)| rest) else { return };
    let Some((step, id)) = rest.split_once(' ') else { return };
    let (Ok(step), Ok(id)) = (step.parse(), id.parse()) else { return };
    acknowledged.insert(id, step);
}

fn spawn(folder: &Path, office: &Office) -> Child {
    let ids = [
        office.root.user().to_string(),
        office.ana.user().to_string(),
        office.bo.user().to_string(),
        office.project.to_string(),
        office.module.to_string(),
        office.environment.to_string(),
    ];
    Command::new(std::env::current_exe().unwrap())
        .args(["kill::the_child", "--exact", "--nocapture"])
        .env(CHILD, format!("{}\n{}", folder.display(), ids.join("\n")))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Takes request after request all the way and says each step that was acknowledged, until it is killed.
/// Does nothing when it is run by itself.
#[test]
fn the_child() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let mut lines = told.lines();
    let folder = Path::new(lines.next().unwrap());
    let gate = builder(folder).open().unwrap();
    let office = Office::at(&lines.collect::<Vec<_>>()).unwrap();
    let Office { ana, bo, .. } = office;
    // A bound, so that a child that nobody kills ends by itself.
    for number in 0..10_000 {
        let sql = format!("INSERT INTO ran VALUES ('{}-{number}')", std::process::id());
        let (runner, target) = ("sql".parse().unwrap(), "orders".parse().unwrap());
        let change = Change::new(runner, target, payload(&sql), gate.limits()).unwrap();
        let id = gate.draft(&ana, &office.request(change)).unwrap().header.id;
        acknowledge(0, id);
        gate.submit(&ana, id).unwrap();
        acknowledge(1, id);
        let digest = gate.view(&ana, id).unwrap().digest.unwrap();
        gate.approve(&bo, id, digest, None).unwrap();
        acknowledge(2, id);
        let run = gate.execute(&bo, id).unwrap();
        acknowledge(3, id);
        run.wait().unwrap();
        acknowledge(4, id);
        gate.verify(&bo, id).unwrap();
        acknowledge(5, id);
    }
}

fn acknowledge(step: usize, id: RequestId) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {step} {id}").unwrap();
    out.flush().unwrap();
}

/// Reopens, and checks everything that was ever acknowledged. Returns how many were unknown.
fn check(
    folder: &Path,
    office: &Office,
    acknowledged: &BTreeMap<RequestId, usize>,
    round: u64,
) -> u64 {
    let gate = builder(folder).open().unwrap();
    let mut unknown = 0;
    for (id, step) in acknowledged {
        let history = gate.history(&office.ana, *id).unwrap();
        let has = |word: &&&str| history.iter().any(|entry| entry.action == **word);
        let done = STEPS.iter().take(step + 1).filter(has).count();
        assert_eq!(done, step + 1, "round {round}: {id} was told step {step}: {history:?}");
    }
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = gate.requests(&office.ana, office.project, after.as_ref()).unwrap();
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for item in items {
        assert_ne!(item.state, StateName::Executing, "round {round}");
        if item.state == StateName::Unknown {
            unknown += 1;
            gate.verify(&office.bo, item.id).unwrap();
        }
        assert_truthful(&gate, office, item.id, folder, round);
    }
    verify_log(&gate, &office.root);
    unknown
}

/// The outcome says what the database says.
fn assert_truthful(gate: &Gate, office: &Office, id: RequestId, folder: &Path, round: u64) {
    let view = gate.view(&office.ana, id).unwrap();
    let key = view.change.payload.split('\'').nth(1).unwrap().to_owned();
    let database = Connection::open(folder.join("orders.db")).unwrap();
    let rows: u32 = database
        .query_row("SELECT count(*) FROM ran WHERE request = ?1", [key], |row| row.get(0))
        .unwrap();
    let markers: u32 = if rows == 0 {
        0
    } else {
        let count = "SELECT count(*) FROM placet_marker WHERE request = ?1";
        database.query_row(count, [id.to_string()], |row| row.get(0)).unwrap()
    };
    assert_eq!(rows, markers, "round {round}: {id}");
    assert!(view.runs.len() <= 1, "round {round}: {id} has {} runs", view.runs.len());
    let expected = match view.state {
        State::Succeeded(_) => 1,
        State::Unknown(_) => panic!("round {round}: {id} is still unknown"),
        _ => 0,
    };
    assert_eq!(rows, expected, "round {round}: {id} is {}", view.state.name());
}
