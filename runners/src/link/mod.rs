//! What a plugin may call. Every call is counted; every call that reaches a target asks the kernel first.
#![expect(unreachable_pub, reason = "the generated bindings name these types in a public place")]

mod context; // log, progress, clock
mod touching; // before a target is touched, and what went wrong there
mod running; // which step may run, and how
mod answering; // what a query answers
mod reverting; // what would put an attempt back
mod connection; // a named connection
mod transaction; // an open transaction
mod rows; // what a query answered
mod calling; // which call may be made, and what became of it
mod http; // named endpoints
mod command; // named commands

pub(crate) use http::request;

use std::collections::VecDeque;

use placet_target::{SqlSession, SqlValue};

use crate::bindings::sql::Error;

/// What a plugin is answered; an outer error ends its call.
type Answer<T> = wasmtime::Result<Result<T, Error>>;

/// An open connection: sessions are opened when first needed.
#[derive(Debug, Default)]
pub struct ConnectionEntry {
    pub(crate) reader: Option<Box<dyn SqlSession>>,
    pub(crate) writer: Option<Writer>,
}

/// A session that writes. It serves one transaction after the other, and holds until its end what keeps a
/// verification from answering too early.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) session: Box<dyn SqlSession>,
    /// The number of the transaction that is open in it.
    pub(crate) open: Option<u64>,
}

/// A transaction, by the handle of its connection and its number in the run.
#[derive(Debug)]
pub struct TransactionEntry {
    pub(crate) connection: u32,
    pub(crate) number: u64,
}

/// Rows that were not fetched yet.
#[derive(Debug, Default)]
pub struct RowsEntry {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: VecDeque<Vec<SqlValue>>,
    pub(crate) affected: u64,
}
