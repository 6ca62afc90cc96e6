//! Why something was not done.

use placet_core::error::Error;

use crate::StopReason;

/// Why a session did not do something.
///
/// ```
/// use placet_target::SqlFailure;
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
/// use placet_target::{CommitFailure, SqlFailure, StopReason};
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
