//! Bundles with one thing wrong. In these the list of files is signed anew: whoever has the key can do that, and is
//! found all the same.

use super::*;
use crate::audit::{Ed25519Signer, Signer as _};
use crate::error::Code;
use crate::gate::Gate;
use crate::store::MemoryStore;
use crate::testing::{Bench, Office, Seen};

type Bundle = BTreeMap<String, Vec<u8>>;

const LOG: &str = "placet.test/log";

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(LOG, &[seed; 32]).unwrap()
}

/// The bundles of two requests that went all the way.
fn bundles() -> [Bundle; 2] {
    let bench = Bench::on(std::sync::Arc::new(MemoryStore::default())).unwrap();
    let gate = Gate::new(bench.parts);
    let office = Office::found(&gate).unwrap();
    let ids = [0, 1].map(|_| {
        let id = office.approved(&gate).unwrap().header.id;
        gate.comment(&office.ana, id, "now").unwrap();
        gate.drive(gate.execute(&office.bo, id).unwrap(), &Seen::default()).unwrap();
        id
    });
    ids.map(|id| {
        let mut files = Bundle::new();
        gate.evidence(&office.ana, id, |path, bytes| {
            assert!(files.insert(path.to_owned(), bytes.to_vec()).is_none(), "{path} again");
            Ok(())
        })
        .unwrap();
        files
    })
}

fn check(files: &Bundle) -> Result<VerifiedEvidence, Error> {
    verify_evidence(|path| Ok(files.get(path).cloned()), LOG, signer(7).verifier_key())
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
