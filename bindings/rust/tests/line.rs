//! Two nodes on one database, and a line to one of them that is cut where a test says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use placet::clock::{Clock, Timestamp};
use placet::error::{Code, Error};
use placet::id::RequestId;
use placet::limits::Limits;
use placet::request::StateName;
use placet::runners::{Access, SqlFailure, SqlSession, SqlTarget, SqliteTarget, StopSignal};
use placet::store_postgres::{Options, PostgresStore};
use placet::{Gate, SystemClock};
use placet_core::testing::Office;
use rusqlite::Connection;

use crate::nodes::{next, pause};
use crate::proxy::{Cut, Proxy};
use crate::server::{Db, Server, fresh, patient, server};
use crate::shop::create_database;

/// The lease of runs here, in milliseconds. Some runs wait for a renewal: a third of it.
const LEASE_MS: u64 = 900;

/// How long the node behind the line asks what became of a COMMIT while the line stays away, in milliseconds.
const DEADLINE_MS: u64 = 250;

/// How the line is cut at a COMMIT. After all but one of them it reaches the server.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum How {
    /// The reply is lost.
    After,
    /// The COMMIT is lost.
    Before,
    /// It arrives late: when somebody waits for what it holds, or when the step was answered without it.
    Held,
    /// The reply is the server's last word: it gave up.
    Panic,
}

/// What a step was answered.
#[derive(Debug)]
pub(crate) struct Told<T> {
    pub(crate) answer: Result<T, Error>,
    /// Where its own COMMIT was cut: whether that reached the server.
    pub(crate) arrived: Option<bool>,
}

/// What happened, counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How steps were cut.
    pub(crate) hows: BTreeMap<How, u64>,
    /// At which steps the line was cut, and how often where a node entered again.
    pub(crate) places: BTreeMap<&'static str, u64>,
    /// What steps were answered.
    pub(crate) answers: BTreeMap<&'static str, u64>,
}

/// The machine's clocks; the steady one can be hurried, so that a lease ends when the test says so.
#[derive(Debug, Default)]
pub(crate) struct Hurried {
    ahead_ms: AtomicU64,
}

impl Hurried {
    pub(crate) fn hurry_ms(&self, ms: u64) {
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        SystemClock::default().now()
    }

    fn steady_ms(&self) -> u64 {
        SystemClock::default().steady_ms() + self.ahead_ms.load(Ordering::SeqCst)
    }
}

/// The target, and how often somebody came to change it. Reading does not count; dry runs do.
#[derive(Debug)]
struct Watched {
    target: SqliteTarget,
    entered: AtomicU64,
}

impl SqlTarget for Watched {
    fn dialect(&self) -> &str {
        self.target.dialect()
    }

    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        if matches!(access, Access::ReadWrite(_)) {
            self.entered.fetch_add(1, Ordering::SeqCst);
        }
        self.target.open(access, stop)
    }
}

/// Two nodes on one database, one of them behind the line, and the target of both.
pub(crate) struct World {
    server: Arc<Server>,
    db: Db,
    schema: String,
    pub(crate) folder: tempfile::TempDir,
    clock: Arc<Hurried>,
    watched: Arc<Watched>,
    pub(crate) proxy: Proxy,
    /// Behind the line.
    pub(crate) near: Gate,
    /// Straight on the server.
    pub(crate) far: Gate,
    /// The state itself.
    pub(crate) store: PostgresStore,
    pub(crate) office: Office,
    pub(crate) tally: RefCell<Tally>,
    random: Cell<u64>,
    /// Whether `near` has no connection to write on.
    is_out: Cell<bool>,
}

type Shared = (Arc<Hurried>, Arc<Watched>);

fn open(folder: &Path, url: String, options: Options, (clock, watched): &Shared) -> Gate {
    let node = options.node.clone().unwrap();
    let home = folder.join(&node);
    std::fs::create_dir_all(&home).unwrap();
    // One log has one key: each node has a copy.
    let original = folder.join("far").join("log.key");
    if node != "far" {
        std::fs::copy(original, home.join("log.key")).unwrap();
    }
    Gate::builder(home)
        .origin("example.org/cut")
        .postgres_with(url, options)
        .target("orders", Arc::<Watched>::clone(watched))
        .limits(Limits::default().with_lease_ms(LEASE_MS))
        .clock(Arc::<Hurried>::clone(clock))
        // The test says when a node looks for leases that ended: then it knows whose COMMIT it cuts.
        .housekeeping(false)
        .open()
        .unwrap()
}

