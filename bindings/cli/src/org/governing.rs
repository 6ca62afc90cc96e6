//! What governs the rest: workflows, which commands need approval, roles from a template, approvals by rule.

use std::collections::BTreeSet;

use clap::{ArgGroup, Args};
use placet::error::{Code, Error};
use placet::org::Slug;
use placet::org::command as kernel;
use placet::org::command::{CommandKind, RoleTemplate};
use placet::workflow::Definition;
use serde::Deserialize;

use super::source::Source;
use super::words::word;
use crate::names::{Named as _, Names};

/// A workflow, or its next version.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetWorkflow {
    /// The project.
    #[arg(long)]
    project: String,
    /// A JSON file with the definition, as `workflow show --output` writes it; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    definition: Source<Definition>,
}

/// Let nothing new begin with a workflow. What is under way goes on.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetireWorkflow {
    /// The project.
    #[arg(long)]
    project: String,
    /// The workflow.
    #[arg(long)]
    name: Slug,
}

/// Which commands need approval themselves, and where they are reviewed.
#[derive(Args, Clone, Debug, Deserialize)]
#[command(group(
    ArgGroup::new("which").required(true).multiple(true).args(["commands", "rights", "nothing"])
))]
#[serde(deny_unknown_fields)]
pub(crate) struct SetGovernance {
    /// The project in which they are reviewed.
    #[arg(long)]
    project: String,
    /// The module in which they are reviewed.
    #[arg(long)]
    module: String,
    /// The environment in which they are reviewed.
    #[arg(long)]
    environment: String,
    /// A kind of command that needs approval, such as `set_quorum`. May be repeated.
    #[arg(long = "command", value_name = "KIND")]
    #[serde(default)]
    commands: Vec<CommandKind>,
    /// All kinds that say who could approve, and how many must.
    #[arg(long)]
    #[serde(default)]
    rights: bool,
    /// No command needs approval any longer.
    #[arg(long, conflicts_with_all = ["commands", "rights"])]
    #[serde(default)]
    nothing: bool,
}

/// The roles that a workflow asks for by name. Those that are there stay.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyRoleTemplate {
    /// The project.
    #[arg(long)]
    project: String,
    /// `artifact`: ADMIN, EDITOR, REVIEWER and VIEWER.
    #[arg(long, value_parser = word::<RoleTemplate>)]
    template: RoleTemplate,
}

/// Whether artifacts that agents alone made are approved by rule in an environment of criticality `low`.
#[derive(Args, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetAutoApproveAi {
    /// The project.
    #[arg(long)]
    project: String,
    /// The environment.
    #[arg(long)]
    environment: String,
    /// `true` or `false`.
    #[arg(long, action = clap::ArgAction::Set)]
    on: bool,
}

impl SetWorkflow {
    /// With what stands in its file.
    pub(super) fn read(self) -> Result<Self, Error> {
        Ok(Self { definition: self.definition.read()?, ..self })
    }

    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::SetWorkflow, Error> {
        let definition = self.definition.said()?;
        Ok(kernel::SetWorkflow { project: names.project(&self.project)?, definition })
    }
}

impl RetireWorkflow {
    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::RetireWorkflow, Error> {
        Ok(kernel::RetireWorkflow { project: names.project(&self.project)?, name: self.name })
    }
}

impl SetGovernance {
    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::SetGovernance, Error> {
        let rights = if self.rights { CommandKind::RIGHTS } else { &[] };
        let commands: BTreeSet<CommandKind> = self.commands.iter().chain(rights).copied().collect();
        // An empty list that nobody meant would leave everything open.
        if commands.is_empty() != self.nothing {
            let sentence = "governance names the commands that need approval, or says `nothing`";
            let help = "write `commands` or `rights`, or `nothing` to take the governance away";
            return Err(Error::new(Code::InvalidInput, sentence).with_help(help));
        }
        let shop = names.organisation(&self.project)?;
        Ok(kernel::SetGovernance {
            project: shop.project.id,
            module: shop.module_id(&self.module)?,
            environment: shop.environment_id(&self.environment)?,
            commands,
        })
    }

    pub(super) fn resolve_platform(
        self,
        names: &Names<'_>,
    ) -> Result<kernel::SetPlatformGovernance, Error> {
        let kernel::SetGovernance { project, module, environment, commands } =
            self.resolve(names)?;
        Ok(kernel::SetPlatformGovernance { project, module, environment, commands })
    }
}

impl ApplyRoleTemplate {
    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::ApplyRoleTemplate, Error> {
        let (project, template) = (names.project(&self.project)?, self.template);
        Ok(kernel::ApplyRoleTemplate { project, template })
    }
}

impl SetAutoApproveAi {
    pub(super) fn resolve(self, names: &Names<'_>) -> Result<kernel::SetAutoApproveAi, Error> {
        let shop = names.organisation(&self.project)?;
        let environment = shop.environment_id(&self.environment)?;
        Ok(kernel::SetAutoApproveAi { project: shop.project.id, environment, is_on: self.on })
    }
}
