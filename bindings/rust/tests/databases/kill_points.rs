//! The host is killed at every labelled point of a run, on each database. Afterwards the outcome is true, and nothing
//! ran twice.

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use placet::id::RequestId;
use placet::request::{Change, Run, State, StateName};
use placet::runner::Outcome;
use placet::{Gate, GateBuilder};
use placet_core::gate::Finding;
use placet_core::testing::Office;
use placet_target::points;

use super::admin::{Database, Kind};

const CHILD: &str = "PLACET_KILL_POINT";
/// What a child that only counts is told to die at.
const NEVER: u64 = u64::MAX;
/// The fewest points of a run, both modes together, on each database.
const POINTS_MIN: usize = 40;

/// How the steps of a script are committed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    Together,
    OneByOne,
}

impl Mode {
    const fn word(self) -> &'static str {
        match self {
            Self::Together => "transaction",
            Self::OneByOne => "steps",
        }
    }
}

/// The statements of request `number`, each with the query that tells whether it took effect: 1 if once, 0 if not.
fn script(kind: Kind, mode: Mode, number: u64) -> Vec<(String, String)> {
    let row = |name: &str| {
        let key = format!("{number}-{name}");
        (
            format!("INSERT INTO ran (request, times) VALUES ('{key}', 1)"),
            format!("SELECT count(*) FROM ran WHERE request = '{key}'"),
        )
    };
    let counted = (
        format!("UPDATE counter SET times = times + 1 WHERE id = {}", number % 10),
        // Relative to what the test noted before the run.
        format!("SELECT times FROM counter WHERE id = {}", number % 10),
    );
    match mode {
        Mode::Together => vec![row("a"), counted, row("b")],
        Mode::OneByOne => {
            let (index, made) = (format!("made_{number}"), kind.counts_index(number));
            let alone = match kind {
                Kind::Postgres => format!("CREATE INDEX CONCURRENTLY {index} ON ran (times)"),
                Kind::Sqlite | Kind::MariaDb => format!("CREATE INDEX {index} ON ran (times)"),
            };
            vec![row("a"), (alone, made), counted, row("b")]
        }
    }
}

fn payload(kind: Kind, mode: Mode, number: u64) -> String {
    let statements = script(kind, mode, number);
    let texts: Vec<&str> = statements.iter().map(|(statement, _)| statement.as_str()).collect();
    serde_json::json!({ "sql": texts.join(";\n"), "mode": mode.word() }).to_string()
}

fn builder(folder: &Path, database: &Database) -> GateBuilder {
    Gate::builder(folder.join("placet")).target("orders", database.target())
}

#[test]
fn on_sqlite() {
    die_everywhere(Kind::Sqlite);
}

#[test]
fn on_postgresql() {
    die_everywhere(Kind::Postgres);
}

#[test]
fn on_mariadb() {
    die_everywhere(Kind::MariaDb);
}

fn die_everywhere(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(database) = Database::begin(kind, folder.path()) else { return };
    let key = kind.text_key();
    database
        .admin(&format!("CREATE TABLE ran (request {key} PRIMARY KEY, times INTEGER NOT NULL)"));
    database.admin("CREATE TABLE counter (id INTEGER PRIMARY KEY, times INTEGER NOT NULL)");
    for id in 0..10 {
        database.admin(&format!("INSERT INTO counter VALUES ({id}, 0)"));
    }
    let gate = builder(folder.path(), &database).open().unwrap();
    let office = Office::found(&gate).unwrap();
    drop(gate);
    let (mut number, mut points, mut seen) = (0_u64, 0_usize, Seen::default());
    for mode in [Mode::Together, Mode::OneByOne] {
        // Once to its end, to learn the points that such a run passes.
        let whole = Round { kind, mode, number, die_at: NEVER };
        let labels = whole.run(folder.path(), &database, &office).unwrap();
        assert!(!labels.is_empty(), "{kind:?}: a run passes no point");
        points += labels.len();
        for (die_at, label) in (0_u64..).zip(&labels) {
            number += 1;
            let round = Round { kind, mode, number, die_at };
            let before = database.number(&script(kind, mode, number).remove(counter_at(mode)).1);
            assert!(round.run(folder.path(), &database, &office).is_none(), "{label}: it lived");
            round.check(folder.path(), &database, (&office, label, before), &mut seen);
        }
        number += 1;
    }
    println!("{kind:?}: killed at {points} points: {seen:?}");
    assert!(points >= POINTS_MIN, "{kind:?}: only {points} points");
    assert!(seen.succeeded > 0 && seen.failed > 0, "{kind:?}: {seen:?}");
}

