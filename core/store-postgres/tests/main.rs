//! The PostgreSQL store, from outside: against a real server of its own.
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

mod contract; // the exam, groups, limits
mod nodes; // several nodes on one database
mod notices; // what other nodes say, true or not
mod revoked; // a grant that ends at one node while its holder approves at another
#[path = "../../store-sled/tests/approve_or_revoke.rs"]
mod approve_or_revoke; // that race, for every store
mod lost; // replies that never arrive, and transactions that arrive late
mod killed; // kill -9 and SIGSTOP of a node
mod restarted; // the server goes away and comes back
mod refused; // what cannot be opened, and how that is said
mod unanswered; // what cannot be told is an error
mod every_verb; // the model of the gate
#[path = "../../kernel/tests/model/mod.rs"]
mod model; // that model
mod erased; // what was erased is in no file
mod damage; // hand edits, and rows that are gone
mod tls; // encrypted connections, and whom they trust
mod tls_clients; // nodes that show a certificate
mod rights; // the log is append-only, for the application and for the owner
mod witness; // heads of logs in a table
mod views; // the seeds' tables in plain SQL
mod proxy; // a network that cuts where the test says
mod server; // a server of our own
mod certificates; // made for one test
mod story; // what the tests have in common
