//! Proofs that fit in one file, byte for byte as C2SP tlog-proof defines them.

use core::fmt;

use super::checkpoint::Checkpoint;
use super::encoding::{
    digest_from_base64, from_base64, from_decimal, last_line, malformed, malformed_at, moved_down,
    shown, text_of, to_base64,
};
use super::key::VerifierKey;
use super::merkle::{MerkleTree, leaf_hash, verify_inclusion};
use super::note::{NOTE_BYTES_MAX, SignedNote};
use super::tiled::TiledTree;
use super::tiles::TilePath;
use crate::digest::Digest;
use crate::error::{Code, Error};

const HEADER: &str = "c2sp.org/tlog-proof@v1\n";
/// A tree of 2^63 leaves is 63 levels high.
const HASHES_MAX: usize = 63;
/// The longest proof that is read, in bytes: a checkpoint, as much extra data, and the hashes.
pub const PROOF_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 4096;

/// Evidence that one entry is in a log, which anyone can verify offline (C2SP tlog-proof). It is kept in a
/// file that ends in `.tlog-proof`.
///
/// ```
/// use placet_core::audit::{leaf_hash, Checkpoint, Ed25519Signer, LogProof, MerkleTree, Signer};
/// let tree: MerkleTree = [leaf_hash(b"first"), leaf_hash(b"second")].into_iter().collect();
/// let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let signed = Checkpoint::new("example.com/log", tree.len(), tree.root())?.sign(&[&signer])?;
///
/// let file = LogProof::new(&tree, 1, signed)?.to_string();
/// let proof = LogProof::parse(file.as_bytes())?;
/// let head = proof.verify(b"second", "example.com/log", signer.verifier_key())?;
/// assert_eq!((proof.index(), head.size()), (1, 2));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    // Invariant: at most HASHES_MAX.
    hashes: Vec<Digest>,
    checkpoint: SignedNote,
}

impl LogProof {
    /// The proof that leaf `index` of `tree` is under `checkpoint`.
    ///
    /// Fails with `invalid_input` when `checkpoint` is not one, or not a head of `tree`, or has no such leaf.
    pub fn new(tree: &MerkleTree, index: u64, checkpoint: SignedNote) -> Result<Self, Error> {
        let head: Checkpoint = checkpoint.unverified_text().parse()?;
        if tree.root_at(head.size())? != head.root() {
            return Err(malformed("the checkpoint to prove under is not a head of this log")
                .with_help("sign a checkpoint of this log and prove under that"));
        }
        let hashes = tree.inclusion_proof(index, head.size())?;
        Ok(Self { extra: None, index, hashes, checkpoint })
    }

    /// The proof that leaf `index` is under `checkpoint`, from the few tiles on its way. What it reads is held
    /// against the checkpoint's root: false tiles make no proof.
    ///
    /// Fails with `invalid_input` when `checkpoint` is not one, or has no such leaf or more leaves than the tiles,
    /// with `log_tampered` when the tiles do not show the leaf under it, and as [`TiledTree::inclusion_proof`] does.
    pub fn from_tiles<R: Fn(TilePath) -> Result<Option<Vec<u8>>, Error>>(
        tree: &TiledTree<R>,
        index: u64,
        checkpoint: SignedNote,
    ) -> Result<Self, Error> {
        let head: Checkpoint = checkpoint.unverified_text().parse()?;
        let (leaf, hashes) = tree.leaf_and_proof(index, head.size())?;
        verify_inclusion(&leaf, index, head.size(), &hashes, &head.root()).map_err(|error| {
            error.with_help("the tiles are not those of this checkpoint: make them again")
        })?;
        Ok(Self { extra: None, index, hashes, checkpoint })
    }

    /// Adds data that travels with the proof. Nothing vouches for it.
    ///
    /// Fails with `too_large` over 512 KiB.
    pub fn with_extra(mut self, extra: &[u8]) -> Result<Self, Error> {
        if extra.len() > NOTE_BYTES_MAX / 2 {
            return Err(too_large(NOTE_BYTES_MAX / 2));
        }
        self.extra = Some(extra.to_vec());
        Ok(self)
    }

