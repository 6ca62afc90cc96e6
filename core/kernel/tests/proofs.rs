//! The log of a whole story, exported and verified.

use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::audit::{
    Checkpoint, Ed25519Signer, Signer as _, verify_export, verify_export_with,
};
use placet_core::error::{Code, Error};
use placet_core::gate::Gate;
use placet_core::store::MemoryStore;
use placet_core::testing::{Bench, Office};

use crate::world::World;

fn exported(world: &World) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    world
        .gate
        .export(&world.caller("root"), |path, bytes| {
            files.insert(path.to_owned(), bytes.to_vec());
            Ok(())
        })
        .unwrap();
    files
}

fn told() -> World {
    let world = World::new();
    let mut id = None;
    for step in ["draft ana", "submit ana", "approve bo", "execute bo", "verify bo"] {
        world.step(&mut id, step).unwrap();
    }
    world
}

#[test]
fn an_exported_log_verifies_and_one_changed_byte_names_its_leaf() {
    let world = told();
    let mut files = exported(&world);
    let (origin, key) = (world.gate.origin().to_owned(), world.gate.verifier_key().clone());
    let check = |files: &BTreeMap<String, Vec<u8>>| {
        let verified = verify_export(|path| Ok(files.get(path).cloned()), &origin, &key)?;
        Ok::<_, Error>(verified.checkpoint().clone())
    };
    let head = check(&files).unwrap();
    let leaves = world.gate.audit(&world.caller("root"), 0).unwrap().len();
    assert_eq!(head.size(), u64::try_from(leaves).unwrap());
    let bundle = files.keys().find(|path| path.starts_with("tile/entries/")).unwrap().clone();
    // The third byte of the first entry: past its two bytes of length.
    files.get_mut(&bundle).unwrap()[4] ^= 1;
    let error = check(&files).unwrap_err();
    assert_eq!(error.code(), Code::LogTampered);
    assert_eq!(error.details()["leaf"], "0");
}

