//! The connections that read.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use placet_core::store::Key;
use tokio::sync::Mutex;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use crate::clock::{Hands, monotonic};
use crate::fault::{Fault, Worth};
use crate::place::Place;
use crate::record::{RawEntry, RawValue};
use crate::session::{Link, Role, cell, in_time, only};

const WHAT: &str = "read from";

const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// A connection that reads, with its statements.
#[derive(Debug)]
struct Session {
    link: Link,
    get: Statement,
    get_many: Statement,
    scan: Statement,
    scan_to_end: Statement,
    log_len: Statement,
    log_read: Statement,
}

/// One place for a connection.
#[derive(Debug, Default)]
struct Slot {
    session: Mutex<Option<Arc<Session>>>,
    /// How many wait for an answer on it.
    busy: AtomicUsize,
}

/// The connections. Each serves many callers: what they ask is sent at once and answered in order.
#[derive(Debug)]
pub(crate) struct Readers {
    place: Arc<Place>,
    // One at least, by type: with none there would be nobody to ask, and no answer to give.
    first: Slot,
    more: Vec<Slot>,
}

/// The head as it was read: commits, length of the log, checksum.
pub(crate) type RawHead = (i64, i64, Vec<u8>);

/// A reading of the database's clock, in microseconds, and when it was asked and answered here.
type Reading = (i64, std::time::Instant, std::time::Instant);

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    Get(Key),
    GetMany(Vec<Key>),
    /// From a key on, up to a key that does not belong any more, so many.
    Scan(Vec<u8>, Option<Vec<u8>>, i64),
    LogLen,
    /// From an index on, up to an index that does not belong any more.
    LogRead(i64, i64),
}

/// A place, busy as long as this lives.
struct Busy<'a>(&'a Slot);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Readers {
    pub(crate) fn new(place: Arc<Place>) -> Self {
        let more = place.options.read_connections.saturating_sub(1);
        let more = (0..more).map(|_| Slot::default()).collect();
        Self { place, first: Slot::default(), more }
    }

