//! An export of 260 entries in which one file is another: the change is found, and an export over what is left makes
//! the folder whole again.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_core::audit::{
    CHECKPOINT_PATH, Checkpoint, Ed25519Signer, MerkleTree, SignedNote, Signer as _, TiledTree,
    VerifierKey, export, hash_tile, leaf_hash, verify_export,
};
use placet_core::error::{Code, Error};

const ORIGIN: &str = "example.com/log";

type Folder = BTreeMap<String, Vec<u8>>;

struct Log {
    entries: Vec<Vec<u8>>,
    tree: MerkleTree,
    head: SignedNote,
    key: VerifierKey,
    folder: Folder,
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let entries: Vec<Vec<u8>> = (0..260).map(|one| format!("entry {one}").into_bytes()).collect();
    let tree: MerkleTree = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let signer = Ed25519Signer::from_seed(ORIGIN, &[7; 32]).expect("the seed makes a key");
    let head = Checkpoint::new(ORIGIN, tree.len(), tree.root()).expect("a head");
    let head = head.sign(&[&signer]).expect("a signed head");
    let key = signer.verifier_key().clone();
    let mut log = Log { entries, tree, head, key, folder: Folder::new() };
    let mut folder = Folder::new();
    log.export_over(&mut folder).expect("an export");
    log.folder = folder;
    log
});

impl Log {
    fn export_over(&self, folder: &mut Folder) -> Result<(), Error> {
        let tiled = TiledTree::new(self.tree.len(), |path| Ok(hash_tile(&self.tree, path)));
        let read = |from: u64, limit: usize| {
            let from = usize::try_from(from).expect("a small log");
            Ok(self.entries[from..from + limit].to_vec())
        };
        export(&tiled, &self.head, None, read, folder)
    }

    fn verify(&self, folder: &Folder) -> Result<Checkpoint, Error> {
        let read = |path: &str| Ok(folder.get(path).cloned());
        verify_export(read, ORIGIN, &self.key).map(|verified| verified.checkpoint().clone())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, rest)) = bytes.split_first() else { return };
    let log = &*LOG;
    let path = log.folder.keys().nth(usize::from(*which) % log.folder.len()).expect("a file");
    let good = &log.folder[path];
    let changed = match rest {
        [] => None,
        // The file that came, or the good one with bytes of it changed.
        [0, rest @ ..] => Some(rest.to_vec()),
        [_, rest @ ..] => {
            let mut bytes = good.clone();
            for edit in rest.chunks_exact(3) {
                let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % bytes.len();
                bytes[at] ^= edit[2];
            }
            Some(bytes)
        }
    };
    let is_same = changed.as_ref() == Some(good);
    let mut folder = log.folder.clone();
    match changed {
        Some(bytes) => drop(folder.insert(path.clone(), bytes)),
        None => drop(folder.remove(path)),
    }
    match log.verify(&folder) {
        // A checkpoint may carry signatures of others besides.
        Ok(head) => assert!(is_same || (path == CHECKPOINT_PATH && head.size() == 260)),
        Err(error) => assert!(!is_same && error.code() == Code::LogTampered, "{error}"),
    }
    log.export_over(&mut folder).expect("what is there does not matter");
    assert!(folder == log.folder, "an export over a damaged folder is not whole");
});
