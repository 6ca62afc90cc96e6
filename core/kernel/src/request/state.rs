//! The states of the workflow `change`. Each holds what is true in it, and has the steps that lead out.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::batch::Done;
use super::change::Header;
use super::ended::{Failed, Succeeded, Unknown};
use super::quorum::{Approval, Quorum, Standing};
use super::rule::ApprovalRule;
use crate::authz::{Approve, Permit, Submit};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{RuleId, RunId, UserId};
use crate::org::Slug;

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident($body:ident) = $text:literal,)*) => {
        /// The state of a request, with what is true in it.
        /// ```
        /// # use placet_core::{request::State, testing::Office}; let (gate, office) = Office::in_memory()?;
        /// let state = office.pending(&gate)?.state;
        /// assert!(matches!(&state, State::PendingApproval(pending) if pending.approvals.is_empty()));
        /// assert_eq!(state.name().as_str(), "PENDING_APPROVAL");
        /// # Ok::<(), placet_core::error::Error>(())
        /// ```
        #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
        #[serde(tag = "state")]
        #[expect(clippy::exhaustive_enums, reason = "a new state must be seen wherever states are told apart")]
        pub enum State { $($(#[$doc])* #[serde(rename = $text)] $name($body),)* }

        /// The name of a state.
        /// ```
        /// use placet_core::request::StateName;
        /// assert_eq!(StateName::Approved.as_str(), "APPROVED");
        /// ```
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[expect(clippy::exhaustive_enums, reason = "a new state must be seen wherever states are told apart")]
        pub enum StateName { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl State {
            /// The state's name.
            pub const fn name(&self) -> StateName {
                match self { $(Self::$name(_) => StateName::$name,)* }
            }
        }

        impl StateName {
            /// Every state, from draft to end.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text form.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        $(impl From<$body> for State {
            fn from(body: $body) -> Self {
                Self::$name(body)
            }
        })*
    };
}

states! {
    /// Being written.
    Draft(Draft) = "DRAFT",
    /// Waiting for approvals.
    PendingApproval(PendingApproval) = "PENDING_APPROVAL",
    /// A reviewer wants it changed.
    ChangesRequested(ChangesRequested) = "CHANGES_REQUESTED",
    /// Enough people agreed to exactly this.
    Approved(Approved) = "APPROVED",
    /// A reviewer said no. The end.
    Rejected(Rejected) = "REJECTED",
    /// Withdrawn. The end.
    Cancelled(Cancelled) = "CANCELLED",
    /// A run holds the lease.
    Executing(Executing) = "EXECUTING",
    /// Done. The end.
    Succeeded(Succeeded) = "SUCCEEDED",
    /// Known not to have completed. The end, unless somebody runs it again.
    Failed(Failed) = "FAILED",
    /// Nobody can tell yet what became of the run.
    Unknown(Unknown) = "UNKNOWN",
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Being written.
/// ```
/// use placet_core::request::{Draft, State, StateName};
/// assert_eq!(State::from(Draft::default()).name(), StateName::Draft);
/// ```
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
#[expect(
    clippy::empty_structs_with_brackets,
    reason = "it is stored as an object, as every state is"
)]
pub struct Draft {
    // Nothing is true of a draft beyond its header; braces, so that it is stored as an object.
}

/// Waiting for approvals.
/// ```
/// # use placet_core::{request::State, testing::Office}; let (gate, office) = Office::in_memory()?;
/// let State::PendingApproval(pending) = office.pending(&gate)?.state else { unreachable!() };
/// assert!(pending.approvals.len() < usize::from(pending.quorum.people()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PendingApproval {
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// What is asked to be agreed to.
    pub digest: Digest,
    /// Which approvals are enough.
    pub quorum: Quorum,
    /// The rule of the project that says so; nothing where the environment's own quorum or the default holds.
    pub rule: Option<RuleId>,
    /// What was given so far.
    pub approvals: Vec<Approval>,
}

/// A reviewer wants it changed.
/// ```
/// # use placet_core::{request::State, testing::Office}; let (gate, office) = Office::in_memory()?;
/// let state = gate.request_changes(&office.bo, office.pending(&gate)?.header.id, "name the table")?.state;
/// assert!(matches!(state, State::ChangesRequested(asked) if asked.by == office.bo.user()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChangesRequested {
    /// The reviewer.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

/// Enough people agreed to exactly this.
/// ```
/// # use placet_core::{request::State, testing::Office}; let (gate, office) = Office::in_memory()?;
/// let State::Approved(approved) = office.approved(&gate)?.state else { unreachable!() };
/// assert!(approved.approvals.iter().all(|approval| approval.digest == approved.digest));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Approved {
    /// When it became so.
    pub approved_at: Timestamp,
    /// What was agreed to.
    pub digest: Digest,
    /// Which approvals were enough.
    pub quorum: Quorum,
    /// The rule of the project that said so; nothing where the environment's own quorum or the default held.
    pub rule: Option<RuleId>,
    /// Who agreed, spare ones too. At each start those that it needs are judged again: the log says whose counted.
    pub approvals: Vec<Approval>,
    /// The rule that agreed in place of people; nothing where people did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_rule: Option<ApprovalRule>,
    /// The targets of a batch at which it succeeded so far, in their order; the next run is at the one that follows.
    pub done: Vec<Done>,
    /// Whether the gate starts its runs, and not a person.
    pub is_automatic: bool,
}

