//! The log's head, handed to witnesses, and compared with what they saw.

use super::proof::Step;
use crate::audit::{Checkpoint, SignedNote, Submission, Witness, WitnessError};
use crate::error::{Code, Error};
use crate::gate::Gate;

/// A head that a witness has taken.
///
/// ```
/// use placet_core::testing::{MemoryHeads, Office};
///
/// let (gate, office) = Office::in_memory()?;
/// let taken = gate.anchor(&MemoryHeads::default())?;
/// assert_eq!(usize::try_from(taken.size), Ok(gate.audit(&office.root, 0)?.len()));
/// assert!(!taken.is_cosigned); // this witness remembers, and does not sign
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Anchored {
    /// The head, signed by the log, with the cosignature of the witness where it makes one. Worth keeping: it shows
    /// to others that somebody else has seen this head.
    pub checkpoint: SignedNote,
    /// How many leaves it has.
    pub size: u64,
    /// Whether the witness vouches for it by a signature.
    pub is_cosigned: bool,
}

/// What came of comparing this log with what a witness saw of it.
///
/// ```
/// use placet_core::gate::Comparison;
/// use placet_core::testing::{MemoryHeads, Office};
///
/// let (gate, office) = Office::in_memory()?;
/// let witness = MemoryHeads::default();
/// assert!(matches!(gate.compare_with(&witness)?, Comparison::Unseen));
/// let size = gate.anchor(&witness)?.size;
/// office.pending(&gate)?; // the log grows
/// assert!(matches!(gate.compare_with(&witness)?, Comparison::Continues { size: seen } if seen == size));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers must handle every ending, above all a rollback"
)]
pub enum Comparison {
    /// The witness never saw a head of this log.
    Unseen,
    /// This log continues the latest head that the witness saw.
    Continues {
        /// How many leaves that head has.
        size: u64,
    },
    /// The witness saw a head that this log does not continue.
    RolledBack(Box<Rollback>),
}

/// The evidence that a log went back: a head that it signed once, and what it signs now.
///
/// ```
/// use placet_core::gate::{Comparison, Gate};
/// use placet_core::testing::{Bench, MemoryHeads, Office};
/// use placet_core::store::MemoryStore;
/// use std::sync::Arc;
///
/// let witness = MemoryHeads::default();
/// let (gate, _) = Office::in_memory()?;
/// gate.anchor(&witness)?;
///
/// // The same log, with the same key, and nothing in it: a store that was put back to its beginning.
/// let back = Gate::new(Bench::on(Arc::new(MemoryStore::default()))?.parts);
/// let Comparison::RolledBack(found) = back.compare_with(&witness)? else { panic!("not found") };
/// assert!(found.own_size < found.seen_size && !found.is_fork());
/// // Both heads verify with the key of the log: nobody needs to believe the witness.
/// for head in [&found.seen, &found.own] {
///     head.verify(&[back.verifier_key().clone()])?;
/// }
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rollback {
    /// What the witness is called.
    pub witness: String,
    /// The head that the witness saw, signed by this log.
    pub seen: SignedNote,
    /// How many leaves it has.
    pub seen_size: u64,
    /// The head of this log now. Where that is as long as the other or longer, the head that it has at that size: the
    /// two then contradict each other by their roots alone.
    pub own: SignedNote,
    /// How many leaves that has.
    pub own_size: u64,
}

impl Rollback {
    /// Whether the log holds other leaves than the witness saw, and not only fewer.
    ///
    /// ```
    /// use placet_core::gate::Rollback;
    ///
    /// fn headline(found: &Rollback) -> &'static str {
    ///     if found.is_fork() { "the log was written anew" } else { "the log is an old copy" }
    /// }
    /// ```
    pub fn is_fork(&self) -> bool {
        self.own_size >= self.seen_size
    }

    /// It as an error with the code [`Code::RolledBack`]; the details `seen` and `own` are the two heads.
    ///
    /// ```
    /// use placet_core::gate::Rollback;
    ///
    /// fn evidence(found: &Rollback) -> String {
    ///     let error = found.to_error();
    ///     format!("{error}\n\n{}\n{}", error.details()["seen"], error.details()["own"])
    /// }
    /// ```
    pub fn to_error(&self) -> Error {
        let (witness, seen, own) = (&self.witness, self.seen_size, self.own_size);
        let sentence = if self.is_fork() {
            format!(
                "the first {seen} leaves of the log are others than the witness `{witness}` saw"
            )
        } else {
            format!("the log has {own} leaves, and the witness `{witness}` has seen {seen}")
        };
        Error::new(Code::RolledBack, sentence)
            .with_help("keep both signed heads as evidence, write nothing more, and restore the newest copy of the store")
            .with_detail("witness", witness)
            .with_detail("size", own)
            .with_detail("size_seen", seen)
            .with_detail("own", &self.own)
            .with_detail("seen", &self.seen)
    }
}

