//! Drivers that must not pass: each forgets one promise of the driver that it wraps.

use std::sync::Arc;

use placet_core::digest::Digest;
use placet_core::runner::JobId;

use crate::{
    Access, Attempt, CommitFailure, Keepable, Marker, Origin, SqlFailure, SqlRows, SqlSession,
    SqlTarget, SqlValue, StepMark, StepSeen, StopSignal, Touch, TouchKind,
};

/// What a [`Broken`] driver does wrong.
///
/// ```
/// use placet_target::testing::Fault;
/// assert!(Fault::ALL.contains(&Fault::ForgetsMarker));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Commits without the marker of the attempt.
    ForgetsMarker,
    /// Says that an attempt was not committed while its session still can.
    DeniesWhileAlive,
    /// Keeps the rows after the statement instead of before.
    KeepsAfterwards,
    /// Commits a step without its mark.
    ForgetsStep,
    /// Runs each statement of a text.
    RunsSecondStatement,
    /// Answers the statements of an inverse in the order in which the rows were changed.
    PutsBackInWrongOrder,
    /// Leaves out the last statement of an inverse.
    LosesRowsOfInverse,
    /// Writes in a session that only reads.
    WritesWhileReading,
    /// Reads without a limit.
    ReadsEverything,
    /// Does not look at the stop signal.
    DoesNotStop,
    /// Hands over all batches but the first.
    LosesBatches,
    /// Says of every column that it comes from the first one's table.
    MistellsOrigins,
    /// Says the same of every schema.
    SeesNoDrift,
    /// Commits when the session ends.
    CommitsAtEnd,
    /// Commits whatever attempt it is told.
    CommitsForOthers,
}

impl Fault {
    /// Every fault.
    pub const ALL: &[Self] = &[
        Self::ForgetsMarker,
        Self::DeniesWhileAlive,
        Self::KeepsAfterwards,
        Self::ForgetsStep,
        Self::RunsSecondStatement,
        Self::PutsBackInWrongOrder,
        Self::LosesRowsOfInverse,
        Self::WritesWhileReading,
        Self::ReadsEverything,
        Self::DoesNotStop,
        Self::LosesBatches,
        Self::MistellsOrigins,
        Self::SeesNoDrift,
        Self::CommitsAtEnd,
        Self::CommitsForOthers,
    ];
}

/// A driver that does one thing wrong.
///
/// ```
/// use std::sync::Arc;
/// use placet_target::testing::{Broken, Fault};
/// use placet_target::{Access, SqlTarget, StopSignal};
/// # use placet_core::{id::{RequestId, RunId}, runner::JobId};
/// # use placet_target_sqlite::SqliteTarget;
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// # let target = Arc::new(SqliteTarget::new(file.path()));
/// let broken = Broken::new(target, Fault::RunsSecondStatement);
/// # let (request, run) = (RequestId::from_u128(1), RunId::from_u128(2));
/// let id = JobId { request, revision: 1, attempt: 1, fence: 1, run };
/// let mut session = broken.open(Access::ReadWrite(id), &StopSignal::new())?;
/// session.begin()?;
/// session.execute("CREATE TABLE a (n INTEGER); CREATE TABLE b (n INTEGER)", &[])?;
/// # Ok::<(), placet_target::SqlFailure>(())
/// ```
#[derive(Clone, Debug)]
pub struct Broken {
    inner: Arc<dyn SqlTarget>,
    fault: Option<Fault>,
    rewrite: fn(&str) -> String,
}

impl Broken {
    /// Breaks `inner`.
    pub fn new(inner: Arc<dyn SqlTarget>, fault: Fault) -> Self {
        Self { inner, fault: Some(fault), rewrite: str::to_owned }
    }

    /// Breaks the statements of the inverse of `inner`, for example by taking their guard away.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use placet_target::testing::Broken;
    /// # let target = Arc::new(placet_target_sqlite::SqliteTarget::new("orders.db"));
    /// let unguarded = Broken::with_inverse(target, |sql| {
    ///     sql.split(" AND ").next().unwrap_or_default().to_owned()
    /// });
    /// ```
    pub fn with_inverse(inner: Arc<dyn SqlTarget>, rewrite: fn(&str) -> String) -> Self {
        Self { inner, fault: None, rewrite }
    }
}

impl SqlTarget for Broken {
    fn dialect(&self) -> &str {
        self.inner.dialect()
    }

    fn open(&self, access: Access, stop: &StopSignal) -> Result<Box<dyn SqlSession>, SqlFailure> {
        let (mut asked, mut stop) = (access, stop.clone());
        if self.fault == Some(Fault::WritesWhileReading) && access == Access::ReadOnly {
            let nobody = JobId { attempt: 0, ..super::exam::fresh_id() };
            asked = Access::ReadWrite(nobody);
        }
        if self.fault == Some(Fault::DoesNotStop) {
            stop = StopSignal::new();
        }
        let inner = self.inner.open(asked, &stop)?;
        Ok(Box::new(BrokenSession { inner, fault: self.fault, rewrite: self.rewrite, access }))
    }
}

#[derive(Debug)]
struct BrokenSession {
    inner: Box<dyn SqlSession>,
    fault: Option<Fault>,
    rewrite: fn(&str) -> String,
    access: Access,
}

impl BrokenSession {
    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Work that nobody stops ends here as if it had been done, so that an examination ends too.
    fn would_run_forever(&self, statement: &str) -> bool {
        self.is(Fault::DoesNotStop) && statement.contains("CROSS JOIN")
    }
}

