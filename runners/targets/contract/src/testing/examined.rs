//! What a driver tells of itself, so that one exam fits every dialect.

use std::sync::Arc;

use crate::SqlTarget;

/// A driver under examination, on a database of its own that the exam may fill and empty.
///
/// The target should wait for a lock only shortly, some hundred milliseconds: the exam asks often for what is locked.
///
/// ```
/// # use std::path::PathBuf;
/// # use std::sync::Arc;
/// use placet_target::SqlTarget;
/// use placet_target::testing::{Examined, Words, broken_promises};
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
///         self.all(&format!("SELECT * FROM {}", self.quoted(table)))
///     }
///
///     fn words(&self) -> Words {
///         Words {
///             integer: "INTEGER",
///             auto_key: "INTEGER PRIMARY KEY",
///             key_text: "TEXT",
///             text: "TEXT",
///             blob: "BLOB",
///             decimal: "DECIMAL(20, 4)",
///             timestamp: "TEXT",
///             double: "REAL",
///         }
///     }
///
///     fn trigger(&self, name: &str, table: &str, log: &str) -> Vec<String> {
///         let (name, table, log) = (self.quoted(name), self.quoted(table), self.quoted(log));
///         vec![format!(
///             "CREATE TRIGGER {name} AFTER UPDATE ON {table} BEGIN INSERT INTO {log} VALUES (1); END"
///         )]
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

    /// How the dialect calls its types.
    fn words(&self) -> Words;

    /// The statements that make a trigger `name`: after each UPDATE, INSERT or DELETE of a row of `table` (one of them is
    /// enough, UPDATE at least) it inserts the number 1 into the only column of `log`.
    fn trigger(&self, name: &str, table: &str, log: &str) -> Vec<String>;

    /// A name in quotes.
    fn quoted(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A text as a literal.
    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// Bytes as a literal.
    fn blob(&self, bytes: &[u8]) -> String {
        format!("x'{}'", placet_core::digest::to_hex(bytes))
    }

    /// An instant (RFC 3339, UTC) as a literal.
    fn instant(&self, at: &str) -> String {
        self.text(at)
    }

    /// The parameter at the place `at`, from 1.
    fn parameter(&self, at: usize) -> String {
        let _ = at;
        "?".to_owned()
    }

    /// A column of the type `of` that the database computes, and keeps, from `expression`; none where there is no
    /// such thing.
    fn generated(&self, of: &str, expression: &str) -> Option<String> {
        Some(format!("{of} GENERATED ALWAYS AS ({expression}) STORED"))
    }

    /// Drops a table with whatever refers to it. It may not be there.
    fn drop_table(&self, table: &str) -> String {
        format!("DROP TABLE IF EXISTS {}", self.quoted(table))
    }

    /// What comes after the parenthesis of CREATE TABLE.
    fn table_options(&self) -> &'static str {
        ""
    }

    /// Whether CREATE TABLE is part of a transaction.
    fn has_transactional_ddl(&self) -> bool {
        true
    }

    /// What the driver runs alone; none where it runs nothing so.
    fn alone(&self) -> Option<Alone> {
        None
    }
}

/// How a dialect calls its types. See [`Examined`] for an example.
///
/// ```
/// # use placet_target::testing::Words;
/// let postgresql = Words {
///     integer: "BIGINT",
///     auto_key: "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
///     key_text: "TEXT",
///     text: "TEXT",
///     blob: "BYTEA",
///     decimal: "NUMERIC(20, 4)",
///     timestamp: "TIMESTAMPTZ",
///     double: "DOUBLE PRECISION",
/// };
/// assert_eq!(postgresql.blob, "BYTEA");
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a driver must know a word for each")]
pub struct Words {
    /// 64 bits.
    pub integer: &'static str,
    /// A whole number that is the primary key and that the database makes up where a statement names none.
    pub auto_key: &'static str,
    /// A text of up to 40 characters that can be a key.
    pub key_text: &'static str,
    /// A text.
    pub text: &'static str,
    /// Bytes.
    pub blob: &'static str,
    /// A decimal number with four places.
    pub decimal: &'static str,
    /// An instant with microseconds and a zone, or in UTC.
    pub timestamp: &'static str,
    /// A floating-point number of 64 bits.
    pub double: &'static str,
}

/// Statements that run alone. They are about the table `exam_orders (id, state, note)`.
///
/// ```
/// # use placet_target::testing::Alone;
/// let postgresql = Alone {
///     works: "CREATE INDEX CONCURRENTLY exam_alone ON exam_orders (state)",
///     fails: "CREATE INDEX CONCURRENTLY exam_alone ON exam_orders (no_such_column)",
/// };
/// assert_ne!(postgresql.works, postgresql.fails);
/// ```
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "one that works and one that fails")]
pub struct Alone {
    /// One that works.
    pub works: &'static str,
    /// One that the database refuses and that leaves nothing behind.
    pub fails: &'static str,
}
