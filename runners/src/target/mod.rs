//! What SQL plugins reach: a small trait that a host can implement over its own pool.

mod value;
mod stop;
mod sqlite;

use core::fmt;

use placet_core::clock::Timestamp;
use placet_core::digest::Digest;
use placet_core::error::Error;
use placet_core::runner::JobId;

pub use sqlite::SqliteTarget;
pub use stop::{StopReason, StopSignal};
pub use value::{SqlRows, SqlValue};

/// A database that the host can reach. It holds address and credential; plugins know only its name.
///
/// ```
/// use placet_runners::{Access, SqlFailure, SqlSession, SqlTarget, SqliteTarget, StopSignal};
///
/// /// While the shop is closed for an inventory, nothing writes.
/// #[derive(Debug)]
/// struct Closed(SqliteTarget);
///
/// impl SqlTarget for Closed {
///     fn dialect(&self) -> &str {
///         self.0.dialect()
///     }
///
///     fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
///         match access {
///             Access::ReadOnly => self.0.open(access, stop),
///             Access::ReadWrite => Err(SqlFailure::Refused("the shop is closed".to_owned())),
///         }
///     }
/// }
///
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// let target = Closed(SqliteTarget::new(file.path()));
/// assert!(target.open(Access::ReadOnly, &StopSignal::new()).is_ok());
/// assert!(target.open(Access::ReadWrite, &StopSignal::new()).is_err());
/// ```
pub trait SqlTarget: Send + Sync + fmt::Debug {
    /// The dialect: `sqlite`, `postgresql`, `mysql` or a word of the target's own.
    fn dialect(&self) -> &str;

    /// Opens a session of its own for one call. A session of [`Access::ReadOnly`] must refuse every write,
    /// best by a credential that cannot. Long work must stop soon after `stop` was raised.
    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure>;
}

/// What a session may do.
///
/// ```
/// use placet_runners::{Access, SqlFailure, SqlTarget, SqliteTarget, StopSignal};
///
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// let target = SqliteTarget::new(file.path());
/// let mut session = target.open(Access::ReadOnly, &StopSignal::new())?;
/// assert!(session.query("SELECT 1", &[], 1, 1_024).is_ok());
/// assert!(matches!(session.begin(), Err(SqlFailure::Refused(_))));
/// # Ok::<(), SqlFailure>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a target must handle both")]
pub enum Access {
    /// Queries and the marker.
    ReadOnly,
    /// Transactions too.
    ReadWrite,
}

/// One session. Dropped without [`Self::commit`], everything is undone.
///
/// ```
/// use placet_runners::{Access, SqlTarget, SqlValue, SqliteTarget, StopSignal};
///
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// let target = SqliteTarget::new(file.path());
/// let mut session = target.open(Access::ReadWrite, &StopSignal::new())?;
/// session.begin()?;
/// session.execute("CREATE TABLE orders (cents INTEGER)", &[])?;
/// assert_eq!(session.execute("INSERT INTO orders VALUES (?)", &[SqlValue::Int64(100)])?, 1);
/// session.rollback()?;
/// assert!(session.query("SELECT * FROM orders", &[], 10, 1_024).is_err(), "no such table any more");
/// # Ok::<(), placet_runners::SqlFailure>(())
/// ```
pub trait SqlSession: Send + fmt::Debug {
    /// Begins the one transaction, and takes the locks that writing needs.
    fn begin(&mut self) -> Result<(), SqlFailure>;

    /// Executes one statement in the open transaction and returns the rows it changed. Refuses more than
    /// one statement and whatever begins or ends a transaction, or touches the marker table.
    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure>;

    /// Runs one statement that only reads. More than `rows_max` rows, or more than `bytes_max` bytes (names
    /// of columns, and values as [`SqlValue::bytes`] counts them), are [`SqlFailure::Limit`]; count while
    /// reading, so that no more than that is ever held.
    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
        bytes_max: u64,
    ) -> Result<SqlRows, SqlFailure>;

    /// Writes the marker row in the open transaction and commits it.
    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure>;

    /// Undoes the open transaction. Without one, does nothing.
    fn rollback(&mut self) -> Result<(), SqlFailure>;

    /// Whether the transaction of this attempt was committed: `Some(true)` it was, `Some(false)` it was not
    /// and no session that is still alive can do it any more, `None` nobody can tell.
    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure>;
}

