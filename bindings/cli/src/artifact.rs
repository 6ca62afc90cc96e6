//! Artifacts: what is written to be published, version by version, under a name of the host's.

use core::str::FromStr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use placet::NewArtifact;
use placet::error::{Code, Error};
use placet::id::{ProjectId, RequestId};
use placet::org::Slug;
use placet::request::{ApprovalRule, ArtifactName, ArtifactType};
use serde_json::{Value, json};

use crate::console::{Answer, json_of};
use crate::files;
use crate::ground::Ground;
use crate::names::Names;
use crate::request::{Commented, Diff, History, Submit, every, moved, request_json, who};
use crate::text::{Mood, Text};

/// Artifacts. Approving, sending back, rejecting and running them is what `request` does.
#[derive(Debug, Subcommand)]
pub(crate) enum ArtifactCommand {
    /// Write a new artifact.
    Draft(Draft),
    /// Ask for review of what is written now.
    Submit(Submit),
    /// Take it back from those who review it.
    Withdraw(Commented),
    /// List the versions of an artifact.
    Versions(Named),
    /// What is different between two versions or revisions.
    Diff(Diff),
    /// What happened to a version.
    History(History),
    /// Make a draft of what was sent back.
    Reopen(Commented),
    /// Make a draft of what was rejected.
    Restore(Commented),
    /// Undo an approval that has not taken effect.
    Revert(Commented),
    /// Copy what is published into a draft of the next version.
    NewVersion(NewVersion),
    /// Delete a draft that nothing depends on.
    Delete(Commented),
    /// Ask whether the newest version may be published. It ends with 6 where that is not approved.
    PublishGate(Named),
}

/// Write a new artifact, in state `DRAFT`, whoever makes it.
#[derive(Args, Debug)]
pub(crate) struct Draft {
    /// The module and the environment: `shop/pagos/prod`, by codes or ids.
    place: String,
    /// What it is: its type and its number in the host's tables, such as `USER_STORY/42`.
    name: TypeAndNumber,
    /// What people see: one line.
    #[arg(long)]
    title: String,
    /// A file with what it says, as JSON; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// The plugin that brings it to where it is published.
    #[arg(long, value_name = "NAME")]
    runner: Slug,
    /// Where it is published.
    #[arg(long, value_name = "NAME")]
    target: Slug,
    /// A request of the same project that it needs. May be repeated.
    #[arg(long, value_name = "REQUEST")]
    depends_on: Vec<RequestId>,
    /// Ask for review at once.
    #[arg(long)]
    submit: bool,
}

/// One artifact.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// The project, by code or id.
    project: String,
    /// Its type and its number in the host's tables, such as `USER_STORY/42`.
    name: TypeAndNumber,
}

/// Copy what is published into a draft of the next version. The published one stays.
#[derive(Args, Debug)]
pub(crate) struct NewVersion {
    /// The request of the version that is published.
    id: RequestId,
}

/// The name of an artifact, without its project.
#[derive(Clone, Debug)]
struct TypeAndNumber {
    artifact_type: ArtifactType,
    number: i64,
}

impl FromStr for TypeAndNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::new(Code::InvalidInput, format!("`{text}` is no name of an artifact"))
                .with_help("write a type and a number, such as `USER_STORY/42`")
        };
        let (artifact_type, number) = text.split_once('/').ok_or_else(wrong)?;
        let number = number.parse().map_err(|source| wrong().with_source(source))?;
        Ok(Self { artifact_type: artifact_type.parse()?, number })
    }
}

impl ArtifactCommand {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::Draft(command) => command.run(ground),
            Self::Submit(command) => command.run(ground),
            Self::Withdraw(command) => command.withdraw(ground),
            Self::Versions(command) => command.versions(ground),
            Self::Diff(command) => command.run(ground),
            Self::History(command) => command.run(ground),
            Self::Reopen(command) => command.reopen(ground),
            Self::Restore(command) => command.restore(ground),
            Self::Revert(command) => command.revert(ground),
            Self::NewVersion(command) => command.run(ground),
            Self::Delete(command) => command.delete(ground),
            Self::PublishGate(command) => command.publish_gate(ground),
        }
    }
}

impl Draft {
    fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let body = files::text(&self.body)?;
        let (gate, caller) = ground.open()?;
        let (project, module, environment) = Names::new(&gate, &caller).spot(&self.place)?;
        let new = NewArtifact {
            project,
            module,
            environment,
            artifact_type: self.name.artifact_type,
            artifact_id: self.name.number,
            title: self.title,
            body,
            runner: self.runner,
            target: self.target,
            depends_on: self.depends_on.into_iter().collect(),
        };
        let request = gate.draft_artifact(&caller, &new)?;
        moved(&if self.submit { gate.submit(&caller, request.header.id)? } else { request })
    }
}

impl Named {
    fn within(self, project: ProjectId) -> Result<ArtifactName, Error> {
        ArtifactName::new(project, self.name.artifact_type, self.name.number)
    }

    fn versions(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let project = Names::new(&gate, &caller).project(&self.project)?;
        let name = self.within(project)?;
        let mut found = every(&gate, &caller, project)?;
        found.retain(|line| {
            line.artifact.as_ref().is_some_and(|version| {
                (&version.artifact_type, version.artifact_id)
                    == (&name.artifact_type, name.artifact_id)
            })
        });
        let (mut rows, mut list) = (Vec::new(), Vec::<Value>::new());
        for line in &found {
            let version = line.artifact.as_ref().map(|version| version.version);
            let by_rule = line.approved_by_rule.map(ApprovalRule::as_str);
            rows.push(vec![
                version.map_or_else(String::new, |version| version.to_string()),
                line.id.to_string(),
                line.step.to_string(),
                line.title.clone(),
                who(Some(line.requester), line.by_agent),
                by_rule.map_or_else(String::new, |rule| format!("approved by rule {rule}")),
            ]);
            list.push(json!({
                "id": line.id.to_string(),
                "artifact": json_of(&line.artifact)?,
                "step": line.step.as_str(),
                "title": line.title,
                "requester": line.requester.to_string(),
                "by_agent": line.by_agent,
                "approved_by_rule": by_rule,
            }));
        }
        let mut text = Text::default();
        text.table(&["version", "request", "state", "title", "by", ""], &rows);
        if rows.is_empty() {
            text.line("no version");
        }
        Ok(Answer::ok(text, json!({"versions": list})))
    }

    fn publish_gate(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let project = Names::new(&gate, &caller).project(&self.project)?;
        let name = self.within(project)?;
        let request = gate.check_publishable(&caller, &name)?;
        let mut text = Text::default();
        let (id, step) = (request.header.id, &request.header.step);
        text.said(Mood::Good, step.as_str(), format_args!("{name} may be published: {id}"));
        Ok(Answer::ok(text, request_json(&request)?))
    }
}

impl NewVersion {
    fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        moved(&gate.new_version(&caller, self.id)?)
    }
}
