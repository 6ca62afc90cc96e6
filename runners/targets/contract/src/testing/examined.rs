//! What a driver tells of itself, so that it can be asked.

use std::sync::Arc;

use crate::SqlTarget;

use super::{Spoken, Words};

/// A driver under examination, on a database of its own that the exam may fill and empty.
///
/// The target should wait for a lock only shortly, some hundred milliseconds: the exam asks often for what is locked.
///
/// ```
/// # use std::path::PathBuf;
/// # use std::sync::Arc;
/// use placet_target::SqlTarget;
/// use placet_target::testing::{Examined, SQLITE, Spoken, broken_promises};
/// use placet_target_sqlite::SqliteTarget;
///
/// # #[derive(Debug)]
/// struct Sqlite(PathBuf);
///
/// impl Sqlite {
///     fn all(&self, sql: &str) -> Vec<Vec<String>> {
///         let database = rusqlite::Connection::open(&self.0).unwrap();
///         let mut query = database.prepare(sql).unwrap();
///         let columns = query.column_count();
///         let mut rows = query.query([]).unwrap();
///         let mut found = Vec::new();
///         while let Some(row) = rows.next().unwrap() {
///             found.push((0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect());
///         }
///         found
///     }
/// }
///
/// impl Examined for Sqlite {
///     fn target(&self) -> Arc<dyn SqlTarget> {
///         Arc::new(SqliteTarget::new(&self.0).with_lock_wait_ms(100))
///     }
///
///     fn admin(&self, sql: &str) {
///         rusqlite::Connection::open(&self.0).unwrap().execute_batch(sql).unwrap();
///     }
///
///     fn dump(&self, table: &str) -> Vec<Vec<String>> {
///         self.all(&format!("SELECT * FROM {}", SQLITE.quoted(table)))
///     }
///
///     fn dialect(&self) -> &dyn Spoken {
///         &SQLITE
///     }
/// }
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("exam.db");
/// # rusqlite::Connection::open(&file).unwrap().execute_batch("VACUUM").unwrap();
/// assert_eq!(broken_promises(&Sqlite(file)), Vec::<String>::new());
/// ```
pub trait Examined {
    /// The driver, to the same database each time.
    fn target(&self) -> Arc<dyn SqlTarget>;

    /// Runs one statement outside of the target's sessions, with all rights, and ends the test where it fails.
    fn admin(&self, sql: &str);

    /// The exact text of every value of every row of a table, its columns in their order, rows in any order. Two rows
    /// have the same text only if they are the same; whole numbers are decimal. A table without rows, and one that is not there, have none.
    fn dump(&self, table: &str) -> Vec<Vec<String>>;

    /// How the database wants things written.
    fn dialect(&self) -> &dyn Spoken;
}

/// Calls of the exam read the same whether the driver or its dialect answers.
impl dyn Examined + '_ {
    pub(super) fn quoted(&self, name: &str) -> String {
        self.dialect().quoted(name)
    }

    pub(super) fn text(&self, text: &str) -> String {
        self.dialect().text(text)
    }

    pub(super) fn words(&self) -> Words {
        self.dialect().words()
    }
}
