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

/// Our own tables, in whatever schema.
pub(crate) const TABLES: &[&str] = &["placet_marker", "placet_step", "placet_kept"];

/// What of ours the text names, if anything: anywhere in it.
pub(crate) fn table_in(sql: &str) -> Option<&'static str> {
    let lower = sql.to_ascii_lowercase();
    TABLES.iter().copied().find(|table| lower.contains(table))
}

/// Why a name may not stand in a statement. `name` is as the database would look for it.
pub(crate) fn why(name: &str) -> Option<&'static str> {
    FUNCTIONS.iter().find(|(begin, _)| name.starts_with(begin)).map(|(_, why)| *why)
}
