//! What the host keeps for one call: what it may reach, how much it used, what was seen.

use std::sync::Arc;

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::{JobId, LogLine, Place, Progress, RunLease};
use placet_sql_review::Settings;
use wasmtime::ResourceLimiter;
use wasmtime::component::{Resource, ResourceTable};

use crate::asked::Asked;
use crate::engine::{Alive, TICK_MS};
use crate::ledger::Ledger;
use crate::limits::RunnerLimits;
use crate::line::Line;
use crate::mode::{Approved, Mode};
use crate::results::{Answer, ResultSink};
use crate::reviewer::Reviewer;
use crate::target::Target;
use crate::texts::Texts;
use crate::usage::{Share, Usage};
use placet_target::StopSignal;

/// How often a plugin may ask for what it may not do, before the call is ended.
const REFUSALS_MAX: u32 = 64;

/// What a log line, one of its fields or a progress report takes of the quota besides its texts, in bytes.
const LOG_ITEM_BYTES: usize = 32;

/// What a call is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Describe or validate: nothing is reached.
    Pure,
    /// Reads; `dry_run` says whether a transaction that is rolled back is granted.
    Plan { dry_run: bool },
    /// Writes what was approved.
    Execute,
    /// Reads the marker.
    Verify,
}

/// What a call reaches.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) line: Line,
    pub(crate) lease: Arc<dyn RunLease>,
    pub(crate) deadline: Timestamp,
    pub(crate) stop: StopSignal,
    pub(crate) target: Target,
    pub(crate) connections: Vec<String>,
    pub(crate) id: JobId,
    pub(crate) plan_digest: Digest,
    /// How the approved plan is executed.
    pub(crate) mode: Mode,
    /// The steps that may run, in their order.
    pub(crate) approved: Vec<Approved>,
    /// What the approved steps rest on at the target.
    pub(crate) basis: Option<Digest>,
    /// What the payload asks of the host, and what the environment says.
    pub(crate) asked: Asked,
    pub(crate) settings: Settings,
    /// Where the job belongs, and the name of its target.
    pub(crate) place: (Place, Slug),
    pub(crate) results: Option<Arc<dyn ResultSink>>,
    pub(crate) reviewers: Arc<[Arc<dyn Reviewer>]>,
    /// What would put an attempt back, once the plugin asked.
    pub(crate) inverse: Option<Vec<String>>,
    /// The texts of the payload, and how far the dry run came in them.
    pub(crate) texts: Texts,
}

impl Reach {
    /// Whether its deadline passed.
    pub(crate) fn is_late(&self) -> bool {
        self.lease.now() >= self.deadline
    }
}

/// The data of one sandbox.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) limits: RunnerLimits,
    /// The instant of a pure call; others ask the kernel.
    pub(crate) now: Timestamp,
    pub(crate) reach: Option<Reach>,
    pub(crate) table: ResourceTable,
    pub(crate) ledger: Ledger,
    /// Answers of queries that are read and not kept for good yet.
    pub(crate) answers: Vec<Answer>,
    /// How many connections are open.
    pub(crate) connections: usize,
    calls: u64,
    bytes: u64,
    log_bytes: u64,
    log_lines_dropped: u64,
    memory_bytes: usize,
    table_elements: usize,
    handles: u64,
    rows: u64,
    /// Set once it is in a sandbox.
    pub(crate) alive: Option<Alive>,
}

