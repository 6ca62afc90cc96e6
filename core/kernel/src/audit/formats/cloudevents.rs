//! `CloudEvents` 1.0 in the JSON event format.

use core::fmt::Write as _;

use serde_json::{Value, json};

use super::told;
use crate::audit::leaf::Leaf;
use crate::error::Error;

pub(super) fn write(index: u64, leaf: &Leaf, origin: &str) -> Result<String, Error> {
    told::json(&event(index, leaf, origin))
}

/// Several entries as one batch: a JSON array of `CloudEvents`, `application/cloudevents-batch+json`.
///
/// Fails with [`Code::Internal`](crate::error::Code::Internal) where a leaf has no JSON form.
///
/// ```
/// use placet_core::audit::cloud_events_batch;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let log = gate.audit(&office.root, 0)?;
/// let batch = cloud_events_batch(&log, gate.origin())?;
/// assert!(batch.starts_with("[{") && batch.contains(r#""specversion":"1.0""#));
/// assert!(batch.contains(r#""source":"/placet/log/placet.test/log""#));
/// assert_eq!(cloud_events_batch(&[], gate.origin())?, "[]");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn cloud_events_batch(entries: &[(u64, Leaf)], origin: &str) -> Result<String, Error> {
    let events = entries.iter().map(|(index, leaf)| event(*index, leaf, origin));
    told::json(&events.collect::<Vec<Value>>())
}

fn event(index: u64, leaf: &Leaf, origin: &str) -> Value {
    let (_, subject) = told::subject_of(leaf);
    json!({
        "specversion": "1.0",
        "id": index.to_string(),
        "source": source(origin),
        // No name of a domain goes first, as the specification would like: placet has none, and borrows none.
        "type": format!("placet.{}", leaf.event),
        "subject": subject,
        "time": leaf.at,
        "datacontenttype": "application/json",
        "data": leaf,
    })
}

/// The log as a reference that RFC 3986 allows, whatever its origin is made of: all but letters, digits and `-._~/` is
/// percent-encoded.
fn source(origin: &str) -> String {
    let mut source = "/placet/log/".to_owned();
    for byte in origin.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            source.push(char::from(byte));
        } else {
            let _written = write!(source, "%{byte:02X}");
        }
    }
    source
}
