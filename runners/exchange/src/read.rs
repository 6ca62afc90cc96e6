//! From text.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value};

use crate::call::{CommandCall, Exchange, HttpCall};

/// A text that is no call, or a name that is none of a run.
///
/// ```
/// use placet_exchange::Exchange;
///
/// let refused = Exchange::parse(r#"{ "command": {} }"#).unwrap_err();
/// assert_eq!(refused.to_string(), "this is not the text of a call: it lacks `arguments`");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    why: String,
}

impl Refused {
    pub(crate) fn new(why: &str) -> Self {
        Self { why: why.to_owned() }
    }

    fn lacks(name: &str) -> Self {
        Self { why: alloc::format!("it lacks `{name}`") }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this is not the text of a call: {}", self.why)
    }
}

impl core::error::Error for Refused {}

/// Reads what is needed. Whatever else stands in the text shows when it is written again.
pub(crate) fn call(text: &str) -> Result<Exchange, Refused> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| Refused { why: error.to_string() })?;
    if let Some(parts) = value.get("http").and_then(Value::as_object) {
        return Ok(Exchange::Http(HttpCall {
            endpoint: string(parts, "endpoint")?,
            method: string(parts, "method")?,
            path_and_query: string(parts, "path")?,
            headers: pairs(parts, "headers")?,
            body: bytes(parts, "body", "body_hex")?,
        }));
    }
    if let Some(parts) = value.get("command").and_then(Value::as_object) {
        return Ok(Exchange::Command(CommandCall {
            arguments: pairs(parts, "arguments")?,
            name: string(parts, "name")?,
            stdin: bytes(parts, "stdin", "stdin_hex")?,
        }));
    }
    Err(Refused::new("it holds neither `http` nor `command`"))
}

fn string(parts: &Map<String, Value>, name: &str) -> Result<String, Refused> {
    let found = parts.get(name).and_then(Value::as_str);
    found.map(ToOwned::to_owned).ok_or_else(|| Refused::lacks(name))
}

fn pairs(parts: &Map<String, Value>, name: &str) -> Result<Vec<(String, String)>, Refused> {
    let listed = parts.get(name).and_then(Value::as_array).ok_or_else(|| Refused::lacks(name))?;
    let pair = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([Value::String(name), Value::String(value)]) => Ok((name.clone(), value.clone())),
        _ => Err(Refused::new("a pair is not two texts")),
    };
    listed.iter().map(pair).collect()
}

fn bytes(parts: &Map<String, Value>, name: &str, in_hex: &str) -> Result<Vec<u8>, Refused> {
    if let Some(text) = parts.get(name).and_then(Value::as_str) {
        return Ok(text.as_bytes().to_vec());
    }
    let digits = parts.get(in_hex).and_then(Value::as_str).ok_or_else(|| Refused::lacks(name))?;
    let byte = |pair: &[u8]| {
        let pair = core::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    bytes.ok_or_else(|| Refused::new("it holds bytes that are not hexadecimal"))
}
