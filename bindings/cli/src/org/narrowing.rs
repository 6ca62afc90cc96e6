//! What a project asks of requests before anybody approves: the workflows they go through, and what they must say.

use clap::{ArgGroup, Args};
use placet::error::{Code, Error};
use placet::org::Slug;
use placet::org::command as kernel;
use placet::request::ArtifactType;
use placet::workflow::Form;
use serde::Deserialize;

use super::source::Source;
use crate::names::{Named as _, Names};

/// The workflows that requests may go through in an environment.
#[derive(Args, Clone, Debug, Deserialize)]
#[command(group(ArgGroup::new("which").required(true).args(["workflows", "any"])))]
#[serde(deny_unknown_fields)]
pub(crate) struct SetAllowedWorkflows {
    /// The project.
    #[arg(long)]
    project: String,
    /// The environment.
    #[arg(long)]
    environment: String,
    /// A workflow that requests may go through, such as `change`. May be repeated.
    #[arg(long = "workflow", value_name = "WORKFLOW")]
    #[serde(default)]
    workflows: Vec<Slug>,
    /// Whichever the project has.
    #[arg(long)]
    #[serde(default)]
    any: bool,
}

/// The form that artifacts of one type must fit before they are submitted.
#[derive(Args, Clone, Debug, Deserialize)]
#[command(group(ArgGroup::new("what").required(true).args(["form", "nothing"])))]
#[serde(deny_unknown_fields)]
pub(crate) struct SetArtifactForm {
    /// The project.
    #[arg(long)]
    project: String,
    /// The type, such as `USER_STORY`.
    #[arg(long)]
    artifact_type: ArtifactType,
    /// A JSON file with the form, a JSON Schema; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    form: Option<Source<Form>>,
    /// Nothing is asked of them any longer, but what is built in.
    #[arg(long)]
    #[serde(default)]
    nothing: bool,
}

impl SetAllowedWorkflows {
    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::SetAllowedWorkflows, Error> {
        // An empty list that nobody meant would let everything through.
        if self.workflows.is_empty() != self.any {
            let sentence = "either some workflows are allowed, or any";
            return Err(Error::new(Code::InvalidInput, sentence)
                .with_help("write `workflows`, or `any` to allow them all"));
        }
        let shop = names.organisation(&self.project)?;
        let (project, environment) = (shop.project.id, shop.environment_id(&self.environment)?);
        Ok(kernel::SetAllowedWorkflows { project, environment, workflows: self.workflows })
    }
}

impl SetArtifactForm {
    /// With what stands in its file.
    pub(super) fn read(self) -> Result<Self, Error> {
        Ok(Self { form: self.form.map(Source::read).transpose()?, ..self })
    }

    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::SetArtifactForm, Error> {
        let Self { project, artifact_type, form, nothing } = self;
        // A form that was forgotten would take the one that is there away.
        if form.is_none() != nothing {
            let sentence = "either a form is asked for, or nothing";
            return Err(Error::new(Code::InvalidInput, sentence)
                .with_help("write `form`, or `nothing` to take the form away"));
        }
        let (project, form) = (names.project(&project)?, form.map(Source::said).transpose()?);
        Ok(kernel::SetArtifactForm { project, artifact_type, form })
    }
}
