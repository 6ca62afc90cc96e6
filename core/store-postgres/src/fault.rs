//! PostgreSQL's failures in our words, and whether it is worth trying again.

use core::error::Error as _;

use placet_core::store::{StoreError, StoreErrorKind};
use tokio_postgres::error::Severity;

use crate::handshake;
use crate::place::Place;

/// What a failure means for the one who got it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Worth {
    /// The server said no, and may say yes to the same next time.
    Again,
    /// The server said no, and will say so again.
    Never,
    /// The connection is gone, or cannot be made just now.
    Lost,
}

/// A failure and what it means.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) worth: Worth,
    pub(crate) error: StoreError,
}

impl Fault {
    /// What failed while doing `what` ("read from", "write to").
    pub(crate) fn new(place: &Place, what: &str, cause: tokio_postgres::Error) -> Self {
        let (worth, kind, why, help) = judge(&cause);
        let error = StoreError::new(kind, format!("cannot {what} {place}: {why}"))
            .with_help(help)
            .with_source(cause);
        Self { worth, error }
    }

    /// There was no answer within the time.
    pub(crate) fn timeout(place: &Place, what: &str) -> Self {
        let error = StoreError::new(
            StoreErrorKind::Unavailable,
            format!("cannot {what} {place}: the server did not answer in time"),
        )
        .with_help("check the network and the load of the server");
        Self { worth: Worth::Lost, error }
    }

    /// A failure that will not go away by itself.
    pub(crate) fn never(error: StoreError) -> Self {
        Self { worth: Worth::Never, error }
    }
}

/// Whether the server refused a statement and the session goes on: then a transaction was rolled back. After
/// any other failure of a COMMIT it may have happened: the server may have stopped right behind it. Also
/// where the code names a cause, such as a full disk.
pub(crate) fn is_refusal(cause: &tokio_postgres::Error) -> bool {
    let Some(said) = cause.as_db_error() else { return false };
    let goes_on = match said.parsed_severity() {
        Some(severity) => severity == Severity::Error,
        None => said.severity() == "ERROR",
    };
    goes_on && said.code().code() != "40003"
}

/// What to do about a login that fails.
const LOGIN: &str = "check user and password in the URL, and what the server's pg_hba.conf asks for: TLS and a client certificate may be among it";

/// What a failure means: whether to try again, its kind, why, and what to do.
pub(crate) type Judged = (Worth, StoreErrorKind, &'static str, &'static str);

fn judge(cause: &tokio_postgres::Error) -> Judged {
    use StoreErrorKind::Unavailable;
    if let Some(said) = cause.as_db_error() {
        let judged = by_code(said.code().code());
        let fatal = !is_refusal(cause);
        return match judged {
            Some(judged) => judged,
            None if fatal => (
                Worth::Lost,
                Unavailable,
                "the server ended the session",
                "look at the cause and at the server's log",
            ),
            None => (
                Worth::Never,
                Unavailable,
                "the server refused a statement",
                "look at the cause and at the server's log",
            ),
        };
    }
    if cause.is_closed() {
        return (
            Worth::Lost,
            Unavailable,
            "the connection was closed",
            "check that the server runs; nothing else is needed, the store connects again",
        );
    }
    if let Some(judged) = handshake::judge(cause) {
        return judged;
    }
    let source = cause.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    match source.map(std::io::Error::kind) {
        Some(std::io::ErrorKind::InvalidInput) => (
            Worth::Never,
            Unavailable,
            "the request cannot be sent",
            "look at the cause: a batch may be too large, or the server's name unknown",
        ),
        Some(std::io::ErrorKind::PermissionDenied) => (
            Worth::Never,
            Unavailable,
            "the server does not take writes, or its socket may not be used",
            "name the primary server, and give the process the right to use its socket",
        ),
        Some(_) => (
            Worth::Lost,
            Unavailable,
            "the server cannot be reached",
            "check host and port, and that the server runs and takes connections from here",
        ),
        None => by_text(&cause.to_string()),
    }
}

