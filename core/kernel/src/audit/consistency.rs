//! Proofs that a log only grew.

use super::checkpoint::Checkpoint;
use super::encoding::malformed;
use super::key::VerifierKey;
use super::merkle::verify_consistency;
use super::note::SignedNote;
use super::tiled::TiledTree;
use super::tiles::TilePath;
use crate::digest::Digest;
use crate::error::Error;

/// Evidence that a log continues a head that somebody kept: the hashes that lead from one to the other
/// (RFC 6962, section 2.1.2), and the later head, signed. It is what a witness asks for.
///
/// ```
/// use placet_core::audit::Checkpoint;
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let (origin, key) = (gate.origin(), gate.verifier_key());
/// let kept = Checkpoint::open_note(&gate.checkpoint()?, origin, key)?; // by an auditor
/// office.pending(&gate)?; // the log grows
///
/// let proof = gate.prove_consistency(kept.size())?;
/// let now = proof.verify(&kept, key)?;
/// assert!(now.size() > kept.size());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsistencyProof {
    earlier: u64,
    hashes: Vec<Digest>,
    checkpoint: SignedNote,
}

impl ConsistencyProof {
    /// The proof that the log under `checkpoint` begins with its first `earlier` leaves, from the few tiles that it
    /// takes. What is read is held against the checkpoint's root.
    ///
    /// Fails with `invalid_input` when `checkpoint` is not one, or the log had no such size, with `log_tampered` when
    /// the tiles are not those of `checkpoint`, and as [`TiledTree::consistency_proof`] does.
    pub fn from_tiles<R: Fn(TilePath) -> Result<Option<Vec<u8>>, Error>>(
        tree: &TiledTree<R>,
        earlier: u64,
        checkpoint: SignedNote,
    ) -> Result<Self, Error> {
        let head: Checkpoint = checkpoint.unverified_text().parse()?;
        let (before, hashes) = tree.root_and_proof(earlier, head.size())?;
        verify_consistency(earlier, head.size(), &hashes, &before, &head.root()).map_err(
            |error| error.with_help("the tiles are not those of this checkpoint: make them again"),
        )?;
        Ok(Self { earlier, hashes, checkpoint })
    }

    /// The size that the log had.
    pub fn earlier(&self) -> u64 {
        self.earlier
    }

    /// The hashes, in the order of RFC 6962. None where the log had no leaves, or has none more.
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// The signed later head, not verified.
    pub fn checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }

    /// Checks that the log whose key is `key` continues the head that was `kept`, and returns the later head.
    ///
    /// Fails with `invalid_input` when the proof begins at another size, and with `log_tampered` when the signature
    /// or the proof does not verify, or the head is that of another log.
    pub fn verify(&self, kept: &Checkpoint, key: &VerifierKey) -> Result<Checkpoint, Error> {
        if kept.size() != self.earlier {
            let sentence =
                format!("the proof begins at {} leaves, not at {}", self.earlier, kept.size());
            return Err(
                malformed(sentence).with_help("ask for a proof from the size that you kept")
            );
        }
        let head = Checkpoint::open_note(&self.checkpoint, kept.origin(), key)?;
        let (before, now) = (kept.root(), head.root());
        verify_consistency(self.earlier, head.size(), &self.hashes, &before, &now)?;
        Ok(head)
    }
}
