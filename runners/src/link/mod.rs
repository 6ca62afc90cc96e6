//! What a plugin may call. Every call is counted; every call that reaches a target asks the kernel first.
#![expect(unreachable_pub, reason = "the generated bindings name these types in a public place")]

mod context;
mod sql;
mod rows;

use std::collections::VecDeque;

use placet_target::{SqlSession, SqlValue};

/// An open connection: sessions are opened when first needed.
#[derive(Debug, Default)]
pub struct ConnectionEntry {
    pub(crate) reader: Option<Box<dyn SqlSession>>,
    pub(crate) writer: Option<Box<dyn SqlSession>>,
}

/// A transaction, by the handle of its connection.
#[derive(Debug)]
pub struct TransactionEntry {
    pub(crate) connection: u32,
}

/// Rows that were not fetched yet.
#[derive(Debug, Default)]
pub struct RowsEntry {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: VecDeque<Vec<SqlValue>>,
    pub(crate) affected: u64,
}