impl Gate {
    /// Signs the log's present head and hands it to `witness`, with the proof that it continues what the witness saw.
    /// From then on a log that lacks these leaves is found by [`Self::compare_with`].
    ///
    /// A witness that another node told a later head meanwhile is handed that proof, once. Nobody is kept from
    /// committing while this waits for the witness.
    ///
    /// Fails with [`Code::RolledBack`] when the witness has seen what this log does not continue: nothing is handed
    /// over then. Fails with [`Code::WitnessUnavailable`], [`Code::WitnessRefused`], with [`Code::Conflict`] when its
    /// latest head is yet another one, and as [`Self::checkpoint`] does.
    ///
    /// ```
    /// use placet_core::testing::{MemoryHeads, Office};
    ///
    /// let (gate, office) = Office::in_memory()?;
    /// let witness = MemoryHeads::default();
    /// let first = gate.anchor(&witness)?.size;
    /// office.pending(&gate)?;
    /// assert!(gate.anchor(&witness)?.size > first);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn anchor(&self, witness: &dyn Witness) -> Result<Anchored, Error> {
        // Its head before ours: what it saw of a store that nodes share is then in what we read.
        let earlier = match self.compare_with(witness)? {
            Comparison::Unseen => 0,
            Comparison::Continues { size } => size,
            Comparison::RolledBack(found) => return Err(found.to_error()),
        };
        match self.hand_over(witness, earlier)? {
            Err(WitnessError::Conflict { size }) => match self.hand_over(witness, size)? {
                Err(refusal) => Err(self.why(witness, refusal)),
                Ok(anchored) => Ok(anchored),
            },
            Err(refusal) => Err(self.why(witness, refusal)),
            Ok(anchored) => Ok(anchored),
        }
    }

    /// Compares this log with the latest head that `witness` saw of it.
    ///
    /// Fails with [`Code::WitnessUnavailable`] and [`Code::WitnessRefused`] when the witness does not tell, with
    /// [`Code::LogTampered`] when what it tells is not signed with this log's key, and as [`Self::checkpoint`] does.
    ///
    /// ```
    /// use placet_core::error::Code;
    /// use placet_core::gate::{Comparison, Gate};
    /// # use placet_core::store::MemoryStore;
    /// # use placet_core::testing::{Bench, MemoryHeads, Office};
    ///
    /// # let witness = MemoryHeads::default();
    /// # let (gate, _) = Office::in_memory()?;
    /// # gate.anchor(&witness)?;
    /// # let restored = Gate::new(Bench::on(std::sync::Arc::new(MemoryStore::default()))?.parts);
    /// // `restored` stands on an old copy of the store.
    /// if let Comparison::RolledBack(found) = restored.compare_with(&witness)? {
    ///     assert_eq!(found.to_error().code(), Code::RolledBack);
    /// }
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn compare_with(&self, witness: &dyn Witness) -> Result<Comparison, Error> {
        let seen = witness.latest(self.origin()).map_err(|why| why.into_error(witness.name()))?;
        let Some(note) = seen else { return Ok(Comparison::Unseen) };
        let seen = self.open_head(&note).map_err(|cause| not_ours(witness, cause))?;
        let step = self.step_from(seen.size())?;
        let (own, own_size) = match step.before {
            Some((root, _)) if root == seen.root() => {
                return Ok(Comparison::Continues { size: seen.size() });
            }
            Some((root, _)) => {
                let head = Checkpoint::new(self.origin(), seen.size(), root)?;
                (head.sign(&[&*self.parts.signer])?, seen.size())
            }
            None => (step.head, step.size),
        };
        Ok(Comparison::RolledBack(Box::new(Rollback {
            witness: witness.name().to_owned(),
            seen: note,
            seen_size: seen.size(),
            own,
            own_size,
        })))
    }

    /// Hands the present head over with the proof from `earlier` leaves on. The inner error is the witness's.
    fn hand_over(
        &self,
        witness: &dyn Witness,
        earlier: u64,
    ) -> Result<Result<Anchored, WitnessError>, Error> {
        let Step { head, size, before } = self.step_from(earlier)?;
        let Some((_, proof)) = before else {
            // It says so and shows nothing: that is no evidence, and no reason to go on either.
            let sentence = format!(
                "the witness `{}` says that it has seen {earlier} leaves, and the log has {size}",
                witness.name()
            );
            return Err(Error::new(Code::RolledBack, sentence)
                .with_help("ask the witness for the head that it has seen: it is the evidence")
                .with_detail("witness", witness.name())
                .with_detail("size", size)
                .with_detail("size_seen", earlier));
        };
        let submission = Submission::new(earlier, head.clone(), proof)?;
        Ok(witness.anchor(&submission).map(|cosigned| {
            let is_cosigned = cosigned.is_some();
            Anchored { checkpoint: cosigned.unwrap_or(head), size, is_cosigned }
        }))
    }

    /// Why a witness did not take a head. One that refuses a proof may have seen another log: then that is why.
    fn why(&self, witness: &dyn Witness, refusal: WitnessError) -> Error {
        if let WitnessError::Refused(_) = &refusal
            && let Ok(Comparison::RolledBack(found)) = self.compare_with(witness)
        {
            return found.to_error();
        }
        refusal.into_error(witness.name())
    }
}

fn not_ours(witness: &dyn Witness, cause: Error) -> Error {
    let sentence = format!(
        "what the witness `{}` keeps is no head that this log signed: {cause}",
        witness.name()
    );
    Error::new(Code::LogTampered, sentence)
        .with_help("name a witness of this very log, or find out who wrote to it")
        .with_detail("witness", witness.name())
        .with_source(cause)
}