const fn counter_at(mode: Mode) -> usize {
    match mode {
        Mode::Together => 1,
        Mode::OneByOne => 2,
    }
}

/// How the killed runs ended in the books.
#[derive(Debug, Default)]
struct Seen {
    succeeded: u64,
    failed: u64,
    unknown: u64,
    never_began: u64,
}

/// One run, and where its host dies.
struct Round {
    kind: Kind,
    mode: Mode,
    number: u64,
    die_at: u64,
}

impl Round {
    /// Lets a child take the request all the way. Answers the points that it passed, if it lived.
    fn run(&self, folder: &Path, database: &Database, office: &Office) -> Option<Vec<String>> {
        let told = [
            folder.display().to_string(),
            database.address(),
            self.mode.word().to_owned(),
            self.number.to_string(),
            self.die_at.to_string(),
            office.root.user().to_string(),
            office.ana.user().to_string(),
            office.bo.user().to_string(),
            office.project.to_string(),
            office.module.to_string(),
            office.environment.to_string(),
        ];
        let ended = Command::new(std::env::current_exe().unwrap())
            .args(["databases::kill_points::the_child", "--exact", "--nocapture"])
            .env(CHILD, told.join("\n"))
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        if ended.status.signal() == Some(9) {
            return None;
        }
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(ended.status.success(), "the child failed: {text}");
        let labels =
            text.lines().filter_map(|line| line.split_once("point ").map(|(_, label)| label));
        Some(labels.map(ToOwned::to_owned).collect())
    }

    /// Recovers, and holds what the books say against the database.
    fn check(
        &self,
        folder: &Path,
        database: &Database,
        (office, label, before): (&Office, &str, i64),
        seen: &mut Seen,
    ) {
        let at = format!("{:?} {:?}, killed at {} `{label}`", self.kind, self.mode, self.die_at);
        let gate = builder(folder, database).open().unwrap();
        let id = self.request(&gate, office);
        let state = gate.view(&office.ana, id).unwrap().state.name();
        assert_ne!(state, StateName::Executing, "{at}");
        let is_between = ["intent", "alone", "done"].iter().any(|word| label.contains(word));
        if state == StateName::Unknown {
            ask_the_target(&gate, office, id, is_between);
        }
        let view = gate.view(&office.ana, id).unwrap();
        assert!(view.runs.len() <= 1, "{at}: {} runs", view.runs.len());
        let done: Vec<bool> = script(self.kind, self.mode, self.number)
            .iter()
            .enumerate()
            .map(|(index, (_, query))| {
                let base = if index == counter_at(self.mode) { before } else { 0 };
                let times = database.number(query) - base;
                assert!((0..=1).contains(&times), "{at}: step {index} took effect {times} times");
                times == 1
            })
            .collect();
        let all = done.iter().all(|is_done| *is_done);
        match &view.state {
            State::Succeeded(_) => {
                seen.succeeded += 1;
                assert!(all, "{at}: succeeded, and {done:?}");
            }
            State::Failed(_) => {
                seen.failed += 1;
                assert!(!all, "{at}: failed, and everything took effect");
                let applied = applied_of(view.runs.last());
                let found: Vec<String> = (1..)
                    .zip(&done)
                    .filter(|(_, is_done)| **is_done)
                    .map(|(place, _)| format!("s{place}"))
                    .collect();
                assert_eq!(applied, found, "{at}: the steps that took effect");
            }
            State::Unknown(_) => {
                seen.unknown += 1;
                assert_eq!(self.mode, Mode::OneByOne, "{at}: a marker tells, and it is unknown");
                assert_ne!(
                    self.kind,
                    Kind::Sqlite,
                    "{at}: SQLite runs every step in a transaction"
                );
                assert!(is_between, "{at}: no step is between its marks");
                // A person looks, and says what is there. The next change may begin then.
                let found = match (all, done.contains(&true)) {
                    (true, _) => Finding::Done,
                    (false, true) => Finding::Partly,
                    (false, false) => Finding::NothingDone,
                };
                gate.reconcile(&office.bo, id, found, "looked at the tables").unwrap();
            }
            _ => {
                seen.never_began += 1;
                assert!(
                    done.iter().all(|is_done| !is_done),
                    "{at}: {} and {done:?}",
                    view.state.name()
                );
            }
        }
    }

