//! The gate as a host uses it: every verb of the kernel's gate, and runs in the background.

use core::ops::Deref;
use core::time::Duration;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use placet_core::clock::Clock;
use placet_core::error::{Code, Error};
use placet_core::id::RequestId;
use placet_core::identity::Caller;
use placet_runners::WasmRunner;

use crate::anchoring::Anchorer;
use crate::builder::GateBuilder;
use crate::failures::{Failures, HousekeepingFailures};
use crate::housekeeping::Housekeeper;
use crate::run::{Crew, RunHandle};
use crate::warnings::{Warning, WitnessAnswer, Witnesses};

/// A gate that is open. Cloning gives another handle on the same one; the last to go closes it, after
/// the runs that it started.
///
/// ```
/// use placet::Gate;
/// use placet::error::Code;
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let gate = Gate::open(folder)?;
/// let worker = gate.clone();
/// drop(gate);
/// assert_eq!(Gate::open(folder).unwrap_err().code(), Code::StoreLocked);
/// drop(worker);
/// assert!(Gate::open(folder).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gate {
    // Declared first, so that it has let the gate go before that closes.
    keeper: Option<Arc<Housekeeper>>,
    anchorer: Option<Arc<Anchorer>>,
    witnesses: Arc<Witnesses>,
    inner: Arc<placet_core::gate::Gate>,
    failures: Arc<Failures>,
    /// The plugins, where this crate wired them.
    pub(crate) runner: Option<Arc<WasmRunner>>,
}

