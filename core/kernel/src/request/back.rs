//! Ways back to writing, and out of it: what was approved, rejected or sent back is a draft again.

use super::change::Header;
use super::ended::Failed;
use super::state::{Approved, Cancelled, ChangesRequested, Draft, PendingApproval, Rejected};
use crate::authz::{Permit, Restore, Revert, Submit};
use crate::clock::Timestamp;
use crate::error::Error;

impl Draft {
    /// Deletes it. The end.
    pub(crate) fn delete(
        self,
        header: &Header,
        permit: Permit<Submit>,
        now: Timestamp,
    ) -> Result<Cancelled, Error> {
        let (by, _) = permit.spend_on(&header.scope())?;
        Ok(Cancelled { by, at: now, done: Vec::new() })
    }
}

impl PendingApproval {
    /// Its author takes it back from those who would approve it. The approvals stay behind.
    pub(crate) fn withdraw(self, header: &Header, permit: Permit<Submit>) -> Result<Draft, Error> {
        permit.spend_on(&header.scope())?;
        Ok(Draft::default())
    }
}

impl ChangesRequested {
    /// Is a draft again, for a larger edit.
    pub(crate) fn rewrite(self, header: &Header, permit: Permit<Submit>) -> Result<Draft, Error> {
        permit.spend_on(&header.scope())?;
        Ok(self.reopen())
    }
}

impl Approved {
    /// Undoes the approval. The approvals stay behind: it has to be approved anew.
    pub(crate) fn revert(self, header: &Header, permit: Permit<Revert>) -> Result<Draft, Error> {
        permit.spend_on(&header.scope())?;
        // What took effect at one target of a batch is not made again there.
        self.check_not_begun(header)?;
        Ok(Draft::default())
    }
}

impl Failed {
    /// Undoes the approval of what is known to have failed. Its revision is not submitted again: see
    /// [`Header::check_did_not_run`].
    pub(crate) fn revert(self, header: &Header, permit: Permit<Revert>) -> Result<Draft, Error> {
        self.ended.approved.revert(header, permit)
    }
}

impl Rejected {
    /// Takes the no back. It has to be approved as if it were new.
    pub(crate) fn restore(self, header: &Header, permit: Permit<Restore>) -> Result<Draft, Error> {
        permit.spend_on(&header.scope())?;
        Ok(Draft::default())
    }
}
