//! A static export, read back and checked: every entry, every tile, the root and the signature.

use core::fmt;

use super::checkpoint::Checkpoint;
use super::climb::Climb;
use super::encoding::{in_file, tampered};
use super::key::VerifierKey;
use super::locate::{locate, wrong_tile};
use super::log_keys::LogKeys;
use super::merkle::{leaf_hash, verify_consistency};
use super::note::SignedNote;
use super::progress::Progress;
use super::tiled::TiledTree;
use super::tiles::{CHECKPOINT_PATH, TilePath, bundles_of, decode_bundle};
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
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Verified<R> {
    checkpoint: Checkpoint,
    trusted: VerifierKey,
    read: R,
}

impl<R> Verified<R> {
    /// The head that the log signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl<R: Fn(&str) -> Result<Option<Vec<u8>>, Error>> Verified<R> {
    /// Checks that the log continues a head that somebody kept: nothing before it was rewritten, and the
    /// log did not become shorter. It reads the few tiles that prove it: what they say is held against the
    /// head that was verified, so that it does not matter who changed them since.
    ///
    /// Fails with `log_tampered` when it does not.
    pub fn continues(&self, earlier: &Checkpoint) -> Result<(), Error> {
        let size = self.checkpoint.size();
        let differs = || {
            let from = earlier.size();
            tampered(format!("the export does not continue the log as it was at {from} leaves"))
                .with_help("keep both signed checkpoints: together they are the evidence")
                .with_detail("size", size)
                .with_detail("size_earlier", from)
        };
        if earlier.origin() != self.checkpoint.origin() || earlier.size() > size {
            return Err(differs());
        }
        let tree = TiledTree::new(size, |path: TilePath| (self.read)(&path.to_string()));
        let proof = tree.consistency_proof(earlier.size(), size)?;
        let (before, now) = (earlier.root(), self.checkpoint.root());
        verify_consistency(earlier.size(), size, &proof, &before, &now).map_err(|_| differs())
    }

    /// Opens a checkpoint of this log that somebody kept, also where another key signed it than signs the log now: any
    /// key that the log names, in its first entry or in a rotation ([`KeyRotation`](super::KeyRotation)). Where it is not
    /// the one that was trusted, all entries are read and held against the head again.
    ///
    /// Fails with `log_tampered` when no key of the log signed it, or it is the head of another log.
    pub fn open(&self, note: &SignedNote) -> Result<Checkpoint, Error> {
        let origin = self.checkpoint.origin();
        let mut keys = LogKeys::trusting(origin, &self.trusted);
        if let Ok(checkpoint) = keys.open(note) {
            return Ok(checkpoint);
        }
        let files = Files { read: &self.read };
        let mut see = |entry: &[u8]| keys.read(entry);
        check_entries(&files, &self.checkpoint, &mut |_| Ok(()), &mut see)?;
        keys.open_named(note)
    }
}

impl<R> fmt::Debug for Verified<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("checkpoint", &self.checkpoint).finish_non_exhaustive()
    }
}

/// Reads a static export (C2SP tlog-tiles) and checks all of it: the signature of the checkpoint by
/// `key` for the log `origin`, every entry, every hash tile and the root.
///
/// `key` may be an earlier key of the log: where it did not sign the checkpoint itself, the keys that it and its
/// successors vouched for in the log are followed ([`KeyRotation`](super::KeyRotation)), at the cost of reading the
/// entries twice.
///
/// `read` answers a file's bytes by its path, and `None` where there is no such file; its errors are passed
/// on. Each file is read once and let go: memory is one bundle, and at most 255 hashes for each of the up to 8
/// levels of tiles, however long the log is.
///
/// Fails with `log_tampered` at the first difference. The detail `leaf` is the index of an entry whose
/// bytes are not what was logged or cannot be read; the detail `path` is the file where it was found:
/// an entry bundle, a hash tile or `checkpoint`. Where an entry was replaced together with the hash tile
/// above it, `leaf_first` and `leaf_last` say between which entries; where all tiles were replaced too, only
/// the checkpoint is left to disagree, and it is named.
///
/// ```
/// use std::collections::BTreeMap;
/// use placet_core::audit::{
///     Checkpoint, Ed25519Signer, MerkleTree, Signer, TiledTree, export, hash_tile, leaf_hash,
///     verify_export,
/// };
/// use placet_core::error::Error;
/// let log = [b"ana asks".to_vec(), b"bo agrees".to_vec()];
/// let tree: MerkleTree = log.iter().map(|entry| leaf_hash(entry)).collect();
/// let signer = Ed25519Signer::from_seed("example.com/log", &[7; 32])?;
/// let head = Checkpoint::new("example.com/log", tree.len(), tree.root())?.sign(&[&signer])?;
///
/// let mut files = BTreeMap::new();
/// let tiled = TiledTree::new(2, |path| Ok(hash_tile(&tree, path)));
/// export(&tiled, &head, None, |_, _| Ok(log.to_vec()), &mut files)?;
///
/// let check = |files: &BTreeMap<String, Vec<u8>>| {
///     let read = |path: &str| Ok(files.get(path).cloned());
///     let verified = verify_export(read, "example.com/log", signer.verifier_key())?;
///     Ok::<_, Error>(verified.checkpoint().size())
/// };
/// assert_eq!(check(&files)?, 2);
///
/// let bundle = files.get_mut("tile/entries/000.p/2").expect("two entries");
/// *bundle.last_mut().expect("not empty") = b'!';
/// let error = check(&files).expect_err("the last entry was altered");
/// assert_eq!(error.code().as_str(), "log_tampered");
/// assert_eq!(error.details()["leaf"], "1");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn verify_export<R: Fn(&str) -> Result<Option<Vec<u8>>, Error>>(
    read: R,
    origin: &str,
    key: &VerifierKey,
) -> Result<Verified<R>, Error> {
    verify_export_with(read, origin, key, |_| Ok(()))
}

