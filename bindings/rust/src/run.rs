//! A run in the background: its events, its lease, its end.

use core::time::Duration;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, LeaseKey, RunObserver, Ticket};
use placet_core::id::{RequestId, RunId};
use placet_core::identity::Caller;
use placet_core::request::Request;
use placet_core::runner::{LogLine, Progress};

/// Something that a run tells while it works.
///
/// ```
/// use placet::RunEvent;
///
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let (id, gate) = (office.approved(&gate)?.header.id, placet::Gate::over(gate));
/// # let bo = office.bo;
/// let run = gate.execute(&bo, id)?;
/// for event in run.events() {
///     let line = match event {
///         RunEvent::Progress(at) => format!("step {}: {} done", at.step, at.done),
///         RunEvent::Log(line) => format!("{}: {}", line.level, line.message),
///         _ => continue,
///     };
///     assert_eq!(line, "step 1: 1 done");
/// }
/// # Ok::<(), placet::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RunEvent {
    /// It came this far.
    Progress(Progress),
    /// It said this.
    Log(LogLine),
}

/// A run that was started. Dropping the handle lets it go on; its outcome is recorded all the same.
///
/// ```
/// use placet::request::StateName;
///
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let (id, gate) = (office.approved(&gate)?.header.id, placet::Gate::over(gate));
/// # let bo = office.bo;
/// let run = gate.execute(&bo, id)?;
/// assert_eq!(run.request(), id);
/// let request = run.wait()?;
/// assert_eq!(request.state.name(), StateName::Succeeded);
/// # Ok::<(), placet::error::Error>(())
/// ```
#[derive(Debug)]
pub struct RunHandle {
    // Not a hold on it: a handle that is kept after the run keeps no gate open.
    gate: Weak<Gate>,
    request: RequestId,
    run: RunId,
    events: Receiver<RunEvent>,
    driver: JoinHandle<Result<Request, Error>>,
}

/// The events of a run, as they come, until it ends.
///
/// ```
/// use placet::RunEvent;
///
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let (id, gate) = (office.approved(&gate)?.header.id, placet::Gate::over(gate));
/// # let bo = office.bo;
/// let run = gate.execute(&bo, id)?;
/// let mut events = run.events();
/// assert!(matches!(events.next(), Some(RunEvent::Progress(_))));
/// assert!(events.next().is_none(), "the run has ended");
/// # Ok::<(), placet::error::Error>(())
/// ```
#[derive(Debug)]
pub struct RunEvents<'a> {
    events: &'a Receiver<RunEvent>,
}

#[derive(Debug)]
struct Teller {
    events: Sender<RunEvent>,
}

impl RunObserver for Teller {
    fn progress(&self, progress: &Progress) {
        // Nobody listening is no reason to stop. What a run may say is bounded by its sandbox.
        let _unheard = self.events.send(RunEvent::Progress(progress.clone()));
    }

    fn log(&self, line: &LogLine) {
        let _unheard = self.events.send(RunEvent::Log(line.clone()));
    }
}

/// Two threads that wait for a run: had before the run is started, so that a start that was recorded is
/// never left without them.
#[derive(Debug)]
pub(crate) struct Crew {
    work: Sender<(Arc<Gate>, Ticket, Sender<RunEvent>)>,
    driver: JoinHandle<Result<Request, Error>>,
}

impl Crew {
    /// Starts the threads.
    ///
    /// Fails with [`Code::Internal`] when the process may have no more of them; nothing was started then.
    pub(crate) fn hire() -> Result<Self, Error> {
        let (work, given) = mpsc::channel::<(Arc<Gate>, Ticket, Sender<RunEvent>)>();
        let (keep, kept) = mpsc::channel::<(Arc<Gate>, LeaseKey, Receiver<()>)>();
        let keeper = named("placet-lease", move || {
            if let Ok((gate, key, ended)) = kept.recv() {
                keep_lease(&gate, key, &ended);
            }
        })?;
        let driver = named("placet-drive", move || {
            let Ok((gate, ticket, events)) = given.recv() else {
                return Err(Error::new(Code::Cancelled, "the run was not started"));
            };
            let (done, ended) = mpsc::channel();
            // A keeper that is gone renews nothing: the lease ends, and the run finds out.
            let _gone = keep.send((Arc::clone(&gate), ticket.lease(), ended));
            let result = gate.drive(ticket, &Teller { events });
            drop(done);
            let _only_renews = keeper.join();
            result
        })?;
        Ok(Self { work, driver })
    }
}

fn named<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Error> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|source| {
        Error::new(Code::Internal, "the process cannot have another thread for a run")
            .with_help("let this process start more threads, and execute again")
            .with_source(source)
    })
}

