//! CPU time of this thread, time on the wall for single calls, and memory.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

/// CPU time of this thread so far, in nanoseconds.
pub(crate) fn cpu_ns() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

fn wall_ns() -> f64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

/// Asks all of `questions`; CPU nanoseconds each, and how many were a yes.
pub(crate) fn mean_ns<Q>(questions: &[Q], mut ask: impl FnMut(&Q) -> bool) -> (f64, usize) {
    let mut yes = 0;
    let begun = cpu_ns();
    for question in questions {
        yes += usize::from(ask(black_box(question)));
    }
    let ns = (cpu_ns() - begun) / questions.len() as f64;
    (ns, black_box(yes))
}

/// What single calls take on the wall, in nanoseconds; reading the clock is part of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    /// CPU time, in one loop over all of them, where it was taken.
    pub(crate) cpu: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

pub(crate) fn spread<Q, T>(questions: &[Q], mut ask: impl FnMut(&Q) -> T) -> Spread {
    let mut all: Vec<f64> = Vec::with_capacity(questions.len());
    for question in questions {
        let begun = wall_ns();
        let found = black_box(ask(black_box(question)));
        all.push(wall_ns() - begun);
        drop(found);
    }
    all.sort_by(f64::total_cmp);
    let at = |percent: usize| all.get((all.len() * percent / 100).min(all.len() - 1)).copied();
    Spread {
        cpu: f64::NAN,
        mean: all.iter().sum::<f64>() / all.len() as f64,
        p50: at(50).unwrap_or_default(),
        p99: at(99).unwrap_or_default(),
    }
}

/// The one in the middle.
pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// Something that was built: what it took and what it takes.
#[derive(Debug)]
pub(crate) struct Built<T> {
    pub(crate) made: T,
    pub(crate) cpu_seconds: f64,
    /// Bytes asked of the allocator and still held; its own overhead comes on top.
    pub(crate) heap_bytes: i64,
}

pub(crate) fn build<T>(make: impl FnOnce() -> T) -> Built<T> {
    let (mut made, mut cpu_seconds) = (None, 0.0);
    let memory = allocation_counter::measure(|| {
        let begun = cpu_ns();
        made = Some(make());
        cpu_seconds = (cpu_ns() - begun) / 1e9;
    });
    let Some(made) = made else { unreachable!("it was just made") };
    Built { made, cpu_seconds, heap_bytes: memory.bytes_current }
}

/// How many times memory was asked for in `work`.
pub(crate) fn allocations(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}
