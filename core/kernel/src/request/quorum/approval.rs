//! One person's yes, and by which rows it counts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::count::Voter;
use super::need::Group;
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::{ApprovalId, GrantId, MembershipId, UserId};

/// One person's yes to exactly one digest.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::{Group, State};
///
/// let request = office.approved(&gate)?;
/// let State::Approved(approved) = &request.state else { unreachable!() };
/// let approval = &approved.approvals[0];
/// assert_eq!(approval.user, office.bo.user());
/// assert_eq!(approval.digest, request.header.change_digest()?);
/// assert_eq!(approval.fits[0].group, Group::Anyone);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
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
    /// The stage that was open when it was given, from 0, where stages follow each other. Nothing where they stand
    /// side by side: it counts where it is needed.
    pub stage: Option<u8>,
    /// The groups that the approver was in, of those that the quorum names, and by which rows.
    pub fits: Vec<Fit>,
}

/// That somebody is in a group, and the row that says so.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let bo = gate.organisation(&office.root, office.project)?.roles.iter().find(|role| role.name.as_str() == "bo").unwrap().id;
/// use placet_core::org::command::SetQuorum;
/// use placet_core::request::{Group, Quorum, State};
///
/// let (project, environment) = (office.project, office.environment);
/// let quorum = Quorum::n_of(1, Some(bo))?;
/// gate.manage(&office.root, &SetQuorum { project, environment, quorum })?;
/// let State::Approved(approved) = office.approved(&gate)?.state else { unreachable!() };
/// let fit = &approved.approvals[0].fits[0];
/// assert_eq!(fit.group, Group::ProjectRole(bo));
/// assert!(fit.grant.is_some()); // he holds that role by this row
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Fit {
    /// The group.
    pub group: Group,
    /// The grant by which they are in it, where it is by one.
    pub grant: Option<GrantId>,
    /// The membership by which they are in it, where it is by one.
    pub membership: Option<MembershipId>,
}

impl Fit {
    pub(crate) const fn new(
        group: Group,
        grant: Option<GrantId>,
        membership: Option<MembershipId>,
    ) -> Self {
        Self { group, grant, membership }
    }
}

impl Approval {
    /// The approver, as somebody who is counted.
    pub(super) fn voter(&self) -> Voter {
        let groups: BTreeSet<Group> = self.fits.iter().map(|fit| fit.group).collect();
        Voter { stage: self.stage, groups }
    }
}
