//! A host, a database file and a link, for one test.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::id::{RequestId, RunId};
use placet_core::org::Slug;
use placet_core::runner::{
    Job, JobId, LogLine, Outcome, Place, Plan, Progress, RunLease, RunLink, Runner as _,
};
use placet_runners::{
    Builder, CompiledKey, FolderResults, Grant, Manifest, RunnerLimits, SqlTarget, SqliteTarget,
    WasmRunner, shipped,
};

pub(crate) static UNRULY: &[u8] = include_bytes!("../plugins/built/tests-unruly.wasm");
pub(crate) static PACED: &[u8] = include_bytes!("../plugins/built/tests-paced.wasm");
pub(crate) static GRASPING: &[u8] = include_bytes!("../plugins/built/tests-grasping.wasm");

// Lives as long as the process, so that the tests of one process load each plugin once.
static COMPILED: LazyLock<WasmRunner> = LazyLock::new(|| {
    let runner = plugins(kept()).build().unwrap();
    runner.warm_up().unwrap();
    runner
});

/// A builder that compiles each plugin once for all processes of these tests, as a host does for its own.
pub(crate) fn kept() -> Builder {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled");
    WasmRunner::builder().compiled_in(folder, CompiledKey::from_bytes([7; 32]))
}

/// A builder with the plugins of these tests.
pub(crate) fn plugins(builder: Builder) -> Builder {
    let sql = shipped::sql();
    let granted = Grant::none().with("sql").with_dry_run();
    let asked = Manifest::new("unruly", "0.1.0").with_capability("sql").with_connection("target");
    builder
        .plugin(
            "sql".parse().unwrap(),
            sql.component.clone(),
            sql.manifest.clone(),
            granted.clone(),
        )
        .plugin("sql-dry".parse().unwrap(), sql.component, sql.manifest, Grant::none().with("sql"))
        .plugin("unruly".parse().unwrap(), UNRULY, asked, granted)
}

/// What one test works with.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) runner: WasmRunner,
    pub(crate) link: Link,
}

impl Bench {
    /// A host with one target, `orders`: a database that holds three rows.
    pub(crate) fn new() -> Self {
        Self::with(RunnerLimits::default(), SqliteTarget::new)
    }

    pub(crate) fn with(limits: RunnerLimits, target: impl FnOnce(PathBuf) -> SqliteTarget) -> Self {
        LazyLock::force(&COMPILED);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.db");
        let database = rusqlite::Connection::open(&path).unwrap();
        database
            .execute_batch(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT NOT NULL);
                 INSERT INTO orders VALUES (1, 'new'), (2, 'new'), (3, 'paid');",
            )
            .unwrap();
        let target: Arc<dyn SqlTarget> = Arc::new(target(path));
        let runner = plugins(WasmRunner::builder())
            .target("orders".parse().unwrap(), target)
            .results(Arc::new(FolderResults::new(folder.path().join("results"))))
            .limits(limits)
            .build()
            .unwrap();
        Self { folder, runner, link: Link::default() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("orders.db")
    }

    /// What a query on the database answers, as one number.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let database = rusqlite::Connection::open(self.path()).unwrap();
        database.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn plan(&self, sql: &str) -> Result<(Job, Plan), Error> {
        let job = job("sql", &serde_json::json!({ "sql": sql }).to_string());
        let plan = self.runner.plan(&job, &self.link)?;
        Ok((job, plan))
    }

    /// Plans and executes a script.
    pub(crate) fn run(&self, sql: &str) -> Outcome {
        let (job, plan) = self.plan(sql).unwrap();
        self.runner.execute(&job, &plan, &self.link)
    }

    /// Lets the unruly plugin plan and execute `sql`, and behave as `behaviour` says.
    pub(crate) fn misbehave(&self, behaviour: &str, sql: &str) -> (Job, Plan, Outcome) {
        let payload = serde_json::json!({ "behaviour": behaviour, "sql": sql }).to_string();
        let job = job("unruly", &payload);
        let plan = self.runner.plan(&job, &self.link).unwrap();
        let outcome = self.runner.execute(&job, &plan, &self.link);
        (job, plan, outcome)
    }

    /// The host still works: a plugin that failed took nothing with it.
    pub(crate) fn assert_alive(&self) {
        let before = self.number("SELECT count(*) FROM orders");
        let job = Job { id: JobId { attempt: 99, ..job_id() }, ..job("sql", INSERT) };
        let plan = self.runner.plan(&job, &Link::default()).unwrap();
        let outcome = self.runner.execute(&job, &plan, &Link::default());
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
        assert_eq!(self.number("SELECT count(*) FROM orders"), before.saturating_add(1));
    }
}

const INSERT: &str = r#"{"sql": "INSERT INTO orders (state) VALUES ('alive')"}"#;

const fn job_id() -> JobId {
    JobId {
        request: RequestId::from_u128(7),
        revision: 1,
        attempt: 1,
        fence: 1,
        run: RunId::from_u128(8),
    }
}

pub(crate) fn job(runner: &str, payload: &str) -> Job {
    Job {
        id: job_id(),
        runner: runner.parse().unwrap(),
        target: "orders".parse().unwrap(),
        payload: payload.to_owned(),
        payload_digest: Digest::of(payload.as_bytes()),
        place: Place {
            project: "shop".parse().unwrap(),
            module: "pagos".parse().unwrap(),
            environment: "prod".parse().unwrap(),
        },
        deadline: Timestamp::from_micros(1_000_000_000),
        dry_run: true,
        settings: "{}".to_owned(),
    }
}

