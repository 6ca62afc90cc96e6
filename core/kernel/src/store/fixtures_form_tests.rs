//! Stored records in a form that two builds can be compared by.

use std::collections::BTreeMap;

use serde_json::Value;

use super::erasable::body_with_texts;

/// What is stored, with the texts in the place of their commitments: those are others each time.
pub(super) fn with_texts(stored: &str) -> String {
    let mut json: Value = serde_json::from_str(stored).unwrap();
    if json["texts"].is_object() {
        let body = body_with_texts(stored.as_bytes()).unwrap();
        json["body"] = serde_json::from_str(&body).unwrap();
        json["texts"].take();
        return sorted(&json);
    }
    stored.to_owned()
}

/// JSON with its members in the order of their names. A record with texts is written by way of a `Value`, whose members
/// stand in an order that depends on what else is built.
fn sorted(json: &Value) -> String {
    match json {
        Value::Object(members) => {
            let members: BTreeMap<&String, String> =
                members.iter().map(|(name, value)| (name, sorted(value))).collect();
            let members = members.iter().map(|(name, value)| format!("{name:?}:{value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => json.to_string(),
    }
}

/// What is stored, in an order that is the same in each build.
pub(super) fn settled(stored: &str) -> String {
    let json: Value = serde_json::from_str(stored).unwrap();
    if json["texts"].is_object() { sorted(&json) } else { stored.to_owned() }
}
