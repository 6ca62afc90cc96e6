//! Signed notes, byte for byte as C2SP signed-note defines them: a text and lines that vouch for it.

use core::fmt;

use super::encoding::{
    from_base64, last_line, malformed, malformed_at, shown, tampered, text_of, to_base64,
};
use super::key::{Signer, VerifierKey, is_key_name};
use crate::error::{Code, Error};

/// The longest signed note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 1 << 20;
/// The most signatures that a note may carry. C2SP signed-note asks for at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// One line that vouches for a note: who signed, with which key, and the signature's bytes.
///
/// ```
/// use placet_core::audit::{Ed25519Signer, SignedNote, Signer};
/// let log = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let witness = Ed25519Signer::from_seed("example.com/witness", &[8; 32])?;
///
/// // The witness signs the same text and sends its line back.
/// let line = SignedNote::sign("the head\n", &[&witness])?.signatures()[0].to_string();
/// let note = SignedNote::sign("the head\n", &[&log])?.with_signature_line(&line)?;
/// let by = &note.signatures()[1];
/// assert_eq!((by.name(), by.key_id()), ("example.com/witness", witness.verifier_key().id()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoteSignature {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl NoteSignature {
    /// The name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key.
    pub fn key_id(&self) -> [u8; 4] {
        self.id
    }

    /// The signature of `key`, made elsewhere.
    pub(super) fn made_by(key: &VerifierKey, signature: Vec<u8>) -> Self {
        Self { name: key.name().to_owned(), id: key.id(), signature }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.signature
    }

    pub(super) fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name() && self.id == key.id()
    }

    fn parse(line: &str) -> Result<Self, Error> {
        let wrong = || {
            malformed(format!("`{}` is not a signature line of a note", shown(line))).with_help(
                "a signature line is an em dash, a key name and base64, with one space between",
            )
        };
        let fields = line.strip_prefix("— ").and_then(|fields| fields.split_once(' '));
        let (name, text) = fields.filter(|(name, _)| is_key_name(name)).ok_or_else(wrong)?;
        let bytes = from_base64(text).ok_or_else(wrong)?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
        if signature.is_empty() {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), id: *id, signature: signature.to_vec() })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_slice(), &self.signature].concat();
        write!(f, "— {} {}", self.name, to_base64(&bytes))
    }
}

