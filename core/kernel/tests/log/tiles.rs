//! The log of a gate that keeps its tiles in the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use placet_core::audit::{Checkpoint, MerkleTree, leaf_hash, verify_export};
use placet_core::error::Code;
use placet_core::gate::Gate;
use placet_core::store::{Batch, Key, MemoryStore, Store, StoreError};
use placet_core::testing::{Bench, Office, StoreWrapper};

/// Counts what is read.
#[derive(Debug, Default)]
struct Counted {
    inner: MemoryStore,
    reads: AtomicU64,
}

impl StoreWrapper for Counted {
    fn inner(&self) -> &dyn Store {
        &self.inner
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        read(&self.inner)
    }
}

/// A store with the log of a story, and after it as many entries as make it `len` long.
fn store_of(len: u64) -> (Arc<Counted>, Office) {
    let store = Arc::new(Counted::default());
    let office = Office::found(&gate(&store)).unwrap();
    grow(&store, len);
    (store, office)
}

fn grow(store: &Counted, len: u64) {
    let first = store.log_read(0, 1).unwrap().remove(0);
    while store.log_len().unwrap() < len {
        store.commit(Batch::default().append(first.clone())).unwrap();
    }
}

fn gate(store: &Arc<Counted>) -> Gate {
    Gate::new(Bench::on(Arc::<Counted>::clone(store)).unwrap().parts)
}

fn tree(store: &Counted) -> MerkleTree {
    store.log_read(0, usize::MAX).unwrap().iter().map(|entry| leaf_hash(entry)).collect()
}

fn head(gate: &Gate) -> Checkpoint {
    Checkpoint::open_note(&gate.checkpoint().unwrap(), gate.origin(), gate.verifier_key()).unwrap()
}

fn tiles(store: &Counted) -> BTreeMap<Key, Vec<u8>> {
    let found = store.scan(&Key::from_segments(&["tile"]), None, usize::MAX).unwrap();
    found.into_iter().map(|(key, stored)| (key, stored.value)).collect()
}

#[test]
fn heads_and_proofs_of_two_nodes_are_those_of_the_log_at_every_length() {
    let (store, _) = store_of(100);
    let (first, second) = (gate(&store), gate(&store));
    let mut kept: Vec<Checkpoint> = Vec::new();
    for len in [100, 255, 256, 257, 511, 512, 1_000, 5_000] {
        grow(&store, len);
        let tree = tree(&store);
        // A node that was just started finds what the others put away.
        let third = gate(&store);
        for gate in [&first, &second, &third] {
            assert_eq!(head(gate).root(), tree.root(), "{len}");
            for index in [0, 19, len / 2, len - 1] {
                let entry = store.log_read(index, 1).unwrap().remove(0);
                let proof = gate.prove(index).unwrap();
                proof.verify(&entry, gate.origin(), gate.verifier_key()).unwrap();
                assert_eq!(proof.hashes(), tree.inclusion_proof(index, len).unwrap());
            }
            for earlier in &kept {
                let proof = gate.prove_consistency(earlier.size()).unwrap();
                assert_eq!(proof.verify(earlier, gate.verifier_key()).unwrap().size(), len);
            }
            let never = gate.prove_consistency(len + 1).unwrap_err();
            assert_eq!(never.code(), Code::InvalidInput);
        }
        kept.push(head(&first));
        let full = len / 256;
        assert_eq!(u64::try_from(tiles(&store).len()).unwrap(), full, "{len}");
    }
}

#[test]
fn a_head_that_was_not_kept_is_not_continued() {
    let (store, office) = store_of(300);
    let gate = gate(&store);
    let other = Checkpoint::new(gate.origin(), 100, leaf_hash(b"other")).unwrap();
    let proof = gate.prove_consistency(100).unwrap();
    let refused = proof.verify(&other, gate.verifier_key()).unwrap_err();
    assert_eq!(refused.code(), Code::LogTampered);
    let elsewhere = Checkpoint::new(gate.origin(), 99, other.root()).unwrap();
    let refused = proof.verify(&elsewhere, gate.verifier_key()).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidInput);

    let mut folder = BTreeMap::new();
    gate.export_to(&office.root, &mut folder).unwrap();
    let read = |path: &str| Ok(folder.get(path).cloned());
    let verified = verify_export(read, gate.origin(), gate.verifier_key()).unwrap();
    assert_eq!(verified.continues(&other).unwrap_err().code(), Code::LogTampered);
}

