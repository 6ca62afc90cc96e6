//! One audit record: who did what, where, by which right, and what it left behind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::events::Event;
use crate::authz::{Action, Scope, Witness};
use crate::clock::Timestamp;
use crate::digest::{Digest, canonical_json};
use crate::error::{Code, Error};
use crate::id::{RequestId, RunId, UserId};
use crate::identity::{Channel, TraceId};

/// The longest leaf, in bytes.
pub const LEAF_BYTES_MAX: usize = 8 * 1024;

/// The version of the form that is written.
const FORM: u32 = 1;

/// One audit record. Its byte form is canonical JSON (RFC 8785), so that one record has one hash.
///
/// It holds ids, digests and words of ours, never names, e-mail addresses, comments or payloads.
///
/// ```
/// use placet_core::audit::Leaf;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let request = office.approved(&gate)?.header.id;
///
/// let trail = gate.trail(&office.ana, request)?;
/// let events: Vec<&str> = trail.iter().map(|(_, leaf)| leaf.event.as_str()).collect();
/// assert_eq!(
///     events,
///     ["request.drafted", "request.planned", "request.submitted", "request.approved"],
/// );
///
/// let (_index, approved) = &trail[3];
/// assert_eq!(approved.actor, Some(office.bo.user()));
/// assert_eq!(Leaf::from_bytes(&approved.to_bytes()?)?, *approved);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Leaf {
    /// The version of this form: 1.
    pub v: u32,
    /// When it happened: RFC 3339, in UTC, to the microsecond.
    pub at: Timestamp,
    /// What happened: a stable code such as `request.approved`. [`Event`] lists them.
    pub event: String,
    /// Who did it. Nobody for what the system does by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// Whether the actor is an agent: a program that acts by itself.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub by_agent: bool,
    /// Whom the actor worked for, by the host's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<UserId>,
    /// How the call came in, by the host's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The number of the operating system's user, where the host says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_user: Option<u32>,
    /// The trace that the call belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceId>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// The request's revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// The digest of what is asked for, approved or run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Digest>,
    /// The run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The run's fence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
    /// The digest of the plugin that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Digest>,
    /// How a run ended: `succeeded`, `failed` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// What else there is to say of it: ids, numbers and words of ours, such as who was granted what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// The decisions that it took.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// The commitments of the texts that it erased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<Digest>,
    /// The records that it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordChange>,
}

/// One decision behind a leaf.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let header = office.pending(&gate)?.header;
/// // Ana may not approve. That she tried is in the log, and why it was a no.
/// let tried = gate.approve(&office.ana, header.id, header.change_digest()?, None);
/// assert!(tried.is_err());
///
/// let (_index, leaf) = gate.trail(&office.ana, header.id)?.pop().expect("it was recorded");
/// let decision = &leaf.decisions[0];
/// assert_eq!((decision.user, decision.allowed), (office.ana.user(), false));
/// assert_eq!(decision.because, ["no_grant"]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// Whether it was a yes.
    pub allowed: bool,
    /// Who was judged.
    pub user: UserId,
    /// What for.
    pub action: Action,
    /// The digest of the policy set that judged.
    pub policy_set: Digest,
    /// The rows that made it a yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
    /// The words of what stood in the way, as stable codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

impl Decision {
    pub(crate) fn new(user: UserId, action: Action, policy_set: Digest) -> Self {
        Self { allowed: false, user, action, policy_set, witness: None, because: Vec::new() }
    }
}

/// A record that changed: its name and the salted digests of its bytes before and after.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let request = office.pending(&gate)?.header.id;
/// let name = format!("request/{request}");
/// let leaves = gate.trail(&office.ana, request)?;
/// let mut changes = leaves.iter().flat_map(|(_, leaf)| &leaf.records).filter(|row| row.name == name);
///
/// // What one leaf left behind is what the next one found.
/// let (made, changed) = (changes.next().expect("drafted"), changes.next().expect("planned"));
/// assert_eq!(made.before, None);
/// assert_eq!(made.after, changed.before);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RecordChange {
    /// The record's name: kind and ids.
    pub name: String,
    /// Its digest before; nothing when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// Its digest after; nothing when it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
}

impl RecordChange {
    pub(crate) const fn new(name: String, before: Option<Digest>, after: Option<Digest>) -> Self {
        Self { name, before, after }
    }
}

impl Leaf {
    pub(crate) fn new(event: Event, at: Timestamp) -> Self {
        Self {
            v: FORM,
            at,
            event: event.as_str().to_owned(),
            actor: None,
            by_agent: false,
            on_behalf_of: None,
            channel: None,
            os_user: None,
            trace: None,
            scope: None,
            request: None,
            revision: None,
            change: None,
            run: None,
            fence: None,
            plugin: None,
            outcome: None,
            facts: BTreeMap::new(),
            decisions: Vec::new(),
            erased: Vec::new(),
            records: Vec::new(),
        }
    }

    /// The bytes that are hashed and appended.
    ///
    /// Fails with [`Code::TooLarge`] above [`LEAF_BYTES_MAX`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let bytes = canonical_json(self)?;
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!("an audit leaf has {} bytes; the limit is {LEAF_BYTES_MAX}", bytes.len()),
            )
            .with_help("do less in one command"));
        }
        Ok(bytes)
    }

    /// Reads a leaf back.
    ///
    /// Fails with [`Code::LogTampered`] when the bytes are not a leaf, and with [`Code::NewerFormat`] when a
    /// newer version wrote it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Form {
            v: u32,
        }
        serde_json::from_slice(bytes)
            .map_err(|source| {
                // The form first: a later one may have other fields, and is no forgery.
                if serde_json::from_slice::<Form>(bytes).is_ok_and(|form| form.v > FORM) {
                    return newer();
                }
                Error::new(Code::LogTampered, "these bytes are not an audit leaf")
                    .with_help("compare the log with an export made earlier")
                    .with_detail("line", source.line())
                    .with_detail("column", source.column())
                    .with_source(source)
            })
            .and_then(|leaf: Self| if leaf.v > FORM { Err(newer()) } else { Ok(leaf) })
    }
}

fn newer() -> Error {
    Error::new(Code::NewerFormat, "this leaf was written by a newer version")
        .with_help("use the version of placet that wrote it, or a later one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_of_a_later_form_is_no_forgery() {
        let code = |text: &str| Leaf::from_bytes(text.as_bytes()).unwrap_err().code();
        assert_eq!(code(r#"{"v":2,"event":7}"#), Code::NewerFormat);
        assert_eq!(code(r#"{"v":1,"event":7}"#), Code::LogTampered);
        assert_eq!(code("no leaf"), Code::LogTampered);
        let error = Leaf::from_bytes(b"{\"v\":1,\"at\":}").unwrap_err();
        assert_eq!([&error.details()["line"], &error.details()["column"]], ["1", "13"]);
    }
}
