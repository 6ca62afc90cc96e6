//! Storing and retiring workflows.

use std::path::PathBuf;

use clap::Args;
use placet::error::Error;
use placet::org::Slug;
use placet::org::command::{RetireWorkflow, SetWorkflow};
use placet::workflow::Definition;
use serde_json::json;

use crate::console::Answer;
use crate::ground::Ground;
use crate::names::Names;
use crate::org::source;
use crate::text::{Mood, Text};

/// Store a workflow, or its next version. One that is not sound is refused with the path that proves it. Requests
/// that are under way keep the version that they began with.
#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The project, by code or id.
    project: String,
    /// A JSON file with the definition, as `workflow show --output` writes it; `-` is standard input. Its `version` is
    /// the next one, or 0 for whichever that is.
    file: PathBuf,
}

/// Let nothing new begin with a workflow. What is under way goes on.
#[derive(Args, Debug)]
pub(crate) struct Retire {
    /// The project, by code or id.
    project: String,
    /// The workflow.
    name: Slug,
}

impl Set {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let definition: Definition = source::json(&self.file)?;
        let (gate, caller) = ground.open()?;
        let project = Names::new(&gate, &caller).project(&self.project)?;
        let name = definition.name.clone();
        let version = gate.manage(&caller, &SetWorkflow { project, definition })?;
        let mut text = Text::default();
        text.said(Mood::Good, "stored", format_args!("{name}, version {version}"));
        Ok(Answer::ok(text, json!({"workflow": name.as_str(), "version": version})))
    }
}

impl Retire {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let project = Names::new(&gate, &caller).project(&self.project)?;
        let name = self.name;
        gate.manage(&caller, &RetireWorkflow { project, name: name.clone() })?;
        let mut text = Text::default();
        text.said(Mood::Good, "retired", &name);
        Ok(Answer::ok(text, json!({"workflow": name.as_str()})))
    }
}
