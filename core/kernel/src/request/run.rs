//! One attempt at executing an approved request, as it is kept.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{RequestId, RunId, UserId};
use crate::org::Slug;
use crate::runner::Outcome;
use crate::store::erasable::{Erasable, erasable};
use crate::store::records::Record;

/// One attempt. There is one record for a request, revision and attempt, and it is made once.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # use placet_core::testing::Seen;
/// let id = office.approved(&gate)?.header.id;
/// gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
///
/// let runs = gate.view(&office.ana, id)?.runs;
/// assert_eq!((runs.len(), runs[0].attempt), (1, 1));
/// assert!(runs[0].ended_at >= Some(runs[0].started_at));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Run {
    /// The run.
    pub id: RunId,
    /// The request.
    pub request: RequestId,
    /// Which revision of it ran.
    pub revision: u32,
    /// Which attempt at the revision it is, from 1. Of a batch, the run at each target is one.
    pub attempt: u32,
    /// The target that it changes.
    pub target: Slug,
    /// The fence of its lease. Each run of a request has a greater one than the run before it.
    pub fence: u64,
    /// Who started it.
    pub started_by: UserId,
    /// Whether that is an agent.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub by_agent: bool,
    /// When.
    pub started_at: Timestamp,
    /// How it ended, once it did.
    pub outcome: Option<Outcome>,
    /// When.
    pub ended_at: Option<Timestamp>,
    /// What it said after it had been declared over. It changed nothing; look at it beside the outcome.
    pub late: Option<Outcome>,
}

impl Record for Run {
    const KIND: &'static str = "run";
    const ERASABLE: &'static [Erasable] = &[
        erasable("/outcome/message", "\"(erased)\""),
        erasable("/outcome/summary", "\"(erased)\""),
        erasable("/outcome/details", "null"),
        erasable("/late/message", "\"(erased)\""),
        erasable("/late/summary", "\"(erased)\""),
        erasable("/late/details", "null"),
    ];

    fn path(&self) -> Vec<String> {
        vec![
            self.request.to_string(),
            format!("{:010}", self.revision),
            format!("{:010}", self.attempt),
        ]
    }
}
