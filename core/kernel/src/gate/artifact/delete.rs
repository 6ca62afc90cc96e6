//! Deleting a draft that nothing depends on.

use crate::audit::Event;
use crate::authz::Submit;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::{Note, subject};
use crate::gate::txn::Txn;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{Artifact, ArtifactName, Dependants, Header, Request, State, action};
use crate::workflow::Verb;

impl Gate {
    /// Deletes a draft. Its history stays, and its name is free for another. It takes the action `request`.
    ///
    /// Fails with [`Code::InUse`] while a request depends on it, and with [`Code::WrongState`] for what is no draft, and
    /// where its workflow has no such way.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.artifact(&gate, 42)?.header.id;
    /// assert_eq!(gate.delete(&office.ana, id, None)?.header.step.as_str(), "DELETED");
    /// assert_eq!(office.artifact(&gate, 42)?.header.artifact.expect("it is one").version, 2);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn delete(
        &self,
        caller: &Caller,
        id: RequestId,
        comment: Option<&str>,
    ) -> Result<Request, Error> {
        self.check_comment(comment.unwrap_or_default(), false)?;
        self.transact(|txn| {
            let request = txn.request(id)?;
            let scope = request.header.scope();
            let permit = txn.ask::<Submit>(caller.user(), scope, &subject(id))?;
            let from = Some(request.state.name());
            let State::Draft(draft) = request.state else {
                return Err(request.wrong_state("deleted"));
            };
            let mut header = request.header;
            txn.follow(caller, &mut header, Verb::Delete, comment)?;
            // Whatever the workflow requires: nothing leans on what is gone.
            txn.check_nothing_depends_on(id)?;
            txn.let_go(&header)?;
            let state = draft.delete(&header, permit, txn.now)?.into();
            let note = Note { caller: Some(caller), verb: action::DELETE, from, comment };
            let request = txn.save(Request { header, state }, &note)?;
            let leaf = Self::request_leaf(txn, Event::RequestDeleted, Some(caller), &request);
            Ok((request, leaf))
        })
    }
}

impl Txn<'_> {
    /// Refuses to delete what others need.
    pub(in crate::gate) fn check_nothing_depends_on(&mut self, id: RequestId) -> Result<(), Error> {
        let by = self.get::<Dependants>(&[&id.to_string()])?.map_or(0, |found| found.by.len());
        if by == 0 {
            return Ok(());
        }
        let what = if by == 1 { "a request depends" } else { "requests depend" };
        Err(Error::new(Code::InUse, format!("{what} on `{id}`"))
            .with_help("delete those first, or keep it")
            .with_detail("dependants", by))
    }

    /// Leaves what the request depends on, and its name to the version before it.
    fn let_go(&mut self, header: &Header) -> Result<(), Error> {
        for on in &header.depends_on {
            if let Some(mut found) = self.get::<Dependants>(&[&on.to_string()])? {
                found.by.remove(&header.id);
                self.put(&found)?;
            }
        }
        let Some(artifact) = &header.artifact else { return Ok(()) };
        let (artifact_type, number) = (artifact.artifact_type.clone(), artifact.artifact_id);
        let name = ArtifactName::new(header.project_id, artifact_type, number)?;
        if let Some(newest) = self.artifact(&name)?
            && newest.request == Some(header.id)
        {
            self.put(&Artifact { request: artifact.follows, ..newest })?;
        }
        Ok(())
    }
}
