//! How a run ended.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// How a run ended: exactly one of three words.
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
    /// Whether a new attempt could end otherwise.
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
