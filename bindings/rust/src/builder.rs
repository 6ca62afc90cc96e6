//! Opening a gate in a folder.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet_core::audit::{Signer, Witness};
use placet_core::clock::Clock;
use placet_core::digest::to_hex;
use placet_core::entropy::Entropy as _;
use placet_core::error::{Code, Error};
use placet_core::gate::Parts;
use placet_core::limits::Limits;
use placet_forms::JsonSchemaForms;
use placet_policies::CedarAuthorizer;
use placet_runners::{
    FolderResults, Grant, Manifest, ResultSink, Reviewer, RunnerLimits, SqlTarget, SqliteTarget,
    WasmRunner, shipped,
};
use placet_store_sled::Options;

use crate::begun::BegunStore;
use crate::gate::Gate;
use crate::keys;
use crate::place::Place;
use crate::system::{SystemClock, SystemEntropy, SystemIds};
use crate::warnings::Witnesses;
use crate::wiring::Wiring;

/// What a gate is opened with. The defaults are what most hosts want.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let (folder, database) = (folder.path().join("gate"), folder.path().join("shop.db"));
/// # let shop = rusqlite::Connection::open(&database)?;
/// # shop.execute_batch("CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (1), (2)")?;
/// let gate = placet::Gate::builder(folder)
///     .sqlite_target("shop", database)
///     .host_policies("freeze.cedar", r#"
///         @id("freeze.prod")
///         forbid (principal, action == Action::"execute", resource)
///         when { context.at > 4102444800000000 };
///     "#)
///     .open()?;
/// # let office = placet_core::testing::Office::found(&gate)?;
/// # let change = office.change(r#"{"sql": "DELETE FROM orders WHERE id = 1"}"#)?;
/// # let request = gate.draft_and_submit(&office.ana, &office.request(change))?;
/// # let (bo, id) = (office.bo, request.header.id);
/// # gate.approve(&bo, id, request.header.change_digest()?, None)?;
/// // Bo runs what was approved: DELETE FROM orders WHERE id = 1
/// gate.execute(&bo, id)?.wait()?;
/// let left: i64 = shop.query_row("SELECT count(*) FROM orders", (), |row| row.get(0))?;
/// assert_eq!(left, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct GateBuilder {
    folder: PathBuf,
    origin: Option<String>,
    signer: Option<Arc<dyn Signer>>,
    place: Place,
    limits: Limits,
    runner_limits: RunnerLimits,
    targets: Vec<(String, Arc<dyn SqlTarget>)>,
    plugins: Vec<(String, Cow<'static, [u8]>, Manifest, Grant)>,
    results: Option<Arc<dyn ResultSink>>,
    reviewers: Vec<Arc<dyn Reviewer>>,
    pub(crate) wiring: Wiring,
    policies: Vec<(String, String)>,
    clock: Option<Arc<dyn Clock>>,
    keeps_house: bool,
    witnesses: Vec<Arc<dyn Witness>>,
    refuses_rollback: bool,
    anchor_every_ms: u64,
}