impl Drop for BrokenSession {
    fn drop(&mut self) {
        if self.is(Fault::CommitsAtEnd)
            && let Access::ReadWrite(own) = self.access
        {
            let _answer = self.inner.commit(&super::exam::marker(own));
        }
    }
}

impl SqlSession for BrokenSession {
    fn begin(&mut self) -> Result<(), SqlFailure> {
        self.inner.begin()
    }

    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure> {
        if self.would_run_forever(statement) {
            return Ok(0);
        }
        if self.is(Fault::RunsSecondStatement) {
            let mut rows = 0_u64;
            for part in statement.split(';').filter(|part| !part.trim().is_empty()) {
                rows = rows.saturating_add(self.inner.execute(part, values)?);
            }
            return Ok(rows);
        }
        self.inner.execute(statement, values)
    }

    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
        bytes_max: u64,
    ) -> Result<SqlRows, SqlFailure> {
        if self.would_run_forever(statement) {
            return Ok(SqlRows::default());
        }
        if self.is(Fault::ReadsEverything) {
            // As much as a test can hold.
            return self.inner.query(
                statement,
                values,
                rows_max.max(5_000),
                bytes_max.max(1 << 20),
            );
        }
        let mut found = self.inner.query(statement, values, rows_max, bytes_max)?;
        if self.is(Fault::MistellsOrigins) {
            let origin = Origin { table: "exam_orders".to_owned(), column: "state".to_owned() };
            found.origins = vec![Some(origin); found.columns.len()];
        }
        Ok(found)
    }

    fn stream(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        limits: (u64, u64, usize),
        take: &mut dyn FnMut(SqlRows) -> Result<(), SqlFailure>,
    ) -> Result<u64, SqlFailure> {
        if self.is(Fault::DoesNotStop) {
            // It must end some time.
            let (rows_max, bytes_max, batch_rows) = limits;
            let limits = (rows_max.min(5_000), bytes_max, batch_rows);
            return self.inner.stream(statement, values, limits, take);
        }
        let mut batches = 0_u64;
        let loses = self.is(Fault::LosesBatches);
        self.inner.stream(statement, values, limits, &mut |batch| {
            batches = batches.saturating_add(1);
            if loses && batches > 1 { Ok(()) } else { take(batch) }
        })
    }

    fn estimate(&mut self, statement: &str) -> Result<Option<u64>, SqlFailure> {
        self.inner.estimate(statement)
    }

    fn schema_digest(&mut self, objects: &[String]) -> Result<Option<Digest>, SqlFailure> {
        if self.is(Fault::SeesNoDrift) {
            return Ok(Some(Digest::of(b"")));
        }
        self.inner.schema_digest(objects)
    }

    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure> {
        if self.is(Fault::ForgetsMarker) {
            // A driver always marks something: a step that nobody asks for.
            return self.inner.commit_step(&super::exam::mark(marker.id, "forgotten"));
        }
        if let (true, Access::ReadWrite(id)) = (self.is(Fault::CommitsForOthers), self.access) {
            return self.inner.commit(&Marker { id, ..*marker });
        }
        self.inner.commit(marker)
    }

    fn rollback(&mut self) -> Result<(), SqlFailure> {
        self.inner.rollback()
    }

    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure> {
        let seen = self.inner.marker(id)?;
        Ok(if self.is(Fault::DeniesWhileAlive) { seen.or(Some(false)) } else { seen })
    }

    fn commit_step(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        if self.is(Fault::ForgetsStep) {
            // A driver always marks something: the whole attempt.
            return self.inner.commit(&super::exam::marker(mark.id));
        }
        if let (true, Access::ReadWrite(id)) = (self.is(Fault::CommitsForOthers), self.access) {
            return self.inner.commit_step(&StepMark { id, ..mark.clone() });
        }
        self.inner.commit_step(mark)
    }

    fn execute_alone(&mut self, statement: &str, mark: &StepMark) -> Result<u64, CommitFailure> {
        self.inner.execute_alone(statement, mark)
    }

    fn steps(&mut self, id: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        let seen = self.inner.steps(id)?;
        Ok(if self.is(Fault::DeniesWhileAlive) { seen.or(Some(Vec::new())) } else { seen })
    }

    fn can_keep(&mut self, touch: &Touch) -> Result<Keepable, SqlFailure> {
        self.inner.can_keep(touch)
    }

    fn execute_kept(
        &mut self,
        statement: &str,
        (touch, mark): (&Touch, &StepMark),
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        if self.is(Fault::KeepsAfterwards) && touch.kind != TouchKind::Insert {
            let rows = self.inner.execute(statement, &[])?;
            // The rows that it finds now are those that the statement left.
            let _late = self.inner.execute_kept(statement, (touch, mark), rows_max)?;
            return Ok(rows);
        }
        self.inner.execute_kept(statement, (touch, mark), rows_max)
    }

    fn inverse(&mut self, of: &Attempt, most: (u64, u64)) -> Result<Vec<String>, SqlFailure> {
        let mut statements = self.inner.inverse(of, most)?;
        if self.is(Fault::PutsBackInWrongOrder) {
            statements.reverse();
        }
        if self.is(Fault::LosesRowsOfInverse) {
            let _last = statements.pop();
        }
        Ok(statements.iter().map(|sql| (self.rewrite)(sql)).collect())
    }
}
