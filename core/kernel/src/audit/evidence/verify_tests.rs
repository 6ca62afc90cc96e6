//! Bundles with one thing wrong. In these the list of files is signed anew: whoever has the key can do that, and is
//! found all the same.

use std::sync::Arc;

use super::*;
use crate::audit::{Ed25519Signer, KeyRotation, Signer as _};
use crate::error::Code;
use crate::gate::{Gate, Parts};
use crate::store::MemoryStore;
use crate::testing::{Bench, Office, Seen};

type Bundle = BTreeMap<String, Vec<u8>>;

const LOG: &str = "placet.test/log";

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(LOG, &[seed; 32]).unwrap()
}

/// The bundles of two requests that went all the way.
fn bundles() -> [Bundle; 2] {
    let bench = Bench::on(Arc::new(MemoryStore::default())).unwrap();
    let gate = Gate::new(bench.parts);
    let office = Office::found(&gate).unwrap();
    let ids = [0, 1].map(|_| {
        let id = office.approved(&gate).unwrap().header.id;
        gate.comment(&office.ana, id, "now").unwrap();
        gate.drive(gate.execute(&office.bo, id).unwrap(), &Seen::default()).unwrap();
        id
    });
    ids.map(|id| bundle(&gate, &office, id))
}

fn bundle(gate: &Gate, office: &Office, id: RequestId) -> Bundle {
    let mut files = Bundle::new();
    gate.evidence(&office.ana, id, |path, bytes| {
        assert!(files.insert(path.to_owned(), bytes.to_vec()).is_none(), "{path} again");
        Ok(())
    })
    .unwrap();
    files
}

fn check(files: &Bundle) -> Result<VerifiedEvidence, Error> {
    check_with(files, 7)
}

fn check_with(files: &Bundle, seed: u8) -> Result<VerifiedEvidence, Error> {
    verify_evidence(|path| Ok(files.get(path).cloned()), LOG, signer(seed).verifier_key())
}

/// `files` with a list of its own, signed by whoever has that key.
fn signed_anew(mut files: Bundle, seed: u8) -> Bundle {
    let list = SignedNote::parse(&files.remove(MANIFEST).unwrap()).unwrap();
    let mut manifest = Manifest::parse(list.unverified_text()).unwrap();
    manifest.files.clear();
    for (path, bytes) in &files {
        manifest.add(path, bytes);
    }
    let list = SignedNote::sign(&manifest.to_string(), &[&signer(seed)]).unwrap();
    files.insert(MANIFEST.to_owned(), list.to_string().into_bytes());
    files
}

/// The file whose path contains `part`.
fn path_of(files: &Bundle, part: &str) -> String {
    files.keys().find(|path| path.contains(part)).unwrap().clone()
}

#[test]
fn a_list_that_is_signed_anew_hides_nothing() {
    let [whole, other] = bundles();
    check(&whole).unwrap();
    check(&signed_anew(whole.clone(), 7)).unwrap();
    assert_eq!(check(&signed_anew(whole.clone(), 8)).unwrap_err().code(), Code::LogTampered);

    let leaves: Vec<String> =
        whole.keys().filter(|path| path.starts_with("leaves/")).cloned().collect();
    let refused = |files: Bundle, why: &str| {
        let error = check(&signed_anew(files, 7)).expect_err(why);
        let codes = [Code::LogTampered, Code::DigestMismatch, Code::InvalidInput];
        assert!(codes.contains(&error.code()), "{why}: {error:?}");
        error
    };
    for path in whole.keys().filter(|path| *path != MANIFEST) {
        let mut files = whole.clone();
        files.remove(path);
        refused(files, path);
        let mut files = whole.clone();
        let bytes = files.get_mut(path).unwrap();
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        refused(files, path);
    }
    // A step that is left out, with its proof: those around it do not fit.
    for pair in leaves.chunks(2).take(leaves.len() / 2 - 1) {
        let mut files = whole.clone();
        for path in pair {
            files.remove(path);
        }
        let error = refused(files, "a leaf is left out");
        assert!(
            error.details().contains_key("leaf") || error.details().contains_key("record"),
            "{error:?}"
        );
    }
    // Two leaves in each other's place.
    let mut files = whole.clone();
    let (one, two) = (leaves[0].clone(), leaves[2].clone());
    files.insert(one.clone(), whole[&two].clone());
    files.insert(two, whole[&one].clone());
    refused(files, "swapped");
    // A leaf, a record or a file more.
    for part in [".tlog-proof", "leaves/", "records/request/", "records/history/"] {
        let mut files = whole.clone();
        let path = path_of(&other, part);
        files.insert(path.clone(), other[&path].clone());
        if part == ".tlog-proof" {
            let leaf = path.replace(".tlog-proof", ".json");
            files.insert(leaf.clone(), other[&leaf].clone());
        }
        refused(files, part);
    }
    // What is told to people is what the leaves say.
    let mut files = whole;
    let report = String::from_utf8(files[REPORT].clone()).unwrap();
    let changed = report.replacen("Succeeded", "Failed", 1).replacen("SUCCEEDED", "FAILED", 1);
    assert_ne!(changed, report);
    files.insert(REPORT.to_owned(), changed.into_bytes());
    let error = refused(files, "another report");
    assert_eq!(error.details()["path"], REPORT);
}

