//! Several nodes on one PostgreSQL: any node does any step; one that dies or stands still harms nobody.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use placet::clock::Clock;
use placet::error::Code;
use placet::id::RequestId;
use placet::limits::Limits;
use placet::org::command::EndGrant;
use placet::request::{Change, StateName};
use placet::runners::SqliteTarget;
use placet::{Gate, SystemClock};
use placet_core::testing::Office;
use rusqlite::Connection;

use crate::line::Hurried;
use crate::server::{Server, fresh, patient, server};
use crate::shop::{create_database, payload};

/// The lease of runs here, in milliseconds: no sound run loses it on a busy machine. Where one must end, the clock of
/// the node that looks is hurried.
const LEASE_MS: u64 = 30_000;

/// How long a run waits for the target's lock, in milliseconds: for as long as a test holds it.
const LOCK_WAIT_MS: u32 = 300_000;

/// How long whoever looks at others' runs waits for it: one that stands still may hold it.
const LOOK_WAIT_MS: u32 = 200;

/// How many nodes stand still in a run. `PLACET_ZOMBIES=200` makes it a long test.
const ZOMBIES: u64 = 20;

const CHILD: &str = "PLACET_NODE";

/// A node in a process of its own, which ends with the test: also when the test fails while it stands still.
struct Node(Child);

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A database, a target, and nodes between them.
struct Cluster {
    server: Arc<Server>,
    schema: String,
    folder: Arc<tempfile::TempDir>,
    office: Office,
    clock: Arc<Hurried>,
    first: Gate,
}

/// Whose clock a node goes by: the database's, or its own.
type OwnClock = Option<Arc<dyn Clock>>;

fn open(
    (url, schema, folder): (&str, &str, &Path),
    node: &str,
    clock: OwnClock,
    wait_ms: u32,
) -> Gate {
    let home = folder.join(node);
    std::fs::create_dir_all(&home).unwrap();
    // One log has one key: each node has a copy.
    let (key, original) = (home.join("log.key"), folder.join("first").join("log.key"));
    if !key.exists() && original.exists() {
        std::fs::copy(original, key).unwrap();
    }
    let target = SqliteTarget::new(folder.join("orders.db")).with_lock_wait_ms(wait_ms);
    let builder = Gate::builder(home)
        .origin("example.org/nodes")
        .postgres_with(url, patient(schema).with_node(node))
        .target("orders", Arc::new(target))
        .limits(Limits::default().with_lease_ms(LEASE_MS));
    match clock {
        Some(clock) => builder.clock(clock),
        None => builder,
    }
    .open()
    .unwrap()
}

impl Cluster {
    /// All nodes go by the database's clock, or the first one by a clock that can be hurried and the others by the
    /// machine's.
    fn new(is_hurried: bool) -> Option<Self> {
        let server = server()?;
        let (schema, folder) = (fresh("nodes"), Arc::new(tempfile::tempdir().unwrap()));
        create_database(&folder.path().join("orders.db"));
        let clock = Arc::<Hurried>::default();
        let own: OwnClock = is_hurried.then(|| -> Arc<dyn Clock> { Arc::<Hurried>::clone(&clock) });
        let wait_ms = if is_hurried { LOOK_WAIT_MS } else { LOCK_WAIT_MS };
        let first = open((&server.url(), &schema, folder.path()), "first", own, wait_ms);
        let office = Office::found(&first).unwrap();
        Some(Self { server, schema, folder, office, clock, first })
    }

    fn node(&self, name: &str) -> Gate {
        open((&self.server.url(), &self.schema, self.folder.path()), name, None, LOCK_WAIT_MS)
    }

    /// Keeps everybody out of the target until this is dropped.
    fn lock_target(&self) -> Connection {
        let lock = Connection::open(self.folder.path().join("orders.db")).unwrap();
        lock.busy_timeout(Duration::from_mins(5)).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        lock
    }

    /// Lets the first node's time pass until a run whose node does not renew it is over for the first node.
    fn end_lease(&self, id: RequestId) {
        let noticed = (0..100).any(|_| {
            self.first.tick().unwrap();
            self.clock.hurry_ms(LEASE_MS);
            self.first.tick().unwrap();
            // A renewal that was on its way to the database makes it one round more.
            self.state(id) != StateName::Executing
        });
        assert!(noticed, "{id} is still executing");
    }

    fn change(&self, sql: &str) -> Change {
        let limits = self.first.limits();
        Change::new("sql".parse().unwrap(), "orders".parse().unwrap(), payload(sql), limits)
            .unwrap()
    }

