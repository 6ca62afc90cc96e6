//! One call into a plugin: a fresh sandbox, and what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::RunLink;
use wasmtime::{Store, UpdateDeadline};

use crate::engine::{Sandbox, TICK_MS};
use crate::ledger::Ledger;
use crate::limits::RunnerLimits;
use crate::line::Supervisor;
use crate::points;
use crate::state::{Phase, Reach, State};
use crate::usage::{Usage, UsageSink};
use crate::version::{Compiled, Guest};
use placet_target::{StopReason, StopSignal};

/// What every call into a plugin needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) compiled: &'a Compiled,
    pub(crate) limits: &'a RunnerLimits,
    pub(crate) plugin: &'a Slug,
    pub(crate) usage: Option<&'a dyn UsageSink>,
}

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

/// The host could not answer what the interface lets no plugin be told an error of. Ends its call, through no fault of it.
#[derive(Debug)]
pub(crate) struct Unanswered(pub(crate) Error);

impl core::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Display::fmt(&self.0, f)
    }
}

impl core::error::Error for Unanswered {}

/// The stack of the thread that a plugin runs on, in bytes. Wasmtime bounds the plugin's part of it to
/// 512 KiB; the rest is for the host, SQLite's parser included.
const STACK_BYTES: usize = 4 << 20;

/// How much of its stack a caller must have left for a call on its own thread: twice what wasmtime lets a
/// plugin have.
const STACK_LEFT_BYTES_MIN: usize = 1 << 20;

/// A call that reaches nothing: on the caller's thread where that has enough stack left, else on one of its
/// own, which costs about 25 µs more.
pub(crate) fn pure<T: Send>(
    host: Host<'_>,
    now: Timestamp,
    work: impl FnOnce(&dyn Guest, &mut Store<State>) -> wasmtime::Result<T> + Send,
) -> Result<T, Error> {
    if stacker::remaining_stack().is_some_and(|left| left >= STACK_LEFT_BYTES_MIN) {
        return run_pure(host, now, work);
    }
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("placet-pure".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, move || run_pure(host, now, work))
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
    host: Host<'_>,
    now: Timestamp,
    work: impl FnOnce(&dyn Guest, &mut Store<State>) -> wasmtime::Result<T>,
) -> Result<T, Error> {
    let _running = host.sandbox.enter();
    let from = host.sandbox.ticks();
    let mut store = store(host.sandbox, State::new(Phase::Pure, host.limits, now, None));
    store.set_epoch_deadline(pure_ticks(host.limits));
    let guest = host.compiled.pure.instantiate(&mut store);
    let answer = guest.and_then(|guest| work(&*guest, &mut store));
    if let Some(sink) = host.usage {
        tell(sink, store.data().usage(host.plugin, (from, host.sandbox.ticks())));
    }
    answer.map_err(|error| trap_of(&error, &store.data().ledger, None).into_error())
}

/// Tells what a call used. Where the listener falls over, that is its own affair: what became of the call is known.
fn tell(sink: &dyn UsageSink, usage: Usage) {
    let _fell = catch_unwind(AssertUnwindSafe(|| sink.note(usage)));
}

/// After how many ticks a pure call must end.
const fn pure_ticks(limits: &RunnerLimits) -> u64 {
    (limits.pure_ms_max / TICK_MS).saturating_add(1)
}

/// A call that reaches its target, on a thread of its own. The caller's thread holds the kernel's link, and
/// supervises.
pub(crate) fn reaching<T: Send>(
    host: Host<'_>,
    state: State,
    (supervisor, link, deadline): (Supervisor, &dyn RunLink, Timestamp),
    work: impl FnOnce(&dyn Guest, &mut Store<State>) -> wasmtime::Result<T> + Send,
) -> Result<Ended<T>, Error> {
    let _running = host.sandbox.enter();
    let stop = state.reach.as_ref().map(|reach| reach.stop.clone()).unwrap_or_default();
    let seen = stop.clone();
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("placet-run".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, move || run(host, state, &seen, work))
            .map_err(|error| no_thread(&error))?;
        supervisor.serve(link, deadline, &stop);
        let (ended, usage) = worker.join().map_err(|_| fallen())?;
        if let (Some(sink), Some(usage)) = (host.usage, usage) {
            tell(sink, usage);
        }
        Ok(ended)
    })
}

