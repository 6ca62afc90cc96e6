//! What leaves the transaction or the database, or is not understood.

use alloc::format;
use alloc::vec::Vec;

use sqlparser::ast::{CopySource, CopyTarget, Statement};

use crate::classify::functions::{is_asked_for_calls, is_harmless, odd_call};
use crate::classify::session::{is_transaction_control, timeout_set};
use crate::dialect::Dialect;
use crate::finding::Finding;
use crate::rules::Look;
use crate::tokens::Tokens;

pub(super) fn find(look: &Look<'_>, found: &mut Vec<Finding>) {
    if look.class.needs_person {
        let finding = look.found(
            "sql.unparsed",
            "it could not be understood; a person must read it",
            "write it in a plainer way, or have somebody read it who knows what it does",
        );
        found.extend(finding.map(Finding::for_a_person));
    }
    let Some(tokens) = look.tokens else { return };
    if is_transaction_control(tokens, look.dialect) {
        found.extend(look.found(
            "sql.commit_inside",
            "a script must not begin, end or mark transactions; the host does",
            "leave it out; ask for the mode `steps` if every statement should take effect by itself",
        ));
        return;
    }
    if reaches_out(look, tokens) {
        found.extend(look.found(
            "sql.outside",
            "it reaches files, programs or other databases",
            "run it by other means: what it does there, no approval here can show",
        ));
    }
    if changes_session(tokens, look.dialect) {
        found.extend(look.found(
            "sql.session_change",
            "it changes what the rest of the script means, or who runs it",
            "leave it out; roles and settings of the session are the host's",
        ));
    }
    if look.tree.is_some_and(is_asked_for_calls)
        && let Some(name) =
            odd_call(tokens, (0, tokens.len()), |name| is_harmless(name, look.dialect))
    {
        let shown: alloc::string::String = name.chars().take(60).collect();
        found.extend(look.found(
            "sql.unknown_function",
            format!("it calls `{shown}`, and nobody knows what else that does"),
            "an approver should know the function, or look at it",
        ));
    }
}

fn reaches_out(look: &Look<'_>, tokens: &Tokens<'_>) -> bool {
    if let Some(Statement::Copy { source, target, .. }) = look.tree {
        let through_us = matches!(target, CopyTarget::Stdin | CopyTarget::Stdout);
        return !through_us || matches!(source, CopySource::Query(_));
    }
    let words: &[&str] = match look.dialect {
        Dialect::Sqlite => &["ATTACH", "DETACH"],
        Dialect::MySql => &["LOAD", "INSTALL"],
        Dialect::PostgreSql => &["COPY", "LOAD"],
        Dialect::Generic => &["COPY", "LOAD", "ATTACH", "DETACH", "INSTALL"],
    };
    let writes_file = |word| tokens.has(&["INTO", word]);
    let loads = (0..tokens.len()).any(|at| {
        let functions = [
            "LOAD_EXTENSION",
            "LOAD_FILE",
            "READFILE",
            "WRITEFILE",
            "DBLINK",
            "DBLINK_EXEC",
            "PG_READ_FILE",
            "PG_READ_BINARY_FILE",
            "PG_LS_DIR",
            "LO_IMPORT",
            "LO_EXPORT",
        ];
        tokens.is_any(at, &functions) && tokens.is_symbol(at.saturating_add(1), b'(')
    });
    tokens.is_any(0, words)
        || loads
        || tokens.is(0, "VACUUM") && tokens.has(&["INTO"])
        || look.dialect != Dialect::PostgreSql
            && (writes_file("OUTFILE") || writes_file("DUMPFILE"))
}

fn changes_session(tokens: &Tokens<'_>, dialect: Dialect) -> bool {
    match dialect {
        _ if tokens.is(0, "SET") => timeout_set(tokens, dialect).is_none(),
        Dialect::Sqlite => tokens.is(0, "PRAGMA"),
        Dialect::MySql => tokens.is_any(0, &["USE", "RESET"]),
        Dialect::PostgreSql => tokens.is_any(0, &["RESET", "DISCARD"]),
        Dialect::Generic => tokens.is_any(0, &["PRAGMA", "USE", "RESET", "DISCARD"]),
    }
}
