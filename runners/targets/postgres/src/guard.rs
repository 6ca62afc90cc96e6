//! What a statement of somebody else's may be: one statement of a known kind, and none that ends the
//! transaction, changes the session or touches our tables. What is not known is refused.

use placet_target::SqlFailure;

use crate::fault::refused;
use crate::forbidden;
use crate::lexer::{Piece, Token, pieces};

/// The longest statement, in bytes.
pub(crate) const STATEMENT_BYTES_MAX: usize = 16 << 20;

/// What a statement may begin with.
const VERBS: &[&str] = &[
    "alter", "analyse", "analyze", "call", "cluster", "comment", "create", "delete", "do", "drop",
    "explain", "grant", "import", "insert", "lock", "merge", "reassign", "refresh", "reindex",
    "revoke", "security", "select", "set", "show", "table", "truncate", "update", "vacuum",
    "values", "with",
];

/// Statements that read or change rows.
const ROWS: &[&str] =
    &["delete", "explain", "insert", "merge", "select", "table", "update", "values", "with"];

/// What a statement may make, alter or drop by its name, and nothing besides.
const NAMED: &[&str] = &[
    "domain",
    "function",
    "index",
    "materialized",
    "or",
    "procedure",
    "sequence",
    "table",
    "trigger",
    "type",
    "unique",
    "view",
];

/// What `SET LOCAL` may change: it ends with the transaction, and is not what the host relies on.
const SETTINGS: &[&str] = &[
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "maintenance_work_mem",
    "search_path",
    "statement_timeout",
    "work_mem",
];

/// A statement that may be sent.
#[derive(Debug)]
pub(crate) struct Statement<'a> {
    /// Without what follows it: semicolons, comments.
    pub(crate) text: &'a str,
    /// Its first keyword, in lower case.
    pub(crate) verb: String,
    pub(crate) pieces: Vec<Piece<'a>>,
}

impl Statement<'_> {
    /// The keyword that says what a statement does to rows: behind the names that WITH gives.
    pub(crate) fn main_verb(&self) -> &str {
        if self.verb != "with" {
            return &self.verb;
        }
        let verbs = ["select", "insert", "update", "delete", "merge", "values", "table"];
        let outside = self.pieces.iter().filter(|piece| piece.depth == 0);
        let mut found = outside.filter_map(|piece| verbs.into_iter().find(|verb| piece.is(verb)));
        found.next().unwrap_or("with")
    }

    /// Whether the number of rows that the server says is one of changed rows.
    pub(crate) fn changes_rows(&self) -> bool {
        matches!(self.main_verb(), "insert" | "update" | "delete" | "merge")
    }

    /// Whether it answers rows and is made to read.
    pub(crate) fn is_query(&self) -> bool {
        ["select", "with", "values", "table", "show", "explain"].contains(&self.verb.as_str())
    }

    /// Whether what it does by itself, apart from code that it starts, is done to what it names alone. Our tables stand in
    /// none.
    pub(crate) fn reaches_only_what_it_names(&self) -> bool {
        let second = self.pieces.get(1);
        match self.verb.as_str() {
            "comment" | "delete" | "insert" | "merge" | "update" => true,
            // `ALTER TABLE ALL IN TABLESPACE` names none.
            "alter" if self.pieces.get(2).is_some_and(|piece| piece.is("all")) => false,
            "alter" | "create" | "drop" => {
                second.is_some_and(|piece| NAMED.iter().any(|word| piece.is(word)))
            }
            _ => false,
        }
    }

    /// Whether this keyword stands in it outside of all parentheses.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.pieces.iter().any(|piece| piece.depth == 0 && piece.is(word))
    }
}

/// The one statement of the text, if it may be sent at all.
pub(crate) fn read(sql: &str) -> Result<Statement<'_>, SqlFailure> {
    if sql.len() > STATEMENT_BYTES_MAX {
        let why = format!("the statement is longer than {STATEMENT_BYTES_MAX} bytes");
        return Err(SqlFailure::Limit(why));
    }
    if sql.contains('\0') {
        return Err(refused("a statement holds no zero character"));
    }
    let Some(mut pieces) = pieces(sql) else {
        return Err(refused("a quote or a comment of the statement does not end"));
    };
    while pieces.last().is_some_and(|piece| piece.token == Token::End) {
        pieces.truncate(pieces.len().saturating_sub(1));
    }
    let Some(last) = pieces.last() else { return Err(refused("there is no statement")) };
    let text = sql.get(..last.end).unwrap_or(sql);
    let verb = verb(&pieces)?;
    names(&pieces)?;
    // What reads or changes rows may hold our names as data. What holds statements as text may not.
    if !ROWS.contains(&verb.as_str())
        && let Some(table) = forbidden::table_in(sql)
    {
        return Err(ours(table));
    }
    bodies(sql, &verb, &pieces)?;
    // The body of a function may hold statements. The server takes one statement only, whatever is said here.
    let is_body = verb == "create" && pieces.iter().any(|piece| piece.is("atomic"));
    if !is_body && pieces.iter().any(|piece| piece.token == Token::End && piece.depth == 0) {
        return Err(refused("one call executes one statement"));
    }
    match verb.as_str() {
        "set" => setting(&pieces)?,
        "alter" if pieces.get(1).is_some_and(|piece| piece.is("system")) => {
            return Err(refused("the host does not let a statement change the server"));
        }
        _ => {}
    }
    Ok(Statement { text, verb, pieces })
}

