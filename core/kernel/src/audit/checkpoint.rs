//! Signed tree heads, byte for byte as C2SP tlog-checkpoint defines them.

use core::fmt;
use core::str::FromStr;

use super::encoding::{
    NUMBER_MAX, digest_from_base64, from_decimal, last_line, malformed, malformed_at, shown,
    tampered, to_base64,
};
use super::key::{Signer, VerifierKey};
use super::note::SignedNote;
use crate::digest::Digest;
use crate::error::Error;

/// The head of a log at one size: which log, how many leaves, which root (C2SP tlog-checkpoint).
///
/// Printed, it is the text that a log signs: one line each, then any extension lines.
///
/// ```
/// use placet_core::audit::{leaf_hash, Checkpoint, Ed25519Signer, MerkleTree, Signer};
/// let tree: MerkleTree = [leaf_hash(b"first"), leaf_hash(b"second")].into_iter().collect();
/// let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let signed = Checkpoint::new("example.com/log", tree.len(), tree.root())?.sign(&[&signer])?;
///
/// let bytes = signed.to_string().into_bytes();
/// let opened = Checkpoint::open(&bytes, "example.com/log", signer.verifier_key())?;
/// assert_eq!(opened.size(), 2);
/// assert_eq!(opened.root(), tree.root());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    // Invariant: not empty, no control characters.
    origin: String,
    // Invariant: at most NUMBER_MAX.
    size: u64,
    root: Digest,
    // Invariant: each not empty, no control characters.
    extensions: Vec<String>,
}

impl Checkpoint {
    /// The head of the log `origin` with `size` leaves and `root`. Origins look like `example.com/log`.
    ///
    /// Fails with `invalid_input` when the origin is empty or has control characters, or when the size
    /// is above 2^63 - 1.
    pub fn new(origin: &str, size: u64, root: Digest) -> Result<Self, Error> {
        if !is_line(origin) {
            return Err(malformed(format!("`{}` cannot name a log", shown(origin)))
                .with_help("name logs like `example.com/log`"));
        }
        if size > NUMBER_MAX {
            return Err(malformed(format!("a log cannot have {size} leaves")));
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Adds an opaque line. The format advises against them: nobody can audit what they say.
    ///
    /// Fails with `invalid_input` when the line is empty or has control characters.
    pub fn with_extension(mut self, line: &str) -> Result<Self, Error> {
        if !is_line(line) {
            return Err(malformed(format!("`{}` cannot extend a checkpoint", shown(line)))
                .with_help("an extension is one line that is not empty"));
        }
        self.extensions.push(line.to_owned());
        Ok(self)
    }

    /// Which log this is the head of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root hash of the Merkle tree of these leaves.
    pub fn root(&self) -> Digest {
        self.root
    }

    /// The opaque lines after the root.
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// Signs this head with each of `signers`. Fails as [`SignedNote::sign`] does.
    ///
    /// A log never signs two heads that contradict each other: sign only what is durable.
    pub fn sign(&self, signers: &[&dyn Signer]) -> Result<SignedNote, Error> {
        SignedNote::sign(&self.to_string(), signers)
    }

    /// Reads a signed checkpoint and returns it when `key` signed it for the log `origin`.
    ///
    /// Fails with `invalid_input` or `too_large` when it is not a signed checkpoint, and with `log_tampered`
    /// when the signature does not verify or the checkpoint is that of another log.
    pub fn open(bytes: &[u8], origin: &str, key: &VerifierKey) -> Result<Self, Error> {
        Self::open_note(&SignedNote::parse(bytes)?, origin, key)
    }

    /// As [`Self::open`], for a note that was read already.
    pub fn open_note(note: &SignedNote, origin: &str, key: &VerifierKey) -> Result<Self, Error> {
        let opened: Self = note.verify(core::slice::from_ref(key))?.parse()?;
        if opened.origin != origin {
            let sentence =
                format!("the checkpoint is that of another log, `{}`", shown(&opened.origin));
            return Err(tampered(sentence)
                .with_help(format!("the log that was asked for is `{}`", shown(origin)))
                .with_detail("origin", &opened.origin));
        }
        Ok(opened)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, to_base64(self.root.as_bytes()))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = Error;

    /// Reads the text of a checkpoint, without signatures. Fails with `invalid_input` when it is not one.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |line, what: &str| {
            malformed_at(line, format!("the text is not a checkpoint: {what}")).with_help(
                "a checkpoint is an origin, a decimal size and a base64 root, one line each",
            )
        };
        let end = last_line(text);
        let text =
            text.strip_suffix('\n').ok_or_else(|| wrong(end, "it does not end with a newline"))?;
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(wrong(end, "it has fewer than three lines"));
        };
        let size = from_decimal(size).ok_or_else(|| wrong(2, "the second line is not a size"))?;
        let root =
            digest_from_base64(root).ok_or_else(|| wrong(3, "the third line is not a root"))?;
        let named = Self::new(origin, size, root).map_err(|error| error.with_detail("line", 1))?;
        lines.zip(4_usize..).try_fold(named, |read, (extension, line)| {
            read.with_extension(extension).map_err(|error| error.with_detail("line", line))
        })
    }
}

