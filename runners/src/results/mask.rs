//! Columns whose values an environment does not show.

use placet_target::{Origin, SqlRows, SqlSession, SqlValue};

/// What the environment hides, for one statement.
#[derive(Debug)]
pub(crate) struct Mask<'a> {
    columns: &'a [String],
    /// What the statement names.
    objects: &'a [String],
    /// Whether a column whose origin is not known can be none of the hidden ones.
    is_clear: bool,
}

impl<'a> Mask<'a> {
    /// `columns` are `table.column`, with a schema before it or not, or `column` in every table; `objects` what the
    /// statement names, nothing where that cannot be told.
    pub(crate) fn new(
        columns: &'a [String],
        objects: &'a [String],
        (session, dialect): (&mut dyn SqlSession, &str),
    ) -> Self {
        let is_named = |table: &str| objects.iter().any(|object| last(object) == table);
        let mut hidden = columns.iter().map(|column| table_and_column(column).0);
        let is_clear = columns.is_empty()
            || (!objects.is_empty()
                && hidden.all(|table| table.is_some_and(|table| !is_named(table)))
                // A view shows columns of tables that the statement does not name.
                && objects.iter().all(|object| is_plain_table(session, dialect, object)));
        Self { columns, objects, is_clear }
    }

    /// Which columns of an answer are hidden.
    pub(crate) fn hidden(&self, answer: &SqlRows) -> Vec<bool> {
        let origins = answer.origins.iter().map(Option::as_ref).chain(core::iter::repeat(None));
        answer.columns.iter().zip(origins).map(|(_, origin)| self.hides(origin)).collect()
    }

    fn hides(&self, origin: Option<&Origin>) -> bool {
        let Some(origin) = origin else { return !self.is_clear };
        let (table, column) = (origin.table.to_lowercase(), origin.column.to_lowercase());
        let names = |table: &str| self.objects.iter().any(|object| last(object) == table);
        // A partition or a view is named, and the column is that of the table behind it. What is hidden under the name
        // that the statement uses stays hidden.
        let is_behind = !names(&table);
        self.columns.iter().map(|hidden| table_and_column(hidden)).any(|(of, name)| {
            name == column && of.is_none_or(|of| of == table || is_behind && names(of))
        })
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

#[cfg(test)]
mod tests {
    use super::{Mask, Origin, SqlRows};

    #[test]
    fn a_column_is_hidden_by_its_tables_name_and_by_the_one_that_was_named() {
        let origin = |table: &str| Some(Origin { table: table.into(), column: "email".into() });
        for (hidden, objects, origin, due) in [
            ("people.email", vec!["people"], origin("people"), true),
            // A partition is named: its column is told to be that of the whole table.
            ("people.email", vec!["people_2024"], origin("people"), true),
            ("people_2024.email", vec!["people_2024"], origin("people"), true),
            ("hr.people_2024.email", vec!["hr.people_2024"], origin("people"), true),
            ("people_2024.email", vec!["people_2023"], origin("people"), false),
            // Two tables, one of them hidden: the other one is not.
            ("people.email", vec!["people", "shops"], origin("shops"), false),
            ("people.email", vec!["people"], None, true),
        ] {
            let (columns, objects) =
                ([hidden.to_owned()], objects.into_iter().map(str::to_owned).collect::<Vec<_>>());
            let mask = Mask { columns: &columns, objects: &objects, is_clear: false };
            let rows = SqlRows {
                columns: vec!["x".to_owned()],
                origins: vec![origin],
                ..SqlRows::default()
            };
            assert_eq!(mask.hidden(&rows), [due], "{hidden} {objects:?}");
        }
    }
}
