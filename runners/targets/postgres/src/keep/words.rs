//! The statements that put a row back, as expressions from which the server makes them. It alone knows how a value
//! is written.

use placet_target::{Touch, TouchKind};

use super::table::{Column, Table, quoted};

/// What a statement needs to be kept.
pub(super) struct Words<'a> {
    table: &'a Table,
    touch: &'a Touch,
    /// What the statement calls the table.
    called: String,
    /// The host's table of kept rows.
    kept: &'a str,
}

/// A text as a literal. The session takes a backslash for what it is.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The text of a value, as the server writes it out: what it reads back. A cast to text may be somebody's own.
fn text(place: &str, column: &Column) -> String {
    if column.is_made {
        format!("CASE WHEN {place} IS NOT NULL THEN pg_catalog.format('%s', {place}) END")
    } else {
        format!("{place}::pg_catalog.text")
    }
}

/// The value of a column of `row`, as a literal; NULL as such.
fn quoted_value(row: &str, column: &Column) -> String {
    let text = text(&format!("{row}.{}", column.name), column);
    format!("pg_catalog.quote_nullable({text})")
}

/// The value of a column of `row`, as a literal of its type.
fn value(row: &str, column: &Column, parts: &mut Vec<String>) {
    parts.push(quoted_value(row, column));
    parts.push(literal(&format!("::{}", column.cast)));
}

/// One row more than there may be: then it shows that there are too many.
fn limit(rows_max: u64) -> i64 {
    i64::try_from(rows_max.saturating_add(1)).unwrap_or(i64::MAX)
}

/// One text from all parts. A list may be longer than the arguments of a function.
fn joined(parts: &[String]) -> String {
    let parts = parts.join(", ");
    format!("pg_catalog.array_to_string(ARRAY[{parts}]::pg_catalog.text[], '')")
}

impl<'a> Words<'a> {
    pub(super) fn new(table: &'a Table, touch: &'a Touch, kept: &'a str) -> Self {
        Self { table, touch, called: table.called(touch), kept }
    }

    fn is_touched(&self, column: &Column) -> bool {
        self.touch.columns.contains(&column.bare)
    }

    /// The condition under which a row is the one that it was, and as it was left.
    fn guard(&self, row: &str, parts: &mut Vec<String>) {
        let mut word = " WHERE ";
        for column in self.table.own().filter(|column| column.is_key) {
            parts.push(literal(&format!("{word}{} = ", column.name)));
            value(row, column, parts);
            word = " AND ";
        }
        for column in self.table.own() {
            let name = &column.name;
            if column.has_zone() {
                parts.push(literal(&format!(" AND {name} IS NOT DISTINCT FROM ")));
                value(row, column, parts);
                continue;
            }
            // As text, letter by letter: some types have no equality, and others call different values equal.
            let text = text(name, column);
            let text = if column.is_made { format!("({text})") } else { text };
            let text = format!("{text} COLLATE pg_catalog.\"C\"");
            parts.push(literal(&format!(" AND {text} IS NOT DISTINCT FROM ")));
            parts.push(quoted_value(row, column));
        }
    }

    /// Takes a row away that was inserted.
    fn delete(&self, row: &str) -> String {
        let mut parts = vec![literal(&format!("DELETE FROM {}", self.table.name))];
        self.guard(row, &mut parts);
        joined(&parts)
    }

    /// Inserts a row that was deleted, if there is none like it.
    fn insert(&self, row: &str) -> String {
        let names: Vec<&str> = self.table.own().map(|column| column.name.as_str()).collect();
        let overrides = if self.table.columns.iter().any(|column| column.is_identity) {
            " OVERRIDING SYSTEM VALUE"
        } else {
            ""
        };
        let head =
            format!("INSERT INTO {} ({}){overrides} VALUES (", self.table.name, names.join(", "));
        let mut parts = vec![literal(&head)];
        for (at, column) in self.table.own().enumerate() {
            if at > 0 {
                parts.push(literal(", "));
            }
            value(row, column, &mut parts);
        }
        parts.push(literal(") ON CONFLICT DO NOTHING"));
        joined(&parts)
    }

