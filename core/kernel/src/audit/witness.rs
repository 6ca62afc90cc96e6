//! Witnesses: who remembers the log's heads elsewhere, so that a log that went back is found.
//!
//! # What a witness proves, and what it does not
//!
//! A log that signs its own heads cannot lie about the past of one head: proofs find that. Whoever holds the store
//! *and* the key can put back an old copy of both, or begin to write another history, and the log by itself looks
//! sound. A witness is somebody else who keeps the latest head that it saw, and takes a new one only with a proof that
//! it continues that one. So:
//!
//! - A log that became shorter, or another one, than what a witness saw is found when the two are compared. The two
//!   signed heads are the evidence, and need nobody's word.
//! - What happened after the latest head that a witness saw is not covered: anchor often.
//! - Nothing is found by a witness that goes back together with the log: one on the same disk, in the same backup, or
//!   held by the same hand. Who can write to it can put back its memory too, unless it is somebody else's.
//! - A witness does not see leaves. It says nothing about what they tell, only that none of them was taken back.
//! - A cosignature says that one witness saw one history. That all people see the same history takes witnesses that
//!   they all trust.

use core::fmt;
use core::str::FromStr as _;

use super::checkpoint::Checkpoint;
use super::encoding::{
    digest_from_base64, from_decimal, last_line, malformed, malformed_at, moved_down, text_of,
    to_base64,
};
use super::merkle::{empty_root, verify_consistency};
use super::note::SignedNote;
use crate::digest::Digest;
use crate::error::{Code, Error};

/// The most hashes of a consistency proof in a submission (C2SP tlog-witness, "add-checkpoint").
const PROOF_LINES_MAX: usize = 63;

/// Remembers the latest head that it saw of each log, and takes a later one only when it continues that.
///
/// Whoever implements it reaches somebody else: another machine, another's repository, a public witness. Where it only
/// has to keep bytes, [`HeadStore`] is less to write.
///
/// ```
/// use placet_core::audit::Witness;
/// use placet_core::testing::{MemoryHeads, Office};
///
/// let (gate, office) = Office::in_memory()?;
/// let witness: &dyn Witness = &MemoryHeads::default();
/// assert!(witness.latest(gate.origin())?.is_none());
/// gate.anchor(witness)?;
/// assert!(witness.latest(gate.origin())?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Witness: Send + Sync + fmt::Debug {
    /// What messages call it.
    fn name(&self) -> &str;

    /// The latest head that it saw of the log `origin`, as the log signed it; `None` when it never saw one.
    fn latest(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError>;

    /// Takes a head when it continues the latest one, and remembers it before it answers. The answer is the same note
    /// with its cosignature, or `None` from those who only remember.
    ///
    /// Fails with [`WitnessError::Conflict`] when the proof does not begin at the latest head.
    fn anchor(&self, submission: &Submission) -> Result<Option<SignedNote>, WitnessError>;
}

/// Why a witness did not do what it was asked.
///
/// ```
/// use placet_core::audit::WitnessError;
/// use placet_core::error::{Code, Error};
///
/// let refused = WitnessError::Refused(Error::new(Code::WitnessRefused, "it does not know this log"));
/// assert_eq!(refused.into_error("w1").to_string(), "the witness `w1`: it does not know this log");
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever anchors must tell all three apart")]
pub enum WitnessError {
    /// Its latest head is another one than the proof begins at. It has this many leaves.
    Conflict {
        /// The size of the latest head that it saw.
        size: u64,
    },
    /// It cannot be reached, or cannot remember anything just now. Ask again later.
    Unreachable(Error),
    /// It does not take this, and would not later: it does not know the log, does not trust the signature, or the
    /// proof does not verify.
    Refused(Error),
}

impl WitnessError {
    /// It cannot be reached, with the next step to take.
    pub fn unreachable(sentence: impl Into<String>, help: &str) -> Self {
        Self::Unreachable(Error::new(Code::WitnessUnavailable, sentence).with_help(help))
    }

    /// It refuses, with the next step to take.
    pub fn refused(sentence: impl Into<String>, help: &str) -> Self {
        Self::Refused(Error::new(Code::WitnessRefused, sentence).with_help(help))
    }

