//! Says what a statement does and how much harm it can do.

use alloc::boxed::Box;
use alloc::string::String;

use sqlparser::ast::{
    Insert, ObjectType, OnConflictAction, OnInsert, Query, SetExpr, SqliteOnConflict, Statement,
};
use sqlparser::dialect::{Dialect, GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

/// A longer statement is not parsed: data that long tells an approver nothing, and costs much.
const PARSED_BYTES_MAX: usize = 1 << 20;

/// What a statement is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Class {
    /// The word of the plugin interface: `read`, `write`, `ddl` or `unknown`.
    pub kind: &'static str,
    /// The word of the plugin interface.
    pub risk: &'static str,
    /// Whether another statement can undo it.
    pub reversible: bool,
    /// What an approver should know of it, if anything.
    pub warning: Option<Warning>,
}

/// What an approver should know of one statement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Warning {
    /// An UPDATE or DELETE without WHERE.
    NoWhere,
    /// A DROP.
    Drop,
    /// A TRUNCATE.
    Truncate,
    /// BEGIN, COMMIT and their kin.
    TransactionControl,
    /// It could not be parsed.
    Unparsed,
}

const fn class(kind: &'static str, risk: &'static str, reversible: bool) -> Class {
    Class { kind, risk, reversible, warning: None }
}

const fn warned(kind: &'static str, risk: &'static str, warning: Warning) -> Class {
    Class { kind, risk, reversible: false, warning: Some(warning) }
}

/// Classifies one statement in the given dialect.
pub fn classify(statement: &str, dialect: &str) -> Class {
    if is_transaction_control(statement) {
        return warned("unknown", "critical", Warning::TransactionControl);
    }
    if statement.len() > PARSED_BYTES_MAX {
        return warned("unknown", "high", Warning::Unparsed);
    }
    let dialect: Box<dyn Dialect> = match dialect {
        "sqlite" => Box::new(SQLiteDialect {}),
        "postgresql" => Box::new(PostgreSqlDialect {}),
        "mysql" => Box::new(MySqlDialect {}),
        _ => Box::new(GenericDialect {}),
    };
    match Parser::parse_sql(dialect.as_ref(), statement).as_deref() {
        Ok([parsed]) => of_parsed(parsed),
        _ => warned("unknown", "high", Warning::Unparsed),
    }
}

fn is_transaction_control(statement: &str) -> bool {
    let word = statement.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    let words =
        ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"];
    words.iter().any(|control| word.eq_ignore_ascii_case(control))
}

fn of_parsed(statement: &Statement) -> Class {
    match statement {
        Statement::Query(query) => of_query(query),
        Statement::Explain { analyze: false, .. } | Statement::ExplainTable { .. } => {
            class("read", "none", true)
        }
        Statement::Insert(insert) if overwrites(insert) => class("write", "medium", false),
        Statement::Insert(_) => class("write", "low", false),
        Statement::Update(update) if update.selection.is_none() => {
            warned("write", "high", Warning::NoWhere)
        }
        Statement::Delete(delete) if delete.selection.is_none() => {
            warned("write", "high", Warning::NoWhere)
        }
        Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_) => {
            class("write", "medium", false)
        }
        Statement::Truncate(_) => warned("ddl", "critical", Warning::Truncate),
        Statement::Drop { object_type, .. } => {
            warned("ddl", risk_of_drop(object_type), Warning::Drop)
        }
        Statement::DropFunction(_)
        | Statement::DropDomain(_)
        | Statement::DropProcedure { .. }
        | Statement::DropTrigger(_)
        | Statement::DropPolicy(_)
        | Statement::DropExtension(_) => warned("ddl", "high", Warning::Drop),
        Statement::CreateTable(_)
        | Statement::CreateView(_)
        | Statement::CreateIndex(_)
        | Statement::CreateVirtualTable { .. }
        | Statement::CreateSchema { .. }
        | Statement::CreateSequence { .. }
        | Statement::CreateType { .. }
        | Statement::CreateDomain(_) => class("ddl", "low", true),
        Statement::CreateTrigger(_) | Statement::CreateFunction(_) => class("ddl", "medium", true),
        Statement::AlterTable(_)
        | Statement::AlterIndex { .. }
        | Statement::AlterView { .. }
        | Statement::AlterType(_)
        | Statement::RenameTable(_)
        | Statement::Comment { .. } => class("ddl", "medium", false),
        Statement::Analyze(_) => class("ddl", "low", true),
        Statement::StartTransaction { .. }
        | Statement::Commit { .. }
        | Statement::Rollback { .. }
        | Statement::Savepoint { .. }
        | Statement::ReleaseSavepoint { .. } => {
            warned("unknown", "critical", Warning::TransactionControl)
        }
        _ => class("unknown", "high", false),
    }
}

