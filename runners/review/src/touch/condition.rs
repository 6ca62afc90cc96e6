//! The condition of a change, cut from its text: a query with it must mean the same rows.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use sqlparser::ast::Expr;

use crate::classify::functions::{is_changing_word, is_deterministic, odd_call};
use crate::dialect::Dialect;
use crate::lexer::Kind;
use crate::parse::parse_condition;
use crate::tokens::Tokens;

/// Where the one WHERE stands that is in no parentheses.
pub(super) fn place(tokens: &Tokens<'_>) -> Option<usize> {
    let (mut depth, mut found) = (0_u32, None);
    for at in 0..tokens.len() {
        match tokens.kind(at) {
            Some(Kind::Symbol(b'(')) => depth = depth.saturating_add(1),
            Some(Kind::Symbol(b')')) => depth = depth.saturating_sub(1),
            Some(Kind::Word)
                if depth == 0 && tokens.is(at, "WHERE") && !tokens.is_after_dot(at) =>
            {
                found = found.or(Some(at));
            }
            _ => {}
        }
    }
    found
}

/// Whether the condition means the same rows when it is asked again, before anything changed.
pub(super) fn is_repeatable(
    tokens: &Tokens<'_>,
    dialect: Dialect,
    table: &[String],
) -> Result<(), String> {
    let Some(place) = place(tokens) else { return Ok(()) };
    let range = place.saturating_add(1)..tokens.len();
    let changing = |name: &str| {
        Err(format!("the condition calls `{name}`, which may answer otherwise the next time"))
    };
    if let Some(name) =
        odd_call(tokens, (range.start, range.end), |name| is_deterministic(name, dialect))
    {
        return changing(name);
    }
    let mut asks = false;
    for at in range.clone() {
        let word = tokens.word(at);
        if is_changing_word(word, dialect) && !tokens.is_after_dot(at) {
            return changing(word);
        }
        asks = asks || tokens.is_any(at, &["SELECT", "WITH", "TABLE"]);
        let is_variable = match tokens.kind(at) {
            // Operators in PostgreSQL.
            Some(Kind::Symbol(b'?' | b'@' | b':')) => dialect != Dialect::PostgreSql,
            Some(Kind::Number | Kind::Word) => tokens.text_at(at).starts_with('$'),
            _ => false,
        };
        if is_variable {
            return Err("the condition has a variable, whose value nobody knows".to_owned());
        }
    }
    let name = table.last().map_or("", String::as_str);
    let reads_itself = |at: usize| {
        let text = tokens.text_at(at).trim_matches(['"', '`', '[', ']']);
        matches!(tokens.kind(at), Some(Kind::Word | Kind::Name))
            && text.eq_ignore_ascii_case(name)
            && !tokens.is_symbol(at.saturating_add(1), b'.')
    };
    if asks && !name.is_empty() && range.into_iter().any(reads_itself) {
        return Err(format!("the condition asks `{name}` itself, which changes meanwhile"));
    }
    Ok(())
}

/// The text of the condition. Parsed by itself, it must be what the whole statement was parsed to.
pub(super) fn text(tokens: &Tokens<'_>, dialect: Dialect, parsed: &Expr) -> Result<String, String> {
    let lost = || "its condition could not be found".to_owned();
    let first = place(tokens).ok_or_else(lost)?.saturating_add(1);
    let text = tokens.slice(first, tokens.len().saturating_sub(1)).ok_or_else(lost)?;
    match parse_condition(text, dialect) {
        Some(again) if again == *parsed => Ok(text.to_owned()),
        Some(_) | None => Err(lost()),
    }
}
