//! A run in the background: its events, its lease, its end.

use core::time::Duration;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};

use placet_core::error::{Code, Error};
use placet_core::gate::{Gate, RunObserver, Ticket};
use placet_core::id::{RequestId, RunId};
use placet_core::request::Request;
use placet_core::runner::{LogLine, Progress};

/// Something that a run tells while it works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RunEvent {
    /// It came this far.
    Progress(Progress),
    /// It said this.
    Log(LogLine),
}

/// A run that was started. Dropping the handle lets it go on; its outcome is recorded all the same.
#[derive(Debug)]
pub struct RunHandle {
    request: RequestId,
    run: RunId,
    events: Receiver<RunEvent>,
    driver: JoinHandle<Result<Request, Error>>,
}

/// The events of a run, as they come, until it ends.
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
        // Nobody listening is no reason to stop.
        self.events.send(RunEvent::Progress(progress.clone())).unwrap_or_default();
    }

    fn log(&self, line: &LogLine) {
        self.events.send(RunEvent::Log(line.clone())).unwrap_or_default();
    }
}

impl RunHandle {
    pub(crate) fn drive(gate: Arc<Gate>, ticket: Ticket) -> Self {
        let (request, run) = (ticket.request(), ticket.run());
        let (tell, events) = mpsc::channel();
        let driver = thread::spawn(move || {
            let (done, ended) = mpsc::channel();
            let keeper = keep_lease(Arc::clone(&gate), &ticket, ended);
            let result = gate.drive(ticket, &Teller { events: tell });
            drop(done);
            // The keeper only renews; whatever became of it, the run's result stands.
            keeper.join().unwrap_or_default();
            result
        });
        Self { request, run, events, driver }
    }

    /// The request that runs.
    pub const fn request(&self) -> RequestId {
        self.request
    }

    /// The run.
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// What it tells, as it comes. The iterator ends when the run does.
    pub const fn events(&self) -> RunEvents<'_> {
        RunEvents { events: &self.events }
    }

    /// Waits for the end, and returns the request with its outcome.
    ///
    /// Fails as [`placet_core::gate::Gate::drive`] does.
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
fn keep_lease(gate: Arc<Gate>, ticket: &Ticket, ended: Receiver<()>) -> JoinHandle<()> {
    let key = ticket.lease();
    let every = Duration::from_millis((gate.limits().lease_ms / 3).max(1));
    thread::spawn(move || {
        while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            match gate.renew(key) {
                Err(error) if error.code() == Code::LeaseLost => return,
                // A store that is away for a moment may be back in time for the next one.
                Ok(_) | Err(_) => {}
            }
        }
    })
}
