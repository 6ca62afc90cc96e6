//! How much longer a plugin runs than it may, by the clock. Nothing is asserted here: a test counts ticks instead.

use core::time::Duration;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use placet::clock::Timestamp;
use placet::runner::{LogLine, Progress, RunLease, RunLink, Runner as _};
use placet::runners::{RunnerLimits, SqliteTarget, WasmRunner};
use placet_benches::{Link, Spread, print_table};

use crate::ground::{PACED, job_of, manifest, sql_only};

static UNRULY: &[u8] = include_bytes!("../../../runners/plugins/built/tests-unruly.wasm");

/// How long each may run, in milliseconds.
const MAY_MS: u64 = 50;
const ROUNDS: usize = 20;

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// A link whose time is the machine's.
#[derive(Clone, Debug)]
struct Timed {
    begun: Instant,
}

impl Timed {
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    fn begin() -> Self {
        Self { begun: Instant::now() }
    }

    fn over(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_millis(MAY_MS))
    }
}

impl RunLease for Timed {
    fn may_touch_target(&self) -> Result<(), placet::error::Error> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        let micros = self.begun.elapsed().as_micros();
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

impl RunLink for Timed {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::new(self.clone())
    }

    fn progress(&self, _: Progress) {}

    fn log(&self, _: LogLine) {}

    fn checkpoint(&self, _: &str, _: &str) -> Result<(), placet::error::Error> {
        Ok(())
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, placet::error::Error> {
        Ok(Vec::new())
    }
}

/// Calls that never end by themselves: what they do, the plugin, and its payload.
fn endless() -> Vec<(&'static str, &'static str, String)> {
    let unruly = |behaviour: &str, sql: &str| {
        serde_json::json!({ "behaviour": behaviour, "sql": sql }).to_string()
    };
    let delete = "DELETE FROM orders";
    let executed = [
        ("a loop", "do spin"),
        ("asking whether it is cancelled", "do ask-always"),
        ("log lines", "do log-always"),
        ("calls on a handle", "do dialect-always"),
        ("checkpoints", "do checkpoint-always"),
        ("time and progress in turns", "chatty"),
    ];
    let executed = executed.map(|(what, behaviour)| (what, "unruly", unruly(behaviour, delete)));
    let mut all = Vec::from(executed);
    all.push(("a loop while planning", "unruly", unruly("plan spin", delete)));
    all.push(("a query without end while planning", "unruly", unruly("plan-write", ENDLESS)));
    let sleeping = r#"{"orders": [3], "call": "wait", "times": 1000}"#.to_owned();
    all.push(("sleeping in the host", "paced", sleeping));
    all.push(("a loop while validating", "unruly", unruly("validate spin", delete)));
    all
}

#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
pub(crate) fn ended() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("orders.db");
    rusqlite::Connection::open(&path)?.execute_batch("CREATE TABLE orders (id INTEGER)")?;
    let mut limits = RunnerLimits::default().with_host_calls_max(u64::MAX).with_pure_ms_max(MAY_MS);
    limits.host_bytes_max = u64::MAX;
    let granted = placet::runners::Grant::none().with("sql");
    let runner = sql_only(PACED, manifest("paced"))?
        .plugin("unruly".parse()?, UNRULY, manifest("unruly"), granted)
        .target("orders".parse()?, Arc::new(SqliteTarget::new(path)))
        .limits(limits)
        .build()?;
    runner.warm_up()?;
    let (mut rows, mut all) = (Vec::new(), Vec::new());
    for (what, plugin, payload) in endless() {
        let mut over = Vec::new();
        for _ in 0..ROUNDS {
            over.push(once(&runner, plugin, &payload)?);
        }
        all.extend(over.iter().copied());
        rows.push(line(what, over));
    }
    rows.push(line("all of them", all));
    println!(
        "\nhow much longer than its {MAY_MS} ms a plugin ran that does not end; aim: at most 100 ms\n"
    );
    print_table(&["what it does", "p50", "p95", "max"], &rows);
    Ok(())
}

fn line(what: &str, over: Vec<Duration>) -> Vec<String> {
    let spread = Spread::of(over);
    let mut line = vec![what.to_owned()];
    line.extend([spread.p50, spread.p95, spread.max].map(|time| format!("{time:.1?}")));
    line
}

/// How much longer than it may one call took.
fn once(runner: &WasmRunner, plugin: &str, payload: &str) -> Result<Duration, Box<dyn Error>> {
    let mut job = job_of(plugin, payload)?;
    if payload.contains("validate") {
        let timed = Timed::begin();
        let ended = runner.validate(&job.runner, payload);
        let over = timed.over();
        return if ended.is_err() { Ok(over) } else { Err("it ended by itself".into()) };
    }
    let plans = plugin == "paced" || payload.contains("plan");
    // Planned in peace; what is measured is what follows.
    let approved = if plans { None } else { Some(runner.plan(&job, &Link::default())?) };
    job.deadline = Timestamp::from_micros(i64::try_from(MAY_MS * 1_000)?);
    let timed = Timed::begin();
    let ended_well = match &approved {
        Some(plan) => {
            matches!(runner.execute(&job, plan, &timed), placet::runner::Outcome::Succeeded(_))
        }
        None => runner.plan(&job, &timed).is_ok(),
    };
    let over = timed.over();
    if ended_well { Err("it ended by itself".into()) } else { Ok(over) }
}
