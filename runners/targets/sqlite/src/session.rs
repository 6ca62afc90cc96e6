//! One session on a SQLite file.

use core::time::Duration;

use placet_core::runner::JobId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, params_from_iter};

use crate::SqliteTarget;
use crate::failure::{is_busy, is_unreadable, locked, of_sqlite};
use crate::guard::{Guard, names_marker};
use crate::limits::STATEMENT_BYTES_MAX;
use crate::values::{from_sqlite, length_of, to_sqlite};
use crate::{functions, limits, marker, single};
use placet_target::{
    Access, CommitFailure, Marker, SqlFailure, SqlRows, SqlSession, SqlTarget as _, SqlValue,
    StopSignal,
};

/// One wait for a lock. Between two of them the session looks whether it must stop.
const WAIT_MS: u32 = 25;

/// Steps of SQLite's virtual machine between two looks at the stop signal: some microseconds, and a
/// second when each of them works on a value of the largest size.
const OPERATIONS_PER_LOOK: i32 = 100;

/// One session on a SQLite file.
pub(super) struct SqliteSession {
    target: SqliteTarget,
    connection: Connection,
    access: Access,
    stop: StopSignal,
    guard: Guard,
}

impl SqliteSession {
    pub(super) fn new(
        target: SqliteTarget,
        mut connection: Connection,
        access: Access,
        stop: StopSignal,
    ) -> Result<Self, SqlFailure> {
        let guard = Guard::default();
        let (asked, seen) = (guard.clone(), stop.clone());
        let prepare = || {
            connection.busy_timeout(Duration::from_millis(u64::from(WAIT_MS)))?;
            // Without it, a statement could write SQLite's own tables.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            limits::set(&connection)?;
            functions::install(&connection)?;
            connection
                .progress_handler(OPERATIONS_PER_LOOK, Some(move || seen.raised().is_some()))?;
            connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
                asked.judge(&context)
            }))
        };
        prepare().map_err(|error| of_sqlite(&error, "", &stop))?;
        Ok(Self { target, connection, access, stop, guard })
    }

    fn failure(&self, error: &rusqlite::Error, sql: &str) -> SqlFailure {
        of_sqlite(error, sql, &self.stop)
    }

    /// Does `work` again and again while another connection holds the lock.
    fn patiently<T>(
        &self,
        mut work: impl FnMut() -> rusqlite::Result<T>,
    ) -> Result<T, rusqlite::Error> {
        let mut waits_left = self.target.lock_wait_ms / WAIT_MS;
        loop {
            match work() {
                Err(error) if is_busy(&error) && waits_left > 0 && self.stop.raised().is_none() => {
                    waits_left = waits_left.saturating_sub(1);
                }
                done => return done,
            }
        }
    }

    /// Does the host's own `work`, patiently.
    fn as_host<T>(
        &self,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, rusqlite::Error> {
        self.patiently(|| self.guard.as_host(|| work(&self.connection)))
    }

    /// What a statement of somebody else's failed with. A lock that outlasts the stop signal is a stop.
    fn failure_of_theirs(&self, error: &rusqlite::Error, sql: &str) -> SqlFailure {
        match self.stop.raised() {
            Some(reason) if is_busy(error) => SqlFailure::Stopped(reason),
            Some(_) | None => self.failure(error, sql),
        }
    }

    /// The one statement of the text, if it may be prepared at all.
    fn check<'a>(&self, statement: &'a str) -> Result<&'a str, SqlFailure> {
        if let Some(reason) = self.stop.raised() {
            return Err(SqlFailure::Stopped(reason));
        }
        if statement.len() > STATEMENT_BYTES_MAX {
            return Err(SqlFailure::Limit(format!(
                "the statement is longer than {STATEMENT_BYTES_MAX} bytes"
            )));
        }
        if names_marker(statement) {
            return Err(SqlFailure::Refused("`placet_marker` belongs to the host".to_owned()));
        }
        single::statement(statement).map_err(|why| SqlFailure::Refused(why.to_owned()))
    }

    /// What a query answers, or why that is too much. Each value is counted before it is copied.
    fn rows_of(
        &self,
        statement: &str,
        values: &[SqlValue],
        (rows_max, bytes_max): (u64, u64),
    ) -> rusqlite::Result<Result<SqlRows, SqlFailure>> {
        let mut prepared = self.connection.prepare(statement)?;
        if !prepared.readonly() {
            return Ok(Err(SqlFailure::Refused("a query must not write".to_owned())));
        }
        let columns: Vec<String> = prepared.column_names().map(ToOwned::to_owned).collect();
        let mut bytes_left = bytes_max;
        let mut count = |length: usize| {
            let bytes = u64::try_from(length).unwrap_or(u64::MAX);
            let left = bytes_left.checked_sub(bytes.saturating_add(SqlValue::OVERHEAD_BYTES));
            bytes_left = left.unwrap_or(0);
            left.is_some()
        };
        let too_large =
            || Ok(Err(SqlFailure::Limit(format!("the query answers more than {bytes_max} bytes"))));
        if !columns.iter().all(|name| count(name.len())) {
            return too_large();
        }
        let mut found = SqlRows { columns, origins: Vec::new(), rows: Vec::new() };
        let mut rows = prepared.query(params_from_iter(values.iter().map(to_sqlite)))?;
        while let Some(row) = rows.next()? {
            if u64::try_from(found.rows.len()).unwrap_or(u64::MAX) >= rows_max {
                let why = format!("the query answers more than {rows_max} rows");
                return Ok(Err(SqlFailure::Limit(why)));
            }
            let mut copied = Vec::with_capacity(found.columns.len());
            for at in 0..found.columns.len() {
                let value = row.get_ref(at)?;
                if !count(length_of(value)) {
                    return too_large();
                }
                copied.push(from_sqlite(value));
            }
            found.rows.push(copied);
        }
        Ok(Ok(found))
    }
}

