//! Whatever comes from outside as a proof, a note, a head for a witness, a path, a leaf or a bundle: nothing panics, what
//! can be read is printed the same again, byte for byte, and what cannot is refused with its place. Two spellings of one
//! proof would be two proofs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use placet_core::audit::{
    AuditCursor, Checkpoint, Ed25519Signer, KeyRotation, Leaf, LogProof, SignedNote, Signer as _,
    Submission, TilePath, VerifierKey, decode_bundle, encode_bundle, verify_export,
};
use placet_core::error::{Code, Error};
use placet_core::gate::ExportToken;

const ORIGIN: &str = "example.com/log";

fuzz_target!(|bytes: &[u8]| {
    texts(bytes);
    values(bytes);
    let signer = Ed25519Signer::from_seed(ORIGIN, &[7; 32]).expect("the seed makes a key");
    trust(bytes, &signer);
});

/// What was read; otherwise whoever has the file is told where in it the mistake is.
fn placed<T>(read: Result<T, Error>) -> Option<T> {
    let error = match read {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    let places = ["line", "byte", "limit"];
    let has_place = places.into_iter().any(|place| error.details().contains_key(place));
    assert!(has_place || error.code() == Code::NewerFormat, "no place: {error}");
    None
}

/// Forms with one spelling.
fn texts(bytes: &[u8]) {
    if let Some(note) = placed(SignedNote::parse(bytes)) {
        assert_eq!(note.to_string().as_bytes(), bytes, "a note is printed otherwise");
    }
    if let Some(proof) = placed(LogProof::parse(bytes)) {
        assert_eq!(proof.to_string().as_bytes(), bytes, "a proof is printed otherwise");
    }
    if let Some(submission) = placed(Submission::parse(bytes)) {
        assert_eq!(submission.to_string().as_bytes(), bytes, "a head is handed over otherwise");
    }
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    if let Some(head) = placed(text.parse::<Checkpoint>()) {
        assert_eq!(head.to_string(), text, "a checkpoint is printed otherwise");
    }
    if let Some(rotation) = placed(KeyRotation::parse(text)) {
        assert_eq!(rotation.note().to_string(), text, "a key rotation is printed otherwise");
    }
    // One line each: there is no place to name but the text itself.
    if let Ok(cursor) = text.parse::<AuditCursor>() {
        assert_eq!(cursor.to_string(), text, "a cursor is printed otherwise");
    }
    if let Ok(token) = text.parse::<ExportToken>() {
        assert_eq!(token.to_string(), text, "a token is printed otherwise");
    }
    if let Ok(path) = text.parse::<TilePath>() {
        assert_eq!(path.to_string(), text, "a path is printed otherwise");
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text, "a key is printed otherwise");
    }
}

/// Forms whose bytes may differ (JSON) or may break off (bundles), and whose values may not.
fn values(bytes: &[u8]) {
    if let Some(leaf) = placed(Leaf::from_bytes(bytes))
        && let Ok(written) = leaf.to_bytes()
    {
        let again = Leaf::from_bytes(&written).expect("what was written can be read");
        assert_eq!(again, leaf, "a leaf is read otherwise");
        assert_eq!(again.to_bytes().ok(), Some(written), "a leaf has two canonical forms");
    }
    let entries: Option<Vec<_>> = decode_bundle(bytes).collect();
    if let Some(entries) = entries {
        let written = encode_bundle(&entries).expect("what was read is not too long");
        assert_eq!(written, bytes, "a bundle is written otherwise");
    }
}

/// Nobody who does not hold the key makes anything that is believed. The signer's key is in this file,
/// so the seeds are believed; what the fuzzer makes of them must say the same or be refused.
fn trust(bytes: &[u8], signer: &Ed25519Signer) {
    let key = signer.verifier_key();
    if let Ok(head) = Checkpoint::open(bytes, ORIGIN, key) {
        let signed = head.sign(&[signer]).expect("a head can be signed again");
        let again = Checkpoint::open(signed.to_string().as_bytes(), ORIGIN, key);
        assert_eq!(again.ok(), Some(head), "a head is believed and cannot be said again");
    }
    if let Ok(proof) = LogProof::parse(bytes)
        && let Ok(head) = proof.verify(b"first", ORIGIN, key)
    {
        assert!(proof.index() < head.size(), "a proof holds for an entry beyond the head");
    }
    // A folder in which every file has these bytes.
    let _refused = verify_export(|_| Ok(Some(bytes.to_vec())), ORIGIN, key).is_err();
}
