//! How much of its limits a call used.

use core::fmt;

use placet_core::org::Slug;
use placet_core::runner::JobId;

/// How much of one limit a call used, in the limit's unit.
///
/// ```
/// use placet_runners::Share;
/// assert_eq!(Share::new(64, 256).per_mille(), 250);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Share {
    /// What was used. What was asked for past the limit is not in it.
    pub used: u64,
    /// The limit.
    pub max: u64,
}

impl Share {
    /// `used` of `max`.
    pub const fn new(used: u64, max: u64) -> Self {
        Self { used, max }
    }

    /// The used part in thousandths. A limit of nothing is used up.
    pub const fn per_mille(self) -> u64 {
        match self.used.saturating_mul(1_000).checked_div(self.max) {
            Some(share) => share,
            None => 1_000,
        }
    }
}

/// How much of its limits one call into a plugin used.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use placet_core::runner::Runner;
/// use placet_runners::{Grant, Usage, UsageSink, WasmRunner, shipped};
///
/// #[derive(Debug, Default)]
/// struct Kept(Mutex<Vec<Usage>>);
///
/// impl UsageSink for Kept {
///     fn note(&self, usage: Usage) {
///         self.0.lock().unwrap().push(usage);
///     }
/// }
///
/// let kept = Arc::new(Kept::default());
/// let (sql, grant) = (shipped::sql(), Grant::none().with("sql"));
/// let runner = WasmRunner::builder()
///     .plugin("sql".parse()?, sql.component, sql.manifest, grant)
///     .usage(kept.clone())
///     .build()?;
/// runner.validate(&"sql".parse()?, r#"{"sql": "SELECT 1"}"#)?;
/// let usage = kept.0.lock().unwrap();
/// assert_eq!((usage[0].call, usage[0].handles.used), ("pure", 0));
/// assert!(usage[0].memory_bytes.used > 0 && usage[0].memory_bytes.per_mille() < 100);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Usage {
    /// The plugin.
    pub plugin: Slug,
    /// What the call was for: `pure` (describe or validate), `plan`, `execute` or `verify`.
    pub call: &'static str,
    /// The job; pure calls have none.
    pub id: Option<JobId>,
    /// Memory at its most.
    pub memory_bytes: Share,
    /// Elements of tables at their most.
    pub table_elements: Share,
    /// Open handles at their most.
    pub handles: Share,
    /// Calls to the host.
    pub host_calls: Share,
    /// Bytes between plugin and host.
    pub host_bytes: Share,
    /// Bytes of log lines and progress reports.
    pub log_bytes: Share,
    /// Rows of the query with the most.
    pub rows: Share,
    /// Milliseconds: of a job until its deadline, by the kernel's clock; of a pure call by ticks of 10.
    pub time_ms: Share,
    /// Ticks of the sandbox while the call lasted. A plugin that must stop does so at the next one.
    pub ticks: u64,
    /// The limit that was reached, in words.
    pub reached: Option<String>,
}

/// Is told how much each call used, after it ended and on the thread that asked for it.
///
/// ```
/// use placet_runners::{Usage, UsageSink};
///
/// /// Counts the calls that reached a limit.
/// #[derive(Debug, Default)]
/// struct Reached(std::sync::atomic::AtomicU64);
///
/// impl UsageSink for Reached {
///     fn note(&self, usage: Usage) {
///         if usage.reached.is_some() {
///             self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
///         }
///     }
/// }
/// # placet_runners::WasmRunner::builder().usage(std::sync::Arc::new(Reached::default()));
/// ```
pub trait UsageSink: Send + Sync + fmt::Debug {
    /// Takes note. What it does with it is its own affair; it should be quick.
    fn note(&self, usage: Usage);
}
