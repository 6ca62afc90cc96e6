//! What of a schema is refused before it is read: what leads out of it, and what grows.

use placet_core::workflow::FormFault;
use serde_json::Value;

/// The most objects and lists of a schema, each counted as often as references lead to it. A payload is judged by
/// each of them at each of its places at most.
const PARTS_MAX: usize = 4_096;

/// Words that lead elsewhere, or give a place a name that leads elsewhere.
const LEADS_OUT: [&str; 6] =
    ["$dynamicRef", "$recursiveRef", "$id", "id", "$anchor", "$dynamicAnchor"];

/// What of `schema` is refused.
pub(crate) fn faults(schema: &Value) -> Vec<FormFault> {
    let mut found = Vec::new();
    words(schema, schema, &mut String::new(), &mut found);
    if found.is_empty() && grown(schema) > PARTS_MAX {
        let message = format!(
            "refers to itself, or has more than {PARTS_MAX} parts with its references followed"
        );
        found.push(FormFault::new("", &message));
    }
    found
}

fn words(schema: &Value, part: &Value, at: &mut String, found: &mut Vec<FormFault>) {
    let len = at.len();
    let mut inner = |name: &str, part: &Value| {
        at.push('/');
        at.push_str(&name.replace('~', "~0").replace('/', "~1"));
        words(schema, part, at, found);
        at.truncate(len);
    };
    match part {
        Value::Object(members) => {
            for (name, member) in members {
                inner(name, member);
            }
            for (name, member) in members {
                // What is not text is a field of that name, and no word of the language.
                let Some(text) = member.as_str() else { continue };
                let is_out = name == "$ref" && leads_to(schema, text).is_none();
                if is_out || LEADS_OUT.contains(&name.as_str()) {
                    let place = format!("{at}/{name}");
                    let message = "refer to a place in the same schema, as `#/$defs/…`";
                    found.push(FormFault::new(&place, message));
                }
                let draft = "https://json-schema.org/draft/2020-12/schema";
                if name == "$schema" && text.trim_end_matches('#') != draft {
                    found.push(FormFault::new(&format!("{at}/$schema"), "must be draft 2020-12"));
                }
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                inner(&position.to_string(), item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The place in `schema` that a reference leads to, spelled as it stands there. Its reader would also take `%24` for a
/// dollar sign: then what is counted here would not be what is followed there.
fn leads_to<'a>(schema: &'a Value, reference: &str) -> Option<&'a Value> {
    let place = reference.strip_prefix('#').filter(|_| !reference.contains('%'))?;
    schema.pointer(place)
}

/// How many parts `schema` has, with each reference replaced by what it leads to; more than the limit where that
/// does not end.
fn grown(schema: &Value) -> usize {
    let (mut open, mut count) = (vec![schema], 0_usize);
    while let Some(part) = open.pop() {
        count = count.saturating_add(1);
        if count > PARTS_MAX {
            break;
        }
        match part {
            Value::Object(members) => {
                open.extend(members.values().filter(|member| is_part(member)));
                let to = members.get("$ref").and_then(Value::as_str);
                open.extend(to.and_then(|to| leads_to(schema, to)));
            }
            Value::Array(items) => open.extend(items.iter().filter(|item| is_part(item))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    count
}

fn is_part(value: &Value) -> bool {
    value.is_object() || value.is_array()
}