/// A text with signatures (C2SP signed-note). Printed exactly as it was read.
///
/// There is no way to the text but [`Self::verify`]: nobody can act on words that nobody vouched for.
///
/// ```
/// use placet_core::audit::{Ed25519Signer, SignedNote, Signer};
/// let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let note = SignedNote::sign("the gate is open\n", &[&signer])?;
///
/// let received = SignedNote::parse(note.to_string().as_bytes())?;
/// assert_eq!(received.verify(&[signer.verifier_key().clone()])?, "the gate is open\n");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedNote {
    // Invariant: ends with a newline; no control character but newlines.
    text: String,
    // Invariant: at least one, at most NOTE_SIGNATURES_MAX.
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// Signs `text` with each of `signers`.
    ///
    /// Fails with `invalid_input` when the text does not end with a newline or has control characters,
    /// or when nobody signs; with `too_large` over [`NOTE_BYTES_MAX`]; with `signer_unavailable` when a signer
    /// fails or answers a signature that its own key does not accept.
    pub fn sign(text: &str, signers: &[&dyn Signer]) -> Result<Self, Error> {
        check_text(text)?;
        let signatures: Vec<_> =
            signers.iter().map(|signer| signature_of(*signer, text)).collect::<Result<_, _>>()?;
        Self::checked(text.to_owned(), signatures)
    }

    /// Reads a signed note. Nothing is verified yet.
    ///
    /// Fails with `invalid_input` when it is not one, and with `too_large` over [`NOTE_BYTES_MAX`] or
    /// [`NOTE_SIGNATURES_MAX`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(too_large("bytes", NOTE_BYTES_MAX));
        }
        let whole = text_of(bytes, "a signed note")?;
        // The last empty line parts text and signatures: the text may have empty lines of its own.
        let (before, lines) = whole.rsplit_once("\n\n").ok_or_else(|| {
            malformed_at(last_line(whole), "a note carries no signatures")
                .with_help("an empty line stands between the text and its signatures")
        })?;
        let lines = lines.strip_suffix('\n').ok_or_else(|| {
            malformed_at(last_line(whole), "a signed note does not end with a newline")
        })?;
        if lines.split('\n').count() > NOTE_SIGNATURES_MAX {
            return Err(too_large("signatures", NOTE_SIGNATURES_MAX));
        }
        // After the text and the empty line.
        let first = last_line(before).saturating_add(2);
        let signatures = lines.split('\n').zip(first..).map(|(text, line)| {
            NoteSignature::parse(text).map_err(|error| error.with_detail("line", line))
        });
        let signatures = signatures.collect::<Result<Vec<_>, _>>()?;
        let text = format!("{before}\n");
        check_text(&text)?;
        Self::checked(text, signatures)
    }

    /// Adds a signature line that somebody else made, such as a witness. It is not verified.
    ///
    /// Fails with `invalid_input` when it is not a signature line, and with `too_large` over [`NOTE_SIGNATURES_MAX`].
    pub fn with_signature_line(mut self, line: &str) -> Result<Self, Error> {
        self.signatures.push(NoteSignature::parse(line)?);
        Self::checked(self.text, self.signatures)
    }

    /// Adds a signature that somebody else made. It is not verified.
    ///
    /// Fails with `too_large` over [`NOTE_SIGNATURES_MAX`].
    pub fn with_signature(mut self, signature: NoteSignature) -> Result<Self, Error> {
        self.signatures.push(signature);
        Self::checked(self.text, self.signatures)
    }

    /// Keeps the signatures of `keys` that are right, and drops all others. Fails with `log_tampered` when none is left.
    pub fn only_by(mut self, keys: &[VerifierKey]) -> Result<Self, Error> {
        self.signatures.retain(|line| {
            keys.iter().any(|key| line.is_by(key) && key.accepts(&self.text, &line.signature))
        });
        // It says what is missing.
        self.verify(keys)?;
        Ok(self)
    }

    /// The first line, before anybody vouched for it: of a checkpoint the origin, by which a reader finds the keys to
    /// verify it with. Believe it after [`Self::verify`] only.
    pub fn claimed_origin(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The signature lines, verified or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Returns the text when at least one of `keys` signed it.
    ///
    /// Signatures by other keys are ignored, as the format asks. Fails with `log_tampered` when none of
    /// `keys` signed, and also when a signature in the name of one of them is wrong.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<&str, Error> {
        let mut vouched = false;
        for line in &self.signatures {
            for key in keys.iter().filter(|key| line.is_by(key)) {
                if !key.accepts(&self.text, &line.signature) {
                    let sentence =
                        format!("the signature by `{}` does not fit the note", line.name);
                    return Err(tampered(sentence)
                        .with_help("get the note again from its source; if it stays so, its text was altered")
                        .with_detail("key", key));
                }
                vouched = true;
            }
        }
        if vouched {
            return Ok(&self.text);
        }
        let names: Vec<_> = keys.iter().map(VerifierKey::to_string).collect();
        Err(tampered("no key that you trust signed the note")
            .with_help("check that the verifier key is the one that the log's operator published")
            .with_detail("keys", names.join(" ")))
    }

    /// The text before anyone vouched for it: for writers, which compare it with what they hold.
    pub(super) fn unverified_text(&self) -> &str {
        &self.text
    }

    fn checked(text: String, signatures: Vec<NoteSignature>) -> Result<Self, Error> {
        if signatures.is_empty() {
            return Err(
                malformed("a note carries no signatures").with_help("name at least one signer")
            );
        }
        if signatures.len() > NOTE_SIGNATURES_MAX {
            return Err(too_large("signatures", NOTE_SIGNATURES_MAX));
        }
        Ok(Self { text, signatures })
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

fn signature_of(signer: &dyn Signer, text: &str) -> Result<NoteSignature, Error> {
    let key = signer.verifier_key();
    let signature = signer.sign(text.as_bytes())?;
    // A key service that signs with another key would be noticed only when an auditor comes.
    if !key.accepts(text, &signature) {
        let sentence = format!("the signer `{}` answered a wrong signature", key.name());
        return Err(Error::new(Code::SignerUnavailable, sentence)
            .with_help("check that the signer holds the private half of its verifier key")
            .with_detail("key", key));
    }
    Ok(NoteSignature { name: key.name().to_owned(), id: key.id(), signature: signature.to_vec() })
}

fn check_text(text: &str) -> Result<(), Error> {
    if text.len() > NOTE_BYTES_MAX {
        return Err(too_large("bytes", NOTE_BYTES_MAX));
    }
    if !text.ends_with('\n') {
        return Err(malformed("the text of a note does not end with a newline")
            .with_help("end the last line with a newline"));
    }
    let is_control = |line: &str| line.bytes().any(|byte| byte < b' ');
    if let Some(before) = text.split('\n').position(is_control) {
        let line = before.saturating_add(1);
        return Err(malformed_at(line, "the text of a note has control characters")
            .with_help("of the ASCII control characters only the newline is allowed"));
    }
    Ok(())
}

fn too_large(unit: &str, limit: usize) -> Error {
    Error::new(Code::TooLarge, format!("a signed note has more than {limit} {unit}"))
        .with_detail("limit", limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::Ed25519Signer;

    // The example of C2SP signed-note.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    fn key() -> VerifierKey {
        KEY.parse().unwrap()
    }

    fn signer(name: &str) -> Ed25519Signer {
        Ed25519Signer::from_seed(name, &[7; 32]).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_verifies_and_prints_as_it_was() {
        let note = SignedNote::parse(NOTE.as_bytes()).unwrap();
        assert_eq!(note.verify(&[key()]).unwrap(), "This is an example message.\n");
        assert_eq!(note.to_string(), NOTE);
    }

    #[test]
    fn a_text_with_empty_lines_ends_at_the_last_one() {
        let text = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
        let signer = signer("quasimodo.example");
        let note = SignedNote::sign(text, &[&signer]).unwrap().to_string();
        let note = SignedNote::parse(note.as_bytes()).unwrap();
        assert_eq!(note.verify(&[signer.verifier_key().clone()]).unwrap(), text);
    }

    #[test]
    fn strangers_are_ignored_and_known_signers_are_not() {
        let (ana, bo) = (signer("ana.example"), signer("bo.example"));
        let note = SignedNote::sign("text\n", &[&ana]).unwrap();
        note.verify(&[bo.verifier_key().clone()]).unwrap_err();

        let stranger = note.clone().with_signature_line("— zoe.example AAAAAAE=").unwrap();
        stranger.verify(&[ana.verifier_key().clone()]).unwrap();

        // Bo's line is a signature over another text: a reader who knows Bo refuses all of it.
        let other = SignedNote::sign("other\n", &[&bo]).unwrap();
        let borrowed = note.with_signature_line(&other.signatures()[0].to_string()).unwrap();
        borrowed.verify(&[ana.verifier_key().clone()]).unwrap();
        let both = [ana.verifier_key().clone(), bo.verifier_key().clone()];
        assert_eq!(borrowed.verify(&both).unwrap_err().code(), Code::LogTampered);
    }

    #[test]
    fn what_is_not_a_note_is_refused() {
        let line = "— a AAAAAAE=";
        SignedNote::parse(format!("text\n\n{line}\n").as_bytes()).unwrap();
        for wrong in [
            String::new(),
            "\n\n".to_owned(),
            "text\n".to_owned(),
            "text\n\n".to_owned(),
            format!("text\n{line}\n"),
            format!("text\n\n{line}"),
            format!("text\n\n{line}\n\n"),
            format!("te\txt\n\n{line}\n"),
            format!("text\r\n\n{line}\n"),
            format!("text\n\n{line}\r\n"),
            "text\n\n- a AAAAAAE=\n".to_owned(),
            "text\n\n— a  AAAAAAE=\n".to_owned(),
            "text\n\n— a+b AAAAAAE=\n".to_owned(),
            "text\n\n— a\u{a0}b AAAAAAE=\n".to_owned(),
            "text\n\n— a AAAAAA==\n".to_owned(),
            "text\n\n— a AAAAAAF=\n".to_owned(),
            "text\n\n— a \n".to_owned(),
            "text\n\n—  AAAAAAE=\n".to_owned(),
        ] {
            let error = SignedNote::parse(wrong.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::InvalidInput, "{wrong:?}");
            assert!(error.details().contains_key("line"), "{wrong:?}");
        }
        for (bytes, place, is) in [
            (format!("one\ntwo\u{1}\n\n{line}\n").into_bytes(), "line", "2"),
            (format!("one\ntwo\n\n{line}\n- a\n").into_bytes(), "line", "5"),
            (format!("one\n\n{line}").into_bytes(), "line", "3"),
            ("one\ntwo".into(), "line", "2"),
            (b"one\n\xff\n".to_vec(), "byte", "4"),
        ] {
            let error = SignedNote::parse(&bytes).unwrap_err();
            assert_eq!(error.details()[place], is, "{error}");
        }
        SignedNote::sign("no newline", &[&signer("a")]).unwrap_err();
        SignedNote::sign("text\n", &[]).unwrap_err();
    }

    #[test]
    fn a_note_has_limits() {
        let line = "— a AAAAAAE=\n";
        let note = |count: usize| format!("text\n\n{}", line.repeat(count));
        SignedNote::parse(note(NOTE_SIGNATURES_MAX).as_bytes()).unwrap();
        let many = SignedNote::parse(note(NOTE_SIGNATURES_MAX + 1).as_bytes()).unwrap_err();
        let long = SignedNote::parse(&vec![b'a'; NOTE_BYTES_MAX + 1]).unwrap_err();
        assert_eq!([many.code(), long.code()], [Code::TooLarge; 2]);
    }

    #[test]
    fn every_changed_byte_of_a_note_is_found() {
        for at in 0..NOTE.len() {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[at] ^= 1 << (at % 8);
            let opened =
                SignedNote::parse(&bytes).and_then(|note| note.verify(&[key()]).map(str::to_owned));
            assert!(opened.is_err(), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_printed_the_same(bytes: Vec<u8>, text in "(?s).{0,80}") {
            let near = format!("{text}\n\n— a AAAAAAE=\n");
            for bytes in [bytes, text.into_bytes(), near.into_bytes()] {
                if let Ok(note) = SignedNote::parse(&bytes) {
                    prop_assert_eq!(note.to_string().into_bytes(), bytes);
                }
            }
        }
    }
}
