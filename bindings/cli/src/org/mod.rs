//! The organisation.

mod command; // every command, for the command line and for files
mod running; // promotion and execution
mod perform; // a command, done
pub(crate) mod apply; // a file of commands
mod show; // what is there
mod erase; // texts, gone for good

use clap::{Args, Subcommand};
use placet::error::Error;
use placet::org::command::CreateUser;
use placet::org::{Email, Name, UserKind};
use serde_json::json;

use self::command::OrgCommand;
use crate::console::Answer;
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// The organisation: who is there, and every command that changes it.
#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    /// Found a gate: make the folder, the store, the signing key and the first PLATFORM_ADMIN.
    Bootstrap(Bootstrap),
    /// Show the projects, or everything of one.
    Show(show::Show),
    /// List the users, for PLATFORM_ADMIN and AUDITOR.
    Users(show::Users),
    /// Show who may do what where in a project, as a table.
    Matrix(show::Matrix),
    /// Do the commands of a file.
    Apply(apply::Apply),
    /// Erase texts for good; what was proven of them stays.
    #[command(subcommand)]
    Erase(erase::Erase),
    #[command(flatten)]
    Command(OrgCommand),
}

/// The first principal of a gate.
#[derive(Args, Debug)]
pub(crate) struct Bootstrap {
    /// Their e-mail address.
    #[arg(long)]
    email: Email,
    /// What people see.
    #[arg(long)]
    name: Name,
    /// The log's name, the first line of its checkpoints: `example.org/changes`. The default is a random one.
    #[arg(long)]
    origin: Option<String>,
}

impl Org {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::Bootstrap(command) => command.run(ground),
            Self::Show(command) => command.run(ground),
            Self::Users(command) => command.run(ground),
            Self::Matrix(command) => command.run(ground),
            Self::Apply(command) => command.run(ground),
            Self::Erase(command) => command.run(ground),
            Self::Command(command) => {
                let (gate, caller) = ground.open()?;
                let id = perform::perform(&gate, &caller, command)?;
                let mut text = Text::default();
                text.said(Mood::Good, "done", id.as_deref().unwrap_or_default());
                Ok(Answer::ok(text, json!({"id": id})))
            }
        }
    }
}

impl Bootstrap {
    fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let mut builder = ground.builder(ground.folder()?)?;
        if let Some(origin) = self.origin {
            builder = builder.origin(origin);
        }
        let gate = builder.open()?;
        let (email, display_name) = (self.email, self.name);
        let user = gate.bootstrap(&CreateUser { kind: UserKind::Person, email, display_name })?;
        let mut text = Text::default();
        text.said(Mood::Good, "founded", format_args!("by {user}"));
        text.field("log", gate.origin());
        text.field("key", gate.verifier_key());
        text.line("Keep the key: whoever has it can verify exports of this log. Keep a backup of the folder.");
        let (origin, key) = (gate.origin(), gate.verifier_key().to_string());
        Ok(Answer::ok(text, json!({"id": user.to_string(), "origin": origin, "key": key})))
    }
}
