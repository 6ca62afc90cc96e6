//! What SQLite says, in our words.

use placet_core::error::{Code, Error};
use rusqlite::ErrorCode;

use placet_target::{SqlFailure, StopSignal};

/// A target that cannot be used, and what to do about it.
pub(super) fn unavailable(message: String, help: &str) -> SqlFailure {
    SqlFailure::Unavailable(Error::new(Code::TargetUnavailable, message).with_help(help))
}

/// Another connection holds the lock.
pub(super) fn locked() -> SqlFailure {
    unavailable(
        "the target's database is locked by another connection".to_owned(),
        "wait until the other writer has finished, or raise the lock wait of the target",
    )
}

/// SQLite's extended code, the one thing of its error that names no file.
pub(super) fn code_of(error: &rusqlite::Error) -> String {
    let code = error.sqlite_error().map_or(1, |error| error.extended_code);
    format!("sql.sqlite.{code}")
}

/// Whether another connection's lock is the reason.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether a reader cannot even look, for example at a file whose writer was killed half-way.
pub(super) fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum; the rest is about our own use of it"
)]
/// Translates an error of the statement `sql`. Nothing of it names the file.
pub(super) fn of_sqlite(error: &rusqlite::Error, sql: &str, stop: &StopSignal) -> SqlFailure {
    if let (Some(ErrorCode::OperationInterrupted), Some(reason)) =
        (error.sqlite_error_code(), stop.raised())
    {
        return SqlFailure::Stopped(reason);
    }
    if is_busy(error) {
        return locked();
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            return unavailable(
                "the target's file is not a sound SQLite database".to_owned(),
                "check the path of the target, or restore the database",
            );
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            return unavailable(
                format!("the target's database file cannot be written ({})", code_of(error)),
                "let this process write the file and its folder",
            );
        }
        Some(ErrorCode::AuthorizationForStatementDenied) => {
            return SqlFailure::Refused(
                "the host does not let a statement control transactions, attach files, make virtual \
                 tables, touch the host's own tables, or use pragmas and functions that are not known to be \
                 harmless"
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
        rusqlite::Error::InvalidParameterCount(..) => {
            SqlFailure::Refused("give one value for each parameter of the statement".to_owned())
        }
        // Their words may hold a path.
        _ => SqlFailure::Refused("SQLite's interface does not take this statement".to_owned()),
    }
}

// SQLite counts bytes from 0 and says -1 when it does not know.
fn position(sql: &str, offset: i32) -> Option<u32> {
    let before = sql.get(..usize::try_from(offset).ok()?)?;
    u32::try_from(before.chars().count().saturating_add(1)).ok()
}
