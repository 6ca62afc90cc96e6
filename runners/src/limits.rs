//! How much one call into a plugin may use. Units are in the names.

/// The limits of one call into a plugin.
///
/// ```
/// use placet_runners::RunnerLimits;
/// let limits = RunnerLimits::default().with_memory_bytes_max(64 << 20);
/// assert_eq!(limits.memory_bytes_max, 67_108_864);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RunnerLimits {
    /// The most memory of the sandbox, in bytes. Default 256 MiB.
    pub memory_bytes_max: usize,
    /// The most elements of all tables of the sandbox. Default 100,000.
    pub table_elements_max: usize,
    /// The most core instances, memories and tables of one component. Default 128: one with Python inside has some
    /// dozens of instances.
    pub instances_max: usize,
    /// The most calls from the plugin to the host. Default 100,000.
    pub host_calls_max: u64,
    /// The most bytes of statements, values, rows and checkpoints between plugin and host, both ways
    /// together; values count 32 bytes more than their text. No other text of one host call may be longer
    /// either. Default 128 MiB.
    pub host_bytes_max: u64,
    /// The most bytes of log lines and progress reports of one call, with 32 more for each line, field and
    /// report. Those past it are counted and dropped. Default 64 KiB.
    pub log_bytes_max: u64,
    /// The most open handles (connections, transactions, results). Default 64.
    pub handles_max: usize,
    /// The most connections that are open at once. Each holds one session at its target, and a second one while it writes;
    /// databases have few for everybody. Default 4.
    pub connections_max: usize,
    /// The most rows of one query. Default 10,000.
    pub rows_max: u64,
    /// The most bytes of what the queries of one run answer. Default 64 MiB.
    pub answer_bytes_max: u64,
    /// The most rows that are kept before one step changes them, and the most statements of one revert.
    /// Default 10,000.
    pub kept_rows_max: u64,
    /// The longest payload, in bytes. Default 16 MiB.
    pub payload_bytes_max: usize,
    /// The most steps of one plan. Default 10,000.
    pub steps_max: usize,
    /// How long `describe` and `validate` may take, in milliseconds, to within 10. Default 5,000.
    pub pure_ms_max: u64,
    /// The largest component that is installed, in bytes. Default 64 MiB.
    pub component_bytes_max: usize,
}

impl Default for RunnerLimits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 256 << 20,
            table_elements_max: 100_000,
            instances_max: 128,
            host_calls_max: 100_000,
            host_bytes_max: 128 << 20,
            log_bytes_max: 64 << 10,
            handles_max: 64,
            connections_max: 4,
            rows_max: 10_000,
            answer_bytes_max: 64 << 20,
            kept_rows_max: 10_000,
            payload_bytes_max: 16 << 20,
            steps_max: 10_000,
            pure_ms_max: 5_000,
            component_bytes_max: 64 << 20,
        }
    }
}

impl RunnerLimits {
    /// Sets the most memory of the sandbox, in bytes.
    #[must_use]
    pub const fn with_memory_bytes_max(mut self, bytes: usize) -> Self {
        self.memory_bytes_max = bytes;
        self
    }

    /// Sets the most calls from the plugin to the host.
    #[must_use]
    pub const fn with_host_calls_max(mut self, calls: u64) -> Self {
        self.host_calls_max = calls;
        self
    }

    /// Sets the most log bytes of one call.
    #[must_use]
    pub const fn with_log_bytes_max(mut self, bytes: u64) -> Self {
        self.log_bytes_max = bytes;
        self
    }

    /// Sets the most rows of one query.
    #[must_use]
    pub const fn with_rows_max(mut self, rows: u64) -> Self {
        self.rows_max = rows;
        self
    }

    /// Sets the most bytes of what the queries of one run answer.
    #[must_use]
    pub const fn with_answer_bytes_max(mut self, bytes: u64) -> Self {
        self.answer_bytes_max = bytes;
        self
    }

    /// Sets the most rows that are kept before one step changes them.
    #[must_use]
    pub const fn with_kept_rows_max(mut self, rows: u64) -> Self {
        self.kept_rows_max = rows;
        self
    }

    /// Sets how long `describe` and `validate` may take, in milliseconds.
    #[must_use]
    pub const fn with_pure_ms_max(mut self, ms: u64) -> Self {
        self.pure_ms_max = ms;
        self
    }
}
