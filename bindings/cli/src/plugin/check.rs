//! Does it load, what does it ask for, and does it keep the contract?

use std::path::PathBuf;

use clap::Args;
use placet::error::Error;
use placet::runner::{Level, Runner as _};
use placet::runners::conformance::{ExamReport, SqlWorld, examine};
use serde_json::json;

use super::Component;
use crate::console::{Answer, json_of};
use crate::files;
use crate::ground::Ground;
use crate::request::tell_finding;
use crate::text::{Mood, Text};

/// Say whether a plugin loads, what it is and what it asks for. With a payload, what it says about that: it ends
/// with 1 where the payload is refused, and with 9 where the plugin does not load.
///
/// With --conformance it is examined too, against a database in memory: the same plan twice, nothing written while it
/// plans, each call failed, lost or cut off, and what it finds out afterwards. Give payloads that it can execute.
#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    component: Component,
    /// A file with a payload as JSON; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    payload: Vec<PathBuf>,
    /// Examine it, too. It ends with 1 where it does not keep the contract.
    #[arg(long, requires = "payload")]
    conformance: bool,
    /// The dialect of the database in the exam.
    #[arg(long, default_value = "sqlite", value_name = "DIALECT")]
    dialect: String,
}

impl Check {
    pub(crate) fn run(self, _ground: &Ground) -> Result<Answer, Error> {
        let payloads: Vec<String> =
            self.payload.iter().map(|path| files::text(path)).collect::<Result<_, _>>()?;
        let examined = self.conformance.then(|| self.component.candidate()).transpose()?;
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
        for payload in &payloads {
            let found = plugin.runner.validate(&plugin.name, payload)?;
            for finding in &found {
                tell_finding(&mut text, finding);
            }
            if found.is_empty() {
                text.said(Mood::Good, "accepts", "the payload");
            }
            findings.extend(found);
        }
        let mut holds = findings.iter().all(|finding| finding.level != Level::Error);
        let mut exam = None;
        if let Some(candidate) = examined {
            let payloads: Vec<&str> = payloads.iter().map(String::as_str).collect();
            let report = examine(&candidate, &payloads, &SqlWorld::new(self.dialect))?;
            tell(&mut text, &report);
            holds &= report.passes();
            exam = Some(json_of(&report)?);
        }
        let json = json!({
            "plugin": json_of(&info)?,
            "manifest": json_of(&plugin.manifest)?,
            "granted": plugin.granted,
            "findings": json_of(&findings)?,
            "conformance": exam,
        });
        Ok(Answer::that(holds, text, json))
    }
}

/// Every check, and what was seen.
fn tell(text: &mut Text, report: &ExamReport) {
    text.head("conformance");
    for check in report.checks() {
        let (mood, word) =
            if check.passed { (Mood::Good, "passed") } else { (Mood::Bad, "FAILED") };
        let of = check.sample.map_or_else(String::new, |sample| format!(" (payload {sample})"));
        text.said(mood, word, format_args!("{}{of}: {}", check.name, check.why));
    }
}
