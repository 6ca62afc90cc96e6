//! The done marks of steps: our own proof, in the target's own transaction, that one step was committed.

use placet_core::runner::JobId;
use rusqlite::{Connection, params};

use crate::marker::has_table;
use placet_target::{StepMark, StepSeen, StepState};

/// The name of the table.
pub(super) const TABLE: &str = "placet_step";

/// Writes the row in the open transaction. A second row for the same step is an error.
pub(super) fn write(connection: &Connection, mark: &StepMark) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS main.placet_step (
            request TEXT NOT NULL,
            revision INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            step TEXT NOT NULL,
            fence INTEGER NOT NULL,
            digest TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (request, revision, attempt, step)
        ) WITHOUT ROWID",
    )?;
    connection.execute(
        "INSERT INTO main.placet_step (request, revision, attempt, step, fence, digest, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            mark.id.request.to_string(),
            mark.id.revision,
            mark.id.attempt,
            mark.step,
            i64::try_from(mark.id.fence).unwrap_or(i64::MAX),
            mark.digest.to_string(),
            mark.at.to_string(),
        ],
    )?;
    Ok(())
}

/// The steps that were committed. No step is ever only intended: every statement runs in a transaction.
pub(super) fn read(connection: &Connection, id: &JobId) -> rusqlite::Result<Vec<StepSeen>> {
    if !has_table(connection, TABLE)? {
        return Ok(Vec::new());
    }
    let mut query = connection.prepare(
        "SELECT step FROM main.placet_step WHERE request = ?1 AND revision = ?2 AND attempt = ?3",
    )?;
    let steps = query
        .query_map(params![id.request.to_string(), id.revision, id.attempt], |row| row.get(0))?;
    steps.map(|step| Ok(StepSeen { step: step?, state: StepState::Done })).collect()
}
