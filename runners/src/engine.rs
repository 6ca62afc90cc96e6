//! The sandbox's settings, its tick, and the compiled components. One for a process, for as long as any
//! host is alive: two hosts with the same plugin compile it once.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};

use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, OptLevel, Strategy, WasmBacktraceDetails,
};

use crate::compiled::{Source, Unloadable};
use crate::version::{Compiled, Version};

/// How often running plugins look whether they must stop, in milliseconds.
pub(crate) const TICK_MS: u64 = 10;

/// After this many ticks without a call the ticker sleeps until the next one.
const IDLE_TICKS_MAX: u32 = 100;

/// The place of one component among the compiled ones.
type Slot = Arc<Mutex<Weak<Compiled>>>;

fn is_alive(slot: &Slot) -> bool {
    slot.lock().unwrap_or_else(PoisonError::into_inner).strong_count() > 0
}

/// The engine, its ticker and what was compiled for it.
#[derive(Debug)]
pub(crate) struct Sandbox {
    engine: Engine,
    compiled: Mutex<BTreeMap<Digest, Slot>>,
    beat: Arc<Beat>,
    ticker: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Beat {
    calls: AtomicUsize,
    alive: AtomicUsize,
    ticks: AtomicU64,
    sleeps: AtomicBool,
    ended: AtomicBool,
}

static SHARED: Mutex<Weak<Sandbox>> = Mutex::new(Weak::new());

impl Sandbox {
    /// The sandbox of this process.
    pub(crate) fn shared() -> Result<Arc<Self>, Error> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sandbox) = shared.upgrade() {
            return Ok(sandbox);
        }
        let sandbox = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&sandbox);
        Ok(sandbox)
    }

    fn start() -> Result<Self, Error> {
        let engine = engine()?;
        let beat = Arc::new(Beat::default());
        let (engine_ticked, beat_heard) = (engine.clone(), Arc::clone(&beat));
        let ticker = thread::Builder::new()
            .name("placet-tick".to_owned())
            .spawn(move || tick(&engine_ticked, &beat_heard))
            .map_err(|error| fault("timed", &error))?;
        Ok(Self { engine, compiled: Mutex::default(), beat, ticker: Some(ticker) })
    }

    /// One whose ticks a test makes.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn ticked_by_hand() -> Result<Self, Error> {
        let engine = engine()?;
        Ok(Self { engine, compiled: Mutex::default(), beat: Arc::default(), ticker: None })
    }

    /// Makes one tick.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn tick(&self) {
        self.engine.increment_epoch();
        self.beat.ticks.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many ticks there were so far. They count only while calls run.
    pub(crate) fn ticks(&self) -> u64 {
        self.beat.ticks.load(Ordering::Relaxed)
    }

    /// Counts what one call keeps, for as long as that is kept.
    pub(crate) fn alive(&self) -> Alive {
        self.beat.alive.fetch_add(1, Ordering::Relaxed);
        Alive(Arc::clone(&self.beat))
    }

    /// How many are kept now.
    pub(crate) fn count_alive(&self) -> usize {
        self.beat.alive.load(Ordering::Relaxed)
    }

    /// Keeps the ticker awake while a call runs.
    pub(crate) fn enter(&self) -> Call<'_> {
        // Here a call is counted and then the flag read; the ticker sets the flag and then reads the count.
        // With one order for all four, at least one of the two sees the other.
        self.beat.calls.fetch_add(1, Ordering::SeqCst);
        if self.beat.sleeps.swap(false, Ordering::SeqCst)
            && let Some(ticker) = &self.ticker
        {
            ticker.thread().unpark();
        }
        Call(self)
    }

    /// Compiles a component, or takes what was compiled of the same bytes.
    pub(crate) fn compile(
        &self,
        (bytes, digest): (&[u8], Digest),
        version: Version,
        source: &Source,
    ) -> Result<Arc<Compiled>, Unloadable> {
        // The list is locked to look only. Who compiles holds the lock of this one component: a second caller
        // waits for the first instead of doing the same work, and other components do not wait.
        let slot = {
            let mut known = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, slot| Arc::strong_count(slot) > 1 || is_alive(slot));
            Arc::clone(known.entry(digest).or_default())
        };
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = kept.upgrade() {
            return Ok(compiled);
        }
        let component = source.component(&self.engine, bytes, digest)?;
        let linked = version.link(&self.engine, &component);
        let compiled =
            Arc::new(linked.map_err(|error| Unloadable::Component(format!("{error:#}")))?);
        *kept = Arc::downgrade(&compiled);
        Ok(compiled)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.beat.ended.store(true, Ordering::Release);
        if let Some(ticker) = self.ticker.take() {
            ticker.thread().unpark();
            // It does nothing that could fail.
            let _ended = ticker.join();
        }
    }
}

/// A call that runs.
#[derive(Debug)]
pub(crate) struct Call<'a>(&'a Sandbox);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.beat.calls.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The data of one instance, and all that it holds open.
#[derive(Debug)]
pub(crate) struct Alive(Arc<Beat>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

fn tick(engine: &Engine, beat: &Beat) {
    let mut idle = 0_u32;
    while !beat.ended.load(Ordering::Acquire) {
        if beat.calls.load(Ordering::Acquire) > 0 {
            idle = 0;
        } else {
            idle = idle.saturating_add(1);
        }
        if idle > IDLE_TICKS_MAX {
            beat.sleeps.store(true, Ordering::SeqCst);
            // A call that did not see the flag is seen here; one that did wakes this thread, or makes the next
            // `park` return at once.
            if beat.calls.load(Ordering::SeqCst) == 0 && !beat.ended.load(Ordering::Acquire) {
                thread::park();
            }
            beat.sleeps.store(false, Ordering::Release);
            idle = 0;
        } else {
            thread::park_timeout(Duration::from_millis(TICK_MS));
        }
        engine.increment_epoch();
        beat.ticks.fetch_add(1, Ordering::Relaxed);
    }
}

/// An engine with the settings of every sandbox.
pub(crate) fn engine() -> Result<Engine, Error> {
    Engine::new(&config()).map_err(|error| fault("made", &error))
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        // Plugins work for milliseconds: to compile them fast is worth more than to run them faster.
        .cranelift_opt_level(OptLevel::None)
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        .epoch_interruption(true)
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .wasm_relaxed_simd(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config
}

fn fault(what: &str, error: &dyn core::fmt::Display) -> Error {
    Error::new(Code::Internal, format!("the plugin sandbox cannot be {what}: {error}"))
        .with_help("check that this process may map executable memory and start threads")
}
