//! Which commands need approval themselves.

use clap::{Args, Subcommand};
use placet::error::{Code, Error};
use placet::org::Governance;
use placet::org::command::CommandKind;
use serde_json::json;

use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::names::Names;
use crate::org::{OrgCommand, SetGovernance};
use crate::text::{Mood, Text};

/// Which commands need approval themselves.
#[derive(Debug, Subcommand)]
pub(crate) enum GovernanceCommand {
    /// Show which commands need approval, and where they are reviewed.
    Show(Whose),
    /// Say which commands need approval, and where they are reviewed.
    Set(Set),
    /// Take a governance away under which nobody could act any more. It is an act of the host: the log names no principal.
    Lift(Whose),
}

/// Whose governance.
#[derive(Args, Debug)]
pub(crate) struct Whose {
    /// The project, by code or id.
    #[arg(required_unless_present = "platform", conflicts_with = "platform")]
    project: Option<String>,
    /// That of the platform.
    #[arg(long)]
    platform: bool,
}

/// Say which commands need approval. From then on they are proposed with `placet propose`.
#[derive(Args, Debug)]
pub(crate) struct Set {
    #[command(flatten)]
    governance: SetGovernance,
    /// They are commands of the platform.
    #[arg(long)]
    platform: bool,
}

impl GovernanceCommand {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        match self {
            Self::Show(whose) => whose.show(ground),
            Self::Set(Set { governance, platform: false }) => {
                OrgCommand::SetGovernance(governance).run(ground)
            }
            Self::Set(Set { governance, platform: true }) => {
                OrgCommand::SetPlatformGovernance(governance).run(ground)
            }
            Self::Lift(whose) => whose.lift(ground),
        }
    }
}

impl Whose {
    fn show(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let names = Names::new(&gate, &caller);
        let found = match &self.project {
            None => gate.platform_governance(&caller)?,
            Some(project) => names.organisation(project)?.governance,
        };
        let mut text = Text::default();
        match &found {
            None => {
                text.line("nothing needs approval");
            }
            Some(found) => tell(&mut text, &names, found),
        }
        Ok(Answer::ok(text, json!({"governance": json_of(&found)?})))
    }

    fn lift(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let project = self.project.map(|text| {
            // Whoever is locked out may not see the project any more.
            Names::new(&gate, &caller).project(&text).map_err(|error| {
                Error::new(Code::NotFound, error.to_string())
                    .with_help("name it by its id, `prj_…`")
            })
        });
        gate.lift_governance(project.transpose()?)?;
        let mut text = Text::default();
        text.said(Mood::Odd, "lifted:", "nothing needs approval");
        Ok(Answer::ok(text, json!({"governance": null})))
    }
}

fn tell(text: &mut Text, names: &Names<'_>, governance: &Governance) {
    // Who may not read the project of the platform's governance sees ids.
    let shop = names.organisation(&governance.project_id.to_string()).ok();
    let place = shop.and_then(|shop| {
        let module = shop.modules.iter().find(|row| row.id == governance.module_id)?;
        let rows = shop.environments.iter();
        let environment = rows.into_iter().find(|row| row.id == governance.environment_id)?;
        Some(format!("{}/{}/{}", shop.project.code, module.code, environment.code))
    });
    text.field("reviewed in", place.unwrap_or_else(|| governance.scope().to_string()));
    let kinds: Vec<&str> = governance.commands.iter().map(|kind| kind.as_str()).collect();
    text.field("commands", kinds.join("\n"));
    let rights = CommandKind::RIGHTS.iter().filter(|kind| kind.is_of_a_project());
    let open: Vec<&str> =
        rights.filter(|kind| !governance.governs(**kind)).map(|kind| kind.as_str()).collect();
    let is_of_project = governance.commands.iter().any(|kind| kind.is_of_a_project());
    if is_of_project && !open.is_empty() {
        text.said(Mood::Odd, "a way around:", format_args!("{} need no approval", open.join(", ")));
    }
}
