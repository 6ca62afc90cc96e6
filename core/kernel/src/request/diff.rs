//! What is different between two texts: of one request, or of two versions of an artifact.

use core::fmt;

use serde_json::Value;

use crate::id::RequestId;

/// One text of a request.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::RevisionRef;
///
/// let id = office.pending(&gate)?.header.id;
/// let change = office.change("\"raise it twice\"")?;
/// gate.edit(&office.ana, id, "raise it twice", &change)?;
/// let diff = gate.diff(&office.ana, RevisionRef::of(id, 1), RevisionRef::present(id))?;
/// assert_eq!(diff.to_json_patch(), r#"[{"op":"replace","path":"","value":"raise it twice"}]"#);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RevisionRef {
    pub(crate) request: RequestId,
    pub(crate) revision: Option<u32>,
}

impl RevisionRef {
    /// What the request says now.
    pub const fn present(request: RequestId) -> Self {
        Self { request, revision: None }
    }

    /// What it said as its revision `revision`, from 1.
    pub const fn of(request: RequestId, revision: u32) -> Self {
        Self { request, revision: Some(revision) }
    }
}

/// A word that is another one now.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::RevisionRef;
///
/// let id = office.pending(&gate)?.header.id;
/// gate.edit(&office.ana, id, "another title", &office.change("\"raise the price\"")?)?;
/// let title = gate.diff(&office.ana, RevisionRef::of(id, 1), RevisionRef::of(id, 2))?.title;
/// assert!(title.is_some_and(|title| title.before == "a change" && title.after == "another title"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Altered {
    /// What it was.
    pub before: String,
    /// What it is.
    pub after: String,
}

/// What one step of a [`Diff`] does, by its name in RFC 6902.
///
/// ```
/// use placet_core::request::OperationKind;
/// assert_eq!(OperationKind::Replace.to_string(), "replace");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OperationKind {
    /// Something is there that was not.
    Add,
    /// Something is gone.
    Remove,
    /// Something is another.
    Replace,
}

impl OperationKind {
    /// The name in RFC 6902.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One step of a [`Diff`].
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::{OperationKind, RevisionRef};
///
/// let new = office.request(office.change(r#"{"steps": ["log in"]}"#)?);
/// let id = gate.draft(&office.ana, &new)?.header.id;
/// gate.edit(&office.ana, id, "a change", &office.change(r#"{"steps": ["log in", "pay"]}"#)?)?;
/// let diff = gate.diff(&office.ana, RevisionRef::of(id, 1), RevisionRef::of(id, 2))?;
/// let step = &diff.operations[0];
/// assert_eq!((step.kind, step.path.as_str()), (OperationKind::Add, "/steps/1"));
/// assert_eq!(step.value.as_deref(), Some("\"pay\""));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// Where, as a JSON pointer (RFC 6901).
    pub path: String,
    /// What is there afterwards, as JSON; nothing for [`OperationKind::Remove`].
    pub value: Option<String>,
}

/// What is different between two texts.
///
/// Done one after the other, the operations make the second payload of the first. A payload whose text was erased
/// reads as `null`.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::RevisionRef;
///
/// let id = office.pending(&gate)?.header.id;
/// let diff = gate.diff(&office.ana, RevisionRef::of(id, 1), RevisionRef::present(id))?;
/// assert!(diff.is_same_payload && diff.operations.is_empty() && diff.title.is_none());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Diff {
    /// The title, where it is another.
    pub title: Option<Altered>,
    /// The runner, where it is another.
    pub runner: Option<Altered>,
    /// The target, where it is another.
    pub target: Option<Altered>,
    /// Whether the payload is the same, byte for byte. Where it is not and there are no operations, it says the
    /// same with other white space, another order of members, or numbers that are written otherwise.
    pub is_same_payload: bool,
    /// What was done to the payload.
    pub operations: Vec<Operation>,
}

impl Diff {
    /// The operations as a JSON Patch document (RFC 6902).
    pub fn to_json_patch(&self) -> String {
        let steps = self.operations.iter().map(|step| {
            let path = Value::String(step.path.clone());
            let value = step.value.as_ref().map(|value| format!(",\"value\":{value}"));
            format!("{{\"op\":\"{}\",\"path\":{path}{}}}", step.kind, value.unwrap_or_default())
        });
        format!("[{}]", steps.collect::<Vec<_>>().join(","))
    }
}

/// What is compared of a revision.
#[derive(Clone, Debug)]
pub(crate) struct Text<'a> {
    pub(crate) title: &'a str,
    pub(crate) runner: &'a str,
    // All of them.
    pub(crate) target: String,
    pub(crate) payload: &'a str,
}

/// Compares two texts.
pub(crate) fn diff(before: &Text<'_>, after: &Text<'_>) -> Diff {
    let altered = |before: &str, after: &str| {
        (before != after).then(|| Altered { before: before.to_owned(), after: after.to_owned() })
    };
    Diff {
        title: altered(before.title, after.title),
        runner: altered(before.runner, after.runner),
        target: altered(&before.target, &after.target),
        is_same_payload: before.payload == after.payload,
        operations: operations(before.payload, after.payload),
    }
}

fn operations(before: &str, after: &str) -> Vec<Operation> {
    if before == after {
        return Vec::new();
    }
    let mut found = Vec::new();
    let tree = |text| serde_json::from_str::<Value>(text).ok();
    if let Some((before, after)) = tree(before).zip(tree(after)) {
        compare("", &before, &after, &mut found);
    } else {
        // Deeper than anybody reads, or a number that no machine has: then it is another as a whole.
        let (kind, path) = (OperationKind::Replace, String::new());
        found.push(Operation { kind, path, value: Some(after.trim().to_owned()) });
    }
    found
}

