//! How a run ended.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// How a run ended: exactly one of three words.
///
/// ```
/// use placet_core::runner::{Failure, Outcome};
/// # use std::sync::Arc;
/// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
/// # let Bench { runner, parts, .. } = Bench::on(Arc::new(MemoryStore::default()))?;
/// # let gate = Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// # let id = office.approved(&gate)?.header.id;
/// # let observer = Seen::default();
///
/// // The connection breaks, and so nobody can tell. Reading the target can.
/// runner.ends_with(Outcome::Unknown(Failure::new("timeout", "no answer to COMMIT")));
/// gate.drive(gate.execute(&office.bo, id)?, &observer)?;
/// let (_request, read) = gate.verify(&office.bo, id)?;
/// let said = match read {
///     Outcome::Succeeded(_) => "it is done",
///     Outcome::Failed(_) => "it was not completed",
///     Outcome::Unknown(_) => "still unknown: never run it again",
/// };
/// assert_eq!(said, "it is done");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers must handle every ending, above all `Unknown`"
)]
pub enum Outcome {
    /// It is done.
    Succeeded(Report),
    /// It is known not to have completed; `applied` lists what took effect all the same.
    Failed(Failure),
    /// Nobody can tell yet. Only reading the target, or a person, resolves it; never running again.
    Unknown(Failure),
}

/// What a run that succeeded reports.
///
/// ```
/// use placet_core::runner::{Outcome, Report};
/// # use std::sync::Arc;
/// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
/// # let Bench { runner, parts, .. } = Bench::on(Arc::new(MemoryStore::default()))?;
/// # let gate = Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// # let id = office.approved(&gate)?.header.id;
/// # let observer = Seen::default();
///
/// let summary = "raised 3 prices".to_owned();
/// let report = Report { summary, rows_affected: Some(3), ..Report::default() };
/// runner.ends_with(Outcome::Succeeded(report.clone()));
/// gate.drive(gate.execute(&office.bo, id)?, &observer)?;
///
/// // It is kept with the run.
/// let run = gate.view(&office.ana, id)?.runs.pop().expect("it ran");
/// assert_eq!(run.outcome, Some(Outcome::Succeeded(report)));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Report {
    /// One sentence.
    pub summary: String,
    /// Rows changed, where that means something.
    pub rows_affected: Option<u64>,
    /// More, as JSON.
    pub details: Option<String>,
    /// What it left behind.
    pub artifacts: Vec<Artifact>,
}

/// Something that a run left behind.
///
/// ```
/// use placet_core::digest::Digest;
/// use placet_core::runner::{Artifact, Report};
/// let bytes = b"id,price\n1,20\n";
/// let (name, media_type) = ("before.csv".to_owned(), "text/csv".to_owned());
/// let artifact = Artifact { name, media_type, digest: Digest::of(bytes), size_bytes: 14 };
/// let report = Report { artifacts: vec![artifact], ..Report::default() };
///
/// // Whoever fetches the file later knows whether it is the one that the run left.
/// assert_eq!(report.artifacts[0].digest, Digest::of(bytes));
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// Why a run did not succeed, or why nobody can tell.
///
/// ```
/// use placet_core::runner::Failure;
/// // Step 1 took effect, step 2 did not: the person who repairs it must know.
/// let failure = Failure {
///     applied: vec!["1".to_owned()],
///     step: Some("2".to_owned()),
///     ..Failure::new("sql.23505", "duplicate key value violates unique constraint")
/// };
/// assert_eq!(failure.code, "sql.23505");
/// assert!(!failure.retryable);
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Failure {
    /// Ids of the steps that took effect before it failed. Empty when nothing changed or all was undone.
    pub applied: Vec<String>,
    /// A stable code such as `sql.23505`, `timeout`, `cancelled`, `denied`, `runner_fault`.
    pub code: String,
    /// What happened, in words; a database's message as it came.
    pub message: String,
    /// The step in which it happened.
    pub step: Option<String>,
    /// Whether the same change could end otherwise another time, as a new request.
    pub retryable: bool,
    /// More, as JSON: for SQL `{"position": …}`, counted in characters from 1.
    pub details: Option<String>,
}

impl Failure {
    /// A failure with a stable code and a message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), ..Self::default() }
    }
}