/// A gate reads the log once, some thousand entries at a time, before it signs its first head: no tile is believed. What
/// it reads for a proof does not grow with the log.
#[test]
fn a_gate_that_is_started_reads_the_log_once_and_then_tiles() {
    let (store, _) = store_of(10_000);
    gate(&store).checkpoint().unwrap();
    let started = gate(&store);
    store.reads.store(0, Ordering::Relaxed);
    started.checkpoint().unwrap();
    let reads = store.reads.load(Ordering::Relaxed);
    // Three times entries, the 39 tiles of them, and the key.
    assert!(reads <= 3 + 39 + 4, "{reads} reads");
    started.checkpoint().unwrap();
    let again = store.reads.load(Ordering::Relaxed) - reads;
    assert!(again <= 2, "{again} reads for a head");
    store.reads.store(0, Ordering::Relaxed);
    started.prove(5_000).unwrap();
    let reads = store.reads.load(Ordering::Relaxed);
    assert!(reads <= 4, "{reads} reads for a proof");
    // Without tiles it would read on and on: the count notices.
    for (key, _) in tiles(&store) {
        store.commit(Batch::default().remove(key)).unwrap();
    }
    store.reads.store(0, Ordering::Relaxed);
    started.prove(5_000).unwrap_err();
    gate(&store).checkpoint().unwrap();
    assert_eq!(tiles(&store).len(), 39, "made again");
    started.prove(5_000).unwrap();
}

#[test]
fn tiles_that_are_not_those_of_the_log_are_made_again_or_refused() {
    let (store, _) = store_of(600);
    let honest = gate(&store);
    let root = head(&honest).root();
    let before = tiles(&store);
    let body = |value: &[u8]| -> serde_json::Value {
        serde_json::from_slice::<serde_json::Value>(value).unwrap()["body"].take()
    };
    let spoil = |key: &Key, old: &str, new: &str| {
        let text = String::from_utf8(before[key].clone()).unwrap();
        assert!(text.contains(old));
        let spoilt = text.replacen(old, new, 1).into_bytes();
        store.commit(Batch::default().put(key.clone(), spoilt)).unwrap();
    };
    let first = head(&honest);
    let leaf = leaf_hash(&store.log_read(300, 1).unwrap()[0]).to_string();
    let other = leaf_hash(b"other").to_string();
    let second = Key::from_segments(&["tile", "0", "1"]);

    // A running gate makes no false proof of it.
    spoil(&second, &leaf, &other);
    assert_eq!(honest.prove(256 + 1).unwrap_err().code(), Code::LogTampered);
    assert_eq!(honest.checkpoint().unwrap().to_string().lines().nth(1), Some("600"));
    // One that is started makes all of them again, and signs what the log says.
    let started = gate(&store);
    assert_eq!(head(&started).root(), root);
    assert_eq!(head(&started), first);
    // Also where it is not the last tile that is wrong.
    let early = leaf_hash(&store.log_read(7, 1).unwrap()[0]).to_string();
    spoil(&Key::from_segments(&["tile", "0", "0"]), &early, &other);
    assert_eq!(head(&gate(&store)).root(), root);
    let (now, then) = (tiles(&store), before.clone());
    assert_eq!(
        now.values().map(|value| body(value)).collect::<Vec<_>>(),
        then.values().map(|value| body(value)).collect::<Vec<_>>()
    );
    honest.prove(256 + 1).unwrap();
}

#[test]
fn a_folder_is_brought_up_to_date_and_one_of_another_log_is_left_alone() {
    let (store, office) = store_of(300);
    let gate = gate(&store);
    let mut folder = BTreeMap::new();
    gate.export_to(&office.root, &mut folder).unwrap();
    grow(&store, 700);
    gate.export_to(&office.root, &mut folder).unwrap();
    let read = |path: &str| Ok(folder.get(path).cloned());
    let whole = verify_export(read, gate.origin(), gate.verifier_key()).unwrap();
    assert_eq!(whole.checkpoint().size(), 700);
    assert!(folder.contains_key("tile/0/001.p/44"), "what an earlier head needs stays");

    // A store that was set back to an earlier backup.
    let (older, _) = store_of(500);
    let before = folder.clone();
    let refused = self::gate(&older).export_to(&office.root, &mut folder).unwrap_err();
    assert_eq!((refused.code(), refused.help().is_some()), (Code::LogTampered, true));
    folder.insert("checkpoint".to_owned(), b"something else\n".to_vec());
    let refused = gate.export_to(&office.root, &mut folder).unwrap_err();
    assert_eq!(refused.code(), Code::LogTampered);
    folder.insert("checkpoint".to_owned(), before["checkpoint"].clone());
    assert_eq!(folder, before);
    assert_eq!(gate.export_to(&office.ana, &mut folder).unwrap_err().code(), Code::Denied);
}
