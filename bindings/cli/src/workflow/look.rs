//! Looking at workflows.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use placet::error::{Code, Error};
use placet::org::{Name, Slug};
use placet::workflow::Definition;
use serde_json::{Value, json};

use crate::console::{Answer, json_of};
use crate::files;
use crate::ground::Ground;
use crate::names::Names;
use crate::org::source;
use crate::text::{Mood, Text};

/// The workflows of a project, the built-in ones among them.
#[derive(Args, Debug)]
pub(crate) struct List {
    /// The project, by code or id.
    project: String,
}

/// Which workflow.
#[derive(Args, Debug)]
struct Which {
    /// Its name.
    name: Slug,
    /// The project, by code or id. `change` and `artifact` are the same in each, and need none.
    #[arg(long)]
    project: Option<String>,
    /// The number of its version. The default is the latest.
    #[arg(long, requires = "project")]
    number: Option<u32>,
}

/// The states and transitions of a workflow.
#[derive(Args, Debug)]
pub(crate) struct Show {
    #[command(flatten)]
    which: Which,
    /// Write the definition to this file as JSON, as `workflow set` takes it.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How it is drawn.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A state diagram of Mermaid, for texts.
    Mermaid,
    /// A picture, for pages.
    Svg,
}

/// Draw a workflow. The built-in ones need no gate, and neither does a file.
#[derive(Args, Debug)]
pub(crate) struct Diagram {
    /// Its name, or with --file a JSON file with a definition; `-` is standard input.
    which: PathBuf,
    /// It is a file.
    #[arg(long, conflicts_with_all = ["project", "number"])]
    file: bool,
    /// The project, by code or id. `change` and `artifact` are the same in each, and need none.
    #[arg(long)]
    project: Option<String>,
    /// The number of its version. The default is the latest.
    #[arg(long, requires = "project")]
    number: Option<u32>,
    /// How it is drawn.
    #[arg(long, value_enum, default_value = "mermaid")]
    format: Format,
    /// Write it to this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl List {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let project = Names::new(&gate, &caller).project(&self.project)?;
        let found = gate.workflows(&caller, project)?;
        let rows = found.iter().map(|line| {
            let built_in = if line.is_built_in { "built in" } else { "" };
            let retired = if line.is_retired { "retired" } else { "" };
            let (name, version) = (line.name.to_string(), line.version.to_string());
            vec![name, version, built_in.to_owned(), retired.to_owned()]
        });
        let mut text = Text::default();
        text.table(&["name", "version", "", ""], &rows.collect::<Vec<_>>());
        let rows = found.iter().map(|line| {
            json!({
                "name": line.name.as_str(),
                "version": line.version,
                "is_built_in": line.is_built_in,
                "is_retired": line.is_retired,
            })
        });
        Ok(Answer::ok(text, json!({"workflows": rows.collect::<Vec<_>>()})))
    }
}

impl Which {
    fn read(&self, ground: &Ground) -> Result<Definition, Error> {
        let Some(project) = &self.project else {
            let built_in = [Definition::change(), Definition::artifact()];
            let mut built_in = built_in.into_iter();
            return built_in.find(|found| found.name == self.name).ok_or_else(|| {
                let sentence = format!("`{}` is no built-in workflow", self.name);
                Error::new(Code::InvalidInput, sentence)
                    .with_help("name its project with --project, or `change` or `artifact`")
            });
        };
        let (gate, caller) = ground.open()?;
        let project = Names::new(&gate, &caller).project(project)?;
        gate.workflow(&caller, project, &self.name, self.number)
    }
}

impl Show {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let definition = self.which.read(ground)?;
        let json = json_of(&definition)?;
        let mut text = Text::default();
        text.head(format_args!("{} {}", definition.name, definition.version));
        tell_states(&mut text, &definition);
        tell_ways(&mut text, &definition);
        if let Some(form) = &definition.form {
            text.head("form");
            text.line(form.as_str());
        }
        if let Some(path) = &self.output {
            write(path, &format!("{json:#}\n"))?;
            text.said(Mood::Good, "written", path.display());
        }
        Ok(Answer::ok(text, json!({"workflow": json})))
    }
}

fn tell_states(text: &mut Text, definition: &Definition) {
    let rows = definition.states.iter().map(|state| {
        let phases: Vec<&str> = state.phases.iter().map(|phase| phase.as_str()).collect();
        let begins = if state.code == definition.initial { "first" } else { "" };
        let edit = state.edit_to.as_ref().map_or("frozen".to_owned(), ToString::to_string);
        let sync = if state.is_syncable { "syncable" } else { "" };
        vec![
            state.code.to_string(),
            state.label.to_string(),
            phases.join(" "),
            edit,
            sync.to_owned(),
            begins.to_owned(),
        ]
    });
    text.head("states");
    let heads = ["code", "label", "phases", "an edit leads to", "", ""];
    text.table(&heads, &rows.collect::<Vec<_>>());
}

fn tell_ways(text: &mut Text, definition: &Definition) {
    let rows = definition.transitions.iter().map(|way| {
        let roles: Vec<&str> = way.roles.iter().map(Name::as_str).collect();
        let requires = json_of(&way.requires).unwrap_or_default();
        let requires = requires.as_array().map(Vec::as_slice).unwrap_or_default();
        let requires: Vec<&str> = requires.iter().filter_map(Value::as_str).collect();
        vec![
            way.from.to_string(),
            way.action.to_string(),
            way.to.to_string(),
            way.verb.to_string(),
            roles.join(", "),
            requires.join(" "),
        ]
    });
    text.head("transitions");
    let heads = ["from", "action", "to", "verb", "roles", "requires"];
    text.table(&heads, &rows.collect::<Vec<_>>());
}

impl Diagram {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let Self { which, file, project, number, format, output } = self;
        let definition = if file {
            source::json(&which)?
        } else {
            let name = which.display().to_string().parse()?;
            Which { name, project, number }.read(ground)?
        };
        let drawn = match format {
            Format::Mermaid => definition.to_mermaid(),
            Format::Svg => definition.to_svg(),
        };
        let mut text = Text::default();
        if let Some(path) = &output {
            write(path, &drawn)?;
            text.said(Mood::Good, "written", path.display());
        } else {
            text.line(drawn.trim_end());
        }
        Ok(Answer::ok(text, json!({"workflow": definition.name.as_str(), "diagram": drawn})))
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| files::unwritable(path, source))
}
