//! How a statement begins, and what that means for a transaction.

use crate::guard::{Purpose, Statement, Token};

/// What SHOW may show: how things are made, and nothing about others.
const SHOWN: [&str; 17] = [
    "character",
    "collation",
    "columns",
    "databases",
    "engines",
    "errors",
    "fields",
    "function",
    "index",
    "indexes",
    "keys",
    "procedure",
    "schemas",
    "table",
    "tables",
    "triggers",
    "warnings",
];

/// What can be made, changed and dropped. Left out on purpose: accounts, roles and rights, which are no change of data
/// and would put passwords into plans; events, which run when no plan does; servers, tablespaces and plugins, which are
/// about files and other machines.
const OBJECTS: [&str; 9] = [
    "table",
    "view",
    "index",
    "trigger",
    "procedure",
    "function",
    "sequence",
    "database",
    "schema",
];

/// Statements that commit what is open before they run (MySQL's manual, "Statements That Cause an Implicit Commit", and
/// MariaDB's, "SQL statements Causing an Implicit Commit").
const COMMITTING: [&str; 24] = [
    "alter",
    "analyze",
    "begin",
    "cache",
    "change",
    "check",
    "create",
    "drop",
    "flush",
    "grant",
    "install",
    "load",
    "lock",
    "optimize",
    "rename",
    "repair",
    "reset",
    "revoke",
    "set",
    "start",
    "stop",
    "truncate",
    "uninstall",
    "unlock",
];

/// Refuses a statement whose beginning does not fit its purpose.
pub(super) fn check(statement: &Statement<'_>, purpose: Purpose) -> Result<(), String> {
    let fits = match purpose {
        Purpose::Read => reads(statement),
        Purpose::Transaction => reads(statement) || changes_rows(statement) || is_local(statement),
        Purpose::Alone => changes_rows(statement) || changes_schema(statement),
    };
    if fits {
        return Ok(());
    }
    let verb = statement.word(0).to_uppercase();
    Err(match purpose {
        Purpose::Read => {
            "a query reads: SELECT, WITH, TABLE, VALUES, EXPLAIN, DESCRIBE, and SHOW of how \
                          things are made"
                .to_owned()
        }
        Purpose::Transaction if COMMITTING.contains(&statement.word(0)) => format!(
            "`{verb}` commits or controls the transaction; a statement that no transaction can hold runs alone"
        ),
        Purpose::Transaction | Purpose::Alone => {
            format!("the host does not let a plan run `{verb}` so")
        }
    })
}

/// Whether a body of statements may follow, with semicolons in it.
pub(super) fn has_body(statement: &Statement<'_>) -> bool {
    matches!(object(statement), "trigger" | "procedure" | "function")
        && matches!(statement.word(0), "create" | "alter")
}

fn reads(statement: &Statement<'_>) -> bool {
    match statement.word(0) {
        "select" | "(" | "table" | "values" => true,
        "with" => matches!(main_verb(statement), "select" | "table" | "values"),
        "show" => {
            let mut at = 1;
            while matches!(statement.word(at), "full" | "extended") {
                at = at.saturating_add(1);
            }
            SHOWN.contains(&statement.word(at))
                || statement.word(at) == "create" && statement.word(at.saturating_add(1)) != "user"
        }
        // ANALYZE runs what it explains, and the statements of others are nobody's business.
        "explain" | "describe" | "desc" => {
            !statement.holds(&["analyze"]) && !statement.holds(&["for", "connection"])
        }
        _ => false,
    }
}

fn changes_rows(statement: &Statement<'_>) -> bool {
    match statement.word(0) {
        "insert" | "replace" | "update" | "delete" => true,
        "with" => matches!(main_verb(statement), "update" | "delete"),
        _ => false,
    }
}

