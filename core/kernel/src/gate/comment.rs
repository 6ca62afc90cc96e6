//! Saying something about a request.

use super::Gate;
use super::find::{Note, subject};
use crate::authz::{Read, Scope};
use crate::error::Error;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Request, action};

impl Gate {
    /// Adds a comment. Whoever may read the request may comment on it.
    pub fn comment(&self, caller: &Caller, id: RequestId, text: &str) -> Result<Request, Error> {
        self.check_comment(text, true)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = Scope::project(request.header.project_id);
            let permit = txn.ask::<Read>(caller.user(), scope, &subject(id))?;
            permit.spend_on(&scope)?;
            let from = Some(request.state.name());
            let (caller, comment) = (Some(caller), Some(text));
            let note = Note { caller, action: action::COMMENT, from, comment };
            let request = txn.save(request, &note)?;
            let leaf = Self::request_leaf(txn, "request.commented", caller, &request);
            Ok((request, leaf))
        })
    }
}
