//! MariaDB as a target: a server of our own, and everything that a target promises.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::tests_outside_test_module,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "this whole file is a test"
)]

mod server; // a MariaDB server for the tests
mod bench; // a database for one test, and jobs
mod proxy; // a network that cuts
mod refused; // statements that are refused, and the server's opinion
mod reads; // queries
mod stops; // cancel, timeouts, locks
mod commits; // the mark, the lock, and lost answers
mod alone; // statements that no transaction can hold
mod kept; // rows that are put back
mod random; // random changes, put back
mod drift; // digests of the schema
mod logins; // credentials and TLS
mod examined; // the exam for targets
