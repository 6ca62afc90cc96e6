//! The statements that put back what an attempt changed, kept in the target's own transaction.

use rusqlite::{Connection, params};

use crate::marker::has_table;
use placet_target::{Attempt, StepMark};

/// The name of the table.
pub(super) const TABLE: &str = "placet_kept";

/// Keeps the statements in the open transaction, after those of the same attempt that are there.
pub(super) fn write(
    connection: &Connection,
    mark: &StepMark,
    statements: &[String],
) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS main.placet_kept (
            request TEXT NOT NULL,
            revision INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            place INTEGER NOT NULL,
            step TEXT NOT NULL,
            inverse TEXT NOT NULL,
            PRIMARY KEY (request, revision, attempt, place)
        ) WITHOUT ROWID",
    )?;
    let (request, revision, attempt) =
        (mark.id.request.to_string(), mark.id.revision, mark.id.attempt);
    let last: i64 = connection.query_row(
        "SELECT coalesce(max(place), 0) FROM main.placet_kept
         WHERE request = ?1 AND revision = ?2 AND attempt = ?3",
        params![request, revision, attempt],
        |row| row.get(0),
    )?;
    let mut insert = connection.prepare(
        "INSERT INTO main.placet_kept (request, revision, attempt, place, step, inverse)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (place, inverse) in (last.saturating_add(1)..).zip(statements) {
        insert.execute(params![request, revision, attempt, place, mark.step, inverse])?;
    }
    Ok(())
}

/// The statements of an attempt, the last change first; none where there are more, or longer ones, than that.
pub(super) fn read(
    connection: &Connection,
    of: &Attempt,
    (rows_max, bytes_max): (u64, u64),
) -> rusqlite::Result<Option<Vec<String>>> {
    if !has_table(connection, TABLE)? {
        return Ok(Some(Vec::new()));
    }
    let mut query = connection.prepare(
        "SELECT inverse FROM main.placet_kept
         WHERE request = ?1 AND revision = ?2 AND attempt = ?3 ORDER BY place DESC LIMIT ?4",
    )?;
    let most = i64::try_from(rows_max.saturating_add(1)).unwrap_or(i64::MAX);
    let found = query
        .query_map(params![of.request.to_string(), of.revision, of.attempt, most], |row| {
            row.get::<_, String>(0)
        })?;
    let (mut statements, mut rows_left, mut bytes_left) = (Vec::new(), rows_max, bytes_max);
    for statement in found {
        let statement = statement?;
        let bytes = u64::try_from(statement.len()).unwrap_or(u64::MAX);
        let (Some(fewer), Some(shorter)) =
            (rows_left.checked_sub(1), bytes_left.checked_sub(bytes))
        else {
            return Ok(None);
        };
        (rows_left, bytes_left) = (fewer, shorter);
        statements.push(statement);
    }
    Ok(Some(statements))
}
