//! The labelled points of a run: all of them are reached, and a process that dies at one tells the truth afterwards.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use placet_target::{Access, SqlTarget as _, StepState, StopSignal, Touch, TouchKind, points};
use placet_target_postgres::{POINTS, PostgresTarget};

use crate::story::{id, marker, stage, step};

/// Where the process that this test starts finds its database, and at which point it dies.
const URL: &str = "PLACET_TEST_POINT_URL";
const AT: &str = "PLACET_TEST_POINT";

static SEEN: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

fn listener(label: &'static str) {
    let _new = SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(label);
    if std::env::var(AT).is_ok_and(|at| at == label) {
        // As hard as it gets: nothing is dropped, nothing is flushed.
        let _sent = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
        loop {
            std::thread::park();
        }
    }
}

/// A run of every kind of work: one transaction (1), steps (2), and one that is undone (3).
fn run(target: &PostgresTarget) {
    let open = |attempt| target.open(Access::ReadWrite(id(attempt)), &StopSignal::new()).unwrap();
    let mut session = open(1);
    session.begin().unwrap();
    let touch = Touch {
        kind: TouchKind::Update,
        table: vec!["t".to_owned()],
        alias: None,
        columns: vec!["n".to_owned()],
        condition: None,
    };
    session.execute_kept("UPDATE t SET n = 1", (&touch, &step(1, "s")), 10).unwrap();
    session.execute("INSERT INTO t VALUES (2, 2)", &[]).unwrap();
    session.commit(&marker(1)).unwrap();
    drop(session);
    let mut session = open(2);
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (3, 3)", &[]).unwrap();
    session.commit_step(&step(2, "s1")).unwrap();
    let _rows = session.execute_alone("INSERT INTO t VALUES (4, 4)", &step(2, "s2")).unwrap();
    drop(session.execute_alone("INSERT INTO t VALUES (4, 4)", &step(2, "s3")).unwrap_err());
    drop(session);
    let mut session = open(3);
    session.begin().unwrap();
    session.execute("INSERT INTO t VALUES (5, 5)", &[]).unwrap();
    session.rollback().unwrap();
}

#[test]
fn the_process_that_dies() {
    if let Ok(url) = std::env::var(URL) {
        points::listen(listener);
        run(&PostgresTarget::new(url).with_lock_wait_ms(60_000).with_connect_timeout_ms(60_000));
        let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        println!("reached: {}", seen.iter().copied().collect::<Vec<_>>().join(" "));
    }
}

/// Runs [`run`] in a process of its own. What it reached, if it lived to say so.
fn in_a_process(url: &str, at: &str) -> Option<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["points::the_process_that_dies", "--exact", "--nocapture", "--test-threads=1"])
        .env(URL, url)
        .env(AT, at)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), at.is_empty(), "{at}: {text}");
    let line = text.lines().find_map(|line| line.split_once("reached: "));
    line.map(|(_, labels)| labels.to_owned())
}

#[test]
fn who_dies_at_a_point_has_told_the_truth() {
    let setup = "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)";
    let Some(whole) = stage(setup) else { return };
    let reached = in_a_process(&whole.url(), "").unwrap();
    let reached: BTreeSet<&str> = reached.split(' ').collect();
    assert_eq!(reached, POINTS.iter().copied().collect(), "each point, and no other one");
    for point in POINTS {
        let Some(stage) = stage(setup) else { return };
        assert_eq!(in_a_process(&stage.url(), point), None, "{point}: it did not die");
        let mut reader = stage.reader();
        let has = |id: u32| !stage.db.rows(&format!("SELECT n FROM t WHERE id = {id}")).is_empty();
        // The reader waits until the server has let go of whoever died.
        let committed = reader.marker(&id(1)).unwrap();
        assert_eq!(committed, Some(has(2)), "{point}");
        assert_eq!(has(2), stage.db.rows("SELECT n FROM t WHERE id = 1") == ["1"], "{point}");
        let steps = reader.steps(&id(2)).unwrap().unwrap();
        let state = |name: &str| steps.iter().find(|seen| seen.step == name).map(|seen| seen.state);
        assert_eq!(state("s1").is_some(), has(3), "{point}");
        match state("s2") {
            None => assert!(!has(4), "{point}"),
            Some(StepState::Done) => assert!(has(4), "{point}"),
            // Nobody can tell, and nobody claims to.
            Some(StepState::Intended) => {}
        }
        assert!(!has(5), "{point}");
    }
}