impl RunHandle {
    pub(crate) fn drive(gate: Arc<Gate>, ticket: Ticket, crew: Crew) -> Self {
        let (request, run) = (ticket.request(), ticket.run());
        let (tell, events) = mpsc::channel();
        let Crew { work, driver } = crew;
        // The driver waits for exactly this.
        let held = Arc::downgrade(&gate);
        let _taken = work.send((gate, ticket, tell));
        Self { gate: held, request, run, events, driver }
    }

    /// Starts and drives one run that is due.
    pub(crate) fn due(gate: &Arc<Gate>) -> Result<Option<Self>, Error> {
        let crew = Crew::hire()?;
        let ticket = gate.run_due()?;
        Ok(ticket.map(|ticket| Self::drive(Arc::clone(gate), ticket, crew)))
    }

    /// The request that runs.
    ///
    /// ```
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// # let (id, gate) = (office.approved(&gate)?.header.id, placet::Gate::over(gate));
    /// # let bo = office.bo;
    /// let run = gate.execute(&bo, id)?;
    /// let request = run.request();
    /// run.wait()?;
    /// assert_eq!(gate.view(&office.ana, request)?.runs.len(), 1);
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub const fn request(&self) -> RequestId {
        self.request
    }

    /// The run.
    ///
    /// ```
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// # let (id, gate) = (office.approved(&gate)?.header.id, placet::Gate::over(gate));
    /// # let bo = office.bo;
    /// let run = gate.execute(&bo, id)?;
    /// let started = run.run();
    /// run.wait()?;
    /// let runs = gate.view(&office.ana, id)?.runs;
    /// assert_eq!(runs.last().map(|run| run.id), Some(started));
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// Asks the run to stop. Its outcome tells whether it did in time: [`Self::wait`] for it.
    ///
    /// Fails as [`placet_core::gate::Gate::stop`] does, with [`Code::WrongState`] when the run has ended.
    ///
    /// ```
    /// use placet::error::Code;
    ///
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// # let (id, gate) = (office.approved(&gate)?.header.id, placet::Gate::over(gate));
    /// # let bo = office.bo;
    /// let run = gate.execute(&bo, id)?;
    /// // It may have ended before anybody could stop it.
    /// if let Err(error) = run.stop(&bo) {
    ///     assert_eq!(error.code(), Code::WrongState);
    /// }
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub fn stop(&self, caller: &Caller) -> Result<(), Error> {
        let ended = || Error::new(Code::WrongState, "the run has ended, and its gate is closed");
        let gate = self.gate.upgrade().ok_or_else(ended)?;
        gate.stop(caller, self.request).map(|_stopping| ())
    }

    /// What it tells, as it comes. The iterator ends when the run does.
    ///
    /// ```
    /// use placet::RunEvent;
    ///
    /// # let (gate, office) = placet_core::testing::Office::in_memory()?;
    /// # let (id, gate) = (office.approved(&gate)?.header.id, placet::Gate::over(gate));
    /// # let bo = office.bo;
    /// let run = gate.execute(&bo, id)?;
    /// let mut percent = 0;
    /// for event in run.events() {
    ///     if let RunEvent::Progress(at) = event {
    ///         percent = at.done * 100 / at.total.unwrap_or(100).max(1);
    ///     }
    /// }
    /// assert_eq!(percent, 100);
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub const fn events(&self) -> RunEvents<'_> {
        RunEvents { events: &self.events }
    }

    /// Waits for the end, and returns the request with its outcome.
    ///
    /// A run that failed is no error here: it is a request whose state says so. Fails as
    /// [`placet_core::gate::Gate::drive`] does, and with [`Code::Internal`] when the thread that drove it
    /// failed.
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
    /// // A runner of the test's, told how to end.
    /// runner.ends_with(Outcome::Failed(Failure::new("sql.23505", "duplicate key")));
    /// let request = gate.execute(&bo, id)?.wait()?;
    /// assert_eq!(request.state.name(), StateName::Failed);
    /// # Ok::<(), placet::error::Error>(())
    /// ```
    pub fn wait(self) -> Result<Request, Error> {
        self.driver.join().unwrap_or_else(|_| {
            Err(Error::new(Code::Internal, "the thread that drove the run failed")
                .with_help("the run becomes unknown when its lease ends; verify it then"))
        })
    }
}

impl Iterator for RunEvents<'_> {
    type Item = RunEvent;

    fn next(&mut self) -> Option<RunEvent> {
        self.events.recv().ok()
    }
}

/// Renews the lease three times in its length, until the run ends. A lease that is lost is not fought
/// for: the run finds out at its next call that reaches the target.
fn keep_lease(gate: &Gate, key: LeaseKey, ended: &Receiver<()>) {
    let every = Duration::from_millis((gate.limits().lease_ms / 3).max(1));
    while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        match gate.renew(key) {
            Err(error) if error.code() == Code::LeaseLost => return,
            // A store that is away for a moment may be back in time for the next one.
            Ok(()) | Err(_) => {}
        }
    }
}
