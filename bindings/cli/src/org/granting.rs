//! What runner plugins may reach.

use clap::{ArgGroup, Args};
use placet::digest::Digest;
use placet::error::{Code, Error};
use placet::org::command as kernel;
use placet::org::{GrantStanding, Slug};
use serde::Deserialize;
use serde_json::json;

use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::text::Text;

/// What the plugin of a runner may reach, in the place of whatever was granted before.
#[derive(Args, Clone, Debug, Deserialize)]
#[command(group(ArgGroup::new("which").required(true).args(["digest", "any_version"])))]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantPlugin {
    /// The name that the plugin is installed under.
    #[arg(long)]
    runner: Slug,
    /// The only component that it is for: `sha256:…`, as `placet plugin check` shows it.
    #[arg(long)]
    digest: Option<Digest>,
    /// Each version that asks for no more.
    #[arg(long)]
    #[serde(default)]
    any_version: bool,
    /// What it may reach, such as `sql`. May be repeated; without any it may reach nothing.
    #[arg(long = "capability", value_name = "CAPABILITY")]
    #[serde(default)]
    capabilities: Vec<Slug>,
    /// Let plans try their statements in a transaction that is rolled back, as far as the host does.
    #[arg(long)]
    #[serde(default)]
    dry_run: bool,
}

/// What each runner plugin may reach.
#[derive(Args, Debug)]
pub(crate) struct PluginGrants;

impl GrantPlugin {
    pub(super) fn resolve(self) -> Result<kernel::GrantPlugin, Error> {
        // A digest that was left out by mistake would let every version in.
        if self.digest.is_some() == self.any_version {
            let sentence = "a grant is either for one component, or for any version";
            return Err(Error::new(Code::InvalidInput, sentence)
                .with_help("write `digest`, or `any_version`"));
        }
        let Self { runner, digest, any_version: _, capabilities, dry_run } = self;
        let capabilities = capabilities.into_iter().collect();
        Ok(kernel::GrantPlugin { runner, digest, capabilities, dry_run })
    }
}

impl PluginGrants {
    #[expect(clippy::unused_self, reason = "each command has this shape")]
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        let grants = gate.plugin_grants(&caller)?;
        let rows = grants.iter().map(|grant| {
            let capabilities: Vec<&str> = grant.capabilities.iter().map(Slug::as_str).collect();
            let standing = match grant.standing {
                GrantStanding::Host => "by the host",
                GrantStanding::Granted => "granted",
                GrantStanding::Revoked => "revoked",
            };
            vec![
                grant.runner.to_string(),
                standing.to_owned(),
                capabilities.join(" "),
                if grant.dry_run { "dry runs" } else { "" }.to_owned(),
                grant.digest.map_or_else(|| "any version".to_owned(), |digest| digest.to_string()),
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let mut text = Text::default();
        text.table(&["runner", "", "may reach", "", "component"], &rows);
        if rows.is_empty() {
            text.line("no plugin was used or granted anything");
        }
        Ok(Answer::ok(text, json!({"plugin_grants": json_of(&grants)?})))
    }
}
