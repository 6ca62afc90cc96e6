//! What SQLite says, in our words.

use placet_core::error::{Code, Error};
use rusqlite::ErrorCode;

use crate::target::{SqlFailure, StopSignal};

/// A target that cannot be used, and what to do about it.
pub(super) fn unavailable(message: String, help: &str) -> SqlFailure {
    SqlFailure::Unavailable(Error::new(Code::TargetUnavailable, message).with_help(help))
}

/// Another connection holds the lock.
pub(super) fn locked(name: &str) -> SqlFailure {
    unavailable(
        format!("the database `{name}` is locked by another connection"),
        "wait until the other writer has finished, or raise the lock wait of the target",
    )
}

/// Whether another connection's lock is the reason.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum; the rest is about our own use of it"
)]
/// Translates an error of the statement `sql` on the database file `name`.
pub(super) fn of_sqlite(
    error: &rusqlite::Error,
    sql: &str,
    name: &str,
    stop: &StopSignal,
) -> SqlFailure {
    if let (Some(ErrorCode::OperationInterrupted), Some(reason)) =
        (error.sqlite_error_code(), stop.raised())
    {
        return SqlFailure::Stopped(reason);
    }
    if is_busy(error) {
        return locked(name);
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            return unavailable(
                format!("the file `{name}` is not a sound SQLite database"),
                "check the path of the target, or restore the database",
            );
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            return unavailable(
                format!("the database file `{name}` cannot be written"),
                "let this process write the file and its folder",
            );
        }
        Some(ErrorCode::AuthorizationForStatementDenied) => {
            return SqlFailure::Refused(
                "the host does not let a statement control transactions, attach files, set pragmas or \
                 touch `placet_marker`"
                    .to_owned(),
            );
        }
        Some(_) | None => {}
    }
    match error {
        rusqlite::Error::MultipleStatement => {
            SqlFailure::Refused("one call executes one statement".to_owned())
        }
        rusqlite::Error::SqlInputError { error, msg, offset, .. } => SqlFailure::Database {
            code: format!("sql.sqlite.{}", error.extended_code),
            message: msg.clone(),
            position: position(sql, *offset),
            retryable: false,
        },
        rusqlite::Error::SqliteFailure(error, message) => SqlFailure::Database {
            code: format!("sql.sqlite.{}", error.extended_code),
            message: message.clone().unwrap_or_else(|| error.to_string()),
            position: None,
            retryable: matches!(error.code, ErrorCode::DiskFull | ErrorCode::SystemIoFailure),
        },
        other => SqlFailure::Refused(other.to_string()),
    }
}

// SQLite counts bytes from 0 and says -1 when it does not know.
fn position(sql: &str, offset: i32) -> Option<u32> {
    let before = sql.get(..usize::try_from(offset).ok()?)?;
    u32::try_from(before.chars().count().saturating_add(1)).ok()
}
