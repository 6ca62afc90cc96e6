//! Files and folders of heads.

use std::fs;

use placet_core::audit::{HeadStore as _, WitnessError};
use placet_core::error::Code;
use placet_core::testing::{Office, check_heads};
use placet_witness::{FileWitness, HeadFolder};

#[test]
fn files_and_folders_pass_the_exam() {
    let folder = tempfile::tempdir().unwrap();
    check_heads(&FileWitness::at(folder.path().join("a").join("changes.checkpoint")));
    check_heads(&HeadFolder::at(folder.path().join("b")));
}

#[test]
fn a_file_keeps_one_log_and_a_folder_many() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, _) = Office::in_memory().unwrap();
    let (file, many) = (FileWitness::at(folder.path().join("file")), HeadFolder::at(folder.path()));
    gate.anchor(&file).unwrap();
    gate.anchor(&many).unwrap();
    assert!(matches!(file.read("another.example/log"), Err(WitnessError::Refused(_))));
    assert!(many.read("another.example/log").unwrap().is_none());
    // An origin is a name, and no path.
    assert!(many.read("../file").unwrap().is_none());
    let text = fs::read_to_string(folder.path().join("file")).unwrap();
    assert_eq!(text, gate.checkpoint().unwrap().to_string(), "anybody can read it");
}

#[test]
fn a_file_that_is_no_head_is_not_a_log_that_was_never_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, _) = Office::in_memory().unwrap();
    let path = folder.path().join("changes.checkpoint");
    let witness = FileWitness::at(&path);
    gate.anchor(&witness).unwrap();
    let whole = fs::read(&path).unwrap();
    for wrong in [&b""[..], b"something else\n", &whole[..whole.len() / 2]] {
        fs::write(&path, wrong).unwrap();
        assert_eq!(gate.compare_with(&witness).unwrap_err().code(), Code::WitnessRefused);
        assert_eq!(gate.anchor(&witness).unwrap_err().code(), Code::WitnessRefused);
        assert_eq!(fs::read(&path).unwrap(), wrong, "nothing is written over it");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_not_reached() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, _) = Office::in_memory().unwrap();
    fs::write(folder.path().join("a"), b"a file").unwrap();
    let witness = FileWitness::at(folder.path().join("a").join("b"));
    let error = gate.anchor(&witness).unwrap_err();
    assert_eq!(error.code(), Code::WitnessUnavailable, "{error}");
    assert!(error.help().is_some());
}
