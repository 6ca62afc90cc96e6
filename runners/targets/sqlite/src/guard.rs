//! What statements that are not the host's own may do, asked of SQLite's parser and not of the text.
//! What is not known to be harmless is refused.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use placet_target::TouchKind;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::{kept, marker, steps};

/// The tables that belong to the host.
const OURS: [&str; 3] = [marker::TABLE, steps::TABLE, kept::TABLE];

/// Pragmas that tell, and are harmless in any session, with a value and without.
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

/// Pragmas that only tell as long as they have no value. None of them names a file.
const PRAGMAS_WITHOUT_VALUE: [&str; 10] = [
    "auto_vacuum",
    "collation_list",
    "data_version",
    "encoding",
    "foreign_keys",
    "freelist_count",
    "journal_mode",
    "page_count",
    "page_size",
    "schema_version",
];

/// Pragmas whose value is part of the transaction.
const PRAGMAS_TO_SET: [&str; 3] = ["application_id", "defer_foreign_keys", "user_version"];

/// SQLite's own functions whose cost grows with the length of their arguments and no faster, or that
/// `functions` replaces. Left out on purpose: `fts3_tokenizer` and `fts5` (a bound value becomes a pointer),
/// `load_extension`, `edit`, whatever reads files or tells of the build (`readfile`, `sqlite_*`), and
/// `json_patch` and `unhex`, which are quadratic. The last ones are what ALTER TABLE is made of; SQLite lets
/// no statement call them.
const FUNCTIONS: &str = " abs changes char coalesce concat concat_ws format glob hex if ifnull iif instr \
    last_insert_rowid length like likelihood likely lower ltrim max min nullif octet_length printf quote \
    random randomblob replace round rtrim sign soundex substr substring total_changes trim typeof unicode \
    unistr unistr_quote unlikely upper zeroblob \
    avg count group_concat median percentile percentile_cont percentile_disc string_agg sum total \
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value \
    date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp \
    acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod \
    pi pow power radians sin sinh sqrt tan tanh trunc \
    -> ->> json jsonb json_array jsonb_array json_array_length json_array_insert jsonb_array_insert \
    json_error_position json_extract jsonb_extract json_insert jsonb_insert json_object jsonb_object \
    json_pretty json_quote json_remove jsonb_remove json_replace jsonb_replace json_set jsonb_set \
    json_type json_valid json_group_array jsonb_group_array json_group_object jsonb_group_object \
    match bm25 highlight snippet \
    sqlite_rename_column sqlite_rename_table sqlite_rename_test sqlite_rename_quotefix sqlite_drop_column \
    sqlite_add_constraint sqlite_drop_constraint sqlite_find_constraint sqlite_fail ";

/// Tables that SQLite makes up: what they tell is the file's inside, or no plugin's business.
const TABLES_MADE_UP: [&str; 9] = [
    "bytecode",
    "dbstat",
    "fts3tokenize",
    "sqlite_dbdata",
    "sqlite_dbpage",
    "sqlite_dbptr",
    "sqlite_memstat",
    "sqlite_stmt",
    "tables_used",
];

/// Whose statement is being prepared.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    host_speaks: Arc<AtomicBool>,
    view_seen: Arc<AtomicBool>,
    changes: Arc<Mutex<Vec<Change>>>,
}

/// What a statement that was prepared changes: rows of a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Change {
    pub(super) kind: TouchKind,
    pub(super) database: String,
    /// In lower case.
    pub(super) table: String,
}

impl Guard {
    /// Runs `work` with the host's own statements let through.
    pub(super) fn as_host<T>(&self, work: impl FnOnce() -> T) -> T {
        self.host_speaks.store(true, Ordering::Release);
        let done = work();
        self.host_speaks.store(false, Ordering::Release);
        done
    }

