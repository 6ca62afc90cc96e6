//! Heads of the log that somebody kept: a file, or a witness.

use std::path::Path;

use placet::audit::{Checkpoint, LogKeys, MerkleTree, SignedNote, VerifierKey};
use placet::error::{Code, Error};

use super::log::Log;
use super::{Doctor, Finding};
use crate::audit;
use crate::files;

pub(super) fn look(folder: &Path, log: &Log, asked: &Doctor) -> Vec<Finding> {
    if asked.continues.is_none() && asked.witness.is_empty() {
        let says = "none was named: a log that was rolled back looks like any other";
        return vec![Finding { next: Some(NEXT.to_owned()), ..Finding::skipped("witness", says) }];
    }
    let key = match key(folder) {
        Ok(key) => key,
        Err(error) => return vec![Finding::of("witness", &error)],
    };
    // What the log says of keys before this one is worth as much as the log, which is what is looked at.
    let keys = log.keys.clone().unwrap_or_else(|| LogKeys::trusting(key.name(), &key));
    let mut found = Vec::new();
    if let Some(kept) = &asked.continues {
        let note = files::bytes(kept).and_then(|text| SignedNote::parse(&text));
        let opened = note.and_then(|note| keys.open_named(&note));
        found.push(compared("kept checkpoint", &log.tree, opened.map(Some)));
    }
    for name in &asked.witness {
        found.push(compared("witness", &log.tree, seen(name, (&key, &keys), asked)));
    }
    found
}

const NEXT: &str =
    "keep checkpoints elsewhere (`audit anchor`), and name them with --witness or --continues";

fn key(folder: &Path) -> Result<VerifierKey, Error> {
    audit::key_of_folder(folder)?.ok_or_else(|| {
        Error::new(Code::SignerUnavailable, "there is no key to check heads with")
            .with_help("restore `log.key` from a backup")
    })
}

/// The latest head that a witness saw.
fn seen(
    name: &str,
    (key, log_keys): (&VerifierKey, &LogKeys),
    asked: &Doctor,
) -> Result<Option<Checkpoint>, Error> {
    let keys = asked.witness_key.iter().map(|key| audit::key_of(key));
    let witness = audit::witness(name, &keys.collect::<Result<Vec<_>, _>>()?)?;
    let latest = witness.latest(key.name()).map_err(|error| error.into_error(witness.name()))?;
    latest.map(|note| log_keys.open_named(&note)).transpose()
}

fn compared(
    what: &'static str,
    tree: &MerkleTree,
    seen: Result<Option<Checkpoint>, Error>,
) -> Finding {
    match seen {
        Err(error) => Finding::of(what, &error),
        Ok(None) => {
            Finding::warning(what, "it never saw this log", "hand it the head: `audit anchor`")
        }
        Ok(Some(earlier)) if tree.root_at(earlier.size()).ok() == Some(earlier.root()) => {
            Finding::good(what, format!("the log continues it from {} entries", earlier.size()))
        }
        Ok(Some(earlier)) => {
            let says = format!("the log is not the one that had {} entries", earlier.size());
            Finding::broken(
                what,
                says,
                "it was rolled back or rewritten; keep both heads as evidence",
            )
        }
    }
}
