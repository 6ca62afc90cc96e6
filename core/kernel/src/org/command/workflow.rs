//! The workflows of a project.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use super::{Decided, Desk, ProjectCommand};
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::id::ProjectId;
use crate::org::{Name, Row, Slug, WorkflowRow};
use crate::workflow::{Definition, Flaw, Form, FormFault, Unsound};

/// The most versions of workflows that a project keeps: each of its decisions reads them.
const VERSIONS_MAX: usize = 256;

/// Stores a workflow, or its next version. Requests that are under way keep the version that they began with.
/// Gives the version.
///
/// Fails with [`Code::UnsoundWorkflow`] and the path that proves it, as [`Definition::check`] does, and for a role
/// that the project does not have; with [`Code::AlreadyExists`] for the name of a built-in workflow; with
/// [`Code::WrongState`] where the definition's version is not 0 and not the next; with [`Code::InvalidInput`] for a
/// form that is no JSON Schema; and with [`Code::TooLarge`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::SetWorkflow;
/// use placet_core::workflow::Definition;
///
/// let project = office.project;
/// let definition = Definition { name: "purchase".parse()?, version: 0, ..Definition::change() };
/// let version = gate.manage(&office.root, &SetWorkflow { project, definition: definition.clone() })?;
/// assert_eq!(version, 1);
/// let new = office.request(office.change("\"buy tea\"")?);
/// assert_eq!(gate.draft_in(&office.ana, &new, &definition.name)?.header.workflow_version, 1);
///
/// // One whose approvals need no quorum would run what nobody agreed to.
/// let mut hasty = definition;
/// hasty.transitions.iter_mut().for_each(|way| way.requires.clear());
/// let error = gate.manage(&office.root, &SetWorkflow { project, definition: hasty }).unwrap_err();
/// assert_eq!(error.code(), Code::UnsoundWorkflow);
/// assert_eq!(error.details()["path"], "DRAFT SUBMIT, PENDING_APPROVAL APPROVE, APPROVED EXECUTE");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetWorkflow {
    /// The project.
    pub project: ProjectId,
    /// What the workflow says. Version 0 is the next, whichever that is.
    pub definition: Definition,
}

/// Lets nothing new begin with a workflow. Requests that are under way go on, and a new version of it may be stored
/// later.
///
/// Fails with [`Code::NotFound`], with [`Code::WrongState`] where it is retired, and with [`Code::Refused`] for a
/// built-in one.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # use placet_core::org::command::SetWorkflow;
/// # use placet_core::workflow::Definition;
/// # let definition = Definition { name: "purchase".parse()?, version: 0, ..Definition::change() };
/// # gate.manage(&office.root, &SetWorkflow { project: office.project, definition })?;
/// use placet_core::error::Code;
/// use placet_core::org::command::RetireWorkflow;
///
/// let name: placet_core::org::Slug = "purchase".parse()?;
/// gate.manage(&office.root, &RetireWorkflow { project: office.project, name: name.clone() })?;
/// let new = office.request(office.change("\"buy tea\"")?);
/// assert_eq!(gate.draft_in(&office.ana, &new, &name).unwrap_err().code(), Code::NotFound);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct RetireWorkflow {
    /// The project.
    pub project: ProjectId,
    /// The workflow.
    pub name: Slug,
}

impl ProjectCommand for SetWorkflow {
    type Output = u32;
    const EVENT: Event = Event::OrgWorkflowSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<u32>, Error> {
        let Definition { name, version, .. } = &self.definition;
        if Definition::built_in(name.as_str()).is_some() {
            return Err(Error::new(
                Code::AlreadyExists,
                format!("the workflow `{name}` is built in"),
            )
            .with_help("choose another name for your own"));
        }
        self.definition.check_size()?;
        let stored = &desk.book.workflows;
        if stored.stored() >= VERSIONS_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("this project keeps {VERSIONS_MAX} versions of workflows already"),
            )
            .with_help("use one of them, or make a project of its own"));
        }
        let last = stored.latest(name).map_or(0, |(latest, _)| latest.version);
        let next = last.saturating_add(1);
        if *version != 0 && *version != next {
            return Err(Error::new(
                Code::WrongState,
                format!("the next version of `{name}` is {next}, and this is {version}"),
            )
            .with_help("read the latest version, change that, and store it again")
            .with_detail("version", next));
        }
        self.definition.check()?;
        check_roles(&self.definition, desk)?;
        if let Some(form) = &self.definition.form {
            check_form(form, desk)?;
        }
        let definition = Definition { version: next, ..self.definition.clone() };
        let row = WorkflowRow { definition, is_retired: false };
        Ok(Decided::put(Row::Workflow(row), next))
    }
}

impl ProjectCommand for RetireWorkflow {
    type Output = ();
    const EVENT: Event = Event::OrgWorkflowRetired;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let name = &self.name;
        if Definition::built_in(name.as_str()).is_some() {
            return Err(Error::new(Code::Refused, format!("the workflow `{name}` is built in"))
                .with_help("it stays; give nobody the permission to request"));
        }
        match desk.book.workflows.latest(name) {
            None => Err(desk.book.missing("workflow", name)),
            Some((_, true)) => {
                Err(Error::new(Code::WrongState, format!("the workflow `{name}` is retired"))
                    .with_help("nothing needs to be done"))
            }
            Some((_, false))
                if desk.book.allowed_workflows.values().any(|allowed| allowed.contains(name)) =>
            {
                Err(Error::new(
                    Code::InUse,
                    format!("the workflow `{name}` is in use by environments"),
                )
                .with_help("take it off the lists of allowed workflows first"))
            }
            Some((latest, false)) => {
                let row = WorkflowRow { definition: Definition::clone(latest), is_retired: true };
                Ok(Decided::put(Row::Workflow(row), ()))
            }
        }
    }
}

/// Refuses a role that nobody could hold.
fn check_roles(definition: &Definition, desk: &Desk<'_>) -> Result<(), Error> {
    let mut named = definition.transitions.iter().flat_map(|way| &way.roles);
    let is_known = |role: &Name| desk.book.roles.values().any(|row| row.name == *role);
    named.find(|role| !is_known(role)).map_or(Ok(()), |role| {
        Err(Error::from(Unsound::at_once(Flaw::UnknownRole { role: role.clone() }))
            .with_detail("role", role))
    })
}

/// Refuses a form that is not a schema.
pub(super) fn check_form(form: &Form, desk: &Desk<'_>) -> Result<(), Error> {
    // One that panics on a schema has not said that it is good.
    let looked = catch_unwind(AssertUnwindSafe(|| desk.forms.check_schema(form)));
    let faults = looked.unwrap_or_else(|_| {
        Err(Error::new(Code::InvalidInput, "what reads forms failed on this one")
            .with_help("write it more simply"))
    })?;
    FormFault::refuse(&faults, Code::InvalidInput, "the form is not a JSON Schema")
}
