//! Stored records, for tests that look below the gate.

use crate::digest::Digest;
use crate::gate::DERIVED;
use crate::store::{erasable, records};

/// The digest under which the audit log knows a record's stored bytes: that of all but the texts that can be erased.
///
/// ```
/// # use std::sync::Arc;
/// # use placet_core::gate::Gate;
/// # use placet_core::store::{Key, MemoryStore, Store};
/// # use placet_core::testing::{Bench, Office, record_digest};
/// # let store = Arc::new(MemoryStore::default());
/// # let gate = Gate::new(Bench::on(Arc::<MemoryStore>::clone(&store))?.parts);
/// # let office = Office::found(&gate)?;
/// let name = format!("user/{}", office.ana.user());
/// let stored = store.get(&Key::from_segments(&["user", &office.ana.user().to_string()]))?;
///
/// let leaves = gate.audit(&office.root, 0)?;
/// let mut changes = leaves.iter().flat_map(|(_, leaf)| &leaf.records);
/// let last = changes.rfind(|change| change.name == name).expect("she was made");
/// assert_eq!(last.after, stored.map(|stored| record_digest(&stored.value)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn record_digest(stored: &[u8]) -> Digest {
    records::digest(stored)
}

/// The body of a record's stored bytes as JSON, with its texts in their places; `None` when it is not one.
///
/// ```
/// # use std::sync::Arc;
/// # use placet_core::gate::Gate;
/// # use placet_core::store::{Key, MemoryStore, Store};
/// # use placet_core::testing::{Bench, Office, record_body};
/// # let store = Arc::new(MemoryStore::default());
/// # let gate = Gate::new(Bench::on(Arc::<MemoryStore>::clone(&store))?.parts);
/// # let office = Office::found(&gate)?;
/// let key = Key::from_segments(&["user", &office.ana.user().to_string()]);
/// let stored = store.get(&key)?.expect("she was made");
/// assert!(record_body(&stored.value).is_some_and(|body| body.contains("ana@example.org")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn record_body(stored: &[u8]) -> Option<String> {
    erasable::body_with_texts(stored)
}

/// Whether no leaf names records of `kind`, the first segment of their keys: they are made again from others, or only
/// pace the work.
///
/// ```
/// use placet_core::testing::is_derived;
/// assert!(is_derived("live") && !is_derived("request"));
/// ```
pub fn is_derived(kind: &str) -> bool {
    DERIVED.contains(&kind)
}
