//! What the leaves and records of one request tell, and whether they fit together.

use std::collections::BTreeMap;

use crate::audit::deep::check_texts;
use crate::audit::encoding::tampered;
use crate::audit::{Checkpoint, Leaf};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::Error;
use crate::id::RequestId;
use crate::request::{HistoryEntry, Request, Revision, Run, Thread};
use crate::store::Key;
use crate::store::records::{self, Record};

/// The kinds of records that are evidence: what whoever may read a request may read.
const KINDS: [&str; 5] =
    [Request::KIND, Revision::KIND, HistoryEntry::KIND, Thread::KIND, Run::KIND];

/// Whether a record of this name belongs into the bundle of `request`.
pub(crate) fn is_evidence(name: &str, request: RequestId) -> bool {
    let mut parts = name.split('/');
    let kind = parts.next().unwrap_or_default();
    KINDS.contains(&kind) && parts.next() == Some(&request.to_string())
}

/// Everything that a bundle tells.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) request: RequestId,
    pub(crate) made_at: Timestamp,
    pub(crate) head: Checkpoint,
    /// The leaves with their indexes, oldest first.
    pub(crate) leaves: Vec<(u64, Leaf)>,
    /// The stored bytes of records, by the names that leaves call them.
    pub(crate) records: BTreeMap<String, Vec<u8>>,
}

/// The records of a bundle, read.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) request: Request,
    pub(super) revisions: Vec<Revision>,
    pub(super) steps: Vec<HistoryEntry>,
    pub(super) threads: Vec<Thread>,
    pub(super) runs: Vec<Run>,
}

impl Story {
    /// What the last leaf that names each record left of it. Nothing for one that was removed.
    pub(crate) fn left(leaves: &[(u64, Leaf)], request: RequestId) -> BTreeMap<&str, Digest> {
        let mut left = BTreeMap::new();
        for change in leaves.iter().flat_map(|(_, leaf)| &leaf.records) {
            if is_evidence(&change.name, request) {
                match change.after {
                    Some(after) => drop(left.insert(change.name.as_str(), after)),
                    None => drop(left.remove(change.name.as_str())),
                }
            }
        }
        left
    }

    /// Checks that the leaves are about this request, begin with its beginning, leave no step of it out, and left the
    /// records that are here; and that what was asked for is what was agreed to.
    pub(super) fn check(&self) -> Result<Told, Error> {
        let mut left: BTreeMap<&str, Digest> = BTreeMap::new();
        let mut erased: BTreeMap<&str, &[Digest]> = BTreeMap::new();
        for (index, leaf) in &self.leaves {
            if leaf.request != Some(self.request) {
                return Err(wrong("leaf", index, "is about something else"));
            }
            for change in leaf.records.iter().filter(|row| is_evidence(&row.name, self.request)) {
                if left.get(change.name.as_str()).copied() != change.before {
                    return Err(wrong(
                        "leaf",
                        index,
                        "does not follow the one before it: one is missing",
                    ));
                }
                erased.insert(&change.name, &leaf.erased);
                match change.after {
                    Some(after) => drop(left.insert(&change.name, after)),
                    None => drop(left.remove(change.name.as_str())),
                }
            }
        }
        for (name, bytes) in &self.records {
            if left.remove(name.as_str()) != Some(records::digest(bytes)) {
                return Err(wrong("record", name, "is not what its last leaf left"));
            }
            let erased = erased.get(name.as_str()).copied().unwrap_or_default();
            check_texts(name, bytes, erased).map_err(|why| wrong("record", name, why))?;
        }
        if let Some(name) = left.keys().next() {
            return Err(wrong("record", name, "is named by a leaf and is not here"));
        }
        let told = self.read()?;
        for revision in &told.revisions {
            if revision.revision == told.request.header.revision
                && told.request.header.plan.is_some()
            {
                revision.check_digests(&told.request.header)?;
            }
        }
        Ok(told)
    }

    pub(super) fn read(&self) -> Result<Told, Error> {
        let name = format!("{}/{}", Request::KIND, self.request);
        let mut requests = self.of_kind::<Request>()?;
        let request = requests.pop().filter(|_| requests.is_empty());
        let request = request.ok_or_else(|| wrong("record", name, "is not here"))?;
        Ok(Told {
            request,
            revisions: self.of_kind()?,
            steps: self.of_kind()?,
            threads: self.of_kind()?,
            runs: self.of_kind()?,
        })
    }

    fn of_kind<R: Record>(&self) -> Result<Vec<R>, Error> {
        let own = self.records.iter().filter(|(name, _)| name.split('/').next() == Some(R::KIND));
        own.map(|(name, bytes)| {
            let key = Key::from_segments(&name.split('/').collect::<Vec<_>>());
            let record: R = records::decode(&key, bytes)?;
            if records::name_for(&record) == *name {
                Ok(record)
            } else {
                Err(wrong("record", name, "stands under the name of another"))
            }
        })
        .collect()
    }
}

pub(super) fn wrong(what: &str, which: impl core::fmt::Display, why: &str) -> Error {
    tampered(format!("the {what} `{which}` of the bundle {why}"))
        .with_help("get the bundle again; if it stays so, ask the operator of the log why")
        .with_detail(what, which)
}
