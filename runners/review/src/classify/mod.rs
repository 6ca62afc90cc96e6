//! What one statement does.

use sqlparser::ast;

use crate::class::{Class, Kind, Lock, Risk};
use crate::dialect::Dialect;
use crate::parse::parse;
use crate::tokens::Tokens;

/// Says what one statement does and how much harm it can do. What is not understood is never harmless.
///
/// ```
/// use placet_sql_review::{Kind, Risk, classify};
///
/// assert_eq!(classify("SELECT lower(name) FROM people", "postgresql").kind, Kind::Read);
/// // Nobody knows what it does.
/// let call = classify("SELECT tidy_up(7)", "postgresql");
/// assert_eq!((call.kind, call.risk), (Kind::Unknown, Risk::High));
/// ```
pub fn classify(statement: &str, dialect: &str) -> Class {
    let dialect = Dialect::from(dialect);
    let Some(tokens) = Tokens::of(statement, dialect) else { return Class::unparsed() };
    let parsed = parse(&tokens, dialect);
    of_parsed(&tokens, parsed.as_ref(), dialect)
}

pub(crate) fn of_parsed(
    _tokens: &Tokens<'_>,
    parsed: Option<&ast::Statement>,
    _dialect: Dialect,
) -> Class {
    match parsed {
        Some(ast::Statement::Query(_)) => Class::new(Kind::Read, Risk::None, Lock::None, true),
        Some(_) | None => Class::unparsed(),
    }
}
