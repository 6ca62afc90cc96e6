//! To text. Written by hand, because the order of keys in a JSON library is for whoever links it to choose.

use alloc::string::String;
use core::fmt::Write as _;

use crate::call::{CommandCall, Exchange, HttpCall};

pub(crate) fn text(call: &Exchange) -> String {
    let mut text = String::new();
    match call {
        Exchange::Http(call) => http(&mut text, call),
        Exchange::Command(call) => command(&mut text, call),
    }
    text
}

fn http(text: &mut String, call: &HttpCall) {
    text.push_str("{\"http\":{");
    bytes(text, "body", &call.body);
    text.push_str(",\"endpoint\":");
    string(text, &call.endpoint);
    text.push_str(",\"headers\":");
    pairs(text, &call.headers);
    text.push_str(",\"method\":");
    string(text, &call.method);
    text.push_str(",\"path\":");
    string(text, &call.path_and_query);
    text.push_str("}}");
}

fn command(text: &mut String, call: &CommandCall) {
    text.push_str("{\"command\":{\"arguments\":");
    pairs(text, &call.arguments);
    text.push_str(",\"name\":");
    string(text, &call.name);
    text.push(',');
    bytes(text, "stdin", &call.stdin);
    text.push_str("}}");
}

fn bytes(text: &mut String, name: &str, bytes: &[u8]) {
    if let Ok(readable) = core::str::from_utf8(bytes) {
        let _infallible = write!(text, "\"{name}\":");
        string(text, readable);
        return;
    }
    let _infallible = write!(text, "\"{name}_hex\":\"");
    for byte in bytes {
        let _infallible = write!(text, "{byte:02x}");
    }
    text.push('"');
}

fn pairs(text: &mut String, pairs: &[(String, String)]) {
    text.push('[');
    for (number, (name, value)) in pairs.iter().enumerate() {
        text.push_str(if number == 0 { "[" } else { ",[" });
        string(text, name);
        text.push(',');
        string(text, value);
        text.push(']');
    }
    text.push(']');
}

/// As RFC 8785 writes a string.
fn string(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            low if low < ' ' => {
                let _infallible = write!(text, "\\u{:04x}", u32::from(low));
            }
            plain => text.push(plain),
        }
    }
    text.push('"');
}
