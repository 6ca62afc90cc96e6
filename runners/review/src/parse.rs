//! One statement, parsed.

use alloc::borrow::Cow;
use alloc::format;

use sqlparser::ast::{Expr, Statement};
use sqlparser::dialect::{GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::depth::can_walk;
use crate::dialect::Dialect;
use crate::lexer::Kind;
use crate::tokens::Tokens;

/// A longer statement is not parsed: data that long tells an approver nothing, and costs much.
const BYTES_MAX: usize = 1 << 20;

/// How deep the parser goes. What people write stays far below.
const DEPTH_MAX: usize = 48;

/// The statement as a tree; [`None`] where it is not understood, or is more than one.
pub(crate) fn parse(tokens: &Tokens<'_>, dialect: Dialect) -> Option<Statement> {
    if tokens.text.len() > BYTES_MAX || !can_walk(tokens) || is_misread(tokens) {
        return None;
    }
    let bare = if tokens.begins(&["DROP", "INDEX", "CONCURRENTLY"]) {
        // The parser does not know the word; the tokens still have it.
        Cow::Owned(format!("DROP INDEX {}", tokens.slice(3, tokens.len().saturating_sub(1))?))
    } else {
        tokens.without_comments()
    };
    let mut parsed = parser(&bare, dialect)?.parse_statements().ok()?.into_iter();
    let (first, None) = (parsed.next()?, parsed.next()) else { return None };
    Some(first)
}

/// Whether the parser would take a word for a table that it is not: in `UPDATE ONLY a`, it sees a table `only`
/// that is called `a`.
fn is_misread(tokens: &Tokens<'_>) -> bool {
    (1..tokens.len()).any(|at| {
        let before = at.saturating_sub(1);
        let starts = ["UPDATE", "DELETE", "FROM", "JOIN", "USING", "INTO"];
        tokens.is_any(at, &["ONLY", "IGNORE", "LOW_PRIORITY", "QUICK"])
            && (tokens.is_any(before, &starts) || tokens.is_symbol(before, b','))
            && matches!(
                tokens.kind(at.saturating_add(1)),
                Some(Kind::Word | Kind::Name | Kind::Symbol(b'('))
            )
            && !tokens.is(at.saturating_add(1), "SET")
    })
}

/// A condition as a tree; [`None`] where it is not understood, or something follows it.
pub(crate) fn parse_condition(text: &str, dialect: Dialect) -> Option<Expr> {
    let tokens = Tokens::of(text, dialect)?;
    if !can_walk(&tokens) {
        return None;
    }
    let mut parser = parser(&tokens.without_comments(), dialect)?;
    let parsed = parser.parse_expr().ok()?;
    (parser.peek_token_ref().token == Token::EOF).then_some(parsed)
}

fn parser(text: &str, dialect: Dialect) -> Option<Parser<'static>> {
    Parser::new(of(dialect)).with_recursion_limit(DEPTH_MAX).try_with_sql(text).ok()
}

fn of(dialect: Dialect) -> &'static dyn sqlparser::dialect::Dialect {
    match dialect {
        Dialect::Sqlite => &SQLiteDialect {},
        Dialect::PostgreSql => &PostgreSqlDialect {},
        Dialect::MySql => &MySqlDialect {},
        Dialect::Generic => &GenericDialect {},
    }
}
