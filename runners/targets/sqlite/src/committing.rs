//! Commits, and what is known of them.

use placet_core::runner::JobId;
use rusqlite::{Connection, OpenFlags};

use crate::failure::{locked, of_sqlite};
use crate::session::SqliteSession;
use crate::{SqliteTarget, points};
use placet_target::{Access, CommitFailure, SqlFailure, SqlSession as _, StopSignal};

impl SqliteSession {
    /// Writes a row of ours in the open transaction and commits both. The two labels are reached before and after the
    /// row is written.
    pub(super) fn commit_with(
        &mut self,
        id: &JobId,
        [written, sent]: [&'static str; 2],
        write: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), CommitFailure> {
        if self.connection.is_autocommit() {
            let failure = SqlFailure::Refused("the transaction ended before its commit".to_owned());
            return Err(CommitFailure::NotCommitted(failure));
        }
        if let Err(failure) = self.owns(id) {
            return Err(self.not_committed(failure));
        }
        if let Err(error) = self.guard.as_host(|| write(&self.connection)) {
            let failure = self.failure(&error, "");
            return Err(self.not_committed(failure));
        }
        points::at(written);
        points::at(sent);
        match self.as_host(|connection| connection.execute_batch("COMMIT")) {
            Ok(()) => Ok(()),
            // The transaction is still open, so nothing was committed (a reader's lock, a deferred
            // constraint): undo it.
            Err(error) if !self.connection.is_autocommit() => {
                let failure = self.failure(&error, "");
                Err(self.not_committed(failure))
            }
            Err(error) => Err(CommitFailure::Lost(self.failure(&error, "").message())),
        }
    }

    /// Whether the session was opened for this attempt.
    fn owns(&self, id: &JobId) -> Result<(), SqlFailure> {
        let key = |id: &JobId| (id.request, id.revision, id.attempt);
        let why = match self.access {
            Access::ReadWrite(own) if own.attempt == 0 => "a dry run commits nothing",
            Access::ReadWrite(own) if key(&own) == key(id) => return Ok(()),
            Access::ReadWrite(_) | Access::ReadOnly => "this session was opened for something else",
        };
        Err(SqlFailure::Refused(why.to_owned()))
    }

    /// The same for what a dry run may do, too.
    pub(super) fn owns_or_is_dry(&self, id: &JobId) -> Result<(), SqlFailure> {
        match self.access {
            Access::ReadWrite(own) if own.attempt == 0 && id.attempt == 0 => Ok(()),
            Access::ReadWrite(_) | Access::ReadOnly => self.owns(id),
        }
    }

    fn not_committed(&mut self, failure: SqlFailure) -> CommitFailure {
        match self.rollback() {
            Ok(()) => CommitFailure::NotCommitted(failure),
            Err(second) => {
                CommitFailure::Lost(format!("{}; {}", failure.message(), second.message()))
            }
        }
    }

    /// Asks while nobody else can write: only who holds the write lock knows that nobody is about to commit.
    /// `None` where somebody else holds it.
    pub(super) fn ask_locked<T>(
        &self,
        id: &JobId,
        ask: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, SqlFailure> {
        points::at(points::ASKING);
        let SqlWriter(mut writer) = match SqlWriter::open(&self.target, id, &self.stop) {
            Ok(writer) => writer,
            Err(SqlFailure::Stopped(reason)) => return Err(SqlFailure::Stopped(reason)),
            Err(_) => return Ok(None),
        };
        let found = writer.as_host(ask).map_err(|error| self.failure(&error, ""))?;
        writer.rollback()?;
        points::at(points::ASKED);
        Ok(Some(found))
    }
}

/// A session that holds the write lock.
struct SqlWriter(SqliteSession);

impl SqlWriter {
    fn open(target: &SqliteTarget, id: &JobId, stop: &StopSignal) -> Result<Self, SqlFailure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&target.path, flags)
            .map_err(|error| of_sqlite(&error, "", stop))?;
        if target.read_only || connection.is_readonly("main").unwrap_or(true) {
            return Err(locked());
        }
        let mut session =
            SqliteSession::new(target.clone(), connection, Access::ReadWrite(*id), stop.clone())?;
        session.begin()?;
        Ok(Self(session))
    }
}
