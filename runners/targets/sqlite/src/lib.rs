#![cfg_attr(docsrs, feature(doc_cfg))]
//! SQLite files as targets of the SQL runner.

mod session; // one session
mod guard; // what statements may do
mod limits; // how large they may be
mod functions; // what takes the place of SQLite's own
mod single; // one statement of a text
mod values; // between SQLite's values and ours
mod reading; // what a query answers
mod committing; // commits, and what is known of them
mod marker; // the marker row of an attempt
mod steps; // the done marks of its steps
mod kept; // the statements that put rows back
mod keeping; // what a statement changes, kept before and after
mod table; // how a table is made
mod literal; // values as SQL, exactly
mod schema; // a digest of how objects are made
mod failure; // what SQLite says, in our words
mod points; // labelled points of a run

use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags};

use failure::{code_of, unavailable};
use placet_target::{Access, SqlFailure, SqlSession, SqlTarget, StopSignal};
use session::SqliteSession;

pub use points::POINTS;

/// A SQLite database file that is there already: a missing one is an error and is not created.
///
/// Statements get SQLite's own functions and no virtual tables of their own; texts, blobs and rows are at
/// most 16 MiB long, and LIKE patterns 100 bytes. `instr`, `replace` and the trims are the host's own: they
/// answer as SQLite's do, but refuse floating-point numbers and texts that are not UTF-8, instead of guessing
/// how SQLite would write them. A file in whose schema is a name that is not UTF-8 is refused.
///
/// Every statement runs in a transaction, and a transaction holds the write lock from its beginning. The marker and the
/// steps of an attempt are asked for under that lock: while any transaction is open, nobody can tell. A session that is
/// open and has no transaction is not noticed.
///
/// Rows are kept of plain tables with a declared primary key, without triggers, without ON CONFLICT and without rows
/// that would change along (foreign keys are enforced). A key that a statement updates, a NULL in a key, a statement
/// with RETURNING or WITH, and a text that is not UTF-8 are refused.
///
/// ```
/// use placet_core::error::Code;
/// use placet_target::{Access, SqlFailure, SqlTarget, StopSignal};
/// use placet_target_sqlite::SqliteTarget;
///
/// let target = SqliteTarget::new("no/such/orders.db").with_lock_wait_ms(5_000);
/// assert_eq!(target.dialect(), "sqlite");
/// let refused = target.open(Access::ReadOnly, &StopSignal::new()).unwrap_err();
/// let SqlFailure::Unavailable(error) = refused else { panic!() };
/// assert_eq!(error.code(), Code::TargetUnavailable);
/// ```
#[derive(Clone, Debug)]
pub struct SqliteTarget {
    path: PathBuf,
    lock_wait_ms: u32,
    read_only: bool,
}

impl SqliteTarget {
    /// The database in the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), lock_wait_ms: 2_000, read_only: false }
    }

    /// Sets how long to wait for a lock that another connection holds, in milliseconds, to within 25.
    /// Default 2,000.
    #[must_use]
    pub const fn with_lock_wait_ms(mut self, ms: u32) -> Self {
        self.lock_wait_ms = ms;
        self
    }

    /// Lets nothing write through this target.
    #[must_use]
    pub const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    fn refuse_read_only() -> SqlFailure {
        unavailable(
            "the target's database file is read-only".to_owned(),
            "let this process write the file and its folder, or name another target",
        )
    }
}

impl SqlTarget for SqliteTarget {
    fn dialect(&self) -> &'static str {
        "sqlite"
    }

    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        let writes = matches!(access, Access::ReadWrite(_));
        if writes && self.read_only {
            return Err(Self::refuse_read_only());
        }
        // Without CREATE, so that a wrong path does not leave an empty database behind.
        let mode = if writes {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        } else {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        };
        if !self.path.is_file() {
            return Err(unavailable(
                "the target's database file does not exist".to_owned(),
                "create the database first, or correct the path of the target",
            ));
        }
        let opened = Connection::open_with_flags(
            &self.path,
            mode | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE,
        );
        let connection = opened.map_err(|error| {
            unavailable(
                // SQLite's own words hold the path, and plugins and approvers learn no address.
                format!("the target's database file cannot be opened ({})", code_of(&error)),
                "let this process read and write the file and its folder",
            )
        })?;
        // SQLite opens a file that it may not write for reading, and says nothing.
        if writes && connection.is_readonly("main").unwrap_or(true) {
            return Err(Self::refuse_read_only());
        }
        Ok(Box::new(SqliteSession::new(self.clone(), connection, access, stop.clone())?))
    }
}
