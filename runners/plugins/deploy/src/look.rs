//! Calls that only read.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use placet_plugin_sdk::host::Http;
use placet_plugin_sdk::http::{Error, Request, Response};
use serde_json::Value;

use crate::holes::Values;
use crate::template::Lookup;
use crate::{json, render};

/// What a look brought.
#[derive(Debug)]
pub(crate) enum Look<T> {
    Seen(T),
    /// Not this time.
    Later(String),
    /// Not at any time.
    Never {
        code: &'static str,
        message: String,
    },
}

/// Asks, without a header and without a body.
pub(crate) fn get(host: &impl Http, endpoint: &str, path: &str) -> Look<Response> {
    let request = Request {
        method: "GET".to_string(),
        path_and_query: path.to_string(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let never = |code, message: &str| Look::Never { code, message: message.to_string() };
    match host.send(endpoint, &request) {
        Ok(response) => Look::Seen(response),
        Err(Error::Denied(why)) => never("denied", &why),
        Err(Error::Invalid(why)) => never("invalid", &why),
        Err(Error::Timeout) => never("timeout", "the deadline passed"),
        Err(Error::Cancelled) => never("cancelled", "the run was cancelled"),
        Err(Error::Connection(why) | Error::Unknown(why) | Error::Limit(why)) => Look::Later(why),
    }
}

/// Asks for JSON.
pub(crate) fn json(host: &impl Http, endpoint: &str, path: &str) -> Look<Value> {
    match get(host, endpoint, path) {
        Look::Seen(response) => match response.status {
            200..=299 => match serde_json::from_slice(&response.body) {
                Ok(value) => Look::Seen(value),
                Err(error) => Look::Later(format!("the answer is not JSON: {error}")),
            },
            status @ (401 | 403) => {
                Look::Never { code: "denied", message: format!("the answer was {status}") }
            }
            status => Look::Later(format!("the answer was {status}")),
        },
        Look::Later(why) => Look::Later(why),
        Look::Never { code, message } => Look::Never { code, message },
    }
}

/// What was found by the marker.
#[derive(Debug)]
pub(crate) enum Marked {
    /// It is there, under this name where the template says where that stands.
    One(Option<String>),
    /// The list was read, and it is not in it.
    Nothing,
    /// It is there more than once.
    Several(usize),
    /// The list could not be read.
    Cannot(String),
}

/// Looks for the marker.
pub(crate) fn by_marker(host: &impl Http, lookup: &Lookup, own: &str, values: &Values) -> Marked {
    let endpoint = lookup.endpoint.as_deref().unwrap_or(own);
    let found =
        render::path(&lookup.path, values).and_then(|path| match json(host, endpoint, &path) {
            Look::Seen(answer) => ours(&answer, lookup, values),
            Look::Later(message) | Look::Never { message, .. } => Err(message),
        });
    found.unwrap_or_else(Marked::Cannot)
}

fn ours(answer: &Value, lookup: &Lookup, values: &Values) -> Result<Marked, String> {
    // An answer without the list is no empty list.
    let place = answer.pointer(&lookup.items);
    let place = place.ok_or_else(|| format!("the answer has no `{}`", lookup.items))?;
    let mut found = BTreeMap::new();
    for item in place.as_array().map_or(core::slice::from_ref(place), Vec::as_slice) {
        if !json::holds(item, &lookup.conditions, values)? {
            continue;
        }
        let id = match &lookup.id {
            Some(pointer) => {
                Some(json::id(item.pointer(pointer)).ok_or("it is there without an id")?)
            }
            None => None,
        };
        // The same one may be listed twice; without ids nobody can tell.
        let key = id.clone().unwrap_or_else(|| found.len().to_string());
        found.insert(key, id);
    }
    let several = found.len();
    Ok(match found.pop_first() {
        None => Marked::Nothing,
        Some((_, id)) if several == 1 => Marked::One(id),
        Some(_) => Marked::Several(several),
    })
}

/// What stands in place of `{id}` in the answer's `Location`.
pub(crate) fn from_location(response: &Response, template: &str) -> Option<String> {
    let (before, after) = template.split_once("{id}")?;
    let is_location = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("location");
    let (_, value) = response.headers.iter().find(is_location)?;
    let (_, rest) = value.split_once(before)?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let (id, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let is_whole = rest.starts_with(after) || rest.is_empty() && after == "/";
    (is_whole && !id.is_empty()).then(|| id.to_string())
}
