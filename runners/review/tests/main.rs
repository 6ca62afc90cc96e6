//! The tests of the review, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::tests_outside_test_module,
    reason = "this whole binary is a test"
)]

mod rules; // each rule, found and not found, in each dialect
mod classes; // what a statement is
mod cutting; // where statements end
mod servers; // where real databases say that they end
mod touches; // which rows a statement changes
mod asked; // payloads, settings and suppressions
mod random; // numbers from a seed
mod generated; // scripts whose meaning the generator knows
mod mutated; // scripts that nobody would write
