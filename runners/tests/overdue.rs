//! Plugins that must end though whoever supervises them cannot say so: it fell over, or hangs in the store.

use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::Arc;
use std::thread;

use placet_core::error::Error;
use placet_core::runner::{LogLine, Progress, RunLease, RunLink, Runner as _};
use placet_runners::{RunnerLimits, SqliteTarget};

use crate::bench::{Bench, Link, job};

/// So long a plugin may take to see that it must end, on a machine however busy. Reached only where it does not.
const PATIENCE: Duration = Duration::from_mins(1);

/// A link whose host falls over at the first report of progress.
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
        self.0.checkpoints()
    }
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
