//! Statements that no transaction can hold: they run by themselves, or end the transaction that they are in.
//!
//! Sources: PostgreSQL manual, "SQL Commands" ("cannot be executed inside a transaction block"); MySQL manual,
//! "Statements That Cause an Implicit Commit"; the manual of `MariaDB`, "SQL statements That Cause an Implicit Commit"; SQLite,
//! "VACUUM" and "ATTACH DATABASE".

use crate::class::Effect;
use crate::dialect::Dialect;
use crate::tokens::Tokens;

pub(crate) fn effect_of(tokens: &Tokens<'_>, dialect: Dialect) -> Effect {
    let is_alone = match dialect {
        Dialect::PostgreSql | Dialect::MySql | Dialect::Generic if moves_sequence(tokens) => true,
        Dialect::PostgreSql => is_alone_in_postgresql(tokens),
        Dialect::MySql => commits_implicitly(tokens),
        Dialect::Sqlite => tokens.is_any(0, &["VACUUM", "ATTACH", "DETACH"]),
        Dialect::Generic => false,
    };
    if is_alone { Effect::AtMostOnce } else { Effect::Transactional }
}

/// Whether it calls `setval`: no rollback takes that back, neither in PostgreSQL (manual, "Sequence Manipulation
/// Functions") nor in `MariaDB`.
fn moves_sequence(tokens: &Tokens<'_>) -> bool {
    (0..tokens.len()).any(|at| {
        let name = tokens.text_at(at).trim_matches(['"', '`']);
        name.eq_ignore_ascii_case("setval") && tokens.is_symbol(at.saturating_add(1), b'(')
    })
}

fn is_alone_in_postgresql(tokens: &Tokens<'_>) -> bool {
    let has = |word: &str| tokens.has(&[word]);
    let is_second = |words: &[&str]| tokens.is_any(1, words);
    match () {
        () if tokens.is_any(0, &["VACUUM", "REINDEX"]) => {
            tokens.is(0, "VACUUM")
                || has("CONCURRENTLY")
                || has("DATABASE")
                || has("SYSTEM")
                || has("SCHEMA")
        }
        () if tokens.is_any(0, &["CREATE", "DROP"]) => {
            is_second(&["DATABASE", "TABLESPACE", "SUBSCRIPTION"])
                || tokens.has(&["INDEX", "CONCURRENTLY"])
        }
        // Before version 12; and until the end of its transaction, nothing may use the new value.
        () if tokens.begins(&["ALTER", "TYPE"]) => tokens.has(&["ADD", "VALUE"]),
        () if tokens.begins(&["ALTER", "DATABASE"]) => has("TABLESPACE"),
        () if tokens.begins(&["ALTER", "TABLE"]) => has("DETACH") && has("CONCURRENTLY"),
        () => {
            tokens.begins(&["ALTER", "SYSTEM"])
                || tokens.begins(&["ALTER", "SUBSCRIPTION"])
                || tokens.is(0, "CLUSTER") && tokens.len() <= 2
        }
    }
}

const IMPLICIT: &[&str] = &[
    "ALTER",
    "ANALYZE",
    "BACKUP",
    "CACHE",
    "CHANGE",
    "CHECK",
    "FLUSH",
    "GRANT",
    "INSTALL",
    "LOCK",
    "OPTIMIZE",
    "RENAME",
    "REPAIR",
    "RESET",
    "REVOKE",
    "SHUTDOWN",
    "START",
    "STOP",
    "TRUNCATE",
    "UNINSTALL",
    "UNLOCK",
];

fn commits_implicitly(tokens: &Tokens<'_>) -> bool {
    let is_temporary = tokens.is(1, "TEMPORARY") || tokens.has(&["REPLACE", "TEMPORARY"]);
    match () {
        () if tokens.is_any(0, &["CREATE", "DROP"]) => !is_temporary,
        () if tokens.is_any(0, IMPLICIT) => true,
        () if tokens.begins(&["SET", "PASSWORD"]) || tokens.begins(&["LOAD", "INDEX"]) => true,
        // What a routine or a prepared statement does is not known, nor what a comment that is run does.
        () => {
            tokens.is_any(0, &["CALL", "EXECUTE", "LOAD", "XA"])
                || tokens.has_kind(crate::lexer::Kind::Executable)
        }
    }
}
