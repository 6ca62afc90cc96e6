//! Logs, progress, checkpoints and cancellation.

use core::time::Duration;

use placet_core::runner::{LogLine, Progress};
use placet_target::StopReason;

use crate::bindings::{context, types};
use crate::call::Unanswered;
use crate::convert::clean;
use crate::line::{check_lease, instant};
use crate::notes::RESERVED;
use crate::state::{Reach, State};

/// The longest checkpoint, in bytes: the kernel keeps it.
const CHECKPOINT_BYTES_MAX: usize = 4 << 10;

/// How long a wait goes on at most after the run was stopped.
const NAP: Duration = Duration::from_millis(5);

impl types::Host for State {}

/// Returns when the time is over, or soon after the run was stopped or its deadline passed. Whoever supervises looks at
/// the lease meanwhile, and may hang there.
fn wait(reach: &Reach, time: Duration) {
    let begun = instant();
    while reach.stop.raised().is_none() {
        if reach.is_late() {
            reach.stop.raise(StopReason::Timeout);
            return;
        }
        let left = time.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left.min(NAP));
    }
}

impl State {
    fn count_texts<'a>(
        &mut self,
        pairs: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> wasmtime::Result<()> {
        let lengths = pairs.into_iter().map(|(one, other)| one.len().saturating_add(other.len()));
        let bytes = lengths.fold(0, usize::saturating_add);
        self.count_bytes(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

impl context::Host for State {
    fn log(
        &mut self,
        level: String,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.count_call()?;
        let level = match level.as_str() {
            known @ ("trace" | "debug" | "warn" | "error") => known.to_owned(),
            _ => "info".to_owned(),
        };
        if !self.has_log_for(fields.len()) {
            return Ok(());
        }
        let fields = fields.iter().map(|(name, value)| (clean(name), clean(value))).collect();
        self.take_log(LogLine { level, message: clean(&message), fields });
        Ok(())
    }

    fn progress(
        &mut self,
        step: String,
        done: u64,
        total: Option<u64>,
        note: Option<String>,
    ) -> wasmtime::Result<()> {
        self.count_call()?;
        let note = note.as_deref().map(clean);
        self.take_progress(Progress { step: clean(&step), done, total, note });
        Ok(())
    }

    fn checkpoint(&mut self, step: String, state: String) -> wasmtime::Result<Result<(), String>> {
        self.count_call()?;
        if step.starts_with(RESERVED) {
            return Ok(Err(format!("what begins with `{RESERVED}` is noted by the host alone")));
        }
        if step.len().saturating_add(state.len()) > CHECKPOINT_BYTES_MAX {
            return Ok(Err(format!("a checkpoint holds at most {CHECKPOINT_BYTES_MAX} bytes")));
        }
        self.count_texts([(&step, &state)])?;
        let noted = self.reach().and_then(|reach| reach.line.checkpoint(step, state));
        Ok(noted.map_err(|error| error.to_string()))
    }

    fn checkpoints(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.count_call()?;
        let found = self.reach().and_then(|reach| reach.line.checkpoints());
        let mut found = found.map_err(|error| wasmtime::Error::new(Unanswered(error)))?;
        found.retain(|(step, _)| !step.starts_with(RESERVED));
        self.count_texts(found.iter().map(|(step, state)| (step, state)))?;
        Ok(found)
    }

    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        self.count_call()?;
        let Some(reach) = &self.reach else { return Ok(false) };
        // A look that failed says nothing yet; what it found out stands in the signal.
        let _looked = check_lease(&*reach.lease, reach.deadline, &reach.stop);
        Ok(reach.stop.raised().is_some())
    }

    fn now(&mut self) -> wasmtime::Result<String> {
        self.count_call()?;
        let now = match &self.reach {
            Some(reach) => reach.lease.now(),
            None => self.now,
        };
        Ok(now.to_string())
    }

    fn wait(&mut self, ms: u32) -> wasmtime::Result<()> {
        self.count_call()?;
        if let Some(reach) = &self.reach {
            wait(reach, Duration::from_millis(ms.into()));
        }
        Ok(())
    }
}
