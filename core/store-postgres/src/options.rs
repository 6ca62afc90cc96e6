//! What a host may choose when it opens a store.

use core::time::Duration;

use crate::tls::Tls;

/// How a store is opened. Times are in milliseconds.
///
/// ```
/// use placet_store_postgres::Options;
///
/// let options = Options::default().with_schema("placet_staging").with_node("blue");
/// assert_eq!((options.schema.as_str(), options.node.as_deref()), ("placet_staging", Some("blue")));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The schema that the tables stand in: lower-case letters, digits and `_`, at most 48 bytes.
    /// Default `placet`.
    pub schema: String,
    /// The name of this node. Where two openings have the same name, the later one takes over, and the
    /// earlier one commits nothing any more. Default: a new name for each opening.
    pub node: Option<String>,
    /// How connections are encrypted, and whom they trust. Default: as the URL says.
    pub tls: Tls,
    /// How long making one connection may take. Default 5,000.
    pub connect_timeout_ms: u64,
    /// How long one statement may take, waiting included. Default 15,000.
    pub statement_timeout_ms: u64,
    /// How long one statement may wait for another node. Default 10,000.
    pub lock_timeout_ms: u64,
    /// How long a node that stops in the middle of a transaction may hold up the others: then the server
    /// ends its session. Default 5,000.
    pub idle_in_transaction_timeout_ms: u64,
    /// How long a commit may take with all its attempts and connections. Default 30,000.
    pub deadline_ms: u64,
    /// The pause before the first attempt to connect again or to repeat a transaction; it doubles from
    /// there. Default 20.
    pub backoff_ms_min: u64,
    /// The longest such pause. Default 1,000.
    pub backoff_ms_max: u64,
    /// How many batches share one transaction at most. Default 1,024.
    pub group_batches_max: usize,
    /// From how many bytes on a group takes no further batch. Default 8 MiB.
    pub group_bytes_max: usize,
    /// How many connections read. Default 4.
    pub read_connections: usize,
    /// Whether nodes hear of each other's commits by `LISTEN` and `NOTIFY`. Without it they ask, five times
    /// a second: for engines that have no notifications. Default true.
    pub notifies: bool,
    /// How often the database's clock is read. Default 5,000.
    pub clock_interval_ms: u64,
    /// Whether a server is taken that runs with `fsync` or `full_page_writes` off, and so may lose or
    /// damage what was acknowledged when its machine stops. Default false.
    pub accepts_unsafe_server: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schema: "placet".to_owned(),
            node: None,
            tls: Tls::default(),
            connect_timeout_ms: 5_000,
            statement_timeout_ms: 15_000,
            lock_timeout_ms: 10_000,
            idle_in_transaction_timeout_ms: 5_000,
            deadline_ms: 30_000,
            backoff_ms_min: 20,
            backoff_ms_max: 1_000,
            group_batches_max: 1_024,
            group_bytes_max: 8 << 20,
            read_connections: 4,
            notifies: true,
            clock_interval_ms: 5_000,
            accepts_unsafe_server: false,
        }
    }
}

impl Options {
    /// Sets the schema that the tables stand in.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Names this node.
    #[must_use]
    pub fn with_node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Sets how connections are encrypted, and whom they trust.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Sets how long making one connection may take.
    #[must_use]
    pub fn with_connect_timeout_ms(mut self, ms: u64) -> Self {
        self.connect_timeout_ms = ms;
        self
    }

    /// Sets how long one statement may take.
    #[must_use]
    pub fn with_statement_timeout_ms(mut self, ms: u64) -> Self {
        self.statement_timeout_ms = ms;
        self
    }

    /// Sets how long one statement may wait for another node.
    #[must_use]
    pub fn with_lock_timeout_ms(mut self, ms: u64) -> Self {
        self.lock_timeout_ms = ms;
        self
    }

    /// Sets how long a node that stops in the middle of a transaction may hold up the others.
    #[must_use]
    pub fn with_idle_in_transaction_timeout_ms(mut self, ms: u64) -> Self {
        self.idle_in_transaction_timeout_ms = ms;
        self
    }

    /// Sets how long a commit may take with all its attempts.
    #[must_use]
    pub fn with_deadline_ms(mut self, ms: u64) -> Self {
        self.deadline_ms = ms;
        self
    }

    /// Sets the first and the longest pause between attempts.
    #[must_use]
    pub fn with_backoff_ms(mut self, min: u64, max: u64) -> Self {
        (self.backoff_ms_min, self.backoff_ms_max) = (min, max);
        self
    }

    /// Sets how many batches, and about how many bytes, share one transaction at most.
    #[must_use]
    pub fn with_group_max(mut self, batches: usize, bytes: usize) -> Self {
        (self.group_batches_max, self.group_bytes_max) = (batches, bytes);
        self
    }

    /// Sets how many connections read.
    #[must_use]
    pub fn with_read_connections(mut self, connections: usize) -> Self {
        self.read_connections = connections;
        self
    }

    /// Sets whether nodes hear of each other's commits by `LISTEN` and `NOTIFY`.
    #[must_use]
    pub fn with_notifies(mut self, notifies: bool) -> Self {
        self.notifies = notifies;
        self
    }

    /// Sets how often the database's clock is read.
    #[must_use]
    pub fn with_clock_interval_ms(mut self, ms: u64) -> Self {
        self.clock_interval_ms = ms;
        self
    }

    /// Sets whether a server is taken that may lose what was acknowledged when its machine stops.
    #[must_use]
    pub fn with_accepts_unsafe_server(mut self, accepts: bool) -> Self {
        self.accepts_unsafe_server = accepts;
        self
    }

    /// How long to wait for an answer before the connection counts as lost: longer than the server lets a
    /// statement run.
    pub(crate) fn answer_timeout(&self) -> Duration {
        Duration::from_millis(self.statement_timeout_ms.saturating_add(2_000))
    }
}