#[test]
fn every_entry_has_a_proof_that_holds_for_it_alone() {
    let world = told();
    let (origin, key) = (world.gate.origin(), world.gate.verifier_key());
    let leaves = world.gate.audit(&world.caller("root"), 0).unwrap();
    let (first, second) = (leaves[0].1.to_bytes().unwrap(), leaves[1].1.to_bytes().unwrap());
    let proof = world.gate.prove(0).unwrap();
    proof.verify(&first, origin, key).unwrap();
    assert_eq!(proof.verify(&second, origin, key).unwrap_err().code(), Code::LogTampered);
    let missing = world.gate.prove(u64::try_from(leaves.len()).unwrap()).unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

#[test]
fn the_log_names_nobody_and_quotes_nothing() {
    let world = told();
    let text: String = exported(&world)
        .iter()
        .filter(|(path, _)| path.contains("entries"))
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    for secret in ["example.org", "SELECT", "add a column", "Shop"] {
        assert!(!text.contains(secret), "the log holds `{secret}`");
    }
}

/// Three keys, one after the other. Whoever has the first one follows to the last.
#[test]
fn a_log_that_changed_its_key_verifies_with_its_first_one() {
    let store = Arc::new(MemoryStore::default());
    let mut bench = Bench::on(Arc::<MemoryStore>::clone(&store)).unwrap();
    let first = Gate::new(bench.parts.clone());
    let office = Office::found(&first).unwrap();
    let (origin, trusted) = (first.origin().to_owned(), first.verifier_key().clone());
    let early = first.checkpoint().unwrap();
    let mut gate = first;
    for seed in [21, 22] {
        let next = Arc::new(Ed25519Signer::from_seed(&origin, &[seed; 32]).unwrap());
        gate.rotate_key(&office.root, &*next).unwrap();
        // Whoever has the old key signs nothing more, and names no other key either.
        assert_eq!(gate.checkpoint().unwrap_err().code(), Code::SignerUnavailable);
        let other = Ed25519Signer::from_seed(&origin, &[99; 32]).unwrap();
        let late = gate.rotate_key(&office.root, &other).unwrap_err();
        assert_eq!(late.code(), Code::SignerUnavailable);
        bench.parts.signer = next;
        gate = Gate::new(bench.parts.clone());
        office.pending(&gate).unwrap();
    }
    let mut files = BTreeMap::new();
    let write = |path: &str, bytes: &[u8]| {
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    };
    gate.export(&office.root, write).unwrap();
    let read = |path: &str| Ok(files.get(path).cloned());
    let verified = verify_export(read, &origin, &trusted).unwrap();
    verified.continues(&Checkpoint::open_note(&early, &origin, &trusted).unwrap()).unwrap();
    verify_export(read, &origin, gate.verifier_key()).unwrap();
    // A head that was kept opens with whichever key of the log signed it.
    let head = Checkpoint::open_note(&early, &origin, &trusted).unwrap();
    for trusted in [&trusted, gate.verifier_key()] {
        let verified = verify_export(read, &origin, trusted).unwrap();
        for kept in [&early, &gate.checkpoint().unwrap()] {
            verified.continues(&verified.open(kept).unwrap()).unwrap();
        }
        let stranger = Ed25519Signer::from_seed(&origin, &[77; 32]).unwrap();
        let error = verified.open(&head.sign(&[&stranger]).unwrap()).unwrap_err();
        assert_eq!(error.code(), Code::LogTampered);
    }
    // A key that nobody vouched for is not followed to, and neither is one that came later than the trusted one.
    let stranger = Ed25519Signer::from_seed(&origin, &[77; 32]).unwrap();
    let error = verify_export(read, &origin, stranger.verifier_key()).unwrap_err();
    assert_eq!(error.code(), Code::LogTampered);
}

#[test]
fn whoever_follows_keys_through_a_log_is_told_how_far_it_is_and_can_stop() {
    let mut bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
    let first = Gate::new(bench.parts.clone());
    let office = Office::found(&first).unwrap();
    for _ in 0..100 {
        office.pending(&first).unwrap();
    }
    let next = Arc::new(Ed25519Signer::from_seed(first.origin(), &[21; 32]).unwrap());
    first.rotate_key(&office.root, &*next).unwrap();
    bench.parts.signer = next;
    let mut files = BTreeMap::new();
    let write = |path: &str, bytes: &[u8]| {
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    };
    Gate::new(bench.parts).export(&office.root, write).unwrap();
    let read = |path: &str| Ok(files.get(path).cloned());
    let mut told = Vec::new();
    let verified = verify_export_with(read, first.origin(), first.verifier_key(), |at| {
        told.push((at.done, at.total));
        Ok(())
    });
    let size = verified.unwrap().checkpoint().size();
    assert!(size > 256 && size <= 512, "{size}");
    // The rotation is in the second bundle: the first one is told before, and both after.
    assert_eq!(told, [(256, size), (256, size), (size, size)]);
    let stopped = verify_export_with(read, first.origin(), first.verifier_key(), |_| {
        Err(Error::new(Code::Cancelled, "enough"))
    });
    assert_eq!(stopped.unwrap_err().code(), Code::Cancelled);
}

/// A node that signed a moment ago does not sign with a key that another node replaced.
#[test]
fn a_key_that_was_replaced_on_another_node_signs_nothing_more() {
    let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
    let (here, there) = (Gate::new(bench.parts.clone()), Gate::new(bench.parts));
    let office = Office::found(&here).unwrap();
    there.checkpoint().unwrap();
    let next = Ed25519Signer::from_seed(here.origin(), &[8; 32]).unwrap();
    here.rotate_key(&office.root, &next).unwrap();
    assert_eq!(there.checkpoint().unwrap_err().code(), Code::SignerUnavailable);
}

#[test]
fn only_an_administrator_names_another_key_and_the_log_keeps_its_name() {
    let (gate, office) = Office::in_memory().unwrap();
    let next = Ed25519Signer::from_seed(gate.origin(), &[8; 32]).unwrap();
    let denied = gate.rotate_key(&office.ana, &next).unwrap_err();
    assert!(matches!(denied.code(), Code::Denied | Code::NotFound), "{denied}");
    let elsewhere = Ed25519Signer::from_seed("another.example/log", &[8; 32]).unwrap();
    let refused = gate.rotate_key(&office.root, &elsewhere).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidInput);
    gate.checkpoint().unwrap();
}
