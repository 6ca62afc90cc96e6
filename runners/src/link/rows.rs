//! Rows that a query answered, handed over piece by piece.

use wasmtime::component::Resource;

use super::{Answer, RowsEntry};
use crate::bindings::sql::{HostRows, Value};
use crate::convert::value_of;
use crate::state::State;

/// The most rows of one fetch.
const FETCH_ROWS_MAX: u32 = 1_000;

impl HostRows for State {
    fn columns(&mut self, rows: Resource<RowsEntry>) -> wasmtime::Result<Vec<String>> {
        self.count_call()?;
        Ok(self.table.get(&rows)?.columns.clone())
    }

    fn next(&mut self, rows: Resource<RowsEntry>, max: u32) -> Answer<Vec<Vec<Value>>> {
        self.count_call()?;
        let entry = self.table.get_mut(&rows)?;
        let wanted = usize::try_from(max.min(FETCH_ROWS_MAX)).unwrap_or(0).min(entry.rows.len());
        let taken = entry.rows.drain(..wanted);
        Ok(Ok(taken.map(|row| row.into_iter().map(value_of).collect()).collect()))
    }

    fn affected(&mut self, rows: Resource<RowsEntry>) -> wasmtime::Result<u64> {
        self.count_call()?;
        Ok(self.table.get(&rows)?.affected)
    }

    fn drop(&mut self, rows: Resource<RowsEntry>) -> wasmtime::Result<()> {
        self.table.delete(rows)?;
        Ok(())
    }
}
