//! One statement, parsed.

use sqlparser::ast;
use sqlparser::dialect::{GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use crate::depth::is_shallow;
use crate::dialect::Dialect;
use crate::tokens::Tokens;

/// A longer statement is not parsed: data that long tells an approver nothing, and costs much.
const BYTES_MAX: usize = 1 << 20;

/// The statement as a tree; [`None`] where it is not understood, or is more than one.
pub(crate) fn parse(tokens: &Tokens<'_>, dialect: Dialect) -> Option<ast::Statement> {
    if tokens.text.len() > BYTES_MAX || !is_shallow(tokens) {
        return None;
    }
    let bare = tokens.without_comments();
    let dialect: &dyn sqlparser::dialect::Dialect = match dialect {
        Dialect::Sqlite => &SQLiteDialect {},
        Dialect::PostgreSql => &PostgreSqlDialect {},
        Dialect::MySql => &MySqlDialect {},
        Dialect::Generic => &GenericDialect {},
    };
    let mut parsed = Parser::parse_sql(dialect, &bare).ok()?.into_iter();
    let (first, None) = (parsed.next()?, parsed.next()) else { return None };
    Some(first)
}
