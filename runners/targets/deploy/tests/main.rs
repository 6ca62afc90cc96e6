//! Deploy targets from outside: against local servers, and with real processes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::tests_outside_test_module,
    reason = "this whole file is a test"
)]

mod refused; // requests that are not sent
mod addresses; // where nobody goes
mod limits; // too large, too slow, too much
mod faults; // answers that are lost, doubled, late or broken
mod products; // whole stories with each product
mod secrets; // credentials never come back
mod certificates; // whose certificate counts
mod stops; // what is under way stops
mod random; // requests by chance stay where they belong
mod commands; // real processes
mod arguments; // what fills a hole
mod killed; // processes that do not end
mod story; // what the tests have in common