fn risk_of_drop(object: &ObjectType) -> &'static str {
    match object {
        ObjectType::Index | ObjectType::View => "high",
        _ => "critical",
    }
}

// A query can carry a write: `WITH … DELETE`, `SELECT … INTO`.
fn of_query(query: &Query) -> Class {
    let inside =
        query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| of_query(&cte.query));
    inside.fold(of_set(&query.body), worse)
}

fn of_set(body: &SetExpr) -> Class {
    match body {
        SetExpr::Select(select) if select.into.is_some() => class("ddl", "medium", false),
        SetExpr::Query(query) => of_query(query),
        SetExpr::SetOperation { left, right, .. } => worse(of_set(left), of_set(right)),
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => of_parsed(statement),
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => class("read", "none", true),
    }
}

fn worse(one: Class, other: Class) -> Class {
    if rank(other.risk) > rank(one.risk) { other } else { one }
}

fn rank(risk: &str) -> usize {
    ["none", "low", "medium", "high", "critical"].iter().position(|word| *word == risk).unwrap_or(4)
}

/// A title of a few words: the beginning of the statement on one line.
pub fn title(statement: &str) -> String {
    let mut title = String::new();
    for word in statement.split_whitespace() {
        if title.chars().count().saturating_add(word.chars().count()) > 60 {
            if title.is_empty() {
                title.extend(word.chars().take(60));
            }
            title.push('…');
            break;
        }
        if !title.is_empty() {
            title.push(' ');
        }
        title.push_str(word);
    }
    title
}

// Rows that are there already may be changed or go.
const fn overwrites(insert: &Insert) -> bool {
    insert.replace_into
        || matches!(insert.or, Some(SqliteOnConflict::Replace))
        || match &insert.on {
            Some(OnInsert::OnConflict(conflict)) => {
                matches!(conflict.action, OnConflictAction::DoUpdate(_))
            }
            Some(_) => true,
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart() {
        let cases = [
            ("SELECT 1", "read", "none", None),
            ("INSERT INTO a VALUES (1)", "write", "low", None),
            ("UPDATE a SET b = 1 WHERE c = 2", "write", "medium", None),
            ("UPDATE a SET b = 1", "write", "high", Some(Warning::NoWhere)),
            ("DELETE FROM a", "write", "high", Some(Warning::NoWhere)),
            ("WITH x AS (SELECT 1) DELETE FROM a", "write", "high", Some(Warning::NoWhere)),
            ("DROP TABLE a", "ddl", "critical", Some(Warning::Drop)),
            ("CREATE TABLE a (b INTEGER)", "ddl", "low", None),
            ("ALTER TABLE a ADD COLUMN b TEXT", "ddl", "medium", None),
            ("COMMIT", "unknown", "critical", Some(Warning::TransactionControl)),
            ("savepoint x", "unknown", "critical", Some(Warning::TransactionControl)),
            ("FROBNICATE THE DATABASE", "unknown", "high", Some(Warning::Unparsed)),
        ];
        for (statement, kind, risk, warning) in cases {
            let class = classify(statement, "sqlite");
            assert_eq!(
                (class.kind, class.risk, class.warning),
                (kind, risk, warning),
                "{statement}"
            );
        }
    }

    #[test]
    fn a_title_is_one_short_line() {
        assert_eq!(title("UPDATE a\n  SET b = 1"), "UPDATE a SET b = 1");
        assert!(title(&"x".repeat(500)).chars().count() <= 61);
    }
}
