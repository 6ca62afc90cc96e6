//! How much of anything is accepted, in one place. Units are in the names.

/// The limits of one gate.
///
/// ```
/// use placet_core::limits::Limits;
/// let limits = Limits::default().with_payload_bytes_max(64 * 1024);
/// assert_eq!(limits.payload_bytes_max, 65_536);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest payload of a change, in bytes. Default 256 KiB: stores like small values.
    pub payload_bytes_max: usize,
    /// The most targets that one change may have. Default 32.
    pub targets_max: usize,
    /// The longest comment, title or reason, in bytes. Default 4 KiB.
    pub text_bytes_max: usize,
    /// The most rows that one list call returns. Default 500.
    pub page_rows_max: usize,
    /// How long a run's lease lasts without renewal, in milliseconds. Default 30,000.
    pub lease_ms: u64,
    /// How long one run may take, in milliseconds. Default 300,000.
    pub run_ms_max: u64,
    /// For how long the approvals of a revision are good when its runs fail: there may be another attempt until so many
    /// failed. 1 means that whatever failed has to be asked for anew. Default 3.
    pub attempts_max: u32,
    /// How far the wall clock may get ahead of the steady one between two changes of the organisation, or between
    /// opening the gate and the first, in milliseconds; a change beyond it is refused. Default 86,400,000, a day.
    pub clock_leap_ms_max: u64,
    /// How often a verb is tried again after losing a race, before it answers `conflict`. Default 16.
    pub conflict_retries_max: u32,
    /// How much a gate remembers of rows that it read or wrote, in bytes, so that it need not ask the store
    /// again; 0 remembers nothing. Default 8 MiB.
    pub memory_bytes_max: usize,
    /// How much of the index the rights of one project may take, in bytes: for each role and each action of its
    /// permissions one bit for each place, and for each team one for each module, in whole words of four bytes. A
    /// project has (modules + 1) × (environments + 1) places. A command that would make it more is refused with
    /// [`crate::error::Code::TooLarge`]. Default 16 MiB.
    pub rights_bytes_max: usize,
    /// How many entries of the log one row of its index covers, from 1 to 4,096. A query reads fewer than that many
    /// entries that no row covers yet. An index that was begun keeps its number until it is made anew. Default 128.
    pub index_entries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes_max: 256 * 1024,
            targets_max: 32,
            text_bytes_max: 4 * 1024,
            page_rows_max: 500,
            lease_ms: 30_000,
            run_ms_max: 300_000,
            attempts_max: 3,
            clock_leap_ms_max: 86_400_000,
            conflict_retries_max: 16,
            memory_bytes_max: 8 * 1024 * 1024,
            rights_bytes_max: 16 * 1024 * 1024,
            index_entries: 128,
        }
    }
}

impl Limits {
    /// Sets the longest payload of a change, in bytes.
    #[must_use]
    pub fn with_payload_bytes_max(mut self, bytes: usize) -> Self {
        self.payload_bytes_max = bytes;
        self
    }

    /// Sets how long a lease lasts without renewal, in milliseconds.
    #[must_use]
    pub fn with_lease_ms(mut self, ms: u64) -> Self {
        self.lease_ms = ms;
        self
    }

    /// Sets how long one run may take, in milliseconds.
    #[must_use]
    pub fn with_run_ms_max(mut self, ms: u64) -> Self {
        self.run_ms_max = ms;
        self
    }

    /// Sets for how many attempts the approvals of a revision are good.
    #[must_use]
    pub fn with_attempts_max(mut self, attempts: u32) -> Self {
        self.attempts_max = attempts;
        self
    }

    /// Sets how far the wall clock may get ahead of the steady one between two changes of the organisation, in
    /// milliseconds.
    #[must_use]
    pub fn with_clock_leap_ms_max(mut self, ms: u64) -> Self {
        self.clock_leap_ms_max = ms;
        self
    }

    /// Sets how much a gate remembers of rows that it read or wrote, in bytes.
    #[must_use]
    pub fn with_memory_bytes_max(mut self, bytes: usize) -> Self {
        self.memory_bytes_max = bytes;
        self
    }

    /// Sets how much of the index the rights of one project may take, in bytes.
    #[must_use]
    pub fn with_rights_bytes_max(mut self, bytes: usize) -> Self {
        self.rights_bytes_max = bytes;
        self
    }

    /// Sets how many entries of the log one row of its index covers.
    #[must_use]
    pub fn with_index_entries(mut self, entries: u32) -> Self {
        self.index_entries = entries;
        self
    }
}
