#![cfg_attr(docsrs, feature(doc_cfg))]
//! The store for several nodes, kept by PostgreSQL.

mod options; // what a host may choose
mod place; // where the database is, without its password
mod fault; // PostgreSQL's failures in our words
mod record; // checksums, and damage that they show
mod sql; // every statement
mod schema; // making the tables
mod session; // one connection, set up and checked
mod group; // which batches of a group pass, and what they change together
mod columns; // a group as parameters of statements
mod commit; // one group, one transaction
mod writer; // the queue, lost replies, and who may write
mod reader; // the connections that read
mod heard; // how long the log is known to be, and who waits
mod listener; // what other nodes tell
mod clock; // the database's time
mod engine; // a thread with a runtime
mod store; // the driver itself

pub use clock::DatabaseClock;
pub use options::Options;
pub use record::{BATCH_BYTES_MAX, KEY_BYTES_MAX};
pub use store::PostgresStore;
