//! However many runs there were, and however they ended: nothing of them stays.
//!
//! Memory is that of a whole process, so each story is told by a process of its own.
#![expect(clippy::disallowed_methods, reason = "the tests start themselves as another process")]

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, ThreadId};

use placet_core::runner::{Outcome, Runner as _};
use placet_runners::{
    Access, CommitFailure, Grant, Manifest, Marker, SqlFailure, SqlRows, SqlSession, SqlTarget,
    SqlValue, StopSignal, WasmRunner,
};

use crate::bench::{Link, PACED, PATIENCE, UNRULY, job, until};

/// Says to the child which story it tells.
const CHILD: &str = "PLACET_TEST_FLAT";

const SEQUENTIAL: usize = 1_000;
const CONCURRENT: usize = 64;

/// So much more memory may be resident at the end. What one run keeps would be kept 1,064 times.
const RESIDENT_BYTES_MORE_MAX: u64 = 24 << 20;

/// So much more address space may be taken. Each sandbox that stays takes more than this.
const ADDRESSES_MORE_MAX: u64 = 4 << 30;

const PAYLOAD: &str = r#"{"orders": [3, 5, 8], "call": "open", "times": 1}"#;

/// Where the runs of one moment meet.
#[derive(Debug, Default)]
struct Meeting {
    wanted: usize,
    here: Vec<ThreadId>,
}

/// A target that counts its sessions.
#[derive(Clone, Debug, Default)]
struct Counted {
    sessions: Arc<AtomicUsize>,
    meeting: Arc<(Mutex<Meeting>, Condvar)>,
    /// Broken: a session that nobody ends, for each that is opened.
    leaks: bool,
    /// Broken: it does not answer.
    hangs: bool,
}

impl Counted {
    /// Waits until as many runs as are wanted are here, and nobody wants any more.
    fn meet(&self) {
        let (meeting, changed) = &*self.meeting;
        let mut meeting = meeting.lock().unwrap();
        let me = thread::current().id();
        if meeting.wanted > 0 && !meeting.here.contains(&me) {
            meeting.here.push(me);
            changed.notify_all();
        }
        let (_met, late) =
            changed.wait_timeout_while(meeting, PATIENCE, |meeting| meeting.wanted > 0).unwrap();
        assert!(!late.timed_out(), "nobody came");
    }

    /// Waits until `wanted` runs are here, calls `look`, and lets them go on.
    fn gather(&self, wanted: usize, look: impl FnOnce()) {
        let (meeting, changed) = &*self.meeting;
        let held = meeting.lock().unwrap();
        let (mut held, late) = changed
            .wait_timeout_while(held, PATIENCE, |meeting| meeting.here.len() < wanted)
            .unwrap();
        assert!(!late.timed_out(), "only {} of {wanted} came", held.here.len());
        look();
        *held = Meeting::default();
        changed.notify_all();
    }
}

impl SqlTarget for Counted {
    fn dialect(&self) -> &'static str {
        "sqlite"
    }

    fn open(&self, _: Access, _: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        self.meet();
        if self.leaks {
            let _nobody_ends_it = Box::leak(Box::new(Session::of(self)));
        }
        let session = Box::new(Session::of(self));
        if self.hangs {
            loop {
                thread::park();
            }
        }
        Ok(session)
    }
}

#[derive(Debug)]
struct Session(Arc<AtomicUsize>);

impl Session {
    fn of(target: &Counted) -> Self {
        target.sessions.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&target.sessions))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl SqlSession for Session {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        Ok(())
    }

    fn execute(&mut self, _: &str, _: &[SqlValue]) -> Result<u64, SqlFailure> {
        Ok(1)
    }

    fn query(&mut self, _: &str, _: &[SqlValue], _: u64, _: u64) -> Result<SqlRows, SqlFailure> {
        Ok(SqlRows::default())
    }

    fn commit(&mut self, _: &Marker) -> Result<(), CommitFailure> {
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        Ok(())
    }

    fn marker(&mut self, _: &placet_core::runner::JobId) -> Result<Option<bool>, SqlFailure> {
        Ok(Some(true))
    }
}

/// What is there at one moment.
#[derive(Clone, Copy, Debug)]
struct Held {
    addresses: u64,
    resident_bytes: u64,
    sessions: usize,
    sandboxes: usize,
}

struct Ground {
    target: Counted,
    runner: WasmRunner,
    /// Broken: what is kept of each run.
    kept: Mutex<Vec<Vec<u8>>>,
    keeps: bool,
}

impl Ground {
    fn new(story: &str) -> Self {
        let target = Counted {
            leaks: story == "a target that keeps sessions",
            hangs: story == "runs that never end",
            ..Counted::default()
        };
        let asked = |name| Manifest::new(name, "0.1.0").with_capability("sql");
        let granted = Grant::none().with("sql");
        let runner = WasmRunner::builder()
            .plugin(
                "paced".parse().unwrap(),
                PACED,
                asked("paced").with_connection("target"),
                granted.clone(),
            )
            .plugin(
                "unruly".parse().unwrap(),
                UNRULY,
                asked("unruly").with_connection("target"),
                granted,
            )
            .target("orders".parse().unwrap(), Arc::new(target.clone()))
            .build()
            .unwrap();
        runner.warm_up().unwrap();
        Self {
            target,
            runner,
            kept: Mutex::default(),
            keeps: story == "a host that keeps what runs leave",
        }
    }

