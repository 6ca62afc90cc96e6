//! The client side of MySQL's protocol, as far as a target needs it: one statement at a time.
//!
//! It is our own because of what a target promises. The drivers that there are (`mysql`, `mysql_async`) rewrite a text
//! that holds `:name` before they prepare it, always ask the server for several statements in one text and for LOCAL
//! INFILE, read a whole row before anybody can say that it is too large, and take the TLS provider of the process, which
//! panics where two are linked. Facts are from MySQL's manual ("Client/Server Protocol") and MariaDB's knowledge base.

pub(crate) mod cursor; // parts of packets
pub(crate) mod fault; // what can go wrong
pub(crate) mod place; // where the server is, and who asks
pub(crate) mod trust; // whom a connection trusts
pub(crate) mod link; // packets over a socket
pub(crate) mod login; // answers to the server's question who asks
pub(crate) mod connect; // from a place to a client
pub(crate) mod answer; // what comes back, apart from rows
pub(crate) mod client; // commands
mod interrupt; // stops a statement under way
pub(crate) mod column; // what a column of an answer is
pub(crate) mod value; // values, in the binary protocol

pub(crate) use client::Client;
pub(crate) use column::Column;
pub(crate) use fault::{Ending, Fault};
pub(crate) use place::Place;
