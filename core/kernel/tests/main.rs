//! Stories about the gate, on parts that the tests control.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::tests_outside_test_module,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "this whole file is a test"
)]

mod world;
mod stories;
mod quorums;
mod risk_rules;
mod blocking;
mod threads;
mod agents;
mod governance;
mod model; // every verb, in every state, by everybody
mod model_walk; // that, in memory
mod own_approval;
mod needs_person;
mod noted; // what a run noted, read by who looks back
mod bad_input;
mod organisation;
mod bounds;
mod refusals;
mod races;
mod revocation;
mod bad_questions;
mod memory;
mod policy_sets;
mod explanations;
mod reverse;
mod leave;
mod permissions;
mod who_sees;
mod policy_stories;
mod execution;
mod reruns;
mod bound_parts;
mod batches;
mod automatic;
mod plugin_grants; // what plugins may reach, who says so, and what it stops
mod settings;
mod told_plans;
mod promotions;
mod lease_model;
mod faults;
mod proofs;
mod workflows;
mod erasure;
mod years;
mod audit_query;
mod witnesses;
mod deep;
mod audit_formats;
mod log;
mod evidence;
mod artifact;
mod tidy;
