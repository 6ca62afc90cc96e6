//! Tells work that is under way to stop.

use core::sync::atomic::{AtomicU8, Ordering};
use std::sync::Arc;

/// Why a run was stopped.
///
/// ```
/// use placet_target::StopReason;
///
/// assert_eq!(StopReason::LeaseLost.code(), "lease_lost");
/// assert_eq!(StopReason::Timeout.message(), "the deadline passed");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "each leads to a code of its own")]
pub enum StopReason {
    /// Its deadline passed.
    Timeout,
    /// Somebody cancelled it.
    Cancelled,
    /// Its lease passed to somebody else.
    LeaseLost,
    /// For a while nobody could say whether it may go on.
    Unavailable,
}

impl StopReason {
    /// The stable code of a failure for this reason.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::LeaseLost => "lease_lost",
            Self::Unavailable => "unavailable",
        }
    }

    /// What happened, in words.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Timeout => "the deadline passed",
            Self::Cancelled => "the run was cancelled",
            Self::LeaseLost => "the lease of the run passed to somebody else",
            Self::Unavailable => "for a while nobody could say whether the run may go on",
        }
    }
}

/// Raised once, seen by everyone who holds a clone. Ask it between two pieces of long work.
///
/// ```
/// use placet_target::{StopReason, StopSignal};
///
/// let signal = StopSignal::new();
/// let seen_by_the_worker = signal.clone();
/// assert_eq!(seen_by_the_worker.raised(), None);
/// signal.raise(StopReason::Cancelled);
/// signal.raise(StopReason::Timeout);
/// assert_eq!(seen_by_the_worker.raised(), Some(StopReason::Cancelled));
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    // 0 while not raised; the first reason stays.
    reason: Arc<AtomicU8>,
}

impl StopSignal {
    /// A signal that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises it. The first reason stays.
    pub fn raise(&self, reason: StopReason) {
        let word = match reason {
            StopReason::Timeout => 1,
            StopReason::Cancelled => 2,
            StopReason::LeaseLost => 3,
            StopReason::Unavailable => 4,
        };
        let _first = self.reason.compare_exchange(0, word, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Why to stop, once raised.
    pub fn raised(&self) -> Option<StopReason> {
        match self.reason.load(Ordering::Acquire) {
            0 => None,
            1 => Some(StopReason::Timeout),
            2 => Some(StopReason::Cancelled),
            3 => Some(StopReason::LeaseLost),
            _ => Some(StopReason::Unavailable),
        }
    }
}
