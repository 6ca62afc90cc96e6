//! A gate in front of one database, and people who ask, approve and run.

use std::sync::Arc;

use placet::Gate;
use placet::error::Error;
use placet::id::RequestId;
use placet::request::{Change, Request, StateName};
use placet_core::testing::Office;

use super::admin::{Database, Kind};

/// A gate, its people, and the database `orders`.
pub(crate) struct Desk {
    pub(crate) gate: Gate,
    pub(crate) office: Office,
    pub(crate) database: Database,
    _folder: Arc<tempfile::TempDir>,
}

impl Desk {
    /// `None` where the database's server is not installed. Then the test is over.
    pub(crate) fn begin(kind: Kind) -> Option<Self> {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let database = Database::begin(kind, folder.path())?;
        let gate = Gate::builder(folder.path().join("placet"))
            .target("orders", database.target())
            .open()
            .unwrap();
        let office = Office::found(&gate).unwrap();
        Some(Self { gate, office, database, _folder: folder })
    }

    /// Ana asks for `payload`.
    pub(crate) fn asked(&self, payload: &serde_json::Value) -> Result<RequestId, Error> {
        let (runner, target) = ("sql".parse()?, "orders".parse()?);
        let change = Change::new(runner, target, payload.to_string(), self.gate.limits())?;
        let asked = self.gate.draft_and_submit(&self.office.ana, &self.office.request(change))?;
        Ok(asked.header.id)
    }

    /// Bo approves what Ana asked for.
    pub(crate) fn agree(&self, id: RequestId) -> Result<(), Error> {
        let digest = self.gate.view(&self.office.ana, id)?.digest.unwrap();
        self.gate.approve(&self.office.bo, id, digest, None).map(drop)
    }

    /// Ana asks for `payload`, and Bo approves.
    pub(crate) fn approved(&self, payload: &serde_json::Value) -> Result<RequestId, Error> {
        let id = self.asked(payload)?;
        self.agree(id)?;
        Ok(id)
    }

    /// Takes `payload` all the way to its outcome.
    pub(crate) fn run(&self, payload: &serde_json::Value) -> Result<Request, Error> {
        let id = self.approved(payload)?;
        self.gate.execute(&self.office.bo, id)?.wait()
    }

    /// Takes `payload` all the way, and insists on success.
    pub(crate) fn succeed(&self, payload: &serde_json::Value) -> RequestId {
        let ended = self.run(payload).unwrap();
        let id = ended.header.id;
        let runs = self.gate.view(&self.office.ana, id).unwrap().runs;
        assert_eq!(ended.state.name(), StateName::Succeeded, "{runs:?}");
        id
    }
}
