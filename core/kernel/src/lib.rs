#![cfg_attr(docsrs, feature(doc_cfg))]
//! The domain of placet: who may ask for a change, who must agree, what runs, and the proof of it all.
//!
//! No I/O of its own: clock, ids, store, authorizer, runner and signer come in as traits. Most hosts
//! want the crate `placet`, which brings drivers for all of them.

pub mod id; // names for things
pub mod clock; // time, from outside
pub mod entropy; // randomness, from outside
pub mod error; // codes, sentences, next steps
mod letters; // those that mislead whoever reads them
pub mod digest; // SHA-256 and the canonical form
pub mod limits; // how much of anything
pub mod org; // who sits where
pub mod identity; // who is calling
pub mod request; // the life of a change request
pub mod workflow; // the states that people see, and the ways between them
pub mod authz; // the question "may they?", and the proof of a yes
pub mod runner; // what runs a change, seen from here
pub mod store; // where it is kept
pub mod audit; // the log that anyone can verify
pub mod gate; // the front door: one file for each verb
#[cfg(feature = "testing")]
pub mod testing; // what tests here and in hosts need
pub mod manual; // long texts, checked as documentation
