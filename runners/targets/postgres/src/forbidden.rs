//! Names that no statement of somebody else's may hold.

/// Functions that leave the transaction, reach files or other servers, touch other sessions, or change what
/// the session is. Those that begin like this.
const FUNCTIONS: &[(&str, &str)] = &[
    ("dblink", "opens connections of its own"),
    ("lo_import", "reads files of the server"),
    ("lo_export", "writes files of the server"),
    ("pg_advisory_unlock", "gives up locks of the host"),
    ("pg_cancel_backend", "stops other sessions"),
    ("pg_terminate_backend", "stops other sessions"),
    ("pg_read_file", "reads files of the server"),
    ("pg_read_binary_file", "reads files of the server"),
    ("pg_read_server_files", "gives the right to read files of the server"),
    ("pg_write_server_files", "gives the right to write files of the server"),
    ("pg_execute_server_program", "gives the right to run programs on the server"),
    ("pg_file_", "writes files of the server"),
    ("pg_ls_", "lists files of the server"),
    ("pg_stat_file", "looks at files of the server"),
    ("pg_sleep", "holds its locks and does nothing"),
    ("pg_reload_conf", "changes the server"),
    ("pg_rotate_logfile", "changes the server"),
    ("pg_promote", "changes the server"),
    ("pg_switch_wal", "changes the server"),
    ("pg_wal_replay_", "changes the server"),
    ("pg_backup_", "changes the server"),
    ("pg_create_restore_point", "changes the server"),
    ("pg_notify", "takes effect outside of the transaction"),
    ("pg_logical_emit_message", "takes effect outside of the transaction"),
    ("pg_export_snapshot", "takes effect outside of the transaction"),
    ("set_config", "changes the session"),
    ("query_to_xml", "runs text as a statement"),
    ("ts_stat", "runs text as a statement"),
    ("ts_rewrite", "runs text as a statement"),
    ("cursor_to_xml", "runs text as a statement"),
];

/// Functions of which only the whole name counts: columns may begin like them.
const EXACT: &[(&str, &str)] =
    &[("setval", "is not undone by a rollback; write `ALTER SEQUENCE … RESTART WITH …`, which is")];

/// What the body of a function may hold that others call: it does nothing that a rollback does not undo, or is found
/// out where it is called.
const FOR_BODIES: &[&str] = &["pg_notify", "set_config"];

/// Our own tables, in whatever schema.
pub(crate) const TABLES: &[&str] = &["placet_marker", "placet_step", "placet_kept"];

/// What of ours the text names, if anything: anywhere in it.
pub(crate) fn table_in(sql: &str) -> Option<&'static str> {
    let lower = sql.to_ascii_lowercase();
    TABLES.iter().copied().find(|table| lower.contains(table))
}

/// Why a name may not stand in a statement. `name` is as the database would look for it.
pub(crate) fn why(name: &str) -> Option<&'static str> {
    let begins = FUNCTIONS.iter().find(|(begin, _)| name.starts_with(begin));
    let found = begins.or_else(|| EXACT.iter().find(|(exact, _)| name == *exact));
    found.map(|(_, why)| *why)
}

/// What may not stand in a text that is run as statements, and why: its words are looked at wherever they stand, also
/// in comments. A text that is put together while it runs shows none of them.
pub(crate) fn in_body(body: &str, is_kept: bool) -> Option<(String, &'static str)> {
    let lower = body.to_ascii_lowercase();
    // A dollar can be the end of a quote.
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    for word in lower.split(|letter| !is_letter(letter)) {
        if is_kept && FOR_BODIES.contains(&word) {
            continue;
        }
        if let Some(why) = why(word) {
            return Some((word.to_owned(), why));
        }
    }
    let copies = lower.split(';').any(|statement| {
        statement.match_indices("copy").any(|(at, copy)| {
            let (before, after) =
                (statement.get(..at), statement.get(at.saturating_add(copy.len())..));
            let is_word = !before.is_some_and(|before| before.ends_with(is_letter))
                && !after.is_some_and(|after| after.starts_with(is_letter));
            is_word && after.is_some_and(reaches_file)
        })
    });
    copies.then(|| ("COPY".to_owned(), "reaches files and programs of the server"))
}

/// Whether what follows COPY names a file or a program: a text behind TO or FROM, or the word PROGRAM.
fn reaches_file(rest: &str) -> bool {
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    words.windows(2).any(|pair| match pair {
        ["to" | "from", next] => {
            next.starts_with(['\'', '$', '"'])
                || next.starts_with("e'")
                || next.starts_with("program")
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::in_body;

    #[test]
    fn words_of_a_body_are_found_and_others_are_not() {
        for (body, is_found) in [
            ("BEGIN PERFORM PG_SLEEP(1); END", true),
            ("SELECT \"lo_export\"(1, 'a')", true),
            ("copy t\nto program 'id'", true),
            ("EXECUTE 'COPY t (a) FROM ''/etc/passwd'''", true),
            ("EXECUTE format($a$COPY t TO $b$x$b$$a$)", true),
            ("$a$SELECT setval('s', 1)", true),
            ("RAISE NOTICE 'a copy goes to the archive'", false),
            ("INSERT INTO copy SELECT setval_before, pg_sleeper FROM t", true),
            ("SELECT setvalue, my_pg_sleep FROM copy; DELETE FROM t WHERE a = 'b'", false),
        ] {
            assert_eq!(in_body(body, false).is_some(), is_found, "{body}");
        }
        assert!(in_body("PERFORM pg_notify('a', 'b')", true).is_none());
        assert!(in_body("PERFORM pg_notify('a', 'b')", false).is_some());
    }
}
