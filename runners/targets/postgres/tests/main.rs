//! The PostgreSQL target, from outside: against a real server of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::tests_outside_test_module,
    reason = "this whole file is a test"
)]

mod transaction; // begin, execute, commit, roll back
mod refused; // what no statement may be
mod stop; // what is under way stops
mod locks; // locks, and what they tell
mod lost; // answers that never arrive
mod steps; // steps that are committed one by one
mod rows; // what queries answer
mod kept; // rows that are put back
mod later; // what is found later, and in time
mod drift; // how the schema is made
mod points; // a process that dies
mod examined; // the exam for targets
mod rights; // two credentials
mod tls; // encrypted sessions
mod proxy; // a network that is cut
mod server; // a server of our own
mod story; // what the tests have in common