    /// Reads a proof. Nothing is verified yet.
    ///
    /// Fails with `invalid_input` when it is not one, and with `too_large` over [`PROOF_BYTES_MAX`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(too_large(PROOF_BYTES_MAX));
        }
        let whole = text_of(bytes, "a log proof")?;
        let rest = whole.strip_prefix(HEADER).ok_or_else(|| {
            malformed_at(1, "the file is not a log proof")
                .with_help("a log proof begins with the line `c2sp.org/tlog-proof@v1`")
        })?;
        // The first empty line: the checkpoint has one of its own further down.
        let (lines, note) = rest.split_once("\n\n").ok_or_else(|| {
            malformed_at(last_line(whole), "a log proof carries no checkpoint")
                .with_help("an empty line stands between the proof and its checkpoint")
        })?;
        // The header, these lines, and the empty one.
        let before_note = last_line(lines).saturating_add(2);
        let mut lines = lines.split('\n').zip(2_usize..).peekable();
        let extra = lines.next_if(|(line, _)| line.starts_with("extra ")).map(read_extra);
        let extra = extra.transpose()?;
        let (index, line) = lines.next().unwrap_or(("", 2));
        let index = index.strip_prefix("index ").and_then(from_decimal).ok_or_else(|| {
            let sentence = format!("`{}` is not the index line of a log proof", shown(index));
            malformed_at(line, sentence).with_help(
                "after the header, and any extra data, stands `index` and a decimal number",
            )
        })?;
        let hashes = lines.map(read_hash).take(HASHES_MAX.saturating_add(1));
        let hashes = hashes.collect::<Result<Vec<_>, _>>()?;
        if hashes.len() > HASHES_MAX {
            let sentence = format!("a log proof has more than {HASHES_MAX} hashes");
            return Err(malformed_at(before_note, sentence));
        }
        let in_whole = |error| moved_down(error, before_note);
        let checkpoint = SignedNote::parse(note.as_bytes()).map_err(in_whole)?;
        let _form: Checkpoint = checkpoint.unverified_text().parse().map_err(in_whole)?;
        Ok(Self { extra, index, hashes, checkpoint })
    }

    /// Where the entry is in the log, counted from 0, as the proof claims.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The hashes beside the leaf's path, from the leaf upwards.
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// The data that travels with the proof. Nothing vouches for it.
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The signed checkpoint, not verified.
    pub fn checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }

    /// Checks that the log `origin`, whose key is `key`, has `entry` at [`Self::index`], and returns the head
    /// that says so.
    ///
    /// Fails with `log_tampered` when the signature or the proof does not verify, or the log is another.
    pub fn verify(
        &self,
        entry: &[u8],
        origin: &str,
        key: &VerifierKey,
    ) -> Result<Checkpoint, Error> {
        let head = Checkpoint::open_note(&self.checkpoint, origin, key)?;
        let leaf = leaf_hash(entry);
        verify_inclusion(&leaf, self.index, head.size(), &self.hashes, &head.root())?;
        Ok(head)
    }
}

impl fmt::Display for LogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", to_base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", to_base64(hash.as_bytes())))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

fn read_extra((text, line): (&str, usize)) -> Result<Vec<u8>, Error> {
    text.strip_prefix("extra ")
        .and_then(from_base64)
        .ok_or_else(|| malformed_at(line, "the extra data of a log proof is not base64"))
}

fn read_hash((text, line): (&str, usize)) -> Result<Digest, Error> {
    digest_from_base64(text).ok_or_else(|| {
        malformed_at(line, format!("`{}` is not a hash of a log proof", shown(text)))
            .with_help("hashes are SHA-256 in base64, one a line")
    })
}

