//! The thread that hands heads to witnesses. It is one of its own: a witness may take its time, and leases may not.

use core::time::Duration;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};

use placet_core::error::{Code, Error};
use placet_core::gate::Gate;

use crate::warnings::Witnesses;

/// The thread. Dropping this ends it, and waits for the witness that is being asked.
#[derive(Debug)]
pub(crate) struct Anchorer {
    // Dropped first: the thread waits on the other end.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Anchorer {
    /// Starts it: at once, and then every `every_ms` milliseconds, each witness is handed what it does not have.
    ///
    /// Fails with [`Code::Internal`] when the process may have no more threads.
    pub(crate) fn start(
        gate: &Arc<Gate>,
        witnesses: &Arc<Witnesses>,
        every_ms: u64,
    ) -> Result<Self, Error> {
        let (stop, stopped) = mpsc::channel();
        let (gate, witnesses) = (Arc::downgrade(gate), Arc::clone(witnesses));
        let every = Duration::from_millis(every_ms.max(1));
        let thread = thread::Builder::new().name("placet-anchor".to_owned()).spawn(move || {
            loop {
                let Some(held) = gate.upgrade() else { return };
                // What came of it is among the warnings.
                drop(witnesses.anchor(&held, false));
                drop(held);
                if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        let thread = thread.map_err(|source| {
            Error::new(Code::Internal, "the process cannot have a thread for its witnesses")
                .with_help("let this process start more threads, or call `anchor` yourself")
                .with_source(source)
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Anchorer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}
