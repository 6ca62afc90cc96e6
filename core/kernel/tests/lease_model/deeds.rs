//! The words for what can happen.

use core::fmt;

/// One step, by the node with a number, or by nobody in particular.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    By(usize, Deed),
    Outside(Event),
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum $name { $($word,)* }

        impl $name {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$word,)*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$word => $text,)* })
            }
        }
    };
}

words! {
    /// What a node does, or what happens to it.
    Deed {
        ReadApproved = "execute: reads that the request is approved",
        ReadFailed = "rerun: reads that the last attempt failed",
        Start = "execute: records the start and gives out a ticket",
        StartAnswerLost = "execute: records the start, and its answer is lost",
        Refused = "execute: finds that something changed, and gives no ticket",
        DropTicket = "drops its ticket",
        Enter = "drive: looks at the lease and enters the runner",
        LookBeforeBegin = "run: looks at the lease, before it begins",
        Begin = "run: begins a transaction, and has the target's lock",
        LookAfterBegin = "run: looks at the lease for the last time",
        SkipLook = "run: does not look at the lease again",
        GiveUp = "run: undoes what it has open, and fails",
        BreakOff = "run: the runner breaks off inside the host, and nobody can tell",
        LoseConnection = "run: its connection breaks before COMMIT, and it fails",
        SendCommit = "run: sends COMMIT",
        Commit = "run: the target commits, with the marker where it belongs to the transaction",
        Refuse = "run: the target refuses the COMMIT, and undoes it",
        Answer = "run: the target's answer comes",
        LoseAnswer = "run: the target's answer is lost",
        WriteMarker = "run: writes the marker, after the transaction",
        Report = "drive: writes the outcome down",
        FailToReport = "drive: cannot write the outcome down",
        Renew = "renew: the lease lasts longer",
        RenewAnswerLost = "renew: the lease lasts longer, and the answer is lost",
        Observe = "tick: sees the lease as it is",
        DeclareLost = "tick: has seen the same lease for its length, and declares the run lost",
        AskVerify = "verify: reads that the run ended",
        ReadTarget = "verify: looks into the target",
        WriteReading = "verify: writes down what it read",
        Crash = "dies and comes back",
    }
}

words! {
    /// What nobody in particular does.
    Event {
        Stop = "somebody asks the run to stop",
        OrphanUndone = "the target undoes the transaction of a client that is gone",
        OrphanCommitted = "the target commits for a client that is gone",
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(node, deed) => write!(f, "node {}  {deed}", node + 1),
            Self::Outside(event) => write!(f, "        {event}"),
        }
    }
}
