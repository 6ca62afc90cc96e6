//! The plugin host, seen from outside: what runs, what is refused, and what is said about it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::tests_outside_test_module,
    reason = "this whole file is a test"
)]

mod bench; // a host, a database and a link for one test
mod sql; // the SQL runner on a real file
mod targets; // files that are locked, read-only or missing
mod unruly; // plugins that break their contract
mod lossy; // a target of somebody else's, and a lost answer
mod fake; // a target in memory that fails where a test says
mod matrix; // every call of a session, failed or lost
mod steps; // plugins that call the wrong function for a step
mod planned; // what the host adds to a plan
mod queries; // rows limits, masks and digests
mod revert; // rows kept, and put back
mod install; // what is refused before it runs
mod signed; // plugins that enough people signed
mod overdue; // plugins that must end though nobody can say so
mod usage; // how much of its limits a call used
mod hostile; // every way to break the contract, by name
#[cfg(feature = "testing")]
mod ticks; // after how many ticks each of them ends
mod flat; // what stays of runs: nothing
mod deploy; // calls to other systems
#[cfg(feature = "testing")]
mod versions; // two versions of the interface in one host
mod compiled; // compiled plugins on disk, and compilers
#[cfg(feature = "conformance")]
mod conformance; // the exam for plugins
#[cfg(feature = "conformance")]
mod published; // plugins of each published version of the interface