impl World {
    pub(crate) fn new(seed: u64) -> Option<Self> {
        let server = server()?;
        let (schema, folder) = (fresh("cut"), tempfile::tempdir().unwrap());
        let target = folder.path().join("orders.db");
        create_database(&target);
        // No key: a second row would be seen.
        let done = "CREATE TABLE done (request TEXT NOT NULL)";
        Connection::open(&target).unwrap().execute(done, ()).unwrap();
        let target = SqliteTarget::new(target).with_lock_wait_ms(300_000);
        let watched = Arc::new(Watched { target, entered: AtomicU64::new(0) });
        let shared = (Arc::<Hurried>::default(), watched);
        let proxy = Proxy::to(server.port());
        let options = patient(&schema);
        let far = options.clone().with_node("far");
        let far = open(folder.path(), server.url(), far, &shared);
        let office = Office::found(&far).unwrap();
        let near = options
            .with_node("near")
            .with_deadline_ms(DEADLINE_MS)
            // It keeps its one reading connection while no new one can be made.
            .with_read_connections(1)
            // What is held back is held until the test lets it go.
            .with_idle_in_transaction_timeout_ms(300_000);
        let near = open(folder.path(), server.url_at(proxy.port()), near, &shared);
        let (db, store) = (server.db(), server.store(&schema));
        let (clock, watched) = shared;
        Some(Self {
            server,
            db,
            schema,
            folder,
            clock,
            watched,
            proxy,
            near,
            far,
            store,
            office,
            tally: RefCell::default(),
            random: Cell::new(seed),
            is_out: Cell::new(false),
        })
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.random.set(next(self.random.get()));
        self.random.get() % bound
    }

    /// How the line is cut, and whether it stays away until the step is answered.
    pub(crate) fn a_cut(&self) -> (How, bool) {
        let how = match self.below(10) {
            0 => How::Before,
            1 => How::Held,
            2 => How::Panic,
            _ => How::After,
        };
        (how, self.below(2) == 0)
    }

    /// The same, where the line is cut at the next step. A node that has no connection mostly gets one first:
    /// what would be cut is where it enters again.
    pub(crate) fn chance(&self) -> Option<(How, bool)> {
        let sixths = if self.is_out.get() { 1 } else { 5 };
        let (is_cut, cut) = (self.below(6) < sixths, self.a_cut());
        is_cut.then_some(cut)
    }

    /// Has the node behind the line do `verb`. Afterwards the line is whole, and nothing is on its way any more.
    pub(crate) fn step<T>(
        &self,
        place: &'static str,
        cut: Option<(How, bool)>,
        verb: impl FnOnce(&Gate) -> Result<T, Error>,
    ) -> Told<T> {
        let Some((how, stays_away)) = cut else {
            let answer = verb(&self.near);
            self.note(&answer);
            return Told { answer, arrived: None };
        };
        let (cuts, was_out) = (self.proxy.cuts(), self.is_out.get());
        // While it cannot enter again, it commits nothing that could be cut.
        self.proxy.refuse(stays_away && !was_out);
        let release = match how {
            How::Held => Some(self.proxy.hold()),
            How::Before => self.arm(Cut::Before),
            How::After => self.arm(Cut::After),
            How::Panic => self.arm(Cut::Panic),
        };
        let (server, schema, answered) = (&self.server, &self.schema, AtomicBool::new(false));
        let answer = std::thread::scope(|scope| {
            if let Some(release) = release {
                let answered = &answered;
                scope.spawn(move || let_go((server, schema), &release, answered));
            }
            // Also when it panics: else the thread beside this one would wait for ever.
            let _answered = OnDrop(&answered);
            verb(&self.near)
        });
        self.proxy.refuse(false);
        assert_eq!(self.proxy.cuts(), cuts + 1, "{place}: there was no COMMIT to cut");
        // Whoever has the head locked still may commit; nobody has, once this returns.
        self.db.run(&format!("SELECT 1 FROM {}.head FOR UPDATE", self.schema));
        self.note(&answer);
        let mut tally = self.tally.borrow_mut();
        if was_out {
            *tally.places.entry("ENTER again").or_default() += 1;
        } else {
            *tally.places.entry(place).or_default() += 1;
            *tally.hows.entry(how).or_default() += 1;
        }
        let arrived = (!was_out).then_some(how != How::Before);
        Told { answer, arrived }
    }

