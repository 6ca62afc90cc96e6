//! Does it load, and what does it ask for?

use std::path::PathBuf;

use clap::Args;
use placet::error::Error;
use placet::runner::{Level, Runner as _};
use serde_json::json;

use super::Component;
use crate::console::{Answer, json_of};
use crate::files;
use crate::ground::Ground;
use crate::request::tell_finding;
use crate::text::{Mood, Text};

/// Say whether a plugin loads, what it is and what it asks for. With a payload, what it says about that: it ends
/// with 1 where the payload is refused, and with 9 where the plugin does not load.
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    component: Component,
    /// A file with a payload as JSON; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
}

impl Check {
    pub(crate) fn run(self, _ground: &Ground) -> Result<Answer, Error> {
        let payload = self.payload.as_deref().map(files::text).transpose()?;
        let plugin = self.component.install(Vec::new())?;
        plugin.runner.warm_up()?;
        let info = plugin.runner.describe(&plugin.name)?;
        let mut text = Text::default();
        text.said(Mood::Good, "loads", format_args!("{} {}", plugin.name, info.version));
        text.field("title", &info.title);
        text.field("digest", info.digest);
        text.field("asks for", plugin.manifest.capabilities.join(" "));
        text.field("reaches", info.capabilities.join(" "));
        let mut findings = Vec::new();
        if let Some(payload) = payload {
            findings = plugin.runner.validate(&plugin.name, &payload)?;
            for finding in &findings {
                tell_finding(&mut text, finding);
            }
            if findings.is_empty() {
                text.said(Mood::Good, "accepts", "the payload");
            }
        }
        let holds = findings.iter().all(|finding| finding.level != Level::Error);
        let json = json!({
            "plugin": json_of(&info)?,
            "manifest": json_of(&plugin.manifest)?,
            "granted": plugin.granted,
            "findings": json_of(&findings)?,
        });
        Ok(Answer::that(holds, text, json))
    }
}
