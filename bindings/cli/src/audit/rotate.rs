//! Another key for the log.

use placet::audit::Signer as _;
use placet::error::Error;
use placet::{SigningKeyFile, SystemEntropy};
use serde_json::json;

use crate::console::Answer;
use crate::ground::Ground;
use crate::text::{Mood, Text};

pub(crate) fn run(ground: &Ground) -> Result<Answer, Error> {
    let (gate, caller) = ground.open()?;
    let earlier = gate.verifier_key().to_string();
    // It must outlive this process before the log names it. One that a try left which broke off is taken.
    let next = SigningKeyFile::at(ground.folder()?.join("log.key.next"))
        .open_or_create(gate.origin(), &SystemEntropy::default())?;
    gate.rotate_key(&caller, &next)?;
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
    if ground.is_elsewhere() {
        text.line("Copy `log.key` to the folder of every other node, and start it anew.");
    }
    Ok(Answer::ok(text, json!({"origin": origin, "key": key, "earlier": earlier})))
}
