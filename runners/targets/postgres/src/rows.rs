//! What a query answers, counted while it is read.

use core::future::poll_fn;
use core::pin::Pin;
use core::time::Duration;

use futures_core::Stream as _;
use placet_target::{Origin, SqlFailure, SqlRows, SqlValue};
use tokio::time::timeout;
use tokio_postgres::{Column, Row, RowStream};

use crate::cells::{Cell, is_known};
use crate::fault::{Trouble, refused};
use crate::guard::Statement;
use crate::link::Link;
use crate::values::Given;
use crate::work::Work;

/// An answer that is being read.
pub(crate) struct Reading {
    stream: Pin<Box<RowStream>>,
    columns: Vec<String>,
    origins: Vec<Option<Origin>>,
    /// One row more than was handed over, to know whether there is one.
    ahead: Option<Vec<SqlValue>>,
    is_begun: bool,
    is_over: bool,
    count: u64,
    bytes: u64,
    limits: (u64, u64),
}

impl core::fmt::Debug for Reading {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Reading").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Work {
    /// Sends a query. The caller has begun to read, and ends it.
    pub(crate) async fn start_reading(
        &mut self,
        statement: &Statement<'_>,
        values: &[SqlValue],
        limits: (u64, u64),
    ) -> Result<Reading, SqlFailure> {
        let link = &self.link;
        let mut prepared = link.watched(link.client.prepare(statement.text)).await?;
        if prepared.params().len() != values.len() {
            return Err(refused("give one value for each parameter of the statement"));
        }
        let names = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
        let origins = self.origins.of(link, prepared.columns()).await?;
        if !prepared.columns().iter().all(|column| is_known(column.type_())) {
            let text = as_text(statement, prepared.columns())?;
            prepared = link.watched(link.client.prepare(&text)).await?;
        }
        let given: Vec<Given<'_>> = values.iter().map(Given).collect();
        let stream = link.watched(link.client.query_raw(&prepared, given)).await?;
        let mut reading = Reading {
            stream: Box::pin(stream),
            columns: names,
            origins,
            ahead: None,
            is_begun: false,
            is_over: false,
            count: 0,
            bytes: 0,
            limits,
        };
        let names: Vec<u64> = reading.columns.iter().map(|name| length(name.len())).collect();
        for bytes in names {
            if let Err(failure) = reading.count_bytes(bytes) {
                self.stop_reading(reading).await;
                return Err(failure);
            }
        }
        Ok(reading)
    }

    /// The next batch, and whether it is the last.
    pub(crate) async fn read_batch(
        &self,
        reading: &mut Reading,
        rows_max: usize,
    ) -> Result<(SqlRows, bool), SqlFailure> {
        // Where the rows are there already, waiting for them looks at no signal.
        if let Some(reason) = self.link.stop.raised() {
            return Err(SqlFailure::Stopped(reason));
        }
        let filled = self.link.watched(async { Ok(reading.fill(rows_max).await) });
        let rows = match filled.await {
            Ok(Ok(rows)) => rows,
            Ok(Err(Refusal::Limit(failure))) => return Err(failure),
            Ok(Err(Refusal::Said(error))) => return Err(self.reading_failed(error)),
            Err(trouble) => return Err(trouble.into()),
        };
        let batch =
            SqlRows { columns: reading.columns.clone(), origins: reading.origins.clone(), rows };
        Ok((batch, reading.ahead.is_none()))
    }

    /// A cancelled query ends with an error of the server's.
    fn reading_failed(&self, error: tokio_postgres::Error) -> SqlFailure {
        let is_cancel = error.code() == Some(&tokio_postgres::error::SqlState::QUERY_CANCELED);
        match self.link.stop.raised() {
            Some(reason) if is_cancel => SqlFailure::Stopped(reason),
            Some(_) | None => Trouble::Said(error).into(),
        }
    }

    /// Lets the server end a query whose rest nobody wants.
    pub(crate) async fn stop_reading(&self, mut reading: Reading) {
        if reading.is_over {
            return;
        }
        // What is there already needs no order, which could come too late.
        if timeout(SOON, reading.skim()).await.is_ok() {
            return;
        }
        self.link.cancel().await;
        // Where this takes too long the connection is given up, and everything with it.
        let ended = self.link.bounded(async { Ok(reading.skim().await) }).await;
        if matches!(ended, Ok(false)) {
            // It was over before the order came, which may still hit the next statement: this one.
            let late = self.link.client.batch_execute("SELECT pg_catalog.pg_sleep(1)");
            drop(self.link.bounded(late).await);
        }
    }
}

