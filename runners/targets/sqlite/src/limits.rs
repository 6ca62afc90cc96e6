//! How large the parts of a statement may be. SQLite looks at the stop signal between two steps of its
//! virtual machine, so that one step must not take long.

use rusqlite::Connection;
use rusqlite::limits::Limit;

/// The longest text, blob or row, in bytes. A linear function takes some milliseconds for it.
pub(super) const VALUE_BYTES_MAX: usize = 16 << 20;

/// The longest statement, in bytes.
pub(super) const STATEMENT_BYTES_MAX: usize = 16 << 20;

/// Sets them.
pub(super) fn set(connection: &Connection) -> rusqlite::Result<()> {
    let limits = [
        (Limit::SQLITE_LIMIT_LENGTH, 16 << 20),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 16 << 20),
        // Its cost is the product of pattern and text. The worst pattern of 100 bytes takes 0.2 s for a
        // text of 1 MiB and 3 s for the longest; all others are ten times faster.
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
        // The parser and the code generator call themselves this deep.
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 500),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 500),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
        // About 25 for each row of a long VALUES list.
        (Limit::SQLITE_LIMIT_VDBE_OP, 5_000_000),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ];
    limits.into_iter().try_for_each(|(limit, most)| connection.set_limit(limit, most).map(drop))
}
