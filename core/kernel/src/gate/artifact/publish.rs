//! What may be published: the question that stands before every hand-over to another system.

use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::decide::not_found;
use crate::gate::txn::Txn;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::request::{ArtifactName, Request, State};

impl Gate {
    /// Whether the newest version of an artifact is approved, or published already. Whoever may read it may ask.
    ///
    /// Fails with [`Code::NotFound`] where there is none, or the caller may not see it.
    ///
    /// ```
    /// use placet_core::request::ArtifactName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let header = office.pending_artifact(&gate, 42)?.header;
    /// let name = ArtifactName::new(office.project, "USER_STORY".parse()?, 42)?;
    /// assert!(!gate.is_approved(&office.ana, &name)?);
    /// gate.approve(&office.bo, header.id, header.change_digest()?, None)?;
    /// assert!(gate.is_approved(&office.ana, &name)?);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn is_approved(&self, caller: &Caller, name: &ArtifactName) -> Result<bool, Error> {
        self.consult(|txn| {
            let newest = txn.newest(caller, name)?;
            txn.is_publishable(&newest)
        })
    }

    /// Whether one request is approved, or took effect already. Whoever may read it may ask.
    ///
    /// Fails with [`Code::NotFound`] where it does not exist or may not be seen.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// assert!(!gate.is_request_approved(&office.ana, office.artifact(&gate, 1)?.header.id)?);
    /// assert!(gate.is_request_approved(&office.ana, office.approved_artifact(&gate, 2)?.header.id)?);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn is_request_approved(&self, caller: &Caller, id: RequestId) -> Result<bool, Error> {
        self.consult(|txn| {
            let request = txn.readable(caller, id)?;
            txn.is_publishable(&request)
        })
    }

    /// The newest version of an artifact, for whoever hands it on to another system.
    ///
    /// Fails with [`Code::ArtifactNotApproved`] unless it is approved or published already, and as
    /// [`Self::is_approved`] does.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::request::ArtifactName;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// office.artifact(&gate, 42)?;
    /// let name = ArtifactName::new(office.project, "USER_STORY".parse()?, 42)?;
    /// let error = gate.check_publishable(&office.ana, &name).unwrap_err();
    /// assert_eq!(error.code(), Code::ArtifactNotApproved);
    /// assert_eq!(error.to_string(), "Artifact not approved");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn check_publishable(
        &self,
        caller: &Caller,
        name: &ArtifactName,
    ) -> Result<Request, Error> {
        self.consult(|txn| {
            let newest = txn.newest(caller, name)?;
            txn.check_publishable(&newest)?;
            Ok(newest)
        })
    }
}

impl Txn<'_> {
    /// The newest version of an artifact that the caller may read.
    fn newest(&mut self, caller: &Caller, name: &ArtifactName) -> Result<Request, Error> {
        let missing = || not_found(&format!("artifact `{name}` in project `{}`", name.project));
        let id = self.artifact(name)?.and_then(|found| found.request).ok_or_else(missing)?;
        match self.readable(caller, id) {
            // The same words as where there is none.
            Err(error) if error.code() == Code::NotFound => Err(missing()),
            read => read,
        }
    }

    /// Whether it may be handed on where it is.
    pub(in crate::gate) fn is_publishable(&mut self, request: &Request) -> Result<bool, Error> {
        match self.check_publishable(request) {
            Ok(()) => Ok(true),
            Err(error) if error.code() == Code::ArtifactNotApproved => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Refuses what is not approved, also what a rule approved that would not approve it now.
    pub(in crate::gate) fn check_publishable(&mut self, request: &Request) -> Result<(), Error> {
        let header = &request.header;
        let refused = |help| {
            Error::new(Code::ArtifactNotApproved, "Artifact not approved")
                .with_help(help)
                .with_detail("request", header.id)
                .with_detail("step", &header.step)
        };
        let workflow = self.workflow(header)?;
        let is_syncable = workflow.state(&header.step).is_some_and(|state| state.is_syncable);
        let Some(approved) = request.approved().filter(|_| is_syncable) else {
            return Err(refused("submit it, and have it approved first"));
        };
        if matches!(request.state, State::Succeeded(_)) {
            // What took effect did so under its rule.
            return Ok(());
        }
        match self.check_rule(header, approved) {
            Err(error) if error.code() == Code::Refused => {
                let help = "revert it and submit it again, so that people who may approve do";
                Err(refused(help).with_source(error))
            }
            checked => checked,
        }
    }
}
