//! One session on a SQLite file.

use core::cell::Cell;
use core::time::Duration;

use placet_core::digest::Digest;
use placet_core::runner::JobId;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Statement, params_from_iter};

use crate::SqliteTarget;
use crate::failure::{is_busy, is_unreadable, of_sqlite};
use crate::guard::{Guard, names_ours};
use crate::limits::STATEMENT_BYTES_MAX;
use crate::values::to_sqlite;
use crate::{functions, kept, limits, marker, points, schema, single, steps};
use placet_target::{
    Access, Attempt, CommitFailure, Keepable, Marker, SqlFailure, SqlRows, SqlSession,
    SqlTarget as _, SqlValue, StepMark, StepSeen, StopSignal, Touch,
};

/// One wait for a lock. Between two of them the session looks whether it must stop.
const WAIT_MS: u32 = 25;

/// Steps of SQLite's virtual machine between two looks at the stop signal: some microseconds, and a
/// second when each of them works on a value of the largest size.
const OPERATIONS_PER_LOOK: i32 = 100;

/// One session on a SQLite file.
pub(super) struct SqliteSession {
    pub(super) target: SqliteTarget,
    pub(super) connection: Connection,
    pub(super) access: Access,
    pub(super) stop: StopSignal,
    pub(super) guard: Guard,
    /// What others had changed when the names of the schema were looked at.
    pub(super) names_seen: Cell<Option<i64>>,
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
        points::at(points::OPENED);
        Ok(Self { target, connection, access, stop, guard, names_seen: Cell::new(None) })
    }

    pub(super) fn failure(&self, error: &rusqlite::Error, sql: &str) -> SqlFailure {
        of_sqlite(error, sql, &self.stop)
    }

    /// Does `work` again and again while another connection holds the lock.
    pub(super) fn patiently<T>(
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
    pub(super) fn as_host<T>(
        &self,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, rusqlite::Error> {
        self.patiently(|| self.guard.as_host(|| work(&self.connection)))
    }

    /// What a statement of somebody else's failed with. A lock that outlasts the stop signal is a stop.
    pub(super) fn failure_of_theirs(&self, error: &rusqlite::Error, sql: &str) -> SqlFailure {
        match self.stop.raised() {
            Some(reason) if is_busy(error) => SqlFailure::Stopped(reason),
            Some(_) | None => self.failure(error, sql),
        }
    }

    /// The one statement of the text, if it may be prepared at all.
    pub(super) fn check<'a>(&self, statement: &'a str) -> Result<&'a str, SqlFailure> {
        if let Some(reason) = self.stop.raised() {
            return Err(SqlFailure::Stopped(reason));
        }
        if statement.len() > STATEMENT_BYTES_MAX {
            return Err(SqlFailure::Limit(format!(
                "the statement is longer than {STATEMENT_BYTES_MAX} bytes"
            )));
        }
        if let Some(ours) = names_ours(statement) {
            return Err(SqlFailure::Refused(format!("`{ours}` belongs to the host")));
        }
        let statement =
            single::statement(statement).map_err(|why| SqlFailure::Refused(why.to_owned()))?;
        self.names_are_text()?;
        Ok(statement)
    }

    /// Prepares a statement of somebody else's and remembers what it does.
    pub(super) fn prepare_noting(&self, statement: &str) -> rusqlite::Result<Statement<'_>> {
        self.guard.forget();
        self.connection.prepare(statement)
    }

    /// Refuses without an open transaction.
    pub(super) fn inside(&self) -> Result<(), SqlFailure> {
        if self.connection.is_autocommit() {
            return Err(SqlFailure::Refused("there is no open transaction".to_owned()));
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
        begun.map_err(|error| self.failure_of_theirs(&error, ""))?;
        points::at(points::BEGUN);
        Ok(())
    }

    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        let statement = self.check(statement)?;
        self.inside()?;
        points::at(points::EXECUTING);
        let before = self.connection.total_changes();
        let run = || {
            let mut prepared = self.connection.prepare(statement)?;
            let mut rows = prepared.query(params_from_iter(values.iter().map(to_sqlite)))?;
            while rows.next()?.is_some() {}
            Ok(())
        };
        self.patiently(run).map_err(|error| self.failure_of_theirs(&error, statement))?;
        points::at(points::EXECUTED);
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
        let mut found = SqlRows::default();
        // Everything in one batch.
        let _count =
            self.read(statement, values, (rows_max, bytes_max, usize::MAX), &mut |all| {
                found = all;
                Ok(())
            })?;
        Ok(found)
    }

    fn stream(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        (rows_max, bytes_max, batch_rows): (u64, u64, usize),
        take: &mut dyn FnMut(SqlRows) -> Result<(), SqlFailure>,
    ) -> Result<u64, SqlFailure> {
        self.read(statement, values, (rows_max, bytes_max, batch_rows.max(1)), take)
    }

    fn schema_digest(&mut self, objects: &[String]) -> Result<Option<Digest>, SqlFailure> {
        self.as_host(|connection| schema::digest(connection, objects))
            .map(Some)
            .map_err(|error| self.failure(&error, ""))
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        let labels = [points::MARKER_WRITTEN, points::COMMIT_SENT];
        self.commit_with(&marker.id, labels, |connection| marker::write(connection, marker))?;
        points::at(points::COMMIT_CONFIRMED);
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        points::at(points::ROLLING_BACK);
        self.as_host(|connection| connection.execute_batch("ROLLBACK"))
            .map_err(|error| self.failure(&error, ""))?;
        points::at(points::ROLLED_BACK);
        Ok(())
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        match self.as_host(|connection| marker::read(connection, id)) {
            Ok(true) => return Ok(Some(true)),
            Ok(false) => {}
            // A writer that was killed left a journal, which only a writer can roll back.
            Err(error) if is_unreadable(&error) => {}
            Err(error) => return Err(self.failure(&error, "")),
        }
        self.ask_locked(id, |connection| marker::read(connection, id))
    }

    fn commit_step(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        let labels = [points::STEP_WRITTEN, points::STEP_SENT];
        self.commit_with(&mark.id, labels, |connection| steps::write(connection, mark))?;
        points::at(points::STEP_CONFIRMED);
        Ok(())
    }

    fn execute_alone(&mut self, _statement: &str, _mark: &StepMark) -> Result<u64, CommitFailure> {
        let why = "SQLite runs every statement in a transaction: none needs to run alone";
        Err(CommitFailure::NotCommitted(SqlFailure::Refused(why.to_owned())))
    }

    fn steps(&mut self, id: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        self.ask_locked(id, |connection| steps::read(connection, id))
    }

    fn can_keep(&mut self, touch: &Touch) -> Result<Keepable, SqlFailure> {
        Ok(match self.table_to_keep(touch)? {
            Ok(_) => Keepable::Yes,
            Err(why) => Keepable::No(why),
        })
    }

    fn execute_kept(
        &mut self,
        statement: &str,
        (touch, mark): (&Touch, &StepMark),
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        self.keep(statement, (touch, mark), rows_max)
    }

    fn inverse(&mut self, of: &Attempt, most: (u64, u64)) -> Result<Vec<String>, SqlFailure> {
        let found = self.as_host(|connection| kept::read(connection, of, most));
        found.map_err(|error| self.failure(&error, ""))?
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