    /// Asks, and once more on a new connection when the old one is gone.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Vec<Row>, Fault> {
        let slots = core::iter::once(&self.first).chain(&self.more);
        let idlest = slots.min_by_key(|slot| slot.busy.load(Ordering::Relaxed));
        let slot = idlest.unwrap_or(&self.first);
        slot.busy.fetch_add(1, Ordering::Relaxed);
        let _busy = Busy(slot);
        match self.try_ask(slot, question).await {
            Err(fault) if fault.worth != Worth::Never => self.try_ask(slot, question).await,
            answer => answer,
        }
    }

    /// Asks once, and lets go of a connection that turns out to be gone.
    async fn try_ask(&self, slot: &Slot, question: &Question) -> Result<Vec<Row>, Fault> {
        let session = self.session(slot).await?;
        let answer = session.ask(&self.place, question).await;
        if answer.as_ref().is_err_and(|fault| fault.worth == Worth::Lost) {
            let mut held = slot.session.lock().await;
            // Only this one: somebody else may have made a new one already.
            if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, &session)) {
                *held = None;
            }
        }
        answer
    }

    async fn session(&self, slot: &Slot) -> Result<Arc<Session>, Fault> {
        let mut held = slot.session.lock().await;
        if let Some(session) = held.as_ref().filter(|session| !session.link.client.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(Session::make(&self.place).await?);
        *held = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Reads the database's clock for the first time.
    pub(crate) async fn clock(&self) -> Result<Hands, Fault> {
        let (micros, asked, answered) = self.read_clock().await?;
        Ok(Hands::new(micros, asked, answered))
    }

    /// Reads the database's clock again.
    pub(crate) async fn wind(&self, hands: &Hands) {
        // Where it cannot be read, the hands go on by themselves.
        if let Ok((micros, asked, answered)) = self.read_clock().await {
            hands.set(micros, asked, answered);
        }
    }

    async fn read_clock(&self) -> Result<Reading, Fault> {
        let session = self.session(&self.first).await?;
        // The first time, the types of the answer are looked up, too.
        let asked = monotonic();
        let rows = session.link.ask(&self.place, WHAT, CLOCK, &[]).await?;
        let answered = monotonic();
        let micros = cell(&self.place, WHAT, &only(&self.place, WHAT, rows)?, 0)?;
        Ok((micros, asked, answered))
    }

    /// The head and both ends of the log, all of one moment.
    pub(crate) async fn ends(&self) -> Result<(RawHead, Option<i64>, Option<i64>), Fault> {
        let session = self.session(&self.first).await?;
        let rows = session.link.ask(&self.place, WHAT, &self.place.sql.log_ends, &[]).await?;
        let row = only(&self.place, WHAT, rows)?;
        let read = || Ok((head(&row, 0)?, row.try_get(3)?, row.try_get(4)?));
        read().map_err(|cause| Fault::new(&self.place, WHAT, cause))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

impl Session {
    async fn make(place: &Place) -> Result<Self, Fault> {
        let sql = &place.sql;
        let link = Link::make(place, Role::Reader, None).await?;
        Ok(Self {
            get: link.prepare(place, &sql.get).await?,
            get_many: link.prepare(place, &sql.get_many).await?,
            scan: link.prepare(place, &sql.scan).await?,
            scan_to_end: link.prepare(place, &sql.scan_to_end).await?,
            log_len: link.prepare(place, &sql.log_len).await?,
            log_read: link.prepare(place, &sql.log_read).await?,
            link,
        })
    }

    async fn ask(&self, place: &Place, question: &Question) -> Result<Vec<Row>, Fault> {
        let (statement, parameters): (_, Vec<&(dyn ToSql + Sync)>) = match question {
            Question::Get(key) => {
                let key = key.as_bytes();
                return in_time(place, WHAT, self.link.client.query(&self.get, &[&key])).await;
            }
            Question::GetMany(keys) => {
                let keys: Vec<&[u8]> = keys.iter().map(Key::as_bytes).collect();
                return in_time(place, WHAT, self.link.client.query(&self.get_many, &[&keys]))
                    .await;
            }
            Question::Scan(from, Some(to), limit) => (&self.scan, vec![from, to, limit]),
            Question::Scan(from, None, limit) => (&self.scan_to_end, vec![from, limit]),
            Question::LogLen => (&self.log_len, vec![]),
            Question::LogRead(from, to) => (&self.log_read, vec![from, to]),
        };
        in_time(place, WHAT, self.link.client.query(statement, &parameters)).await
    }
}

/// A value as `get` reads it.
pub(crate) fn value(row: &Row, key: &Key) -> Result<RawValue, tokio_postgres::Error> {
    Ok(RawValue {
        key: key.clone(),
        version: row.try_get(0)?,
        value: row.try_get(1)?,
        sum: row.try_get(2)?,
    })
}

/// A pair as a scan reads it.
pub(crate) fn pair(row: &Row) -> Result<RawValue, tokio_postgres::Error> {
    Ok(RawValue {
        key: Key::from_bytes(row.try_get(0)?),
        version: row.try_get(1)?,
        value: row.try_get(2)?,
        sum: row.try_get(3)?,
    })
}

/// The head, from column `at` on.
pub(crate) fn head(row: &Row, at: usize) -> Result<RawHead, tokio_postgres::Error> {
    let next = at.saturating_add(1);
    Ok((row.try_get(at)?, row.try_get(next)?, row.try_get(next.saturating_add(1))?))
}

/// A log entry as it stands behind the head; `None` where the log ends.
pub(crate) fn entry(row: &Row) -> Result<Option<RawEntry>, tokio_postgres::Error> {
    let index: Option<i64> = row.try_get(3)?;
    let Some(index) = index else { return Ok(None) };
    Ok(Some(RawEntry { index, entry: row.try_get(4)?, sum: row.try_get(5)? }))
}
