//! The log's head, and what proves an entry of it.

use std::sync::{MutexGuard, PoisonError};

use super::Gate;
use crate::audit::{self, Checkpoint, LogProof, MerkleTree, SignedNote, VerifierKey, leaf_hash};
use crate::authz::{Audit, Scope};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::identity::Caller;

/// How many log entries are read at a time.
const PAGE: usize = 1_024;

/// The log's head, and how it came from a shorter log.
pub(super) struct Step {
    /// The head, signed.
    pub(super) head: SignedNote,
    /// How many leaves it has.
    pub(super) size: u64,
    /// The root of the shorter log, and the proof that the head continues it; `None` where it would be the longer one.
    pub(super) before: Option<(Digest, Vec<Digest>)>,
}

impl Gate {
    /// The log's present head, signed. Anybody may have it: it gives nothing away.
    ///
    /// Its form is that of C2SP tlog-checkpoint. Fails with [`Code::SignerUnavailable`] when the signer does,
    /// and with [`Code::StoreDamaged`] when an entry cannot be read.
    ///
    /// ```
    /// use placet_core::audit::Checkpoint;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let signed = gate.checkpoint()?;
    /// let head = Checkpoint::open_note(&signed, gate.origin(), gate.verifier_key())?;
    /// let entries = gate.audit(&office.root, 0)?;
    /// assert_eq!(usize::try_from(head.size()), Ok(entries.len()));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn checkpoint(&self) -> Result<SignedNote, Error> {
        self.head(&*self.tree()?)
    }

    /// The key that checkpoints verify with.
    ///
    /// Publish its text form (C2SP signed-note): whoever has it needs nothing else of this gate.
    ///
    /// ```
    /// use placet_core::audit::{SignedNote, VerifierKey};
    /// use placet_core::testing::Office;
    ///
    /// let (gate, _) = Office::in_memory()?;
    /// let (published, note) = (gate.verifier_key().to_string(), gate.checkpoint()?.to_string());
    /// // Elsewhere:
    /// let key: VerifierKey = published.parse()?;
    /// assert!(SignedNote::parse(note.as_bytes())?.verify(&[key]).is_ok());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn verifier_key(&self) -> &VerifierKey {
        self.parts.signer.verifier_key()
    }

    /// The first line of every checkpoint: the name of this log.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, _) = Office::in_memory()?;
    /// let checkpoint = gate.checkpoint()?.to_string();
    /// assert_eq!(checkpoint.lines().next(), Some(gate.origin()));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn origin(&self) -> &str {
        self.parts.signer.name()
    }

    /// The proof that entry `index` is in the log, under a head signed now.
    ///
    /// Fails with [`Code::NotFound`] when there is no such entry.
    /// Its form is that of C2SP tlog-proof.
    ///
    /// ```
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let id = office.approved(&gate)?.header.id;
    /// let (index, leaf) = gate.trail(&office.ana, id)?.pop().expect("there are entries");
    /// let proof = gate.prove(index)?;
    /// let head = proof.verify(&leaf.to_bytes()?, gate.origin(), gate.verifier_key())?;
    /// assert!(index < head.size());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn prove(&self, index: u64) -> Result<LogProof, Error> {
        let tree = self.tree()?;
        if index >= tree.len() {
            return Err(Error::new(Code::NotFound, format!("the log has no entry {index}"))
                .with_help(format!("name one of the {} entries, counted from 0", tree.len())));
        }
        LogProof::new(&tree, index, self.head(&tree)?)
    }

    /// Writes the whole log as a static folder that any web server can serve and anybody can verify
    /// (C2SP tlog-tiles). `write` gets each file's path and bytes, the checkpoint last. For
    /// PLATFORM_ADMIN and AUDITOR.
    /// Fails with [`Code::Denied`] for everybody else, and with the errors of `write`.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use placet_core::audit::verify_export;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let mut files = BTreeMap::new();
    /// gate.export(&office.root, |path, bytes| {
    ///     files.insert(path.to_owned(), bytes.to_vec());
    ///     Ok(())
    /// })?;
    /// let read = |path: &str| Ok(files.get(path).cloned());
    /// let whole = verify_export(read, gate.origin(), gate.verifier_key())?;
    /// assert!(whole.checkpoint().size() > 0);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn export(
        &self,
        caller: &Caller,
        write: impl FnMut(&str, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "audit log")?;
            permit.spend_on(&Scope::Platform).map(drop)
        })?;
        // A copy: the host's `write` may take long, or call this gate.
        let tree = self.tree()?.clone();
        let head = self.head(&tree)?;
        let read = |from, limit| Ok(self.parts.store.log_read(from, limit)?);
        audit::export(&tree, &head, read, write)
    }

    /// The step from the first `earlier` leaves to the present head.
    pub(super) fn step_from(&self, earlier: u64) -> Result<Step, Error> {
        let tree = self.tree()?;
        let size = tree.len();
        let before = if earlier <= size {
            Some((tree.root_at(earlier)?, tree.consistency_proof(earlier, size)?))
        } else {
            None
        };
        let head = Checkpoint::new(self.origin(), size, tree.root())?;
        // A key service may take its time; nobody waits for the tree meanwhile.
        drop(tree);
        Ok(Step { head: head.sign(&[&*self.parts.signer])?, size, before })
    }

    fn head(&self, tree: &MerkleTree) -> Result<SignedNote, Error> {
        Checkpoint::new(self.origin(), tree.len(), tree.root())?.sign(&[&*self.parts.signer])
    }

    /// The hashes of the whole log, grown by what was appended since the last call.
    fn tree(&self) -> Result<MutexGuard<'_, MerkleTree>, Error> {
        // Grown entry by entry: a panic in between leaves a shorter tree, never a wrong one.
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.parts.store.log_len()?;
        while tree.len() < len {
            let entries = self.parts.store.log_read(tree.len(), PAGE)?;
            if entries.is_empty() {
                return Err(Error::new(
                    Code::StoreDamaged,
                    format!("log entry {} of {len} cannot be read", tree.len()),
                )
                .with_help("restore the store from a backup"));
            }
            for entry in entries {
                tree.append(leaf_hash(&entry));
            }
        }
        Ok(tree)
    }
}
