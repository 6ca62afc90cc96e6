#![cfg_attr(docsrs, feature(doc_cfg))]
//! Who remembers the heads of a log elsewhere, so that a log that went back is found.
//!
//! | witness | where it remembers | signs |
//! |---|---|---|
//! | [`FileWitness`] | a file on another disk or machine | no |
//! | [`GitWitness`] | a branch of a git repository | no |
//! | `PostgresWitness` of the crate `placet-store-postgres` | a table in another database | no |
//! | `HttpWitness` (feature `client`) | with somebody else who speaks C2SP tlog-witness | yes |
//! | [`WitnessServer`] | a witness of our own, in whatever memory, for the logs of others | yes |
//!
//! What a witness proves, and what it does not, stands at [`placet_core::audit::Witness`] and in the manual: one that
//! goes back together with the log finds nothing. Put it where the log's backup does not go.
//!
//! ```
//! use placet_core::gate::Comparison;
//! use placet_core::testing::Office;
//! use placet_witness::FileWitness;
//!
//! # let elsewhere = tempfile::tempdir()?;
//! # let elsewhere = elsewhere.path();
//! let (gate, _) = Office::in_memory()?;
//! let witness = FileWitness::at(elsewhere.join("changes.checkpoint"));
//! gate.anchor(&witness)?;
//! assert!(matches!(gate.compare_with(&witness)?, Comparison::Continues { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod disk; // the four things that are done to files
mod slot; // one head in one file, replaced in one step
mod file; // a file elsewhere
mod folder; // a file for each log
mod command; // a command that ends in time
mod git; // a branch of a repository
mod server; // a witness of our own, without its network
#[cfg(feature = "server")]
mod front; // its network: HTTP on loopback
#[cfg(feature = "client")]
mod client; // somebody else's witness, over HTTP

#[cfg(feature = "client")]
pub use client::HttpWitness;
pub use file::FileWitness;
pub use folder::HeadFolder;
#[cfg(feature = "server")]
pub use front::{FrontOptions, WitnessFront};
pub use git::GitWitness;
pub use server::{Answer, REQUEST_BYTES_MAX, WitnessServer};
