//! The whole product on real parts: sled, Cedar, the sandbox, SQLite.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::tests_outside_test_module,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "this whole file is a test"
)]

mod shop;
mod whole;
mod bad_input;
mod puts_back;
mod upkeep;
mod rolled_back;
mod rotated;
mod deciders;
mod compiled;
mod hands_on;
mod kill;
#[cfg(feature = "postgres")]
mod story;
#[cfg(feature = "postgres")]
#[expect(
    dead_code,
    clippy::indexing_slicing,
    reason = "the store's own tests, which use more of it"
)]
#[path = "../../../core/store-postgres/tests/server.rs"]
mod server;
#[cfg(feature = "postgres")]
#[expect(clippy::indexing_slicing, reason = "the network of the store's own tests")]
#[path = "../../../core/store-postgres/tests/proxy.rs"]
mod proxy;
#[cfg(feature = "postgres")]
mod nodes;
#[cfg(feature = "postgres")]
mod books;
#[cfg(feature = "postgres")]
mod line;
#[cfg(all(feature = "postgres", feature = "postgres-target", feature = "mysql-target"))]
mod databases;
#[cfg(feature = "postgres")]
mod cut;
