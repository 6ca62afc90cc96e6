//! The sled store, from outside.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::tests_outside_test_module,
    reason = "this whole file is a test"
)]

mod contract; // the exam, opening, group commit
mod damage; // cut and flipped bytes
mod damaged_segments; // the same, in each of many segments
mod killed; // kill -9, and what strace sees
mod story; // what the tests have in common
