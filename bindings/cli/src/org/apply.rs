//! A file of commands, done one after the other.

use std::path::{Path, PathBuf};

use clap::Args;
use placet::Gate;
use placet::error::{Code, Error};
use placet::identity::Caller;
use serde_json::json;

use super::command::OrgCommand;
use super::perform::perform;
use crate::console::Answer;
use crate::files;
use crate::ground::Ground;
use crate::progress::Bar;
use crate::text::{Mood, Text};

/// Do the commands of a JSON file: a list of objects, each with `command`, the name of a subcommand of `org`, and
/// its options with `_` for `-`: `[{"command": "create-project", "code": "shop", "name": "Shop"}]`.
///
/// Each is a step of its own in the log. The first one that fails ends it; those before it stay done, and the
/// error says how many.
#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// Leave this many commands at the beginning out: they were done before.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    skip: usize,
    /// Go on where something is there already.
    #[arg(long)]
    existing: bool,
}

impl Apply {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        // What is wrong in the file is said before anything is done.
        let commands = read(&self.file)?;
        let (gate, caller) = ground.open()?;
        let total = u64::try_from(commands.len()).ok();
        let bar = Bar::new(ground.console(), "commands", total);
        let step = |_: &Option<String>| bar.step();
        let Self { skip, existing, file: _ } = self;
        let done = all(&gate, &caller, commands, (skip, existing), step)?;
        drop(bar);
        let mut text = Text::default();
        let count = done.iter().filter(|one| one.is_done).count();
        text.said(Mood::Good, "done:", format_args!("{count} commands"));
        if count < done.len() {
            let there = done.len().saturating_sub(count);
            text.line(format_args!("{there} were there already"));
        }
        let rows = done.iter().map(|one| json!({"id": one.id, "done": one.is_done}));
        Ok(Answer::ok(text, json!({"commands": rows.collect::<Vec<_>>()})))
    }
}

/// What came of one command.
#[derive(Debug)]
pub(crate) struct Done {
    id: Option<String>,
    is_done: bool,
}

/// The commands of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<OrgCommand>, Error> {
    serde_json::from_str(&files::text(path)?).map_err(|source| {
        let sentence = format!("`{}` is not a list of commands: {source}", path.display());
        Error::new(Code::InvalidInput, sentence)
            .with_help("write a JSON list as `placet org apply --help` shows it")
            .with_detail("line", source.line())
            .with_detail("column", source.column())
    })
}

/// Does all of them, but the first `skip`.
pub(crate) fn all(
    gate: &Gate,
    caller: &Caller,
    commands: Vec<OrgCommand>,
    (skip, existing): (usize, bool),
    mut each: impl FnMut(&Option<String>),
) -> Result<Vec<Done>, Error> {
    let mut done = Vec::new();
    for (number, command) in commands.into_iter().enumerate().skip(skip) {
        let one = match perform(gate, caller, command) {
            Ok(id) => Done { id, is_done: true },
            Err(error) if existing && error.code() == Code::AlreadyExists => {
                Done { id: None, is_done: false }
            }
            Err(error) => return Err(at(number, error)),
        };
        each(&one.id);
        done.push(one);
    }
    Ok(done)
}

/// The same error, which says what was done before it.
fn at(number: usize, error: Error) -> Error {
    let help = error.help().unwrap_or("correct that command").to_owned();
    let sentence = format!("command {} failed: {error}", number.saturating_add(1));
    Error::new(error.code(), sentence)
        .with_help(format!("{help}; then go on with `--skip {number}`"))
        .with_detail("done", number)
        .with_source(error)
}
