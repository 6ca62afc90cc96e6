//! The next version of what is published.

use std::collections::BTreeSet;

use crate::audit::Event;
use crate::authz::Submit;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::find::subject;
use crate::gate::request::draft::{Beginning, NewRequest};
use crate::gate::txn::{Txn, lost_race};
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{ArtifactName, Header, Request, State, action};
use crate::workflow::Verb;

impl Gate {
    /// Copies what is published into a draft with the next version number. The published one stays as it is. Whoever
    /// wrote that cannot approve the copy either. It takes the action `request`.
    ///
    /// Fails with [`Code::WrongState`] for what is not published, where there is a newer version, and where its workflow
    /// has no such way.
    ///
    /// ```
    /// use placet_core::testing::{Office, Seen};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved_artifact(&gate, 42)?.header.id;
    /// gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
    /// let next = gate.new_version(&office.ana, id)?.header;
    /// assert_eq!((next.step.as_str(), next.artifact.expect("it is one").version), ("DRAFT", 2));
    /// assert_eq!(gate.view(&office.ana, id)?.header.step.as_str(), "SYNCED");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn new_version(&self, caller: &Caller, id: RequestId) -> Result<Request, Error> {
        let (old, change) = self.look_ahead(|txn| {
            let header = txn.published(caller, id)?;
            let revision = txn.revision(&header)?;
            revision.check_digests(&header)?;
            Ok((header, revision.change))
        })?;
        let new = NewRequest {
            project: old.project_id,
            module: old.module_id,
            environment: old.environment_id,
            title: old.title.clone(),
            change,
        };
        let (action, event) = (action::NEW_VERSION, Event::RequestVersionDrafted);
        let begins = Beginning { workflow: &old.workflow, action, event };
        self.begin(caller, &new, &begins, |txn, header| {
            let old = txn.published(caller, id)?;
            // What was looked at before may have been erased since: it does not come back.
            let revision = txn.revision(&old)?;
            revision.check_digests(&old)?;
            if revision.change != new.change || old.title != new.title {
                return Err(lost_race());
            }
            let (name, last) = txn.newest_of(&old)?;
            // They wrote what it says so far.
            header.add_authors_of(&old);
            txn.give_name(header, &name, last, Some(id))?;
            let needed = txn.still_needed(caller, &old)?;
            txn.lean_on(caller, header, &needed)
        })
    }
}

impl Txn<'_> {
    /// What a version needs that a copy of it can need too: what was given up since is left out.
    fn still_needed(
        &mut self,
        caller: &Caller,
        old: &Header,
    ) -> Result<BTreeSet<RequestId>, Error> {
        let mut needed = BTreeSet::new();
        for on in &old.depends_on {
            match self.readable(caller, *on) {
                Ok(request) if matches!(request.state, State::Cancelled(_)) => {}
                Ok(_) => drop(needed.insert(*on)),
                // The id is no secret: the version that is copied names it.
                Err(error) if error.code() == Code::NotFound => {
                    let sentence = format!("`{}` needs `{on}`, which you may not see", old.id);
                    return Err(Error::new(Code::Refused, sentence)
                        .with_help("ask somebody who may see both for the next version"));
                }
                Err(error) => return Err(error),
            }
        }
        self.about = None;
        Ok(needed)
    }

    /// What is published, for whoever may write its next version.
    fn published(&mut self, caller: &Caller, id: RequestId) -> Result<Header, Error> {
        let request = self.request(id)?;
        let scope = request.header.scope();
        self.ask::<Submit>(caller.user(), scope, &subject(id))?.spend_on(&scope)?;
        let State::Succeeded(_) = &request.state else {
            return Err(request.wrong_state("copied into a new version"));
        };
        let header = request.header;
        self.way(caller, &header, Verb::NewVersion, None)?;
        Ok(header)
    }

    /// The name of the artifact whose newest version this is, and the last number that was given.
    pub(in crate::gate) fn newest_of(
        &mut self,
        header: &Header,
    ) -> Result<(ArtifactName, u32), Error> {
        let id = header.id;
        let Some(version) = &header.artifact else {
            return Err(Error::new(Code::WrongState, format!("`{id}` is no artifact"))
                .with_help("draft a new request"));
        };
        let (artifact_type, number) = (version.artifact_type.clone(), version.artifact_id);
        let name = ArtifactName::new(header.project_id, artifact_type, number)?;
        match self.artifact(&name)? {
            Some(newest) if newest.request == Some(id) => Ok((name, newest.version)),
            Some(_) | None => Err(Error::new(
                Code::WrongState,
                format!("there is a newer version of `{name}` than `{id}`"),
            )
            .with_help("go on with that one")),
        }
    }
}
