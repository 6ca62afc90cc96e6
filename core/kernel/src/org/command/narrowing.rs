//! Which workflows requests may go through, and which form artifacts must fit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::workflow::check_form;
use super::{Decided, Desk, ProjectCommand};
use crate::audit::Event;
use crate::error::{Code, Error};
use crate::id::{EnvironmentId, ProjectId};
use crate::org::{AllowedWorkflows, ArtifactForm, Row, Slug};
use crate::request::ArtifactType;
use crate::workflow::{Definition, Form};

/// The most types of artifacts that have a form in one project.
const FORMS_MAX: usize = 256;

/// Says through which workflows requests may go in an environment. None: any, and whoever asks chooses.
///
/// It is looked at when a request begins, when it is promoted to there, and whenever it is submitted: one that began
/// under another workflow before is not submitted any more. Requests for commands of the organisation always go through
/// `change`. Fails with [`Code::NotFound`] for a workflow or an environment that is not there, and with
/// [`Code::InvalidInput`] for a name that stands twice.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::{SetAllowedWorkflows, SetWorkflow};
/// use placet_core::workflow::Definition;
///
/// let (project, environment) = (office.project, office.environment);
/// let definition = Definition { name: "purchase".parse()?, version: 0, ..Definition::change() };
/// gate.manage(&office.root, &SetWorkflow { project, definition })?;
/// let workflows = vec!["purchase".parse()?];
/// gate.manage(&office.root, &SetAllowedWorkflows { project, environment, workflows })?;
///
/// let new = office.request(office.change("\"buy tea\"")?);
/// assert_eq!(gate.draft(&office.ana, &new).unwrap_err().code(), Code::Refused);
/// assert!(gate.draft_in(&office.ana, &new, &"purchase".parse()?).is_ok());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetAllowedWorkflows {
    /// The project.
    pub project: ProjectId,
    /// The environment.
    pub environment: EnvironmentId,
    /// The names of the workflows.
    pub workflows: Vec<Slug>,
}

/// Says which form artifacts of a type must fit before they are submitted; nothing: they only must say something.
///
/// It holds at once, also for what was drafted before. Fails with [`Code::InvalidInput`] for a form that is not a
/// JSON Schema, and with [`Code::TooLarge`] over 256 types.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::error::Code;
/// use placet_core::org::command::SetArtifactForm;
/// use placet_core::workflow::Form;
///
/// let (project, artifact_type) = (office.project, "USER_STORY".parse()?);
/// let id = office.artifact(&gate, 42)?.header.id;
/// let form = Some(Form::parse(r#"{"required": ["approved_by_legal"]}"#)?);
/// gate.manage(&office.root, &SetArtifactForm { project, artifact_type, form })?;
/// assert_eq!(gate.submit(&office.ana, id).unwrap_err().code(), Code::InvalidPayload);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "a command is written out by its caller")]
pub struct SetArtifactForm {
    /// The project.
    pub project: ProjectId,
    /// The type.
    pub artifact_type: ArtifactType,
    /// What it asks for.
    pub form: Option<Form>,
}

impl ProjectCommand for SetAllowedWorkflows {
    type Output = ();
    const EVENT: Event = Event::OrgAllowedWorkflowsSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn facts(&self) -> BTreeMap<String, String> {
        let names: Vec<&str> = self.workflows.iter().map(Slug::as_str).collect();
        [("environment", self.environment.to_string()), ("workflows", names.join(" "))]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let environment_id = desk.book.environment(self.environment)?.id;
        let mut workflows = BTreeSet::new();
        for name in &self.workflows {
            let is_there = Definition::built_in(name.as_str()).is_some()
                || matches!(desk.book.workflows.latest(name), Some((_, false)));
            if !is_there {
                return Err(desk.book.missing("workflow", name));
            }
            if !workflows.insert(name.clone()) {
                return Err(Error::new(
                    Code::InvalidInput,
                    format!("the workflow `{name}` is named twice"),
                )
                .with_help("name each once"));
            }
        }
        let there = desk.book.allowed_workflows.get(&environment_id);
        Ok(if workflows.is_empty() {
            let rows = there.map(|workflows| {
                let workflows = workflows.clone();
                Row::AllowedWorkflows(AllowedWorkflows { environment_id, workflows })
            });
            Decided { put: Vec::new(), remove: rows.into_iter().collect(), output: () }
        } else {
            Decided::put(Row::AllowedWorkflows(AllowedWorkflows { environment_id, workflows }), ())
        })
    }
}

impl ProjectCommand for SetArtifactForm {
    type Output = ();
    const EVENT: Event = Event::OrgArtifactFormSet;

    fn project(&self) -> ProjectId {
        self.project
    }

    fn facts(&self) -> BTreeMap<String, String> {
        let form = if self.form.is_some() { "set" } else { "none" };
        [("artifact_type", self.artifact_type.to_string()), ("form", form.to_owned())]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    fn decide(&self, desk: &Desk<'_>) -> Result<Decided<()>, Error> {
        let artifact_type = self.artifact_type.clone();
        let there = desk.book.artifact_forms.get(&artifact_type);
        let Some(form) = &self.form else {
            let row = there
                .map(|form| Row::ArtifactForm(ArtifactForm { artifact_type, form: form.clone() }));
            return Ok(Decided { put: Vec::new(), remove: row.into_iter().collect(), output: () });
        };
        if there.is_none() && desk.book.artifact_forms.len() >= FORMS_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("{FORMS_MAX} types of artifacts have a form here already"),
            )
            .with_help("take one away, or make a project of its own"));
        }
        check_form(form, desk)?;
        let row = ArtifactForm { artifact_type, form: form.clone() };
        Ok(Decided::put(Row::ArtifactForm(row), ()))
    }
}
