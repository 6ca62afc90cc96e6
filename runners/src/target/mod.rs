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
pub trait SqlTarget: Send + Sync + fmt::Debug {
    /// The dialect: `sqlite`, `postgresql`, `mysql` or a word of the target's own.
    fn dialect(&self) -> &str;

    /// Opens a session of its own for one call. A session of [`Access::ReadOnly`] must refuse every write,
    /// best by a credential that cannot. Long work must stop soon after `stop` was raised.
    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure>;
}

/// What a session may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a target must handle both")]
pub enum Access {
    /// Queries and the marker.
    ReadOnly,
    /// Transactions too.
    ReadWrite,
}

/// One session. Dropped without [`Self::commit`], everything is undone.
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
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a target must write every column")]
pub struct Marker {
    /// Request, revision, attempt (the key) and fence.
    pub id: JobId,
    /// The digest of the plan that was executed.
    pub digest: Digest,
    /// When the host committed.
    pub at: Timestamp,
}

/// Why a session did not do something.
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
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the two lead to different outcomes")]
pub enum CommitFailure {
    /// Certainly not committed, and rolled back.
    NotCommitted(SqlFailure),
    /// It was sent, and nobody knows whether it took effect.
    Lost(String),
}
