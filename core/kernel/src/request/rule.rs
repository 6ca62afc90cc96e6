//! Approvals that no person gave.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::change::Header;
use super::quorum::Approval;
use super::state::{Approved, PendingApproval};
use crate::clock::Timestamp;
use crate::error::{Code, Error};

/// A rule of the project that agrees in place of people. It counts apart from them wherever approvals are counted.
///
/// ```
/// use placet_core::request::ApprovalRule;
/// assert_eq!(ApprovalRule::AutoApproveAi.as_str(), "auto_approve_ai");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ApprovalRule {
    /// Artifacts that agents alone made, for whomever, are approved, in an environment of the lowest criticality.
    AutoApproveAi,
}

impl ApprovalRule {
    /// The stable text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AutoApproveAi => "auto_approve_ai",
        }
    }
}

impl fmt::Display for ApprovalRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PendingApproval {
    /// Is approved by `rule`, and by nobody. Only an artifact can be.
    pub(crate) fn approve_by_rule(
        self,
        header: &Header,
        rule: ApprovalRule,
        now: Timestamp,
    ) -> Result<Approved, Error> {
        if header.artifact.is_none() {
            return Err(Error::new(
                Code::Internal,
                format!("a rule would approve `{}`, which is no artifact", header.id),
            ));
        }
        let nobody = Self { approvals: Vec::new(), ..self };
        Approved::by(header, nobody, Some(rule), now)
    }
}

impl Approved {
    /// The one way to an approval. Whatever agreed, people or a rule, it comes through here, so that nothing that a
    /// person must look at gets past them.
    pub(super) fn by(
        header: &Header,
        agreed: PendingApproval,
        by_rule: Option<ApprovalRule>,
        approved_at: Timestamp,
    ) -> Result<Self, Error> {
        let PendingApproval { submitted_at: _, digest, quorum, rule, approvals } = agreed;
        let (done, is_automatic) = (Vec::new(), false);
        let approved =
            Self { approved_at, digest, quorum, rule, approvals, by_rule, done, is_automatic };
        approved.check_has_person(header, &approved.approvals)?;
        Ok(approved)
    }

    /// Refuses what a person must look at, where none of those who `counted` is one who did not write it. Agents never
    /// approve, so whoever approved is a person.
    pub(super) fn check_has_person(
        &self,
        header: &Header,
        counted: &[Approval],
    ) -> Result<(), Error> {
        let authors = header.authors();
        let looked =
            |given: &Approval| given.digest == self.digest && !authors.contains(&given.user);
        let has_person = self.by_rule.is_none() && counted.iter().any(looked);
        if has_person || !header.needs_person() {
            return Ok(());
        }
        Err(Error::new(
            Code::Refused,
            format!("a finding of `{}` needs a person, and none looked at it", header.id),
        )
        .with_help("submit it again, so that somebody who may approve does"))
    }
}
