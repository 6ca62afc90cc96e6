//! Tiles that anybody may have written: no proof panics, none is handed out that does not verify, and a size that a
//! stranger names takes no memory of its own.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_core::audit::{
    Checkpoint, ConsistencyProof, Ed25519Signer, LogProof, TilePath, TiledTree, tiles_of,
    verify_consistency, verify_inclusion,
};
use placet_core::error::Error;

const ORIGIN: &str = "example.com/log";

static SIGNER: LazyLock<Ed25519Signer> =
    LazyLock::new(|| Ed25519Signer::from_seed(ORIGIN, &[7; 32]).expect("the seed makes a key"));

fuzz_target!(|bytes: &[u8]| {
    let Some((numbers, tile)) = bytes.split_first_chunk::<24>() else { return };
    let number = |at: usize| {
        let bytes = numbers[at..at + 8].try_into().expect("eight bytes");
        // Small and large ones alike.
        let number = u64::from_le_bytes(bytes);
        number >> (number % 64)
    };
    let (size, index, earlier) = (number(0) >> 16, number(8), number(16));
    assert!(tiles_of(size).take(3).count() <= 3);

    // Tiles as they came, or of the right width and filled with what came.
    let Some((kind, tile)) = tile.split_first() else { return };
    let as_is = |_: TilePath| -> Result<Option<Vec<u8>>, Error> { Ok(Some(tile.to_vec())) };
    let filled = |path: TilePath| -> Result<Option<Vec<u8>>, Error> {
        let length = usize::from(path.width()) * 32;
        Ok((!tile.is_empty()).then(|| tile.iter().copied().cycle().take(length).collect()))
    };
    if kind % 2 == 0 {
        prove(&TiledTree::new(size, filled), index, earlier);
    } else {
        prove(&TiledTree::new(size, as_is), index, earlier);
    }
});

fn prove<R>(tree: &TiledTree<R>, index: u64, earlier: u64)
where
    R: Fn(TilePath) -> Result<Option<Vec<u8>>, Error>,
{
    let Ok(root) = tree.root() else { return };
    let size = tree.len();
    let Ok(head) = Checkpoint::new(ORIGIN, size, root) else { return };
    let signed = head.sign(&[&*SIGNER]).expect("a head can be signed");
    // Tiles that contradict each other make proofs that do not hold: those must not be handed out.
    if let Ok(proof) = LogProof::from_tiles(tree, index, signed.clone()) {
        let leaf = tree.leaf(index).expect("it was proved");
        verify_inclusion(&leaf, index, size, proof.hashes(), &root).expect("a proof that holds");
    }
    if let Ok(proof) = ConsistencyProof::from_tiles(tree, earlier, signed) {
        let before = tree.root_at(earlier).expect("it was proved");
        verify_consistency(earlier, size, proof.hashes(), &before, &root)
            .expect("a proof that holds");
    }
}
