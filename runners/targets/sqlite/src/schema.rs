//! A digest of how objects are made.

use placet_core::digest::Digest;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::guard::is_ours;
use crate::session::SqliteSession;
use placet_target::SqlFailure;

impl SqliteSession {
    /// Refuses a schema whose names are not text. SQLite takes any bytes, its wrapper panics at such a name, and this host's
    /// own statements make none: it is enough to look again when somebody else has written.
    pub(super) fn names_are_text(&self) -> Result<(), SqlFailure> {
        // Nobody else writes during a transaction.
        if self.names_seen.get().is_some() && !self.connection.is_autocommit() {
            return Ok(());
        }
        let look = |connection: &Connection| {
            let version = connection.query_row("PRAGMA main.data_version", [], |row| row.get(0))?;
            if self.names_seen.get() == Some(version) {
                return Ok(Some(version));
            }
            Ok(has_text_only(connection)?.then_some(version))
        };
        let seen = self.as_host(look).map_err(|error| self.failure_of_theirs(&error, ""))?;
        self.names_seen.set(seen);
        seen.map(drop).ok_or_else(|| {
            SqlFailure::Refused(
                "a name in the target's schema is not UTF-8; rename it with another tool"
                    .to_owned(),
            )
        })
    }
}

fn has_text_only(connection: &Connection) -> rusqlite::Result<bool> {
    let mut query = connection.prepare("SELECT name, sql FROM main.sqlite_schema")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        for at in 0..2 {
            if let ValueRef::Text(bytes) = row.get_ref(at)?
                && core::str::from_utf8(bytes).is_err()
            {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Everything that the schema tells of an object or a table's parts: kind, name, table and text.
const SCHEMA: &str = "SELECT type, name, tbl_name, sql FROM main.sqlite_schema ORDER BY 1, 2, 3, 4";

/// What its text may leave open, because other tables or rows of it tell: asked of each table.
const PARTS: [&str; 3] = [
    "SELECT * FROM pragma_table_xinfo(?1, 'main')",
    "SELECT * FROM pragma_foreign_key_list(?1, 'main') ORDER BY 1, 2",
    "SELECT l.name, l.\"unique\", l.origin, l.partial, i.seqno, i.name, i.\"desc\", i.coll, i.key \
     FROM pragma_index_list(?1, 'main') l, pragma_index_xinfo(l.name, 'main') i ORDER BY 1, 5",
];

/// The digest of the named objects; of everything that a user made without names.
pub(super) fn digest(connection: &Connection, objects: &[String]) -> rusqlite::Result<Digest> {
    let all = rows(connection, SCHEMA, None)?;
    let mut text = String::new();
    if objects.is_empty() {
        let of_user: Vec<_> = all.iter().filter(|row| !row.names().any(is_own)).collect();
        describe(connection, &of_user, &mut text)?;
        return Ok(Digest::of(text.as_bytes()));
    }
    let mut wanted: Vec<_> = objects.iter().map(|name| without_schema(name)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    for name in wanted {
        Texts(vec!["object".to_owned(), name.clone()]).write_to(&mut text);
        let is_of_it = |row: &&Texts| row.names().any(|of| of.to_lowercase() == name);
        let of_object: Vec<_> = all.iter().filter(is_of_it).collect();
        describe(connection, &of_object, &mut text)?;
    }
    Ok(Digest::of(text.as_bytes()))
}

/// Whether SQLite keeps it for itself, or it is ours.
fn is_own(name: &str) -> bool {
    let start = name.get(.."sqlite_".len());
    start.is_some_and(|start| start.eq_ignore_ascii_case("sqlite_")) || is_ours(name)
}

fn without_schema(name: &str) -> String {
    let name = name.to_lowercase();
    name.strip_prefix("main.").map(ToOwned::to_owned).unwrap_or(name)
}

/// One row as texts.
struct Texts(Vec<String>);

impl Texts {
    /// The object's name and its table's, of a row of the schema.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().skip(1).take(2).map(String::as_str)
    }

    /// The lengths keep two values from running together.
    fn write_to(&self, text: &mut String) {
        for value in &self.0 {
            text.push_str(&value.len().to_string());
            text.push(' ');
            text.push_str(value);
            text.push(' ');
        }
        text.push('\n');
    }
}

fn describe(
    connection: &Connection,
    objects: &[&Texts],
    text: &mut String,
) -> rusqlite::Result<()> {
    for object in objects {
        object.write_to(text);
        let kind = object.0.first().map(String::as_str);
        if let (Some("table"), Some(name)) = (kind, object.names().next()) {
            for part in PARTS {
                rows(connection, part, Some(name))?.iter().for_each(|row| row.write_to(text));
            }
        }
    }
    Ok(())
}

fn rows(connection: &Connection, sql: &str, of: Option<&str>) -> rusqlite::Result<Vec<Texts>> {
    let mut query = connection.prepare(sql)?;
    let columns = query.column_count();
    let read = |row: &Row<'_>| {
        let texts: rusqlite::Result<Vec<_>> =
            (0..columns).map(|at| row.get_ref(at).map(as_text)).collect();
        Ok(Texts(texts?))
    };
    query.query_map(rusqlite::params_from_iter(of), read)?.collect()
}

fn as_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}
