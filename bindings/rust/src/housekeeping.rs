//! What is due by time, done in the background while a gate is open.

use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use placet_core::clock::Clock;
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;

use crate::failures::Failures;
use crate::run::RunHandle;
use crate::upkeep::Upkeep;

/// How often a node that shares its store looks whether others changed something, in milliseconds, where
/// the store does not tell by itself.
const LOOK_MS: u64 = 200;

/// The thread that does it. Dropping this ends it, and waits until it let the gate go.
#[derive(Debug)]
pub(crate) struct Housekeeper {
    // Dropped first: the thread waits on the other end.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Housekeeper {
    /// Starts it for `gate`. `is_shared`: other nodes write to the same store.
    ///
    /// Fails with [`Code::Internal`] when the process may have no more threads.
    pub(crate) fn start(
        gate: &Arc<Gate>,
        is_shared: bool,
        clock: Arc<dyn Clock>,
        failures: &Arc<Failures>,
    ) -> Result<Self, Error> {
        let (stop, stopped) = mpsc::channel();
        let mut upkeep = Upkeep::new(clock);
        let (gate, failures) = (Arc::downgrade(gate), Arc::clone(failures));
        let thread = thread::Builder::new()
            .name("placet-tick".to_owned())
            .spawn(move || {
                let keep_house = if is_shared { follow } else { tend };
                // A panic in a driver ends one turn, and the host hears of it.
                while catch_unwind(AssertUnwindSafe(|| {
                    keep_house(&gate, &stopped, &failures, &mut upkeep);
                }))
                .is_err()
                {
                    let Some(held) = gate.upgrade() else { return };
                    let error =
                        Error::new(Code::Internal, "housekeeping stopped in the middle of a turn")
                            .with_help(
                                "look at what the store or the clock of this host panicked about",
                            );
                    failures.note::<()>(&held, Err(error));
                    drop(held);
                    if stopped.recv_timeout(Duration::from_millis(LOOK_MS))
                        != Err(RecvTimeoutError::Timeout)
                    {
                        return;
                    }
                }
            })
            .map_err(|source| {
                Error::new(Code::Internal, "the process cannot have a thread for what is due")
                    .with_help("let this process start more threads, or call `tick` yourself")
                    .with_source(source)
            })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Housekeeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It only keeps house: a panic of it ends nothing else.
            let _ended = thread.join();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "paces this thread; the gate's own clock decides")]
fn instant() -> Instant {
    Instant::now()
}

/// A lease that nobody renews must be seen twice within two of its lengths.
fn every_ms(gate: &Gate) -> u64 {
    (gate.limits().lease_ms / 3).max(1)
}

/// Starts the runs that are due, each on threads of its own. One that cannot be started keeps no other.
fn run_due(gate: &Arc<Gate>, failures: &Failures) {
    while let Some(Some(_goes_on)) = failures.note(gate, RunHandle::due(gate)) {}
}

/// Does what is due now and then. A tick that becomes due meanwhile is not kept waiting, nor is whoever closes the gate.
fn keep_up(
    upkeep: &mut Upkeep,
    gate: &Gate,
    (stopped, failures): (&Receiver<()>, &Failures),
    ticked: &mut Instant,
) {
    let every = Duration::from_millis(every_ms(gate));
    upkeep.turn(gate, failures, &mut || {
        if stopped.try_recv() != Err(TryRecvError::Empty) {
            return Err(Error::new(Code::Cancelled, "the gate is closed"));
        }
        if ticked.elapsed() >= every {
            failures.note(gate, gate.tick());
            *ticked = instant();
        }
        Ok(())
    });
}

/// A store for this process alone: ticks, and holds the gate only while it does.
fn tend(gate: &Weak<Gate>, stopped: &Receiver<()>, failures: &Failures, upkeep: &mut Upkeep) {
    loop {
        let Some(held) = gate.upgrade() else { return };
        let wait = Duration::from_millis(every_ms(&held));
        // A store that is away for a moment may be back at the next tick.
        failures.note(&held, held.tick());
        run_due(&held, failures);
        keep_up(upkeep, &held, (stopped, failures), &mut instant());
        drop(held);
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// A store that nodes share: ticks, and reads again what others changed as soon as it hears of it.
fn follow(gate: &Weak<Gate>, stopped: &Receiver<()>, failures: &Failures, upkeep: &mut Upkeep) {
    let (mut log_len, mut ticked) = (0, None);
    loop {
        let Some(held) = gate.upgrade() else { return };
        let every = Duration::from_millis(every_ms(&held));
        if ticked.is_none_or(|at: Instant| at.elapsed() >= every) {
            failures.note(&held, held.tick());
            run_due(&held, failures);
            let mut at = instant();
            keep_up(upkeep, &held, (stopped, failures), &mut at);
            ticked = Some(at);
        }
        let heard = failures.note(&held, held.wait_for_log(log_len, LOOK_MS));
        let pause_ms = match heard {
            Some(len) if len == log_len => 0,
            Some(len) if failures.note(&held, held.refresh()).is_some() => {
                log_len = len;
                0
            }
            // It does not answer, or cannot be read: asking at once again would not help it.
            Some(_) | None => LOOK_MS,
        };
        drop(held);
        let wait = Duration::from_millis(pause_ms);
        if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}
