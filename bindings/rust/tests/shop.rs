//! A gate in a folder, in front of a SQLite database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use placet::audit::verify_export;
use placet::error::Error;
use placet::id::RequestId;
use placet::identity::Caller;
use placet::request::{Change, Request};
use placet::{Gate, GateBuilder};
use placet_core::testing::Office;
use rusqlite::Connection;

/// Everything that one test needs; the folder goes when it does.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) gate: Gate,
    pub(crate) office: Office,
    pub(crate) database: PathBuf,
    pub(crate) folder: Arc<tempfile::TempDir>,
}

/// The payload of the SQL runner for `sql`.
pub(crate) fn payload(sql: &str) -> String {
    serde_json::json!({ "sql": sql }).to_string()
}

pub(crate) fn create_database(path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE ran (request TEXT PRIMARY KEY);
             CREATE TABLE orders (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0));
             INSERT INTO orders VALUES (1, 100), (2, 200), (3, 300);",
        )
        .unwrap();
}

pub(crate) fn builder(folder: &Path) -> GateBuilder {
    Gate::builder(folder.join("placet")).sqlite_target("orders", folder.join("orders.db"))
}

/// Exports the log, and verifies it as somebody would who has nothing but the export and the log's key.
pub(crate) fn verify_log(gate: &Gate, root: &Caller) {
    let mut files = BTreeMap::new();
    gate.export(root, |path, bytes| {
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    })
    .unwrap();
    let read = |path: &str| Ok(files.get(path).cloned());
    verify_export(read, gate.origin(), gate.verifier_key()).unwrap();
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(adjust: impl FnOnce(GateBuilder) -> GateBuilder) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database = folder.path().join("orders.db");
        create_database(&database);
        let gate = adjust(builder(folder.path())).open().unwrap();
        let office = Office::found(&gate).unwrap();
        Self { gate, office, database, folder }
    }

    pub(crate) fn change(&self, payload: &str) -> Result<Change, Error> {
        self.change_for("sql", "orders", payload)
    }

    pub(crate) fn change_for(
        &self,
        runner: &str,
        target: &str,
        payload: &str,
    ) -> Result<Change, Error> {
        Change::new(runner.parse()?, target.parse()?, payload, self.gate.limits())
    }

    /// Drafts and submits `change`, and has it approved.
    pub(crate) fn approved(&self, change: Change) -> Result<RequestId, Error> {
        let Office { ana, bo, .. } = self.office;
        let id = self.gate.draft_and_submit(&ana, &self.office.request(change))?.header.id;
        let digest = self.gate.view(&ana, id)?.digest.unwrap();
        self.gate.approve(&bo, id, digest, None)?;
        Ok(id)
    }

    /// Takes `change` all the way to its outcome.
    pub(crate) fn run(&self, change: Change) -> Result<Request, Error> {
        let id = self.approved(change)?;
        self.gate.execute(&self.office.bo, id)?.wait()
    }

    /// The sum of all orders: changes when anything does.
    pub(crate) fn cents(&self) -> i64 {
        let connection = Connection::open(&self.database).unwrap();
        connection.query_row("SELECT sum(cents) FROM orders", (), |row| row.get(0)).unwrap()
    }
}
