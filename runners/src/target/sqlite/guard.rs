//! What statements that are not the host's own may do, asked of SQLite's parser and not of the text.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::marker::TABLE;

/// Pragmas that tell, and are harmless in any session.
const PRAGMAS_TO_READ: [&str; 11] = [
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas whose value is part of the transaction.
const PRAGMAS_TO_SET: [&str; 3] = ["application_id", "defer_foreign_keys", "user_version"];

/// Whose statement is being prepared.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    host_speaks: Arc<AtomicBool>,
}

impl Guard {
    /// Runs `work` with the host's own statements let through.
    pub(super) fn as_host<T>(&self, work: impl FnOnce() -> T) -> T {
        self.host_speaks.store(true, Ordering::Release);
        let done = work();
        self.host_speaks.store(false, Ordering::Release);
        done
    }

    /// Answers SQLite's question.
    pub(super) fn judge(&self, asked: &AuthContext<'_>) -> Authorization {
        if self.host_speaks.load(Ordering::Acquire) || is_harmless(&asked.action) {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum; what it adds is refused unless it names no marker"
)]
fn is_harmless(action: &AuthAction<'_>) -> bool {
    match *action {
        AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Unknown { .. } => false,
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let is_one_of =
                |names: &[&str]| names.iter().any(|name| pragma_name.eq_ignore_ascii_case(name));
            is_one_of(&PRAGMAS_TO_READ) || is_one_of(&PRAGMAS_TO_SET) || pragma_value.is_none()
        }
        AuthAction::Function { function_name } => {
            !function_name.eq_ignore_ascii_case("load_extension")
        }
        AuthAction::CreateTable { table_name }
        | AuthAction::CreateTempTable { table_name }
        | AuthAction::CreateVtable { table_name, .. }
        | AuthAction::DropTable { table_name }
        | AuthAction::DropTempTable { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateIndex { table_name, .. }
        | AuthAction::CreateTrigger { table_name, .. }
        | AuthAction::CreateTempTrigger { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => !table_name.eq_ignore_ascii_case(TABLE),
        AuthAction::CreateView { view_name } | AuthAction::CreateTempView { view_name } => {
            !view_name.eq_ignore_ascii_case(TABLE)
        }
        _ => true,
    }
}

/// Whether the text names the marker table: a rename to that name is nowhere else to be seen.
pub(super) fn names_marker(statement: &str) -> bool {
    let wanted = TABLE.as_bytes();
    statement.as_bytes().windows(wanted.len()).any(|window| window.eq_ignore_ascii_case(wanted))
}
