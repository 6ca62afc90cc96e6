//! The driver itself.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use placet_core::store::{
    Batch, CommitError, Committed, Key, Store, StoreError, StoreErrorKind, Stored,
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};
use tokio_postgres::Row;

use crate::clock::{DatabaseClock, Hands, monotonic};
use crate::commit::Session;
use crate::engine::Engine;
use crate::fault::{Fault, damaged, gone};
use crate::heard::Heard;
use crate::listener::listen;
use crate::options::Options;
use crate::place::Place;
use crate::reader::{self, Question, Readers};
use crate::record::{BATCH_BYTES_MAX, Head, KEY_BYTES_MAX, column};
use crate::schema;
use crate::session::{Link, Role};
use crate::writer::{Job, Writer, weight};

/// How often a waiting node asks while nobody tells it.
const POLL: Duration = Duration::from_millis(200);

/// A store in a PostgreSQL database, for one node or several. See the crate's page for what it promises.
///
/// It has threads and a runtime of its own and can be called from anywhere, also from inside a host's
/// runtime: a call blocks its own thread, as every [`Store`] does, and nothing else. Dropping it answers
/// what is still waiting and closes its connections.
///
/// ```no_run
/// use placet_core::store::{Batch, Key, Store};
/// use placet_store_postgres::PostgresStore;
///
/// let url = "postgres://placet:secret@db.internal/placet";
/// let (node, other) = (PostgresStore::open(url)?, PostgresStore::open(url)?);
/// let key = Key::from_segments(&["colour"]);
/// node.commit(Batch::default().put(key.clone(), b"green".to_vec()).append(b"leaf".to_vec()))?;
///
/// assert_eq!(other.wait_for_log(0, 1_000)?, 1); // it heard of the new entry
/// assert_eq!(other.get(&key)?.map(|stored| stored.value), Some(b"green".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PostgresStore {
    place: Arc<Place>,
    readers: Arc<Readers>,
    heard: Arc<Heard>,
    hands: Arc<Hands>,
    transactions: Arc<AtomicU64>,
    // `None` only while it is dropped: the writer ends when the last sender is gone.
    jobs: Option<UnboundedSender<Job>>,
    written: Mutex<mpsc::Receiver<()>>,
    // Declared last: the tasks above must be able to end first.
    reading: Engine,
    #[expect(dead_code, reason = "the writer lives on it")]
    writing: Engine,
}

impl PostgresStore {
    /// Opens the store in the database at `url`, with [`Options::default`]; the tables are made where they
    /// are not there. `url` is `postgres://user:password@host:port/database`, or the same as
    /// `host=… user=… password=… dbname=…`. Where the server is on another machine, end it with
    /// `?sslmode=verify-full`: without that it is encrypted only where the server offers it, and not made sure
    /// that it is the right server.
    ///
    /// Fails with [`StoreErrorKind::Unavailable`] when the URL is wrong, the server or the database is not
    /// there, is not encrypted or trusted as the URL asks for, refuses the login, lacks a right, is read-only or
    /// does not bring to its disk what it acknowledges; with [`StoreErrorKind::Damaged`] when head and log do not fit together; and with
    /// [`StoreErrorKind::NewerFormat`] when a newer version made the tables.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, &Options::default())
    }

    /// Opens the store at `url` as [`Self::open`] does, with `options`.
    pub fn open_with(url: &str, options: &Options) -> Result<Self, StoreError> {
        let place = Arc::new(Place::parse(url, options)?);
        let writing = Engine::start("placet-write")?;
        let reading = Engine::start("placet-read")?;
        let heard = Arc::<Heard>::default();
        let transactions = Arc::<AtomicU64>::default();

        let entered = {
            let (place, heard) = (Arc::clone(&place), Arc::clone(&heard));
            let transactions = Arc::clone(&transactions);
            writing.wait_for(async move {
                let link = Link::make(&place, Role::Writer, None).await?;
                schema::prepare(&place, &link).await?;
                let session = Session::make(&place, link).await?;
                Writer::enter(place, heard, transactions, session).await
            })
        };
        let writer = answer(entered)?;
        let (jobs, waiting) = unbounded_channel();
        let (done, written) = mpsc::sync_channel(1);
        drop(writing.handle().spawn(async move {
            writer.run(waiting).await;
            let _nobody = done.send(());
        }));

        let readers = Arc::new(Readers::new(Arc::clone(&place)));
        let first = Arc::clone(&readers);
        let (((commits, log_len, sum), begin, end), hands) =
            answer(reading.wait_for(async move {
                let ends = first.ends().await?;
                Ok((ends, first.clock().await?))
            }))?;
        let head = Head::read(commits, log_len, &sum)?;
        let last = head.log_len.checked_sub(1);
        if (begin, end) != (last.map(|_| 0), last.map(column)) {
            let due = head.log_len;
            return Err(damaged(format!(
                "the log does not have the {due} entries that the head counts"
            )));
        }
        heard.tell(head.log_len);
        let hands = Arc::new(hands);
        drop(reading.handle().spawn(wind(Arc::clone(&readers), Arc::clone(&hands))));
        if options.notifies {
            let (place, readers) = (Arc::clone(&place), Arc::clone(&readers));
            drop(reading.handle().spawn(listen(place, readers, Arc::clone(&heard))));
        }
        let (jobs, written) = (Some(jobs), Mutex::new(written));
        Ok(Self { place, readers, heard, hands, transactions, jobs, written, reading, writing })
    }

    /// The database's clock, for leases.
    pub fn clock(&self) -> DatabaseClock {
        DatabaseClock::new(Arc::clone(&self.hands))
    }

    /// How many transactions this opening has committed. With group commit it grows more slowly than the
    /// number of commits.
    pub fn transaction_count(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    fn ask(&self, question: Question) -> Result<Vec<Row>, StoreError> {
        let readers = Arc::clone(&self.readers);
        answer(self.reading.wait_for(async move { readers.ask(&question).await }))
    }

    fn unreadable(&self, cause: tokio_postgres::Error) -> StoreError {
        Fault::new(self.readers.place(), "read from", cause).error
    }
}