impl SqlSession for SqliteSession {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        if self.access == Access::ReadOnly {
            return Err(SqlFailure::Refused("this session only reads".to_owned()));
        }
        // IMMEDIATE takes the write lock now: later statements cannot lose a race for it.
        let begun = self.as_host(|connection| connection.execute_batch("BEGIN IMMEDIATE"));
        begun.map_err(|error| self.failure_of_theirs(&error, ""))
    }

    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        let statement = self.check(statement)?;
        if self.connection.is_autocommit() {
            return Err(SqlFailure::Refused("there is no open transaction".to_owned()));
        }
        let before = self.connection.total_changes();
        let run = || {
            let mut prepared = self.connection.prepare(statement)?;
            let mut rows = prepared.query(params_from_iter(values.iter().map(to_sqlite)))?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        self.patiently(run).map_err(|error| self.failure_of_theirs(&error, statement))?;
        let changed = self.connection.total_changes() != before;
        Ok(if changed { self.connection.changes() } else { 0 })
    }

    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
        bytes_max: u64,
    ) -> Result<SqlRows, SqlFailure> {
        let statement = self.check(statement)?;
        self.patiently(|| self.rows_of(statement, values, (rows_max, bytes_max)))
            .map_err(|error| self.failure_of_theirs(&error, statement))?
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        let not_committed = |session: &mut Self, failure: SqlFailure| match session.rollback() {
            Ok(()) => CommitFailure::NotCommitted(failure),
            Err(second) => {
                CommitFailure::Lost(format!("{}; {}", failure.message(), second.message()))
            }
        };
        if self.connection.is_autocommit() {
            let failure = SqlFailure::Refused("the transaction ended before its commit".to_owned());
            return Err(CommitFailure::NotCommitted(failure));
        }
        if let Err(error) = self.guard.as_host(|| marker::write(&self.connection, marker)) {
            let failure = self.failure(&error, "");
            return Err(not_committed(self, failure));
        }
        match self.as_host(|connection| connection.execute_batch("COMMIT")) {
            Ok(()) => Ok(()),
            // The transaction is still open, so nothing was committed (a reader's lock, a deferred
            // constraint): undo it.
            Err(error) if !self.connection.is_autocommit() => {
                let failure = self.failure(&error, "");
                Err(not_committed(self, failure))
            }
            Err(error) => Err(CommitFailure::Lost(self.failure(&error, "").message())),
        }
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.as_host(|connection| connection.execute_batch("ROLLBACK"))
            .map_err(|error| self.failure(&error, ""))
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        match self.as_host(|connection| marker::read(connection, id)) {
            Ok(true) => return Ok(Some(true)),
            Ok(false) => {}
            // A writer that was killed left a journal, which only a writer can roll back.
            Err(error) if is_unreadable(&error) => {}
            Err(error) => return Err(self.failure(&error, "")),
        }
        // Not there yet. Only who holds the write lock knows that nobody is about to commit it.
        let SqlWriter(mut writer) = match SqlWriter::open(&self.target, id, &self.stop) {
            Ok(writer) => writer,
            Err(SqlFailure::Stopped(reason)) => return Err(SqlFailure::Stopped(reason)),
            Err(_) => return Ok(None),
        };
        let found = writer.as_host(|connection| marker::read(connection, id));
        let found = found.map_err(|error| self.failure(&error, ""))?;
        writer.rollback()?;
        Ok(Some(found))
    }
}

/// A session that holds the write lock.
struct SqlWriter(SqliteSession);

impl SqlWriter {
    fn open(target: &SqliteTarget, id: &JobId, stop: &StopSignal) -> Result<Self, SqlFailure> {
        let flags =
            rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
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

impl core::fmt::Debug for SqliteSession {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SqliteSession")
            .field("target", &self.target.dialect())
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}
