//! Rows that can be put back: the server itself makes the statements that do it, in the same transaction.

mod table; // what must be known of the table
mod reasons; // why its rows cannot be kept
mod probe; // what a statement calls without saying so
mod words; // the statements that put a row back

use placet_target::points::reached;
use placet_target::{Keepable, SqlFailure, StepMark, Touch, TouchKind};
use tokio_postgres::types::Type;

use crate::fault::{Trouble, refused, shifted};
use crate::guard::{self, STATEMENT_BYTES_MAX, Statement};
use crate::marks::{BY_KEY, Key, Typed};
use crate::work::Work;
use table::Table;
use words::Words;

/// What stands in front of a statement whose rows are to be seen.
const BEFORE: &str = "WITH placet_rows AS (";

impl Work {
    /// Whether rows that such a statement changes can be put back. The caller has begun to read.
    pub(crate) async fn can_keep(&self, touch: &Touch) -> Result<Keepable, SqlFailure> {
        Ok(match self.keepable(touch).await? {
            Ok(_table) => Keepable::Yes,
            Err(why) => Keepable::No(why),
        })
    }

    /// Executes one statement and keeps what putting its rows back takes.
    pub(crate) async fn execute_kept(
        &mut self,
        sql: &str,
        (touch, mark): (&Touch, &StepMark),
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        let statement = guard::read(sql)?;
        fits(&statement, touch.kind)?;
        self.check_mark(&mark.id)?;
        self.make_sure_of_tables().await?;
        self.begin_reading().await?;
        let table = self.keepable(touch).await;
        self.end_reading().await?;
        let table = table?.map_err(refused)?;
        self.refuse_hidden_calls(&statement).await?;
        self.origins.forget();
        let key = Key::of(&mark.id);
        let mut typed = key.typed();
        typed.push((&mark.step, Type::TEXT));
        let kept = self.name_of_kept();
        let words = Words::new(&table, touch, &kept);
        let done = self.keep((&statement, &words), &typed, (touch.kind, rows_max)).await;
        match done {
            Ok(rows) => {
                reached("postgres.kept");
                Ok(rows)
            }
            Err(failure) => Err(self.spoil(failure)),
        }
    }

    fn name_of_kept(&self) -> String {
        self.tables.name("placet_kept")
    }

    async fn keep(
        &mut self,
        (statement, words): (&Statement<'_>, &Words<'_>),
        typed: &Typed<'_>,
        (kind, rows_max): (TouchKind, u64),
    ) -> Result<u64, SqlFailure> {
        let expected = match kind {
            TouchKind::Insert => None,
            TouchKind::Update => Some(self.note_before(words, typed, rows_max).await?),
            TouchKind::Delete => Some(self.lock_rows(words, rows_max).await?),
        };
        reached("postgres.kept.locked");
        let sql = format!("{BEFORE}{}\n{}", statement.text, words.after(kind));
        let counts = self.counts(&sql, typed).await?;
        let [rows, whole, elsewhere] = counts;
        if elsewhere != 0 || whole != rows || expected.is_some_and(|due| due != rows) {
            return Err(refused("the statement changed other rows than could be kept"));
        }
        if rows > rows_max {
            return Err(too_many(rows_max));
        }
        let added = i64::try_from(rows).unwrap_or(i64::MAX);
        let updated = if kind == TouchKind::Update { added } else { 0 };
        if let Some(open) = self.open_mut() {
            let [inserts, updates, _deletes] = &mut open.seen.glance.kept;
            *inserts = inserts.saturating_add(added);
            *updates = updates.saturating_add(updated);
        }
        self.make_sure().await?;
        self.check_texts(typed).await?;
        Ok(rows)
    }

