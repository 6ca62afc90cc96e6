//! The session that a host sees: it blocks, and the work behind it does not.

use placet_core::digest::Digest;
use placet_core::runner::JobId;
use placet_target::{
    Access, Attempt, CommitFailure, Keepable, Marker, SqlFailure, SqlRows, SqlSession, SqlValue,
    StepMark, StepSeen, StopSignal, Touch,
};

use crate::engine::Engine;
use crate::fault::refused;
use crate::guard;
use crate::rows::Reading;
use crate::target::Settings;
use crate::work::Work;

/// One session on a database.
#[derive(Debug)]
pub(crate) struct PostgresSession {
    engine: Engine,
    work: Work,
}

impl PostgresSession {
    pub(crate) fn open(
        settings: &Settings,
        access: Access,
        stop: &StopSignal,
    ) -> Result<Self, SqlFailure> {
        let engine = Engine::start()?;
        let work = engine.wait(Work::open(settings, access, stop))??;
        Ok(Self { engine, work })
    }

    /// Whether somebody said stop before anything was sent.
    fn may_go_on(&self) -> Result<(), SqlFailure> {
        match self.work.link.stop.raised() {
            Some(reason) => Err(SqlFailure::Stopped(reason)),
            None => Ok(()),
        }
    }

    /// Does `work` between the beginning and the end of reading.
    fn reading<T>(
        &mut self,
        work: impl FnOnce(&Engine, &mut Work) -> Result<T, SqlFailure>,
    ) -> Result<T, SqlFailure> {
        self.may_go_on()?;
        let Self { engine, work: session } = self;
        engine.wait(session.begin_reading())??;
        let read = work(engine, session);
        let ended = engine.wait(session.end_reading())?;
        let read = read?;
        ended?;
        Ok(read)
    }
}

/// What a call that could not be done to its end means for a commit.
fn unfinished(failure: &SqlFailure) -> CommitFailure {
    CommitFailure::Lost(failure.message())
}

/// Hands over batches until there are none.
fn hand_over(
    engine: &Engine,
    work: &Work,
    reading: &mut Reading,
    (batch_rows, take): (usize, &mut dyn FnMut(SqlRows) -> Result<(), SqlFailure>),
) -> Result<u64, SqlFailure> {
    loop {
        let (batch, is_last) = engine.wait(work.read_batch(reading, batch_rows))??;
        take(batch)?;
        if is_last {
            return Ok(reading.count());
        }
    }
}

impl SqlSession for PostgresSession {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        self.may_go_on()?;
        self.engine.wait(self.work.begin())?
    }

    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        self.may_go_on()?;
        self.engine.wait(self.work.execute(statement, values))?
    }

    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
        bytes_max: u64,
    ) -> Result<SqlRows, SqlFailure> {
        let mut found = SqlRows::default();
        let mut keep = |batch: SqlRows| {
            if found.columns.is_empty() {
                (found.columns, found.origins) = (batch.columns, batch.origins);
            }
            found.rows.extend(batch.rows);
            Ok(())
        };
        let _count = self.stream(statement, values, (rows_max, bytes_max, 1_024), &mut keep)?;
        Ok(found)
    }

    fn stream(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        (rows_max, bytes_max, batch_rows): (u64, u64, usize),
        take: &mut dyn FnMut(SqlRows) -> Result<(), SqlFailure>,
    ) -> Result<u64, SqlFailure> {
        let statement = guard::read(statement)?;
        if !statement.is_query() {
            return Err(refused("a query must not write"));
        }
        self.reading(|engine, work| {
            let limits = (rows_max, bytes_max);
            let mut reading = engine.wait(work.start_reading(&statement, values, limits))??;
            let given = hand_over(engine, work, &mut reading, (batch_rows, take));
            engine.wait(work.stop_reading(reading))?;
            given
        })
    }

    fn estimate(&mut self, statement: &str) -> Result<Option<u64>, SqlFailure> {
        let statement = guard::read(statement)?;
        self.reading(|engine, work| engine.wait(work.estimate(&statement))?)
    }

    fn schema_digest(&mut self, objects: &[String]) -> Result<Option<Digest>, SqlFailure> {
        self.reading(|engine, work| engine.wait(work.schema_digest(objects))?.map(Some))
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        let done = self.engine.wait(self.work.commit(marker));
        done.unwrap_or_else(|failure| Err(unfinished(&failure)))
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        self.engine.wait(self.work.rollback())?
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        self.may_go_on()?;
        self.engine.wait(self.work.marker(id))?
    }

    fn commit_step(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        let done = self.engine.wait(self.work.commit_step(mark));
        done.unwrap_or_else(|failure| Err(unfinished(&failure)))
    }

    fn execute_alone(&mut self, statement: &str, mark: &StepMark) -> Result<u64, CommitFailure> {
        let done = self.engine.wait(self.work.execute_alone(statement, mark));
        done.unwrap_or_else(|failure| Err(unfinished(&failure)))
    }

    fn steps(&mut self, id: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        self.may_go_on()?;
        self.engine.wait(self.work.steps(id))?
    }

    fn can_keep(&mut self, touch: &Touch) -> Result<Keepable, SqlFailure> {
        self.reading(|engine, work| engine.wait(work.can_keep(touch))?)
    }

    fn execute_kept(
        &mut self,
        statement: &str,
        (touch, mark): (&Touch, &StepMark),
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        self.may_go_on()?;
        self.engine.wait(self.work.execute_kept(statement, (touch, mark), rows_max))?
    }

    fn inverse(&mut self, of: &Attempt, most: (u64, u64)) -> Result<Vec<String>, SqlFailure> {
        self.may_go_on()?;
        self.engine.wait(self.work.inverse(of, most))?
    }
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        // Who comes next should not have to wait until the server notices.
        drop(self.engine.wait(self.work.end()));
    }
}
