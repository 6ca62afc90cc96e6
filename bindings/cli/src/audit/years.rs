//! The years of the log, each a log of its own once it is over.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use placet::error::{Code, Error};
use serde_json::{Value, json};

use super::export::Folder;
use crate::console::Answer;
use crate::ground::Ground;
use crate::progress::Bar;
use crate::text::{Mood, Text};

/// The years of the log. Listing and exporting them is for PLATFORM_ADMIN and AUDITOR.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Years {
    /// List the years that are sealed.
    List,
    /// Seal each year that is over, as a gate that is open does within the hour. It asks nobody: what is over is over.
    Seal,
    /// Write a sealed year as a static folder of its own (C2SP tlog-tiles), which anybody with the key
    /// that signs it can verify: later keys are followed only where the rotation is in that year.
    Export {
        /// The year.
        year: i32,
        /// The folder. It is made where it is not there, and must be empty.
        dir: PathBuf,
    },
}

impl Years {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        match self {
            Self::List => {
                let years = gate.years(&caller)?;
                let mut text = Text::default();
                if years.is_empty() {
                    text.line("no year is sealed yet");
                }
                for year in &years {
                    text.line(format_args!(
                        "{:04}  {} entries from {} on, root {}",
                        year.year, year.size, year.first, year.root
                    ));
                }
                let rows = years.iter().map(|year| {
                    let (first, size, root) = (year.first, year.size, year.root.to_string());
                    json!({"year": year.year, "first": first, "size": size, "root": root})
                });
                Ok(Answer::ok(text, json!({"years": rows.collect::<Vec<Value>>()})))
            }
            Self::Seal => {
                let sealed = gate.seal_years()?;
                let mut text = Text::default();
                text.said(Mood::Good, "sealed", format_args!("{sealed} years"));
                Ok(Answer::ok(text, json!({"sealed": sealed})))
            }
            Self::Export { year, dir } => {
                check_is_empty(&dir)?;
                let bar = Bar::new(ground.console(), "entries", Some(0));
                let mut folder = Folder { dir: &dir, bar: &bar, written: 0 };
                gate.export_year(&caller, year, &mut folder)?;
                let files = folder.written;
                drop(bar);
                let origin = format!("{}/{year:04}", gate.origin());
                let key = gate.verifier_key().to_string();
                let mut text = Text::default();
                text.said(
                    Mood::Good,
                    "exported",
                    format_args!("{files} files to {}", dir.display()),
                );
                text.field("log", &origin);
                text.field("key", &key);
                text.line(format_args!(
                    "verify it with `audit verify DIR --key KEY --origin {origin}`"
                ));
                Ok(Answer::ok(text, json!({"files": files, "origin": origin, "key": key})))
            }
        }
    }
}

/// A sealed year never grows: there is nothing to bring up to date.
fn check_is_empty(dir: &Path) -> Result<(), Error> {
    let Ok(mut entries) = fs::read_dir(dir) else { return Ok(()) };
    if entries.next().is_none() {
        return Ok(());
    }
    Err(Error::new(Code::AlreadyExists, format!("`{}` is not empty", dir.display()))
        .with_help("name an empty folder"))
}
