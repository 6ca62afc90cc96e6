//! The log's head, and what proves an entry of it.

use crate::audit::{
    self, CHECKPOINT_PATH, Checkpoint, ConsistencyProof, Destination, Edge, LogProof, SignedNote,
    VerifierKey,
};
use crate::authz::{Audit, Scope};
use crate::digest::Digest;
use crate::error::{Code, Error};
use crate::gate::Gate;
use crate::identity::Caller;

/// The log's head, and how it came from a shorter log.
pub(in crate::gate) struct Step {
    /// The head, signed.
    pub(in crate::gate) head: SignedNote,
    /// How many leaves it has.
    pub(in crate::gate) size: u64,
    /// The root of the shorter log, and the proof that the head continues it; `None` where it would be the longer one.
    pub(in crate::gate) before: Option<(Digest, Vec<Digest>)>,
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
        self.head(&self.edge()?)
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
        let edge = self.edge()?;
        if index >= edge.size() {
            return Err(Error::new(Code::NotFound, format!("the log has no entry {index}"))
                .with_help(format!("name one of the {} entries, counted from 0", edge.size())));
        }
        LogProof::from_tiles(&self.tiled(&edge), index, self.head(&edge)?)
    }

    /// The proof that the log, under a head signed now, begins with the `earlier_size` entries that it had once. A
    /// witness, or whoever kept a head, asks for it.
    ///
    /// Fails with [`Code::InvalidInput`] when the log never had that size.
    ///
    /// ```
    /// use placet_core::audit::Checkpoint;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let kept = Checkpoint::open_note(&gate.checkpoint()?, gate.origin(), gate.verifier_key())?;
    /// office.pending(&gate)?;
    /// let proof = gate.prove_consistency(kept.size())?;
    /// assert!(proof.verify(&kept, gate.verifier_key())?.size() > kept.size());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn prove_consistency(&self, earlier_size: u64) -> Result<ConsistencyProof, Error> {
        let edge = self.edge()?;
        ConsistencyProof::from_tiles(&self.tiled(&edge), earlier_size, self.head(&edge)?)
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
        self.export_to(caller, &mut Anew(write))
    }

    /// Brings an export up to date: only files that the destination has not are written, the checkpoint last. For
    /// PLATFORM_ADMIN and AUDITOR.
    ///
    /// The checkpoint that the destination has is verified first, and the log must continue it. An export that was
    /// interrupted, or stopped by [`Destination::progress`], goes on where it ended. Files of earlier heads stay: a
    /// host may clear away partial tiles (`….p/…`) whose full tile is there. Memory does not grow with the log.
    ///
    /// Fails with [`Code::Denied`] for everybody else, with [`Code::LogTampered`] when the log does not continue what
    /// is there, or that is not an export of this log, and with the errors of the destination.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use placet_core::audit::verify_export;
    /// use placet_core::testing::Office;
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let mut folder = BTreeMap::new(); // a host writes files
    /// gate.export_to(&office.root, &mut folder)?;
    /// office.pending(&gate)?;
    /// gate.export_to(&office.root, &mut folder)?; // writes what is new
    ///
    /// let read = |path: &str| Ok(folder.get(path).cloned());
    /// let whole = verify_export(read, gate.origin(), gate.verifier_key())?;
    /// assert_eq!(whole.checkpoint().size(), u64::try_from(gate.audit(&office.root, 0)?.len())?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn export_to(&self, caller: &Caller, to: &mut dyn Destination) -> Result<(), Error> {
        self.consult(|txn| {
            let permit = txn.ask::<Audit>(caller.user(), Scope::Platform, "audit log")?;
            permit.spend_on(&Scope::Platform).map(drop)
        })?;
        // A copy: the destination may take long, or call this gate.
        let edge = self.edge()?;
        let head = self.head(&edge)?;
        let earlier = to.read(CHECKPOINT_PATH)?;
        let earlier = earlier
            .map(|bytes| self.open_head(&SignedNote::parse(&bytes)?))
            .transpose()
            .map_err(not_ours)?;
        let entries = |from, limit| Ok(self.parts.store.log_read(from, limit)?);
        audit::export(&self.tiled(&edge), &head, earlier.as_ref(), entries, to)
    }

    /// The step from the first `earlier` leaves to the present head.
    pub(in crate::gate) fn step_from(&self, earlier: u64) -> Result<Step, Error> {
        let edge = self.edge()?;
        let size = edge.size();
        let before = if earlier <= size {
            let tiled = self.tiled(&edge);
            Some((tiled.root_at(earlier)?, tiled.consistency_proof(earlier, size)?))
        } else {
            None
        };
        Ok(Step { head: self.head(&edge)?, size, before })
    }

    /// The head signed now, and the proof of each of these entries under it.
    pub(in crate::gate) fn prove_all(
        &self,
        indexes: &[u64],
    ) -> Result<(SignedNote, Vec<LogProof>), Error> {
        let edge = self.edge()?;
        let (head, tiled) = (self.head(&edge)?, self.tiled(&edge));
        let proofs = indexes.iter().map(|index| LogProof::from_tiles(&tiled, *index, head.clone()));
        let proofs = proofs.collect::<Result<_, _>>()?;
        Ok((head, proofs))
    }

    fn head(&self, edge: &Edge) -> Result<SignedNote, Error> {
        self.check_key()?;
        Checkpoint::new(self.origin(), edge.size(), edge.root())?.sign(&[&*self.parts.signer])
    }
}

/// A destination that has nothing yet.
struct Anew<W>(W);

impl<W: FnMut(&str, &[u8]) -> Result<(), Error>> Destination for Anew<W> {
    fn read(&self, _path: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(None)
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        (self.0)(path, bytes)
    }
}

fn not_ours(cause: Error) -> Error {
    let sentence = format!("what is there is not an export of this log: {cause}");
    Error::new(Code::LogTampered, sentence)
        .with_help("export to another place, and keep what is there")
        .with_detail("path", CHECKPOINT_PATH)
        .with_source(cause)
}