    /// The same as an error that names the witness.
    pub fn into_error(self, witness: &str) -> Error {
        let (code, cause) = match self {
            Self::Conflict { size } => {
                let sentence =
                    format!("the witness `{witness}` has seen another head, of {size} leaves");
                return Error::new(Code::Conflict, sentence)
                    .with_help("anchor again: the proof must begin at the head that it saw")
                    .with_detail("witness", witness)
                    .with_detail("size", size);
            }
            Self::Unreachable(cause) => (Code::WitnessUnavailable, cause),
            Self::Refused(cause) => (Code::WitnessRefused, cause),
        };
        let error = Error::new(code, format!("the witness `{witness}`: {cause}"))
            .with_help(cause.help().unwrap_or("look at the cause"))
            .with_detail("witness", witness);
        error.with_source(cause)
    }
}

impl fmt::Display for WitnessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { size } => write!(f, "the latest head that it saw has {size} leaves"),
            Self::Unreachable(cause) | Self::Refused(cause) => fmt::Display::fmt(cause, f),
        }
    }
}

impl core::error::Error for WitnessError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Conflict { .. } => None,
            Self::Unreachable(cause) | Self::Refused(cause) => Some(cause),
        }
    }
}

/// A signed head, and the proof that it continues an earlier one. Printed, it is the body of a request to
/// `add-checkpoint` (C2SP tlog-witness), byte for byte.
///
/// ```
/// use placet_core::audit::{Checkpoint, Ed25519Signer, MerkleTree, Submission, leaf_hash};
/// let mut log: MerkleTree = [b"ana", b"bo."].map(|entry| leaf_hash(entry)).into_iter().collect();
/// log.append(leaf_hash(b"zoe"));
/// let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let head = Checkpoint::new("example.com/log", 3, log.root())?.sign(&[&signer])?;
///
/// let submission = Submission::new(2, head, log.consistency_proof(2, 3)?)?;
/// let body = submission.to_string();
/// assert!(body.starts_with("old 2\n"));
/// assert_eq!(Submission::parse(body.as_bytes())?, submission);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Submission {
    earlier_size: u64,
    // Invariant: at most PROOF_LINES_MAX.
    proof: Vec<Digest>,
    note: SignedNote,
    // Invariant: what the text of `note` says. Nobody has verified it.
    checkpoint: Checkpoint,
}

impl Submission {
    /// The head `note`, and the consistency proof from the head of `earlier_size` leaves.
    ///
    /// Fails with `invalid_input` when the note is no checkpoint or the proof is longer than 63 hashes.
    pub fn new(earlier_size: u64, note: SignedNote, proof: Vec<Digest>) -> Result<Self, Error> {
        if proof.len() > PROOF_LINES_MAX {
            let sentence = format!("the proof has more than {PROOF_LINES_MAX} hashes");
            return Err(malformed(sentence).with_detail("limit", PROOF_LINES_MAX));
        }
        let checkpoint = Checkpoint::from_str(note.unverified_text())?;
        Ok(Self { earlier_size, proof, note, checkpoint })
    }