impl State {
    pub(crate) fn new(
        phase: Phase,
        limits: &RunnerLimits,
        now: Timestamp,
        reach: Option<Reach>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles_max);
        Self {
            phase,
            limits: limits.clone(),
            now,
            reach,
            table,
            ledger: Ledger::default(),
            answers: Vec::new(),
            connections: 0,
            calls: 0,
            bytes: 0,
            log_bytes: 0,
            log_lines_dropped: 0,
            memory_bytes: 0,
            table_elements: 0,
            handles: 0,
            rows: 0,
            alive: None,
        }
    }

    /// Counts one call to the host. An error ends the plugin's call.
    pub(crate) fn count_call(&mut self) -> wasmtime::Result<()> {
        self.calls = self.calls.saturating_add(1);
        if self.calls > self.limits.host_calls_max {
            return Err(self.reached(format!("{} calls to the host", self.limits.host_calls_max)));
        }
        match self.reach.as_ref().and_then(|reach| reach.stop.raised()) {
            Some(reason) => Err(wasmtime::Error::msg(reason.message())),
            None => Ok(()),
        }
    }

    /// Counts bytes between plugin and host. An error ends the plugin's call.
    pub(crate) fn count_bytes(&mut self, bytes: u64) -> wasmtime::Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.limits.host_bytes_max {
            return Err(self.reached(format!("{} bytes in host calls", self.limits.host_bytes_max)));
        }
        Ok(())
    }

    /// How many bytes are left of the quota between plugin and host.
    pub(crate) const fn bytes_left(&self) -> u64 {
        self.limits.host_bytes_max.saturating_sub(self.bytes)
    }

    /// Keeps what a handle of the plugin stands for. An error ends the plugin's call.
    pub(crate) fn keep<T: Send + 'static>(&mut self, entry: T) -> wasmtime::Result<Resource<T>> {
        let handles_max = self.limits.handles_max;
        let kept = self.table.push(entry);
        let kept = kept.map_err(|_| self.reached(format!("{handles_max} open handles")))?;
        // A place that became free is taken before a new one: the last place tells how many there were at most.
        self.handles = self.handles.max(u64::from(kept.rep()).saturating_add(1));
        Ok(kept)
    }

    /// Before one more connection is opened. An error ends the plugin's call.
    pub(crate) fn check_connections(&mut self) -> wasmtime::Result<()> {
        let most = self.limits.connections_max;
        if self.connections >= most {
            return Err(self.reached(format!("{most} open connections")));
        }
        Ok(())
    }

    /// Notes how many rows a query had.
    pub(crate) fn note_rows(&mut self, rows: u64) {
        self.rows = self.rows.max(rows);
    }

    /// How much was used up to now. `from` is when the call began, in ticks; `now` is how many there are.
    pub(crate) fn usage(&self, plugin: &Slug, (from, now): (u64, u64)) -> Usage {
        let limits = &self.limits;
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let ticks = now.saturating_sub(from);
        let time_ms = match &self.reach {
            Some(reach) => {
                Share::new(ms(self.now, reach.lease.now()), ms(self.now, reach.deadline))
            }
            None => Share::new(ticks.saturating_mul(TICK_MS), limits.pure_ms_max),
        };
        Usage {
            plugin: plugin.clone(),
            call: match self.phase {
                Phase::Pure => "pure",
                Phase::Plan { .. } => "plan",
                Phase::Execute => "execute",
                Phase::Verify => "verify",
            },
            id: self.reach.as_ref().map(|reach| reach.id),
            memory_bytes: Share::new(count(self.memory_bytes), count(limits.memory_bytes_max)),
            table_elements: Share::new(
                count(self.table_elements),
                count(limits.table_elements_max),
            ),
            handles: Share::new(self.handles, count(limits.handles_max)),
            host_calls: Share::new(self.calls.min(limits.host_calls_max), limits.host_calls_max),
            host_bytes: Share::new(self.bytes.min(limits.host_bytes_max), limits.host_bytes_max),
            log_bytes: Share::new(self.log_bytes, limits.log_bytes_max),
            rows: Share::new(self.rows.min(limits.rows_max), limits.rows_max),
            time_ms,
            ticks,
            reached: self.ledger.limit.clone(),
        }
    }

    /// Ends what the plugin left open: transactions are undone.
    pub(crate) fn end_handles(&mut self) {
        let mut table = ResourceTable::new();
        table.set_max_capacity(self.limits.handles_max);
        drop(core::mem::replace(&mut self.table, table));
        self.connections = 0;
        self.ledger.note_rollback();
    }

    /// Counts something that was refused. An error ends the plugin's call.
    pub(crate) fn count_refusal(&mut self) -> wasmtime::Result<()> {
        self.ledger.refusals = self.ledger.refusals.saturating_add(1);
        if self.ledger.refusals > REFUSALS_MAX {
            return Err(self.reached(format!("{REFUSALS_MAX} refused calls")));
        }
        Ok(())
    }

    /// Whether the quota can hold a line of so many fields. Else it is counted and dropped before anything of it is copied:
    /// a plugin may hand over millions.
    pub(crate) fn has_log_for(&mut self, fields: usize) -> bool {
        let least = fields.saturating_add(1).saturating_mul(LOG_ITEM_BYTES);
        let least = u64::try_from(least).unwrap_or(u64::MAX);
        let has = self.log_bytes.saturating_add(least) <= self.limits.log_bytes_max;
        if !has {
            self.log_lines_dropped = self.log_lines_dropped.saturating_add(1);
        }
        has
    }

    /// Takes a log line, or counts and drops it when the quota is used up.
    pub(crate) fn take_log(&mut self, line: LogLine) {
        let fields = line.fields.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        if self.is_within_log(fields.chain([line.message.len()]))
            && let Some(reach) = &self.reach
        {
            reach.line.log(line);
        }
    }

    /// Takes a progress report, out of the quota of the log.
    pub(crate) fn take_progress(&mut self, progress: Progress) {
        let note = progress.note.as_ref().map_or(0, String::len);
        if self.is_within_log([progress.step.len().saturating_add(note)])
            && let Some(reach) = &self.reach
        {
            reach.line.progress(progress);
        }
    }

    fn is_within_log(&mut self, items: impl IntoIterator<Item = usize>) -> bool {
        let bytes = items.into_iter().map(|length| length.saturating_add(LOG_ITEM_BYTES));
        let bytes = u64::try_from(bytes.fold(0, usize::saturating_add)).unwrap_or(u64::MAX);
        let used = self.log_bytes.saturating_add(bytes);
        let is_within = used <= self.limits.log_bytes_max;
        if is_within {
            self.log_bytes = used;
        } else {
            self.log_lines_dropped = self.log_lines_dropped.saturating_add(1);
        }
        is_within
    }

    /// Says how many log lines and progress reports were dropped.
    pub(crate) fn end_log(&self) {
        let Some(reach) = &self.reach else { return };
        let dropped = self.log_lines_dropped.saturating_add(reach.line.dropped());
        if dropped > 0 {
            reach.line.say(LogLine {
                level: "warn".to_owned(),
                message: format!(
                    "{dropped} log lines and progress reports past the quota were dropped"
                ),
                fields: Vec::new(),
            });
        }
    }

    /// What this call reaches; pure calls reach nothing.
    pub(crate) fn reach(&self) -> Result<&Reach, Error> {
        self.reach.as_ref().ok_or_else(|| {
            Error::new(Code::Denied, "nothing can be reached while a payload is validated")
        })
    }

    fn reached(&mut self, what: String) -> wasmtime::Error {
        let error = wasmtime::Error::msg(format!("the limit of {what} was reached"));
        self.ledger.limit.get_or_insert(what);
        error
    }
}

/// The milliseconds from one instant to another.
fn ms(from: Timestamp, to: Timestamp) -> u64 {
    let micros = to.as_micros().saturating_sub(from.as_micros());
    u64::try_from(micros).unwrap_or(0) / 1_000
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let all = self.memory_bytes.saturating_sub(current).saturating_add(desired);
        if all > self.limits.memory_bytes_max {
            return Err(self.reached(format!("{} bytes of memory", self.limits.memory_bytes_max)));
        }
        self.memory_bytes = all;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let all = self.table_elements.saturating_sub(current).saturating_add(desired);
        if all > self.limits.table_elements_max {
            return Err(self.reached(format!("{} table elements", self.limits.table_elements_max)));
        }
        self.table_elements = all;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances_max
    }

    fn tables(&self) -> usize {
        self.limits.instances_max
    }

    fn memories(&self) -> usize {
        self.limits.instances_max
    }
}
