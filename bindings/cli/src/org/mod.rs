//! The organisation.

mod command; // every command, for the command line and for files
mod running; // promotion, execution and settings
mod rules; // rules about approvals
mod governing; // workflows, governance, templates
mod granting; // what plugins may reach
mod narrowing; // which workflows, and what artifacts must hold
mod words; // words of the kernel
pub(crate) mod source; // a value, or the file that it stands in
pub(crate) mod needs; // a quorum with names
mod resolve; // what a command names, looked up
mod perform; // a command, done
mod propose; // a command, asked for
pub(crate) mod apply; // a file of commands
mod show; // what is there
mod erase; // texts, gone for good

use clap::{Args, Subcommand};
use placet::error::Error;
use placet::org::command::CreateUser;
use placet::org::{Email, Name, UserKind};
use serde_json::json;

pub(crate) use self::command::OrgCommand;
pub(crate) use self::governing::SetGovernance;
pub(crate) use self::propose::Propose;
pub(crate) use self::rules::{PutBlockingRule, PutQuorumRule, RemoveRule};
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
    /// Show what each runner plugin may reach, for PLATFORM_ADMIN and AUDITOR.
    PluginGrants(granting::PluginGrants),
    /// Do the commands of a file.
    Apply(apply::Apply),
    /// Erase texts for good; what was proven of them stays.
    #[command(subcommand)]
    Erase(erase::Erase),
    #[command(flatten)]
    Command(Box<OrgCommand>),
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
            Self::PluginGrants(command) => command.run(ground),
            Self::Apply(command) => command.run(ground),
            Self::Erase(command) => command.run(ground),
            Self::Command(command) => command.run(ground),
        }
    }
}

impl OrgCommand {
    /// Does it, and answers with the id of what it made.
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let command = self.read()?;
        let (gate, caller) = ground.open()?;
        let id = perform::perform(&gate, &caller, command)?;
        let mut text = Text::default();
        text.said(Mood::Good, "done", id.as_deref().unwrap_or_default());
        Ok(Answer::ok(text, json!({"id": id})))
    }

    /// With what stands in the files that it names.
    fn read(self) -> Result<Self, Error> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others name no file")]
        Ok(match self {
            Self::PutQuorumRule(asked) => Self::PutQuorumRule(asked.read()?),
            Self::SetWorkflow(asked) => Self::SetWorkflow(asked.read()?),
            Self::SetArtifactForm(asked) => Self::SetArtifactForm(asked.read()?),
            Self::SetRunnerSettings(asked) => Self::SetRunnerSettings(asked.read()?),
            other => other,
        })
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