/// Reads the clock at intervals, for as long as the store is open.
async fn wind(readers: Arc<Readers>, hands: Arc<Hands>) {
    let interval = Duration::from_millis(readers.place().options.clock_interval_ms);
    loop {
        sleep(interval).await;
        readers.wind(&hands).await;
    }
}

/// What a thread answered, or that it panicked.
fn answer<T>(answered: Option<Result<T, Fault>>) -> Result<T, StoreError> {
    answered.ok_or_else(gone)?.map_err(|fault| fault.error)
}

/// Refuses what does not fit.
fn check(batch: &Batch) -> Result<(), StoreError> {
    let refused = |message: String, help: String| {
        let help = format!("{help}; nothing was written");
        Err(StoreError::new(StoreErrorKind::Unavailable, message).with_help(help))
    };
    let lengths = || batch.writes.iter().map(|(key, _)| key.as_bytes().len());
    if let Some(length) = lengths().find(|length| *length > KEY_BYTES_MAX) {
        return refused(
            format!("a key of {length} bytes is too long"),
            format!("keys have at most {KEY_BYTES_MAX} bytes"),
        );
    }
    let bytes = weight(batch);
    if bytes > BATCH_BYTES_MAX {
        return refused(
            format!("a batch of {bytes} bytes is too large"),
            format!("a batch has at most {BATCH_BYTES_MAX} bytes"),
        );
    }
    Ok(())
}

/// The first bytes after all that start with `prefix`; `None` where there are none.
fn after_all(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

impl Store for PostgresStore {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let rows = self.ask(Question::Get(key.clone()))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let raw = reader::value(row, key).map_err(|cause| self.unreadable(cause))?;
        raw.check().map(|(_, stored)| Some(stored))
    }

    fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        let rows = self.ask(Question::GetMany(keys.to_vec()))?;
        let pairs = rows
            .iter()
            .map(|row| reader::pair(row).map_err(|cause| self.unreadable(cause))?.check());
        let found: BTreeMap<Key, Stored> = pairs.collect::<Result<_, _>>()?;
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let from = match after.filter(|after| *after >= prefix) {
            // The very next key there can be.
            Some(after) => [after.as_bytes(), &[0]].concat(),
            None => prefix.as_bytes().to_vec(),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.ask(Question::Scan(from, after_all(prefix.as_bytes()), limit))?;
        let pairs = rows
            .iter()
            .map(|row| reader::pair(row).map_err(|cause| self.unreadable(cause))?.check());
        pairs.collect()
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        let rows = self.ask(Question::LogLen)?;
        let row = rows.first().ok_or_else(|| damaged("the head of the store is missing"))?;
        let (commits, log_len, sum) =
            reader::head(row, 0).map_err(|cause| self.unreadable(cause))?;
        Ok(Head::read(commits, log_len, &sum)?.log_len)
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let to = from.saturating_add(u64::try_from(limit).unwrap_or(u64::MAX));
        let rows = self.ask(Question::LogRead(column(from), column(to)))?;
        let first = rows.first().ok_or_else(|| damaged("the head of the store is missing"))?;
        let (commits, log_len, sum) =
            reader::head(first, 0).map_err(|cause| self.unreadable(cause))?;
        let head = Head::read(commits, log_len, &sum)?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            found.extend(reader::entry(row).map_err(|cause| self.unreadable(cause))?);
        }
        found.sort_by_key(|entry| entry.index);
        let due = to.min(head.log_len).saturating_sub(from);
        let mut entries = Vec::with_capacity(found.len());
        for (entry, index) in found.into_iter().zip(from..) {
            entries.push(entry.check(index)?);
        }
        if u64::try_from(entries.len()) != Ok(due) {
            return Err(damaged("the log is not as long as the head of the store says"));
        }
        Ok(entries)
    }

    fn wait_for_log(&self, longer_than: u64, wait_ms: u64) -> Result<u64, StoreError> {
        let begun = monotonic();
        loop {
            let before = self.heard.before();
            let log_len = self.log_len()?;
            self.heard.asked(before, log_len);
            let left = Duration::from_millis(wait_ms)
                .saturating_sub(monotonic().saturating_duration_since(begun));
            if log_len > longer_than || left.is_zero() {
                return Ok(log_len);
            }
            self.heard.wait(longer_than, left, POLL);
        }
    }

    /// As the trait says. A key longer than [`KEY_BYTES_MAX`] or a batch of more than [`BATCH_BYTES_MAX`] is
    /// refused, and nothing is applied. Where the error does not say that nothing was written, it says that it is not known.
    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        check(&batch)?;
        let (answer, answered) = mpsc::sync_channel(1);
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { batch, came: Instant::now(), answer }).map_err(|_unsent| gone())?;
        answered.recv().map_err(|_unanswered| gone())?
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // A writer that panicked has nothing left to say.
        let _ended = self.written.get_mut().unwrap_or_else(PoisonError::into_inner).recv();
    }
}
