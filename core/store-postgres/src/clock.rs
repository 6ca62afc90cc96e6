//! The database's time, carried on with this machine's monotonic clock.

use core::fmt;
use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use placet_core::clock::{Clock, Timestamp};

/// A reading that took longer than this may be wrong by as much, and does not count.
const READING_MAX: Duration = Duration::from_millis(500);

/// Tells the time of the database, for leases: all nodes go by one clock, and it does not matter how
/// wrong the clock of this machine is or how it jumps.
///
/// It is read when the store is opened and at intervals, and carried on in between by the time since
/// then, which no change of the wall clock touches. It never goes back: where the database's clock is set
/// back, it stands until that has caught up. Where the database cannot be reached, it goes on by itself.
/// Asking for the time asks nobody and does not wait. [`Clock::steady_ms`] is the time since opening.
///
/// ```no_run
/// use placet_core::clock::Clock;
/// use placet_store_postgres::PostgresStore;
///
/// let store = PostgresStore::open("postgres://placet:secret@db.internal/placet")?;
/// let clock = store.clock();
/// let lease_ends = clock.now().plus_ms(30_000);
/// assert!(clock.now() < lease_ends);
/// # Ok::<(), placet_core::store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct DatabaseClock {
    hands: Arc<Hands>,
}

impl DatabaseClock {
    pub(crate) fn new(hands: Arc<Hands>) -> Self {
        Self { hands }
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.hands.now_micros(monotonic()))
    }

    fn steady_ms(&self) -> u64 {
        let since = monotonic().saturating_duration_since(self.hands.start);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for DatabaseClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseClock")
    }
}

/// The only time that this machine is asked for: how long ago something was.
#[expect(clippy::disallowed_methods, reason = "this is the driver that a `Clock` stands for")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// What the clock is made of.
#[derive(Debug)]
pub(crate) struct Hands {
    start: Instant,
    anchor: Mutex<Anchor>,
    /// The latest time that anybody was told, in microseconds.
    told: AtomicI64,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    micros: i64,
    at: Instant,
}

impl Hands {
    /// The database said `micros` at some moment between `asked` and `answered`.
    pub(crate) fn new(micros: i64, asked: Instant, answered: Instant) -> Self {
        let anchor = Mutex::new(Anchor { micros, at: middle(asked, answered) });
        Self { start: asked, anchor, told: AtomicI64::new(0) }
    }

    /// Takes a new reading in.
    pub(crate) fn set(&self, micros: i64, asked: Instant, answered: Instant) {
        // Between question and answer this process may have been stopped for an hour.
        if answered.saturating_duration_since(asked) <= READING_MAX {
            let at = middle(asked, answered);
            *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = Anchor { micros, at };
        }
    }

    fn now_micros(&self, now: Instant) -> i64 {
        let anchor = *self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(anchor.at).as_micros();
        let micros = anchor.micros.saturating_add(i64::try_from(since).unwrap_or(i64::MAX));
        self.told.fetch_max(micros, Ordering::SeqCst).max(micros)
    }
}

fn middle(asked: Instant, answered: Instant) -> Instant {
    let half = answered.saturating_duration_since(asked).checked_div(2).unwrap_or_default();
    asked.checked_add(half).unwrap_or(answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_goes_on_between_readings_and_never_back() {
        let start = monotonic();
        let hands = Hands::new(1_000_000, start, start);
        assert_eq!(hands.now_micros(start + SECOND), 2_000_000);
        assert_eq!(hands.now_micros(start), 2_000_000, "another thread asked a little earlier");

        // The database was set back by an hour, or another one took over.
        let later = start + 10 * SECOND;
        hands.set(-3_600_000_000, later, later);
        assert_eq!(hands.now_micros(later), 2_000_000, "it stands");
        hands.set(50_000_000, later, later);
        assert_eq!(hands.now_micros(later + SECOND), 51_000_000, "and goes on");
    }

    #[test]
    fn a_reading_that_took_long_does_not_count() {
        let start = monotonic();
        let hands = Hands::new(0, start, start);
        hands.set(99_000_000, start, start + 3600 * SECOND);
        assert_eq!(hands.now_micros(start + SECOND), 1_000_000);
        hands.set(9_000_000, start + 2 * SECOND, start + 2 * SECOND + READING_MAX);
        let error = hands.now_micros(start + 2 * SECOND + READING_MAX) - 9_000_000;
        assert_eq!(error, 250_000, "half of the way there and back");
    }
}
