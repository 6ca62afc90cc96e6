//! What the host's checks said.

use clap::{ArgGroup, Args, Subcommand};
use placet::CheckReport;
use placet::digest::Digest;
use placet::error::Error;
use placet::id::RequestId;
use placet::org::Slug;
use placet::request::CheckStatus;
use serde_json::json;

use crate::console::{Answer, json_of};
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// Checks of the host's, such as its tests.
#[derive(Debug, Subcommand)]
pub(crate) enum CheckCommand {
    /// Report what a check said of exactly one change.
    Report(Report),
}

/// Report what a check said. It takes the action `check`, and nobody vouches for what they wrote.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("status").required(true).args(["passed", "failed"])))]
pub(crate) struct Report {
    /// The request.
    id: RequestId,
    /// What the check is called, such as `tests`.
    #[arg(long)]
    name: Slug,
    /// The digest of what was checked: `request show` prints it.
    #[arg(long)]
    digest: Digest,
    /// It found nothing.
    #[arg(long)]
    passed: bool,
    /// It found something, or could not be done.
    #[arg(long)]
    failed: bool,
    /// What there is to say of it.
    #[arg(long, default_value = "")]
    details: String,
}

impl CheckCommand {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let Self::Report(Report { id, name, digest, passed, failed: _, details }) = self;
        let status = if passed { CheckStatus::Passed } else { CheckStatus::Failed };
        let (gate, caller) = ground.open()?;
        let report = CheckReport { digest, name, status, details };
        let check = gate.report_check(&caller, id, &report)?;
        let mood = if passed { Mood::Good } else { Mood::Bad };
        let mut text = Text::default();
        text.said(mood, check.status.as_str(), format_args!("{} of {id}", check.name));
        Ok(Answer::ok(text, json!({"check": json_of(&check)?})))
    }
}
