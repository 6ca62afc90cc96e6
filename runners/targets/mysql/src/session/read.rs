//! Statements that only read.

use std::collections::BTreeSet;

use placet_target::{Access, Origin, SqlFailure, SqlRows, SqlValue};

use crate::failure::{code, is_denial, of};
use crate::guard::{Statement, Token};
use crate::marks::literal;
use crate::session::{MySqlSession, State};
use crate::wire::answer::{Answer, TextRow};
use crate::wire::{Column, Fault, value};

impl MySqlSession {
    /// Runs `work` where nothing that a function of the database writes can stay.
    pub(super) fn reading<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, SqlFailure>,
    ) -> Result<T, SqlFailure> {
        let (before, after): (_, &[&str]) = match (self.access, self.state) {
            (Access::ReadOnly, _) => return work(self),
            (Access::ReadWrite(_), State::Idle) => ("START TRANSACTION READ ONLY", &["ROLLBACK"]),
            (Access::ReadWrite(_), State::Open | State::Undone | State::Unclear) => {
                self.in_transaction()?;
                (
                    "SAVEPOINT placet_read",
                    &["ROLLBACK TO SAVEPOINT placet_read", "RELEASE SAVEPOINT placet_read"],
                )
            }
        };
        let _set = self.client.run(before).map_err(of)?;
        let done = work(self);
        for sql in after {
            let undone = self.client.run_to_its_end(sql, 60_000);
            let _undone = self.settled_if_open(undone)?;
        }
        done
    }

    pub(super) fn settled_if_open<T>(&mut self, done: Result<T, Fault>) -> Result<T, SqlFailure> {
        if self.state == State::Open { self.settled(done) } else { done.map_err(of) }
    }

    pub(super) fn stream_checked(
        &mut self,
        statement: &Statement<'_>,
        values: &[SqlValue],
        (rows_max, bytes_max, batch_rows): (u64, u64, usize),
        take: &mut dyn FnMut(SqlRows) -> Result<(), SqlFailure>,
    ) -> Result<u64, SqlFailure> {
        let tells = self.tells_origins(statement)?;
        let prepared = self.client.prepare(statement.text).map_err(of)?;
        let columns = match self.client.execute(prepared, values).map_err(of)? {
            Answer::Rows(columns) => columns,
            Answer::Done(_) => Vec::new(),
        };
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let origins: Vec<Option<Origin>> =
            columns.iter().map(|column| origin(column).filter(|_| tells)).collect();
        let batch_of = |rows| SqlRows { columns: names.clone(), origins: origins.clone(), rows };
        let named: u64 = names.iter().map(|name| count(name.len())).fold(0, u64::saturating_add);
        let mut left = bytes_max.checked_sub(named);
        let (mut seen, mut batch) = (0_u64, Vec::new());
        let mut failed = None;
        while !columns.is_empty() {
            let Some(room) = left else {
                failed = Some(too_many_bytes(bytes_max));
                break;
            };
            // A packet may be longer than its values count by its head and their lengths, nine bytes each.
            let slack = count(columns.len()).saturating_mul(10).saturating_add(16);
            let packet = match self.client.row(room.saturating_add(slack)) {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(Fault::Limit(_)) => return Err(too_many_bytes(bytes_max)),
                Err(fault) => return Err(of(fault)),
            };
            seen = seen.saturating_add(1);
            if seen > rows_max {
                failed =
                    Some(SqlFailure::Limit(format!("the query answers more than {rows_max} rows")));
                break;
            }
            let row = value::row(&packet, &columns).map_err(of)?;
            let bytes = row.iter().map(SqlValue::bytes).fold(0, u64::saturating_add);
            left = room.checked_sub(bytes);
            if left.is_none() {
                continue;
            }
            // Full ones are handed over when another row is there: the last batch is never empty but for the first.
            if batch.len() >= batch_rows.max(1)
                && let Err(failure) = take(batch_of(core::mem::take(&mut batch)))
            {
                failed = Some(failure);
                break;
            }
            batch.push(row);
        }
        if let Some(failure) = failed {
            self.client.abandon();
            return Err(failure);
        }
        self.client.forget(prepared);
        take(batch_of(batch))?;
        Ok(seen)
    }

    /// Whether the server's word on where a column comes from can be taken: for one SELECT over tables. For what a query
    /// or a view makes on the way it names that, and its name may be the name of another table.
    fn tells_origins(&mut self, statement: &Statement<'_>) -> Result<bool, SqlFailure> {
        let is = |keyword: &str| statement.tokens.iter().filter(|it| it.is(keyword)).count();
        let others =
            ["with", "union", "intersect", "except", "minus", "values", "json_table", "xmltable"];
        if is("select") != 1 || others.iter().any(|keyword| is(keyword) > 0) {
            return Ok(false);
        }
        let names = statement.tokens.iter().filter_map(Token::name);
        let names: BTreeSet<String> = names.map(literal).collect();
        let names: Vec<String> = names.into_iter().collect();
        let names = names.join(", ");
        let other_than_tables = self.client.rows(&format!(
            "SELECT 1 FROM information_schema.tables WHERE table_type <> 'BASE TABLE' \
             AND table_schema IN (DATABASE(), {names}) AND table_name IN ({names}) LIMIT 1"
        ));
        Ok(self.settled_if_open(other_than_tables)?.is_empty())
    }

    pub(super) fn estimate_checked(
        &mut self,
        statement: &Statement<'_>,
    ) -> Result<Option<u64>, SqlFailure> {
        let verbs = ["select", "with", "(", "update", "delete", "insert", "replace", "table"];
        if !verbs.contains(&statement.word(0)) {
            return Ok(None);
        }
        let sql = format!("EXPLAIN {}", statement.text);
        let found = match self.client.rows(&sql) {
            // MariaDB explains no change where none is allowed: outside the transaction it does, and runs nothing.
            Err(Fault::Server { code: code::READ_ONLY_TRANSACTION, .. }) => {
                let around = |session: &mut Self, sql: &str| {
                    session.client.run_to_its_end(sql, 60_000).map_err(of)
                };
                let _left = around(self, "ROLLBACK")?;
                let _left = around(self, "START TRANSACTION READ WRITE")?;
                let found = self.client.rows(&sql);
                let _left = around(self, "ROLLBACK")?;
                let _back = around(self, "START TRANSACTION READ ONLY")?;
                found
            }
            found => found,
        };
        let found = match found {
            // To explain a change takes the right to make it.
            Err(Fault::Server { code, .. }) if is_denial(code) => return Ok(None),
            found => self.settled_if_open(found)?,
        };
        Ok(found.iter().filter_map(rows_of).reduce(u64::saturating_add))
    }
}

/// The column `rows` of EXPLAIN: the ninth of ten in MariaDB, the tenth of twelve in MySQL.
fn rows_of(row: &TextRow) -> Option<u64> {
    let at = if row.len() > 10 { 9 } else { 8 };
    let text = core::str::from_utf8(row.get(at)?.as_deref()?).ok()?;
    text.parse().ok()
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn too_many_bytes(max: u64) -> SqlFailure {
    SqlFailure::Limit(format!("the query answers more than {max} bytes"))
}

/// Where a column comes from unchanged. A column of a table that the server made up on the way has no database.
fn origin(column: &Column) -> Option<Origin> {
    let is_stored =
        !column.schema.is_empty() && !column.table.is_empty() && !column.stored_as.is_empty();
    is_stored.then(|| Origin { table: column.table.clone(), column: column.stored_as.clone() })
}
