//! What no statement names, wherever it stands in it.

use crate::guard::{Statement, Token};

/// The host's own tables.
pub(crate) const OURS: [&str; 3] = ["placet_marker", "placet_step", "placet_kept"];

/// Functions that wait, lock, read files or run programs; and the one whose effect no rollback takes back.
const FUNCTIONS: [&str; 20] = [
    "benchmark",
    "get_lock",
    "is_free_lock",
    "is_used_lock",
    "load_file",
    "lib_mysqludf_sys_info",
    "master_gtid_wait",
    "master_pos_wait",
    "release_all_locks",
    "release_lock",
    "setval",
    "sleep",
    "source_pos_wait",
    "sys_eval",
    "sys_exec",
    "sys_get",
    "sys_set",
    "wait_for_executed_gtid_set",
    "wait_until_sql_thread_after_gtids",
    "wsrep_sync_wait_upto_gtid",
];

/// Databases with accounts in them, and with what others do.
const DATABASES: [&str; 3] = ["mysql", "performance_schema", "sys"];

/// Tables of `information_schema` that tell what others do.
const TABLES: [&str; 4] = ["processlist", "innodb_trx", "user_privileges", "system_variables"];

/// Storage engines that keep what they are given, in the server and nowhere else.
const ENGINES: [&str; 5] = ["innodb", "myisam", "aria", "memory", "sequence"];

/// Refuses a statement that names what it must not.
pub(super) fn check(statement: &Statement<'_>) -> Result<(), String> {
    let tokens = statement.tokens.as_slice();
    for (at, token) in tokens.iter().enumerate() {
        let after = |count: usize| tokens.get(at.saturating_add(count));
        let next = after(1);
        if let Some(name) = token.name() {
            if OURS.contains(&name) {
                return Err(format!("`{name}` belongs to the host"));
            }
            if next == Some(&Token::Sign('(')) && FUNCTIONS.contains(&name) {
                return Err(format!("the function `{name}` is refused"));
            }
            if next == Some(&Token::Sign('.')) && DATABASES.contains(&name) {
                return Err(format!("the database `{name}` belongs to the server"));
            }
            let is_qualified =
                at > 0 && tokens.get(at.saturating_sub(1)) == Some(&Token::Sign('.'));
            if is_qualified && TABLES.contains(&name) {
                return Err(format!("the table `{name}` tells what others do"));
            }
        }
        let next_is = |keywords: &[&str]| {
            next.is_some_and(|next| keywords.iter().any(|keyword| next.is(keyword)))
        };
        if token.is("into") && next_is(&["outfile", "dumpfile"]) {
            return Err("a statement writes no files".to_owned());
        }
        if (token.is("data") || token.is("index")) && next_is(&["directory"]) {
            return Err("a statement names no folders".to_owned());
        }
        if (token.is("discard") || token.is("import")) && next_is(&["tablespace", "partition"]) {
            return Err("a statement moves no files of tables".to_owned());
        }
        if token.is("set") && sets_a_setting(next, after(2)) {
            return Err("a statement changes no settings of the session or the server".to_owned());
        }
        if token.is("engine") && matches!(statement.word(0), "create" | "alter") {
            let named = if next == Some(&Token::Sign('=')) { after(2) } else { next };
            // The server takes a name in quotes, too. Only what is known passes, written in one way.
            if !named.is_some_and(|named| ENGINES.iter().any(|engine| named.is(engine))) {
                return Err("a table is kept by InnoDB, MyISAM, Aria or MEMORY, named without quotes; put other \
                            names `engine` into backticks"
                    .to_owned());
            }
        }
        if token.is("soname") {
            return Err("a statement loads no libraries".to_owned());
        }
    }
    Ok(())
}

/// `SET GLOBAL x`, `SET SESSION x`, `SET @@x`; a column of such a name is followed by `=`.
fn sets_a_setting(next: Option<&Token>, after_next: Option<&Token>) -> bool {
    let scopes = ["global", "session", "local", "persist", "persist_only", "statement", "password"];
    match next {
        Some(Token::Setting) => true,
        Some(Token::Word(word)) if scopes.contains(&word.as_str()) => {
            matches!(after_next, Some(Token::Word(_) | Token::Name(_)))
        }
        Some(_) | None => false,
    }
}
