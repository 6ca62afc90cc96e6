//! What the host itself saw during one call. Outcomes are judged by it.

use placet_core::digest::Digest;
use placet_core::error::Error;
use placet_core::runner::{Artifact, Failure};

use placet_target::StopReason;

/// How far what is under way came, as the host saw it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Progress {
    /// Nothing is under way.
    #[default]
    Nothing,
    /// A transaction is open.
    Open,
    /// A commit, or a step outside a transaction, was sent and its answer is not known.
    Sent,
    /// The database confirmed the one commit, or every step of its own.
    Committed,
}

/// What the host knows of what a run left in its target.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Seen {
    /// Nobody looked.
    #[default]
    Unread,
    /// All of it is there.
    There,
    /// Not all of it is there, and nothing can add to it any more. These steps are.
    Absent(Vec<String>),
    /// The target cannot tell.
    Untold,
}

/// What the host saw.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// How far the transaction or step under way came.
    pub(crate) progress: Progress,
    /// How many approved steps ran: the place of the next one.
    pub(crate) steps_done: usize,
    /// The steps of their own that took effect: each was confirmed.
    pub(crate) applied: Vec<String>,
    /// Whether the step of the open transaction ran and waits for its commit; the rows that it changed.
    pub(crate) awaits_commit: Option<u64>,
    /// The step that was sent by itself last.
    pub(crate) in_doubt: Option<String>,
    /// Whether a statement failed in the open transaction.
    pub(crate) broken: bool,
    /// Whether a step of its own failed: none comes after it.
    pub(crate) halted: bool,
    /// Whether the target was found to be as it was when the plan was made.
    pub(crate) basis_holds: bool,
    /// Rows that are kept: of steps that took effect, and with those of the open transaction.
    pub(crate) kept: u64,
    pub(crate) kept_open: u64,
    /// Rows that the steps changed.
    pub(crate) rows: u64,
    /// Rows that queries answered, and what of it is kept for good.
    pub(crate) answered: u64,
    pub(crate) artifacts: Vec<Artifact>,
    /// What ran in the dry run's transaction, in order, and how many rows each statement changed.
    pub(crate) tried: Vec<(Digest, u64)>,
    /// How many transactions were begun.
    pub(crate) transactions: u64,
    /// The first thing that went wrong at the target, in a run.
    pub(crate) failure: Option<Failure>,
    /// The first thing that made a target unusable.
    pub(crate) unavailable: Option<Error>,
    /// What the marker, or the marks of the steps, said.
    pub(crate) marker: Seen,
    /// The limit that was reached, in words.
    pub(crate) limit: Option<String>,
    /// Why the run was stopped, once it was.
    pub(crate) stopped: Option<StopReason>,
    /// How many calls that only read were answered.
    pub(crate) reads_answered: u64,
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
            self.broken = false;
            self.awaits_commit = None;
            self.kept_open = self.kept;
            // What took effect by itself stays; the others begin anew.
            self.steps_done = self.applied.len();
            if self.applied.is_empty() {
                self.rows = 0;
            }
        }
    }

    /// A step took effect by itself, and the database said so. It was the last of `steps`, or not.
    pub(crate) fn note_step(&mut self, id: String, rows: u64, steps: usize) {
        self.applied.push(id);
        self.steps_done = self.applied.len();
        self.rows = self.rows.saturating_add(rows);
        self.awaits_commit = None;
        self.kept = self.kept_open;
        self.progress =
            if self.applied.len() == steps { Progress::Committed } else { Progress::Nothing };
    }
}
