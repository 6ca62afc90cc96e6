//! The log of a whole story, exported and verified.

use std::collections::BTreeMap;

use placet_core::audit::verify_export;
use placet_core::error::{Code, Error};

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
