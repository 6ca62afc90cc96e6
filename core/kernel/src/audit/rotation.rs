//! How one signing key follows another: the old key vouches for the new one.

use super::encoding::{malformed, malformed_at, shown, tampered};
use super::events::Event;
use super::key::{Signer, VerifierKey};
use super::leaf::Leaf;
use super::note::SignedNote;
use crate::error::Error;

const HEADER: &str = "placet key rotation v1";

/// The word of a log's key for the next one: a signed note (C2SP signed-note) of three lines, which are
/// `placet key rotation v1`, the log's origin, and the new verifier key. Both keys sign it: the old one says
/// that the other follows, the new one that somebody has it.
///
/// Whoever trusts a key of the log comes to trust the present one by following the rotations that the log tells of.
///
/// ```
/// use placet_core::audit::{Ed25519Signer, KeyRotation, Signer};
/// let old = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let new = Ed25519Signer::from_seed("example.com/log", &[8; 32])?;
/// let rotation = KeyRotation::sign(&old, &new)?;
/// assert_eq!(rotation.follow("example.com/log", old.verifier_key())?, *new.verifier_key());
/// assert!(rotation.follow("example.com/log", new.verifier_key()).is_err());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRotation {
    note: SignedNote,
    next: VerifierKey,
}

impl KeyRotation {
    /// Has `old` vouch for `new`. Both have the log's origin as their name.
    ///
    /// Fails with `invalid_input` where the names differ or the keys are one, and as [`Signer::sign`] does.
    pub fn sign(old: &dyn Signer, new: &dyn Signer) -> Result<Self, Error> {
        let (from, to) = (old.verifier_key(), new.verifier_key());
        if from.name() != to.name() || from == to {
            let sentence = format!("the key of `{}` cannot follow this one", shown(to.name()));
            return Err(malformed(sentence)
                .with_help("make another key with the same name, which is the origin of the log"));
        }
        let text = format!("{HEADER}\n{}\n{to}\n", from.name());
        Ok(Self { note: SignedNote::sign(&text, &[old, new])?, next: to.clone() })
    }

    /// Reads one, without trusting it. Fails with `invalid_input` where it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |line| {
            malformed_at(line, "the text is not a key rotation")
                .with_help("it is a signed note of three lines, the last of them a verifier key")
        };
        let note = SignedNote::parse(text.as_bytes())?;
        let mut lines = note.unverified_text().lines();
        if lines.next() != Some(HEADER) {
            return Err(wrong(1));
        }
        let (Some(_origin), Some(next)) = (lines.next(), lines.next()) else {
            return Err(wrong(3));
        };
        if lines.next().is_some() {
            return Err(wrong(4));
        }
        let next: VerifierKey =
            next.parse().map_err(|cause: Error| cause.with_detail("line", 3))?;
        Ok(Self { note, next })
    }

    /// The rotation that a leaf tells of, if it tells of one that can be read.
    pub fn of_leaf(leaf: &Leaf) -> Option<Self> {
        if leaf.event != Event::LogKeyRotated.as_str() {
            return None;
        }
        Self::parse(leaf.facts.get("note")?).ok()
    }

    /// The key that follows `trusted` in the log `origin`.
    ///
    /// Fails with `log_tampered` where it is a rotation of another log, or one of the two keys did not sign it.
    pub fn follow(&self, origin: &str, trusted: &VerifierKey) -> Result<VerifierKey, Error> {
        self.note.verify(core::slice::from_ref(trusted))?;
        self.note.verify(core::slice::from_ref(&self.next))?;
        if *trusted == self.next {
            return Err(tampered("the key rotation names the key that is trusted already")
                .with_help("follow the rotations that came after it"));
        }
        if self.note.unverified_text().lines().nth(1) != Some(origin) {
            return Err(tampered("the key rotation is that of another log")
                .with_help(format!("the log that was asked for is `{}`", shown(origin))));
        }
        Ok(self.next.clone())
    }

    /// The note's text with its signatures.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// The new key, which is to be trusted only by [`Self::follow`].
    pub fn unverified_next(&self) -> &VerifierKey {
        &self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Ed25519Signer;
    use crate::error::Code;

    fn signer(name: &str, seed: u8) -> Ed25519Signer {
        Ed25519Signer::from_seed(name, &[seed; 32]).unwrap()
    }

    #[test]
    fn a_rotation_is_read_as_it_was_printed_and_each_changed_byte_is_found() {
        let (old, new) = (signer("log.example", 1), signer("log.example", 2));
        let text = KeyRotation::sign(&old, &new).unwrap().note().to_string();
        let read = KeyRotation::parse(&text).unwrap();
        assert_eq!(read.follow("log.example", old.verifier_key()).unwrap(), *new.verifier_key());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << (at % 7);
            let followed = String::from_utf8(bytes).map_err(|_| ()).and_then(|text| {
                let read = KeyRotation::parse(&text).map_err(|_| ())?;
                read.follow("log.example", old.verifier_key()).map_err(|_| ())
            });
            assert!(followed.is_err(), "byte {at}");
        }
    }

    #[test]
    fn nobody_else_names_the_next_key() {
        let (old, new) = (signer("log.example", 1), signer("log.example", 2));
        // Not signed by the old one; not signed by the new one; of another log; both the same.
        let text = format!("{HEADER}\nlog.example\n{}\n", new.verifier_key());
        for signer in [&new, &old] {
            let forged = SignedNote::sign(&text, &[signer]).unwrap().to_string();
            let read = KeyRotation::parse(&forged).unwrap();
            let error = read.follow("log.example", old.verifier_key()).unwrap_err();
            assert_eq!(error.code(), Code::LogTampered);
        }
        let elsewhere = KeyRotation::sign(&old, &new).unwrap();
        elsewhere.follow("another.example", old.verifier_key()).unwrap_err();
        KeyRotation::sign(&old, &signer("another.example", 2)).unwrap_err();
        KeyRotation::sign(&old, &old).unwrap_err();
    }
}
