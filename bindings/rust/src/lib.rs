#![cfg_attr(docsrs, feature(doc_cfg))]
//! placet, ready to use: the one crate that a Rust host adds.
//!
//! [`Gate::builder`] opens a gate in a folder, with a durable store, the shipped policies, the shipped
//! runner plugins in their sandbox, and a signed log. Every verb of [`placet_core::gate::Gate`] is there;
//! [`Gate::execute`] runs in the background and hands back a [`RunHandle`].
//!
//! ```
//! use placet::org::command::CreateUser;
//! use placet::org::UserKind;
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let gate = placet::Gate::builder(folder).open()?;
//! let root = gate.bootstrap(&CreateUser {
//!     kind: UserKind::Person,
//!     email: "root@example.org".parse()?,
//!     display_name: "Root".parse()?,
//! })?;
//! let root = placet::identity::Caller::authenticated(root);
//! assert_eq!(gate.audit(&root, 0)?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder; // open a gate in a folder
mod gate; // the gate, with runs in the background
mod run; // the handle of a run
mod housekeeping; // what is due by time
mod upkeep; // what of it is due now and then
mod failures; // what of it failed
mod warnings; // what witnesses saw, and what is wrong with that
mod wiring; // who compiles plugins, who signed them, who listens
mod compiling; // where compiled plugins came from
mod anchoring; // heads, handed to them
mod compact; // a closed folder, written anew
mod place; // where the state is kept
mod begun; // the note that the log has entries
mod durable; // small files that are whole or not there
mod system; // the machine's clock, randomness and ids
mod keys; // which key it is
mod signing_key; // the key that signs the log, in a file

pub use builder::GateBuilder;
pub use failures::HousekeepingFailures;
pub use gate::Gate;
pub use run::{RunEvent, RunEvents, RunHandle};
pub use signing_key::SigningKeyFile;
pub use system::{SystemClock, SystemEntropy, SystemIds};
pub use warnings::{Warning, WitnessAnswer};

pub use placet_core::{
    audit, authz, clock, digest, entropy, error, id, identity, limits, manual, org, request,
    runner, store, workflow,
};

pub use placet_core::gate::{
    Actions, Anchored, CheckReport, Comparison, Cursor, Finding, LeaseKey, NewArtifact, NewRequest,
    Offer, Organisation, Page, Parts, PlatformCommand, Promotion, Replay, ReplayCause,
    ReplayDifference, RequestSummary, RequestView, Rollback, RunObserver, StoryOutcome, ThreadView,
    Ticket, WorkflowSummary,
};
pub use placet_forms as forms;
pub use placet_policies as policies;
pub use placet_runners as runners;
#[cfg(feature = "postgres")]
pub use placet_store_postgres as store_postgres;
pub use placet_store_sled as store_sled;
pub use placet_witness as witnesses;

/// The example of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
