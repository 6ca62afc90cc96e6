//! What a query answers, in batches as it comes.

use rusqlite::{Statement, params_from_iter};

use crate::session::SqliteSession;
use crate::values::{from_sqlite, length_of, to_sqlite};
use placet_target::{Origin, SqlFailure, SqlRows, SqlValue};

/// What takes the batches.
pub(super) type Take<'a> = &'a mut dyn FnMut(SqlRows) -> Result<(), SqlFailure>;

/// Words of queries that put the rows of several under the names of one. SQLite tells the origins of that one alone.
const MIXING: [&str; 4] = ["union", "intersect", "except", "values"];

/// The bytes that an answer may still have.
struct Left {
    bytes: u64,
    bytes_max: u64,
}

impl Left {
    fn take(&mut self, length: usize) -> Result<(), SqlFailure> {
        let bytes = u64::try_from(length).unwrap_or(u64::MAX);
        let left = self.bytes.checked_sub(bytes.saturating_add(SqlValue::OVERHEAD_BYTES));
        self.bytes = left.unwrap_or(0);
        left.map(drop).ok_or_else(|| {
            SqlFailure::Limit(format!("the query answers more than {} bytes", self.bytes_max))
        })
    }
}

impl SqliteSession {
    /// Hands over what a query answers, or says why that is too much. Each value is counted before it is copied.
    pub(super) fn read(
        &self,
        statement: &str,
        values: &[SqlValue],
        limits: (u64, u64, usize),
        take: Take<'_>,
    ) -> Result<u64, SqlFailure> {
        let statement = self.check(statement)?;
        let mut is_handed_over = false;
        let answer = self.patiently(|| {
            let mut noted = |batch: SqlRows| {
                is_handed_over = true;
                take(batch)
            };
            match self.read_once(statement, values, limits, &mut noted) {
                // What was handed over once must not come again.
                Err(error) if is_handed_over => Ok(Err(self.failure_of_theirs(&error, statement))),
                answer => answer,
            }
        });
        answer.map_err(|error| self.failure_of_theirs(&error, statement))?
    }

    fn read_once(
        &self,
        statement: &str,
        values: &[SqlValue],
        (rows_max, bytes_max, batch_rows): (u64, u64, usize),
        take: Take<'_>,
    ) -> rusqlite::Result<Result<u64, SqlFailure>> {
        let mut prepared = self.prepare_noting(statement)?;
        if !prepared.readonly() {
            return Ok(Err(SqlFailure::Refused("a query must not write".to_owned())));
        }
        let columns: Vec<String> = prepared.column_names().map(ToOwned::to_owned).collect();
        let origins = self.origins(&prepared, statement)?;
        let mut left = Left { bytes: bytes_max, bytes_max };
        if let Err(limit) = columns.iter().try_for_each(|name| left.take(name.len())) {
            return Ok(Err(limit));
        }
        let empty = SqlRows { columns, origins, rows: Vec::new() };
        let mut batch = empty.clone();
        let (mut count, mut is_handed_over) = (0_u64, false);
        let mut rows = prepared.query(params_from_iter(values.iter().map(to_sqlite)))?;
        while let Some(row) = rows.next()? {
            if count >= rows_max {
                let why = format!("the query answers more than {rows_max} rows");
                return Ok(Err(SqlFailure::Limit(why)));
            }
            count = count.saturating_add(1);
            let mut copied = Vec::with_capacity(empty.columns.len());
            for at in 0..empty.columns.len() {
                let value = row.get_ref(at)?;
                if let Err(limit) = left.take(length_of(value)) {
                    return Ok(Err(limit));
                }
                copied.push(from_sqlite(value));
            }
            batch.rows.push(copied);
            if batch.rows.len() >= batch_rows {
                is_handed_over = true;
                if let Err(failure) = take(core::mem::replace(&mut batch, empty.clone())) {
                    return Ok(Err(failure));
                }
                if let Some(reason) = self.stop.raised() {
                    return Ok(Err(SqlFailure::Stopped(reason)));
                }
            }
        }
        if !is_handed_over || !batch.rows.is_empty() {
            return Ok(take(batch).map(|()| count));
        }
        Ok(Ok(count))
    }

    /// Where the columns come from. None at all where the rows of several queries come under one name.
    fn origins(
        &self,
        prepared: &Statement<'_>,
        statement: &str,
    ) -> rusqlite::Result<Vec<Option<Origin>>> {
        if mixes(statement) || (self.guard.saw_view() && self.has_mixing_view()?) {
            return Ok(Vec::new());
        }
        Ok((0..prepared.column_count()).map(|at| origin(prepared, at)).collect())
    }

    fn has_mixing_view(&self) -> rusqlite::Result<bool> {
        self.guard.as_host(|| {
            let views = "SELECT sql FROM main.sqlite_schema WHERE type = 'view' \
                         UNION ALL SELECT sql FROM temp.sqlite_schema WHERE type = 'view'";
            let mut query = self.connection.prepare(views)?;
            let mut found = query.query([])?;
            while let Some(row) = found.next()? {
                if row.get::<_, Option<String>>(0)?.is_none_or(|sql| mixes(&sql)) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}

/// Whether one of the words stands anywhere in the text, be it in a name.
fn mixes(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    MIXING.iter().any(|word| text.contains(word))
}

/// The column that a column of the answer is. One that SQLite does not tell about is none.
fn origin(prepared: &Statement<'_>, at: usize) -> Option<Origin> {
    let (_, table, column, ..) = prepared.column_metadata(at).ok()??;
    let (table, column) = (table.to_str().ok()?.to_owned(), column.to_str().ok()?.to_owned());
    Some(Origin { table, column })
}
