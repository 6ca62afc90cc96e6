//! What is different between two texts that the caller may read.

use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::txn::Txn;
use crate::identity::Caller;
use crate::request::{Diff, Revision, RevisionRef, diff};

impl Gate {
    /// What is different between two texts: revisions of one request, or of two, such as two versions of an artifact.
    /// Whoever may read both requests may.
    ///
    /// Fails with [`Code::NotFound`] for a request that is not there or may not be seen, and for a revision that it
    /// does not have.
    ///
    /// ```
    /// use placet_core::request::RevisionRef;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let (old, new) = (office.pending(&gate)?.header.id, office.pending(&gate)?.header.id);
    /// gate.edit(&office.ana, new, "a change", &office.change(r#"{"cents": 250}"#)?)?;
    /// let diff = gate.diff(&office.ana, RevisionRef::present(old), RevisionRef::present(new))?;
    /// assert_eq!(diff.to_json_patch(), r#"[{"op":"replace","path":"","value":{"cents":250}}]"#);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn diff(
        &self,
        caller: &Caller,
        before: RevisionRef,
        after: RevisionRef,
    ) -> Result<Diff, Error> {
        self.consult(|txn| {
            let before = txn.text_of(caller, before)?;
            let after = txn.text_of(caller, after)?;
            Ok(diff(&before.text(), &after.text()))
        })
    }
}

impl Txn<'_> {
    fn text_of(&mut self, caller: &Caller, which: RevisionRef) -> Result<Revision, Error> {
        let header = self.readable(caller, which.request)?.header;
        let number = which.revision.unwrap_or(header.revision);
        if number == 0 || number > header.revision {
            let (id, last) = (header.id, header.revision);
            return Err(Error::new(Code::NotFound, format!("`{id}` has no revision {number}"))
                .with_help(format!("name one from 1 to {last}")));
        }
        self.revision_numbered(header.id, number)
    }
}