/// A link that keeps what it is told.
#[derive(Debug, Default)]
pub(crate) struct Link {
    pub(crate) lease: Arc<Lease>,
    pub(crate) log: Mutex<Vec<LogLine>>,
    pub(crate) progress: Mutex<Vec<Progress>>,
    /// Where every attempt of the past ran.
    pub(crate) ran: Mutex<Option<(Place, Slug)>>,
}

/// A lease whose clock moves one step with every look, so that a deadline comes without waiting for it.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    pub(crate) now_micros: AtomicI64,
    pub(crate) step_micros: i64,
    pub(crate) ends_after_commit_in: Option<PathBuf>,
    pub(crate) cancelled: Mutex<Option<Code>>,
    /// How many looks still fail with `StoreUnavailable`.
    pub(crate) failing_looks: AtomicI64,
    /// What happens right after a look of the plugin's thread, before what follows it.
    pub(crate) between: Mutex<Between>,
}

/// After so many looks the lease is lost, and something happens meanwhile.
#[derive(Default)]
pub(crate) struct Between {
    looks: usize,
    at: usize,
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl core::fmt::Debug for Between {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Between").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Lease {
    /// Lets look number `at` through; then `then` happens, and from there on the lease is lost.
    pub(crate) fn lose_after(&self, at: usize, then: impl FnOnce() + Send + 'static) {
        *self.between.lock().unwrap() = Between { looks: 0, at, then: Some(Box::new(then)) };
    }

    fn pass_on(&self) {
        // The calling thread looks too, whenever it likes.
        if thread::current().name() != Some("placet-run") {
            return;
        }
        let mut between = self.between.lock().unwrap();
        between.looks = between.looks.saturating_add(1);
        if between.looks != between.at {
            return;
        }
        let then = between.then.take();
        drop(between);
        if let Some(then) = then {
            then();
            // Unless it said why itself.
            let mut cancelled = self.cancelled.lock().unwrap();
            *cancelled = cancelled.or(Some(Code::LeaseLost));
        }
    }
}

impl Link {
    /// A link on `lease`.
    pub(crate) fn on(lease: Lease) -> Self {
        Self { lease: Arc::new(lease), ..Self::default() }
    }

    /// A link whose deadline passes after a few looks.
    pub(crate) fn hurried() -> Self {
        Self::on(Lease { step_micros: 300_000_000, ..Lease::default() })
    }
}

impl RunLease for Lease {
    fn may_touch_target(&self) -> Result<(), Error> {
        let cancelled = *self.cancelled.lock().unwrap();
        match cancelled {
            Some(code) => Err(Error::new(code, "not any more")),
            None if self.failing_looks.fetch_sub(1, Ordering::SeqCst) > 0 => {
                Err(Error::new(Code::StoreUnavailable, "the store does not answer"))
            }
            None => {
                self.pass_on();
                Ok(())
            }
        }
    }

    fn now(&self) -> Timestamp {
        if self.ends_after_commit_in.as_deref().is_some_and(is_marked) {
            return Timestamp::MAX;
        }
        Timestamp::from_micros(self.now_micros.fetch_add(self.step_micros, Ordering::SeqCst))
    }
}

impl RunLink for Link {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::<Lease>::clone(&self.lease)
    }

    fn progress(&self, progress: Progress) {
        self.progress.lock().unwrap().push(progress);
    }

    fn log(&self, line: LogLine) {
        self.log.lock().unwrap().push(line);
    }

    fn checkpoint(&self, _: &str, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        Ok(Vec::new())
    }

    fn ran_at(&self, _: RequestId, _: u32, _: u32) -> Result<Option<(Place, Slug)>, Error> {
        Ok(self.ran.lock().unwrap().clone())
    }
}

fn is_marked(path: &std::path::Path) -> bool {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = rusqlite::Connection::open_with_flags(path, flags).unwrap();
    // No table yet, or locked for the moment: not yet.
    database.query_row("SELECT count(*) FROM placet_marker", [], |row| row.get(0)).unwrap_or(0) > 0
}

/// A link on a lease of the test's own, which keeps nothing.
#[derive(Debug, Default)]
pub(crate) struct Quiet<L>(pub(crate) Arc<L>);

impl<L: RunLease + 'static> RunLink for Quiet<L> {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::<L>::clone(&self.0)
    }

    fn progress(&self, _: Progress) {}

    fn log(&self, _: LogLine) {}

    fn checkpoint(&self, _: &str, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        Ok(Vec::new())
    }
}

/// So long something may take that must happen, on a machine however busy. Reached only where it does not happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until something is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() {
        if is_so() {
            return;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    panic!("it never happened: {what}");
}

/// Ends all tests of this process: a panic would wait for the thread of a plugin that goes on, without an end.
pub(crate) fn give_up(what: &str) -> ! {
    drop(writeln!(std::io::stderr(), "{what} goes on, and nothing ends it"));
    std::process::abort();
}

/// The failure of an outcome that must be one of the two others than success.
pub(crate) fn failure(outcome: Outcome) -> (&'static str, placet_core::runner::Failure) {
    match outcome {
        Outcome::Failed(failure) => ("failed", failure),
        Outcome::Unknown(failure) => ("unknown", failure),
        Outcome::Succeeded(report) => panic!("it succeeded: {report:?}"),
    }
}
