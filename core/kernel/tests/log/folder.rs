//! A log in memory, exported.

use std::collections::BTreeMap;

use placet_core::audit::{
    Checkpoint, Ed25519Signer, MerkleTree, Signer as _, TiledTree, VerifierKey, export, hash_tile,
    leaf_hash,
};

pub(crate) const ORIGIN: &str = "placet.test/log";

pub(crate) type Folder = BTreeMap<String, Vec<u8>>;

pub(crate) fn signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(ORIGIN, &[7; 32]).unwrap()
}

pub(crate) fn key() -> VerifierKey {
    signer().verifier_key().clone()
}

pub(crate) fn tree_of(entries: &[Vec<u8>]) -> MerkleTree {
    entries.iter().map(|entry| leaf_hash(entry)).collect()
}

pub(crate) fn exported(entries: &[Vec<u8>]) -> Folder {
    let tree = tree_of(entries);
    let tiled = TiledTree::new(tree.len(), |path| Ok(hash_tile(&tree, path)));
    let head = Checkpoint::new(ORIGIN, tree.len(), tree.root()).unwrap();
    let read = |from, limit| {
        let from = usize::try_from(from).unwrap();
        Ok(entries[from..from + limit].to_vec())
    };
    let mut folder = Folder::new();
    export(&tiled, &head.sign(&[&signer()]).unwrap(), None, read, &mut folder).unwrap();
    folder
}

/// Numbers that look random and repeat from their seed (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(limit).unwrap()).unwrap()
    }
}