    /// The request of this round: the newest one.
    fn request(&self, gate: &Gate, office: &Office) -> RequestId {
        let wanted = payload(self.kind, self.mode, self.number);
        let mut after = None;
        loop {
            let page = gate.requests(&office.ana, office.project, after.as_ref()).unwrap();
            for item in &page.items {
                if gate.view(&office.ana, item.id).unwrap().change.payload == wanted {
                    return item.id;
                }
            }
            after = page.next;
            assert!(after.is_some(), "request {} is not in the books", self.number);
        }
    }
}

/// Reads in the target what became of the run. The server may not have noticed yet that its client is gone, and says so;
/// then it is asked again, unless nobody can tell for good.
fn ask_the_target(gate: &Gate, office: &Office, id: RequestId, nobody_can_tell: bool) {
    for _ in 0..600 {
        let read = gate.verify(&office.bo, id).unwrap().1;
        if nobody_can_tell || !matches!(read, Outcome::Unknown(_)) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// What the books say took effect in a run that failed.
fn applied_of(run: Option<&Run>) -> Vec<String> {
    match run.and_then(|run| run.outcome.as_ref()) {
        Some(Outcome::Failed(failure)) => failure.applied.clone(),
        other => panic!("{other:?}"),
    }
}

static IS_RUNNING: AtomicBool = AtomicBool::new(false);
static PASSED: AtomicU64 = AtomicU64::new(0);
static DIE_AT: AtomicU64 = AtomicU64::new(NEVER);

/// Counts the points of a run, and dies at the one that was told.
fn at_point(label: &'static str) {
    if !IS_RUNNING.load(Ordering::SeqCst) {
        return;
    }
    let passed = PASSED.fetch_add(1, Ordering::SeqCst);
    if DIE_AT.load(Ordering::SeqCst) == NEVER {
        let mut out = std::io::stdout().lock();
        writeln!(out, "point {label}").unwrap();
        out.flush().unwrap();
    } else if passed == DIE_AT.load(Ordering::SeqCst) {
        let me = rustix::process::getpid();
        rustix::process::kill_process(me, rustix::process::Signal::KILL).unwrap();
        loop {
            std::thread::park();
        }
    }
}

/// Takes one request all the way. Does nothing when it is run by itself.
#[test]
fn the_child() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let mut lines = told.lines();
    let mut line = || lines.next().unwrap();
    let (folder, address) = (line(), line());
    let mode = if line() == Mode::Together.word() { Mode::Together } else { Mode::OneByOne };
    let (number, die_at) = (line().parse().unwrap(), line().parse().unwrap());
    let ids: Vec<&str> = lines.collect();
    points::listen(at_point);
    DIE_AT.store(die_at, Ordering::SeqCst);
    let database = Database::at(address);
    let gate = builder(Path::new(folder), &database).open().unwrap();
    let Office { ana, bo, .. } = Office::at(&ids).unwrap();
    let office = Office::at(&ids).unwrap();
    let payload = payload(database.kind(), mode, number);
    let (runner, target) = ("sql".parse().unwrap(), "orders".parse().unwrap());
    let change = Change::new(runner, target, &payload, gate.limits()).unwrap();
    let id = gate.draft_and_submit(&ana, &office.request(change)).unwrap().header.id;
    let digest = gate.view(&ana, id).unwrap().digest.unwrap();
    gate.approve(&bo, id, digest, None).unwrap();
    IS_RUNNING.store(true, Ordering::SeqCst);
    let ended = gate.execute(&bo, id).unwrap().wait().unwrap();
    IS_RUNNING.store(false, Ordering::SeqCst);
    assert_eq!(ended.state.name(), StateName::Succeeded, "{:?}", gate.view(&ana, id).unwrap().runs);
}
