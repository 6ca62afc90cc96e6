//! The sled store, from outside.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::tests_outside_test_module,
    reason = "this whole file is a test"
)]

mod contract; // the exam, opening, group commit
mod damage; // what is missing or of another kind, and how it is said
mod changed_bytes; // thousands of random changes
mod deep; // what is changed in files or past the gate, judged by `verify --deep`
mod images; // stores in many states of life
mod killed; // kill -9, and what strace sees
mod long_values; // files of their own
mod erased; // what was erased is in no file
mod erased_story; // that story, for every store
mod full_disk; // no room, or no right to grow
mod power; // power cuts
mod traced; // what strace saw
mod lost_power; // what a disk may hold afterwards
mod revoked; // a grant that ends while its holder approves
mod approve_or_revoke; // that race, for every store
mod every_verb; // the model of the gate
#[path = "../../kernel/tests/model/mod.rs"]
mod model; // that model
mod story; // what the tests have in common