/// The row that stands in the target once an attempt was committed.
///
/// ```
/// # use placet_core::{clock::Timestamp, digest::Digest, id::{RequestId, RunId}, runner::JobId};
/// # use placet_runners::{Access, Marker, SqlTarget, SqliteTarget, StopSignal};
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// # let mut session = SqliteTarget::new(file.path()).open(Access::ReadWrite, &StopSignal::new())?;
/// # let (request, run) = (RequestId::from_u128(1), RunId::from_u128(2));
/// let id = JobId { request, revision: 1, attempt: 1, fence: 1, run };
/// let marker = Marker { id, digest: Digest::of(b"the plan"), at: Timestamp::MIN };
/// session.begin()?;
/// session.commit(&marker).unwrap();
/// assert_eq!(session.marker(&id)?, Some(true));
/// assert_eq!(session.marker(&JobId { attempt: 2, ..id })?, Some(false));
/// # Ok::<(), placet_runners::SqlFailure>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a target must write every column")]
pub struct Marker {
    /// Request, revision, attempt (the key) and fence.
    pub id: JobId,
    /// The digest of the plan that was executed.
    pub digest: Digest,
    /// When the host committed, in UTC.
    pub at: Timestamp,
}

/// Why a session did not do something.
///
/// ```
/// use placet_runners::SqlFailure;
///
/// /// How a target over a pool of the host's passes on what the database said.
/// fn passed_on(sqlstate: &str, message: &str) -> SqlFailure {
///     let (code, message) = (format!("sql.{sqlstate}"), message.to_owned());
///     // 40001 is a serialization failure (SQL:2023): the same transaction may succeed later.
///     SqlFailure::Database { code, message, position: None, retryable: sqlstate == "40001" }
/// }
/// assert_eq!(passed_on("23505", "duplicate key").message(), "duplicate key");
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "each is reported in its own way")]
pub enum SqlFailure {
    /// The target cannot be reached, opened or locked.
    Unavailable(Error),
    /// The database said no.
    Database {
        /// A stable code such as `sql.23505` or `sql.sqlite.1555`.
        code: String,
        /// The database's own words.
        message: String,
        /// Where in the statement, in characters from 1.
        position: Option<u32>,
        /// Whether trying again later could end otherwise.
        retryable: bool,
    },
    /// This session does not do such things.
    Refused(String),
    /// It was stopped.
    Stopped(StopReason),
    /// The answer was too large.
    Limit(String),
}

impl SqlFailure {
    /// What happened, in words.
    pub fn message(&self) -> String {
        match self {
            Self::Unavailable(error) => match error.help() {
                Some(help) => format!("{error}; {help}"),
                None => error.to_string(),
            },
            Self::Database { message, .. } | Self::Refused(message) | Self::Limit(message) => {
                message.clone()
            }
            Self::Stopped(reason) => reason.message().to_owned(),
        }
    }
}

/// Why a commit was not confirmed.
///
/// ```
/// use placet_runners::{CommitFailure, SqlFailure, StopReason};
///
/// fn says_the_run(failure: &CommitFailure) -> &'static str {
///     match failure {
///         CommitFailure::NotCommitted(_) => "failed: nothing changed",
///         CommitFailure::Lost(_) => "unknown: read the marker",
///     }
/// }
/// let stopped = CommitFailure::NotCommitted(SqlFailure::Stopped(StopReason::Timeout));
/// assert_eq!(says_the_run(&stopped), "failed: nothing changed");
/// let lost = CommitFailure::Lost("the connection broke".to_owned());
/// assert_eq!(says_the_run(&lost), "unknown: read the marker");
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the two lead to different outcomes")]
pub enum CommitFailure {
    /// Certainly not committed, and rolled back.
    NotCommitted(SqlFailure),
    /// It was sent, and nobody knows whether it took effect.
    Lost(String),
}
