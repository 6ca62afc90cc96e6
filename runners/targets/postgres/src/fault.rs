//! What PostgreSQL says, in our words.

use core::error::Error as _;

use placet_core::error::{Code, Error};
use placet_target::{SqlFailure, StopReason};
use tokio_postgres::error::{DbError, ErrorPosition, Severity, SqlState};

/// Why no answer came, or not the one that was due.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The driver or the server said so.
    Said(tokio_postgres::Error),
    /// The statement was stopped, and the server confirmed it.
    Stopped(StopReason),
    /// Nobody said anything for too long, and the connection was given up.
    Silent(Option<StopReason>),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Said(error)
    }
}

impl Trouble {
    /// The server's own words, if it said any and the session goes on.
    pub(crate) fn refusal(&self) -> Option<&DbError> {
        match self {
            Self::Said(error) => error.as_db_error().filter(|said| !is_fatal(said)),
            Self::Stopped(_) | Self::Silent(_) => None,
        }
    }

    /// Whether it is this answer of the server.
    pub(crate) fn is(&self, code: &SqlState) -> bool {
        self.refusal().is_some_and(|said| said.code() == code)
    }

    /// Whether what was asked for is known not to have been done: the server said no, and lives.
    pub(crate) fn is_certain(&self) -> bool {
        matches!(self, Self::Stopped(_)) || self.refusal().is_some()
    }
}

impl From<Trouble> for SqlFailure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Said(error) => of_driver(&error),
            Trouble::Stopped(reason) | Trouble::Silent(Some(reason)) => Self::Stopped(reason),
            Trouble::Silent(None) => broken(),
        }
    }
}

/// A target that cannot be used, and what to do about it.
pub(crate) fn unavailable(message: &str, help: &str) -> SqlFailure {
    SqlFailure::Unavailable(Error::new(Code::TargetUnavailable, message).with_help(help))
}

/// A refusal of our own.
pub(crate) fn refused(message: impl Into<String>) -> SqlFailure {
    SqlFailure::Refused(message.into())
}

/// The connection is gone.
pub(crate) fn broken() -> SqlFailure {
    unavailable(
        "the connection to the target broke",
        "look whether the server is up; what was not committed is undone",
    )
}

/// Somebody else holds a lock for longer than we wait.
fn locked() -> SqlFailure {
    unavailable(
        "the target waited too long for a lock that another session holds",
        "wait until the other session has finished, or raise the lock wait of the target",
    )
}

/// Whether the server ends the session with these words.
fn is_fatal(said: &DbError) -> bool {
    matches!(said.parsed_severity(), None | Some(Severity::Fatal | Severity::Panic))
}

fn of_driver(error: &tokio_postgres::Error) -> SqlFailure {
    match error.as_db_error() {
        Some(said) if said.code() == &SqlState::LOCK_NOT_AVAILABLE => locked(),
        Some(said) if !is_fatal(said) => of_server(said),
        Some(_) => broken(),
        None if error.is_closed() => broken(),
        None => match error.source() {
            Some(cause) if cause.is::<std::io::Error>() => broken(),
            // What the driver could not write or read: a zero byte, another number of values.
            Some(_) | None => refused(format!("the statement does not fit: {error}")),
        },
    }
}

fn of_server(said: &DbError) -> SqlFailure {
    let code = said.code().code();
    let position = match said.position() {
        Some(ErrorPosition::Original(at)) => Some(*at),
        Some(ErrorPosition::Internal { .. }) | None => None,
    };
    // Classes of SQLSTATE (manual, appendix A): 40 rolled back, 53 no resources, 57 somebody intervened, 58 the system.
    let passes = ["40", "53", "57", "58"].iter().any(|class| code.starts_with(class));
    SqlFailure::Database {
        code: format!("sql.{code}"),
        message: said.message().to_owned(),
        position,
        retryable: passes,
    }
}

/// What the server says about a statement that stands behind words of ours. It counts these too.
pub(crate) fn shifted(trouble: Trouble, before: &str) -> SqlFailure {
    let failure = SqlFailure::from(trouble);
    let SqlFailure::Database { code, message, position, retryable } = failure else {
        return failure;
    };
    let before = u32::try_from(before.chars().count()).unwrap_or(u32::MAX);
    let position = position.and_then(|at| at.checked_sub(before)).filter(|at| *at > 0);
    SqlFailure::Database { code, message, position, retryable }
}

/// Why no session came about. The server's own words may hold addresses and names of roles.
pub(crate) fn of_connecting(error: &tokio_postgres::Error) -> SqlFailure {
    let Some(said) = error.as_db_error() else {
        if error.to_string() == "error performing TLS handshake" {
            return unavailable(
                "no TLS connection to the target came about",
                "check `ssl` of the server, its certificate, and `sslmode` and `sslrootcert` of the target",
            );
        }
        return unavailable(
            "the target's server cannot be reached",
            "check that it is up, and host and port in the target's URL",
        );
    };
    let code = said.code().code();
    let help = match code {
        "28P01" | "28000" => "check user and password in the target's URL, and pg_hba.conf",
        "3D000" => "create the database, or correct its name in the target's URL",
        "53300" => "let the server take more connections",
        "42501" => "let the role connect to the database",
        "57P03" => "wait until the server has started",
        _ => "look into the log of the server",
    };
    unavailable(&format!("the target's server takes no session ({code})"), help)
}
