//! SQLite files as targets.

mod session;
mod guard;
mod marker;
mod failure;

use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags};

use super::{Access, SqlFailure, SqlSession, SqlTarget, StopSignal};
use failure::unavailable;
use session::SqliteSession;

/// A SQLite database file that is there already: a missing one is an error and is not created.
///
/// ```
/// use placet_runners::SqliteTarget;
/// let target = SqliteTarget::new("/srv/orders.db").with_lock_wait_ms(5_000);
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

    fn shown(&self) -> String {
        // The name alone: people who read outcomes need not know where the host keeps its files.
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn refuse_read_only(&self) -> SqlFailure {
        unavailable(
            format!("the database file `{}` is read-only", self.shown()),
            "let this process write the file and its folder, or name another target",
        )
    }
}

impl SqlTarget for SqliteTarget {
    fn dialect(&self) -> &'static str {
        "sqlite"
    }

    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        let writes = access == Access::ReadWrite;
        if writes && self.read_only {
            return Err(self.refuse_read_only());
        }
        // Without CREATE, so that a wrong path does not leave an empty database behind.
        let mode = if writes {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        } else {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        };
        if !self.path.is_file() {
            return Err(unavailable(
                format!("there is no database file `{}`", self.shown()),
                "create the database first, or correct the path of the target",
            ));
        }
        let opened = Connection::open_with_flags(
            &self.path,
            mode | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE,
        );
        let connection = opened.map_err(|error| {
            unavailable(
                format!("the database file `{}` cannot be opened: {error}", self.shown()),
                "let this process read and write the file and its folder",
            )
        })?;
        // SQLite opens a file that it may not write for reading, and says nothing.
        if writes && connection.is_readonly("main").unwrap_or(true) {
            return Err(self.refuse_read_only());
        }
        Ok(Box::new(SqliteSession::new(self.clone(), connection, access, stop.clone())?))
    }
}