/// How long the rest of an answer may take that nobody wants, before its query is cancelled.
const SOON: Duration = Duration::from_millis(100);

/// Why a row was not taken.
enum Refusal {
    Said(tokio_postgres::Error),
    Limit(SqlFailure),
}

impl Reading {
    async fn row(&mut self) -> Option<Result<Row, tokio_postgres::Error>> {
        let row = poll_fn(|context| self.stream.as_mut().poll_next(context)).await;
        self.is_over |= !matches!(row, Some(Ok(_)));
        row
    }

    /// Reads to the end, and says whether it was cancelled there.
    async fn skim(&mut self) -> bool {
        loop {
            match self.row().await {
                Some(Ok(_row)) => {}
                Some(Err(error)) => {
                    return error.code() == Some(&tokio_postgres::error::SqlState::QUERY_CANCELED);
                }
                None => return false,
            }
        }
    }

    async fn fill(&mut self, rows_max: usize) -> Result<Vec<Vec<SqlValue>>, Refusal> {
        let mut rows = Vec::with_capacity(rows_max.min(1_024));
        if !self.is_begun {
            self.is_begun = true;
            self.ahead = self.decoded().await?;
        }
        while rows.len() < rows_max.max(1) {
            let Some(row) = self.ahead.take() else { break };
            rows.push(row);
            self.ahead = self.decoded().await?;
        }
        Ok(rows)
    }

    async fn decoded(&mut self) -> Result<Option<Vec<SqlValue>>, Refusal> {
        let row = match self.row().await {
            None => return Ok(None),
            Some(row) => row.map_err(Refusal::Said)?,
        };
        self.count = self.count.saturating_add(1);
        let (rows_max, _) = self.limits;
        if self.count > rows_max {
            let why = format!("the query answers more than {rows_max} rows");
            return Err(Refusal::Limit(SqlFailure::Limit(why)));
        }
        let mut values = Vec::with_capacity(row.len());
        for at in 0..row.len() {
            let Cell(value) = row.try_get(at).map_err(Refusal::Said)?;
            self.count_bytes(value.bytes()).map_err(Refusal::Limit)?;
            values.push(value);
        }
        Ok(Some(values))
    }

    fn count_bytes(&mut self, bytes: u64) -> Result<(), SqlFailure> {
        self.bytes = self.bytes.saturating_add(bytes);
        let (_, bytes_max) = self.limits;
        if self.bytes > bytes_max {
            let why = format!("the query answers more than {bytes_max} bytes");
            return Err(SqlFailure::Limit(why));
        }
        Ok(())
    }

    /// How many rows were read.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// What the name of a column takes.
fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(SqlValue::OVERHEAD_BYTES)
}

/// The same query, in which the server writes as text what we do not read.
fn as_text(statement: &Statement<'_>, columns: &[Column]) -> Result<String, SqlFailure> {
    if !["select", "with", "values", "table"].contains(&statement.verb.as_str()) {
        return Err(refused("the host cannot read what this query answers"));
    }
    let names: Vec<String> = (1..=columns.len()).map(|at| format!("c{at}")).collect();
    let read = columns.iter().zip(&names).map(|(column, name)| {
        if is_known(column.type_()) { name.clone() } else { format!("{name}::pg_catalog.text") }
    });
    let (read, names) = (read.collect::<Vec<_>>().join(", "), names.join(", "));
    Ok(format!("SELECT {read} FROM ({}\n) AS placet_rows ({names})", statement.text))
}

/// A text of whatever kind.
fn text_in(row: &Row) -> Result<Option<String>, Trouble> {
    let Cell(value) = row.try_get(0).map_err(Trouble::Said)?;
    Ok(match value {
        SqlValue::Text(text) | SqlValue::Json(text) => Some(text),
        SqlValue::Null
        | SqlValue::Boolean(_)
        | SqlValue::Int64(_)
        | SqlValue::Float64(_)
        | SqlValue::Decimal(_)
        | SqlValue::Bytes(_)
        | SqlValue::Timestamp(_) => None,
    })
}

impl Link {
    /// The one text, or JSON as text, that a query of ours answers.
    pub(crate) async fn text(&self, sql: &str) -> Result<Option<String>, Trouble> {
        let rows = self.watched(self.client.query_typed(sql, &[])).await?;
        rows.first().map_or(Ok(None), text_in)
    }
}
