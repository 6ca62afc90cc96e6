//! A bundle, checked by somebody who has nothing but it and the log's key.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Files, at, missing, rotation_of};
use super::manifest::Manifest;
use super::story::{Story, wrong};
use super::{CHECKPOINT, KEYS, MANIFEST, README, REPORT};
use super::{readme, report};
use crate::audit::{Checkpoint, Leaf, LogKeys, SignedNote, VerifierKey};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::Error;
use crate::id::RequestId;

/// What [`verify_evidence`] found to be whole.
///
/// ```
/// use std::collections::BTreeMap;
/// use placet_core::audit::verify_evidence;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let id = office.approved(&gate)?.header.id;
/// # let mut files = BTreeMap::new();
/// # gate.evidence(&office.ana, id, |path, bytes| {
/// #     files.insert(path.to_owned(), bytes.to_vec());
/// #     Ok(())
/// # })?;
/// # let (origin, key) = (gate.origin(), gate.verifier_key());
/// let found = verify_evidence(|path| Ok(files.get(path).cloned()), origin, key)?;
/// let events: Vec<&str> = found.leaves.iter().map(|(_, leaf)| leaf.event.as_str()).collect();
/// assert_eq!((found.request, events.len()), (id, 4));
/// assert_eq!(events.last(), Some(&"request.approved"));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifiedEvidence {
    /// The request that it is about.
    pub request: RequestId,
    /// When it was made.
    pub made_at: Timestamp,
    /// The head of the log that all proofs are under. Compare it with one that somebody else kept.
    pub head: Checkpoint,
    /// The leaves about the request, with their indexes, oldest first.
    pub leaves: Vec<(u64, Leaf)>,
    /// The names of the records that are here, each as its last leaf left it.
    pub records: BTreeSet<String>,
    /// How many files were compared with the signed list.
    pub files: usize,
    /// The key that signed it: the one that is trusted, or one that follows it.
    pub key: VerifierKey,
}

/// Checks an evidence bundle offline: the signed list of files and each file against it, the head, the proof of each
/// leaf, that no step of the request is missing between them, the records against the digests in the leaves, payload and
/// plan against what was agreed to, and that the report for people says what leaves and records say. `read` answers
/// a file by its path and `None` where there is none; `origin` and `key` are those of the log, from somewhere else than the
/// bundle. `key` may be an earlier key of the log than the one that signed: the rotations in the bundle are followed
/// ([`KeyRotation`](crate::audit::KeyRotation)).
///
/// Fails with `log_tampered` or `digest_mismatch`, and with `invalid_input` where a file is not what it must be; the
/// detail `path`, `leaf` or `record` names the place.
///
/// ```
/// use std::collections::BTreeMap;
/// use placet_core::audit::verify_evidence;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let id = office.approved(&gate)?.header.id;
/// let mut files = BTreeMap::new();
/// gate.evidence(&office.ana, id, |path, bytes| {
///     files.insert(path.to_owned(), bytes.to_vec());
///     Ok(())
/// })?;
/// // Elsewhere, later:
/// let (origin, key) = (gate.origin(), gate.verifier_key());
/// verify_evidence(|path| Ok(files.get(path).cloned()), origin, key)?;
///
/// files.get_mut("report.html").expect("it is there")[900] ^= 1;
/// let error = verify_evidence(|path| Ok(files.get(path).cloned()), origin, key).unwrap_err();
/// assert_eq!(error.details()["path"], "report.html");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn verify_evidence(
    read: impl Fn(&str) -> Result<Option<Vec<u8>>, Error>,
    origin: &str,
    key: &VerifierKey,
) -> Result<VerifiedEvidence, Error> {
    let list = read(MANIFEST)?.ok_or_else(|| missing(MANIFEST))?;
    let list = SignedNote::parse(&list).map_err(at(MANIFEST))?;
    // Read before it is believed: it says where the rotations are, which vouch for themselves.
    let manifest = Manifest::parse(list.unverified_text()).map_err(at(MANIFEST))?;
    let keys = follow(&manifest, &read, LogKeys::trusting(origin, key))?;
    let key = keys.present();
    list.verify(core::slice::from_ref(key)).map_err(at(MANIFEST))?;
    if manifest.origin != origin {
        return Err(wrong("path", MANIFEST, "is that of another log"));
    }
    let mut files = BTreeMap::new();
    for (path, due) in &manifest.files {
        let bytes = read(path)?.ok_or_else(|| missing(path))?;
        if Digest::of(&bytes) != due.digest || u64::try_from(bytes.len()) != Ok(due.bytes) {
            return Err(wrong("path", path, "is not the file that was signed"));
        }
        files.insert(path.as_str(), bytes);
    }
    let mut files = Files::new(files);
    let signed_head = files.take(CHECKPOINT)?;
    let head = Checkpoint::open(&signed_head, origin, key).map_err(at(CHECKPOINT))?;
    let leaves = files.leaves(&signed_head, origin, key)?;
    files.rotations(key)?;
    let story = Story {
        request: manifest.request,
        made_at: manifest.made_at,
        head,
        records: files.records(&leaves, manifest.request)?,
        leaves,
    };
    story.check()?;
    // Whoever signed it could still tell people something else than the leaves do.
    if files.take(REPORT)? != report(&story)?.into_bytes() {
        return Err(wrong("path", REPORT, "does not say what leaves and records say"));
    }
    if files.take(KEYS)? != format!("{key}\n").into_bytes() {
        return Err(wrong("path", KEYS, "names other keys than the log's"));
    }
    if files.take(README)? != readme(&manifest, key).into_bytes() {
        return Err(wrong("path", README, "is not the one that belongs to this bundle"));
    }
    if let Some(path) = files.left_over() {
        return Err(wrong("path", path, "is vouched for by no leaf"));
    }
    let Story { request, made_at, head, leaves, records } = story;
    let records = records.into_keys().collect();
    let (files, key) = (manifest.files.len(), key.clone());
    Ok(VerifiedEvidence { request, made_at, head, leaves, records, files, key })
}

/// The keys that follow the trusted one by the rotations in the bundle.
fn follow(
    manifest: &Manifest,
    read: &impl Fn(&str) -> Result<Option<Vec<u8>>, Error>,
    mut keys: LogKeys,
) -> Result<LogKeys, Error> {
    for path in manifest.rotations() {
        let bytes = read(path)?.ok_or_else(|| missing(path))?;
        keys.take(&rotation_of(&bytes).map_err(at(path))?);
    }
    Ok(keys)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
