//! An exported log, or the log in the store of a folder, read back and checked.

use std::path::{Path, PathBuf};

use clap::Args;
use placet::audit::{Checkpoint, LogKeys, SignedNote, VerifierKey, verify_export_with};
use placet::error::{Code, Error};
use placet::store::Store;
use serde_json::{Value, json};

use super::prove::key;
use super::store;
use crate::console::{Answer, error_json, error_text};
use crate::files;
use crate::ground::Ground;
use crate::progress::Bar;
use crate::text::{Mood, Text};

/// Verify an exported log with nothing but its key: no gate is opened. It ends with 1 where something is wrong.
///
/// Without DIR, the log in the store of --folder is read whole: every byte against the store's checksums, every
/// entry for its form. That needs the folder to itself; a key file `log.key` there is taken for the key.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The folder of an export.
    dir: Option<PathBuf>,
    /// The log's verifier key, as text or as a file with it. An export needs it. It may be an earlier one: those that
    /// follow it in the log are trusted too.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The log's name. The default is the name of the key.
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// A checkpoint of this log that was kept from before: the log must continue it.
    #[arg(long, value_name = "FILE")]
    continues: Option<PathBuf>,
    /// Compare every record of the store with what the log says of it, too.
    #[arg(long, conflicts_with = "dir")]
    deep: bool,
}

impl Verify {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let checked = match self.dir.clone() {
            Some(dir) => self.export(ground, &dir),
            None => self.store(ground),
        };
        match checked {
            Ok(answer) => Ok(answer),
            Err(error) if is_finding(error.code()) => Ok(found(&error)),
            Err(error) => Err(error),
        }
    }

    fn export(&self, ground: &Ground, dir: &Path) -> Result<Answer, Error> {
        if !dir.is_dir() {
            let sentence = format!("there is no folder `{}`", dir.display());
            return Err(
                Error::new(Code::NotFound, sentence).with_help("name the folder of an export")
            );
        }
        let key = self.key.as_deref().ok_or_else(|| {
            Error::new(Code::InvalidInput, "an export is verified with the log's key")
                .with_help("name it with --key; whoever runs the gate publishes it")
        })?;
        let key = key_of(key)?;
        let origin = self.origin.as_deref().unwrap_or(key.name());
        let bar = Bar::new(ground.console(), "entries", Some(0));
        let read = |path: &str| files::found(&dir.join(path));
        let verified = verify_export_with(read, origin, &key, |at| {
            bar.at(at.done, Some(at.total));
            Ok(())
        })?;
        drop(bar);
        let checkpoint = verified.checkpoint();
        if let Some(kept) = self.kept()? {
            verified.continues(&verified.open(&kept)?)?;
        }
        let (size, root) = (checkpoint.size(), checkpoint.root());
        Ok(holds(size, (origin, &root.to_string()), self.continues.is_some()))
    }

    fn store(&self, ground: &Ground) -> Result<Answer, Error> {
        let key = match (&self.key, ground.is_elsewhere()) {
            (Some(text), _) => Some(key_of(text)?),
            (None, false) => key::of_folder(ground.folder()?)?,
            (None, true) => None,
        };
        let origin = self.origin.clone();
        let origin = origin.or_else(|| key.as_ref().map(|key| key.name().to_owned()));
        let kept = self.kept()?;
        let store = ground.store(true)?;
        let kept = match (kept, &key, &origin) {
            (None, _, _) => None,
            (Some(note), Some(key), Some(origin)) => {
                let keys = LogKeys::trusting(origin, key);
                Some(self.opened(ground, &*store, keys, &note)?)
            }
            (Some(_), _, _) => {
                let sentence = "a checkpoint is checked with the log's key";
                return Err(
                    Error::new(Code::InvalidInput, sentence).with_help("name it with --key")
                );
            }
        };
        let origin = origin.unwrap_or_default();
        if self.deep {
            return store::compare(ground.console(), &*store, &origin, kept);
        }
        let tree = store::read(ground.console(), &*store, None)?;
        if let Some(earlier) = &kept
            && tree.root_at(earlier.size()).ok() != Some(earlier.root())
        {
            let sentence =
                format!("the log does not continue itself as it was at {} entries", earlier.size());
            return Err(Error::new(Code::LogTampered, sentence)
                .with_help("keep the checkpoint: it is the evidence")
                .with_detail("size", tree.len())
                .with_detail("size_earlier", earlier.size()));
        }
        Ok(holds(tree.len(), (&origin, &tree.root().to_string()), kept.is_some()))
    }

    /// The checkpoint that was kept, not opened yet.
    fn kept(&self) -> Result<Option<SignedNote>, Error> {
        let read = |path: &PathBuf| SignedNote::parse(&files::bytes(path)?);
        self.continues.as_ref().map(read).transpose()
    }

    /// The checkpoint that was kept, by the key that is trusted or one that follows it in the log. The key of the folder
    /// is the latest one: what the log says of those before it is worth as much as the folder.
    fn opened(
        &self,
        ground: &Ground,
        store: &dyn Store,
        mut keys: LogKeys,
        note: &SignedNote,
    ) -> Result<Checkpoint, Error> {
        if let Ok(checkpoint) = keys.open(note) {
            return Ok(checkpoint);
        }
        store::read_keys(ground.console(), store, &mut keys)?;
        if self.key.is_some() { keys.open(note) } else { keys.open_named(note) }
    }
}

/// A text that is not a key itself is a file with one.
pub(crate) fn key_of(text: &str) -> Result<VerifierKey, Error> {
    match text.parse() {
        Ok(key) => Ok(key),
        Err(error) if !Path::new(text).is_file() => Err(error),
        Err(_) => files::text(Path::new(text))?.trim().parse(),
    }
}

/// Whether an error says that what was looked at is wrong, and not that it could not be looked at.
pub(super) fn is_finding(code: Code) -> bool {
    matches!(code, Code::LogTampered | Code::StoreDamaged)
}

pub(super) fn found(error: &Error) -> Answer {
    let mut json = error_json(error);
    if let Some(fields) = json.as_object_mut() {
        fields.insert("verified".to_owned(), Value::Bool(false));
    }
    let mut text = Text::default();
    text.said(Mood::Bad, "not verified", "");
    text.append(&error_text(error));
    Answer::that(false, text, json)
}

fn holds(size: u64, (origin, root): (&str, &str), continues: bool) -> Answer {
    let mut text = Text::default();
    text.said(Mood::Good, "verified", format_args!("{size} entries"));
    text.field("log", origin);
    text.field("root", root);
    if continues {
        text.line("it continues the checkpoint that was kept");
    }
    let json = json!({"verified": true, "size": size, "origin": origin, "root": root});
    Answer::ok(text, json)
}
