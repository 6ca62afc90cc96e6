//! The state compared with the log, by somebody who may look at all of it.

use crate::audit::{self, DeepOptions, DeepProgress, DeepReport};
use crate::authz::{Audit, Scope};
use crate::error::Error;
use crate::gate::Gate;
use crate::identity::Caller;

impl Gate {
    /// Compares every record with the log, and the log with the heads in `options`: see [`audit::verify_deep`], which
    /// does the same on a store without a gate. For PLATFORM_ADMIN and AUDITOR. Others may go on working meanwhile;
    /// `progress` is told how far it is, and its error ends it.
    ///
    /// Fails with [`crate::error::Code::Denied`] for everybody else. What is found is in the report, not an error.
    ///
    /// ```
    /// use placet_core::audit::{Checkpoint, DeepOptions};
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let kept = Checkpoint::open_note(&gate.checkpoint()?, gate.origin(), gate.verifier_key())?;
    /// office.approved(&gate)?;
    ///
    /// let options = DeepOptions::default().with_head(kept);
    /// let report = gate.verify_deep(&office.root, &options, |_| Ok(()))?;
    /// assert!(report.is_whole(), "{:?}", report.findings);
    /// let asked = gate.verify_deep(&office.ana, &options, |_| Ok(()));
    /// assert_eq!(asked.unwrap_err().code(), Code::Denied);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn verify_deep(
        &self,
        caller: &Caller,
        options: &DeepOptions,
        progress: impl FnMut(&DeepProgress) -> Result<(), Error>,
    ) -> Result<DeepReport, Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "audit log")?;
            permit.spend_on(&Scope::Platform).map(drop)
        })?;
        audit::verify_deep(&*self.parts.store, options, progress)
    }
}