/// The kinds that only their sentence tells apart.
fn by_text(said: &str) -> Judged {
    match said {
        "authentication error" | "invalid configuration" => {
            (Worth::Never, StoreErrorKind::Unavailable, "the login failed", LOGIN)
        }
        "timeout waiting for server" => (
            Worth::Lost,
            StoreErrorKind::Unavailable,
            "the server did not answer in time",
            "check the network and the load of the server",
        ),
        _ => (
            Worth::Never,
            StoreErrorKind::Damaged,
            "the server's answer is not what it must be",
            "look at the cause: the tables may have been changed",
        ),
    }
}

/// What SQLSTATE codes mean: they are stable over the versions and languages of the server. 40003, which
/// leaves the outcome of a COMMIT open, comes only from other engines that speak the protocol.
const CODES: &[(&[&str], Judged)] = &[
    (
        &["40001", "40P01"],
        (
            Worth::Again,
            StoreErrorKind::Unavailable,
            "other transactions came in between again and again",
            "repeat it later; nothing was written",
        ),
    ),
    (
        &["55P03"],
        (
            Worth::Again,
            StoreErrorKind::Unavailable,
            "another node held up all writing for too long",
            "find the session that holds a lock on the table `head`, and end it",
        ),
    ),
    (
        &["57014"],
        (
            Worth::Again,
            StoreErrorKind::Unavailable,
            "a statement took too long",
            "check the load of the server, or give `statement_timeout_ms` more",
        ),
    ),
    (
        &["40003", "25P03", "57P01", "57P02", "57P03", "57P05"],
        (
            Worth::Lost,
            StoreErrorKind::Unavailable,
            "the server is stopping, starting, or ended the session",
            "wait until the server is up; the store connects again by itself",
        ),
    ),
    (
        &["53300"],
        (
            Worth::Lost,
            StoreErrorKind::Unavailable,
            "the server takes no more connections",
            "raise the server's max_connections, or lower `read_connections`",
        ),
    ),
    (
        &["53100"],
        (
            Worth::Never,
            StoreErrorKind::Unavailable,
            "the disk of the server is full",
            "free space on the server's disk, then repeat it",
        ),
    ),
    (
        &["25006"],
        (
            Worth::Never,
            StoreErrorKind::Unavailable,
            "the database is read-only",
            "name the primary server, and switch default_transaction_read_only off",
        ),
    ),
    (
        &["28000", "28P01"],
        (Worth::Never, StoreErrorKind::Unavailable, "the server refuses the login", LOGIN),
    ),
    (
        &["3D000"],
        (
            Worth::Never,
            StoreErrorKind::Unavailable,
            "there is no such database",
            "create it (CREATE DATABASE … ENCODING 'UTF8'), or name another one in the URL",
        ),
    ),
    (
        &["42501"],
        (
            Worth::Never,
            StoreErrorKind::Unavailable,
            "the role has no right to do this",
            "open the store once as the owner of the database, then call the function `admit_application` of its schema for this role",
        ),
    ),
    (
        &["3F000", "42P01", "42703"],
        (
            Worth::Never,
            StoreErrorKind::Damaged,
            "a table of the store is missing or is not what was made",
            "restore the schema from a backup",
        ),
    ),
    (
        &["XX001", "XX002"],
        (
            Worth::Never,
            StoreErrorKind::Damaged,
            "the server found damage in its files",
            "stop writing, keep a copy of the server's files, and restore the last good backup",
        ),
    ),
];

fn by_code(code: &str) -> Option<Judged> {
    CODES.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, judged)| *judged)
}

/// Stored bytes are not what was written.
pub(crate) fn damaged(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, message).with_help(
        "stop writing, find out who changed the tables, and restore the last good backup",
    )
}

/// A thread of ours is not there any more.
pub(crate) fn gone() -> StoreError {
    StoreError::new(StoreErrorKind::Poisoned, "the thread that talks to the database has panicked")
        .with_help("open the store again; read before you repeat a write")
}

/// The same failure once more, for one of several callers, with `end` behind its sentence: an error cannot
/// be cloned, its words can.
pub(crate) fn repeated(error: &StoreError, end: &str, help: Option<&str>) -> StoreError {
    let mut said = StoreError::new(error.kind(), format!("{error}{end}"));
    if let Some(help) = help.or(error.help()) {
        said = said.with_help(help);
    }
    match error.source() {
        Some(cause) => said.with_source(chain(cause)),
        None => said,
    }
}

/// An error with its causes, in one line.
fn chain(error: &(dyn core::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text.replace('\n', ", ")
}
