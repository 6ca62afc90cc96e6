//! One session.

mod transaction; // the one transaction, and how it ends
mod execute; // statements that change something
mod alone; // statements that no transaction can hold
mod read; // statements that only read
mod engines; // tables that no transaction holds

use core::fmt;
use std::collections::BTreeSet;

use placet_core::digest::Digest;
use placet_core::runner::JobId;
use placet_target::points::reached;
use placet_target::{
    Access, Attempt, CommitFailure, Keepable, Marker, SqlFailure, SqlRows, SqlSession, SqlValue,
    StepMark, StepSeen, StopSignal, Touch,
};

use crate::failure::{code, locked, of, refused, while_opening};
use crate::guard::{self, Purpose, Statement};
use crate::target::MySqlTarget;
use crate::wire::{Client, Fault};
use crate::{keep, marks, points, schema};

/// Where the transaction of a session is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// There is none.
    Idle,
    /// It is open.
    Open,
    /// It was open, and the server has undone it.
    Undone,
    /// It was open, and the server has ended it, nobody knows how.
    Unclear,
}

/// One session.
pub(crate) struct MySqlSession {
    target: MySqlTarget,
    pub(crate) client: Client,
    access: Access,
    stop: StopSignal,
    state: State,
    /// Tables that were looked at, and that a transaction holds.
    transactional: BTreeSet<(String, String)>,
}

impl fmt::Debug for MySqlSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlSession").field("access", &self.access).finish_non_exhaustive()
    }
}

impl MySqlSession {
    pub(crate) fn open(
        target: &MySqlTarget,
        access: Access,
        stop: &StopSignal,
    ) -> Result<Self, SqlFailure> {
        let mut client = target.connect(access != Access::ReadOnly, stop)?;
        reached(points::OPENED);
        match access {
            Access::ReadOnly => {
                for sql in ["SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY"] {
                    let _set = client.run(sql).map_err(while_opening)?;
                }
            }
            // A dry run leaves nothing behind: nobody needs to wait for it.
            Access::ReadWrite(JobId { attempt: 0, .. }) => {}
            Access::ReadWrite(id) => {
                let seconds = target.waits.lock_ms.div_ceil(1_000).max(1);
                match marks::lock(&mut client, &id, seconds) {
                    Ok(true) => {}
                    // The wait may be longer than a statement may take.
                    Ok(false) | Err(Fault::Server { code: code::TIMEOUT_OF_MARIADB, .. }) => {
                        return Err(locked());
                    }
                    Err(fault) => return Err(while_opening(fault)),
                }
                reached(points::LOCKED);
                marks::make_tables(&mut client).map_err(while_opening)?;
                reached(points::TABLES_READY);
            }
        }
        let (target, stop, state) = (target.clone(), stop.clone(), State::Idle);
        Ok(Self { target, client, access, stop, state, transactional: BTreeSet::new() })
    }

    /// The statement, if it may be used so.
    fn check<'a>(&self, text: &'a str, purpose: Purpose) -> Result<Statement<'a>, SqlFailure> {
        self.look()?;
        guard::check(text, purpose).map_err(refused)
    }

    fn look(&self) -> Result<(), SqlFailure> {
        self.stop.raised().map_or(Ok(()), |reason| Err(SqlFailure::Stopped(reason)))
    }

    /// Another connection to the same server, with the credential for writing.
    pub(crate) fn connect_beside(&self) -> Result<Client, SqlFailure> {
        self.target.connect(true, &self.stop)
    }

    /// Asks about an attempt over a connection that has its lock; `None` where somebody else has it.
    fn once_over<T>(
        &self,
        id: &JobId,
        ask: impl FnOnce(&mut Client) -> Result<T, Fault>,
    ) -> Result<Option<T>, SqlFailure> {
        // Not the one for reading: a replica may not have the row yet, and has locks of its own.
        let mut client = self.target.connect(true, &self.stop)?;
        let _set = client.run("SET SESSION TRANSACTION READ ONLY").map_err(of)?;
        if !marks::lock(&mut client, id, 0).map_err(of)? {
            return Ok(None);
        }
        ask(&mut client).map(Some).map_err(of)
    }
}

impl SqlSession for MySqlSession {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        self.begin_transaction()
    }

    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        let statement = self.check(statement, Purpose::Transaction)?;
        self.execute_checked(&statement, values)
    }

    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
        bytes_max: u64,
    ) -> Result<SqlRows, SqlFailure> {
        let mut found = SqlRows::default();
        let limits = (rows_max, bytes_max, usize::MAX);
        let _count = self.stream(statement, values, limits, &mut |rows| {
            found = rows;
            Ok(())
        })?;
        Ok(found)
    }

    fn stream(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        limits: (u64, u64, usize),
        take: &mut dyn FnMut(SqlRows) -> Result<(), SqlFailure>,
    ) -> Result<u64, SqlFailure> {
        let statement = self.check(statement, Purpose::Read)?;
        self.reading(|session| session.stream_checked(&statement, values, limits, take))
    }

    fn estimate(&mut self, statement: &str) -> Result<Option<u64>, SqlFailure> {
        let statement = self.check(statement, Purpose::Transaction)?;
        self.estimate_checked(&statement)
    }

    fn schema_digest(&mut self, objects: &[String]) -> Result<Option<Digest>, SqlFailure> {
        self.look()?;
        let digest = if self.access == Access::ReadOnly {
            // Who reads may see less (triggers, bodies): what is compared is seen with the same eyes.
            schema::digest(&mut self.connect_beside()?, objects)
        } else {
            let digest = schema::digest(&mut self.client, objects);
            return self.settled_if_open(digest).map(Some);
        };
        digest.map(Some).map_err(of)
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        let row = marks::marker_row(marker);
        self.commit_with(&marker.id, &row, |client| marks::has_marker(client, &marker.id))
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        self.undo()
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        // A committed mark stays: nobody needs to wait for the lock to see it.
        let mut client = self.target.connect(true, &self.stop)?;
        if marks::has_marker(&mut client, id).map_err(of)? {
            return Ok(Some(true));
        }
        drop(client);
        self.once_over(id, |client| marks::has_marker(client, id))
    }

    fn commit_step(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        let row = marks::step_row(mark, true);
        self.commit_with(&mark.id, &row, |client| marks::has_step(client, mark))
    }

    fn execute_alone(&mut self, statement: &str, mark: &StepMark) -> Result<u64, CommitFailure> {
        self.run_alone(statement, mark)
    }

    fn steps(&mut self, id: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        self.once_over(id, |client| marks::steps(client, id))
    }

    fn can_keep(&mut self, touch: &Touch) -> Result<Keepable, SqlFailure> {
        self.look()?;
        keep::can_keep(self, touch)
    }

    fn execute_kept(
        &mut self,
        statement: &str,
        (touch, mark): (&Touch, &StepMark),
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        let statement = self.check(statement, Purpose::Transaction)?;
        keep::execute(self, &statement, (touch, mark), rows_max)
    }

    fn inverse(&mut self, of: &Attempt, most: (u64, u64)) -> Result<Vec<String>, SqlFailure> {
        self.look()?;
        keep::inverse(self, of, most)
    }
}
