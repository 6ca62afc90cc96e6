//! The evidence for one request, as a folder for somebody else.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use placet::audit::verify_evidence;
use placet::error::{Code, Error};
use placet::id::RequestId;
use serde_json::json;

use super::verify::{found, is_finding, key_of};
use crate::console::Answer;
use crate::files;
use crate::ground::Ground;
use crate::text::{Mood, Text};

/// Write what proves one request as a folder: its entries of the log, a proof of each, its records, and a page to read or
/// print. It takes the right to read the request.
#[derive(Args, Debug)]
pub(crate) struct Evidence {
    /// The request.
    id: RequestId,
    /// The folder. It is made, and must not be there.
    dir: PathBuf,
}

impl Evidence {
    pub(crate) fn run(self, ground: &Ground) -> Result<Answer, Error> {
        let (gate, caller) = ground.open()?;
        if self.dir.exists() {
            let sentence = format!("`{}` is there already", self.dir.display());
            return Err(Error::new(Code::AlreadyExists, sentence)
                .with_help("name a folder that is not there: evidence stands alone"));
        }
        let mut count = 0_u64;
        let written = gate.evidence(&caller, self.id, |path, bytes| {
            count = count.saturating_add(1);
            let path = self.dir.join(path);
            files::write_whole(&path, bytes).map_err(|source| files::unwritable(&path, source))
        });
        if let Err(error) = written {
            // A part of it proves nothing, and the next try wants the place.
            let _left_over = fs::remove_dir_all(&self.dir);
            return Err(error);
        }
        let (origin, key) = (gate.origin(), gate.verifier_key().to_string());
        let mut text = Text::default();
        text.said(Mood::Good, "written", format_args!("{count} files to {}", self.dir.display()));
        text.field("read", self.dir.join("report.html").display());
        text.field("log", origin);
        text.field("key", &key);
        Ok(Answer::ok(text, json!({"files": count, "origin": origin, "key": key})))
    }
}

/// Check a folder of evidence with nothing but the log's key: no gate is opened. It ends with 1 where something is wrong.
#[derive(Args, Debug)]
pub(crate) struct CheckEvidence {
    /// The folder.
    dir: PathBuf,
    /// The log's verifier key, as text or as a file with it, from somewhere else than the folder.
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The log's name. The default is the name of the key.
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
}

impl CheckEvidence {
    pub(crate) fn run(self, _ground: &Ground) -> Result<Answer, Error> {
        let key = key_of(&self.key)?;
        let origin = self.origin.as_deref().unwrap_or(key.name());
        let read = |path: &str| files::found(&self.dir.join(path));
        let evidence = match verify_evidence(read, origin, &key) {
            Ok(evidence) => evidence,
            Err(error) if is_finding(error.code()) || error.code() == Code::DigestMismatch => {
                return Ok(found(&error));
            }
            Err(error) => return Err(error),
        };
        let (entries, size) = (evidence.leaves.len(), evidence.head.size());
        let mut text = Text::default();
        text.said(Mood::Good, "verified", format_args!("{} files", evidence.files));
        text.field("request", evidence.request);
        text.field("entries", format_args!("{entries} of a log of {size}"));
        text.field("key", &evidence.key);
        let (files, request) = (evidence.files, evidence.request);
        let json = json!({"verified": true, "files": files, "request": request, "entries": entries, "size": size,
            "key": evidence.key.to_string()});
        Ok(Answer::ok(text, json))
    }
}