    /// Reads the body of a request to `add-checkpoint`. Nothing is verified yet.
    ///
    /// Fails with `invalid_input` or `too_large` when it is not one.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let wrong = |line, what: &str| {
            malformed_at(line, format!("the request is not one to a witness: {what}"))
                .with_help("the form is that of C2SP tlog-witness, `add-checkpoint`")
        };
        let body = text_of(body, "the request to a witness")?;
        let (before, note) = body
            .split_once("\n\n")
            .ok_or_else(|| wrong(last_line(body), "it has no empty line"))?;
        let mut lines = before.split('\n').zip(1_usize..);
        let old = lines.next().and_then(|(line, _)| from_decimal(line.strip_prefix("old ")?));
        let earlier_size = old.ok_or_else(|| wrong(1, "it does not begin with an old size"))?;
        // One more than may be: `new` counts.
        let hashes = lines.take(PROOF_LINES_MAX.saturating_add(1)).map(|(hash, line)| {
            digest_from_base64(hash).ok_or_else(|| wrong(line, "a line of the proof is not a hash"))
        });
        let proof = hashes.collect::<Result<Vec<_>, _>>()?;
        let in_whole = |error| moved_down(error, last_line(before).saturating_add(1));
        let note = SignedNote::parse(note.as_bytes()).map_err(in_whole)?;
        Self::new(earlier_size, note, proof).map_err(in_whole)
    }

    /// The size of the head that the proof begins at; 0 for a log that the witness never saw.
    pub fn earlier_size(&self) -> u64 {
        self.earlier_size
    }

    /// The consistency proof (RFC 6962, section 2.1.2).
    pub fn proof(&self) -> &[Digest] {
        &self.proof
    }

    /// The signed head.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// What the head says. Nobody has verified its signatures.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Checks that the head continues the latest one that was seen of its log. Signatures are not looked at.
    ///
    /// Fails with [`WitnessError::Conflict`] when the proof begins at another size, and with [`WitnessError::Refused`]
    /// when it does not show it.
    pub fn follows(&self, seen: Option<&SignedNote>) -> Result<(), WitnessError> {
        let seen = seen.map(|note| Checkpoint::from_str(note.unverified_text())).transpose();
        let seen = seen.map_err(WitnessError::Refused)?;
        if let Some(seen) = seen.as_ref().filter(|seen| seen.origin() != self.checkpoint.origin()) {
            let sentence = format!("it keeps the heads of another log, `{}`", seen.origin());
            return Err(WitnessError::refused(sentence, "give each log a witness of its own"));
        }
        let (size, root) = seen.map_or((0, empty_root()), |seen| (seen.size(), seen.root()));
        if self.earlier_size != size {
            return Err(WitnessError::Conflict { size });
        }
        let (head, proof) = (&self.checkpoint, &self.proof);
        verify_consistency(size, head.size(), proof, &root, &head.root())
            .map_err(WitnessError::Refused)
    }
}

impl fmt::Display for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.earlier_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash.as_bytes())))?;
        write!(f, "\n{}", self.note)
    }
}

/// Keeps the latest head of each log, and replaces it only when nobody else did meanwhile. Whatever does so is a
/// [`Witness`] that remembers and does not sign, and the memory of one that signs.
///
/// ```
/// use placet_core::audit::HeadStore;
/// use placet_core::testing::{MemoryHeads, Office};
///
/// let (gate, _) = Office::in_memory()?;
/// let (heads, head) = (MemoryHeads::default(), gate.checkpoint()?);
/// assert!(heads.replace(gate.origin(), None, &head)?);
/// assert!(!heads.replace(gate.origin(), None, &head)?, "there is one by now");
/// assert_eq!(heads.read(gate.origin())?, Some(head));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait HeadStore: Send + Sync + fmt::Debug {
    /// Where it keeps them, for messages.
    fn place(&self) -> &str;

    /// What it keeps for the log `origin`.
    ///
    /// Fails with [`WitnessError::Refused`] where there is something and it is no head: a cut file is not a log that was
    /// never seen.
    fn read(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError>;

    /// Replaces what it keeps for the log `origin` by `new`, if that is still `expected`, in one step: of two at once one
    /// is told `false`, and changes nothing. On `Ok(true)` the new head survives kill -9 and a power cut.
    fn replace(
        &self,
        origin: &str,
        expected: Option<&SignedNote>,
        new: &SignedNote,
    ) -> Result<bool, WitnessError>;
}

impl<S: HeadStore> Witness for S {
    fn name(&self) -> &str {
        self.place()
    }

    fn latest(&self, origin: &str) -> Result<Option<SignedNote>, WitnessError> {
        self.read(origin)
    }

    fn anchor(&self, submission: &Submission) -> Result<Option<SignedNote>, WitnessError> {
        let origin = submission.checkpoint().origin();
        let seen = self.read(origin)?;
        submission.follows(seen.as_ref())?;
        if self.replace(origin, seen.as_ref(), submission.note())? {
            return Ok(None);
        }
        let seen = self.read(origin)?;
        let seen = seen.map(|note| Checkpoint::from_str(note.unverified_text())).transpose();
        let size = seen.map_err(WitnessError::Refused)?.map_or(0, |seen| seen.size());
        Err(WitnessError::Conflict { size })
    }
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
