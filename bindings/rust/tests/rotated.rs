//! The key of a log in a folder is replaced, wherever the process dies meanwhile.

use std::path::Path;
use std::sync::Arc;

use placet::audit::{Ed25519Signer, Signer as _, VerifierKey, verify_export};
use placet::error::Code;
use placet::{Gate, SigningKeyFile, SystemEntropy};
use placet_core::testing::Office;

fn open(folder: &Path) -> Result<Gate, placet::error::Error> {
    Gate::builder(folder).housekeeping(false).open()
}

fn verifies_with(gate: &Gate, office: &Office, trusted: &VerifierKey) {
    let mut files = std::collections::BTreeMap::new();
    let write = |path: &str, bytes: &[u8]| {
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    };
    gate.export(&office.root, write).unwrap();
    verify_export(|path| Ok(files.get(path).cloned()), gate.origin(), trusted).unwrap();
}

#[test]
fn a_folder_goes_on_with_the_next_key_once_the_log_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, next) = (folder.path(), folder.path().join("log.key.next"));
    let gate = open(folder).unwrap();
    let office = Office::found(&gate).unwrap();
    let first = gate.verifier_key().clone();
    let signer =
        SigningKeyFile::at(&next).open_or_create(gate.origin(), &SystemEntropy::default()).unwrap();
    drop(gate);
    // It died before the log named the new key: everything is as before, and the file waits.
    let gate = open(folder).unwrap();
    assert_eq!((gate.verifier_key(), next.exists()), (&first, true));
    gate.rotate_key(&office.root, &signer).unwrap();
    drop(gate);
    // It died before the file took its place: the opening puts it there.
    let gate = open(folder).unwrap();
    assert_eq!((gate.verifier_key(), next.exists()), (signer.verifier_key(), false));
    verifies_with(&gate, &office, &first);
    drop(gate);
    let gate = open(folder).unwrap();
    assert_eq!(gate.verifier_key(), signer.verifier_key());
    verifies_with(&gate, &office, signer.verifier_key());
}

#[test]
fn a_key_of_the_hosts_signs_and_no_other_opens_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let service =
        |seed: u8| Arc::new(Ed25519Signer::from_seed("example.org/log", &[seed; 32]).unwrap());
    let with = |seed| Gate::builder(folder.path()).signer(service(seed)).housekeeping(false).open();
    let gate = with(1).unwrap();
    let office = Office::found(&gate).unwrap();
    assert!(!folder.path().join("log.key").exists());
    gate.rotate_key(&office.root, &*service(2)).unwrap();
    drop(gate);
    assert_eq!(with(1).unwrap_err().code(), Code::SignerUnavailable);
    assert_eq!(with(3).unwrap_err().code(), Code::SignerUnavailable);
    verifies_with(&with(2).unwrap(), &office, service(1).verifier_key());
}
