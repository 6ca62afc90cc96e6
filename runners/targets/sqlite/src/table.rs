//! How a table is made, as far as putting its rows back must know.

use rusqlite::{Connection, OptionalExtension as _};

use crate::session::SqliteSession;
use placet_target::{SqlFailure, Touch, TouchKind};

/// A column that a statement can set.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// Whether values of every type stay as they are in it (SQLite's affinity BLOB, and ANY of STRICT tables).
    pub(super) is_loose: bool,
    /// Its place in the primary key, from 1; 0 outside of it.
    key_place: i64,
}

/// A table whose rows can be put back.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// Without the generated ones.
    pub(super) columns: Vec<Column>,
    /// The places of the columns of its primary key, in the order of the key.
    pub(super) key: Vec<usize>,
}

impl Table {
    /// The place of a column, named as a statement would.
    pub(super) fn place_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name.eq_ignore_ascii_case(column))
    }
}

impl SqliteSession {
    /// The table of `touch`, or why its rows could not be put back.
    pub(super) fn table_to_keep(&self, touch: &Touch) -> Result<Result<Table, String>, SqlFailure> {
        self.as_host(|connection| look(connection, touch)).map_err(|error| self.failure(&error, ""))
    }
}

fn look(connection: &Connection, touch: &Touch) -> rusqlite::Result<Result<Table, String>> {
    let name = match touch.table.as_slice() {
        [name] => name,
        [schema, name] if schema.eq_ignore_ascii_case("main") => name,
        _ => return Ok(Err("the table stands outside of the database".to_owned())),
    };
    let (name, sql) = match named(connection, name)? {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    if sql.to_ascii_lowercase().contains("conflict") {
        return Ok(Err("a constraint of the table may replace rows (ON CONFLICT)".to_owned()));
    }
    let table = match read(connection, name)? {
        Ok(table) => table,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(trigger) = trigger_of(connection, &table.name)? {
        return Ok(Err(format!("the trigger `{trigger}` may change other rows")));
    }
    if let Err(why) = columns_fit(&table, touch) {
        return Ok(Err(why));
    }
    let why_not = references(connection, &table, touch)?;
    Ok(why_not.map_or(Ok(table), Err))
}

/// The table as the schema knows it: its name and its text.
fn named(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Result<(String, String), String>> {
    let temporary = "SELECT 1 FROM temp.sqlite_schema WHERE name = ?1 COLLATE NOCASE";
    if connection.query_row(temporary, [name], |_| Ok(())).optional()?.is_some() {
        return Ok(Err("a temporary object has the table's name".to_owned()));
    }
    let kinds = "SELECT type, name FROM pragma_table_list WHERE schema = 'main' AND name = ?1 COLLATE NOCASE";
    let found: Option<(String, String)> =
        connection.query_row(kinds, [name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let name = match found {
        None => return Ok(Err("there is no such table".to_owned())),
        Some((kind, name)) if kind == "table" => name,
        Some((kind, _)) => return Ok(Err(format!("it is no plain table but a {kind} table"))),
    };
    let text = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?1";
    let sql: Option<Option<String>> =
        connection.query_row(text, [&name], |row| row.get(0)).optional()?;
    Ok(match sql.flatten() {
        Some(sql) => Ok((name, sql)),
        None => Err("the table is SQLite's own".to_owned()),
    })
}

fn read(connection: &Connection, name: String) -> rusqlite::Result<Result<Table, String>> {
    let mut query = connection.prepare(
        "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1, 'main') ORDER BY cid",
    )?;
    let mut rows = query.query([&name])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        let (declared, hidden): (Option<String>, i64) = (row.get(1)?, row.get(3)?);
        if hidden == 0 {
            let is_loose = is_loose(&declared.unwrap_or_default());
            columns.push(Column { name: row.get(0)?, is_loose, key_place: row.get(2)? });
        }
    }
    let mut key: Vec<_> = (0..columns.len()).filter(|at| key_place(&columns, *at) > 0).collect();
    key.sort_by_key(|at| key_place(&columns, *at));
    if key.is_empty() {
        return Ok(Err("the table has no primary key".to_owned()));
    }
    Ok(Ok(Table { name, columns, key }))
}

fn key_place(columns: &[Column], at: usize) -> i64 {
    columns.get(at).map_or(0, |column| column.key_place)
}

/// Whether a declared type gives the affinity BLOB (SQLite's manual, "Datatypes In SQLite", 3.1), or may be the type of a
/// STRICT table that takes everything as it is.
fn is_loose(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
    !has(&["INT", "CHAR", "CLOB", "TEXT"])
        && (declared.is_empty() || declared == "ANY" || has(&["BLOB"]))
}

fn trigger_of(connection: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let triggers = "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE \
         UNION ALL SELECT name FROM temp.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE";
    connection.query_row(triggers, [table], |row| row.get(0)).optional()
}

fn columns_fit(table: &Table, touch: &Touch) -> Result<(), String> {
    for column in &touch.columns {
        let Some(at) = table.place_of(column) else {
            return Err(format!("`{column}` is no column that a statement can set"));
        };
        if touch.kind == TouchKind::Update && table.key.contains(&at) {
            return Err(format!("`{column}` is part of the primary key"));
        }
    }
    if touch.kind == TouchKind::Update && touch.columns.is_empty() {
        return Err("the columns that change are not known".to_owned());
    }
    Ok(())
}

/// Why rows of other tables, or other rows of this one, would change along, now or when a row is put back.
fn references(
    connection: &Connection,
    table: &Table,
    touch: &Touch,
) -> rusqlite::Result<Option<String>> {
    let are_kept: bool = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?;
    if !are_kept {
        return Ok(None);
    }
    let mut query = connection.prepare(
        "SELECT t.name, f.\"to\", f.on_update, f.on_delete
         FROM pragma_table_list t, pragma_foreign_key_list(t.name, t.schema) f
         WHERE t.schema = 'main' AND t.type IN ('table', 'virtual', 'shadow')
         AND f.\"table\" = ?1 COLLATE NOCASE",
    )?;
    let mut rows = query.query([&table.name])?;
    let acts = |action: &str| !matches!(action, "NO ACTION" | "RESTRICT");
    while let Some(row) = rows.next()? {
        let (from, to): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let (on_update, on_delete): (String, String) = (row.get(2)?, row.get(3)?);
        if from.eq_ignore_ascii_case(&table.name) {
            return Ok(Some("rows of the table refer to rows of the same table".to_owned()));
        }
        // Without a name it refers to the primary key, which no statement that is kept updates.
        let is_set = |to: &String| touch.columns.iter().any(|set| set.eq_ignore_ascii_case(to));
        let goes_along = match touch.kind {
            TouchKind::Update => acts(&on_update) && to.as_ref().is_some_and(is_set),
            // An insert is put back by a delete.
            TouchKind::Insert | TouchKind::Delete => acts(&on_delete),
        };
        if goes_along {
            return Ok(Some(format!("rows of `{from}` that refer to it would change along")));
        }
    }
    Ok(None)
}
