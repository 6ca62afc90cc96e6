//! What is wrong with a folder, and what to do about it. Nothing is changed.

mod folder; // the folder, its key, the room on its disk
mod log; // the store and the log in it
mod heads; // heads of the log that somebody kept
mod around; // the clock, the solver

use clap::Args;
use placet::error::Error;
use serde_json::{Value, json};
use std::path::PathBuf;

use crate::console::Answer;
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// Look at a folder and say what is wrong with it. Nothing is written but what opening a store writes. It ends
/// with 1 where something is broken; a warning alone ends with 0.
#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// A checkpoint of this log that was kept from before: the log must continue it.
    #[arg(long, value_name = "FILE")]
    continues: Option<PathBuf>,
    /// A witness to ask, as for `audit compare`. May be repeated.
    #[arg(long, value_name = "WITNESS")]
    witness: Vec<String>,
    /// The key with which a witness behind a URL cosigns, as text or as a file with it.
    #[arg(long, value_name = "KEY")]
    witness_key: Vec<String>,
}

/// How it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Good,
    Warning,
    Broken,
    /// Not looked at, because of something else.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
struct Finding {
    what: &'static str,
    state: State,
    says: String,
    next: Option<String>,
}

impl Finding {
    fn good(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, state: State::Good, says: says.into(), next: None }
    }

    fn warning(what: &'static str, says: impl Into<String>, next: &str) -> Self {
        Self { what, state: State::Warning, says: says.into(), next: Some(next.to_owned()) }
    }

    fn broken(what: &'static str, says: impl Into<String>, next: &str) -> Self {
        Self { what, state: State::Broken, says: says.into(), next: Some(next.to_owned()) }
    }

    fn skipped(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, state: State::Skipped, says: says.into(), next: None }
    }

    /// What placet itself says is broken.
    fn of(what: &'static str, error: &Error) -> Self {
        let next = error.help().unwrap_or("look at the folder by hand");
        Self::broken(what, format!("{error} ({})", error.code()), next)
    }
}

impl Doctor {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let folder = ground.folder()?;
        let mut found = folder::look(folder);
        let (store, log) = log::look(ground, folder);
        found.extend(store);
        if let Some(log) = &log {
            found.extend(heads::look(folder, log, &self));
        }
        found.extend(around::look());
        let mut text = Text::default();
        for finding in &found {
            let (mood, word) = match finding.state {
                State::Good => (Mood::Good, "good   "),
                State::Warning => (Mood::Odd, "warning"),
                State::Broken => (Mood::Bad, "broken "),
                State::Skipped => (Mood::Quiet, "skipped"),
            };
            text.said(mood, word, format_args!("{}: {}", finding.what, finding.says));
            if let Some(next) = &finding.next {
                text.said(Mood::Quiet, "          next:", next);
            }
        }
        let is_broken = found.iter().any(|finding| finding.state == State::Broken);
        let rows: Vec<Value> = found.iter().map(row).collect();
        Ok(Answer::that(!is_broken, text, json!({"healthy": !is_broken, "findings": rows})))
    }
}

fn row(finding: &Finding) -> Value {
    let state = match finding.state {
        State::Good => "good",
        State::Warning => "warning",
        State::Broken => "broken",
        State::Skipped => "skipped",
    };
    json!({"what": finding.what, "state": state, "says": finding.says, "next": finding.next})
}
