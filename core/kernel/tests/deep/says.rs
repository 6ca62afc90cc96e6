//! What a record says, whatever its bytes: read without the kernel's own code. Stores use it too.

use placet_core::store::Key;
use serde_json::{Value, json};

/// What leaves call the record at `key`.
pub(crate) fn name(key: &Key) -> String {
    let text = String::from_utf8_lossy(key.as_bytes()).into_owned();
    text.strip_suffix('\0').unwrap_or(&text).replace('\0', "/")
}

pub(crate) fn kind(key: &Key) -> String {
    name(key).split('/').next().unwrap().to_owned()
}

/// Of each derived kind, what it says beside what only paces work. A turn that nobody has says nothing.
const SAYS: [(&str, &[&str]); 12] = [
    ("unique", &["what", "value", "holder"]),
    ("used", &["id"]),
    ("request_of", &["project", "request"]),
    ("denial", &["of", "minute"]),
    ("live", &["request", "run", "fence", "is_stopped"]),
    ("turn", &["target", "holder"]),
    ("due", &["request"]),
    ("tile", &["level", "index", "hashes"]),
    ("log_index", &["making", "entries", "spans", "latest", "lag"]),
    ("log_span", &["making", "number", "latest", "first", "last"]),
    ("log_word", &["making", "term", "count", "span"]),
    ("log_posting", &["making", "term", "span", "earlier", "counted", "offsets"]),
];

/// What the bytes at `key` say: all of them, where a leaf names the record.
pub(crate) fn logical(key: &Key, bytes: Option<&Vec<u8>>) -> Option<Value> {
    let bytes = bytes?;
    let kind = kind(key);
    let Some((_, fields)) = SAYS.iter().find(|(name, _)| *name == kind) else {
        return Some(json!(bytes));
    };
    let Ok(whole) = serde_json::from_slice::<Value>(bytes) else { return Some(json!(bytes)) };
    let body = &whole["body"];
    if kind == "turn" && body["holder"].is_null() && body["target"].is_string() {
        return None;
    }
    let holder = |value: &Value| -> Value {
        ["request", "project", "fence"].iter().map(|name| value[*name].clone()).collect()
    };
    let said = fields.iter().map(|field| match *field {
        "holder" if kind == "turn" => holder(&body["holder"]),
        field => body[field].clone(),
    });
    Some(said.collect())
}
