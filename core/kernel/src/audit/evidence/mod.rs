//! The evidence for one request: a small folder that proves what happened, to somebody who has nothing else.
//!
//! It holds the request's leaves byte for byte, the proof of each in the log, the signed head, the records that these
//! leaves name by digest, a report for people, and a signed list of all files with their digests. Where the key of the log was
//! rotated, it holds these rotations too: whoever trusts an earlier key follows them.

mod manifest; // the signed list of files
mod story; // what the leaves and records tell
mod html; // text that no text can break out of
mod plan; // a plan in it
mod report; // the page for people
mod readme; // how to check it by hand
mod files; // its files, read and proven
mod verify; // the folder, checked

pub(crate) use manifest::{Manifest, leaf_path, proof_path, record_path, rotation_path};
pub(crate) use readme::readme;
pub(crate) use report::report;
pub(crate) use story::{Story, is_evidence};
pub use verify::{VerifiedEvidence, verify_evidence};

/// The signed list of all files.
pub(crate) const MANIFEST: &str = "manifest";
/// The signed head of the log, as C2SP tlog-checkpoint writes it.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The keys of the log, a line each, as C2SP signed-note writes them.
pub(crate) const KEYS: &str = "keys.txt";
/// How to check the folder.
pub(crate) const README: &str = "README.md";
/// The page for people.
pub(crate) const REPORT: &str = "report.html";
