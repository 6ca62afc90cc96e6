//! The whole log as a static folder.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use placet::audit::{Destination, Progress};
use placet::error::{Code, Error};
use serde_json::json;

use crate::console::Answer;
use crate::files::{self, found, unwritable};
use crate::ground::Ground;
use crate::progress::Bar;
use crate::text::{Mood, Text};

/// Write the whole log as a static folder (C2SP tlog-tiles), for PLATFORM_ADMIN and AUDITOR. Any web server can
/// serve it, and anybody with the log's key can verify it. In a folder that has an earlier export of this log, only
/// what is new is written, also where that export broke off.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The folder. It is made where it is not there; an export of this log in it is brought up to date.
    dir: PathBuf,
}

impl Export {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        self.check_is_ours()?;
        let bar = Bar::new(ground.console(), "entries", Some(0));
        let mut folder = Folder { dir: &self.dir, bar: &bar, written: 0 };
        gate.export_to(&caller, &mut folder)?;
        let files = folder.written;
        drop(bar);
        let (origin, key) = (gate.origin(), gate.verifier_key().to_string());
        let mut text = Text::default();
        text.said(Mood::Good, "exported", format_args!("{files} files to {}", self.dir.display()));
        text.field("log", origin);
        text.field("key", &key);
        Ok(Answer::ok(text, json!({"files": files, "origin": origin, "key": key})))
    }

    /// A folder with something else in it is not written into. Whose log it is, the gate looks at itself.
    fn check_is_ours(&self) -> Result<(), Error> {
        let Ok(mut entries) = fs::read_dir(&self.dir) else { return Ok(()) };
        // Where an export broke off, there are tiles and no checkpoint yet.
        let is_export = ["checkpoint", "tile"].iter().any(|name| self.dir.join(name).exists());
        if entries.next().is_none() || is_export {
            return Ok(());
        }
        let sentence = format!("`{}` is not empty and holds no export", self.dir.display());
        Err(Error::new(Code::AlreadyExists, sentence).with_help("name an empty folder"))
    }
}

/// The folder that an export goes to.
#[derive(Debug)]
pub(super) struct Folder<'a> {
    pub(super) dir: &'a Path,
    pub(super) bar: &'a Bar,
    pub(super) written: u64,
}

impl Destination for Folder<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        found(&self.dir.join(path))
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.written = self.written.saturating_add(1);
        let path = self.dir.join(path);
        files::write_whole(&path, bytes).map_err(|source| unwritable(&path, source))
    }

    fn progress(&mut self, at: Progress) -> Result<(), Error> {
        self.bar.at(at.done, Some(at.total));
        Ok(())
    }
}
