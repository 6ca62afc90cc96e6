//! A static export, read back and checked: every entry, every tile, the root and the signature.

use super::checkpoint::Checkpoint;
use super::encoding::tampered;
use super::key::VerifierKey;
use super::locate::{locate, wrong_tile};
use super::merkle::{MerkleTree, leaf_hash};
use super::tiles::{
    CHECKPOINT_PATH, TilePath, bundles_of, decode_bundle, hash_tile, hash_tiles_of,
};
use crate::digest::Digest;
use crate::error::Error;

/// What [`verify_export`] found to be whole.
///
/// ```
/// use placet_core::audit::{Checkpoint, verify_export};
/// # use std::collections::BTreeMap;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let (origin, key) = (gate.origin(), gate.verifier_key());
///
/// let kept = Checkpoint::open_note(&gate.checkpoint()?, origin, key)?;
/// office.pending(&gate)?; // the log grows
/// # let mut files = BTreeMap::new();
/// # gate.export(&office.root, |path, bytes| {
/// #     files.insert(path.to_owned(), bytes.to_vec());
/// #     Ok(())
/// # })?;
///
/// let verified = verify_export(|path| Ok(files.get(path).cloned()), origin, key)?;
/// verified.continues(&kept)?; // nothing that the auditor saw before was rewritten
/// assert!(verified.checkpoint().size() > kept.size());
/// assert_eq!(verified.tree().root(), verified.checkpoint().root());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verified {
    checkpoint: Checkpoint,
    tree: MerkleTree,
}

impl Verified {
    /// The head that the log signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The Merkle tree of all entries.
    pub fn tree(&self) -> &MerkleTree {
        &self.tree
    }

    /// Checks that the log continues a head that somebody kept: nothing before it was rewritten, and the
    /// log did not become shorter.
    ///
    /// Fails with `log_tampered` when it does not.
    pub fn continues(&self, earlier: &Checkpoint) -> Result<(), Error> {
        let same_log = earlier.origin() == self.checkpoint.origin();
        let root = self.tree.root_at(earlier.size());
        if same_log && root.is_ok_and(|root| root == earlier.root()) {
            return Ok(());
        }
        let sentence =
            format!("the export does not continue the log as it was at {} leaves", earlier.size());
        Err(tampered(sentence)
            .with_help("keep both signed checkpoints: together they are the evidence")
            .with_detail("size", self.checkpoint.size())
            .with_detail("size_earlier", earlier.size()))
    }
}

/// Reads a static export (C2SP tlog-tiles) and checks all of it: the signature of the checkpoint by
/// `key` for the log `origin`, every entry, every hash tile and the root.
///
/// `read` answers a file's bytes by its path, and `None` where there is no such file; its errors are passed
/// on. Memory is about 64 bytes an entry.
///
/// Fails with `log_tampered` at the first difference. The detail `leaf` is the index of an entry whose
/// bytes are not what was logged or cannot be read; the detail `path` is the file where it was found:
/// an entry bundle, a hash tile or `checkpoint`. Where an entry was replaced together with the hash tile
/// above it, `leaf_first` and `leaf_last` say between which entries; where all tiles were replaced too, only
/// the checkpoint is left to disagree, and it is named.
///
/// ```
/// use std::cell::RefCell;
/// use std::collections::BTreeMap;
/// use placet_core::audit::{
///     Checkpoint, Ed25519Signer, MerkleTree, Signer, export, leaf_hash, verify_export,
/// };
/// let log = [b"ana asks".to_vec(), b"bo agrees".to_vec()];
/// let tree: MerkleTree = log.iter().map(|entry| leaf_hash(entry)).collect();
/// let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let head = Checkpoint::new("example.com/log", tree.len(), tree.root())?.sign(&[&signer])?;
///
/// let mut files = BTreeMap::new();
/// export(&tree, &head, |_, _| Ok(log.to_vec()), |path, bytes| {
///     files.insert(path.to_owned(), bytes.to_vec());
///     Ok(())
/// })?;
///
/// let check = |files: &BTreeMap<String, Vec<u8>>| {
///     verify_export(|path| Ok(files.get(path).cloned()), "example.com/log", signer.verifier_key())
/// };
/// assert_eq!(check(&files)?.checkpoint().size(), 2);
///
/// let bundle = files.get_mut("tile/entries/000.p/2").expect("two entries");
/// *bundle.last_mut().expect("not empty") = b'!';
/// let error = check(&files).expect_err("the last entry was altered");
/// assert_eq!(error.code().as_str(), "log_tampered");
/// assert_eq!(error.details()["leaf"], "1");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn verify_export(
    read: impl Fn(&str) -> Result<Option<Vec<u8>>, Error>,
    origin: &str,
    key: &VerifierKey,
) -> Result<Verified, Error> {
    let files = Files { read: &read };
    let bytes = files.checkpoint()?;
    let checkpoint = Checkpoint::open(&bytes, origin, key).map_err(wrong_checkpoint)?;

    let mut tree = MerkleTree::default();
    for path in bundles_of(checkpoint.size()) {
        let bundle = files.bundle(path)?;
        if !bundle.whole {
            return Err(locate(&files, &checkpoint)?);
        }
        tree.extend(bundle.hashes);
    }
    if tree.root() != checkpoint.root() {
        return Err(locate(&files, &checkpoint)?);
    }
    // From here on every hash is known for certain, whatever the tiles say.
    for path in hash_tiles_of(checkpoint.size(), 0) {
        if files.bytes(path)? != hash_tile(&tree, path) {
            return Err(wrong_tile(path));
        }
    }
    Ok(Verified { checkpoint, tree })
}

/// Answers a file's bytes by its path, and `None` where there is no such file.
type Read<'a> = dyn Fn(&str) -> Result<Option<Vec<u8>>, Error> + 'a;

/// The files of an export.
pub(super) struct Files<'a> {
    read: &'a Read<'a>,
}

/// What an entry bundle holds, as far as it can be read.
pub(super) struct Bundle {
    /// The leaf hashes of the entries, from the first to the last that can be read.
    pub(super) hashes: Vec<Digest>,
    /// Whether these are all, and nothing else is in the file.
    pub(super) whole: bool,
}

impl Files<'_> {
    fn checkpoint(&self) -> Result<Vec<u8>, Error> {
        (self.read)(CHECKPOINT_PATH)?.ok_or_else(|| {
            tampered("the export has no checkpoint")
                .with_help(
                    "an export without its checkpoint proves nothing; get it from another copy",
                )
                .with_detail("path", CHECKPOINT_PATH)
        })
    }

    pub(super) fn bytes(&self, path: TilePath) -> Result<Option<Vec<u8>>, Error> {
        (self.read)(&path.to_string())
    }

    pub(super) fn bundle(&self, path: TilePath) -> Result<Bundle, Error> {
        let bytes = self.bytes(path)?.unwrap_or_default();
        let width = usize::from(path.width());
        let mut entries = decode_bundle(&bytes).fuse();
        let readable = entries.by_ref().take(width).map_while(|entry| entry.map(leaf_hash));
        let hashes: Vec<_> = readable.collect();
        let whole = hashes.len() == width && entries.next().is_none();
        Ok(Bundle { hashes, whole })
    }
}

fn wrong_checkpoint(cause: Error) -> Error {
    let help = cause.help().unwrap_or("get the checkpoint from another copy of the export");
    let wrapped = tampered(format!("the checkpoint of the export does not verify: {cause}"))
        .with_help(help)
        .with_detail("path", CHECKPOINT_PATH);
    wrapped.with_source(cause)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
#[path = "verify_tests.rs"]
mod tests;
