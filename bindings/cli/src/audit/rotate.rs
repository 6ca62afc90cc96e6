//! Another key for the log.

use std::fs;

use placet::audit::Signer as _;
use placet::error::{Code, Error};
use placet::{SigningKeyFile, SystemEntropy};
use serde_json::json;

use crate::console::Answer;
use crate::files;
use crate::ground::Ground;
use crate::text::{Mood, Text};

pub(crate) fn run(ground: &Ground) -> Result<Answer, Error> {
    let (gate, caller) = ground.open()?;
    let earlier = gate.verifier_key().to_string();
    let path = ground.folder()?.join("log.key.next");
    // Of a try that broke off, or of somebody else: nobody can tell who has it by now.
    let left = path.exists();
    if left {
        let aside = ground.folder()?.join(format!("log.key.left.{}", gate.now().as_micros()));
        fs::rename(&path, &aside).map_err(|cause| files::unwritable(&aside, cause))?;
    }
    // It must outlive this process before the log names it.
    let next = SigningKeyFile::at(path.clone())
        .open_or_create(gate.origin(), &SystemEntropy::default())?;
    if let Err(error) = gate.rotate_key(&caller, &next) {
        if matches!(error.code(), Code::Denied | Code::Refused) {
            // Nothing names it, and nobody shall find it there.
            let _left = fs::remove_file(&path);
        }
        return Err(error);
    }
    drop(gate);
    // The opening puts the file in its place.
    let (gate, _caller) = ground.open()?;
    gate.check_key()?;
    let (origin, key) = (gate.origin(), next.verifier_key().to_string());
    let mut text = Text::default();
    text.said(Mood::Good, "rotated", format_args!("the key of {origin}"));
    text.field("key", &key);
    text.field("earlier", &earlier);
    text.line("Publish the new key, and back up the folder. Whoever has the earlier one can follow to it.");
    if left {
        text.line("A key that was left from before was set aside as `log.key.left.…`; remove it if the log does not name it.");
    }
    if ground.is_elsewhere() {
        text.line("Copy `log.key` to the folder of every other node, and start every node anew, one in this folder too.");
    }
    Ok(Answer::ok(text, json!({"origin": origin, "key": key, "earlier": earlier})))
}