    /// Forgets what earlier statements did.
    pub(super) fn forget(&self) {
        self.view_seen.store(false, Ordering::Release);
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether a statement that was prepared since then reads through a view, or something else that has a name.
    pub(super) fn saw_view(&self) -> bool {
        self.view_seen.load(Ordering::Acquire)
    }

    /// What the statements that were prepared since then change, each once.
    pub(super) fn changes(&self) -> Vec<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum; three of it change rows")]
    fn note(&self, asked: &AuthContext<'_>) {
        if asked.accessor.is_some() {
            self.view_seen.store(true, Ordering::Release);
        }
        let (kind, table) = match asked.action {
            AuthAction::Insert { table_name } => (TouchKind::Insert, table_name),
            AuthAction::Update { table_name, .. } => (TouchKind::Update, table_name),
            AuthAction::Delete { table_name } => (TouchKind::Delete, table_name),
            _ => return,
        };
        let database = asked.database_name.unwrap_or_default().to_owned();
        let change = Change { kind, database, table: table.to_ascii_lowercase() };
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if !changes.contains(&change) {
            changes.push(change);
        }
    }

    /// Answers SQLite's question.
    pub(super) fn judge(&self, asked: &AuthContext<'_>) -> Authorization {
        if self.host_speaks.load(Ordering::Acquire) {
            return Authorization::Allow;
        }
        self.note(asked);
        if is_harmless(&asked.action) { Authorization::Allow } else { Authorization::Deny }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum; what it adds is refused")]
fn is_harmless(action: &AuthAction<'_>) -> bool {
    match *action {
        AuthAction::Select
        | AuthAction::Recursive
        | AuthAction::Analyze { .. }
        | AuthAction::Reindex { .. }
        | AuthAction::DropIndex { .. }
        | AuthAction::DropTempIndex { .. }
        | AuthAction::DropTrigger { .. }
        | AuthAction::DropTempTrigger { .. }
        | AuthAction::DropView { .. }
        | AuthAction::DropTempView { .. } => true,
        AuthAction::Pragma { pragma_name, pragma_value } => {
            is_one_of(&PRAGMAS_TO_READ, pragma_name)
                || is_one_of(&PRAGMAS_TO_SET, pragma_name)
                || (pragma_value.is_none() && is_one_of(&PRAGMAS_WITHOUT_VALUE, pragma_name))
        }
        AuthAction::Function { function_name } => {
            let mut allowed = FUNCTIONS.split_ascii_whitespace();
            allowed.any(|name| name.eq_ignore_ascii_case(function_name))
        }
        AuthAction::Read { table_name, .. } => may_read(table_name),
        AuthAction::CreateTable { table_name }
        | AuthAction::CreateTempTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::DropTempTable { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateIndex { table_name, .. }
        | AuthAction::CreateTempIndex { table_name, .. }
        | AuthAction::CreateTrigger { table_name, .. }
        | AuthAction::CreateTempTrigger { table_name, .. }
        | AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => {
            !is_one_of(&OURS, table_name) && may_read(table_name)
        }
        AuthAction::CreateView { view_name } | AuthAction::CreateTempView { view_name } => {
            !is_one_of(&OURS, view_name)
        }
        // Transactions, savepoints, attached files, virtual tables of any module.
        _ => false,
    }
}

fn may_read(table: &str) -> bool {
    // `pragma_x` is the pragma `x`, asked as a table.
    if let Some((prefix, pragma)) = table.split_at_checked("pragma_".len())
        && prefix.eq_ignore_ascii_case("pragma_")
    {
        return is_one_of(&PRAGMAS_TO_READ, pragma) || is_one_of(&PRAGMAS_WITHOUT_VALUE, pragma);
    }
    !is_one_of(&TABLES_MADE_UP, table)
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a table belongs to the host.
pub(super) fn is_ours(table: &str) -> bool {
    is_one_of(&OURS, table)
}

/// Which table of the host the text names: a rename to that name is nowhere else to be seen.
pub(super) fn names_ours(statement: &str) -> Option<&'static str> {
    OURS.into_iter().find(|ours| {
        let wanted = ours.as_bytes();
        statement.as_bytes().windows(wanted.len()).any(|window| window.eq_ignore_ascii_case(wanted))
    })
}
