//! Which rows one statement changes.

mod condition; // what it asks of rows
mod names; // names, as the database knows them

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Expr, FromTable, Insert, SetExpr, Statement, TableFactor,
    TableObject, TableWithJoins, Update,
};

use crate::classify::functions::{is_harmless, odd_call};
use crate::dialect::Dialect;
use crate::lexer::Kind;
use crate::parse::parse;
use crate::tokens::Tokens;

use names::{column_of, folded, table_of};

/// What one statement does to rows: one table, and a condition that means the same rows in a query.
///
/// ```
/// use placet_sql_review::{TouchKind, touch};
///
/// let touch = touch("UPDATE shop.Orders AS o SET cents = 0 WHERE o.paid", "postgresql")?;
/// assert_eq!(touch.kind, TouchKind::Update);
/// assert_eq!(touch.table, ["shop", "orders"]);
/// assert_eq!(touch.alias.as_deref(), Some("o"));
/// assert_eq!(touch.columns, ["cents"]);
/// assert_eq!(touch.condition.as_deref(), Some("o.paid"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Touch {
    /// What it does.
    pub kind: TouchKind,
    /// The table: schema, where the text names one, and name. As the database knows them: without quotes, in
    /// the case that it would look for.
    pub table: Vec<String>,
    /// The name that the condition uses for the table, if it is another one.
    pub alias: Option<String>,
    /// For INSERT the columns that it names, in order, none where it names none; for UPDATE those that it sets.
    pub columns: Vec<String>,
    /// The text of the condition, as it stands in the statement. Without one, every row is meant.
    pub condition: Option<String>,
}

/// What a statement does to rows.
///
/// ```
/// use placet_sql_review::{TouchKind, touch};
/// assert_eq!(touch("DELETE FROM a", "sqlite")?.kind, TouchKind::Delete);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a target must handle each")]
pub enum TouchKind {
    /// New rows.
    Insert,
    /// Other values.
    Update,
    /// Rows less.
    Delete,
}

/// Reads which rows `statement` changes; the reason in words where that cannot be told.
///
/// ```
/// use placet_sql_review::touch;
///
/// let why = touch("DELETE FROM a WHERE random() < 0.5", "sqlite").unwrap_err();
/// assert_eq!(why, "the condition calls `random`, which may answer otherwise the next time");
/// ```
#[expect(clippy::wildcard_enum_match_arm, reason = "three statements change rows in a plain way")]
pub fn touch(statement: &str, dialect: &str) -> Result<Touch, String> {
    let dialect = Dialect::from(dialect);
    let Some(tokens) = Tokens::of(statement, dialect) else {
        return Err("it could not be cut into words".to_owned());
    };
    if tokens.has_kind(Kind::Executable) {
        return Err("it has a comment that the database runs".to_owned());
    }
    let parsed = parse(&tokens, dialect).ok_or("it could not be parsed")?;
    // A sequence counts on either way, and nobody expects that back.
    let is_fine = |name: &str| is_harmless(name, dialect) || name.eq_ignore_ascii_case("nextval");
    if let Some(name) = odd_call(&tokens, (0, tokens.len()), is_fine) {
        // Where the condition calls it, that is the better reason.
        condition::is_repeatable(&tokens, dialect, &[])?;
        return Err(format!("it calls `{name}`, and nobody knows what else that changes"));
    }
    let reading = Reading { tokens: &tokens, dialect };
    match &parsed {
        Statement::Insert(insert) => reading.insert(insert),
        Statement::Update(update) => reading.update(update),
        Statement::Delete(delete) => reading.delete(delete),
        Statement::Query(_) => Err("it is a query, or changes rows inside of one".to_owned()),
        _ => Err("it is no plain INSERT, UPDATE or DELETE".to_owned()),
    }
}

struct Reading<'a> {
    tokens: &'a Tokens<'a>,
    dialect: Dialect,
}

/// Answers with the reason where `is_so`.
fn no(is_so: bool, reason: &str) -> Result<(), String> {
    if is_so { Err(reason.to_owned()) } else { Ok(()) }
}

