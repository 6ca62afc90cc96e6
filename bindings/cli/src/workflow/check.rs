//! Is a definition sound?

use std::path::PathBuf;

use clap::Args;
use placet::error::Error;
use placet::forms::JsonSchemaForms;
use placet::workflow::{Definition, FormChecker as _, FormFault, Unsound};
use serde_json::{Value, json};

use crate::console::{Answer, json_of};
use crate::org::source;
use crate::text::{Mood, Text};

/// Say whether definitions are sound: every state can be reached and left for an end, nothing runs that was not
/// approved, and the form is a JSON Schema. It ends with 1 where one is not, and names the path that proves it.
///
/// No gate is opened. Whether a project has the roles is looked at when it is stored.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// JSON files with a definition each; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Check {
    pub(crate) fn run(self) -> Result<Answer, Error> {
        let (mut text, mut rows, mut holds) = (Text::default(), Vec::new(), true);
        for path in &self.files {
            let definition: Definition = source::json(path)?;
            let file = path.display().to_string();
            let unsound = definition.check().err();
            let faults = match &definition.form {
                Some(form) => JsonSchemaForms.check_schema(form)?,
                None => Vec::new(),
            };
            let is_sound = unsound.is_none() && faults.is_empty();
            holds = holds && is_sound;
            if is_sound {
                let (states, ways) = (definition.states.len(), definition.transitions.len());
                let size = format!("{states} states, {ways} transitions");
                text.said(Mood::Good, "sound", format_args!("{file}: {}, {size}", definition.name));
            } else {
                text.said(Mood::Bad, "not sound", format_args!("{file}: {}", definition.name));
            }
            if let Some(unsound) = &unsound {
                tell(&mut text, unsound);
            }
            for fault in &faults {
                text.field("form", fault);
            }
            rows.push(row(&file, &definition, unsound.as_ref(), &faults)?);
        }
        Ok(Answer::that(holds, text, json!({"sound": holds, "files": rows})))
    }
}

fn tell(text: &mut Text, unsound: &Unsound) {
    text.field("flaw", format_args!("{} ({})", unsound.flaw, unsound.flaw.as_str()));
    for (number, step) in unsound.path.iter().enumerate() {
        let name = if number == 0 { "path" } else { "" };
        text.field(name, format_args!("{}. {step}", number.saturating_add(1)));
    }
}

fn row(
    file: &str,
    definition: &Definition,
    unsound: Option<&Unsound>,
    faults: &[FormFault],
) -> Result<Value, Error> {
    let flaw = unsound.map(|unsound| {
        let step = |step: &placet::workflow::Step| {
            json!({"from": step.from.as_str(), "by": step.by.to_string()})
        };
        let path: Vec<Value> = unsound.path.iter().map(step).collect();
        json!({
            "flaw": unsound.flaw.as_str(),
            "message": unsound.flaw.to_string(),
            "path": path,
        })
    });
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Ok(json!({
        "file": file,
        "workflow": json_of(&definition.name)?,
        "sound": unsound.is_none() && faults.is_empty(),
        "unsound": flaw,
        "form": faults,
    }))
}
