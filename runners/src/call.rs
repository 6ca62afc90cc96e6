//! One call into a plugin: a fresh sandbox, and what came of it.

use std::thread;

use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::runner::RunLink;
use wasmtime::{Store, UpdateDeadline};

use crate::bindings::SqlRunner;
use crate::engine::{Compiled, Sandbox, TICK_MS};
use crate::ledger::Ledger;
use crate::limits::RunnerLimits;
use crate::line::Supervisor;
use crate::points;
use crate::state::{Phase, State};
use placet_target::{StopReason, StopSignal};

/// What came of a call, and what the host saw meanwhile.
#[derive(Debug)]
pub(crate) struct Ended<T> {
    pub(crate) answer: Result<T, Trap>,
    pub(crate) ledger: Ledger,
}

/// Why a plugin gave no answer.
#[derive(Debug)]
pub(crate) struct Trap {
    /// `runner_fault`, `limit`, `timeout`, `cancelled`, `lease_lost` or `unavailable`.
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Trap {
    /// The run was stopped.
    pub(crate) fn stopped(reason: StopReason) -> Self {
        Self { code: reason.code().to_owned(), message: reason.message().to_owned() }
    }

    /// The same as an error of the kernel.
    pub(crate) fn into_error(self) -> Error {
        let (code, help) = match self.code.as_str() {
            "limit" => {
                (Code::LimitReached, "make the change smaller, or raise the limit of the runner")
            }
            "timeout" => (Code::LimitReached, "make the change smaller, or allow it more time"),
            "cancelled" => (Code::Cancelled, "ask again when it is wanted"),
            "lease_lost" => (Code::LeaseLost, "read the request again to see who runs it"),
            "unavailable" => (Code::StoreUnavailable, "try again once the store answers"),
            _ => (Code::RunnerFault, "use another build of the plugin, and tell its author"),
        };
        Error::new(code, self.message).with_help(help)
    }
}

/// The stack of the thread that a plugin runs on, in bytes. Wasmtime bounds the plugin's part of it to
/// 512 KiB; the rest is for the host, SQLite's parser included.
const STACK_BYTES: usize = 4 << 20;

/// How much of its stack a caller must have left for a call on its own thread: twice what wasmtime lets a
/// plugin have.
const STACK_LEFT_BYTES_MIN: usize = 1 << 20;

/// A call that reaches nothing: on the caller's thread where that has enough stack left, else on one of its
/// own, which costs about 25 µs more.
pub(crate) fn pure<T: Send>(
    sandbox: &Sandbox,
    compiled: &Compiled,
    limits: &RunnerLimits,
    now: Timestamp,
    work: impl FnOnce(&SqlRunner, &mut Store<State>) -> wasmtime::Result<T> + Send,
) -> Result<T, Error> {
    if stacker::remaining_stack().is_some_and(|left| left >= STACK_LEFT_BYTES_MIN) {
        return run_pure(sandbox, compiled, limits, now, work);
    }
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("placet-pure".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, move || run_pure(sandbox, compiled, limits, now, work))
            .map_err(|error| no_thread(&error))?;
        worker.join().unwrap_or_else(|_| Err(fallen()))
    })
}

/// The error of a call that never began.
fn no_thread(error: &std::io::Error) -> Error {
    Error::new(Code::LimitReached, format!("the plugin cannot be given a thread: {error}"))
        .with_help("let this process start more threads")
}

fn fallen() -> Error {
    Error::new(Code::Internal, "the host failed while the plugin ran")
        .with_help("report this with the log of the run")
}

fn run_pure<T>(
    sandbox: &Sandbox,
    compiled: &Compiled,
    limits: &RunnerLimits,
    now: Timestamp,
    work: impl FnOnce(&SqlRunner, &mut Store<State>) -> wasmtime::Result<T>,
) -> Result<T, Error> {
    let _running = sandbox.enter();
    let mut store = store(sandbox, State::new(Phase::Pure, limits, now, None));
    let ticks = (limits.pure_ms_max / TICK_MS).saturating_add(1);
    store.set_epoch_deadline(ticks);
    let answer = compiled.pure.instantiate(&mut store).and_then(|guest| work(&guest, &mut store));
    answer.map_err(|error| trap_of(&error, &store.data().ledger, None).into_error())
}

/// A call that reaches its target, on a thread of its own. The caller's thread holds the kernel's link, and
/// supervises.
pub(crate) fn reaching<T: Send>(
    sandbox: &Sandbox,
    compiled: &Compiled,
    state: State,
    (supervisor, link, deadline): (Supervisor, &dyn RunLink, Timestamp),
    work: impl FnOnce(&SqlRunner, &mut Store<State>) -> wasmtime::Result<T> + Send,
) -> Result<Ended<T>, Error> {
    let _running = sandbox.enter();
    let stop = state.reach.as_ref().map(|reach| reach.stop.clone()).unwrap_or_default();
    let seen = stop.clone();
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("placet-run".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, move || run(sandbox, compiled, state, &seen, work))
            .map_err(|error| no_thread(&error))?;
        supervisor.serve(link, deadline, &stop);
        worker.join().map_err(|_| fallen())
    })
}

fn run<T>(
    sandbox: &Sandbox,
    compiled: &Compiled,
    state: State,
    stop: &StopSignal,
    work: impl FnOnce(&SqlRunner, &mut Store<State>) -> wasmtime::Result<T>,
) -> Ended<T> {
    let mut store = store(sandbox, state);
    let seen = stop.clone();
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| {
        Ok(match seen.raised() {
            Some(_) => UpdateDeadline::Interrupt,
            None => UpdateDeadline::Continue(1),
        })
    });
    points::reached(points::PLUGIN_ENTERED);
    let answer =
        compiled.reaching.instantiate(&mut store).and_then(|guest| work(&guest, &mut store));
    points::reached(points::PLUGIN_LEFT);
    store.data().end_log();
    // Ends open transactions and hangs up, before anything is judged.
    let state = store.into_data();
    let ledger = state.ledger;
    drop(state.table);
    let answer = answer.map_err(|error| trap_of(&error, &ledger, Some(stop)));
    Ended { answer, ledger }
}

fn store(sandbox: &Sandbox, state: State) -> Store<State> {
    let bytes = usize::try_from(state.limits.host_bytes_max).unwrap_or(usize::MAX);
    let mut store = Store::new(sandbox.engine(), state);
    store.limiter(|state| state);
    // The most that one host call, or one answer, may copy out of the sandbox.
    store.set_hostcall_fuel(bytes);
    store
}

fn trap_of(error: &wasmtime::Error, ledger: &Ledger, stop: Option<&StopSignal>) -> Trap {
    if let Some(limit) = &ledger.limit {
        let message = format!("the plugin reached the limit of {limit}");
        return Trap { code: "limit".to_owned(), message };
    }
    if let Some(reason) = stop.and_then(StopSignal::raised) {
        return Trap::stopped(reason);
    }
    if let Some(wasmtime::Trap::Interrupt) = error.downcast_ref() {
        let message = "the plugin took too long over a payload".to_owned();
        return Trap { code: "timeout".to_owned(), message };
    }
    let cause = error.root_cause();
    Trap { code: "runner_fault".to_owned(), message: format!("the plugin broke off: {cause}") }
}