    /// A request that may run: it works for a moment and leaves one row, named by `key`.
    fn approved(&self, key: &str) -> RequestId {
        let sql = format!(
            "INSERT INTO ran WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) \
             SELECT '{key}' WHERE (SELECT count(*) FROM n) > 0"
        );
        let Office { ana, bo, .. } = self.office;
        let new = self.office.request(self.change(&sql));
        let id = self.first.draft_and_submit(&ana, &new).unwrap().header.id;
        let digest = self.first.view(&ana, id).unwrap().digest.unwrap();
        self.first.approve(&bo, id, digest, None).unwrap();
        id
    }

    fn state(&self, id: RequestId) -> StateName {
        self.first.view(&self.office.ana, id).unwrap().state.name()
    }

    /// Reads in the target until it can tell, and checks that the outcome is the truth.
    fn resolve(&self, id: RequestId, key: &str) -> StateName {
        let tries = (0..6_000).find(|_| {
            if self.state(id) == StateName::Unknown {
                self.first.verify(&self.office.bo, id).unwrap();
            }
            let known = matches!(self.state(id), StateName::Succeeded | StateName::Failed);
            if !known {
                pause(50);
            }
            known
        });
        tries.unwrap_or_else(|| panic!("{id} stays {}", self.state(id)));
        let database = Connection::open(self.folder.path().join("orders.db")).unwrap();
        let count = |sql: &str, value: &str| -> u32 {
            database.query_row(sql, [value], |row| row.get(0)).unwrap()
        };
        let rows = count("SELECT count(*) FROM ran WHERE request = ?1", key);
        let state = self.state(id);
        assert_eq!(rows, u32::from(state == StateName::Succeeded), "{id} is {state}");
        if rows > 0 {
            let markers =
                count("SELECT count(*) FROM placet_marker WHERE request = ?1", &id.to_string());
            assert_eq!(markers, 1, "{id}");
        }
        let view = self.first.view(&self.office.ana, id).unwrap();
        assert_eq!(view.runs.len(), 1, "{id}");
        state
    }

    fn child(&self, node: &str) -> (Node, ChildStdin, impl Iterator<Item = String> + use<>) {
        let office = &self.office;
        let told = [
            self.server.url(),
            self.schema.clone(),
            self.folder.path().display().to_string(),
            node.to_owned(),
            office.root.user().to_string(),
            office.ana.user().to_string(),
            office.bo.user().to_string(),
            office.project.to_string(),
            office.module.to_string(),
            office.environment.to_string(),
        ];
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["nodes::the_node", "--exact", "--nocapture"])
            .env(CHILD, told.join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let asks = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // The test harness writes lines of its own, and its first without an end.
        let told = lines.filter_map(|line| line.split_once("> ").map(|(_, told)| told.to_owned()));
        (Node(child), asks, told)
    }
}

