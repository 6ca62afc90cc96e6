//! What all forms say alike: how bad it was, how it ended, what it was about; and texts that cannot break a line.

use core::fmt::Write as _;

use serde::Serialize;

use crate::audit::leaf::Leaf;
use crate::error::{Code, Error};

/// Who made the event.
pub(super) const PRODUCT: &str = "placet";

/// The version that made it.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weight {
    /// Work as it should be.
    Normal,
    /// Somebody tried what they may not.
    Low,
    /// Somebody should look.
    Medium,
}

/// How it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    Success,
    Failure,
    Unknown,
}

pub(super) fn weight_of(leaf: &Leaf) -> Weight {
    match leaf.event.as_str() {
        "denied" | "refused" => Weight::Low,
        "run.lost" | "run.late_result" | "policies.recovered" | "governance.lifted" => {
            Weight::Medium
        }
        _ if ending_of(leaf) == Ending::Unknown => Weight::Medium,
        _ if ending_of(leaf) == Ending::Failure => Weight::Low,
        _ => Weight::Normal,
    }
}

pub(super) fn ending_of(leaf: &Leaf) -> Ending {
    match (leaf.event.as_str(), leaf.outcome.as_deref()) {
        ("denied" | "refused", _) | (_, Some("failed")) => Ending::Failure,
        ("run.lost", _) | (_, Some("unknown")) => Ending::Unknown,
        _ => Ending::Success,
    }
}

/// What it is about: the kind of thing, and its id.
pub(super) fn subject_of(leaf: &Leaf) -> (&'static str, String) {
    if let Some(run) = leaf.run {
        return ("run", run.to_string());
    }
    if let Some(request) = leaf.request {
        return ("request", request.to_string());
    }
    let named = ["permission", "role", "team", "module", "environment", "project", "user"];
    for name in named {
        if let Some(id) = leaf.facts.get(name).filter(|id| !id.is_empty()) {
            return (name, id.clone());
        }
    }
    ("scope", leaf.scope.map_or_else(|| "platform".to_owned(), |scope| scope.to_string()))
}

/// The event's code as words for people.
pub(super) fn words_of(leaf: &Leaf) -> String {
    leaf.event.replace(['.', '_'], " ")
}

pub(super) fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|source| {
        Error::new(Code::Internal, "an event has no JSON form").with_source(source)
    })
}

/// The text with every letter that could end a line, or steer a screen, written out as `\u` and its number in hex.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if crate::letters::misleads(letter)
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
        {
            let _written = write!(shown, "\\u{:04x}", u32::from(letter));
        } else {
            shown.push(letter);
        }
    }
    shown
}
