//! What answers hold.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::Value;

use crate::holes::{Into, Values};
use crate::template::{Contains, Expected, Meaning};

/// The pointer that means any text anywhere.
pub(crate) const ANYWHERE: &str = "**";

/// Whether everything that is expected holds.
pub(crate) fn holds(
    value: &Value,
    conditions: &BTreeMap<String, Expected>,
    values: &Values,
) -> Result<bool, String> {
    for (pointer, expected) in conditions {
        let fits = |found: &Value| fits(found, expected, values);
        let holds = if pointer == ANYWHERE {
            anywhere(value, &fits)?
        } else {
            value.pointer(pointer).map_or(Ok(false), fits)?
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fits(found: &Value, expected: &Expected, values: &Values) -> Result<bool, String> {
    Ok(match expected {
        Expected::Text(text) => word(Some(found)) == values.fill(text, Into::Plain)?,
        Expected::Contains(Contains { contains }) => {
            let part = values.fill(contains, Into::Plain)?;
            if part.is_empty() {
                // It would be in everything, and is in nothing: neither is an answer.
                return Err(format!("`{contains}` is empty, and says nothing of an answer"));
            }
            found.as_str().is_some_and(|text| text.contains(&part))
        }
        Expected::Other(other) => found == other,
    })
}

fn anywhere(value: &Value, fits: &impl Fn(&Value) -> Result<bool, String>) -> Result<bool, String> {
    // JSON is read no deeper than its reader allows, and so this goes no deeper.
    match value {
        Value::Array(items) => {
            for item in items {
                if anywhere(item, fits)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Object(parts) => {
            for part in parts.values() {
                if anywhere(part, fits)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::String(_) => fits(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(false),
    }
}

/// A value as a word.
pub(crate) fn word(value: Option<&Value>) -> String {
    match value {
        None => "missing".to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// What stands at the pointers, joined.
pub(crate) fn words(value: &Value, pointers: &[String]) -> String {
    let words: Vec<String> = pointers.iter().map(|pointer| word(value.pointer(pointer))).collect();
    words.join("/")
}

/// What a word means: by itself, or else by the longest beginning that is listed with a `*`.
pub(crate) fn meaning(word: &str, known: &BTreeMap<String, Meaning>) -> Option<Meaning> {
    let by_beginning = || {
        let begins = known.iter().filter_map(|(pattern, meaning)| {
            let beginning = pattern.strip_suffix('*')?;
            word.starts_with(beginning).then_some((beginning.len(), *meaning))
        });
        begins.max_by_key(|(length, _)| *length).map(|(_, meaning)| meaning)
    };
    known.get(word).copied().or_else(by_beginning)
}

/// The name of something, where a value is one.
pub(crate) fn id(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}
