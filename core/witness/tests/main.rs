//! The witnesses, from outside: real files, a real git, a real socket, and stores that were put back.
#![expect(
    clippy::unwrap_used,
    clippy::tests_outside_test_module,
    clippy::disallowed_methods,
    reason = "this whole file is a test"
)]

mod story; // what the tests have in common
mod memories; // the exam, and what each memory leaves where
mod repository; // git
#[cfg(all(feature = "client", feature = "server"))]
mod wire; // our client and our witness over a real socket
#[cfg(all(feature = "client", feature = "server"))]
#[path = "../../store-postgres/tests/certificates.rs"]
#[expect(dead_code, reason = "the databases ask for more kinds of them")]
mod certificates; // made with `openssl` for one test
#[cfg(all(feature = "client", feature = "server"))]
mod encrypted; // our client over TLS
#[cfg(feature = "client")]
mod hostile; // our client and a server that says anything
mod put_back; // old copies of a store, and logs that were cut
