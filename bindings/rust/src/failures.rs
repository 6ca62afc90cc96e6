//! What housekeeping could not do, for the host to see.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use placet_core::clock::Timestamp;
use placet_core::error::Error;
use placet_core::gate::Gate;

/// What a gate could not do of what it does by itself, since it was opened. See
/// [`Gate::housekeeping_failures`](crate::Gate::housekeeping_failures).
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// let gate = placet::Gate::open(folder.path())?;
/// // What a host's health check looks at: a number that grows is a fault that lasts.
/// let failures = gate.housekeeping_failures();
/// assert_eq!(failures.count, 0);
/// assert!(failures.latest.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HousekeepingFailures {
    /// How many tasks failed. One that fails each time counts each time.
    pub count: u64,
    /// The latest of them, and when that was. The error names the record that it is about, where it is about one.
    pub latest: Option<(Timestamp, Arc<Error>)>,
}

/// Where they are noted.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    seen: Mutex<HousekeepingFailures>,
}

impl Failures {
    fn seen(&self) -> MutexGuard<'_, HousekeepingFailures> {
        // A count and the error beside it; neither can be left half done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what came out of a task of `gate`: nothing of a failure is left but its note. The next turn of the
    /// task may well succeed.
    pub(crate) fn note<T>(&self, gate: &Gate, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let latest = Some((gate.now(), Arc::new(error)));
                let mut seen = self.seen();
                *seen = HousekeepingFailures { count: seen.count.saturating_add(1), latest };
                None
            }
        }
    }

    /// What was noted so far.
    pub(crate) fn so_far(&self) -> HousekeepingFailures {
        self.seen().clone()
    }
}
