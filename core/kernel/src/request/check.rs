//! What the host's own checks said of a change.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::{RequestId, UserId};
use crate::org::Slug;
use crate::store::erasable::{Erasable, erasable};
use crate::store::records::Record;

/// How a check ended.
///
/// ```
/// use placet_core::request::CheckStatus;
/// assert_eq!(CheckStatus::Passed.as_str(), "passed");
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whatever did not pass stops an approval")]
pub enum CheckStatus {
    /// It found nothing.
    Passed,
    /// It found something, or could not be done.
    Failed,
}

impl CheckStatus {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
        }
    }
}

/// What a check of the host's, such as its tests, said of exactly one change. A later report of the same name takes its
/// place; an edit makes it void.
///
/// ```
/// use placet_core::gate::CheckReport;
/// use placet_core::request::CheckStatus;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let ci = office.with_check(&gate)?;
/// let header = office.pending(&gate)?.header;
/// let (digest, name) = (header.change_digest()?, "tests".parse()?);
/// let report = CheckReport { digest, name, status: CheckStatus::Passed, details: "12 ran".to_owned() };
/// let check = gate.report_check(&ci, header.id, &report)?;
/// assert_eq!((check.status, check.digest), (CheckStatus::Passed, digest));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The request.
    pub request: RequestId,
    /// What it is called, such as `tests`.
    pub name: Slug,
    /// What was checked. It says nothing of anything else.
    pub digest: Digest,
    /// How it ended.
    pub status: CheckStatus,
    /// What the host says of it.
    pub details: String,
    /// Who reported it.
    pub by: UserId,
    /// On whose behalf, where they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

impl Record for Check {
    const KIND: &'static str = "check";
    const ERASABLE: &'static [Erasable] = &[erasable("/details", "\"(erased)\"")];

    fn path(&self) -> Vec<String> {
        vec![self.request.to_string(), self.name.to_string()]
    }
}
