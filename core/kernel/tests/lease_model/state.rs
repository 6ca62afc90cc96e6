//! The state of the model: one request in the store, one target, and three nodes.

/// How many nodes there are.
pub(crate) const NODES: usize = 3;

/// Attempts that the model tells apart: the first, and one that is made after it failed.
pub(crate) const ATTEMPTS: usize = 2;

/// One run, as `JobId` names it. Request and revision are always the same here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Run {
    pub(crate) fence: u8,
    pub(crate) attempt: u8,
}

/// `runner::Outcome`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Outcome {
    Succeeded,
    Failed,
    Unknown,
}

/// `request::State`, from the approval on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Request {
    Approved,
    Executing(Run),
    Ended(Run, Outcome),
}

/// The record `live`. Its count of renewals is not here: see [`Node::has_seen`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Lease {
    pub(crate) fence: u8,
    pub(crate) is_stopped: bool,
}

/// What is in the store. Each verb's transaction is one step: it commits only where nothing that it read has
/// changed, so it is as if it read at the instant at which it commits.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Stored {
    pub(crate) request: Request,
    /// `Header::fence` and `Header::attempts`: those of the latest run.
    pub(crate) latest: Run,
    pub(crate) lease: Option<Lease>,
    /// The holder of the target's turn, by its fence.
    pub(crate) turn: Option<u8>,
}

/// A transaction in the target whose client is gone. It has the lock until the target ends it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Orphan {
    pub(crate) run: Run,
    /// Its COMMIT was sent before the client went: it may still be done.
    pub(crate) is_sent: bool,
}

/// The database that is changed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Target {
    /// How often the change was made.
    pub(crate) effects: u8,
    /// Whether the marker row of each attempt is there.
    pub(crate) markers: [bool; ATTEMPTS],
    pub(crate) orphan: Option<Orphan>,
}

/// How far the thread is that starts and drives a run.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Driver {
    Idle,
    /// In `execute` or `rerun`, which read that the request is approved, or failed, and would start this run.
    Starting(Run),
    /// `execute` gave out a ticket.
    Ticket(Run),
    /// In the runner, before its look at the lease.
    Entered(Run),
    /// After that look, and before it begins a transaction.
    MayBegin(Run),
    /// In a transaction, which has the target's lock.
    Open(Run),
    /// After its last look at the lease.
    MayCommit(Run),
    /// COMMIT is on its way.
    Sent(Run),
    /// The target committed, and the answer is on its way.
    Committed(Run),
    /// Only in the variant that writes the marker on its own: it is not written yet.
    Unmarked(Run),
    /// In `drive`, which writes this down next.
    Reporting(Run, Outcome),
}

/// What `Runner::verify` reads in the target.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Reading {
    There,
    Absent,
    /// Somebody has the lock.
    CannotTell,
}

/// How far the thread is that verifies.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Verifier {
    Idle,
    /// It read in the store that this run ended.
    Asked(Run),
    /// It read this in the target, and writes it down next.
    Read(Run, Reading),
}

/// One process: its threads act independently, and die together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Node {
    pub(crate) driver: Driver,
    pub(crate) verifier: Verifier,
    /// Whether it saw the lease as it is now: same fence, same count of renewals. A renewal makes it untrue
    /// for everybody else. When it saw it is not kept: once seen, the length of a lease may have passed by
    /// this node's clock at any time after. That covers every clock, and every pause of every process.
    pub(crate) has_seen: bool,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct State {
    pub(crate) stored: Stored,
    pub(crate) target: Target,
    /// How often the runner was entered, by attempt.
    pub(crate) entered: [u8; ATTEMPTS],
    pub(crate) nodes: [Node; NODES],
}

impl State {
    pub(crate) const FIRST: Self = Self {
        stored: Stored {
            request: Request::Approved,
            latest: Run { fence: 0, attempt: 0 },
            lease: None,
            turn: None,
        },
        target: Target { effects: 0, markers: [false; ATTEMPTS], orphan: None },
        entered: [0; ATTEMPTS],
        nodes: [Node { driver: Driver::Idle, verifier: Verifier::Idle, has_seen: false }; NODES],
    };

    pub(crate) fn has_marker(&self, run: Run) -> bool {
        self.target.markers[index(run)]
    }

    /// Whether a transaction is open in the target, which has its lock then.
    pub(crate) fn is_locked(&self) -> bool {
        self.target.orphan.is_some()
            || self.nodes.iter().any(|node| node.driver.session().is_some())
    }

    /// `RunLease::may_touch_target`.
    pub(crate) fn may_touch_target(&self, run: Run) -> bool {
        self.stored.lease.is_some_and(|lease| lease.fence == run.fence && !lease.is_stopped)
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.nodes.iter().all(|node| node.is_idle())
    }
}

impl Driver {
    /// The transaction that it has open, as it would be left behind.
    pub(crate) const fn session(self) -> Option<Orphan> {
        match self {
            Self::Open(run) | Self::MayCommit(run) => Some(Orphan { run, is_sent: false }),
            Self::Sent(run) => Some(Orphan { run, is_sent: true }),
            Self::Idle
            | Self::Starting(_)
            | Self::Ticket(_)
            | Self::Entered(_)
            | Self::MayBegin(_)
            | Self::Committed(_)
            | Self::Unmarked(_)
            | Self::Reporting(..) => None,
        }
    }
}

impl Node {
    pub(crate) fn is_idle(self) -> bool {
        self.driver == Driver::Idle && self.verifier == Verifier::Idle
    }
}

/// The place of a run's attempt. Attempts are counted from 1.
pub(crate) fn index(run: Run) -> usize {
    usize::from(run.attempt - 1)
}