impl Reading<'_> {
    fn insert(&self, insert: &Insert) -> Result<Touch, String> {
        no(insert.replace_into || insert.overwrite, "it replaces rows")?;
        no(insert.or.is_some() || insert.ignore, "it does not insert every row that it names")?;
        no(insert.on.is_some(), "it changes rows that are there already")?;
        no(insert.returning.is_some() || insert.output.is_some(), "it returns rows")?;
        let is_odd = insert.partitioned.is_some()
            || !insert.after_columns.is_empty()
            || insert.has_table_keyword
            || !insert.assignments.is_empty()
            || insert.priority.is_some()
            || insert.insert_alias.is_some()
            || insert.settings.is_some()
            || insert.format_clause.is_some()
            || !insert.optimizer_hints.is_empty();
        no(is_odd, "it is no plain INSERT of rows")?;
        match insert.source.as_deref() {
            None => {
                let plain = self.tokens.has(&["DEFAULT", "VALUES"]);
                no(!plain, "it is no plain INSERT of rows")?;
            }
            Some(query) => {
                no(query.with.is_some(), "it has a query with a name (WITH)")?;
                no(!is_source(&query.body), "it is no plain INSERT of rows")?;
            }
        }
        let TableObject::TableName(name) = &insert.table else {
            return Err("it does not name its table".to_owned());
        };
        let alias = insert.table_alias.as_ref().map(|alias| &alias.alias);
        Ok(Touch {
            kind: TouchKind::Insert,
            table: table_of(name, self.dialect)?,
            alias: alias.map(|alias| folded(alias, self.dialect)).transpose()?,
            columns: insert
                .columns
                .iter()
                .map(|name| column_of(name, self.dialect))
                .collect::<Result<_, _>>()?,
            condition: None,
        })
    }

    fn update(&self, update: &Update) -> Result<Touch, String> {
        self.no_modifier(1)?;
        no(update.from.is_some(), "it joins other tables (FROM)")?;
        no(update.or.is_some(), "it says what to do about conflicts (OR)")?;
        no(update.returning.is_some() || update.output.is_some(), "it returns rows")?;
        no(update.limit.is_some() || !update.order_by.is_empty(), "it has ORDER BY or LIMIT")?;
        no(!update.optimizer_hints.is_empty(), "it has a hint")?;
        let (table, alias) = self.one_table(&update.table)?;
        let mut columns = Vec::new();
        for Assignment { target, value: _ } in &update.assignments {
            match target {
                AssignmentTarget::ColumnName(name) => columns.push(column_of(name, self.dialect)?),
                AssignmentTarget::Tuple(names) => {
                    for name in names {
                        columns.push(column_of(name, self.dialect)?);
                    }
                }
            }
        }
        let condition = self.condition(update.selection.as_ref(), &table)?;
        Ok(Touch { kind: TouchKind::Update, table, alias, columns, condition })
    }

    fn delete(&self, delete: &Delete) -> Result<Touch, String> {
        no(!self.tokens.is(1, "FROM"), "it is no plain DELETE FROM")?;
        self.no_modifier(2)?;
        no(!delete.tables.is_empty() || delete.using.is_some(), "it joins other tables (USING)")?;
        no(delete.returning.is_some() || delete.output.is_some(), "it returns rows")?;
        no(delete.limit.is_some() || !delete.order_by.is_empty(), "it has ORDER BY or LIMIT")?;
        no(!delete.optimizer_hints.is_empty(), "it has a hint")?;
        let FromTable::WithFromKeyword(tables) = &delete.from else {
            return Err("it is no plain DELETE FROM".to_owned());
        };
        let [table] = tables.as_slice() else {
            return Err("it changes more than one table".to_owned());
        };
        let (table, alias) = self.one_table(table)?;
        let condition = self.condition(delete.selection.as_ref(), &table)?;
        Ok(Touch { kind: TouchKind::Delete, table, alias, columns: Vec::new(), condition })
    }

    /// A parser that does not know a word such as ONLY takes it for the table, and the table for its alias.
    fn no_modifier(&self, at: usize) -> Result<(), String> {
        let words = ["ONLY", "IGNORE", "LOW_PRIORITY", "QUICK", "OR", "LATERAL", "TABLE"];
        no(self.tokens.is_any(at, &words), "it says more than which table it changes")
    }

    fn one_table(&self, table: &TableWithJoins) -> Result<(Vec<String>, Option<String>), String> {
        no(!table.joins.is_empty(), "it joins other tables")?;
        let TableFactor::Table {
            name,
            alias,
            args: None,
            with_hints,
            version: None,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample: None,
            index_hints,
        } = &table.relation
        else {
            return Err("it does not change a plain table".to_owned());
        };
        let is_plain = with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty();
        no(!is_plain, "it says more than which table it changes")?;
        let alias = match alias {
            None => None,
            Some(alias) => {
                no(!alias.columns.is_empty() || alias.at.is_some(), "it renames columns")?;
                Some(folded(&alias.name, self.dialect)?)
            }
        };
        Ok((table_of(name, self.dialect)?, alias))
    }

    fn condition(&self, parsed: Option<&Expr>, table: &[String]) -> Result<Option<String>, String> {
        let Some(parsed) = parsed else {
            // What the parser did not see as a condition must not be one.
            return match condition::place(self.tokens) {
                None => Ok(None),
                Some(_) => Err("its condition could not be found".to_owned()),
            };
        };
        condition::is_repeatable(self.tokens, self.dialect, table)?;
        condition::text(self.tokens, self.dialect, parsed).map(Some)
    }
}

/// VALUES, or a query without statements that change anything.
fn is_source(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_none(),
        SetExpr::Values(_) => true,
        SetExpr::Query(query) => query.with.is_none() && is_source(&query.body),
        SetExpr::SetOperation { left, right, .. } => is_source(left) && is_source(right),
        SetExpr::Insert(_)
        | SetExpr::Update(_)
        | SetExpr::Delete(_)
        | SetExpr::Merge(_)
        | SetExpr::Table(_) => false,
    }
}
