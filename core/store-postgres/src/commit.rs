//! One group, one transaction: lock, judge, write. Two round trips.

use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeMap;

use placet_core::store::{Batch, Key, StoreError, StoreErrorKind, Version};
use tokio_postgres::{Client, Row, Statement};

use crate::columns::{Columns, Parameters, Signature};
use crate::fault::{Fault, Worth, damaged, is_refusal};
use crate::group::{Group, Verdict, expected};
use crate::place::Place;
use crate::record::{FORMAT, Head};
use crate::schema::unreadable;
use crate::session::{Link, Role, cell, in_time};

const WHAT: &str = "write to";

/// A connection that writes, with its statements and its place among the writers.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) link: Link,
    pub(crate) epoch: i64,
    lock_head: Statement,
    versions: Statement,
    advance: Statement,
    put: Statement,
    remove: Statement,
    append: Statement,
}

/// How a transaction failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nothing was applied.
    Clean(Fault),
    /// The connection was lost after the COMMIT was sent: these are the answers if it arrived.
    InDoubt(Vec<Verdict>, Fault),
    /// This node was superseded: another opening has its name, or another session of its own has. Nothing
    /// was applied.
    Superseded,
}

impl Session {
    pub(crate) async fn make(place: &Place, link: Link) -> Result<Self, Fault> {
        let sql = &place.sql;
        let advance = if place.options.notifies { &sql.advance_and_tell } else { &sql.advance };
        Ok(Self {
            lock_head: link.prepare(place, &sql.lock_head).await?,
            versions: link.prepare(place, &sql.versions).await?,
            advance: link.prepare(place, advance).await?,
            put: link.prepare(place, &sql.put).await?,
            remove: link.prepare(place, &sql.remove).await?,
            append: link.prepare(place, &sql.append).await?,
            epoch: 0,
            link,
        })
    }

    pub(crate) async fn connect(place: &Place) -> Result<Self, Fault> {
        Self::make(place, Link::make(place, Role::Writer, None).await?).await
    }

    /// Commits `batches` as one group.
    pub(crate) async fn commit(
        &self,
        place: &Place,
        batches: &[Batch],
        signature: Signature<'_>,
    ) -> Result<Vec<Verdict>, Failed> {
        let (head, versions) = match self.lock(place, batches).await {
            Ok(read) => read,
            Err(fault) => return Err(self.undo(place, fault).await),
        };
        let group = Group::judge(head, &versions, batches);
        if group.is_empty() {
            // The answers hold: nobody else could commit while the head was locked.
            let undone = self.link.batch(place, WHAT, "ROLLBACK").await;
            return undone.map(|()| group.verdicts).map_err(Failed::Clean);
        }
        self.write(place, group, signature).await
    }

    /// Begins, locks the head and reads the expected versions, in one round trip. Each statement sees what
    /// was committed before it began, so the versions are those under the lock.
    async fn lock(
        &self,
        place: &Place,
        batches: &[Batch],
    ) -> Result<(Head, BTreeMap<Key, Version>), Fault> {
        let client = &self.link.client;
        let keys: Vec<&[u8]> = expected(batches).into_iter().map(Key::as_bytes).collect();
        let versions = async {
            match keys.as_slice() {
                [] => Ok(Vec::new()),
                _ => client.query(&self.versions, &[&keys]).await,
            }
        };
        let all = async {
            // In this order: each is sent when it is first polled.
            let (begun, head, versions) = tokio::join!(
                biased;
                client.batch_execute("BEGIN"),
                client.query_one(&self.lock_head, &[]),
                versions,
            );
            begun?;
            Ok((head?, versions?))
        };
        let (row, versions) = in_time(place, WHAT, all).await?;
        let head = read_head(place, &row).map_err(Fault::never)?;
        let versions: Result<_, Fault> = versions.iter().map(|row| version(place, row)).collect();
        Ok((head, versions?))
    }