    fn arm(&self, cut: Cut) -> Option<Sender<()>> {
        self.proxy.arm(cut);
        None
    }

    /// The lease of every run ends that nobody renews, as soon as a node looks.
    pub(crate) fn end_leases(&self) {
        self.clock.hurry_ms(LEASE_MS);
    }

    /// Has the node behind the line enter again where it lost its connection, by any COMMIT.
    pub(crate) fn come_back(&self, commit: impl FnOnce(&Gate) -> Result<(), Error>) {
        if self.is_out.replace(false) {
            commit(&self.near).unwrap();
        }
    }

    fn note<T>(&self, answer: &Result<T, Error>) {
        let word = match answer {
            Ok(_) => "done",
            Err(error) if is_certain(error) => "nothing was written",
            Err(_) => "not known",
        };
        *self.tally.borrow_mut().answers.entry(word).or_default() += 1;
        self.is_out.set(answer.is_err());
    }

    /// The target of both nodes.
    pub(crate) fn target(&self) -> PathBuf {
        self.folder.path().join("orders.db")
    }

    /// How often somebody came to change the target, dry runs among them.
    pub(crate) fn entered(&self) -> u64 {
        self.watched.entered.load(Ordering::SeqCst)
    }

    /// What a node tells of a request.
    fn tells(&self, gate: &Gate, id: RequestId) -> String {
        let Office { ana, .. } = self.office;
        let (view, history) = (gate.view(&ana, id).unwrap(), gate.history(&ana, id).unwrap());
        format!("{view:#?}\n{history:#?}")
    }

    /// Whether `word` is in the history of `id`. Both nodes tell the same.
    pub(crate) fn is_there(&self, id: RequestId, word: &str) -> bool {
        assert_eq!(self.tells(&self.near, id), self.tells(&self.far, id));
        let history = self.far.history(&self.office.ana, id).unwrap();
        let times = history.iter().filter(|entry| entry.action == word).count();
        assert!(times <= 1, "{id}: {word} {times} times");
        times == 1
    }

    pub(crate) fn state(&self, id: RequestId) -> StateName {
        self.far.view(&self.office.ana, id).unwrap().state.name()
    }

    /// Has the node behind the line do a step, and checks its answer. Whoever was told that it is not there, or
    /// that nobody knows, reads; where it is not there, the other node does it.
    pub(crate) fn surely<T>(
        &self,
        id: RequestId,
        word: &'static str,
        verb: impl Fn(&Gate) -> Result<T, Error>,
    ) -> Option<T> {
        let told = self.step(word, self.chance(), &verb);
        let is_there = self.is_there(id, word);
        told.check(word, is_there);
        match told.answer {
            Ok(done) => Some(done),
            Err(_) if is_there => None,
            Err(_) => Some(verb(&self.far).unwrap()),
        }
    }
}

/// Raises a flag when it goes, whatever happened before.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn is_certain(error: &Error) -> bool {
    error.to_string().contains("nothing was written")
}

/// Lets a COMMIT go that is held back: as soon as somebody waits for what it holds, or was answered without.
fn let_go((server, schema): (&Server, &str), release: &Sender<()>, answered: &AtomicBool) {
    // A writer of this test, and not one of another test on this server.
    let waits = format!(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'
         AND application_name = 'placet writer' AND position('\"{schema}\".head' in query) > 0"
    );
    let db = server.db();
    while !answered.load(Ordering::SeqCst) && db.rows(&waits) != ["t"] {
        pause(5);
    }
    // Where there was no COMMIT to hold back nobody listens, and the step says so.
    let _nobody = release.send(());
}

impl<T> Told<T> {
    /// The answer is true. `is_there`: what the step writes was found.
    pub(crate) fn check(&self, word: &str, is_there: bool) {
        match &self.answer {
            Ok(_) => assert!(is_there, "{word} was acknowledged, and is not there"),
            Err(error) => {
                assert_eq!(error.code(), Code::StoreUnavailable, "{word}: {error}");
                assert!(!(is_there && is_certain(error)), "{word} is there: {error}");
                // The network knows what nobody else does.
                let arrived = self.arrived.unwrap_or(is_there);
                assert_eq!(is_there, arrived, "{word}: {error}");
            }
        }
    }
}