/// What changes nothing but the session, and commits nothing.
fn is_local(statement: &Statement<'_>) -> bool {
    match statement.word(0) {
        "do" => true,
        "set" => sets_variables_only(statement),
        "create" => {
            let at = if statement.word(1) == "or" { 3 } else { 1 };
            statement.word(at) == "temporary" && statement.word(at.saturating_add(1)) == "table"
        }
        "drop" => statement.word(1) == "temporary" && statement.word(2) == "table",
        _ => false,
    }
}

/// `SET @a = 1, @b = 2`.
fn sets_variables_only(statement: &Statement<'_>) -> bool {
    let (mut depth, mut is_target) = (0_u32, true);
    for token in statement.tokens.iter().skip(1) {
        if is_target && *token != Token::Variable {
            return false;
        }
        match token {
            Token::Sign('(') => depth = depth.saturating_add(1),
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Word(_)
            | Token::Name(_)
            | Token::Text
            | Token::Variable
            | Token::Setting
            | Token::Sign(_) => {}
        }
        is_target = depth == 0 && *token == Token::Sign(',');
    }
    !is_target
}

fn changes_schema(statement: &Statement<'_>) -> bool {
    let object = object(statement);
    match statement.word(0) {
        "create" | "alter" => OBJECTS.contains(&object),
        // A database takes the marks with it.
        "drop" => OBJECTS.contains(&object) && object != "database" && object != "schema",
        "rename" => matches!(statement.word(1), "table" | "tables"),
        "truncate" => true,
        "analyze" | "optimize" | "repair" | "check" => {
            let is_quiet = matches!(statement.word(1), "local" | "no_write_to_binlog");
            matches!(statement.word(if is_quiet { 2 } else { 1 }), "table" | "tables")
        }
        _ => false,
    }
}

/// What a CREATE, ALTER or DROP is about: the word after what may stand before it, and no word of a name. Nothing where
/// the words are others than those that are known.
fn object(statement: &Statement<'_>) -> &'static str {
    let mut at = 1_usize;
    loop {
        let after = |count: usize| at.saturating_add(count);
        let skips_sign = |at: usize| {
            at.saturating_add(usize::from(statement.tokens.get(at) == Some(&Token::Sign('='))))
        };
        at = match statement.word(at) {
            "or" if statement.word(after(1)) == "replace" => after(2),
            "temporary" | "unique" | "fulltext" | "spatial" | "aggregate" | "online"
            | "offline" | "ignore" => after(1),
            "sql" if statement.word(after(1)) == "security" => after(3),
            "algorithm" => skips_sign(after(1)).saturating_add(1),
            "definer" => after_user(statement, skips_sign(after(1))),
            word => return OBJECTS.into_iter().find(|object| *object == word).unwrap_or_default(),
        };
    }
}

/// Where it goes on after the user or role at `at`: `a`, `a@b`, `CURRENT_USER` or `CURRENT_USER()`.
fn after_user(statement: &Statement<'_>, at: usize) -> usize {
    let next = at.saturating_add(1);
    let is_call = matches!(statement.word(at), "current_user" | "current_role")
        && statement.word(next) == "(";
    match statement.tokens.get(next) {
        Some(Token::Variable) => next.saturating_add(1),
        Some(_) if is_call => next.saturating_add(2),
        Some(_) | None => next,
    }
}

/// The verb after the queries that WITH names.
fn main_verb<'a>(statement: &'a Statement<'_>) -> &'a str {
    let mut depth = 0_u32;
    for token in &statement.tokens {
        match token {
            Token::Sign('(') => depth = depth.saturating_add(1),
            Token::Sign(')') => depth = depth.saturating_sub(1),
            Token::Word(word)
                if depth == 0
                    && matches!(
                        word.as_str(),
                        "select" | "table" | "values" | "update" | "delete" | "insert" | "replace"
                    ) =>
            {
                return word;
            }
            Token::Word(_)
            | Token::Name(_)
            | Token::Text
            | Token::Variable
            | Token::Setting
            | Token::Sign(_) => {}
        }
    }
    ""
}
