//! A request as one record.

use serde::{Deserialize, Serialize};

use super::change::Header;
use super::ended::{Failed, Succeeded, Unknown};
use super::quorum::Approval;
use super::state::{Approved, State};
use crate::store::erasable::{Erasable, erasable};
use crate::store::records::Record;

/// A change request: what is always true of it, and its state.
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// let request = office.pending(&gate)?;
/// assert_eq!((request.header.revision, request.state.name().as_str()), (1, "PENDING_APPROVAL"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Request {
    /// What is true in every state.
    pub header: Header,
    /// What is true in this state.
    pub state: State,
}

impl Request {
    /// What was agreed to, once it was.
    pub(crate) const fn approved(&self) -> Option<&Approved> {
        match &self.state {
            State::Approved(approved) => Some(approved),
            State::Executing(now) => Some(&now.approved),
            State::Succeeded(Succeeded { ended })
            | State::Failed(Failed { ended })
            | State::Unknown(Unknown { ended }) => Some(&ended.approved),
            State::Draft(_)
            | State::PendingApproval(_)
            | State::ChangesRequested(_)
            | State::Rejected(_)
            | State::Cancelled(_) => None,
        }
    }
}

/// A digest of nothing, as JSON.
const ZERO: &str = "\"0000000000000000000000000000000000000000000000000000000000000000\"";

impl Record for Request {
    const KIND: &'static str = "request";
    // The digests too: whoever can guess what was asked for would find it confirmed.
    const ERASABLE: &'static [Erasable] = &[
        erasable("/header/title", "\"(erased)\""),
        erasable("/header/payload_digest", ZERO),
        erasable("/header/plan", "null"),
        erasable("/header/nonce", ZERO),
        erasable("/state/ended/outcome/message", "\"(erased)\""),
        erasable("/state/ended/outcome/summary", "\"(erased)\""),
        erasable("/state/ended/outcome/details", "null"),
        erasable("/state/ended/last_read/outcome/message", "\"(erased)\""),
        erasable("/state/ended/last_read/outcome/summary", "\"(erased)\""),
        erasable("/state/ended/last_read/outcome/details", "null"),
    ];

    fn path(&self) -> Vec<String> {
        vec![self.header.id.to_string()]
    }
}

impl State {
    /// The approvals that it waits with, or may run by.
    pub(crate) fn approvals(&self) -> &[Approval] {
        match self {
            Self::PendingApproval(pending) => &pending.approvals,
            Self::Approved(approved) => &approved.approvals,
            Self::Draft(_)
            | Self::ChangesRequested(_)
            | Self::Rejected(_)
            | Self::Cancelled(_)
            | Self::Executing(_)
            | Self::Succeeded(_)
            | Self::Failed(_)
            | Self::Unknown(_) => &[],
        }
    }
}
