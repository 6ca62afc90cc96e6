//! Somebody who watches a run.

use std::sync::Mutex;

use super::doubles::locked;
use crate::gate::RunObserver;
use crate::runner::{LogLine, Progress};

/// Watches a run and keeps what it saw.
///
/// ```
/// use placet_core::testing::{Office, Seen};
/// let (gate, office) = Office::in_memory()?;
/// let ticket = gate.execute(&office.bo, office.approved(&gate)?.header.id)?;
/// let seen = Seen::default();
/// gate.drive(ticket, &seen)?;
/// assert_eq!(seen.progress()[0].step, "1");
/// assert!(seen.lines().is_empty()); // the scripted runner does not say anything
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Seen {
    progress: Mutex<Vec<Progress>>,
    lines: Mutex<Vec<LogLine>>,
}

impl Seen {
    /// The progress so far.
    pub fn progress(&self) -> Vec<Progress> {
        locked(&self.progress).clone()
    }

    /// The log lines so far.
    pub fn lines(&self) -> Vec<LogLine> {
        locked(&self.lines).clone()
    }
}

impl RunObserver for Seen {
    fn progress(&self, progress: &Progress) {
        locked(&self.progress).push(progress.clone());
    }

    fn log(&self, line: &LogLine) {
        locked(&self.lines).push(line.clone());
    }
}
