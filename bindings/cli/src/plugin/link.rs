//! What a plugin is told while it runs outside of a gate.

use std::sync::{Arc, Mutex, PoisonError};

use placet::SystemClock;
use placet::clock::{Clock as _, Timestamp};
use placet::error::Error;
use placet::runner::{LogLine, Progress, RunLease, RunLink};

use crate::console::Console;
use crate::text::{Mood, Text};

/// A lease that nobody else wants.
#[derive(Debug)]
struct Alone;

impl RunLease for Alone {
    fn may_touch_target(&self) -> Result<(), Error> {
        Ok(())
    }

    fn now(&self) -> Timestamp {
        SystemClock::default().now()
    }
}

/// Shows what the plugin says, and keeps its checkpoints as long as this process lasts.
#[derive(Debug)]
pub(super) struct Bench {
    console: Console,
    kept: Mutex<Vec<(String, String)>>,
}

impl Bench {
    pub(super) fn new(console: Console) -> Self {
        Self { console, kept: Mutex::default() }
    }
}

impl RunLink for Bench {
    fn lease(&self) -> Arc<dyn RunLease> {
        Arc::new(Alone)
    }

    fn progress(&self, progress: Progress) {
        let mut text = Text::default();
        let of = progress.total.map_or_else(String::new, |total| format!(" of {total}"));
        let note = progress.note.unwrap_or_default();
        text.said(Mood::Quiet, &progress.step, format_args!("{}{of} {note}", progress.done));
        self.console.note(&text);
    }

    fn log(&self, line: LogLine) {
        let mut text = Text::default();
        text.said(Mood::Quiet, &format!("{}:", line.level), &line.message);
        self.console.note(&text);
    }

    fn checkpoint(&self, step: &str, state: &str) -> Result<(), Error> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push((step.to_owned(), state.to_owned()));
        Ok(())
    }

    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
