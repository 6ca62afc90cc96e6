//! What a statement changes, kept before and after, and the statements that put it back.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::guard::Change;
use crate::limits::STATEMENT_BYTES_MAX;
use crate::literal::{self, quoted};
use crate::session::SqliteSession;
use crate::table::Table;
use crate::values::length_of;
use crate::{kept, points, single};
use placet_target::{KEPT_BYTES_MAX, SqlFailure, StepMark, Touch, TouchKind};

/// The values of a row, in the order of the columns of its table.
type Image = Vec<Value>;

/// A row before and after.
type Changed = (Option<Image>, Option<Image>);

fn refused(why: &str) -> SqlFailure {
    SqlFailure::Refused(why.to_owned())
}

impl SqliteSession {
    /// Executes the statement and keeps what putting its rows back takes.
    pub(super) fn keep(
        &self,
        statement: &str,
        (touch, mark): (&Touch, &StepMark),
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        let statement = self.check(statement)?;
        self.inside()?;
        self.owns_or_is_dry(&mark.id)?;
        let table = self.table_to_keep(touch)?.map_err(SqlFailure::Refused)?;
        begins_as(statement, touch.kind)?;
        points::at(points::KEEPING);
        let before = match touch.kind {
            TouchKind::Insert => Vec::new(),
            TouchKind::Update | TouchKind::Delete => self.rows_meant(&table, touch, rows_max)?,
        };
        points::at(points::ROWS_READ);
        let keys = self.run_for_keys(statement, &table, touch, rows_max)?;
        let changed = self.pair(&table, touch.kind, before, &keys)?;
        let inverse = self.as_host(|connection| {
            let statements = changed.iter().map(|(before, after)| {
                inverse(connection, &table, touch, (before.as_deref(), after.as_deref()))
            });
            statements.collect::<rusqlite::Result<Option<Vec<_>>>>()
        });
        let inverse = inverse.map_err(|error| self.failure(&error, ""))?;
        let inverse = inverse.ok_or_else(|| refused("a value cannot be written exactly"))?;
        if inverse.iter().any(|sql| sql.len() > STATEMENT_BYTES_MAX) {
            return Err(SqlFailure::Limit("a row is too long to be put back".to_owned()));
        }
        self.guard
            .as_host(|| kept::write(&self.connection, mark, &inverse))
            .map_err(|error| self.failure(&error, ""))??;
        points::at(points::KEPT);
        Ok(u64::try_from(keys.len()).unwrap_or(u64::MAX))
    }

    /// The rows that the condition means, as they are now.
    fn rows_meant(
        &self,
        table: &Table,
        touch: &Touch,
        rows_max: u64,
    ) -> Result<Vec<Image>, SqlFailure> {
        let alias = touch.alias.as_deref().map(|alias| format!(" AS {}", quoted(alias)));
        let condition = touch.condition.as_deref().unwrap_or("1");
        let sql = format!(
            "SELECT {} FROM main.{}{} WHERE (\n{condition}\n)",
            columns(table, touch.alias.as_deref().unwrap_or(&table.name)),
            quoted(&table.name),
            alias.unwrap_or_default(),
        );
        let sql = self.check(&sql)?;
        let limits = (rows_max, &mut { KEPT_BYTES_MAX });
        let found = self.images(sql, &[], limits, || self.prepare_noting(sql))?;
        found.ok_or_else(|| too_many(rows_max))
    }

