//! Who remembers the log's heads elsewhere.

use std::sync::Arc;

use clap::Args;
use placet::audit::{VerifierKey, Witness};
use placet::error::{Code, Error};
use placet_core::gate::Comparison;
use placet_witness::{FileWitness, GitWitness};
use serde_json::json;

use super::verify::key_of;
use crate::console::{Answer, error_fields, error_text};
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// The witnesses that are asked.
#[derive(Args, Clone, Debug)]
pub(crate) struct Witnesses {
    /// `file:PATH`, `git:REPOSITORY#BRANCH`, or the URL of a C2SP tlog-witness. May be repeated.
    #[arg(value_name = "WITNESS", required = true)]
    names: Vec<String>,
    /// The key with which a witness behind a URL cosigns, as text or as a file with it.
    #[arg(long, value_name = "KEY")]
    witness_key: Vec<String>,
}

/// Hand the head of the log to witnesses, who remember it and sign it where they can.
#[derive(Args, Debug)]
pub(crate) struct Anchor {
    #[command(flatten)]
    witnesses: Witnesses,
}

/// Compare the log with what witnesses saw of it. It ends with 1 where it was rolled back or rewritten.
#[derive(Args, Debug)]
pub(crate) struct Compare {
    #[command(flatten)]
    witnesses: Witnesses,
}

impl Witnesses {
    fn found(&self) -> Result<Vec<Arc<dyn Witness>>, Error> {
        let keys = self.witness_key.iter().map(|key| key_of(key)).collect::<Result<Vec<_>, _>>()?;
        self.names.iter().map(|name| witness(name, &keys)).collect()
    }
}

/// A witness by its name on a command line.
pub(crate) fn witness(name: &str, keys: &[VerifierKey]) -> Result<Arc<dyn Witness>, Error> {
    if name.starts_with("https://") || name.starts_with("http://") {
        return over_http(name, keys);
    }
    match name.split_once(':') {
        Some(("file", path)) if !path.is_empty() => Ok(Arc::new(FileWitness::at(path))),
        Some(("git", place)) => {
            let (repository, branch) = place.split_once('#').unwrap_or((place, "placet-log"));
            Ok(Arc::new(GitWitness::in_repository(repository, branch)))
        }
        Some(_) | None => Err(Error::new(Code::InvalidInput, format!("`{name}` names no witness"))
            .with_help("write `file:PATH`, `git:REPOSITORY#BRANCH` or a URL")),
    }
}

#[cfg(feature = "witness-http")]
fn over_http(name: &str, keys: &[VerifierKey]) -> Result<Arc<dyn Witness>, Error> {
    Ok(Arc::new(placet_witness::HttpWitness::at(name, keys.to_vec())?))
}

#[cfg(not(feature = "witness-http"))]
fn over_http(name: &str, _keys: &[VerifierKey]) -> Result<Arc<dyn Witness>, Error> {
    Err(Error::new(
        Code::InvalidInput,
        format!("this program was built without HTTP, and cannot ask `{name}`"),
    )
    .with_help("build it with `--features witness-http`"))
}

impl Anchor {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let witnesses = self.witnesses.found()?;
        let (gate, _caller) = ground.open()?;
        let (mut text, mut rows) = (Text::default(), Vec::new());
        for witness in witnesses {
            // The kernel's gate: the one around it asks the witnesses that it was opened with.
            let anchored = (*gate).anchor(&*witness)?;
            let signed = if anchored.is_cosigned { ", signed by it" } else { "" };
            let (name, size) = (witness.name(), anchored.size);
            text.said(Mood::Good, "anchored", format_args!("{size} entries with {name}{signed}"));
            rows.push(json!({
                "witness": name,
                "size": size,
                "cosigned": anchored.is_cosigned,
                "checkpoint": anchored.checkpoint.to_string(),
            }));
        }
        Ok(Answer::ok(text, json!({"anchored": rows})))
    }
}

impl Compare {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let witnesses = self.witnesses.found()?;
        let (gate, _caller) = ground.open()?;
        let (mut text, mut rows, mut holds) = (Text::default(), Vec::new(), true);
        for witness in witnesses {
            let name = witness.name();
            match gate.compare_with(&*witness)? {
                Comparison::Unseen => {
                    text.said(Mood::Odd, "unseen", format_args!("{name} never saw this log"));
                    rows.push(json!({"witness": name, "state": "unseen"}));
                }
                Comparison::Continues { size } => {
                    text.said(
                        Mood::Good,
                        "continues",
                        format_args!("what {name} saw, at {size} entries"),
                    );
                    rows.push(json!({"witness": name, "state": "continues", "size": size}));
                }
                Comparison::RolledBack(found) => {
                    holds = false;
                    let error = found.to_error();
                    text.append(&error_text(&error));
                    let error = error_fields(&error);
                    rows.push(json!({"witness": name, "state": "rolled_back", "error": error}));
                }
            }
        }
        Ok(Answer::that(holds, text, json!({"holds": holds, "witnesses": rows})))
    }
}
