//! One session of a target.

use core::fmt;

use placet_core::digest::Digest;
use placet_core::runner::JobId;

use crate::{
    Attempt, CommitFailure, Keepable, Marker, SqlFailure, SqlRows, SqlValue, StepMark, StepSeen,
    Touch,
};

/// One session. Dropped without [`Self::commit`], everything is undone.
///
/// ```
/// use placet_target::{Access, SqlTarget, SqlValue, StopSignal};
/// use placet_target_sqlite::SqliteTarget;
///
/// # use placet_core::{id::{RequestId, RunId}, runner::JobId};
/// # let (request, run) = (RequestId::from_u128(1), RunId::from_u128(2));
/// # let file = tempfile::NamedTempFile::new().unwrap();
/// let id = JobId { request, revision: 1, attempt: 1, fence: 1, run };
/// let target = SqliteTarget::new(file.path());
/// let mut session = target.open(Access::ReadWrite(id), &StopSignal::new())?;
/// session.begin()?;
/// session.execute("CREATE TABLE orders (cents INTEGER)", &[])?;
/// assert_eq!(session.execute("INSERT INTO orders VALUES (?)", &[SqlValue::Int64(100)])?, 1);
/// session.rollback()?;
/// assert!(session.query("SELECT * FROM orders", &[], 10, 1_024).is_err(), "no such table any more");
/// # Ok::<(), placet_target::SqlFailure>(())
/// ```
pub trait SqlSession: Send + fmt::Debug {
    /// Begins the one transaction, and takes the locks that writing needs.
    fn begin(&mut self) -> Result<(), SqlFailure>;

    /// Executes one statement in the open transaction and returns the rows it changed. Refuses more than
    /// one statement and whatever begins or ends a transaction, or touches the marker table.
    fn execute(&mut self, statement: &str, values: &[SqlValue]) -> Result<u64, SqlFailure>;

    /// Runs one statement that only reads. More than `rows_max` rows, or more than `bytes_max` bytes (names
    /// of columns, and values as [`SqlValue::bytes`] counts them), are [`SqlFailure::Limit`]; count while
    /// reading, so that no more than that is ever held.
    fn query(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        rows_max: u64,
        bytes_max: u64,
    ) -> Result<SqlRows, SqlFailure>;

    /// Runs one statement that only reads, and hands over what it answers in batches of at most `batch_rows` rows, each
    /// as it comes: no more than one batch is held. An error of `take` ends it and comes back. A query without rows hands
    /// over one empty batch, for the names of its columns. Returns the number of rows.
    ///
    /// The default reads everything at once by [`Self::query`].
    fn stream(
        &mut self,
        statement: &str,
        values: &[SqlValue],
        (rows_max, bytes_max, batch_rows): (u64, u64, usize),
        take: &mut dyn FnMut(SqlRows) -> Result<(), SqlFailure>,
    ) -> Result<u64, SqlFailure> {
        let SqlRows { columns, origins, rows } =
            self.query(statement, values, rows_max, bytes_max)?;
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let mut rows = rows.into_iter();
        loop {
            let batch: Vec<_> = rows.by_ref().take(batch_rows.max(1)).collect();
            let (columns, origins) = (columns.clone(), origins.clone());
            let is_last = rows.len() == 0;
            take(SqlRows { columns, origins, rows: batch })?;
            if is_last {
                return Ok(count);
            }
        }
    }

    /// How many rows the database expects that `statement` reads or changes (EXPLAIN), without running it. `None` where it
    /// does not say.
    fn estimate(&mut self, statement: &str) -> Result<Option<u64>, SqlFailure> {
        let _ = statement;
        Ok(None)
    }

    /// A digest of how `objects` are made now: columns, types, constraints, indexes, triggers. Names as a statement
    /// writes them in lower case and without quotes, with the schema where it names one; those that are not there count
    /// too. Without any name, the digest of everything a user made. `None` where the target cannot tell, and then
    /// drift between plan and run goes unnoticed.
    fn schema_digest(&mut self, objects: &[String]) -> Result<Option<Digest>, SqlFailure> {
        let _ = objects;
        Ok(None)
    }

    /// Writes the marker row in the open transaction and commits it.
    fn commit(&mut self, marker: &Marker) -> Result<(), CommitFailure>;

    /// Undoes the open transaction. Without one, does nothing.
    fn rollback(&mut self) -> Result<(), SqlFailure>;

    /// Whether the transaction of this attempt was committed: `Some(true)` it was, `Some(false)` it was not
    /// and no session that is still alive can do it any more, `None` nobody can tell.
    fn marker(&mut self, id: &JobId) -> Result<Option<bool>, SqlFailure>;

    /// Writes the done mark of one step in the open transaction and commits both: the step took effect and is marked, or
    /// neither. For plans whose steps are committed one by one.
    ///
    /// The default commits nothing.
    fn commit_step(&mut self, mark: &StepMark) -> Result<(), CommitFailure> {
        let _ = mark;
        Err(CommitFailure::NotCommitted(steps_unsupported()))
    }

    /// Runs one statement that refuses a transaction: commits the intent mark, runs it, commits the done mark. Returns
    /// the rows that it changed. Refuses what [`Self::execute`] refuses.
    ///
    /// [`CommitFailure::NotCommitted`] says that it is known to have had no effect; then the intent mark is taken away
    /// again, and where that fails it is [`CommitFailure::Lost`] too. The default runs nothing.
    fn execute_alone(&mut self, statement: &str, mark: &StepMark) -> Result<u64, CommitFailure> {
        let _ = (statement, mark);
        Err(CommitFailure::NotCommitted(steps_unsupported()))
    }

    /// The marks of the steps of this attempt, in no order; `None` where nobody can tell, because a session of the attempt
    /// may still be alive.
    fn steps(&mut self, id: &JobId) -> Result<Option<Vec<StepSeen>>, SqlFailure> {
        let _ = id;
        Ok(None)
    }

    /// Whether [`Self::execute_kept`] could put back what a statement of this kind changes. Reads the schema alone.
    fn can_keep(&mut self, touch: &Touch) -> Result<Keepable, SqlFailure> {
        let _ = touch;
        Ok(Keepable::No("this target keeps no rows".to_owned()))
    }

    /// Executes one statement in the open transaction and keeps, in the same transaction, what putting its rows back
    /// takes: the statements that [`Self::inverse`] answers. At most `rows_max` rows. Whatever it cannot keep exactly
    /// (another number of rows changed than were kept, a row without a key) is an error, and the host rolls back.
    ///
    /// The default executes nothing: what cannot be kept does not run.
    fn execute_kept(
        &mut self,
        statement: &str,
        (touch, mark): (&Touch, &StepMark),
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        let _ = (statement, touch, mark, rows_max);
        Err(SqlFailure::Refused("this target keeps no rows".to_owned()))
    }

    /// The statements that put back what a committed attempt changed, in the order in which they must run. Each
    /// changes exactly one row, and only while that row is as the attempt left it (else none). Empty where nothing was
    /// kept. More than `rows_max` statements, or more than `bytes_max` bytes of them together, are [`SqlFailure::Limit`];
    /// count while reading, so that no more than that is ever held.
    fn inverse(
        &mut self,
        of: &Attempt,
        (rows_max, bytes_max): (u64, u64),
    ) -> Result<Vec<String>, SqlFailure> {
        let _ = (of, rows_max, bytes_max);
        Ok(Vec::new())
    }
}

fn steps_unsupported() -> SqlFailure {
    SqlFailure::Refused("this target runs statements in one transaction only".to_owned())
}
