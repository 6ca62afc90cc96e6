//! The keys of a log, as whoever trusts one of them learns the others from its entries.

use super::checkpoint::Checkpoint;
use super::events::Event;
use super::key::VerifierKey;
use super::leaf::Leaf;
use super::note::SignedNote;
use super::rotation::KeyRotation;
use crate::error::Error;

/// How many keys that entries name are remembered: more than any log had.
const NAMED_MAX: usize = 1_000;

/// The key of a log that somebody trusts, and what the log's entries say of others.
///
/// A key is *followed* where the one before it and it itself signed the rotation: that holds whoever shows the entry. It is
/// only *named* where an entry says that it was the log's: that is worth as much as the entry, so nothing before the log
/// is verified.
///
/// ```
/// use placet_core::audit::{Ed25519Signer, LogKeys, Signer};
/// use placet_core::testing::Office;
///
/// let (gate, office) = Office::in_memory()?;
/// let next = Ed25519Signer::from_seed(gate.origin(), &[8; 32])?;
/// gate.rotate_key(&office.root, &next)?;
///
/// let mut keys = LogKeys::trusting(gate.origin(), gate.verifier_key());
/// for (_, leaf) in gate.audit(&office.root, 0)? {
///     keys.read(&leaf.to_bytes()?);
/// }
/// assert_eq!(keys.present(), next.verifier_key());
/// assert_eq!(keys.named(), [gate.verifier_key().clone(), next.verifier_key().clone()]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogKeys {
    origin: String,
    trusted: VerifierKey,
    // In the order in which they followed.
    later: Vec<VerifierKey>,
    named: Vec<VerifierKey>,
}

impl LogKeys {
    /// Trusts `key`, which signs the log `origin` or did once.
    pub fn trusting(origin: &str, key: &VerifierKey) -> Self {
        Self {
            origin: origin.to_owned(),
            trusted: key.clone(),
            later: Vec::new(),
            named: Vec::new(),
        }
    }

    /// Takes note of an entry of the log. Entries are read in their order; most say nothing about keys.
    pub fn read(&mut self, entry: &[u8]) {
        // Parsed only where it can be one.
        let can_be = |event: Event| {
            let code = event.as_str().as_bytes();
            entry.windows(code.len()).any(|part| part == code)
        };
        if (can_be(Event::LogKeyRotated) || can_be(Event::PlatformBootstrapped))
            && let Ok(leaf) = Leaf::from_bytes(entry)
        {
            self.read_leaf(&leaf);
        }
    }

    /// Takes note of an entry that was parsed.
    pub(crate) fn read_leaf(&mut self, leaf: &Leaf) {
        if let Some(rotation) = KeyRotation::of_leaf(leaf) {
            self.name(rotation.unverified_next().clone());
            self.take(&rotation);
        } else if leaf.event == Event::PlatformBootstrapped.as_str()
            && let Some(key) = leaf.facts.get("key").and_then(|key| key.parse().ok())
        {
            self.name(key);
        }
    }

    /// Follows a rotation where it leads on.
    pub(crate) fn take(&mut self, rotation: &KeyRotation) {
        // By the name that all keys share: that of a year of the log has the year behind it.
        if let Ok(next) = rotation.follow(self.trusted.name(), self.present()) {
            self.later.push(next);
        }
    }

    fn name(&mut self, key: VerifierKey) {
        // Nobody verified the entry yet: a log of nothing but keys must neither fill the memory nor take for ever.
        if key.name() == self.trusted.name()
            && self.named.len() < NAMED_MAX
            && !self.named.contains(&key)
        {
            self.named.push(key);
        }
    }

    /// The last key that follows the trusted one, which may be itself.
    pub fn present(&self) -> &VerifierKey {
        self.later.last().unwrap_or(&self.trusted)
    }

    /// The first 1,000 keys that entries name, the first one first.
    pub fn named(&self) -> &[VerifierKey] {
        &self.named
    }

    /// A head of this log, signed with the trusted key or with one that followed it.
    ///
    /// Fails with `log_tampered` where none of them signed it, or it is the head of another log.
    pub fn open(&self, note: &SignedNote) -> Result<Checkpoint, Error> {
        open(note, &self.origin, &self.followed())
    }

    /// As [`Self::open`], and also with a key that an entry names: only for entries that were verified.
    pub fn open_named(&self, note: &SignedNote) -> Result<Checkpoint, Error> {
        let all: Vec<&VerifierKey> = self.followed().into_iter().chain(&self.named).collect();
        open(note, &self.origin, &all)
    }

    fn followed(&self) -> Vec<&VerifierKey> {
        core::iter::once(&self.trusted).chain(&self.later).collect()
    }
}

fn open(note: &SignedNote, origin: &str, keys: &[&VerifierKey]) -> Result<Checkpoint, Error> {
    let mut first = None;
    for key in keys {
        match Checkpoint::open_note(note, origin, key) {
            Ok(head) => return Ok(head),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| super::encoding::tampered("nobody vouches for the head")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Ed25519Signer, Signer as _};
    use crate::clock::Timestamp;

    const LOG: &str = "log.example";

    fn signer(seed: u8) -> Ed25519Signer {
        Ed25519Signer::from_seed(LOG, &[seed; 32]).unwrap()
    }

    fn rotated(from: u8, to: u8) -> Vec<u8> {
        let note = KeyRotation::sign(&signer(from), &signer(to)).unwrap();
        let mut leaf = Leaf::new(Event::LogKeyRotated, Timestamp::from_micros(0));
        leaf.facts.insert("note".to_owned(), note.note().to_string());
        leaf.to_bytes().unwrap()
    }

    fn head(seed: u8) -> SignedNote {
        let head = Checkpoint::new(LOG, 0, crate::audit::empty_root()).unwrap();
        head.sign(&[&signer(seed)]).unwrap()
    }

    #[test]
    fn whoever_trusts_any_key_follows_to_the_last_and_back_to_none() {
        // Back to the first key, and on from there.
        let entries = [rotated(1, 2), rotated(2, 1), rotated(1, 3)];
        for trusted in [1, 2, 3] {
            let mut keys = LogKeys::trusting(LOG, signer(trusted).verifier_key());
            for entry in &entries {
                keys.read(entry);
            }
            assert_eq!(keys.present(), signer(3).verifier_key(), "{trusted}");
            keys.open(&head(3)).unwrap();
            assert_eq!(keys.open(&head(2)).is_ok(), trusted != 3);
            keys.open_named(&head(2)).unwrap();
            keys.open_named(&head(4)).unwrap_err();
        }
    }

    #[test]
    fn nobody_is_followed_whom_the_trusted_key_did_not_name() {
        let mut keys = LogKeys::trusting(LOG, signer(1).verifier_key());
        keys.read(&rotated(4, 5));
        let foreign = Ed25519Signer::from_seed("elsewhere.example", &[6; 32]).unwrap();
        let elsewhere = Ed25519Signer::from_seed("elsewhere.example", &[1; 32]).unwrap();
        let note = KeyRotation::sign(&elsewhere, &foreign).unwrap();
        let mut leaf = Leaf::new(Event::LogKeyRotated, Timestamp::from_micros(0));
        leaf.facts.insert("note".to_owned(), note.note().to_string());
        keys.read(&leaf.to_bytes().unwrap());
        keys.read(b"log.key_rotated");
        assert_eq!(keys.present(), signer(1).verifier_key());
        assert_eq!(keys.named(), [signer(5).verifier_key().clone()]);
        keys.open(&head(5)).unwrap_err();
    }
}
