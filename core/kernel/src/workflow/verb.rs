//! What the typed core can do with a request, and from which phase to which.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::request::StateName;

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident = $text:literal: $($from:ident -> $to:ident),+;)*) => {
        /// What a transition does: one verb of the gate. Workflows name their actions as they like; what an action
        /// can do is a verb.
        ///
        /// ```
        /// use placet_core::request::StateName;
        /// use placet_core::workflow::Verb;
        ///
        /// let only = [(StateName::PendingApproval, StateName::Approved)];
        /// assert_eq!(Verb::Approve.phases(), only);
        /// assert!(Verb::Finish.is_of_run());
        /// ```
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Verb { $($(#[$doc])* $name,)* }

        impl Verb {
            /// Every verb.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// From which phase it leads to which. There is no other way from phase to phase but an edit, which leads
            /// to a draft, or stays where changes were requested.
            pub const fn phases(self) -> &'static [(StateName, StateName)] {
                match self { $(Self::$name => &[$((StateName::$from, StateName::$to),)+],)* }
            }
        }
    };
}

verbs! {
    /// Asks for approval.
    Submit = "submit": Draft -> PendingApproval, ChangesRequested -> PendingApproval;
    /// Says yes. It arrives when the quorum is reached.
    Approve = "approve": PendingApproval -> Approved;
    /// Sends it back to its author.
    RequestChanges = "request_changes": PendingApproval -> ChangesRequested;
    /// Says no for good.
    Reject = "reject": PendingApproval -> Rejected;
    /// Takes it back from those who would approve it.
    Withdraw = "withdraw": PendingApproval -> Draft;
    /// Makes a draft of what was sent back.
    Reopen = "reopen": ChangesRequested -> Draft;
    /// Gives it up before it runs.
    Cancel = "cancel": Draft -> Cancelled, PendingApproval -> Cancelled, ChangesRequested -> Cancelled,
        Approved -> Cancelled;
    /// Deletes a draft that nothing depends on.
    Delete = "delete": Draft -> Cancelled;
    /// Makes a draft of what was approved and has not taken effect.
    Revert = "revert": Approved -> Draft, Failed -> Draft;
    /// Makes a draft of what was rejected.
    Restore = "restore": Rejected -> Draft;
    /// Runs what was approved.
    Execute = "execute": Approved -> Executing;
    /// Runs it again after a run that is known to have failed.
    Rerun = "rerun": Failed -> Executing;
    /// Makes a draft of a copy. What is done stays as it is.
    NewVersion = "new_version": Succeeded -> Draft;
    /// Goes from one state to another of the same phase.
    Advance = "advance": Draft -> Draft, PendingApproval -> PendingApproval, ChangesRequested -> ChangesRequested,
        Approved -> Approved, Rejected -> Rejected, Cancelled -> Cancelled, Succeeded -> Succeeded,
        Failed -> Failed;
    /// Asks a run to stop.
    Stop = "stop": Executing -> Executing;
    /// A run ends, and says how.
    Finish = "finish": Executing -> Succeeded, Executing -> Failed, Executing -> Unknown;
    /// A run's lease ends before it says how it did.
    Lose = "lose": Executing -> Unknown;
    /// Reads in the target what became of a run.
    Verify = "verify": Unknown -> Succeeded, Unknown -> Failed, Unknown -> Unknown, Succeeded -> Succeeded,
        Failed -> Failed;
    /// A person says what became of a run.
    Reconcile = "reconcile": Unknown -> Succeeded, Unknown -> Failed;
}

impl Verb {
    /// Whether it belongs to a run: then what it leads to is told by the run's outcome, and every workflow has it,
    /// listed or not.
    pub const fn is_of_run(self) -> bool {
        matches!(self, Self::Stop | Self::Finish | Self::Lose | Self::Verify | Self::Reconcile)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
