//! Statements that read, and what else a query can do.

use sqlparser::ast::{Query, SetExpr, Statement};

use crate::class::{Class, Kind, Lock, Risk};
use crate::classify::functions::{is_harmless, odd_call};
use crate::classify::of_statement;
use crate::dialect::Dialect;
use crate::lexer;
use crate::tokens::Tokens;

const READ: fn() -> Class = || Class::new(Kind::Read, Risk::None, Lock::None, true);

const ODD: fn() -> Class = || Class::new(Kind::Unknown, Risk::High, Lock::Rows, false);

/// A query reads, unless something in it may do more: an unknown function, a lock, INTO, or a statement that
/// writes (`WITH … DELETE`).
pub(crate) fn of_query(query: &Query, tokens: &Tokens<'_>, dialect: Dialect) -> Class {
    let inside = query.with.iter().flat_map(|with| &with.cte_tables);
    let class = inside
        .map(|cte| of_body(&cte.query.body, tokens, dialect))
        .fold(of_body(&query.body, tokens, dialect), worse);
    if class.kind == Kind::Read && may_do_more(tokens, dialect) { ODD() } else { class }
}

fn of_body(body: &SetExpr, tokens: &Tokens<'_>, dialect: Dialect) -> Class {
    match body {
        SetExpr::Query(query) => of_query(query, tokens, dialect),
        SetExpr::SetOperation { left, right, .. } => {
            worse(of_body(left, tokens, dialect), of_body(right, tokens, dialect))
        }
        SetExpr::Insert(statement)
        | SetExpr::Update(statement)
        | SetExpr::Delete(statement)
        | SetExpr::Merge(statement) => of_statement(statement, tokens, dialect),
        SetExpr::Select(_) | SetExpr::Values(_) | SetExpr::Table(_) => READ(),
    }
}

fn worse(one: Class, other: Class) -> Class {
    if (other.risk, other.kind) > (one.risk, one.kind) { other } else { one }
}

/// Whether a call in it is not known to be harmless.
pub(crate) fn has_odd_call(tokens: &Tokens<'_>, dialect: Dialect) -> bool {
    odd_call(tokens, (0, tokens.len()), |name| is_harmless(name, dialect)).is_some()
}

/// Asked of the text, not of the tree: whatever the tree leaves out is seen here.
fn may_do_more(tokens: &Tokens<'_>, dialect: Dialect) -> bool {
    let keywords =
        ["INTO", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "OUTFILE", "DUMPFILE"];
    has_odd_call(tokens, dialect)
        || keywords.iter().any(|word| has_keyword(tokens, word))
        || tokens.has(&["LOCK", "IN"])
        || tokens.has(&["NEXT", "VALUE", "FOR"])
        || tokens.has(&["PROCEDURE"])
        || ["SHARE", "NO", "KEY"].iter().any(|word| tokens.has(&["FOR", word]))
        || has_variables(tokens, dialect)
}

/// A word that is no function's name and no label: `INSERT(…)` of MySQL is harmless, and so is `AS delete`.
fn has_keyword(tokens: &Tokens<'_>, word: &str) -> bool {
    (0..tokens.len()).any(|at| {
        let label = at.checked_sub(1).is_some_and(|before| tokens.is(before, "AS"));
        tokens.is(at, word)
            && !label
            && !tokens.is_after_dot(at)
            && !tokens.is_symbol(at.saturating_add(1), b'(')
    })
}

/// `@a := 1`: MySQL sets a variable in a query. In SQLite, values that nobody gives.
fn has_variables(tokens: &Tokens<'_>, dialect: Dialect) -> bool {
    dialect == Dialect::MySql
        && (0..tokens.len())
            .any(|at| tokens.is_symbol(at, b':') && tokens.is_symbol(at.saturating_add(1), b'='))
}

/// EXPLAIN reads, unless it runs what it explains. Planning may call what is declared immutable.
pub(crate) fn of_explain(inner: &Statement, tokens: &Tokens<'_>, dialect: Dialect) -> Class {
    let runs = tokens.has(&["ANALYZE"]) || tokens.has(&["ANALYSE"]);
    match of_statement(inner, tokens, dialect) {
        class if runs && class.kind != Kind::Read => Class { kind: Kind::Unknown, ..ODD() },
        class if class.kind == Kind::Read => class,
        _ if has_odd_call(tokens, dialect) => ODD(),
        _ => READ(),
    }
}

/// `SHOW …`, `DESCRIBE …`: they read, as long as they call nothing.
pub(crate) fn of_show(tokens: &Tokens<'_>, dialect: Dialect) -> Class {
    let is_plain = (0..tokens.len()).all(|at| {
        matches!(tokens.kind(at), Some(lexer::Kind::Word | lexer::Kind::Name | lexer::Kind::Text))
            || tokens.is_symbol(at, b'.')
    });
    if is_plain || !may_do_more(tokens, dialect) { READ() } else { ODD() }
}
