//! Approvals that no person gave.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::change::Header;
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
        let Self { digest, quorum, rule: quorum_rule, .. } = self;
        Ok(Approved {
            approved_at: now,
            digest,
            quorum,
            rule: quorum_rule,
            approvals: Vec::new(),
            by_rule: Some(rule),
            done: Vec::new(),
            is_automatic: false,
        })
    }
}