    /// Sets the touched columns to what they were; without the condition, which is not known yet.
    fn set(&self, row: &str) -> String {
        let mut parts = vec![literal(&format!("UPDATE {} SET ", self.table.name))];
        for (at, column) in self.table.own().filter(|column| self.is_touched(column)).enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            parts.push(literal(&format!("{comma}{} = ", column.name)));
            value(row, column, &mut parts);
        }
        joined(&parts)
    }

    /// By what a row before and the same row after are known to be the same: everything that the statement is not
    /// said to set. If it sets more, nothing fits.
    fn sameness(&self, row: &str) -> String {
        let rest = self.table.own().filter(|column| !self.is_touched(column));
        let texts: Vec<String> =
            rest.map(|column| text(&format!("{row}.{}", column.name), column)).collect();
        format!("ROW({})::pg_catalog.text", texts.join(", "))
    }

    /// The table as the statement names it, and its condition.
    fn source(&self) -> String {
        let alias = self.touch.alias.as_ref();
        let alias = alias.map_or_else(String::new, |alias| format!(" AS {}", quoted(alias)));
        format!(" FROM {}{alias}", self.table.name)
    }

    fn condition(&self) -> String {
        let condition = self.touch.condition.as_ref();
        condition.map_or_else(String::new, |text| format!(" WHERE ({text}\n)"))
    }

    /// Locks and counts the rows that the condition means; and what stands in front of the condition.
    pub(super) fn locking(&self, rows_max: u64) -> (String, String) {
        let limit = limit(rows_max);
        let before = format!("SELECT pg_catalog.count(*) FROM (SELECT 1{}", self.source());
        let sql = format!("{before}{} LIMIT {limit} FOR UPDATE) AS placet_rows", self.condition());
        (sql, before)
    }

    /// Locks the rows that the condition means, and notes how they are.
    pub(super) fn noting(&self, rows_max: u64) -> (String, String) {
        let limit = limit(rows_max);
        let before = format!(
            "INSERT INTO {} (request, revision, attempt, step, row_key, statement)
            SELECT $1, $2, $3, $4, {}, {}{}",
            self.kept,
            self.sameness(&self.called),
            self.set(&self.called),
            self.source(),
        );
        (format!("{before}{} LIMIT {limit} FOR UPDATE", self.condition()), before)
    }

    /// What follows the statement: it hands over its rows, they are kept, and all are counted.
    pub(super) fn after(&self, kind: TouchKind) -> String {
        let row = "placet_row";
        let insert = |text: String| {
            format!(
                "INSERT INTO {} (request, revision, attempt, step, statement)
                SELECT $1, $2, $3, $4, {text} FROM placet_rows AS {row} RETURNING 1",
                self.kept
            )
        };
        let keep = match kind {
            TouchKind::Insert => insert(self.delete(row)),
            TouchKind::Delete => insert(self.insert(row)),
            TouchKind::Update => {
                let mut parts = vec!["placet_kept.statement".to_owned()];
                self.guard(row, &mut parts);
                format!(
                    "UPDATE ONLY {} AS placet_kept SET row_key = NULL, statement = {}
                    FROM placet_rows AS {row}
                    WHERE placet_kept.request OPERATOR(pg_catalog.=) $1
                        AND placet_kept.revision OPERATOR(pg_catalog.=) $2
                        AND placet_kept.attempt OPERATOR(pg_catalog.=) $3
                        AND placet_kept.step OPERATOR(pg_catalog.=) $4
                        AND placet_kept.row_key OPERATOR(pg_catalog.=) {} RETURNING 1",
                    self.kept,
                    joined(&parts),
                    self.sameness(row),
                )
            }
        };
        let (called, oid) = (&self.called, self.table.oid);
        format!(
            "RETURNING {called}.tableoid AS placet_table, {called}.*),
            placet_notes AS ({keep})
            SELECT (SELECT pg_catalog.count(*) FROM placet_rows),
                (SELECT pg_catalog.count(*) FROM placet_notes),
                (SELECT pg_catalog.count(*) FROM placet_rows
                    WHERE placet_table OPERATOR(pg_catalog.<>) {oid}::pg_catalog.oid)"
        )
    }
}