fn verb(pieces: &[Piece<'_>]) -> Result<String, SqlFailure> {
    let mut inner = pieces.iter().skip_while(|piece| piece.token == Token::Sign('('));
    let word = match inner.next().map(|piece| piece.token) {
        Some(Token::Word(word)) => word.to_ascii_lowercase(),
        _ => return Err(refused("the statement does not begin with a keyword")),
    };
    if VERBS.contains(&word.as_str()) {
        return Ok(word);
    }
    let why = match word.as_str() {
        "abort" | "begin" | "commit" | "end" | "prepare" | "release" | "rollback" | "savepoint"
        | "start" => "the host alone begins and ends transactions",
        "copy" => "COPY reaches files and programs of the server, or needs a stream",
        "reset" | "discard" => "the host does not let a statement change the session",
        "load" => "the host does not let a statement load a library",
        "listen" | "notify" | "unlisten" => "notifications take effect outside of the transaction",
        _ => "the host does not know such statements",
    };
    Err(refused(format!("`{}` is refused: {why}", word.to_ascii_uppercase())))
}

fn ours(table: &str) -> SqlFailure {
    refused(format!("`{table}` belongs to the host"))
}

fn names(pieces: &[Piece<'_>]) -> Result<(), SqlFailure> {
    for piece in pieces {
        let name = match piece.token {
            Token::Word(word) => word.to_ascii_lowercase(),
            Token::Quoted(quoted) => quoted.trim_matches('"').replace("\"\"", "\""),
            Token::Escaped => {
                return Err(refused(
                    "write names and texts with letters, not as `U&` with numbers",
                ));
            }
            Token::Text | Token::End | Token::Sign(_) => continue,
        };
        if let Some(table) = forbidden::table_in(&name) {
            return Err(ours(table));
        }
        if let Some(why) = forbidden::why(&name) {
            return Err(refused(format!("`{name}` is refused: it {why}")));
        }
    }
    Ok(())
}

/// Looks into what holds statements as text: a block, and the body of a function or procedure.
fn bodies(sql: &str, verb: &str, pieces: &[Piece<'_>]) -> Result<(), SqlFailure> {
    let makes = |word: &str| pieces.iter().take(4).any(|piece| piece.is(word));
    let is_kept = verb == "create" && (makes("function") || makes("procedure"));
    if !is_kept && verb != "do" {
        return Ok(());
    }
    match forbidden::in_body(sql, is_kept) {
        Some((word, why)) => {
            Err(refused(format!("`{word}` is refused inside of a body: it {why}")))
        }
        None => Ok(()),
    }
}

fn setting(pieces: &[Piece<'_>]) -> Result<(), SqlFailure> {
    let is = |at: usize, word: &str| pieces.get(at).is_some_and(|piece| piece.is(word));
    let known = SETTINGS.iter().any(|name| is(2, name));
    if is(1, "constraints") || is(1, "local") && known {
        return Ok(());
    }
    let known = SETTINGS.join("`, `");
    Err(refused(format!(
        "the host does not let a statement change the session; `SET LOCAL` may change `{known}`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_statement_is_cut_out() {
        for (sql, text, verb) in [
            ("SELECT 1 ; -- more\n ;;", "SELECT 1", "select"),
            ("/* a */ (SELECT 1)", "/* a */ (SELECT 1)", "select"),
            ("SET LOCAL lock_timeout = '1s'", "SET LOCAL lock_timeout = '1s'", "set"),
            ("SET CONSTRAINTS ALL DEFERRED;", "SET CONSTRAINTS ALL DEFERRED", "set"),
            (
                "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);",
                "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
                "create",
            ),
            (
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;",
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
                "create",
            ),
        ] {
            let statement = read(sql).unwrap();
            assert_eq!((statement.text, statement.verb.as_str()), (text, verb), "{sql}");
        }
    }

    #[test]
    fn what_changes_rows_is_known_behind_with() {
        for (sql, verb) in [
            ("WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", "select"),
            ("WITH a(b) AS MATERIALIZED (SELECT 1), c AS (SELECT 2) UPDATE t SET x = 1", "update"),
            ("INSERT INTO t SELECT 1", "insert"),
        ] {
            assert_eq!(read(sql).unwrap().main_verb(), verb, "{sql}");
        }
    }
}
