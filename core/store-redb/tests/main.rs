//! The redb store, from outside.
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
mod erased; // what was erased is in no file
mod damage; // cut and flipped bytes
mod killed; // kill -9
mod differential; // the same history on every store
mod wrong_stores; // what the comparison must find
#[expect(dead_code, reason = "the other store's own tests use more of it")]
#[path = "../../store-postgres/tests/server.rs"]
mod server; // a PostgreSQL of the tests' own
mod story; // what the tests have in common
