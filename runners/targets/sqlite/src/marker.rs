//! The marker row: our own proof, in the target's own transaction, that an attempt was committed.

use placet_core::runner::JobId;
use rusqlite::{Connection, OptionalExtension as _, params};

use placet_target::Marker;

/// The name of the marker table.
pub(super) const TABLE: &str = "placet_marker";

/// Writes the row in the open transaction. A second row for the same attempt is an error, so that not even
/// two hosts with the same job can both commit.
pub(super) fn write(connection: &Connection, marker: &Marker) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS main.placet_marker (
            request TEXT NOT NULL,
            revision INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            fence INTEGER NOT NULL,
            digest TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (request, revision, attempt)
        ) WITHOUT ROWID",
    )?;
    connection.execute(
        "INSERT INTO main.placet_marker (request, revision, attempt, fence, digest, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            marker.id.request.to_string(),
            marker.id.revision,
            marker.id.attempt,
            i64::try_from(marker.id.fence).unwrap_or(i64::MAX),
            marker.digest.to_string(),
            marker.at.to_string(),
        ],
    )?;
    Ok(())
}

/// Whether a table of ours is there.
pub(super) fn has_table(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let found = connection
        .query_row(
            "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ?1",
            [table],
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
}

/// Whether the row is there.
pub(super) fn read(connection: &Connection, id: &JobId) -> rusqlite::Result<bool> {
    if !has_table(connection, TABLE)? {
        return Ok(false);
    }
    let row = connection
        .query_row(
            "SELECT 1 FROM main.placet_marker WHERE request = ?1 AND revision = ?2 AND attempt = ?3",
            params![id.request.to_string(), id.revision, id.attempt],
            |_| Ok(()),
        )
        .optional()?;
    Ok(row.is_some())
}
