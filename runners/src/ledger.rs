//! What the host itself saw during one call. Outcomes are judged by it.

use placet_core::error::Error;
use placet_core::runner::Failure;

use placet_target::StopReason;

/// How far the transaction of a run came, as the host saw it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Progress {
    /// Nothing was committed, and nothing is under way.
    #[default]
    Nothing,
    /// A transaction is open.
    Open,
    /// A commit was sent and its answer is not known.
    CommitSent,
    /// The database confirmed the commit.
    Committed,
}

/// What the host knows of the marker row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Seen {
    /// Nobody looked.
    #[default]
    Unread,
    /// It is there.
    There,
    /// It is not there, and nothing can write it any more.
    Absent,
    /// The target cannot tell.
    Untold,
}

/// What the host saw.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// How far the transaction came.
    pub(crate) progress: Progress,
    /// How many approved steps ran in the open or committed transaction.
    pub(crate) steps_done: usize,
    /// Whether a statement failed in the open transaction.
    pub(crate) broken: bool,
    /// Rows that they changed.
    pub(crate) rows: u64,
    /// The first thing that went wrong at the target, in a run.
    pub(crate) failure: Option<Failure>,
    /// The first thing that made a target unusable.
    pub(crate) unavailable: Option<Error>,
    /// What the marker said.
    pub(crate) marker: Seen,
    /// The limit that was reached, in words.
    pub(crate) limit: Option<String>,
    /// Why the run was stopped, once it was.
    pub(crate) stopped: Option<StopReason>,
    /// How often the plugin asked for what it may not do.
    pub(crate) refusals: u32,
}

impl Ledger {
    /// Notes the first failure; what follows from it says less.
    pub(crate) fn note_failure(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// The transaction ended without a commit.
    pub(crate) fn note_rollback(&mut self) {
        if self.progress == Progress::Open {
            self.progress = Progress::Nothing;
            self.steps_done = 0;
            self.broken = false;
            self.rows = 0;
        }
    }
}