fn run<T>(
    host: Host<'_>,
    state: State,
    stop: &StopSignal,
    work: impl FnOnce(&dyn Guest, &mut Store<State>) -> wasmtime::Result<T>,
) -> (Ended<T>, Option<Usage>) {
    let from = host.sandbox.ticks();
    let mut store = store(host.sandbox, state);
    end_at_tick_after(stop, &mut store);
    points::reached(points::PLUGIN_ENTERED);
    let guest = host.compiled.reaching.instantiate(&mut store);
    let answer = guest.and_then(|guest| work(&*guest, &mut store));
    points::reached(points::PLUGIN_LEFT);
    store.data().end_log();
    let ticks = (from, host.sandbox.ticks());
    let usage = host.usage.map(|_| store.data().usage(host.plugin, ticks));
    // Ends open transactions and hangs up, before anything is judged.
    let state = store.into_data();
    let ledger = state.ledger;
    drop(state.table);
    let answer = answer.map_err(|error| trap_of(&error, &ledger, Some(stop)));
    (Ended { answer, ledger }, usage)
}

/// Ends the guest at the first tick after `stop` was raised, or after its deadline: whoever supervises may hang in the
/// kernel's store, and a guest that asks for nothing would go on for as long.
fn end_at_tick_after(stop: &StopSignal, store: &mut Store<State>) {
    let seen = stop.clone();
    store.epoch_deadline_callback(move |store| {
        if store.data().reach.as_ref().is_some_and(Reach::is_late) {
            seen.raise(StopReason::Timeout);
        }
        Ok(match seen.raised() {
            Some(_) => UpdateDeadline::Interrupt,
            None => UpdateDeadline::Continue(1),
        })
    });
}