    /// Reads rows, for which there is so much room in bytes; none where there are more than `rows_max`.
    fn images<'a>(
        &'a self,
        sql: &str,
        values: &[Value],
        (rows_max, room): (u64, &mut u64),
        prepare: impl FnOnce() -> rusqlite::Result<rusqlite::Statement<'a>>,
    ) -> Result<Option<Vec<Image>>, SqlFailure> {
        let failed = |error: rusqlite::Error| self.failure_of_theirs(&error, sql);
        let mut query = prepare().map_err(failed)?;
        if !query.readonly() {
            return Err(refused("the condition of a statement must not write"));
        }
        let count = query.column_count();
        let mut rows = query.query(params_from_iter(values)).map_err(failed)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            if over(found.len().saturating_add(1), rows_max) {
                return Ok(None);
            }
            found.push(image_of(row, count, room)?);
        }
        Ok(Some(found))
    }

    /// Executes the statement and returns the keys of the rows that it changed, in the order in which it did.
    fn run_for_keys(
        &self,
        statement: &str,
        table: &Table,
        touch: &Touch,
        rows_max: u64,
    ) -> Result<Vec<Image>, SqlFailure> {
        let names = table.key.iter().filter_map(|at| table.columns.get(*at));
        let names: Vec<_> = names.map(|column| quoted(&column.name)).collect();
        // On a line of its own, so that no comment swallows it.
        let sql = format!("{statement}\nRETURNING {}", names.join(", "));
        points::at(points::EXECUTING);
        let failed = |error: rusqlite::Error| self.failure_of_theirs(&error, &sql);
        let mut prepared = self.prepare_noting(&sql).map_err(failed)?;
        let wanted = Change {
            kind: touch.kind,
            database: "main".to_owned(),
            table: table.name.to_ascii_lowercase(),
        };
        let seen = self.guard.changes();
        if prepared.column_count() != names.len() || !seen.iter().all(|change| *change == wanted) {
            return Err(refused("the statement does something else than it says"));
        }
        let mut rows = prepared.query([]).map_err(failed)?;
        let (mut keys, mut room) = (Vec::new(), KEPT_BYTES_MAX);
        while let Some(row) = rows.next().map_err(failed)? {
            if over(keys.len().saturating_add(1), rows_max) {
                return Err(too_many(rows_max));
            }
            let key = image_of(row, names.len(), &mut room)?;
            if key.contains(&Value::Null) {
                return Err(refused("a row has NULL in its primary key"));
            }
            keys.push(key);
        }
        drop(rows);
        points::at(points::EXECUTED);
        let count = u64::try_from(keys.len()).unwrap_or(u64::MAX);
        if count > 0 && self.connection.changes() != count {
            return Err(refused("the statement changed other rows than it returned"));
        }
        Ok(keys)
    }

    /// Each row that was changed, before and after: exactly those that were kept beforehand.
    fn pair(
        &self,
        table: &Table,
        kind: TouchKind,
        before: Vec<Image>,
        keys: &[Image],
    ) -> Result<Vec<Changed>, SqlFailure> {
        if kind != TouchKind::Insert && before.len() != keys.len() {
            return Err(refused("the statement changed another number of rows than were kept"));
        }
        let mut before: Vec<_> = before.into_iter().map(|row| (key_of(table, &row), row)).collect();
        let by_key = |one: &Image, other: &Image| sort_key(one).cmp(&sort_key(other));
        before.sort_by(|(one, _), (other, _)| by_key(one, other));
        let mut before: Vec<_> = before.into_iter().map(|(key, row)| (key, Some(row))).collect();
        let (mut changed, mut room) = (Vec::with_capacity(keys.len()), KEPT_BYTES_MAX);
        for key in keys {
            let kept =
                match kind {
                    TouchKind::Insert => None,
                    TouchKind::Update | TouchKind::Delete => {
                        let at = before.binary_search_by(|(known, _)| by_key(known, key));
                        let row = at.ok().and_then(|at| before.get_mut(at)?.1.take());
                        Some(row.ok_or_else(|| {
                            refused("the statement changed a row that was not kept")
                        })?)
                    }
                };
            let now = self.row_of((table, key), &mut room)?;
            if now.is_some() != (kind != TouchKind::Delete) {
                return Err(refused("a row that was changed is not as the statement says"));
            }
            changed.push((kept, now));
        }
        Ok(changed)
    }

    /// The one row of a key.
    fn row_of(
        &self,
        (table, key): (&Table, &[Value]),
        room: &mut u64,
    ) -> Result<Option<Image>, SqlFailure> {
        let name = quoted(&table.name);
        let is = table.key.iter().filter_map(|at| table.columns.get(*at));
        let is: Vec<_> = is.map(|column| format!("{} = ?", quoted(&column.name))).collect();
        let columns = columns(table, &table.name);
        let sql = format!("SELECT {columns} FROM main.{name} WHERE {}", is.join(" AND "));
        let prepare = || self.guard.as_host(|| self.connection.prepare(&sql));
        let found = self.images(&sql, key, (1, room), prepare)?;
        Ok(found.ok_or_else(|| refused("two rows have one key"))?.pop())
    }
}

fn over(count: usize, rows_max: u64) -> bool {
    u64::try_from(count).unwrap_or(u64::MAX) > rows_max
}

fn too_many(rows_max: u64) -> SqlFailure {
    SqlFailure::Limit(format!("the statement changes more than {rows_max} rows"))
}

/// The values of a row, for which there is so much room in bytes. Each is counted before it is copied.
fn image_of(row: &Row<'_>, count: usize, room: &mut u64) -> Result<Image, SqlFailure> {
    let one = |at: usize| {
        let not_text = || refused("a text of a row is not UTF-8");
        let value = row.get_ref(at).map_err(|_| not_text())?;
        let bytes = u64::try_from(length_of(value)).unwrap_or(u64::MAX).max(8);
        *room = room.checked_sub(bytes).ok_or_else(|| {
            SqlFailure::Limit(format!("the rows to keep have more than {KEPT_BYTES_MAX} bytes"))
        })?;
        Value::try_from(value).map_err(|_| not_text())
    };
    (0..count).map(one).collect()
}