impl GateBuilder {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            origin: None,
            signer: None,
            place: Place::Sled(Options::default()),
            limits: Limits::default(),
            runner_limits: RunnerLimits::default(),
            targets: Vec::new(),
            plugins: Vec::new(),
            results: None,
            reviewers: Vec::new(),
            wiring: Wiring::default(),
            policies: Vec::new(),
            clock: None,
            keeps_house: true,
            witnesses: Vec::new(),
            refuses_rollback: false,
            anchor_every_ms: 60_000,
        }
    }

    /// Adds the SQLite database file at `path` as a target. It must be there when a change needs it.
    pub fn sqlite_target(self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.target(name, Arc::new(SqliteTarget::new(path)))
    }

    /// Adds the PostgreSQL database at `url` (`postgres://user:password@host/database`) as a target. For encryption and a
    /// credential that only reads, see [`placet_runners::PostgresTarget`].
    #[cfg(feature = "postgres-target")]
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres-target")))]
    pub fn postgres_target(self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.target(name, Arc::new(placet_runners::PostgresTarget::new(url)))
    }

    /// Adds the MySQL or MariaDB database at `url` (`mysql://user:password@host/database`) as a target. For encryption
    /// and a credential that only reads, see [`placet_runners::MySqlTarget`].
    #[cfg(feature = "mysql-target")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mysql-target")))]
    pub fn mysql_target(self, name: impl Into<String>, url: impl Into<String>) -> Self {
        self.target(name, Arc::new(placet_runners::MySqlTarget::new(url)))
    }

    /// Adds a target of the host's own. Its credentials stay with the host.
    pub fn target(mut self, name: impl Into<String>, target: Arc<dyn SqlTarget>) -> Self {
        self.targets.push((name.into(), target));
        self
    }

    /// Installs a runner plugin under `name`: a component, what its manifest asks for, and what it is
    /// granted of that.
    ///
    /// What it reaches by that is recorded with its first plan. A later version that asks for more is not used until
    /// an administrator grants it
    /// ([`GrantPlugin`](placet_core::org::command::GrantPlugin)).
    ///
    /// ```no_run
    /// use placet::runners::{Grant, Manifest};
    ///
    /// let manifest = Manifest::from_json(&std::fs::read_to_string("plugin.json")?)?;
    /// // What its manifest asks for, and this does not grant, keeps the gate from opening.
    /// let grant = Grant::none().with("sql").with_dry_run();
    /// let gate = placet::Gate::builder("gate")
    ///     .plugin("close-orders", std::fs::read("plugin.wasm")?, manifest, grant)
    ///     .open()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plugin(
        mut self,
        name: impl Into<String>,
        component: impl Into<Cow<'static, [u8]>>,
        manifest: Manifest,
        grant: Grant,
    ) -> Self {
        self.plugins.push((name.into(), component.into(), manifest, grant));
        self
    }

    /// Keeps what approved queries answer in `sink`. The default is the folder `results` in the gate's.
    pub fn results(mut self, sink: Arc<dyn ResultSink>) -> Self {
        self.results = Some(sink);
        self
    }

    /// Lets `reviewer` look at every script that is planned.
    pub fn reviewer(mut self, reviewer: Arc<dyn Reviewer>) -> Self {
        self.reviewers.push(reviewer);
        self
    }

    /// Adds policies of the host, as Cedar text; `file` is what errors and explanations call it.
    pub fn host_policies(mut self, file: impl Into<String>, text: impl Into<String>) -> Self {
        self.policies.push((file.into(), text.into()));
        self
    }

    /// Sets the log's name, the first line of its checkpoints: `example.org/changes`. It is used when
    /// the signing key is made, and kept with it. The default is a random name.
    pub fn origin(mut self, name: impl Into<String>) -> Self {
        self.origin = Some(name.into());
        self
    }

    /// Has `signer` sign the log, as a key service does, and not a key in the folder. Its name is the log's.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use placet::audit::Ed25519Signer;
    /// # let folder = tempfile::tempdir()?;
    /// # let service = Ed25519Signer::from_seed("example.org/changes", &[7; 32])?;
    /// let gate = placet::Gate::builder(folder.path()).signer(Arc::new(service)).open()?;
    /// assert_eq!(gate.origin(), "example.org/changes");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Sets how the store is opened.
    pub fn store_options(mut self, options: Options) -> Self {
        self.place = Place::Sled(options);
        self
    }

    /// Keeps the state in the PostgreSQL database at `url`, which several nodes may share; its clock is the
    /// gate's clock. The folder still keeps the key that signs the log: give each node a copy of one
    /// `log.key`. `url` is `postgresql://user:password@host/database?sslmode=verify-full`; the options can say
    /// the same with their `tls`, and more about certificates. Without either, the connection is encrypted only
    /// where the server offers it, and nobody makes sure that it is the right server.
    ///
    /// [`Self::open`] then fails with [`Code::StoreUnavailable`] when the database cannot be used, and says why.
    ///
    /// ```
    /// use placet::error::Code;
    /// use placet::store_postgres::Options;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// // Nothing listens there.
    /// let options = Options::default().with_connect_timeout_ms(500).with_deadline_ms(500);
    /// let gate = placet::Gate::builder(folder)
    ///     .postgres_with("postgresql://placet@127.0.0.1:1/changes", options)
    ///     .open();
    /// assert_eq!(gate.unwrap_err().code(), Code::StoreUnavailable);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "postgres")]
    pub fn postgres_with(
        mut self,
        url: impl Into<String>,
        options: placet_store_postgres::Options,
    ) -> Self {
        self.place = Place::Postgres { url: url.into(), options: Box::new(options) };
        self
    }

    /// Keeps the state in the PostgreSQL database at `url`, as [`Self::postgres_with`] does, with the
    /// defaults.
    #[cfg(feature = "postgres")]
    pub fn postgres(self, url: impl Into<String>) -> Self {
        self.postgres_with(url, placet_store_postgres::Options::default())
    }

    /// Sets whether the gate does in the background what is due by time: runs whose lease ended are declared
    /// unknown, and what other nodes changed is read again. On by default; without it the host calls
    /// [`tick`](placet_core::gate::Gate::tick). What fails of it is told by [`Gate::housekeeping_failures`].
    pub fn housekeeping(mut self, is_on: bool) -> Self {
        self.keeps_house = is_on;
        self
    }

    /// Adds somebody who remembers the log's heads elsewhere; a gate may have several. [`Self::open`] compares the log
    /// with what each saw, and [`Gate::warnings`] tells what is wrong. While the gate is open, housekeeping hands them the
    /// heads that are new. What a witness proves, and what not, stands at [`Witness`].
    pub fn witness(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witnesses.push(witness);
        self
    }

    /// Lets [`Self::open`] fail with [`Code::RolledBack`] where a witness has seen what this log lacks, instead of
    /// warning, and with [`Code::WitnessUnavailable`] or [`Code::WitnessRefused`] where none of them could be asked.
    /// Nothing was written then but hash tiles, which are made from the log.
    pub fn refuse_rollback(mut self) -> Self {
        self.refuses_rollback = true;
        self
    }

    /// Sets how often housekeeping hands new heads to the witnesses, in milliseconds. Default 60,000: what is younger
    /// than this can be taken back without a witness that saw it.
    pub fn anchor_every_ms(mut self, every_ms: u64) -> Self {
        self.anchor_every_ms = every_ms;
        self
    }

    /// Sets how much of anything the gate accepts.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the limits of the sandbox.
    pub fn runner_limits(mut self, limits: RunnerLimits) -> Self {
        self.runner_limits = limits;
        self
    }

    /// Sets the clock, for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Opens the gate; makes the folder, an empty store and a signing key where there are none. A folder whose
    /// log was begun and whose store is empty is refused: the note `log.begun` is in it before the first entry of
    /// the log is acknowledged.
    ///
    /// One process has the folder to itself. Runs of an earlier process that did not end become unknown
    /// here, and wait to be verified. One of them whose record is damaged keeps the gate from nothing else:
    /// [`Gate::housekeeping_failures`] names it.
    ///
    /// To have another key sign the log, make it with [`SigningKeyFile`](crate::SigningKeyFile) in `log.key.next` under
    /// the log's name, let the log name it with [`rotate_key`](placet_core::gate::Gate::rotate_key), and open the gate
    /// again: then the file takes the place of `log.key`. A host with a signer of its own opens with the new one.
    ///
    /// Fails with [`Code::StoreLocked`], [`Code::StoreUnavailable`], [`Code::StoreDamaged`],
    /// [`Code::SignerUnavailable`], [`Code::InvalidPolicy`] and [`Code::InvalidInput`]; for plugins and
    /// targets as [`placet_runners::Builder::build`] does. The plugin name `sql` is taken.
    pub fn open(self) -> Result<Gate, Error> {
        // What can be wrong in the host's own words is looked at first, and leaves nothing behind.
        let mut authorizer = CedarAuthorizer::builder();
        for (file, text) in self.policies {
            authorizer = authorizer.host_policies(file, text);
        }
        let authorizer = authorizer.build()?;
        let sql = shipped::sql();
        let results = self
            .results
            .unwrap_or_else(|| Arc::new(FolderResults::new(self.folder.join("results"))));
        let mut runner = WasmRunner::builder()
            .results(results)
            .clock(self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock)))
            .limits(self.runner_limits)
            .plugin("sql".parse()?, sql.component, sql.manifest, sql_grant());
        for (name, component, manifest, grant) in self.plugins {
            runner = runner.plugin(name.parse()?, component, manifest, grant);
        }
        for (name, target) in self.targets {
            runner = runner.target(name.parse()?, target);
        }
        for reviewer in self.reviewers {
            runner = runner.reviewer(reviewer);
        }
        let runner = self.wiring.add_to(runner)?.build()?;
        let place = self.place.open(&self.folder)?;
        let runner = Arc::new(keys::keeping_compiled(runner, &self.folder)?);
        let (store, is_shared) = (place.store, place.is_shared);
        let clock = self.clock.or(place.clock).unwrap_or_else(|| Arc::new(SystemClock));
        let has_log = store.log_len()? > 0;
        let store = Arc::new(BegunStore::over(store, self.folder.join("log.begun")));
        if !has_log && store.is_noted() {
            return Err(Error::new(Code::StoreDamaged, "this log was begun, and its store is empty")
                .with_help("restore the folder `store` from a backup; to begin another log, use another folder"));
        }
        // Where the process died between its first entry and the note.
        store.note_begun()?;
        let origin = self.origin.map_or_else(random_origin, Ok)?;
        let is_own = self.signer.is_none();
        let signer = match self.signer {
            Some(signer) => signer,
            None => keys::in_folder(&self.folder, &origin, has_log)?,
        };
        let parts = Parts {
            store,
            clock: Arc::clone(&clock),
            ids: Arc::new(SystemIds),
            entropy: Arc::new(SystemEntropy),
            authorizer: Arc::new(authorizer),
            runner: Arc::<WasmRunner>::clone(&runner),
            signer,
            forms: Arc::new(JsonSchemaForms),
            limits: self.limits,
        };
        let gate = if is_own {
            keys::gate_with_its_key(parts, &self.folder)?
        } else {
            placet_core::gate::Gate::new(parts)
        };
        gate.check_key()?;
        // Before anything is written: a log that went back is shown as it is, and not as another one.
        let gate = Gate::over(gate).with_runner(runner);
        let gate = gate.with_witnesses(Witnesses::new(self.witnesses), self.refuses_rollback)?;
        // Other nodes may drive what they started: there, only its lease tells.
        let looked = if is_shared { gate.tick() } else { gate.recover() };
        let gate = gate.after_first_look(looked)?;
        if self.keeps_house {
            gate.keep_house(is_shared, clock)?.keep_anchoring(self.anchor_every_ms)
        } else {
            Ok(gate)
        }
    }
}

fn random_origin() -> Result<String, Error> {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes)?;
    Ok(format!("placet.local/{}", to_hex(&bytes)))
}

/// What the shipped SQL runner may reach: its target, and dry runs, which the gate leaves out where
/// criticality is highest.
fn sql_grant() -> Grant {
    Grant::none().with("sql").with_dry_run()
}
