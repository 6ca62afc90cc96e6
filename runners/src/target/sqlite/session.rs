//! One session on a SQLite file.

use core::time::Duration;

use placet_core::runner::JobId;
use rusqlite::config::DbConfig;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use super::SqliteTarget;
use super::failure::{is_busy, locked, of_sqlite};
use super::guard::{Guard, names_marker};
use super::marker;
use crate::target::{
    Access, CommitFailure, Marker, SqlFailure, SqlRows, SqlSession, SqlTarget as _, SqlValue,
    StopSignal,
};

/// One wait for a lock. Between two of them the session looks whether it must stop.
const WAIT_MS: u32 = 25;

/// Steps of SQLite's virtual machine between two looks at the stop signal: well under a millisecond.
const OPERATIONS_PER_LOOK: i32 = 1_000;

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
        let (name, asked, seen) = (target.shown(), guard.clone(), stop.clone());
        let prepare = || {
            connection.busy_timeout(Duration::from_millis(u64::from(WAIT_MS)))?;
            // Without it, a statement could write SQLite's own tables.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
            connection
                .progress_handler(OPERATIONS_PER_LOOK, Some(move || seen.raised().is_some()))?;
            connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
                asked.judge(&context)
            }))
        };
        prepare().map_err(|error| of_sqlite(&error, "", &name, &stop))?;
        Ok(Self { target, connection, access, stop, guard })
    }

    fn failure(&self, error: &rusqlite::Error, sql: &str) -> SqlFailure {
        of_sqlite(error, sql, &self.target.shown(), &self.stop)
    }

    /// Does the host's own `work`, again and again while another connection holds the lock.
    fn as_host<T>(
        &self,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, rusqlite::Error> {
        let mut waits_left = self.target.lock_wait_ms / WAIT_MS;
        loop {
            match self.guard.as_host(|| work(&self.connection)) {
                Err(error) if is_busy(&error) && waits_left > 0 && self.stop.raised().is_none() => {
                    waits_left = waits_left.saturating_sub(1);
                }
                done => return done,
            }
        }
    }

    fn check(&self, statement: &str) -> Result<(), SqlFailure> {
        if let Some(reason) = self.stop.raised() {
            return Err(SqlFailure::Stopped(reason));
        }
        // SQLite would stop reading there, and people would not.
        if statement.contains('\0') {
            return Err(SqlFailure::Refused("the statement holds a NUL character".to_owned()));
        }
        if names_marker(statement) {
            return Err(SqlFailure::Refused("`placet_marker` belongs to the host".to_owned()));
        }
        Ok(())
    }
}

impl SqlSession for SqliteSession {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        if self.access == Access::ReadOnly {
            return Err(SqlFailure::Refused("this session only reads".to_owned()));
        }
        // IMMEDIATE takes the write lock now: later statements cannot lose a race for it.
        let begun = self.as_host(|connection| connection.execute_batch("BEGIN IMMEDIATE"));
        begun.map_err(|error| match self.stop.raised() {
            Some(reason) if is_busy(&error) => SqlFailure::Stopped(reason),
            Some(_) | None => self.failure(&error, ""),
        })
    }

    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        self.check(statement)?;
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
        run().map_err(|error| self.failure(&error, statement))?;
        let changed = self.connection.total_changes() != before;
        Ok(if changed { self.connection.changes() } else { 0 })
    }

    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
    ) -> Result<SqlRows, SqlFailure> {
        self.check(statement)?;
        let fail = |error: rusqlite::Error| self.failure(&error, statement);
        let mut prepared = self.connection.prepare(statement).map_err(fail)?;
        if !prepared.readonly() {
            return Err(SqlFailure::Refused("a query must not write".to_owned()));
        }
        let columns: Vec<String> = prepared.column_names().map(ToOwned::to_owned).collect();
        let mut found = SqlRows { columns, rows: Vec::new() };
        let mut rows =
            prepared.query(params_from_iter(values.iter().map(to_sqlite))).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            if u64::try_from(found.rows.len()).unwrap_or(u64::MAX) >= rows_max {
                return Err(SqlFailure::Limit(format!(
                    "the query answers more than {rows_max} rows"
                )));
            }
            let values = (0..found.columns.len()).map(|at| row.get_ref(at).map(from_sqlite));
            found.rows.push(values.collect::<Result<_, _>>().map_err(fail)?);
        }
        Ok(found)
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
        let found = self.as_host(|connection| marker::read(connection, id));
        if found.map_err(|error| self.failure(&error, ""))? {
            return Ok(Some(true));
        }
        // Not there yet. Only who holds the write lock knows that nobody is about to commit it.
        let SqlWriter(mut writer) = match SqlWriter::open(&self.target, &self.stop) {
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
    fn open(target: &SqliteTarget, stop: &StopSignal) -> Result<Self, SqlFailure> {
        let flags =
            rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&target.path, flags)
            .map_err(|error| of_sqlite(&error, "", &target.shown(), stop))?;
        if target.read_only || connection.is_readonly("main").unwrap_or(true) {
            return Err(locked(&target.shown()));
        }
        let mut session =
            SqliteSession::new(target.clone(), connection, Access::ReadWrite, stop.clone())?;
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

fn to_sqlite(value: &SqlValue) -> Value {
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Boolean(yes) => Value::Integer(i64::from(*yes)),
        SqlValue::Int64(number) => Value::Integer(*number),
        SqlValue::Float64(number) => Value::Real(*number),
        SqlValue::Decimal(text)
        | SqlValue::Text(text)
        | SqlValue::Timestamp(text)
        | SqlValue::Json(text) => Value::Text(text.clone()),
        SqlValue::Bytes(bytes) => Value::Blob(bytes.clone()),
    }
}

fn from_sqlite(value: ValueRef<'_>) -> SqlValue {
    match value {
        ValueRef::Null => SqlValue::Null,
        ValueRef::Integer(number) => SqlValue::Int64(number),
        ValueRef::Real(number) => SqlValue::Float64(number),
        ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => SqlValue::Bytes(bytes.to_vec()),
    }
}
