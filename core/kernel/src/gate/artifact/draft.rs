//! Writing an artifact: a request with a name of the host's, which is published once it is approved.

use std::collections::BTreeSet;

use crate::audit::Event;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::request::draft::{Beginning, NewRequest};
use crate::gate::txn::Txn;
use crate::id::{EnvironmentId, ModuleId, ProjectId, RequestId};
use crate::identity::Caller;
use crate::org::Slug;
use crate::request::{
    Artifact, ArtifactName, ArtifactType, Change, DEPENDS_ON_MAX, Dependants, Header, Request,
    State, Version, action,
};
use crate::workflow::Definition;

/// An artifact as its author writes it, such as a user story or a test case.
///
/// ```
/// use placet_core::gate::NewArtifact;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// # office.give_artifact_roles(&gate)?;
/// let story = NewArtifact {
///     project: office.project,
///     module: office.module,
///     environment: office.environment,
///     artifact_type: "USER_STORY".parse()?,
///     artifact_id: 42,
///     title: "Pay by card".to_owned(),
///     body: r#"{"as_a": "customer", "i_want": "to pay by card"}"#.to_owned(),
///     runner: "sql".parse()?,
///     target: "shop".parse()?,
///     depends_on: Default::default(),
/// };
/// let drafted = gate.draft_artifact(&office.ana, &story)?;
/// assert_eq!((drafted.header.workflow.as_str(), drafted.header.step.as_str()), ("artifact", "DRAFT"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct NewArtifact {
    /// The project.
    pub project: ProjectId,
    /// The module.
    pub module: ModuleId,
    /// The environment.
    pub environment: EnvironmentId,
    /// What kind of artifact it is.
    pub artifact_type: ArtifactType,
    /// Its number in the host's own tables, from 0 to 2^53 - 1.
    pub artifact_id: i64,
    /// What people see: one line.
    pub title: String,
    /// What it says, as JSON.
    pub body: String,
    /// The plugin that brings it to where it is published.
    pub runner: Slug,
    /// Where it is published.
    pub target: Slug,
    /// The requests of the same project that it needs, at most 16.
    pub depends_on: BTreeSet<RequestId>,
}

impl Gate {
    /// Writes a new artifact, in state `DRAFT` of the workflow `artifact`, whoever makes it. It takes the action
    /// `request`.
    ///
    /// Fails as [`Self::draft`] does, with [`Code::AlreadyExists`] where there is a version of it, and with
    /// [`Code::NotFound`] for something to depend on that is not there or may not be seen.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let first = office.artifact(&gate, 42)?;
    /// assert_eq!(first.header.artifact.expect("it is one").version, 1);
    /// // There is one of that name.
    /// assert_eq!(office.artifact(&gate, 42).unwrap_err().code(), Code::AlreadyExists);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn draft_artifact(&self, caller: &Caller, new: &NewArtifact) -> Result<Request, Error> {
        let name = ArtifactName::new(new.project, new.artifact_type.clone(), new.artifact_id)?;
        if new.depends_on.len() > DEPENDS_ON_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("an artifact depends on at most {DEPENDS_ON_MAX} requests"),
            )
            .with_help("depend on something that depends on them"));
        }
        let (runner, target, payload) = (new.runner.clone(), new.target.clone(), new.body.clone());
        let request = NewRequest {
            project: new.project,
            module: new.module,
            environment: new.environment,
            title: new.title.clone(),
            change: Change { runner, target, then: Vec::new(), payload },
        };
        let workflow = &Definition::artifact().name;
        let begins = Beginning { workflow, action: action::DRAFT, event: Event::RequestDrafted };
        self.begin(caller, &request, &begins, |txn, header| {
            let known = txn.artifact(&name)?;
            if let Some(Artifact { request: Some(_), version, .. }) = known {
                return Err(Error::new(
                    Code::AlreadyExists,
                    format!("there is a version {version} of `{name}`"),
                )
                .with_help("edit that one, or make a new version of it once it is published")
                .with_detail("version", version));
            }
            let last = known.map_or(0, |known| known.version);
            txn.give_name(header, &name, last, None)?;
            txn.lean_on(caller, header, &new.depends_on)
        })
    }
}

impl Txn<'_> {
    /// What is kept of the artifact of that name.
    pub(in crate::gate) fn artifact(
        &mut self,
        name: &ArtifactName,
    ) -> Result<Option<Artifact>, Error> {
        let path = name.path();
        self.get::<Artifact>(&path.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Makes the request the version after `last` of that artifact.
    pub(in crate::gate) fn give_name(
        &mut self,
        header: &mut Header,
        name: &ArtifactName,
        last: u32,
        follows: Option<RequestId>,
    ) -> Result<(), Error> {
        let version = last.checked_add(1).ok_or_else(|| {
            Error::new(Code::TooLarge, format!("`{name}` has too many versions"))
                .with_help("draft it under another number")
        })?;
        let ArtifactName { artifact_type, artifact_id, .. } = name.clone();
        header.artifact = Some(Version { artifact_type, artifact_id, version, follows });
        self.put(&Artifact { name: name.clone(), request: Some(header.id), version })
    }

    /// Notes what the request needs.
    pub(in crate::gate) fn lean_on(
        &mut self,
        caller: &Caller,
        header: &mut Header,
        depends_on: &BTreeSet<RequestId>,
    ) -> Result<(), Error> {
        for on in depends_on {
            let needed = self.readable(caller, *on)?;
            if needed.header.project_id != header.project_id {
                return Err(Error::new(
                    Code::InvalidInput,
                    format!("`{on}` is a request of another project"),
                )
                .with_help("name requests of the same project"));
            }
            if matches!(needed.state, State::Cancelled(_)) {
                return Err(needed.wrong_state("needed"));
            }
            let found = self.get::<Dependants>(&[&on.to_string()])?;
            let found = found.unwrap_or_else(|| Dependants::none(*on));
            self.put(&found.with(header.id)?)?;
        }
        header.depends_on.clone_from(depends_on);
        self.about = None;
        Ok(())
    }
}