/// The statement begins with the word of its kind. `INSERT OR REPLACE` and its like take rows away and do not tell.
fn begins_as(statement: &str, kind: TouchKind) -> Result<(), SqlFailure> {
    let words = single::first_words(statement);
    let wanted = match kind {
        TouchKind::Insert => "insert",
        TouchKind::Update => "update",
        TouchKind::Delete => "delete",
    };
    let begins = words.first().is_some_and(|word| word == wanted);
    if begins && words.get(1).is_none_or(|word| word != "or") {
        return Ok(());
    }
    Err(refused("the statement does something else than it says"))
}

fn columns(table: &Table, of: &str) -> String {
    let names =
        table.columns.iter().map(|column| format!("{}.{}", quoted(of), quoted(&column.name)));
    names.collect::<Vec<_>>().join(", ")
}

fn key_of(table: &Table, row: &[Value]) -> Image {
    table.key.iter().filter_map(|at| row.get(*at).cloned()).collect()
}

/// An order for keys in which only the same key is equal.
fn sort_key(key: &[Value]) -> Vec<(u8, Vec<u8>)> {
    let bytes = |value: &Value| match value {
        Value::Null => (0, Vec::new()),
        Value::Integer(number) => (1, number.to_be_bytes().to_vec()),
        Value::Real(number) => (2, number.to_bits().to_be_bytes().to_vec()),
        Value::Text(text) => (3, text.as_bytes().to_vec()),
        Value::Blob(bytes) => (4, bytes.clone()),
    };
    key.iter().map(bytes).collect()
}

/// The statement that puts one row back, while it is as the attempt left it. None where a value cannot be written.
fn inverse(
    connection: &Connection,
    table: &Table,
    touch: &Touch,
    change: (Option<&[Value]>, Option<&[Value]>),
) -> rusqlite::Result<Option<String>> {
    let name = quoted(&table.name);
    let literals = |row: &[Value]| {
        let all = row.iter().map(|value| literal::of(connection, value));
        all.collect::<rusqlite::Result<Option<Vec<_>>>>()
    };
    let names: Vec<_> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    Ok(match change {
        (Some(before), None) => literals(before)?.map(|before| {
            let key = key_is(table, &names, &before);
            let (columns, values) = (names.join(", "), before.join(", "));
            format!(
                "INSERT INTO {name} ({columns}) SELECT {values} \
                 WHERE NOT EXISTS (SELECT 1 FROM {name} WHERE {key})"
            )
        }),
        (None, Some(after)) => literals(after)?.map(|texts| {
            format!("DELETE FROM {name} WHERE {}", row_is(table, &names, after, &texts))
        }),
        (Some(before), Some(after)) => {
            let (Some(old), Some(texts)) = (literals(before)?, literals(after)?) else {
                return Ok(None);
            };
            let set = touch.columns.iter().filter_map(|column| table.place_of(column));
            let set = set.filter_map(|at| Some(format!("{} = {}", names.get(at)?, old.get(at)?)));
            let set: Vec<_> = set.collect();
            let guard = row_is(table, &names, after, &texts);
            Some(format!("UPDATE {name} SET {} WHERE {guard}", set.join(", ")))
        }
        (None, None) => None,
    })
}

fn key_is(table: &Table, names: &[String], values: &[String]) -> String {
    let parts = table
        .key
        .iter()
        .filter_map(|at| Some(format!("{} = {}", names.get(*at)?, values.get(*at)?)));
    parts.collect::<Vec<_>>().join(" AND ")
}

/// The row of the key, and every column is what it was: to the byte, whatever the column's collation is. The key is there
/// twice: equal, so that its index answers, and exact, because `a` and `A` may be equal.
fn row_is(table: &Table, names: &[String], row: &[Value], texts: &[String]) -> String {
    let mut parts = vec![key_is(table, names, texts)];
    for (at, ((column, name), (value, text))) in
        table.columns.iter().zip(names).zip(row.iter().zip(texts)).enumerate()
    {
        // Without a collation and with one way to store it, equal is exact.
        if table.key.contains(&at) && !column.is_loose && !matches!(value, Value::Text(_)) {
            continue;
        }
        parts.push(match value {
            Value::Text(_) => format!("{name} COLLATE BINARY IS {text}"),
            Value::Null | Value::Integer(_) | Value::Real(_) | Value::Blob(_) => {
                format!("{name} IS {text}")
            }
        });
        let kind = match value {
            Value::Integer(_) => "integer",
            Value::Real(_) => "real",
            Value::Text(_) => "text",
            Value::Null | Value::Blob(_) => continue,
        };
        // 5 and 5.0 are equal, but a column that keeps both apart must not lose the difference.
        if column.is_loose {
            parts.push(format!("typeof({name}) = '{kind}'"));
        }
    }
    parts.join(" AND ")
}
