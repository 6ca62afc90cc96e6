//! Workflows: the states that people see, and who may go from which to which.

mod look; // list, show, diagram
mod check; // is a definition sound?
mod store; // set, retire

use clap::Subcommand;
use placet::error::Error;

use crate::console::Answer;
use crate::ground::Ground;

/// Workflows: look, check, store.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowCommand {
    /// List the workflows of a project.
    List(look::List),
    /// Show the states and transitions of a workflow.
    Show(look::Show),
    /// Say whether definitions are sound, or the path that proves that one is not.
    Check(check::Check),
    /// Draw a workflow, as Mermaid or SVG.
    Diagram(look::Diagram),
    /// Store a workflow, or its next version.
    Set(store::Set),
    /// Let nothing new begin with a workflow.
    Retire(store::Retire),
}

impl WorkflowCommand {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::List(command) => command.run(ground),
            Self::Show(command) => command.run(ground),
            Self::Check(command) => command.run(),
            Self::Diagram(command) => command.run(ground),
            Self::Set(command) => command.run(ground),
            Self::Retire(command) => command.run(ground),
        }
    }
}
