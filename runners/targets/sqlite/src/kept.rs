//! The statements that put back what an attempt changed, kept in the target's own transaction.

use rusqlite::{Connection, params};

use crate::marker::has_table;
use placet_target::{Attempt, KEPT_BYTES_MAX, SqlFailure, StepMark};

/// The name of the table.
pub(super) const TABLE: &str = "placet_kept";

/// Keeps the statements in the open transaction, after those of the same attempt that are there. Not, where all of them
/// have more bytes than can be read back.
pub(super) fn write(
    connection: &Connection,
    mark: &StepMark,
    statements: &[String],
) -> rusqlite::Result<Result<(), SqlFailure>> {
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
    let (last, kept): (i64, i64) = connection.query_row(
        "SELECT coalesce(max(place), 0), coalesce(sum(octet_length(inverse)), 0) FROM main.placet_kept
         WHERE request = ?1 AND revision = ?2 AND attempt = ?3",
        params![request, revision, attempt],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let lengths = statements.iter().map(|statement| length(statement.len()));
    let bytes = lengths.fold(kept.unsigned_abs(), u64::saturating_add);
    if bytes > KEPT_BYTES_MAX {
        return Ok(Err(too_long(KEPT_BYTES_MAX)));
    }
    let mut insert = connection.prepare(
        "INSERT INTO main.placet_kept (request, revision, attempt, place, step, inverse)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (place, inverse) in (last.saturating_add(1)..).zip(statements) {
        insert.execute(params![request, revision, attempt, place, mark.step, inverse])?;
    }
    Ok(Ok(()))
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn too_long(most: u64) -> SqlFailure {
    SqlFailure::Limit(format!("what puts the rows of the attempt back has more than {most} bytes"))
}

/// The statements of an attempt, the last change first. Each is counted before it is copied.
pub(super) fn read(
    connection: &Connection,
    of: &Attempt,
    (rows_max, bytes_max): (u64, u64),
) -> rusqlite::Result<Result<Vec<String>, SqlFailure>> {
    if !has_table(connection, TABLE)? {
        return Ok(Ok(Vec::new()));
    }
    let mut query = connection.prepare(
        "SELECT inverse FROM main.placet_kept
         WHERE request = ?1 AND revision = ?2 AND attempt = ?3 ORDER BY place DESC",
    )?;
    let mut rows = query.query(params![of.request.to_string(), of.revision, of.attempt])?;
    let most = bytes_max.min(KEPT_BYTES_MAX);
    let (mut found, mut room) = (Vec::new(), most);
    while let Some(row) = rows.next()? {
        if length(found.len()) >= rows_max {
            let why = format!("the attempt changed more than {rows_max} rows");
            return Ok(Err(SqlFailure::Limit(why)));
        }
        let inverse = row.get_ref(0)?.as_str()?;
        let Some(left) = room.checked_sub(length(inverse.len())) else {
            return Ok(Err(too_long(most)));
        };
        room = left;
        found.push(inverse.to_owned());
    }
    Ok(Ok(found))
}