/// As [`verify_export`], and tells `progress` after each bundle of entries how far it is. It begins again at the
/// first entry after keys were followed, which reads as far as the rotation is, and when something is wrong and the place
/// is looked for.
///
/// An error that `progress` answers ends the work and is passed on.
///
/// ```
/// use placet_core::audit::verify_export_with;
/// # use std::collections::BTreeMap;
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// # let mut files = BTreeMap::new();
/// # gate.export(&office.root, |path, bytes| {
/// #     files.insert(path.to_owned(), bytes.to_vec());
/// #     Ok(())
/// # })?;
/// let mut last = None;
/// let read = |path: &str| Ok(files.get(path).cloned());
/// let whole = verify_export_with(read, gate.origin(), gate.verifier_key(), |at| {
///     last = Some(at);
///     Ok(())
/// })?;
/// let last = last.expect("there are entries");
/// assert_eq!((last.done, last.total), (whole.checkpoint().size(), whole.checkpoint().size()));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn verify_export_with<R: Fn(&str) -> Result<Option<Vec<u8>>, Error>>(
    read: R,
    origin: &str,
    key: &VerifierKey,
    mut progress: impl FnMut(Progress) -> Result<(), Error>,
) -> Result<Verified<R>, Error> {
    let files = Files { read: &read };
    let bytes = files.checkpoint()?;
    let checkpoint =
        open_checkpoint(&files, &bytes, LogKeys::trusting(origin, key), &mut progress)?;
    check_entries(&files, &checkpoint, &mut progress, &mut |_| {})?;
    Ok(Verified { checkpoint, trusted: key.clone(), read })
}

/// Compares every entry and every tile with a head, and shows `see` each entry. What it saw is believed at the end.
fn check_entries(
    files: &Files<'_>,
    checkpoint: &Checkpoint,
    progress: &mut Told<'_>,
    see: &mut dyn FnMut(&[u8]),
) -> Result<(), Error> {
    let mut climb = Climb::beside(files, 0);
    for path in bundles_of(checkpoint.size()) {
        let bundle = files.bundle_seen(path, see)?;
        if !bundle.whole {
            return Err(locate(files, checkpoint, progress)?);
        }
        climb.add(bundle.hashes)?;
        progress(Progress::at(path.end(), checkpoint.size()))?;
    }
    let (root, mismatch) = climb.finish()?;
    if root != checkpoint.root() {
        return Err(locate(files, checkpoint, progress)?);
    }
    // The signed root vouches for every entry: where a tile says otherwise, it is the tile.
    match mismatch {
        Some(mismatch) => Err(wrong_tile(mismatch.path)),
        None => Ok(()),
    }
}

/// The checkpoint, signed by the trusted key or by one that followed it.
fn open_checkpoint(
    files: &Files<'_>,
    bytes: &[u8],
    mut keys: LogKeys,
    progress: &mut Told<'_>,
) -> Result<Checkpoint, Error> {
    let note = SignedNote::parse(bytes).map_err(wrong_checkpoint)?;
    let cause = match keys.open(&note) {
        Ok(checkpoint) => return Ok(checkpoint),
        Err(cause) => cause,
    };
    // The size is not believed: it only says how far to look for whoever the trusted key vouched for.
    let size = note.unverified_text().parse().map_or(0, |claimed: Checkpoint| claimed.size());
    for path in bundles_of(size) {
        let Some(bundle) = files.bytes(path)? else { break };
        let before = keys.present().clone();
        decode_bundle(&bundle).map_while(|entry| entry).for_each(|entry| keys.read(entry));
        if *keys.present() != before
            && let Ok(checkpoint) = keys.open(&note)
        {
            return Ok(checkpoint);
        }
        progress(Progress::at(path.end(), size))?;
    }
    Err(wrong_checkpoint(cause))
}

/// Told how far it is; an error of it ends the work.
type Told<'a> = dyn FnMut(Progress) -> Result<(), Error> + 'a;

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

impl fmt::Debug for Files<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
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
        self.bundle_seen(path, &mut |_| {})
    }

    fn bundle_seen(&self, path: TilePath, see: &mut dyn FnMut(&[u8])) -> Result<Bundle, Error> {
        let bytes = self.bytes(path)?.unwrap_or_default();
        let width = usize::from(path.width());
        let mut entries = decode_bundle(&bytes).fuse();
        let readable = entries.by_ref().take(width).map_while(|entry| {
            let entry = entry?;
            see(entry);
            Some(leaf_hash(entry))
        });
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
    in_file(wrapped, &cause).with_source(cause)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
#[path = "verify_tests.rs"]
mod tests;
