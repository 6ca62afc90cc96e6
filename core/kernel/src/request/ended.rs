//! How a request's run ended: what was recorded, and what the target said of it.

use serde::{Deserialize, Serialize};

use super::state::{Approved, State};
use crate::clock::Timestamp;
use crate::id::RunId;
use crate::runner::Outcome;

/// How a run of this request ended, and what was read of it afterwards.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Ended {
    /// What was agreed to.
    pub approved: Approved,
    /// The run.
    pub run: RunId,
    /// 1 for the first run of this revision.
    pub attempt: u32,
    /// The run's fence.
    pub fence: u64,
    /// When it ended, or was declared to have.
    pub ended_at: Timestamp,
    /// What is known of the ending.
    pub outcome: Outcome,
    /// What the target itself said when it was last asked. It may contradict the outcome: look at both.
    pub last_read: Option<Reading>,
}

/// What was read in the target about a run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// What it said; unknown when it could not tell.
    pub outcome: Outcome,
}

macro_rules! endings {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
        #[non_exhaustive]
        pub struct $name {
            /// How it ended.
            pub ended: Ended,
        }
    )*};
}

endings! {
    /// Done.
    Succeeded;
    /// Known not to have completed.
    Failed;
    /// Nobody can tell yet.
    Unknown;
}

impl Ended {
    /// The state that goes with the outcome.
    pub(super) fn into_state(self) -> State {
        match self.outcome {
            Outcome::Succeeded(_) => Succeeded { ended: self }.into(),
            Outcome::Failed(_) => Failed { ended: self }.into(),
            Outcome::Unknown(_) => Unknown { ended: self }.into(),
        }
    }
}

impl Unknown {
    /// Resolves it by what was read in the target. What cannot be told stays unknown.
    pub(crate) fn resolve(self, outcome: Outcome, now: Timestamp) -> State {
        let last_read = Some(Reading { at: now, outcome: outcome.clone() });
        Ended { outcome, last_read, ..self.ended }.into_state()
    }
}