/// Nothing is decided by how long this takes: it gives others the time to act.
pub(crate) fn pause(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn signal(node: &Node, name: &str) {
    let sent = Command::new("kill").args([name, &node.0.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

pub(crate) fn next(random: u64) -> u64 {
    // SplitMix64, Steele, Lea and Flood 2014.
    let mut z = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A node that runs what it is told to, line by line. Does nothing when it is run by itself.
#[test]
fn the_node() {
    let Ok(told) = std::env::var(CHILD) else { return };
    let told: Vec<&str> = told.lines().collect();
    let [url, schema, folder, node, ids @ ..] = told.as_slice() else { panic!("{told:?}") };
    let own: OwnClock = Some(Arc::new(SystemClock::default()));
    let gate = open((url, schema, &PathBuf::from(folder)), node, own, LOCK_WAIT_MS);
    let office = Office::at(ids).unwrap();
    say("ready");
    for line in std::io::stdin().lines() {
        let id: RequestId = line.unwrap().parse().unwrap();
        match gate.execute_in_turn(&office.bo, id, 300_000) {
            Ok(run) => {
                say("started");
                let ended = run.wait();
                let word = ended.map_or_else(
                    |error| error.code().to_string(),
                    |it| it.state.name().to_string(),
                );
                say(&word);
            }
            Err(error) => say(&format!("refused {error}")),
        }
    }
}

fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "> {word}").unwrap();
    out.flush().unwrap();
}

#[test]
fn any_node_does_any_step_and_one_of_them_runs_it() {
    let Some(cluster) = Cluster::new(false) else { return };
    let (second, third) = (cluster.node("second"), cluster.node("third"));
    let Office { root, ana, bo, project, .. } = cluster.office;
    for round in 0..5 {
        let key = format!("round-{round}");
        let new =
            cluster.office.request(cluster.change(&format!("INSERT INTO ran VALUES ('{key}')")));
        let id = second.draft(&ana, &new).unwrap().header.id;
        third.submit(&ana, id).unwrap();
        let digest = second.view(&ana, id).unwrap().digest.unwrap();
        cluster.first.approve(&bo, id, digest, None).unwrap();
        let barrier = Barrier::new(2);
        let race = |gate: &Gate| {
            barrier.wait();
            gate.execute(&bo, id).and_then(placet::RunHandle::wait)
        };
        let started = std::thread::scope(|scope| {
            let other = scope.spawn(|| race(&second));
            [race(&third), other.join().unwrap()]
        });
        let won = started.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(won, 1, "{started:?}");
        assert_eq!(cluster.resolve(id, &key), StateName::Succeeded);
    }
    // A right that was taken away on one node is gone on the others, at once.
    let id = cluster.approved("never");
    let grants = third.organisation(&root, project).unwrap().grants;
    for grant in grants.iter().filter(|grant| grant.user_id == bo.user()) {
        cluster.first.manage(&root, &EndGrant { project, grant: grant.id, at: None }).unwrap();
    }
    let denied = second.execute(&bo, id).unwrap_err();
    assert!(matches!(denied.code(), Code::Denied | Code::NotFound), "{denied}");
    // All of them wrote one log.
    let log = third.audit(&root, 0).unwrap();
    let numbers: Vec<u64> = log.iter().map(|(number, _)| *number).collect();
    assert!(numbers.iter().copied().eq(0..u64::try_from(numbers.len()).unwrap()), "{numbers:?}");
}

#[test]
fn a_node_that_stands_still_past_its_lease_comes_back_without_power() {
    let Some(cluster) = Cluster::new(true) else { return };
    let zombies = std::env::var("PLACET_ZOMBIES").map_or(ZOMBIES, |text| text.parse().unwrap());
    let seed = std::env::var("SEED").map_or(20_260_207, |text| text.parse().unwrap());
    println!("SEED={seed} PLACET_ZOMBIES={zombies}");
    let (mut node, mut asks, mut told) = cluster.child("zombie");
    assert_eq!(told.next().as_deref(), Some("ready"));
    let (mut random, mut unknown, mut ends) = (seed, 0, std::collections::BTreeMap::new());
    // Each stands still before it gets the target's lock. Half as many more stand still wherever they are just then:
    // before it, holding it, or when all is over.
    for round in 0..zombies + zombies / 2 {
        let key = format!("zombie-{round}");
        let id = cluster.approved(&key);
        let lock = (round < zombies).then(|| cluster.lock_target());
        writeln!(asks, "{id}").unwrap();
        assert_eq!(told.next().as_deref(), Some("started"));
        random = next(random);
        pause(random % 100);
        signal(&node, "-STOP");
        cluster.end_lease(id);
        let is_unknown = cluster.state(id) == StateName::Unknown;
        let is_in_its_run = lock.is_some();
        drop(lock);
        if is_in_its_run {
            unknown += u64::from(is_unknown);
        }
        if is_unknown {
            // It may hold the target's lock, and then nobody can tell yet.
            let verified = cluster.first.verify(&cluster.office.bo, id);
            assert!(verified.is_ok(), "{verified:?}");
        }
        signal(&node, "-CONT");
        let ended = told.next().unwrap();
        *ends.entry((is_in_its_run, ended)).or_insert(0) += 1;
        let found = cluster.resolve(id, &key);
        assert!(found == StateName::Failed || !is_in_its_run, "{id} is {found}");
    }
    drop(asks);
    node.0.wait().unwrap();
    println!("{zombies} zombies, {unknown} were declared unknown; all ended: {ends:?}");
    assert_eq!(unknown, zombies, "each stood still in its run");
}

#[test]
fn a_node_that_dies_in_a_run_is_noticed() {
    let Some(cluster) = Cluster::new(true) else { return };
    let mut random = std::env::var("SEED").map_or(7, |text| text.parse().unwrap());
    println!("SEED={random}");
    for round in 0..4 {
        let (node, mut asks, mut told) = cluster.child(&format!("mortal-{round}"));
        assert_eq!(told.next().as_deref(), Some("ready"));
        let key = format!("mortal-{round}");
        let id = cluster.approved(&key);
        // Every second one dies before it gets the target's lock, the others wherever they are.
        let lock = (round % 2 == 0).then(|| cluster.lock_target());
        writeln!(asks, "{id}").unwrap();
        assert_eq!(told.next().as_deref(), Some("started"));
        random = next(random);
        pause(random % 100);
        drop(node);
        cluster.end_lease(id);
        assert!(lock.is_none() || cluster.state(id) == StateName::Unknown, "{id}");
        drop(lock);
        cluster.resolve(id, &key);
    }
}
