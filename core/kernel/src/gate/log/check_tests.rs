//! Checking and making the index of the log takes trips by spans and pages, and not by rows.

use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::gate::{Gate, Parts};
use crate::limits::Limits;
use crate::store::{Batch, CommitError, Committed, Key, MemoryStore, Store, StoreError, Stored};
use crate::testing::{Bench, Office};

/// Counts trips as a store counts them that lies elsewhere.
#[derive(Debug, Default)]
struct Far {
    inner: MemoryStore,
    trips: AtomicU64,
    rows: AtomicU64,
}

impl Far {
    fn trip(&self, rows: usize) -> &MemoryStore {
        self.trips.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(u64::try_from(rows).unwrap(), Ordering::Relaxed);
        &self.inner
    }

    /// How many trips `work` takes, and how many rows it asks for.
    fn counted(&self, work: impl FnOnce()) -> (u64, u64) {
        let now = || (self.trips.load(Ordering::Relaxed), self.rows.load(Ordering::Relaxed));
        let before = now();
        work();
        let after = now();
        (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1))
    }
}

impl Store for Far {
    fn get(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        self.trip(1).get(key)
    }

    fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, StoreError> {
        self.trip(keys.len()).get_many(keys)
    }

    fn scan(
        &self,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Stored)>, StoreError> {
        let found = self.trip(0).scan(prefix, after, limit)?;
        self.rows.fetch_add(u64::try_from(found.len()).unwrap(), Ordering::Relaxed);
        Ok(found)
    }

    fn log_len(&self) -> Result<u64, StoreError> {
        self.trip(0).log_len()
    }

    fn log_read(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.trip(0).log_read(from, limit)
    }

    fn commit(&self, batch: Batch) -> Result<Committed, CommitError> {
        self.trip(0).commit(batch)
    }
}

#[test]
fn an_index_far_away_takes_trips_by_spans_and_not_by_rows() {
    let store = Arc::new(Far::default());
    let parts = Bench::on(Arc::<Far>::clone(&store)).unwrap().parts;
    let limits = Limits::default().with_index_entries(64);
    let gate = Gate::new(Parts { limits, ..parts });
    let office = Office::found(&gate).unwrap();
    for _ in 0..100 {
        office.pending(&gate).unwrap();
    }
    let (trips, rows) = store.counted(|| {
        gate.index_log(|_, _| Ok(())).unwrap();
    });
    let spans = gate.log_index().unwrap().unwrap().spans;
    assert!(spans >= 4 && rows > 20 * spans, "{rows} rows in {spans} spans");
    assert!(trips <= 6 * (spans + 1), "{trips} trips to make {spans} spans");

    let (trips, rows) = store.counted(|| gate.check_log_index(|_, _| Ok(())).unwrap());
    // By each span three, and by each page of 256 rows two.
    let pages = rows / 256 + 3;
    assert!(rows > 40 * spans, "{rows} rows");
    assert!(trips <= 3 * spans + 2 * pages + 2, "{trips} trips to check {spans} spans");
}