fn too_large(limit: usize) -> Error {
    Error::new(
        Code::TooLarge,
        format!("a log proof, or its extra data, has more than {limit} bytes"),
    )
    .with_detail("limit", limit)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;
    use crate::audit::{Ed25519Signer, Signer as _, hash_tile};

    const LOG: &str = "example.com/log";

    fn signer() -> Ed25519Signer {
        Ed25519Signer::from_seed(LOG, &[7; 32]).unwrap()
    }

    fn entry(index: u64) -> Vec<u8> {
        format!("entry {index}").into_bytes()
    }

    fn proof(index: u64, size: u64) -> LogProof {
        let tree: MerkleTree = (0..size).map(|index| leaf_hash(&entry(index))).collect();
        let head = Checkpoint::new(LOG, size, tree.root()).unwrap();
        LogProof::new(&tree, index, head.sign(&[&signer()]).unwrap()).unwrap()
    }

    #[test]
    fn a_proof_is_a_file_that_people_can_read() {
        expect![[r"
            c2sp.org/tlog-proof@v1
            extra d2hvIGFza2Vk
            index 2
            YcoROfaBWEHVuvLQ0tm9nf7pfImN1ve6DAqpQe5sAes=
            WkdmL9ijF9lgSaP59HxV3GfKZgUbqjaD27GbL+CaB7A=
            SFM123z+yWXxX/dF/GJcQdXqJkaTaTAWWCj3PdS2iFQ=

            example.com/log
            5
            fKo0Xb2JKmZFTWxlEuo8PqPw0+whvj/C4jdXBf049nI=

            — example.com/log cC88cDgDJ6Q0uoG/vPRTT655F8Thxj2ubGgls+RmmMBrpMcuba1uT98XUON9ZJh5HAHhMo3ilwFNx+8gDZHVFpTfKAQ=
        "]].assert_eq(&proof(2, 5).with_extra(b"who asked").unwrap().to_string());
    }

    #[test]
    fn a_proof_from_tiles_is_the_one_from_the_tree_and_false_tiles_make_none() {
        let tree: MerkleTree = (0..300).map(|index| leaf_hash(&entry(index))).collect();
        let head = Checkpoint::new(LOG, 300, tree.root()).unwrap().sign(&[&signer()]).unwrap();
        let tiled = TiledTree::new(300, |path| Ok(hash_tile(&tree, path)));
        for index in [0, 255, 256, 299] {
            let proof = LogProof::from_tiles(&tiled, index, head.clone()).unwrap();
            assert_eq!(proof, LogProof::new(&tree, index, head.clone()).unwrap());
        }
        let missing = LogProof::from_tiles(&tiled, 300, head.clone()).unwrap_err();
        assert_eq!(missing.code(), Code::InvalidInput);
        let forged = TiledTree::new(300, |path| {
            Ok(hash_tile(&tree, path).map(|bytes| bytes.iter().map(|byte| byte ^ 1).collect()))
        });
        let refused = LogProof::from_tiles(&forged, 0, head).unwrap_err();
        assert_eq!(refused.code(), Code::LogTampered);
    }

    #[test]
    fn a_proof_holds_for_its_entry_log_and_key_only() {
        let proof = proof(5, 11);
        let (key, other) = (signer(), Ed25519Signer::from_seed(LOG, &[8; 32]).unwrap());
        proof.verify(&entry(5), LOG, key.verifier_key()).unwrap();
        for error in [
            proof.verify(&entry(6), LOG, key.verifier_key()),
            proof.verify(&entry(5), "example.com/other", key.verifier_key()),
            proof.verify(&entry(5), LOG, other.verifier_key()),
        ] {
            assert_eq!(error.unwrap_err().code(), Code::LogTampered);
        }
    }

    #[test]
    fn the_proof_of_a_lone_entry_has_no_hashes() {
        let file = proof(0, 1).to_string();
        assert!(file.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\nexample.com/log\n1\n"));
        let proof = LogProof::parse(file.as_bytes()).unwrap();
        proof.verify(&entry(0), LOG, signer().verifier_key()).unwrap();
    }

    #[test]
    fn what_is_not_a_proof_is_refused() {
        let good = proof(2, 5).to_string();
        let swap = |from: &str, to: &str| good.replacen(from, to, 1);
        for wrong in [
            String::new(),
            swap("@v1", "@v2"),
            swap("index 2", "index 02"),
            swap("index 2", "index -2"),
            swap("index 2", "index  2"),
            swap("index 2\n", ""),
            swap("index 2\n", "index 2\n\n"),
            swap("index 2\n", "index 2\nAAAA\n"),
            swap("index 2\n", "index 2\nextra AAAA\n"),
            swap("index 2\n", "extra A\nindex 2\n"),
            swap("index 2\n", "index 2\r\n"),
            swap(
                "index 2\n",
                &format!("index 2\n{}", format!("{}\n", to_base64(&[0; 32])).repeat(64)),
            ),
            good.trim_end().to_owned(),
        ] {
            let error = LogProof::parse(wrong.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::InvalidInput, "{wrong}");
            assert!(error.details().contains_key("line"), "{wrong}");
        }
        for (wrong, line) in [
            (swap("@v1", "@v2"), "1"),
            (swap("index 2\n", "index 2\nAAAA\n"), "3"),
            (swap("index 2\n", "extra A\nindex 2\n"), "2"),
            // Of the checkpoint within: its second line, and its signature.
            (swap("\n5\n", "\n05\n"), "8"),
            (swap("— ", "- "), "11"),
        ] {
            let error = LogProof::parse(wrong.as_bytes()).unwrap_err();
            assert_eq!(error.details()["line"], line, "{wrong}");
        }
        let long = LogProof::parse(&vec![b'a'; PROOF_BYTES_MAX + 1]).unwrap_err();
        assert_eq!(long.code(), Code::TooLarge);
    }

    #[test]
    fn every_changed_byte_of_a_proof_is_found() {
        let good = proof(2, 5).to_string().into_bytes();
        let (entry, key) = (entry(2), signer());
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            let verified = LogProof::parse(&bytes)
                .and_then(|proof| proof.verify(&entry, LOG, key.verifier_key()));
            assert!(verified.is_err(), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_printed_the_same(size in 1_u64..100, a: u64, extra: Option<Vec<u8>>) {
            let index = a % size;
            let mut made = proof(index, size);
            if let Some(extra) = extra {
                made = made.with_extra(&extra).unwrap();
            }
            let read = LogProof::parse(made.to_string().as_bytes()).unwrap();
            read.verify(&entry(index), LOG, signer().verifier_key()).unwrap();
            prop_assert_eq!(read, made);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, text in "(extra [A-Za-z]{0,9}\n)?index [0-9]{1,3}\n(?s).{0,80}") {
            let _either_way = LogProof::parse(&bytes);
            let _either_way = LogProof::parse(format!("{HEADER}{text}").as_bytes());
        }
    }
}
