//! The Common Event Format, version 0, of `ArcSight`.

use super::told::{self, Ending, Weight};
use crate::audit::leaf::Leaf;

/// The longest value of a custom string, in characters.
const CUSTOM_MAX: usize = 4_000;

pub(super) fn write(index: u64, leaf: &Leaf, origin: &str) -> String {
    let severity = match told::weight_of(leaf) {
        Weight::Normal => "2",
        Weight::Low => "4",
        Weight::Medium => "7",
    };
    let name = told::words_of(leaf);
    let header = [told::PRODUCT, told::PRODUCT, told::VERSION, &leaf.event, &name, severity];
    let header: Vec<String> = header.iter().map(|text| in_header(text)).collect();
    let pairs = pairs(index, leaf, origin);
    let pairs = pairs.iter().map(|(key, value)| format!("{key}={}", in_extension(value)));
    format!("CEF:0|{}|{}", header.join("|"), pairs.collect::<Vec<_>>().join(" "))
}

fn pairs(index: u64, leaf: &Leaf, origin: &str) -> Vec<(&'static str, String)> {
    let outcome = match told::ending_of(leaf) {
        Ending::Success => "success",
        Ending::Failure => "failure",
        Ending::Unknown => "unknown",
    };
    let ms = leaf.at.as_micros().checked_div(1_000).unwrap_or_default();
    let mut pairs = vec![
        ("rt", ms.to_string()),
        ("externalId", index.to_string()),
        ("deviceExternalId", cut(origin, 255)),
        ("act", cut(&leaf.event, 63)),
        ("outcome", outcome.to_owned()),
    ];
    pairs.extend(leaf.actor.map(|id| ("suid", id.to_string())));
    if leaf.by_agent {
        let label = ("flexString1Label", "actor kind".to_owned());
        pairs.extend([label, ("flexString1", "agent".to_owned())]);
    }
    let facts = (!leaf.facts.is_empty()).then(|| told::json(&leaf.facts).unwrap_or_default());
    let custom = [
        ("cs1", "cs1Label", "request", leaf.request.map(|id| id.to_string())),
        ("cs2", "cs2Label", "scope", leaf.scope.map(|scope| scope.to_string())),
        ("cs3", "cs3Label", "change", leaf.change.map(|digest| digest.to_string())),
        ("cs4", "cs4Label", "run", leaf.run.map(|id| id.to_string())),
        ("cs5", "cs5Label", "run outcome", leaf.outcome.clone()),
        ("cs6", "cs6Label", "facts", facts),
    ];
    for (key, label, word, value) in custom {
        if let Some(value) = value {
            pairs.extend([(label, word.to_owned()), (key, cut(&value, CUSTOM_MAX))]);
        }
    }
    pairs
}

fn cut(text: &str, letters: usize) -> String {
    told::visible(text).chars().take(letters).collect()
}

/// In the header the bar and the backslash are escaped.
fn in_header(text: &str) -> String {
    told::visible(text).replace('\\', "\\\\").replace('|', "\\|")
}

/// In the extension the equal sign and the backslash are. Line breaks were made visible before.
fn in_extension(text: &str) -> String {
    text.replace('\\', "\\\\").replace('=', "\\=")
}