    fn held(&self) -> Held {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let bytes = |name: &str| {
            let found = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            found.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
        };
        Held {
            addresses: bytes("VmSize:"),
            resident_bytes: bytes("VmRSS:"),
            sessions: self.target.sessions.load(Ordering::SeqCst),
            sandboxes: self.runner.sandboxes(),
        }
    }

    /// One run from its plan to its verification; each tenth breaks off with an open transaction.
    fn run(&self, number: usize) {
        let link = Link::default();
        let breaks = number % 10 == 9;
        let (runner, payload) = if breaks {
            ("unruly", r#"{"behaviour": "trap-inside", "sql": "DELETE FROM orders"}"#)
        } else {
            ("paced", PAYLOAD)
        };
        let mut job = job(runner, payload);
        job.id.attempt = u32::try_from(number).unwrap().saturating_add(1);
        let plan = self.runner.plan(&job, &link).unwrap();
        let outcome = self.runner.execute(&job, &plan, &link);
        assert_eq!(matches!(outcome, Outcome::Succeeded(_)), !breaks, "{outcome:?}");
        let verified = self.runner.verify(&job, &plan, &link);
        assert_eq!(matches!(verified, Outcome::Succeeded(_)), !breaks, "{verified:?}");
        if self.keeps {
            self.kept.lock().unwrap().push(vec![1; 64 << 10]);
        }
    }

    /// 64 runs that are all in their sandboxes at one moment.
    fn run_together(&self) {
        self.target.meeting.0.lock().unwrap().wanted = CONCURRENT;
        thread::scope(|scope| {
            for number in 0..CONCURRENT {
                // None breaks off: all of them come.
                scope.spawn(move || self.run(number.saturating_mul(10)));
            }
            self.target.gather(CONCURRENT, || {
                assert_eq!(self.runner.sandboxes(), CONCURRENT);
            });
        });
    }
}

/// Not a test of its own: the child of the tests below. Tells a story, and what is held before and after.
#[test]
#[expect(clippy::print_stdout, reason = "it is another process that reads it")]
fn child() {
    let Ok(story) = std::env::var(CHILD) else { return };
    let ground = Arc::new(Ground::new(&story));
    if ground.target.hangs {
        let before = ground.held();
        for number in 0..3 {
            let ground = Arc::clone(&ground);
            // They end with the process.
            thread::spawn(move || ground.run(number));
        }
        until("three sessions", || ground.target.sessions.load(Ordering::SeqCst) >= 3);
        println!("held: {}", shown(before, ground.held()));
        return;
    }
    // What is kept for good is there after the first of each.
    (0..100).for_each(|number| ground.run(number));
    ground.run_together();
    let before = ground.held();
    (0..SEQUENTIAL).for_each(|number| ground.run(number));
    ground.run_together();
    println!("held: {}", shown(before, ground.held()));
}

fn shown(before: Held, after: Held) -> String {
    let numbers = [before, after].map(|held| {
        format!("{} {} {} {}", held.addresses, held.resident_bytes, held.sessions, held.sandboxes)
    });
    numbers.join(" ")
}

/// What a process held before and after `story`.
fn told(story: &str) -> [Held; 2] {
    let ended = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "flat::child", "--nocapture", "--test-threads=1"])
        .env(CHILD, story)
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    let line = said.lines().find_map(|line| line.split_once("held: ")).unwrap().1;
    let mut numbers = line.split(' ').map(|number| number.parse::<u64>().unwrap());
    [(); 2].map(|()| {
        let mut next = || numbers.next().unwrap();
        Held {
            addresses: next(),
            resident_bytes: next(),
            sessions: usize::try_from(next()).unwrap(),
            sandboxes: usize::try_from(next()).unwrap(),
        }
    })
}

/// What stayed, in words.
fn left_over([before, after]: [Held; 2]) -> Vec<&'static str> {
    let more = |after: u64, before: u64| after.saturating_sub(before);
    let all = [
        ("sessions", after.sessions > 0),
        ("sandboxes", after.sandboxes > 0),
        ("memory", more(after.resident_bytes, before.resident_bytes) > RESIDENT_BYTES_MORE_MAX),
        ("address space", more(after.addresses, before.addresses) > ADDRESSES_MORE_MAX),
    ];
    all.into_iter().filter_map(|(what, stayed)| stayed.then_some(what)).collect()
}

#[expect(clippy::print_stderr, reason = "a test says what it did not do, and what it measured")]
fn story(story: &str) -> Option<Vec<&'static str>> {
    if !cfg!(target_os = "linux") {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "CI runs on Linux");
        eprintln!("SKIPPED: only Linux says how much memory a process has");
        return None;
    }
    let held = told(story);
    eprintln!("{story}: {held:?}");
    Some(left_over(held))
}

#[test]
fn a_thousand_runs_and_sixty_four_at_once_leave_nothing() {
    let Some(left) = story("all is well") else { return };
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_stays_of_runs_is_noticed() {
    for (broken, noticed) in [
        ("a target that keeps sessions", &["sessions"][..]),
        ("a host that keeps what runs leave", &["memory"]),
        ("runs that never end", &["sessions", "sandboxes", "address space"]),
    ] {
        let Some(left) = story(broken) else { return };
        assert_eq!(left, noticed, "{broken}");
    }
}
