//! Drafting and editing.

use std::path::PathBuf;

use clap::Args;
use placet::error::Error;
use placet::id::RequestId;
use placet::org::Slug;
use placet::request::Change;
use placet::{Gate, NewRequest};
use serde_json::json;

use super::look::moved;
use crate::console::Answer;
use crate::files;
use crate::ground::Ground;
use crate::names::Names;

/// What is asked for.
#[derive(Args, Debug)]
struct Asked {
    /// What people see: one line.
    #[arg(long)]
    title: String,
    /// The runner plugin.
    #[arg(long, value_name = "NAME", default_value = "sql")]
    runner: Slug,
    /// The target, by name.
    #[arg(long, value_name = "NAME")]
    target: Slug,
    #[command(flatten)]
    payload: Payload,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Payload {
    /// A file with an SQL script, for the runner `sql`; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    sql: Option<PathBuf>,
    /// A file with the payload as JSON by the runner's schema; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
}

/// A new request, in state `DRAFT`.
#[derive(Args, Debug)]
pub(crate) struct Draft {
    /// The module and the environment: `shop/pagos/prod`, by codes or ids.
    place: String,
    #[command(flatten)]
    asked: Asked,
    /// Ask for approval at once.
    #[arg(long)]
    submit: bool,
}

/// Another text for a request.
#[derive(Args, Debug)]
pub(crate) struct Edit {
    /// The request.
    id: RequestId,
    #[command(flatten)]
    asked: Asked,
}

/// The texts of a request, read before the folder is taken: standard input may be slow.
#[derive(Debug)]
struct Texts {
    title: String,
    runner: Slug,
    target: Slug,
    payload: String,
}

impl Asked {
    fn read(self) -> Result<Texts, Error> {
        let payload = match (&self.payload.sql, &self.payload.payload) {
            (Some(path), _) => json!({"sql": files::text(path)?}).to_string(),
            (None, Some(path)) => files::text(path)?,
            // The command line does not let this happen.
            (None, None) => String::new(),
        };
        let Self { title, runner, target, payload: _ } = self;
        Ok(Texts { title, runner, target, payload })
    }
}

impl Texts {
    fn change(self, gate: &Gate) -> Result<(String, Change), Error> {
        let change = Change::new(self.runner, self.target, self.payload, gate.limits())?;
        Ok((self.title, change))
    }
}

impl Draft {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let texts = self.asked.read()?;
        let (gate, caller) = ground.open()?;
        let (project, module, environment) = Names::new(&gate, &caller).spot(&self.place)?;
        let (title, change) = texts.change(&gate)?;
        let new = NewRequest { project, module, environment, title, change };
        let request = if self.submit {
            gate.draft_and_submit(&caller, &new)?
        } else {
            gate.draft(&caller, &new)?
        };
        moved(&request)
    }
}

impl Edit {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let texts = self.asked.read()?;
        let (gate, caller) = ground.open()?;
        let (title, change) = texts.change(&gate)?;
        moved(&gate.edit(&caller, self.id, &title, &change)?)
    }
}
