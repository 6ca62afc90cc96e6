//! Saying something about a request.

use crate::audit::Event;
use crate::authz::Read;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::gate::txn::Txn;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Request, action};

impl Gate {
    /// Adds a comment. Whoever may read the request by a project role may comment on it; AUDITOR may not.
    /// What wants an answer is a thread: see [`Self::open_thread`].
    ///
    /// Fails with [`Code::Refused`] for AUDITOR, with [`Code::InvalidInput`] for a text that says nothing,
    /// and with [`Code::TooLarge`] over [`crate::limits::Limits::text_bytes_max`] bytes.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.pending(&gate)?.header.id;
    /// gate.comment(&office.ana, id, "legal agreed by phone")?;
    /// let last = gate.history(&office.ana, id)?.pop().expect("there are steps");
    /// assert_eq!(last.comment.as_deref(), Some("legal agreed by phone"));
    /// assert_eq!(last.from, Some(last.to)); // its state stays
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn comment(&self, caller: &Caller, id: RequestId, text: &str) -> Result<Request, Error> {
        self.check_comment(text, true)?;
        self.transact(|txn| {
            let request = txn.commentable(caller, id)?;
            let from = Some(request.state.name());
            let (caller, comment) = (Some(caller), Some(text));
            let note = Note { caller, verb: action::COMMENT, from, comment };
            let request = txn.save(request, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestCommented, caller, &request);
            Ok((request, leaf))
        })
    }
}

impl Txn<'_> {
    /// The request, if the caller may say something about it: whoever reads it by a project role.
    pub(in crate::gate) fn commentable(
        &mut self,
        caller: &Caller,
        id: RequestId,
    ) -> Result<Request, Error> {
        let request = self.request(id)?;
        let scope = request.header.scope();
        let permit = self.ask::<Read>(caller.user(), scope, &subject(id))?;
        let (user, witness) = permit.spend_on(&scope)?;
        if witness.grant.is_none() {
            return Err(Error::new(
                Code::Refused,
                format!("`{user}` reads by a global role, which changes nothing"),
            )
            .with_help("ask a member of the project to note it"));
        }
        Ok(request)
    }
}