impl Gate {
    /// Begins to open a gate in `folder`.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let gate = placet::Gate::builder(folder).origin("example.org/changes").open()?;
    /// assert_eq!(gate.origin(), "example.org/changes");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder(folder: impl AsRef<Path>) -> GateBuilder {
        GateBuilder::new(folder.as_ref())
    }

    /// Opens a gate in `folder` with the defaults.
    ///
    /// Fails as [`GateBuilder::open`] does.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path();
    /// let gate = placet::Gate::open(folder)?;
    /// let key = gate.verifier_key().to_string();
    /// drop(gate);
    /// // The folder keeps the log and the key that signs it.
    /// assert_eq!(placet::Gate::open(folder)?.verifier_key().to_string(), key);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder(folder).open()
    }

    /// Takes a gate that was wired by hand. Its host calls [`tick`](placet_core::gate::Gate::tick) itself.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet::{Gate, Parts, SystemClock, SystemEntropy, SystemIds};
    /// # use placet::{audit::Ed25519Signer, policies::CedarAuthorizer};
    /// # use placet::{forms::JsonSchemaForms, runners::WasmRunner, store::MemoryStore};
    ///
    /// let kernel = placet_core::gate::Gate::new(Parts {
    ///     store: Arc::new(MemoryStore::default()),
    ///     clock: Arc::new(SystemClock::default()),
    ///     ids: Arc::new(SystemIds::default()),
    ///     entropy: Arc::new(SystemEntropy::default()),
    ///     authorizer: Arc::new(CedarAuthorizer::builder().build()?),
    ///     runner: Arc::new(WasmRunner::builder().build()?),
    ///     signer: Arc::new(Ed25519Signer::from_seed("example.org/test", &[7; 32])?),
    ///     forms: Arc::new(JsonSchemaForms),
    ///     limits: placet::limits::Limits::default(),
    /// });
    /// assert_eq!(Gate::over(kernel).origin(), "example.org/test");
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub fn over(inner: placet_core::gate::Gate) -> Self {
        Self {
            keeper: None,
            anchorer: None,
            witnesses: Arc::default(),
            inner: Arc::new(inner),
            failures: Arc::default(),
            runner: None,
        }
    }

    /// Takes what came of the first look at the runs of earlier processes. One record that is damaged, or a race that
    /// was lost, keeps nobody from everything else; it is noted, and looked at again by housekeeping.
    pub(crate) fn after_first_look<T>(self, looked: Result<T, Error>) -> Result<Self, Error> {
        match looked {
            Err(error) if !matches!(error.code(), Code::StoreDamaged | Code::Conflict) => {
                Err(error)
            }
            looked => {
                let _runs = self.failures.note(&self.inner, looked);
                Ok(self)
            }
        }
    }

    /// Takes the gate's witnesses, and compares the log with what they saw.
    pub(crate) fn with_witnesses(
        mut self,
        witnesses: Witnesses,
        refuses: bool,
    ) -> Result<Self, Error> {
        witnesses.look(&self.inner, refuses)?;
        self.witnesses = Arc::new(witnesses);
        Ok(self)
    }

    /// Hands heads to the witnesses in the background, for as long as the gate is open.
    pub(crate) fn keep_anchoring(mut self, every_ms: u64) -> Result<Self, Error> {
        if !self.witnesses.is_empty() {
            let anchorer = Anchorer::start(&self.inner, &self.witnesses, every_ms)?;
            self.anchorer = Some(Arc::new(anchorer));
        }
        Ok(self)
    }

    /// Does in the background what is due by time, for as long as the gate is open.
    pub(crate) fn keep_house(
        mut self,
        is_shared: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let keeper = Housekeeper::start(&self.inner, is_shared, clock, &self.failures)?;
        self.keeper = Some(Arc::new(keeper));
        Ok(self)
    }

    /// What the gate could not do of what it does by itself since it was opened: the first look at the runs of
    /// earlier processes, and [housekeeping](GateBuilder::housekeeping). It goes on with everything else, and
    /// tries again; a count that grows needs somebody to look at the latest error.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// let gate = placet::Gate::open(folder.path())?;
    /// if let Some((at, error)) = gate.housekeeping_failures().latest {
    ///     eprintln!("{at}: {error} ({})", error.help().unwrap_or("no help"));
    /// }
    /// # assert_eq!(gate.housekeeping_failures().count, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn housekeeping_failures(&self) -> HousekeepingFailures {
        self.failures.so_far()
    }

    /// What is wrong with the gate's [witnesses](GateBuilder::witness), one warning each at most: one that cannot be
    /// asked, or one that has seen what this log lacks. Then the store is an old copy or another one, the two signed
    /// heads are the evidence, and the warning stays until the gate is opened on the right store. Each of the others goes
    /// with the next head that the witness takes.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet::error::Code;
    /// use placet::witnesses::FileWitness;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let (elsewhere, folder) = (folder.path().join("elsewhere"), folder.path().join("gate"));
    /// let open = || {
    ///     let witness = FileWitness::at(elsewhere.join("changes.checkpoint"));
    ///     placet::Gate::builder(&folder).witness(Arc::new(witness)).housekeeping(false).open()
    /// };
    /// let gate = open()?;
    /// # placet_core::testing::Office::found(&gate)?;
    /// gate.anchor();
    /// assert!(gate.warnings().is_empty());
    /// # drop(gate);
    /// # std::fs::remove_dir_all(folder.join("store"))?;
    /// # std::fs::remove_file(folder.join("log.begun"))?;
    /// // Somebody put an old copy of the store back, or emptied it.
    /// let gate = open()?;
    /// assert_eq!(gate.warnings()[0].code, Code::RolledBack);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn warnings(&self) -> Vec<Warning> {
        self.witnesses.warnings()
    }

    /// Hands the log's present head to each of the gate's witnesses, now and on this thread, one after the other.
    /// Housekeeping does it at an [interval](GateBuilder::anchor_every_ms). Nobody is kept from committing meanwhile.
    ///
    /// Each witness has its own answer: [`placet_core::gate::Gate::anchor`] says what may be wrong.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use placet::witnesses::FileWitness;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let (elsewhere, folder) = (folder.path().join("elsewhere"), folder.path().join("gate"));
    /// let witness = FileWitness::at(elsewhere.join("changes.checkpoint"));
    /// let gate = placet::Gate::builder(folder).witness(Arc::new(witness)).open()?;
    /// # let office = placet_core::testing::Office::found(&gate)?;
    /// let taken = gate.anchor().remove(0).result?;
    /// assert_eq!(usize::try_from(taken.size), Ok(gate.audit(&office.root, 0)?.len()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn anchor(&self) -> Vec<WitnessAnswer> {
        self.witnesses.anchor(&self.inner, true)
    }

    /// Starts a run of an approved request and drives it in the background.
    ///
    /// The start is on disk when this returns. Fails as [`placet_core::gate::Gate::execute`] does, and with
    /// [`Code::Internal`](placet_core::error::Code::Internal) when the process may have no more threads.
    ///
    /// ```
    /// # use placet::{Gate, RunEvent, request::StateName};
    /// # let folder = tempfile::tempdir()?;
    /// # let database = folder.path().join("shop.db");
    /// # let shop = rusqlite::Connection::open(&database)?;
    /// # shop.execute_batch("CREATE TABLE orders (cents INTEGER); INSERT INTO orders VALUES (100), (200)")?;
    /// # let gate = Gate::builder(folder.path().join("gate")).sqlite_target("shop", &database).open()?;
    /// # let office = placet_core::testing::Office::found(&gate)?;
    /// # let change = office.change(r#"{"sql": "UPDATE orders SET cents = cents + 1"}"#)?;
    /// # let request = gate.draft_and_submit(&office.ana, &office.request(change))?;
    /// # let (bo, id) = (office.bo, request.header.id);
    /// # gate.approve(&bo, id, request.header.change_digest()?, None)?;
    /// // The approved script: UPDATE orders SET cents = cents + 1
    /// let run = gate.execute(&bo, id)?;
    /// let steps = run.events().filter(|event| matches!(event, RunEvent::Progress(_))).count();
    /// assert_eq!(steps, 2, "the statement began, and changed rows");
    /// assert_eq!(run.wait()?.state.name(), StateName::Succeeded);
    /// let cents: i64 = shop.query_row("SELECT sum(cents) FROM orders", (), |row| row.get(0))?;
    /// assert_eq!(cents, 302);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn execute(&self, caller: &Caller, id: RequestId) -> Result<RunHandle, Error> {
        let crew = Crew::hire()?;
        let ticket = self.inner.execute(caller, id)?;
        Ok(RunHandle::drive(Arc::clone(&self.inner), ticket, crew))
    }

    /// Starts another attempt at what is known to have failed, and drives it in the background.
    ///
    /// Fails as [`placet_core::gate::Gate::rerun`] does, and as [`Self::execute`] does without threads.
    ///
    /// ```
    /// use placet::request::StateName;
    /// use placet::runner::{Failure, Outcome};
    ///
    /// # let store = std::sync::Arc::new(placet::store::MemoryStore::default());
    /// # let bench = placet_core::testing::Bench::on(store)?;
    /// # let (runner, gate) = (bench.runner, placet::Gate::over(placet_core::gate::Gate::new(bench.parts)));
    /// # let office = placet_core::testing::Office::found(&gate)?;
    /// # let (bo, id) = (office.bo, office.approved(&gate)?.header.id);
    /// runner.ends_with(Outcome::Failed(Failure::new("sql.40001", "serialization failure")));
    /// assert_eq!(gate.execute(&bo, id)?.wait()?.state.name(), StateName::Failed);
    /// assert_eq!(gate.rerun(&bo, id)?.wait()?.state.name(), StateName::Succeeded);
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub fn rerun(&self, caller: &Caller, id: RequestId) -> Result<RunHandle, Error> {
        let crew = Crew::hire()?;
        let ticket = self.inner.rerun(caller, id)?;
        Ok(RunHandle::drive(Arc::clone(&self.inner), ticket, crew))
    }

    /// Starts the run of one request that is due, and drives it in the background; nothing where none is due.
    /// Housekeeping does it by itself. Who has none calls this until there is nothing.
    ///
    /// Fails as [`placet_core::gate::Gate::run_due`] does, and as [`Self::execute`] does without threads.
    ///
    /// ```
    /// use placet::org::ExecutionMode;
    /// use placet::org::command::SetExecution;
    ///
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// let (project, environment, mode) = (office.project, office.environment, ExecutionMode::Automatic);
    /// let rule = SetExecution { project, environment, runner: None, mode, attempts_max: None };
    /// gate.manage(&office.root, &rule)?;
    /// let id = office.approved(&gate)?.header.id;
    /// # let gate = placet::Gate::over(gate);
    /// let run = gate.run_due()?.expect("it was approved");
    /// assert_eq!(run.wait()?.header.id, id);
    /// assert!(gate.run_due()?.is_none());
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub fn run_due(&self) -> Result<Option<RunHandle>, Error> {
        RunHandle::due(&self.inner)
    }

    /// Starts a run as [`Self::execute`] does, and waits for its turn at the target, at most `wait_ms`
    /// milliseconds by the gate's steady clock. It waits on the thread of its caller. Whoever asked first runs first.
    ///
    /// Fails as [`Self::execute`] does; with [`Code::TargetBusy`] when it was not its turn in all that time. Its
    /// place in the queue is kept for the length of a lease.
    ///
    /// ```
    /// use placet::error::Code;
    ///
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// # let (first, second) = (office.approved(&gate)?.header.id, office.approved(&gate)?.header.id);
    /// # let gate = placet::Gate::over(gate);
    /// # let bo = office.bo;
    /// let running = gate.execute(&bo, first)?;
    /// // Both change the same target.
    /// let waited = gate.execute_in_turn(&bo, second, 10_000)?;
    /// waited.wait()?;
    /// running.wait()?;
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub fn execute_in_turn(
        &self,
        caller: &Caller,
        id: RequestId,
        wait_ms: u64,
    ) -> Result<RunHandle, Error> {
        // Once for all tries: whoever waits does so on this thread.
        let crew = Crew::hire()?;
        let began_ms = self.inner.steady_ms();
        // Twice as long each time, and never as long as the place in the queue is kept.
        let longest_ms = (self.limits().lease_ms / 4).clamp(1, 1_000);
        let mut pause_ms = 10_u64;
        loop {
            let busy = match self.inner.execute(caller, id) {
                Ok(ticket) => return Ok(RunHandle::drive(Arc::clone(&self.inner), ticket, crew)),
                Err(error) if error.code() == Code::TargetBusy => error,
                Err(error) => return Err(error),
            };
            let left_ms = wait_ms.saturating_sub(self.inner.steady_ms().saturating_sub(began_ms));
            if left_ms == 0 {
                return Err(busy);
            }
            thread::park_timeout(Duration::from_millis(pause_ms.min(left_ms)));
            pause_ms = pause_ms.saturating_mul(2).min(longest_ms);
        }
    }
}

impl Deref for Gate {
    type Target = placet_core::gate::Gate;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}
