//! Which approvals are enough.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::id::{ApprovalId, GrantId, RoleId, UserId};

/// Which approvals are enough for a change.
///
/// ```
/// use placet_core::error::Code;
/// use placet_core::request::Quorum;
///
/// let two = Quorum::n_of(2, None)?;
/// assert_eq!(two.people(), 2);
/// assert_eq!(Quorum::default().people(), 1);
/// assert_eq!(Quorum::n_of(0, None).unwrap_err().code(), Code::InvalidInput);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "quorum")]
#[non_exhaustive]
pub enum Quorum {
    /// Approvals of `n` different people who may approve there; with `role`, of holders of that role.
    NOf {
        /// How many, at least 1.
        n: u8,
        /// The project role that each of them must hold, or none in particular.
        role: Option<RoleId>,
    },
}

/// The most approvals that a quorum may ask for: each is judged again in the leaf of the run's start,
/// and a leaf has at most 8 KiB.
pub const PEOPLE_MAX: u8 = 16;

impl Default for Quorum {
    /// One approval of anyone who may approve there.
    fn default() -> Self {
        Self::NOf { n: 1, role: None }
    }
}

/// How far the approvals are from the quorum.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::{Standing, State};
///
/// let State::PendingApproval(pending) = office.pending(&gate)?.state else { unreachable!() };
/// let said = match pending.quorum.standing(&pending.approvals, &pending.digest) {
///     Standing::Reached => "it may run".to_owned(),
///     Standing::Missing(people) => format!("{people} more must agree"),
/// };
/// assert_eq!(said, "1 more must agree");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "callers must tell enough from not enough")]
pub enum Standing {
    /// Enough.
    Reached,
    /// This many more are needed.
    Missing(u8),
}

impl Quorum {
    /// `n` different people, with `role` holders of that role.
    ///
    /// Fails with [`Code::InvalidInput`] when `n` is 0 (a change that nobody agrees to is not approved) or
    /// more than [`PEOPLE_MAX`].
    pub fn n_of(n: u8, role: Option<RoleId>) -> Result<Self, Error> {
        let quorum = Self::NOf { n, role };
        quorum.check()?;
        Ok(quorum)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::NOf { n: 0, role: _ } => {
                Err(Error::new(Code::InvalidInput, "a quorum of 0 approves nothing")
                    .with_help("ask for at least one approval"))
            }
            Self::NOf { n, role: _ } if *n > PEOPLE_MAX => Err(Error::new(
                Code::InvalidInput,
                format!("a quorum of {n} people is more than {PEOPLE_MAX}"),
            )
            .with_help("ask for fewer approvals; every one of them is judged again when it runs")),
            Self::NOf { .. } => Ok(()),
        }
    }

    /// The role that an approval must be given by, where one is asked for.
    pub const fn role(&self) -> Option<RoleId> {
        match self {
            Self::NOf { n: _, role } => *role,
        }
    }

    /// How many different people must agree.
    pub const fn people(&self) -> u8 {
        match self {
            Self::NOf { n, role: _ } => *n,
        }
    }

    /// Counts `approvals`: each person once, and only what was given for `digest` by a fitting role.
    pub fn standing(&self, approvals: &[Approval], digest: &Digest) -> Standing {
        match self {
            Self::NOf { n, role } => {
                let people: BTreeSet<UserId> = approvals
                    .iter()
                    .filter(|a| a.digest == *digest && (role.is_none() || a.role == *role))
                    .map(|a| a.user)
                    .collect();
                let given = u8::try_from(people.len()).unwrap_or(u8::MAX);
                match (*n).max(1).saturating_sub(given) {
                    0 => Standing::Reached,
                    missing => Standing::Missing(missing),
                }
            }
        }
    }
}

/// One person's yes to exactly one digest.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::State;
///
/// let request = office.approved(&gate)?;
/// let State::Approved(approved) = &request.state else { unreachable!() };
/// let approval = approved.approvals[0];
/// assert_eq!(approval.user, office.bo.user());
/// assert_eq!(approval.digest, request.header.change_digest()?);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Approval {
    /// The approval.
    pub id: ApprovalId,
    /// Who gave it.
    pub user: UserId,
    /// When.
    pub at: Timestamp,
    /// What it is for: the change digest that the approver saw.
    pub digest: Digest,
    /// The role it counts for, where the quorum asks for one.
    pub role: Option<RoleId>,
    /// The grant by which the approver held that role.
    pub grant: Option<GrantId>,
}
