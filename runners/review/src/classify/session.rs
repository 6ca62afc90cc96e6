//! Statements about the session and its transaction.

use crate::class::{Class, Kind, Lock, Risk};
use crate::dialect::Dialect;
use crate::lexer;
use crate::tokens::Tokens;

/// Whether it begins, ends or marks a transaction. The host alone does.
pub(crate) fn is_transaction_control(tokens: &Tokens<'_>, dialect: Dialect) -> bool {
    if tokens.is(0, "BEGIN") {
        // MariaDB: BEGIN NOT ATOMIC is a block of statements.
        return !(dialect == Dialect::MySql && tokens.is(1, "NOT"));
    }
    tokens.is_any(0, &["COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "XA"])
        || tokens.begins(&["START", "TRANSACTION"])
        || tokens.begins(&["PREPARE", "TRANSACTION"])
        || tokens.begins(&["SET", "TRANSACTION"])
        || tokens.begins(&["SET", "SESSION", "CHARACTERISTICS"])
        || tokens.is(0, "SET") && tokens.has(&["AUTOCOMMIT"])
}

const TIMEOUTS_POSTGRESQL: &[&str] =
    &["LOCK_TIMEOUT", "STATEMENT_TIMEOUT", "IDLE_IN_TRANSACTION_SESSION_TIMEOUT"];

const TIMEOUTS_MYSQL: &[&str] =
    &["LOCK_WAIT_TIMEOUT", "INNODB_LOCK_WAIT_TIMEOUT", "MAX_STATEMENT_TIME", "MAX_EXECUTION_TIME"];

/// The timeout that a SET sets to something other than none: `SET LOCAL lock_timeout = '5s'`. MySQL has no
/// LOCAL in this sense; there it is the session's.
pub(crate) fn timeout_set<'a>(tokens: &Tokens<'a>, dialect: Dialect) -> Option<&'a str> {
    let name: usize = match dialect {
        Dialect::PostgreSql if tokens.begins(&["SET", "LOCAL"]) => 2,
        Dialect::MySql if tokens.begins(&["SET", "SESSION"]) => 2,
        Dialect::MySql if tokens.is(0, "SET") => 1,
        Dialect::PostgreSql | Dialect::MySql | Dialect::Sqlite | Dialect::Generic => return None,
    };
    let known = if dialect == Dialect::MySql { TIMEOUTS_MYSQL } else { TIMEOUTS_POSTGRESQL };
    let (sign, value) = (name.saturating_add(1), name.saturating_add(2));
    let is_set = tokens.is_any(name, known)
        && (tokens.is_symbol(sign, b'=') || tokens.is(sign, "TO"))
        && tokens.len() == value.saturating_add(1)
        && matches!(tokens.kind(value), Some(lexer::Kind::Number | lexer::Kind::Text));
    let counts = tokens.text_at(value).bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    (is_set && counts).then(|| tokens.word(name))
}

/// A SET that only bounds how long something may take harms nobody; any other may change what the rest means.
pub(crate) fn of_set(tokens: &Tokens<'_>, dialect: Dialect) -> Class {
    match timeout_set(tokens, dialect) {
        Some(_) => Class::new(Kind::Ddl, Risk::Low, Lock::None, true),
        None => Class::new(Kind::Unknown, Risk::High, Lock::None, false),
    }
}
