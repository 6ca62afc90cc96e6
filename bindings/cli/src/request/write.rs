//! Drafting and editing.

use std::path::PathBuf;

use clap::Args;
use placet::error::{Code, Error};
use placet::id::RequestId;
use placet::org::Slug;
use placet::request::Change;
use placet::{Gate, NewRequest, Promotion};
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
    /// The target, by name. Several make a batch: each follows when the one before it succeeded, the first is the canary.
    #[arg(long, value_name = "NAME", required = true)]
    target: Vec<Slug>,
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
    /// The workflow that it goes through, in its latest version.
    #[arg(long, value_name = "NAME")]
    workflow: Option<Slug>,
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
    target: Vec<Slug>,
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
        let mut targets = self.target.into_iter();
        let no_target = || {
            Error::new(Code::InvalidInput, "a change needs a target")
                .with_help("name one with --target")
        };
        let canary = targets.next().ok_or_else(no_target)?;
        let change = Change::new(self.runner, canary, self.payload, gate.limits())?;
        Ok((self.title, change.and_then_at(targets, gate.limits())?))
    }
}

/// The same change for the next environment, in state `DRAFT`.
#[derive(Args, Debug)]
pub(crate) struct Promote {
    /// The request that succeeded.
    id: RequestId,
    /// The module and the environment that it goes to: `shop/pagos/prod`, by codes or ids.
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// A target there, by name, the canary first; none are those of the same names.
    #[arg(long, value_name = "NAME")]
    target: Vec<Slug>,
    /// Ask for approval at once.
    #[arg(long)]
    submit: bool,
}

impl Promote {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let (_, _, environment) = Names::new(&gate, &caller).spot(&self.to)?;
        let to = Promotion { environment, targets: self.target };
        let request = gate.promote(&caller, self.id, &to)?;
        moved(&if self.submit { gate.submit(&caller, request.header.id)? } else { request })
    }
}

impl Draft {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let texts = self.asked.read()?;
        let (gate, caller) = ground.open()?;
        let (project, module, environment) = Names::new(&gate, &caller).spot(&self.place)?;
        let (title, change) = texts.change(&gate)?;
        let new = NewRequest { project, module, environment, title, change };
        let request = match &self.workflow {
            None if self.submit => gate.draft_and_submit(&caller, &new)?,
            None => gate.draft(&caller, &new)?,
            Some(workflow) => {
                let request = gate.draft_in(&caller, &new, workflow)?;
                if self.submit { gate.submit(&caller, request.header.id)? } else { request }
            }
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
