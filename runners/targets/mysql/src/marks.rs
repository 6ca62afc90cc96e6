//! What stands in the target once something was done, and the lock that says who may still do it.

use placet_core::digest::{Digest, to_hex};
use placet_core::runner::JobId;
use placet_target::{Marker, StepMark, StepSeen, StepState};

use crate::failure::code;
use crate::wire::{Client, Fault};

/// How each table is made. InnoDB, whatever the server's default is: a mark must not outlive its transaction.
const TABLES: [(&str, &str); 3] = [
    (
        "placet_marker",
        "request VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
         revision INT UNSIGNED NOT NULL, attempt INT UNSIGNED NOT NULL, fence BIGINT UNSIGNED NOT NULL, \
         digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
         committed_at VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
         PRIMARY KEY (request, revision, attempt)",
    ),
    (
        "placet_step",
        "request VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
         revision INT UNSIGNED NOT NULL, attempt INT UNSIGNED NOT NULL, \
         step VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
         fence BIGINT UNSIGNED NOT NULL, \
         digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
         begun_at VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
         is_done BOOLEAN NOT NULL, PRIMARY KEY (request, revision, attempt, step)",
    ),
    (
        "placet_kept",
        "request VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
         revision INT UNSIGNED NOT NULL, attempt INT UNSIGNED NOT NULL, place BIGINT UNSIGNED NOT NULL, \
         step VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
         inverse LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
         PRIMARY KEY (request, revision, attempt, place)",
    ),
];

/// Makes the tables that are missing. Commits implicitly: not inside a transaction.
pub(crate) fn make_tables(client: &mut Client) -> Result<(), Fault> {
    for (name, columns) in TABLES {
        let engine = client.rows(&format!(
            "SELECT engine FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = '{name}'"
        ))?;
        match engine.first().and_then(|row| row.first()) {
            Some(Some(engine)) if engine.eq_ignore_ascii_case(b"innodb") => {}
            Some(_) => return Err(Fault::Broken("a table of the marks is not kept by InnoDB")),
            None => {
                let _made = client.run(&format!(
                    "CREATE TABLE IF NOT EXISTS {name} ({columns}) ENGINE = InnoDB"
                ))?;
            }
        }
    }
    Ok(())
}

/// `text` as a literal, whatever is in it.
pub(crate) fn literal(text: &str) -> String {
    format!("CONVERT(X'{}' USING utf8mb4)", to_hex(text.as_bytes()))
}

/// The condition that means the rows of an attempt.
pub(crate) fn of_attempt(id: &JobId) -> String {
    format!(
        "request = '{}' AND revision = {} AND attempt = {}",
        id.request, id.revision, id.attempt
    )
}

/// The statement that writes the marker.
pub(crate) fn marker_row(marker: &Marker) -> String {
    let JobId { request, revision, attempt, fence, .. } = marker.id;
    let (digest, at) = (marker.digest, marker.at);
    format!(
        "INSERT INTO placet_marker (request, revision, attempt, fence, digest, committed_at) \
         VALUES ('{request}', {revision}, {attempt}, {fence}, '{digest}', '{at}')"
    )
}

/// The statement that writes the mark of a step.
pub(crate) fn step_row(mark: &StepMark, is_done: bool) -> String {
    let JobId { request, revision, attempt, fence, .. } = mark.id;
    let (step, digest, at) = (literal(&mark.step), mark.digest, mark.at);
    format!(
        "INSERT INTO placet_step (request, revision, attempt, step, fence, digest, begun_at, is_done) \
         VALUES ('{request}', {revision}, {attempt}, {step}, {fence}, '{digest}', '{at}', {is_done})"
    )
}

/// Whether the marker of an attempt is committed.
pub(crate) fn has_marker(client: &mut Client, id: &JobId) -> Result<bool, Fault> {
    let sql = format!("SELECT 1 FROM placet_marker WHERE {}", of_attempt(id));
    Ok(!rows_if_there(client, &sql)?.is_empty())
}

/// Whether the step of an attempt is committed as done.
pub(crate) fn has_step(client: &mut Client, mark: &StepMark) -> Result<bool, Fault> {
    let steps = steps(client, &mark.id)?;
    Ok(steps.contains(&StepSeen { step: mark.step.clone(), state: StepState::Done }))
}

/// The marks of the steps of an attempt.
pub(crate) fn steps(client: &mut Client, id: &JobId) -> Result<Vec<StepSeen>, Fault> {
    let sql = format!("SELECT step, is_done FROM placet_step WHERE {}", of_attempt(id));
    let rows = rows_if_there(client, &sql)?;
    rows.into_iter()
        .map(|row| {
            let [Some(step), Some(is_done)] = row.as_slice() else { return Err(Fault::Malformed) };
            let step = String::from_utf8(step.clone()).map_err(|_| Fault::Malformed)?;
            let state = if is_done == b"1" { StepState::Done } else { StepState::Intended };
            Ok(StepSeen { step, state })
        })
        .collect()
}

/// What a query of ours answers; nothing where its table is not there yet.
pub(crate) fn rows_if_there(
    client: &mut Client,
    sql: &str,
) -> Result<Vec<Vec<Option<Vec<u8>>>>, Fault> {
    match client.rows(sql) {
        Err(Fault::Server { code: code::NO_SUCH_TABLE, .. }) => Ok(Vec::new()),
        other => other,
    }
}

/// The name of the lock that a session of an attempt holds as long as it lives. Locks belong to the server, so the
/// database is part of the name; 64 letters are the most.
fn lock_of(id: &JobId) -> String {
    let parts = format!("{} {} {}", id.request, id.revision, id.attempt);
    let digest = Digest::of(parts.as_bytes()).to_string();
    let short = digest.get(..40).unwrap_or_default();
    format!("CONCAT('placet:', LEFT(SHA1(DATABASE()), 16), ':', LEFT('{short}', 40))")
}

fn says(client: &mut Client, sql: &str) -> Result<bool, Fault> {
    let rows = client.rows(sql)?;
    Ok(rows.first().and_then(|row| row.first()).is_some_and(|it| it.as_deref() == Some(b"1")))
}

/// Takes the lock of an attempt, if it becomes free in time.
pub(crate) fn lock(client: &mut Client, id: &JobId, seconds: u64) -> Result<bool, Fault> {
    says(client, &format!("SELECT GET_LOCK({}, {seconds})", lock_of(id)))
}

/// Whether this connection holds the lock.
pub(crate) fn is_locked_by_us(client: &mut Client, id: &JobId) -> Result<bool, Fault> {
    says(client, &format!("SELECT IS_USED_LOCK({}) = CONNECTION_ID()", lock_of(id)))
}
