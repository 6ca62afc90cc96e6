//! Measuring, and saying what was measured.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::time::Instant;

/// Adds up the time spent in one part, over all threads.
#[derive(Debug, Default)]
pub struct Stopwatch {
    nanos: AtomicU64,
    calls: AtomicU64,
}

impl Stopwatch {
    /// Runs `work` and adds the time it took.
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    pub fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = work();
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
        result
    }

    /// What was added up since the last call, and over how many calls.
    pub fn take(&self) -> (Duration, u64) {
        let nanos = self.nanos.swap(0, Ordering::Relaxed);
        (Duration::from_nanos(nanos), self.calls.swap(0, Ordering::Relaxed))
    }
}

/// The middle and the edges of many measurements of one thing.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Spread {
    /// The least.
    pub min: Duration,
    /// Half are less.
    pub p50: Duration,
    /// 95 of 100 are less.
    pub p95: Duration,
    /// The most.
    pub max: Duration,
}

impl Spread {
    /// The spread of `samples`, of which there is at least one.
    pub fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        let at = |percent: usize| {
            let last = samples.len().saturating_sub(1);
            let place = last.saturating_mul(percent) / 100;
            samples.get(place).copied().unwrap_or_default()
        };
        Self { min: at(0), p50: at(50), p95: at(95), max: at(100) }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "min {:.1?}, p50 {:.1?}, p95 {:.1?}", self.min, self.p50, self.p95)
    }
}

/// How long each of `rounds` of `work` took. What it makes is dropped within its time.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub fn sampled<T, E>(
    rounds: usize,
    mut work: impl FnMut() -> Result<T, E>,
) -> Result<Vec<Duration>, E> {
    let mut took = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let begun = Instant::now();
        drop(work()?);
        took.push(begun.elapsed());
    }
    Ok(took)
}

/// Prints a table in Markdown, as the docs show it.
#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
pub fn print_table(heads: &[&str], rows: &[Vec<String>]) {
    println!("| {} |", heads.join(" | "));
    println!("|{}", "---|".repeat(heads.len()));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}