/// A reviewer said no.
/// ```
/// # use placet_core::{request::State, testing::Office}; let (gate, office) = Office::in_memory()?;
/// let state = gate.reject(&office.bo, office.pending(&gate)?.header.id, "not in December")?.state;
/// assert!(matches!(state, State::Rejected(said_no) if said_no.by == office.bo.user()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rejected {
    /// The reviewer.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

/// Withdrawn.
/// ```
/// # use placet_core::{request::State, testing::Office}; let (gate, office) = Office::in_memory()?;
/// let state = gate.cancel(&office.ana, office.pending(&gate)?.header.id, None)?.state;
/// assert!(matches!(state, State::Cancelled(withdrawn) if withdrawn.by == office.ana.user()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cancelled {
    /// Who withdrew it.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// The targets of a batch at which it had taken effect by then.
    pub done: Vec<Done>,
}

/// A run holds the lease.
/// ```
/// # use placet_core::{request::State, testing::Office}; let (gate, office) = Office::in_memory()?;
/// let ticket = gate.execute(&office.bo, office.approved(&gate)?.header.id)?;
/// let State::Executing(now) = gate.view(&office.ana, ticket.request())?.state else { unreachable!() };
/// assert_eq!((now.run, now.fence, now.cancel_requested), (ticket.run(), ticket.fence(), false));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Executing {
    /// What was agreed to, and is running.
    pub approved: Approved,
    /// The run.
    pub run: RunId,
    /// Which attempt at the revision it is, from 1.
    pub attempt: u32,
    /// The target that it changes.
    pub target: Slug,
    /// The run's fence. Each run of a request has a greater one than the run before it.
    pub fence: u64,
    /// Who started it.
    pub started_by: UserId,
    /// When.
    pub started_at: Timestamp,
    /// Whether somebody asked the run to stop.
    pub cancel_requested: bool,
}

impl Draft {
    /// Asks for approval of exactly what the header says now.
    pub(crate) fn submit(
        self,
        header: &Header,
        permit: Permit<Submit>,
        (quorum, rule): (Quorum, Option<RuleId>),
        now: Timestamp,
    ) -> Result<PendingApproval, Error> {
        permit.spend_on(&header.scope())?;
        Ok(PendingApproval {
            submitted_at: now,
            digest: header.change_digest()?,
            quorum,
            rule,
            approvals: Vec::new(),
        })
    }
}

impl ChangesRequested {
    /// Goes back to writing, or straight to being submitted again.
    pub(crate) fn reopen(self) -> Draft {
        Draft {}
    }
}

impl PendingApproval {
    /// Adds one person's yes. The type says who may ask; this says whose yes counts.
    pub(crate) fn approve(
        mut self,
        header: &Header,
        permit: Permit<Approve>,
        mut approval: Approval,
        awaited: &str,
    ) -> Result<State, Error> {
        let (user, _) = permit.spend_on(&header.scope())?;
        header.check_is_not_author(user)?;
        if approval.user != user || approval.digest != self.digest {
            return Err(Error::new(
                Code::DigestMismatch,
                format!("this approval is not for what `{}` asks for now", header.id),
            )
            .with_help("read the request again, and approve the digest that it shows")
            .with_detail("digest", self.digest));
        }
        self.check_not_twice(header, user)?;
        let admitted = self.quorum.admits(&self.approvals, &self.digest, &approval.fits);
        let Some((stage, fits)) = admitted else {
            return Err(Error::new(
                Code::Refused,
                format!("`{user}` is not among those who are awaited: {awaited}"),
            )
            .with_help("ask one of them")
            .with_detail("awaited", awaited));
        };
        let at = approval.at;
        (approval.stage, approval.fits) = (stage, fits);
        self.approvals.push(approval);
        Ok(match self.quorum.standing(&self.approvals, &self.digest) {
            Standing::Missing(_) => self.into(),
            Standing::Reached => Approved::by(header, self, None, at)?.into(),
        })
    }

    /// Refuses a second yes of one person.
    pub(crate) fn check_not_twice(&self, header: &Header, user: UserId) -> Result<(), Error> {
        if self.approvals.iter().all(|given| given.user != user) {
            return Ok(());
        }
        Err(Error::new(Code::AlreadyExists, format!("`{user}` approved `{}` before", header.id))
            .with_help("each person counts once; ask another approver"))
    }

    /// Says no for good.
    pub(crate) fn reject(
        self,
        header: &Header,
        permit: Permit<Approve>,
        now: Timestamp,
    ) -> Result<Rejected, Error> {
        let (by, _) = permit.spend_on(&header.scope())?;
        Ok(Rejected { by, at: now })
    }

    /// Sends it back to its author. The approvals stay behind.
    pub(crate) fn request_changes(
        self,
        header: &Header,
        permit: Permit<Approve>,
        now: Timestamp,
    ) -> Result<ChangesRequested, Error> {
        let (by, _) = permit.spend_on(&header.scope())?;
        Ok(ChangesRequested { by, at: now })
    }
}
