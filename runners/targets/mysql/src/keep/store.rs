//! Where the statements that put rows back stand: beside the rows, in the same transaction.

use core::fmt::Write as _;

use placet_target::{Attempt, KEPT_BYTES_MAX, StepMark};

use crate::failure::code;
use crate::marks::{literal, of_attempt};
use crate::wire::{Client, Fault};

/// About how many bytes one statement of ours writes.
const BYTES_AT_ONCE: usize = 1 << 19;

/// What a row of an answer has beside its text, at most.
const ROW_BYTES: u64 = 9;

fn length(inverse: &str) -> u64 {
    u64::try_from(inverse.len()).unwrap_or(u64::MAX).saturating_add(ROW_BYTES)
}

/// Writes them in the open transaction, after those that are there.
pub(super) fn write(
    client: &mut Client,
    mark: &StepMark,
    inverses: &[String],
) -> Result<(), Fault> {
    let id = &mark.id;
    let last = client.rows(&format!(
        "SELECT COALESCE(MAX(place), 0), COALESCE(SUM(LENGTH(inverse) + {ROW_BYTES}), 0) \
         FROM placet_kept WHERE {} FOR UPDATE",
        of_attempt(id)
    ))?;
    let number = |at: usize| {
        let text = last.first()?.get(at)?.as_deref()?;
        core::str::from_utf8(text).ok()?.parse::<u64>().ok()
    };
    let (Some(mut place), Some(kept)) = (number(0), number(1)) else {
        return Err(Fault::Malformed);
    };
    let bytes = inverses.iter().map(|inverse| length(inverse)).fold(kept, u64::saturating_add);
    if bytes > KEPT_BYTES_MAX {
        // More could not be read back.
        let why = "what puts the rows of the attempt back has more than";
        return Err(Fault::Limit(format!("{why} {KEPT_BYTES_MAX} bytes")));
    }
    let step = literal(&mark.step);
    let mut rest = inverses.iter().peekable();
    while rest.peek().is_some() {
        let mut rows = String::new();
        let mut count = 0_u64;
        while rows.len() < BYTES_AT_ONCE
            && let Some(inverse) = rest.next()
        {
            place = place.saturating_add(1);
            count = count.saturating_add(1);
            if !rows.is_empty() {
                rows.push_str(", ");
            }
            let (request, revision, attempt) = (id.request, id.revision, id.attempt);
            let inverse = literal(inverse);
            let _always =
                write!(rows, "('{request}', {revision}, {attempt}, {place}, {step}, {inverse})");
        }
        let done = client.run(&format!(
            "INSERT INTO placet_kept (request, revision, attempt, place, step, inverse) VALUES {rows}"
        ))?;
        if done.changed != count {
            return Err(Fault::Malformed);
        }
    }
    Ok(())
}

/// Those of a committed attempt, the last one first.
pub(super) fn read(
    client: &mut Client,
    of: &Attempt,
    (max, bytes_max): (u64, u64),
) -> Result<Vec<String>, Fault> {
    let Attempt { request, revision, attempt } = of;
    let sql = format!(
        "SELECT inverse FROM placet_kept WHERE request = '{request}' AND revision = {revision} \
         AND attempt = {attempt} ORDER BY place DESC"
    );
    let rows = match client.rows_up_to(&sql, max, &mut bytes_max.min(KEPT_BYTES_MAX)) {
        Err(Fault::Server { code: code::NO_SUCH_TABLE, .. }) => return Ok(Vec::new()),
        rows => rows?,
    };
    rows.into_iter()
        .map(|row| {
            let text = row.into_iter().next().flatten().ok_or(Fault::Malformed)?;
            String::from_utf8(text).map_err(|_| Fault::Malformed)
        })
        .collect()
}
