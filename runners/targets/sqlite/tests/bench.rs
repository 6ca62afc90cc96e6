//! A database file for one test.

use std::path::{Path, PathBuf};

/// A folder with a database of one table, `orders`.
pub(crate) struct Bench {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.db");
        let database = rusqlite::Connection::open(&path).unwrap();
        database
            .execute_batch(
                "CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT NOT NULL);
                 INSERT INTO orders VALUES (1, 'new'), (2, 'new'), (3, 'paid');",
            )
            .unwrap();
        Self { _folder: folder, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
