//! Columns whose values an environment does not show.

use placet_target::{Origin, SqlRows, SqlSession, SqlValue};

/// What the environment hides, for one statement.
#[derive(Debug)]
pub(crate) struct Mask<'a> {
    columns: &'a [String],
    /// Whether a column whose origin is not known can be none of the hidden ones.
    is_clear: bool,
}

impl<'a> Mask<'a> {
    /// `columns` are `table.column`, with a schema before it or not, or `column` in every table; `objects` what the
    /// statement names, nothing where that cannot be told.
    pub(crate) fn new(
        columns: &'a [String],
        objects: &[String],
        (session, dialect): (&mut dyn SqlSession, &str),
    ) -> Self {
        let is_named = |table: &str| objects.iter().any(|object| last(object) == table);
        let mut hidden = columns.iter().map(|column| table_and_column(column).0);
        let is_clear = columns.is_empty()
            || (!objects.is_empty()
                && hidden.all(|table| table.is_some_and(|table| !is_named(table)))
                // A view shows columns of tables that the statement does not name.
                && objects.iter().all(|object| is_plain_table(session, dialect, object)));
        Self { columns, is_clear }
    }

    /// Which columns of an answer are hidden.
    pub(crate) fn hidden(&self, answer: &SqlRows) -> Vec<bool> {
        let origins = answer.origins.iter().map(Option::as_ref).chain(core::iter::repeat(None));
        answer.columns.iter().zip(origins).map(|(_, origin)| self.hides(origin)).collect()
    }

    fn hides(&self, origin: Option<&Origin>) -> bool {
        let Some(origin) = origin else { return !self.is_clear };
        let (table, column) = (origin.table.to_lowercase(), origin.column.to_lowercase());
        self.columns
            .iter()
            .map(|hidden| table_and_column(hidden))
            .any(|(of, name)| name == column && of.is_none_or(|of| of == table))
    }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// What a mask names: a column, and its table where it names one.
pub(crate) fn table_and_column(hidden: &str) -> (Option<&str>, &str) {
    match hidden.rsplit_once('.') {
        Some((table, column)) => (Some(last(table)), column),
        None => (None, hidden),
    }
}

/// Whether `object` is a table that holds its own rows, and nothing else of that name is there.
fn is_plain_table(session: &mut dyn SqlSession, dialect: &str, object: &str) -> bool {
    let name = last(object);
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() || !name.chars().all(is_plain) {
        return false;
    }
    let (question, wanted) = match dialect {
        "sqlite" => {
            (format!("SELECT type FROM sqlite_schema WHERE lower(name) = '{name}'"), "table")
        }
        "postgresql" | "mysql" => (
            format!(
                "SELECT table_type FROM information_schema.tables WHERE lower(table_name) = '{name}'"
            ),
            "base table",
        ),
        _ => return false,
    };
    let Ok(found) = session.query(&question, &[], 100, 64 << 10) else { return false };
    let is_wanted = |value: &SqlValue| match value {
        SqlValue::Text(kind) => kind.eq_ignore_ascii_case(wanted),
        SqlValue::Null
        | SqlValue::Boolean(_)
        | SqlValue::Int64(_)
        | SqlValue::Float64(_)
        | SqlValue::Decimal(_)
        | SqlValue::Bytes(_)
        | SqlValue::Timestamp(_)
        | SqlValue::Json(_) => false,
    };
    !found.rows.is_empty() && found.rows.iter().flatten().all(is_wanted)
}
