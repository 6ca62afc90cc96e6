//! The log that anyone can verify: a Merkle tree over the audit records, heads that are signed, proofs
//! and exports that tools which we did not write can check.
//!
//! The forms are RFC 6962 for hashes and, byte for byte, the C2SP documents signed-note,
//! tlog-checkpoint, tlog-cosignature, tlog-tiles and tlog-proof. Everything here is a pure function or a value in
//! memory; reading and writing come in as closures.

mod encoding; // base64 and decimals, strictly
mod merkle; // hashes, the tree in memory, and proofs verified
mod walk; // roots and proofs, wherever the hashes are kept
mod key; // who signs, and how others know
mod note; // a text and the lines that vouch for it
mod cosignature; // a witness vouches that it saw a head, and when
mod checkpoint; // the head of the log
mod tiles; // the log as a folder of files
mod edge; // the part of a log that still grows
mod tiled; // roots and proofs from the files
mod export; // writing that folder, and adding to it
mod proof; // the evidence for one entry
mod consistency; // the evidence that nothing was rewritten
mod progress; // how far long work is
mod climb; // from the leaves to the root, beside the files
mod verify; // the folder, checked
mod locate; // which file or entry was tampered with
mod witness; // who remembers heads elsewhere

pub use checkpoint::Checkpoint;
pub use consistency::ConsistencyProof;
pub(crate) use edge::{Edge, fold};
pub use export::{Destination, export};
pub use key::{Ed25519Signer, Signer, VerifierKey};
pub use merkle::{
    MerkleTree, empty_root, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
pub use note::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, NoteSignature, SignedNote};
pub use proof::{LogProof, PROOF_BYTES_MAX};
pub(crate) use tiles::tile_bytes;
pub use tiles::{
    CHECKPOINT_PATH, ENTRY_BYTES_MAX, TilePath, decode_bundle, encode_bundle, hash_tile, tiles_of,
};

mod events; // what can have happened
mod leaf;
mod rotation; // how one key follows another
mod log_keys; // the keys of a log, from one of them
mod query; // which entries somebody wants to see
mod formats; // the log for other tools
mod deep; // every record, compared with the log
pub(crate) mod evidence; // what proves one request

pub use deep::{
    DeepFault, DeepFinding, DeepOptions, DeepProgress, DeepReport, DeepStep, verify_deep,
};
pub use events::Event;
pub use evidence::{VerifiedEvidence, verify_evidence};
pub use formats::{EventFormat, Syslog, cloud_events_batch};
pub use leaf::{Decision, LEAF_BYTES_MAX, Leaf, RecordChange};
pub use log_keys::LogKeys;
pub use progress::Progress;
pub use query::{AuditCursor, AuditPage, AuditQuery};
pub use rotation::KeyRotation;
pub use tiled::TiledTree;
pub use verify::{Verified, verify_export, verify_export_with};
pub use witness::{HeadStore, Submission, Witness, WitnessError};