fn is_line(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte >= b' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audit::Ed25519Signer;
    use crate::error::Code;

    // The example of C2SP tlog-checkpoint, whose key is not published.
    const BODY: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn signer() -> Ed25519Signer {
        Ed25519Signer::from_seed("example.com/behind-the-sofa", &[7; 32]).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_is_read_and_printed_the_same() {
        let checkpoint: Checkpoint = BODY.parse().unwrap();
        assert_eq!(checkpoint.origin(), "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size(), 20_852_163);
        assert_eq!(checkpoint.to_string(), BODY);
    }

    #[test]
    fn a_signed_head_opens_for_its_log_and_key_only() {
        let checkpoint: Checkpoint = BODY.parse().unwrap();
        let bytes = checkpoint.sign(&[&signer()]).unwrap().to_string().into_bytes();
        let open = |origin: &str, seed: u8| {
            let name = "example.com/behind-the-sofa";
            let key = Ed25519Signer::from_seed(name, &[seed; 32]).unwrap();
            Checkpoint::open(&bytes, origin, key.verifier_key())
        };
        assert_eq!(open(checkpoint.origin(), 7).unwrap(), checkpoint);
        for error in [open("example.com/in-the-attic", 7), open(checkpoint.origin(), 8)] {
            assert_eq!(error.unwrap_err().code(), Code::LogTampered);
        }
    }

    #[test]
    fn extension_lines_are_kept() {
        let text = format!("{BODY}one more line\nand another\n");
        let checkpoint: Checkpoint = text.parse().unwrap();
        assert_eq!(checkpoint.extensions(), ["one more line", "and another"]);
        assert_eq!(checkpoint.to_string(), text);
    }

    #[test]
    fn what_is_not_a_checkpoint_is_refused() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        for wrong in [
            String::new(),
            "\n\n\n".to_owned(),
            "log\n1\n".to_owned(),
            format!("log\n1\n{root}"),
            format!("\n1\n{root}\n"),
            format!("log\n01\n{root}\n"),
            format!("log\n+1\n{root}\n"),
            format!("log\n-1\n{root}\n"),
            format!("log\n\n{root}\n"),
            format!("log\n9223372036854775808\n{root}\n"),
            format!("log\n1 \n{root}\n"),
            format!("log\n1\n{root}\n\n"),
            format!("log\n1\n{root}\n\nmore\n"),
            format!("log\r\n1\n{root}\n"),
            "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n".to_owned(),
            "log\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n".to_owned(),
            "log\n1\nCsUY\n".to_owned(),
        ] {
            let error = wrong.parse::<Checkpoint>().unwrap_err();
            assert_eq!(error.code(), Code::InvalidInput, "{wrong:?}");
            assert!(error.details().contains_key("line"), "{wrong:?}");
        }
        for (text, line) in [
            (format!("\u{7}\n1\n{root}\n"), "1"),
            (format!("log\n01\n{root}\n"), "2"),
            ("log\n1\nCsUY\n".to_owned(), "3"),
            (format!("log\n1\n{root}\nmore\n\nmore\n"), "5"),
            (format!("log\n1\n{root}\nmore"), "4"),
        ] {
            assert_eq!(text.parse::<Checkpoint>().unwrap_err().details()["line"], line, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_printed_the_same(text in "(?s).{0,80}", origin in "\\PC{1,20}", size: u64) {
            if let Ok(read) = text.parse::<Checkpoint>() {
                prop_assert_eq!(read.to_string(), text);
            }
            if let Ok(made) = Checkpoint::new(&origin, size, Digest::of(b"root")) {
                prop_assert_eq!(made.to_string().parse::<Checkpoint>().unwrap(), made);
            }
        }
    }
}
