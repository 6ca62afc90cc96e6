//! The whole log as a static folder.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use placet::error::{Code, Error};
use serde_json::json;

use crate::console::Answer;
use crate::files::unwritable;
use crate::ground::Ground;
use crate::progress::Bar;
use crate::text::{Mood, Text};

/// Write the whole log as a static folder (C2SP tlog-tiles), for PLATFORM_ADMIN and AUDITOR. Any web server can
/// serve it, and anybody with the log's key can verify it.
#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The folder. It is made where it is not there; an export of this log in it is brought up to date.
    dir: PathBuf,
}

impl Export {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        self.check_is_ours(gate.origin())?;
        let bar = Bar::new(ground.console(), "files", None);
        let mut files = 0_u64;
        gate.export(&caller, |path, bytes| {
            files = files.saturating_add(1);
            bar.step();
            let path = self.dir.join(path);
            write(&path, bytes).map_err(|source| unwritable(&path, source))
        })?;
        drop(bar);
        let (origin, key) = (gate.origin(), gate.verifier_key().to_string());
        let mut text = Text::default();
        text.said(Mood::Good, "exported", format_args!("{files} files to {}", self.dir.display()));
        text.field("log", origin);
        text.field("key", &key);
        Ok(Answer::ok(text, json!({"files": files, "origin": origin, "key": key})))
    }

    /// A folder with something else in it, or with another log, is not written into.
    fn check_is_ours(&self, origin: &str) -> Result<(), Error> {
        let refuse = |what: &str| {
            let sentence = format!("`{}` {what}", self.dir.display());
            Err(Error::new(Code::AlreadyExists, sentence).with_help("name an empty folder"))
        };
        let Ok(mut entries) = fs::read_dir(&self.dir) else { return Ok(()) };
        if entries.next().is_none() {
            return Ok(());
        }
        match fs::read_to_string(self.dir.join("checkpoint")) {
            Ok(text) if text.lines().next() == Some(origin) => Ok(()),
            Ok(_) => refuse("holds the export of another log"),
            // Where an export broke off, there are tiles and no checkpoint yet.
            Err(_) if self.dir.join("tile").is_dir() => Ok(()),
            Err(_) => refuse("is not empty and holds no export"),
        }
    }
}

/// Writes a file whole or not at all: whoever serves the folder meanwhile shows no half of one.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = fs::File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(partial, path)
}