fn below(path: &str, name: &str) -> String {
    format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Operation>) {
    let step = |kind, path: String, value: Option<&Value>| Operation {
        kind,
        path,
        value: value.map(Value::to_string),
    };
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in before {
                match after.get(name) {
                    Some(now) => compare(&below(path, name), value, now, found),
                    None => found.push(step(OperationKind::Remove, below(path, name), None)),
                }
            }
            for (name, value) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
                found.push(step(OperationKind::Add, below(path, name), Some(value)));
            }
        }
        (Value::Array(before), Value::Array(after)) => compare_lists(path, before, after, found),
        (_, after) => found.push(step(OperationKind::Replace, path.to_owned(), Some(after))),
    }
}

/// What both begin and end with stays. What is between is compared place by place, and the rest of the longer one
/// goes or comes.
fn compare_lists(path: &str, before: &[Value], after: &[Value], found: &mut Vec<Operation>) {
    let begin = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (before, after) = (before.get(begin..).unwrap_or(&[]), after.get(begin..).unwrap_or(&[]));
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(a, b)| a == b).count();
    let before = before.get(..before.len().saturating_sub(end)).unwrap_or(&[]);
    let after = after.get(..after.len().saturating_sub(end)).unwrap_or(&[]);
    let at = |place: usize| below(path, &begin.saturating_add(place).to_string());
    for (place, (was, is)) in before.iter().zip(after).enumerate() {
        compare(&at(place), was, is, found);
    }
    // From the back, so that each place is still where it was.
    for place in (after.len()..before.len()).rev() {
        found.push(Operation { kind: OperationKind::Remove, path: at(place), value: None });
    }
    for (place, value) in after.iter().enumerate().skip(before.len()) {
        let (kind, value) = (OperationKind::Add, Some(value.to_string()));
        found.push(Operation { kind, path: at(place), value });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    /// RFC 6902, written from the document: one operation of the three, done to `whole`.
    fn apply(whole: &mut Value, step: &Value) {
        let path = step["path"].as_str().unwrap();
        let Some((parent, last)) = path.rsplit_once('/') else {
            *whole = step["value"].clone();
            return;
        };
        let last = last.replace("~1", "/").replace("~0", "~");
        match (whole.pointer_mut(parent).unwrap(), step["op"].as_str().unwrap()) {
            (Value::Object(members), "remove") => drop(members.remove(&last).unwrap()),
            (Value::Object(members), "add") => {
                assert!(members.insert(last, step["value"].clone()).is_none());
            }
            (Value::Object(members), "replace") => {
                assert!(members.insert(last, step["value"].clone()).is_some());
            }
            (Value::Array(items), "remove") => drop(items.remove(last.parse().unwrap())),
            (Value::Array(items), "add") => {
                items.insert(last.parse().unwrap(), step["value"].clone());
            }
            (Value::Array(items), "replace") => {
                items[last.parse::<usize>().unwrap()] = step["value"].clone();
            }
            (parent, op) => panic!("{op} in {parent}"),
        }
    }

    fn told(before: &str, after: &str) -> String {
        let text = |payload| Text { title: "t", runner: "r", target: "t".to_owned(), payload };
        diff(&text(before), &text(after)).to_json_patch()
    }

    fn patched(before: &Value, patch: &str) -> Value {
        let mut whole = before.clone();
        let steps: Vec<Value> = serde_json::from_str(patch).unwrap();
        for step in &steps {
            apply(&mut whole, step);
        }
        whole
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0_i64..4).prop_map(Value::from),
            "[ab~/é\"\\\\]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from);
            let members = prop::collection::btree_map("[ab~/]{0,2}", inner, 0..4);
            let object = members.prop_map(|found| Value::Object(Map::from_iter(found)));
            prop_oneof![list, object]
        })
    }

    proptest! {
        #[test]
        fn the_second_comes_of_the_first((before, after) in (json_value(), json_value())) {
            let patch = told(&before.to_string(), &after.to_string());
            prop_assert_eq!(patched(&before, &patch), after);
        }

        #[test]
        fn what_is_the_same_has_no_difference(value in json_value()) {
            prop_assert_eq!(told(&value.to_string(), &format!(" {value:#} ")), "[]");
        }
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = json!({ "as a": "clerk", "steps": ["open", "pay", "close"], "x/y": 1 });
        let after = json!({ "as a": "clerk", "steps": ["open", "close"], "x/y": 2, "so that": [] });
        assert_eq!(
            told(&before.to_string(), &after.to_string()),
            r#"[{"op":"remove","path":"/steps/1"},{"op":"replace","path":"/x~1y","value":2},{"op":"add","path":"/so that","value":[]}]"#
        );
    }

    /// What a machine cannot hold is compared as text, and no difference is passed over.
    #[test]
    fn what_cannot_be_read_as_a_tree_is_another_as_a_whole() {
        let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
        for odd in ["1e999", &deep] {
            assert_eq!(told("1", odd), format!(r#"[{{"op":"replace","path":"","value":{odd}}}]"#));
            assert_eq!(told(odd, odd), "[]");
        }
        let text = |payload| Text { title: "t", runner: "r", target: "t".to_owned(), payload };
        let close = diff(&text("0.1"), &text("0.10000000000000000001"));
        assert!(close.operations.is_empty() && !close.is_same_payload);
    }
}
