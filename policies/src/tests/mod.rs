//! The policies put to the test: by a table, by swapped rows, by chance, and by breaking them.

#![expect(
    clippy::needless_raw_string_hashes,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "expected texts are written by a tool, and a test may stop"
)]

mod world; // a question with rows that fit it
mod matrix; // the whole policy on one page
mod rows; // each row swapped, both ends of each interval
mod differential; // against the index and the model, over whole organisations
mod metamorphic; // what follows from an answer, whatever it is
mod bad_questions; // one thing wrong, by chance
mod property; // against the rule restated in Rust
mod mutants; // each condition of the base policies removed
mod hosts;
mod plans; // policies of a host
mod limits; // texts that try to break the loader
#[cfg(feature = "proofs")]
mod proofs; // what is proven, and that it can be refuted
#[cfg(feature = "proofs")]
mod premises; // that a proof speaks about the questions that are asked
