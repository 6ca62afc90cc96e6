//! Plugins that must end though whoever supervises them cannot say so: it fell over, or hangs in the store.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::thread;

use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::runner::{LogLine, Progress, RunLease, RunLink, Runner as _};
use placet_exchange::{Exchange, HttpCall};
use placet_runners::deploy::testing::Product;
use placet_runners::{RunnerLimits, SqliteTarget};
use serde_json::json;

use crate::bench::{Bench, Link, PATIENCE, Quiet, failure, job};
use crate::deploy::ground::{self, Ground};

/// A link whose host falls over at the first report of progress, and whose store does not answer.
#[derive(Debug, Default)]
struct Falling(Link);

impl RunLink for Falling {
    fn lease(&self) -> Arc<dyn RunLease> {
        self.0.lease()
    }

    fn progress(&self, _: Progress) {
        panic!("the host's own code falls over");
    }

    fn log(&self, line: LogLine) {
        self.0.log(line);
    }

    fn checkpoint(&self, step: &str, state: &str) -> Result<(), Error> {
        self.0.checkpoint(step, state)
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        Err(Error::new(Code::StoreUnavailable, "the store does not answer"))
    }
}

#[test]
fn a_store_that_does_not_answer_is_no_fault_of_the_plugin() {
    let bench = Bench::new();
    let payload = r#"{"behaviour": "do spy", "sql": "DELETE FROM orders WHERE id = 1"}"#;
    let job = job("unruly", payload);
    let plan = bench.runner.plan(&job, &bench.link).unwrap();
    let (word, failed) = failure(bench.runner.execute(&job, &plan, &Falling::default()));
    assert_eq!((word, failed.code.as_str()), ("failed", "unavailable"), "{failed:?}");
    assert!(failed.message.contains("the store does not answer"), "{failed:?}");
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
}

#[test]
fn a_plugin_whose_supervisor_fell_over_ends() {
    let limits = RunnerLimits::default().with_host_calls_max(u64::MAX);
    let bench = Bench::with(limits, SqliteTarget::new);
    let payload = r#"{"behaviour": "chatty", "sql": "DELETE FROM orders WHERE id = 1"}"#;
    let job = job("unruly", payload);
    let plan = bench.runner.plan(&job, &bench.link).unwrap();
    let (tells, told) = channel();
    let run = thread::spawn(move || {
        let run = || bench.runner.execute(&job, &plan, &Falling::default());
        let fell = catch_unwind(AssertUnwindSafe(run)).is_err();
        tells.send(fell).unwrap();
        bench
    });
    assert_eq!(told.recv_timeout(PATIENCE), Ok(true), "it goes on, and its caller waits for ever");
    let bench = run.join().unwrap();
    assert_eq!(bench.number("SELECT count(*) FROM orders"), 3);
    bench.assert_alive();
}

/// A lease in a store that hangs as soon as whoever supervises looks at it, until the plugin is gone. Then its time is over
/// too.
#[derive(Debug)]
struct Hanging {
    own: Weak<Self>,
    hangs: AtomicBool,
    /// At its first look the plugin's call was there.
    was_held: AtomicBool,
    outlived: AtomicBool,
}

impl Hanging {
    fn new() -> Arc<Self> {
        let [hangs, was_held, outlived] = [(); 3].map(|()| AtomicBool::new(false));
        Arc::new_cyclic(|own| Self { own: Weak::clone(own), hangs, was_held, outlived })
    }
}

impl RunLease for Hanging {
    fn may_touch_target(&self) -> Result<(), Error> {
        if thread::current().name() == Some("placet-run") {
            return Ok(());
        }
        self.hangs.store(true, Ordering::SeqCst);
        // The test, its link, the supervisor, and as long as it is there the plugin's call hold it.
        for _ in 0..PATIENCE.as_millis() {
            if self.own.strong_count() < 4 {
                return Ok(());
            }
            self.was_held.store(true, Ordering::SeqCst);
            thread::park_timeout(Duration::from_millis(1));
        }
        self.outlived.store(true, Ordering::SeqCst);
        Err(Error::new(Code::Cancelled, "so that this test ends"))
    }

    fn now(&self) -> Timestamp {
        if self.hangs.load(Ordering::SeqCst) { Timestamp::MAX } else { Timestamp::MIN }
    }
}

#[test]
fn a_store_that_hangs_gives_no_plugin_more_time() {
    let bench = Bench::new();
    let looping = job("unruly", r#"{"behaviour": "loop", "sql": "DELETE FROM orders"}"#);
    let ground = Ground::of(Product::Rundeck);
    let step = HttpCall {
        endpoint: "rundeck".into(),
        method: "POST".into(),
        path_and_query: "/api/41/job/7/run".into(),
        headers: vec![],
        body: vec![],
    };
    // A month, or until it is stopped.
    let (steps, acts) = ([Exchange::Http(step).to_text()], ["wait 2592000000", "spin"]);
    let payload = json!({ "steps": steps, "execute": acts });
    let waiting = ground::job("caller", &payload);
    for (runner, job) in [(&bench.runner, &looping), (&ground.runner, &waiting)] {
        let plan = runner.plan(job, &Link::default()).unwrap();
        let lease = Hanging::new();
        let outcome = runner.execute(job, &plan, &Quiet(Arc::clone(&lease)));
        assert!(lease.was_held.load(Ordering::SeqCst), "it was over before anybody looked");
        assert!(!lease.outlived.load(Ordering::SeqCst), "it went on: {outcome:?}");
        let (word, late) = failure(outcome);
        assert_eq!((word, late.code.as_str()), ("failed", "timeout"), "{late:?}");
    }
}
