//! What a run is told, when it is cancelled, and what it keeps.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::runner::{LogLine, Progress, RunLease, RunLink};

/// The thread on which plugins run. The calling thread looks at the lease too, whenever it likes.
const PLUGIN_THREAD: &str = "placet-run";

/// A lease that is cancelled after so many looks of the plugin's thread.
#[derive(Debug)]
pub(super) struct Lease {
    now: Timestamp,
    cancels_after: usize,
    looks: AtomicUsize,
    is_cancelled: AtomicBool,
}

impl Lease {
    pub(super) fn was_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }
}

impl RunLease for Lease {
    fn may_touch_target(&self) -> Result<(), Error> {
        if self.was_cancelled() {
            return Err(Error::new(Code::Cancelled, "the exam cancelled it"));
        }
        if thread::current().name() == Some(PLUGIN_THREAD) {
            let look = self.looks.fetch_add(1, Ordering::SeqCst);
            if look >= self.cancels_after {
                self.is_cancelled.store(true, Ordering::SeqCst);
                return Err(Error::new(Code::Cancelled, "the exam cancelled it"));
            }
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.now
    }
}

/// Keeps checkpoints as a kernel does: they outlive the run.
#[derive(Clone, Debug)]
pub(super) struct Link {
    lease: Arc<Lease>,
    kept: Arc<Mutex<Vec<(String, String)>>>,
    /// How many checkpoints were asked for, and which of them fails.
    asked: Arc<AtomicUsize>,
    fails_at: Option<usize>,
}

impl Link {
    pub(super) fn at(now: Timestamp) -> Self {
        Self::with(now, usize::MAX)
    }

    /// One whose run is cancelled at the plugin's look with this number, from 0.
    pub(super) fn cancelled_at(now: Timestamp, look: usize) -> Self {
        Self::with(now, look)
    }

    fn with(now: Timestamp, cancels_after: usize) -> Self {
        let (looks, is_cancelled) = (AtomicUsize::new(0), AtomicBool::new(false));
        let lease = Arc::new(Lease { now, cancels_after, looks, is_cancelled });
        Self { lease, kept: Arc::default(), asked: Arc::default(), fails_at: None }
    }

    /// The same, with a checkpoint that cannot be kept.
    pub(super) fn failing_at(mut self, checkpoint: usize) -> Self {
        self.fails_at = Some(checkpoint);
        self
    }

    /// What a later call of the same attempt has: the same checkpoints, and no trouble.
    pub(super) fn later(&self) -> Self {
        Self { kept: Arc::clone(&self.kept), ..Self::at(self.lease.now) }
    }

    pub(super) fn was_cancelled(&self) -> bool {
        self.lease.was_cancelled()
    }

    pub(super) fn checkpoints_asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl RunLink for Link {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::<Lease>::clone(&self.lease)
    }

    fn progress(&self, _: Progress) {}

    fn log(&self, _: LogLine) {}

    fn checkpoint(&self, step: &str, state: &str) -> Result<(), Error> {
        if Some(self.asked.fetch_add(1, Ordering::SeqCst)) == self.fails_at {
            return Err(Error::new(Code::StoreUnavailable, "the exam let it fail"));
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((step.to_owned(), state.to_owned()));
        Ok(())
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