/// A bundle of a log whose key was rotated twice: from 7 to 8, and from 8 to 9.
fn rotated() -> Bundle {
    let parts = Bench::on(Arc::new(MemoryStore::default())).unwrap().parts;
    let with = |seed| Gate::new(Parts { signer: Arc::new(signer(seed)), ..parts.clone() });
    let office = Office::found(&with(7)).unwrap();
    let id = office.approved(&with(7)).unwrap().header.id;
    with(7).rotate_key(&office.root, &signer(8)).unwrap();
    with(8).rotate_key(&office.root, &signer(9)).unwrap();
    bundle(&with(9), &office, id)
}

#[test]
fn whoever_trusts_any_key_of_the_log_follows_to_the_one_that_signed() {
    let files = rotated();
    for seed in [7, 8, 9] {
        let found = check_with(&files, seed).unwrap();
        assert_eq!(found.key, *signer(9).verifier_key(), "{seed}");
    }
    assert_eq!(check_with(&files, 10).unwrap_err().code(), Code::LogTampered);
    let readme = String::from_utf8(files[README].clone()).unwrap();
    assert!(readme.contains("keys/N.note") && readme.contains("Follow them"));
    // Where no key was rotated, nothing is said of it.
    let [plain, _] = bundles();
    assert!(!String::from_utf8(plain[README].clone()).unwrap().contains("keys/"));
}

#[test]
fn a_rotation_that_is_left_out_or_changed_leads_nowhere() {
    let whole = rotated();
    let rotations: Vec<String> =
        whole.keys().filter(|path| path.starts_with("keys/")).cloned().collect();
    assert_eq!(rotations.len(), 2);
    for path in &rotations {
        let mut changed = whole.clone();
        changed.get_mut(path).unwrap()[40] ^= 1;
        for seed in [7, 8, 9] {
            check_with(&signed_anew(changed.clone(), 9), seed).unwrap_err();
        }
    }
    // Without the first one, whoever trusts a later key follows; whoever trusts the first one does not.
    let mut without = whole.clone();
    without.remove(&rotations[0]);
    check_with(&signed_anew(without.clone(), 9), 8).unwrap();
    check_with(&signed_anew(without, 9), 7).unwrap_err();
    let mut without = whole.clone();
    without.remove(&rotations[1]);
    for seed in [7, 8, 9] {
        check_with(&signed_anew(without.clone(), 9), seed).unwrap_err();
    }
    // Somebody whom no key of the log vouched for cannot sign it, whatever else they have.
    let forged = KeyRotation::sign(&signer(10), &signer(11)).unwrap();
    let mut files = whole;
    files.insert("keys/0000000099.note".to_owned(), forged.note().to_string().into_bytes());
    for seed in [7, 8, 9] {
        check_with(&signed_anew(files.clone(), 11), seed).unwrap_err();
        check_with(&signed_anew(files.clone(), 9), seed).unwrap_err();
    }
}