    /// Writes a group and commits it, in one round trip.
    async fn write(
        &self,
        place: &Place,
        group: Group<'_>,
        signature: Signature<'_>,
    ) -> Result<Vec<Verdict>, Failed> {
        let columns = Columns::of(place, &group);
        let (sent, failed) = match in_time(place, WHAT, self.send(&columns, signature)).await {
            Ok(answers) => answers,
            Err(fault) => return Err(Failed::InDoubt(group.verdicts, fault)),
        };
        // The first failure tells why; those behind it only say that the transaction had failed.
        let Some(cause) = failed else { return Ok(group.verdicts) };
        if sent && is_refusal(&cause) && cause.code().is_some_and(|code| code.code() == "22012") {
            return Err(Failed::Superseded);
        }
        let is_known = is_refusal(&cause);
        let fault = Fault::new(place, WHAT, cause);
        if !sent {
            return Err(self.undo(place, fault).await);
        }
        Err(if is_known { Failed::Clean(fault) } else { Failed::InDoubt(group.verdicts, fault) })
    }

    /// Sends all of a group at once. Says whether the COMMIT was sent, and what failed first.
    async fn send(
        &self,
        columns: &Columns<'_>,
        signature: Signature<'_>,
    ) -> Result<(bool, Option<tokio_postgres::Error>), tokio_postgres::Error> {
        let client = &self.link.client;
        let advance = columns.advance(&signature, &self.epoch);
        // Whether one of them failed before it was even sent: then the COMMIT must not be.
        let unsent = AtomicBool::new(false);
        let run = |statement, parameters| Box::pin(noting(&unsent, client, statement, parameters));
        // In this order. When the server refuses one, the COMMIT behind it rolls back and says nothing,
        // so that the COMMIT alone proves nothing: all of them must have worked.
        let (advanced, put, removed, appended, committed) = tokio::join!(
            biased;
            run(&self.advance, Some(advance)),
            run(&self.put, columns.put()),
            run(&self.remove, columns.remove()),
            run(&self.append, columns.append()),
            async {
                if unsent.load(Ordering::Relaxed) {
                    return Ok(false);
                }
                client.batch_execute("COMMIT").await.map(|()| true)
            },
        );
        let sent = !matches!(committed, Ok(false));
        let failed = [advanced, put, removed, appended].into_iter().find_map(Result::err);
        Ok((sent, failed.or(committed.err())))
    }

    /// Ends a transaction that failed before its COMMIT was sent.
    async fn undo(&self, place: &Place, fault: Fault) -> Failed {
        if fault.worth == Worth::Lost {
            return Failed::Clean(fault);
        }
        match self.link.batch(place, WHAT, "ROLLBACK").await {
            Ok(()) => Failed::Clean(fault),
            // What happened first tells more, but the connection cannot be used again.
            Err(_gone) => Failed::Clean(Fault { worth: Worth::Lost, error: fault.error }),
        }
    }
}

/// Runs a statement, where there is something for it to do, and notes whether it failed.
async fn noting(
    failed: &AtomicBool,
    client: &Client,
    statement: &Statement,
    parameters: Option<Parameters<'_>>,
) -> Result<(), tokio_postgres::Error> {
    let Some(parameters) = parameters else { return Ok(()) };
    let answer = client.execute(statement, &parameters).await;
    if answer.is_err() {
        failed.store(true, Ordering::Relaxed);
    }
    answer.map(drop)
}

/// A key and the version that is there. One that no commit can have written is damage and not a conflict:
/// whoever is told of a conflict tries again.
fn version(place: &Place, row: &Row) -> Result<(Key, Version), Fault> {
    let key = Key::from_bytes(cell(place, WHAT, row, 0)?);
    let version: i64 = cell(place, WHAT, row, 1)?;
    match u64::try_from(version) {
        Ok(version @ 1..) => Ok((key, Version::new(version))),
        Ok(0) | Err(_) => Err(Fault::never(damaged(format!(
            "the value at {key:?} has the version {version}, which no commit writes"
        )))),
    }
}

fn read_head(place: &Place, row: &Row) -> Result<Head, StoreError> {
    let read = || -> Result<_, tokio_postgres::Error> {
        Ok((row.try_get::<_, i32>(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
    };
    let (format, commits, log_len, sum): (i32, i64, i64, Vec<u8>) = read().map_err(|cause| {
        StoreError::new(StoreErrorKind::Damaged, format!("the head of {place} cannot be read"))
            .with_help("restore the schema from a backup")
            .with_source(cause)
    })?;
    if format != FORMAT {
        return Err(unreadable(place, format));
    }
    Head::read(commits, log_len, &sum)
}
