//! What the exit code says. The table is part of the interface: a number never changes its meaning.

use std::process::ExitCode;

use placet::error::Code;

/// How the program ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// Done, and what was asked about holds.
    Ok = 0,
    /// Done, and what was asked about does not hold.
    DoesNotHold = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// What was handed in is not sound.
    Input = 3,
    /// It is not there, or this principal may not see it.
    NotFound = 4,
    /// This principal may not.
    NotAllowed = 5,
    /// Not in this state, or not now.
    NotNow = 6,
    /// The store or the signing key cannot be used.
    Store = 7,
    /// Another process has the folder.
    Locked = 8,
    /// The target, the plugin or a witness failed, or nobody knows how a run ended.
    Target = 9,
    /// Our mistake.
    Internal = 70,
    /// The answer could not be written.
    Output = 74,
}

/// For `--help`, and for the README.
pub(crate) const TABLE: &str = "\
Exit codes:
   0  done, and what was asked about holds
   1  done, and it does not hold: the log was tampered with or rolled back, somebody may not,
      a policy does not load in `policy check`, a workflow is not sound in `workflow check`,
      a story or a property fails, a run failed, the doctor found something broken
   2  the command line cannot be understood
   3  what was handed in is not sound: an id, a payload, a policy, a file
   4  not found, or this principal may not see it
   5  this principal may not
   6  not in this state, or not now: in use, taken, a conflict, a busy target, no solver
   7  the store or the signing key cannot be used
   8  another process has the folder
   9  the target, the plugin or a witness failed, or nobody knows how the run ended
  70  a mistake of placet
  74  the answer could not be written";

impl From<Exit> for ExitCode {
    #[expect(clippy::as_conversions, reason = "the numbers stand at the variants")]
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Code> for Exit {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a code that this program does not know is none that it can explain"
    )]
    fn from(code: Code) -> Self {
        match code {
            Code::LogTampered | Code::RolledBack => Self::DoesNotHold,
            Code::InvalidInput
            | Code::TooLarge
            | Code::InvalidPayload
            | Code::InvalidPolicy
            | Code::UnsoundWorkflow
            | Code::UnknownRunner
            | Code::UnknownTarget => Self::Input,
            Code::NotFound => Self::NotFound,
            Code::Denied | Code::Refused | Code::ApprovalRequired | Code::PluginNotGranted => {
                Self::NotAllowed
            }
            Code::Conflict
            | Code::AlreadyExists
            | Code::InUse
            | Code::WrongState
            | Code::ArtifactNotApproved
            | Code::PolicySetMissing
            | Code::ClockLeapt
            | Code::DigestMismatch
            | Code::QuorumUnsatisfiable
            | Code::Blocked
            | Code::AlreadyBootstrapped
            | Code::LimitReached
            | Code::Cancelled
            | Code::TargetBusy
            | Code::LeaseLost => Self::NotNow,
            Code::StoreUnavailable
            | Code::StorePoisoned
            | Code::StoreDamaged
            | Code::NewerFormat
            | Code::SignerUnavailable => Self::Store,
            Code::StoreLocked => Self::Locked,
            Code::TargetUnavailable
            | Code::RunnerFault
            | Code::WitnessUnavailable
            | Code::WitnessRefused => Self::Target,
            _ => Self::Internal,
        }
    }
}