fn store(sandbox: &Sandbox, state: State) -> Store<State> {
    let bytes = usize::try_from(state.limits.host_bytes_max).unwrap_or(usize::MAX);
    let mut store = Store::new(sandbox.engine(), state);
    store.limiter(|state| state);
    // The most that one host call, or one answer, may copy out of the sandbox.
    store.set_hostcall_fuel(bytes);
    // From here on each tick counts: none of them is lost until the guest runs.
    store.set_epoch_deadline(1);
    store.data_mut().alive.get_or_insert(sandbox.alive());
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
    if let Some(unanswered) = error.downcast_ref::<Unanswered>() {
        return Trap { code: "unavailable".to_owned(), message: unanswered.to_string() };
    }
    if let Some(wasmtime::Trap::Interrupt) = error.downcast_ref() {
        let message = "the plugin took too long over a payload".to_owned();
        return Trap { code: "timeout".to_owned(), message };
    }
    let cause = error.root_cause();
    Trap { code: "runner_fault".to_owned(), message: format!("the plugin broke off: {cause}") }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::io::Write as _;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};

    use placet_core::digest::Digest;

    use super::*;
    use crate::compiled::Source;
    use crate::version::Version;

    static UNRULY: &[u8] = include_bytes!("../plugins/built/tests-unruly.wasm");
    const SPIN: &str = r#"{"behaviour": "validate spin", "sql": ""}"#;

    /// So long a guest may take to see a tick that it must see, on a machine however busy. Reached only where it does not.
    const PATIENCE: Duration = Duration::from_mins(2);

    /// What the guest answered. One that goes on is waited for without an end by whoever owns its thread, so that a panic
    /// would not be heard: the process ends.
    fn heard<T>(ended: &Receiver<T>) -> T {
        match ended.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => panic!("the call fell over"),
            Err(RecvTimeoutError::Timeout) => {
                drop(writeln!(std::io::stderr(), "the guest goes on"));
                std::process::abort()
            }
        }
    }

    fn compiled(sandbox: &Sandbox) -> std::sync::Arc<Compiled> {
        let what = (UNRULY, Digest::of(UNRULY));
        sandbox.compile(what, Version::V0_1, &Source::default()).unwrap()
    }

    #[test]
    fn a_pure_loop_ends_at_exactly_its_last_tick() {
        let sandbox = Sandbox::ticked_by_hand().unwrap();
        let compiled = compiled(&sandbox);
        let plugin = "unruly".parse().unwrap();
        for pure_ms_max in [0, 10, 50, 300] {
            let limits = RunnerLimits::default().with_pure_ms_max(pure_ms_max);
            let host = Host {
                sandbox: &sandbox,
                compiled: &compiled,
                limits: &limits,
                plugin: &plugin,
                usage: None,
            };
            let ((begins, begun), (ends, ended)) = (channel(), channel());
            thread::scope(|scope| {
                scope.spawn(move || {
                    let answer = run_pure(host, Timestamp::MIN, |guest, store| {
                        begins.send(()).unwrap();
                        guest.validate(store, SPIN)
                    });
                    ends.send(answer.unwrap_err().code()).unwrap();
                });
                begun.recv().unwrap();
                let ticks = pure_ticks(&limits);
                assert_eq!(ticks.saturating_sub(1), pure_ms_max / TICK_MS);
                for _ in 1..ticks {
                    sandbox.engine().increment_epoch();
                    assert_eq!(ended.try_recv(), Err(TryRecvError::Empty));
                }
                sandbox.engine().increment_epoch();
                assert_eq!(heard(&ended), Code::LimitReached);
            });
        }
    }

    #[test]
    fn what_a_call_keeps_is_counted_until_it_is_gone() {
        let sandbox = Sandbox::ticked_by_hand().unwrap();
        let compiled = compiled(&sandbox);
        // A host that kept the sandboxes of its calls.
        let mut kept = Vec::new();
        for calls in 1..=3 {
            let state = State::new(Phase::Pure, &RunnerLimits::default(), Timestamp::MIN, None);
            let mut store = store(&sandbox, state);
            compiled.pure.instantiate(&mut store).unwrap();
            kept.push(store);
            assert_eq!(sandbox.count_alive(), calls);
        }
        // Without its sandbox: the data alone holds what is open.
        let data = kept.pop().unwrap().into_data();
        assert_eq!(sandbox.count_alive(), 3);
        drop((data, kept));
        assert_eq!(sandbox.count_alive(), 0);
    }

    #[test]
    fn a_stopped_loop_ends_at_the_next_tick() {
        let sandbox = Sandbox::ticked_by_hand().unwrap();
        let compiled = compiled(&sandbox);
        let stop = StopSignal::new();
        let ((begins, begun), (ends, ended)) = (channel(), channel());
        thread::scope(|scope| {
            let (sandbox, compiled, stop) = (&sandbox, &compiled, &stop);
            scope.spawn(move || {
                let state = State::new(Phase::Pure, &RunnerLimits::default(), Timestamp::MIN, None);
                let mut store = store(sandbox, state);
                end_at_tick_after(stop, &mut store);
                let guest = compiled.pure.instantiate(&mut store).unwrap();
                begins.send(()).unwrap();
                let answer = guest.validate(&mut store, SPIN);
                let trap = trap_of(&answer.unwrap_err(), &store.data().ledger, Some(stop));
                ends.send(trap.code).unwrap();
            });
            begun.recv().unwrap();
            // However many ticks: nobody asked it to stop.
            for _ in 0..50 {
                sandbox.engine().increment_epoch();
            }
            assert_eq!(
                ended.recv_timeout(Duration::from_millis(50)),
                Err(RecvTimeoutError::Timeout)
            );
            stop.raise(StopReason::Cancelled);
            sandbox.engine().increment_epoch();
            assert_eq!(heard(&ended), "cancelled");
        });
    }
}
