//! The evidence for one request, as a small folder.

use std::collections::BTreeMap;

use crate::audit::evidence::{
    CHECKPOINT, KEYS, MANIFEST, Manifest, README, REPORT, Story, is_evidence, leaf_path,
    proof_path, readme, record_path, report, rotation_path,
};
use crate::audit::{Checkpoint, Leaf, SignedNote};
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::gate::txn::lost_race;
use crate::id::RequestId;
use crate::identity::Caller;
use crate::store::{Key, records};

/// What does not fit together here is wrong in the store.
fn damaged(cause: Error) -> Error {
    let help = "find out with `verify_deep` what else was changed; restore a backup";
    let error = Error::new(Code::StoreDamaged, cause.to_string()).with_help(help);
    let details = cause.details().clone();
    let error = details.iter().fold(error, |error, (name, value)| error.with_detail(name, value));
    error.with_source(cause)
}

impl Gate {
    /// Writes what proves the story of a request: its leaves byte for byte, the proof of each in the log, the signed
    /// head, the request with its revisions, history and runs as the leaves vouch for them, a report for people and a
    /// signed list of it all. Whoever has the folder and the log's key, this one or one before it, can check it offline, with
    /// [`crate::audit::verify_evidence`] or by hand: it holds the rotations of the key too. `write` gets each file's path and bytes, the signed list last.
    ///
    /// Whoever may read the request may; beside the keys of the log it holds nothing else than [`Self::view`],
    /// [`Self::history`] and [`Self::trail`] tell. Fails with [`Code::NotFound`] as they do, with [`Code::StoreDamaged`] where a record is not what
    /// its last leaf left, with [`Code::SignerUnavailable`] when the signer does not sign, and with the errors of `write`.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let mut files = BTreeMap::new();
    /// gate.evidence(&office.ana, id, |path, bytes| {
    ///     files.insert(path.to_owned(), bytes.to_vec());
    ///     Ok(())
    /// })?;
    /// assert!(files.contains_key("report.html") && files.contains_key("manifest"));
    /// assert!(gate.evidence(&office.bo, id, |_, _| Ok(())).is_err()); // Bo may not read here
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn evidence(
        &self,
        caller: &Caller,
        request: RequestId,
        mut write: impl FnMut(&str, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (leaves, records) = self.settled_story(caller, request)?;
        let indexes: Vec<u64> = leaves.iter().map(|(index, _)| *index).collect();
        let (signed, proofs) = self.prove_all(&indexes)?;
        let head = Checkpoint::open_note(&signed, self.origin(), self.verifier_key())?;
        let story = Story { request, made_at: self.now(), head, leaves, records };
        let mut manifest = Manifest::new(self.origin(), request, story.made_at);
        let mut add = |path: &str, bytes: &[u8]| {
            manifest.add(path, bytes);
            write(path, bytes)
        };
        for ((index, _), proof) in story.leaves.iter().zip(proofs) {
            add(&leaf_path(*index), &self.entry(*index)?)?;
            add(&proof_path(*index), proof.to_string().as_bytes())?;
        }
        for (index, rotation) in self.rotations()? {
            add(&rotation_path(index), rotation.note().to_string().as_bytes())?;
        }
        for (name, bytes) in &story.records {
            add(&record_path(name), bytes)?;
        }
        add(CHECKPOINT, signed.to_string().as_bytes())?;
        add(KEYS, format!("{}\n", self.verifier_key()).as_bytes())?;
        add(REPORT, report(&story).map_err(damaged)?.as_bytes())?;
        let text = readme(&manifest, self.verifier_key());
        manifest.add(README, text.as_bytes());
        write(README, text.as_bytes())?;
        let list = SignedNote::sign(&manifest.to_string(), &[&*self.parts.signer])?;
        write(MANIFEST, list.to_string().as_bytes())
    }

    /// An entry of the log, byte for byte.
    fn entry(&self, index: u64) -> Result<Vec<u8>, Error> {
        let entry = self.parts.store.log_read(index, 1)?.into_iter().next();
        entry.ok_or_else(|| {
            Error::new(Code::StoreDamaged, format!("log entry {index} cannot be read"))
                .with_help("restore the store from a backup")
        })
    }

    /// The leaves about a request, and the records as the last of them left them. The request may move on meanwhile:
    /// then it is read again.
    #[expect(clippy::type_complexity, reason = "two lists that belong together here only")]
    fn settled_story(
        &self,
        caller: &Caller,
        request: RequestId,
    ) -> Result<(Vec<(u64, Leaf)>, BTreeMap<String, Vec<u8>>), Error> {
        let mut len = None;
        for _ in 0..=self.parts.limits.conflict_retries_max {
            let leaves = self.trail(caller, request)?;
            match self.left_by(&leaves, request) {
                Err(error) if error.code() == Code::StoreDamaged && len != Some(leaves.len()) => {
                    len = Some(leaves.len());
                }
                Err(error) => return Err(error),
                Ok(records) => return Ok((leaves, records)),
            }
        }
        Err(lost_race())
    }

    fn left_by(
        &self,
        leaves: &[(u64, Leaf)],
        request: RequestId,
    ) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let left = Story::left(leaves, request);
        let mut found = BTreeMap::new();
        for (name, digest) in left {
            debug_assert!(is_evidence(name, request), "only such records are left");
            let key = Key::from_segments(&name.split('/').collect::<Vec<_>>());
            let stored = self.parts.store.get(&key)?;
            let stored = stored.filter(|stored| records::digest(&stored.value) == digest);
            let stored = stored.ok_or_else(|| {
                Error::new(Code::StoreDamaged, format!("`{name}` is not what its last leaf left"))
                    .with_help(
                        "find out with `verify_deep` what else was changed; restore a backup",
                    )
            })?;
            found.insert(name.to_owned(), stored.value);
        }
        Ok(found)
    }
}