    /// Locks the rows that are about to be deleted, and counts them.
    async fn lock_rows(&self, words: &Words<'_>, rows_max: u64) -> Result<u64, SqlFailure> {
        let (sql, before) = words.locking(rows_max);
        let found = self.link.watched(self.link.client.query_typed(&sql, &[])).await;
        let found = found.map_err(|trouble| shifted(trouble, &before))?;
        let rows = found.first().map_or(Ok(0), |row| row.try_get::<_, i64>(0));
        let rows = u64::try_from(rows.map_err(Trouble::Said)?).unwrap_or(u64::MAX);
        if rows > rows_max { Err(too_many(rows_max)) } else { Ok(rows) }
    }

    /// Locks the rows that are about to be updated, and writes down how they are.
    async fn note_before(
        &self,
        words: &Words<'_>,
        typed: &Typed<'_>,
        rows_max: u64,
    ) -> Result<u64, SqlFailure> {
        let (sql, before) = words.noting(rows_max);
        let rows = self.link.watched(self.link.client.execute_typed(&sql, typed)).await;
        let rows = rows.map_err(|trouble| shifted(trouble, &before))?;
        if rows > rows_max { Err(too_many(rows_max)) } else { Ok(rows) }
    }

    /// Rows that changed, rows that are kept, and rows of other tables among them.
    async fn counts(&self, sql: &str, typed: &Typed<'_>) -> Result<[u64; 3], SqlFailure> {
        let found = self.link.watched(self.link.client.query_typed(sql, typed)).await;
        let found = found.map_err(|trouble| shifted(trouble, BEFORE))?;
        let mut counts = [u64::MAX; 3];
        if let Some(row) = found.first() {
            for (at, count) in counts.iter_mut().enumerate() {
                let read: i64 = row.try_get(at).map_err(Trouble::Said)?;
                *count = u64::try_from(read).unwrap_or(u64::MAX);
            }
        }
        Ok(counts)
    }

    /// Makes sure that what puts the rows back can be executed here later: it comes as a statement of somebody else's.
    async fn check_texts(&self, typed: &Typed<'_>) -> Result<(), SqlFailure> {
        let sql = format!(
            "SELECT 1 FROM ONLY {} WHERE {BY_KEY} AND step OPERATOR(pg_catalog.=) $4 AND (
                row_key IS NOT NULL
                OR pg_catalog.octet_length(statement) OPERATOR(pg_catalog.>) {STATEMENT_BYTES_MAX}
                ) LIMIT 1",
            self.name_of_kept(),
        );
        let found = self.link.watched(self.link.client.query_typed(&sql, typed)).await?;
        if found.is_empty() {
            return Ok(());
        }
        Err(refused(
            "a row is too long to be put back by a statement, or names a table of the host",
        ))
    }

    /// The table, if rows that such a statement changes can be put back; else why not.
    async fn keepable(&self, touch: &Touch) -> Result<Result<Table, String>, SqlFailure> {
        let Some(oid) = self.find_table(touch).await? else {
            return Ok(Err("there is no such table".to_owned()));
        };
        let link = &self.link;
        // The caller undoes this.
        link.watched(link.client.batch_execute("SET LOCAL search_path = pg_catalog")).await?;
        if let Some(why) = self.reason(oid, touch).await? {
            return Ok(Err(why));
        }
        let table = self.read_table(oid).await?;
        Ok(match table.obstacle(touch) {
            Some(why) => Err(why),
            None => Ok(table),
        })
    }
}

fn too_many(rows_max: u64) -> SqlFailure {
    SqlFailure::Limit(format!("the statement changes more than {rows_max} rows"))
}

/// Whether the statement is of the kind that the review read, and can be asked for its rows.
fn fits(statement: &Statement<'_>, kind: TouchKind) -> Result<(), SqlFailure> {
    let verb = match kind {
        TouchKind::Insert => "insert",
        TouchKind::Update => "update",
        TouchKind::Delete => "delete",
    };
    if statement.main_verb() != verb {
        return Err(refused("the statement is of another kind than was read from it"));
    }
    if statement.has("returning") {
        return Err(refused("a statement whose rows are kept has no RETURNING of its own"));
    }
    if kind == TouchKind::Insert && statement.has("update") {
        return Err(refused("rows of an INSERT that may update instead cannot be kept"));
    }
    Ok(())
}
