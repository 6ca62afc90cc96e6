//! After how many ticks of the sandbox each hostile plugin ends. The ticks are made here, so that they can be counted: on a
//! busy machine those of a clock go on while a plugin gets no time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::runner::{Job, Plan, RunLease, Runner as _};
use placet_runners::testing::Ticks;
use placet_runners::{RunnerLimits, SqliteTarget, WasmRunner};

use crate::bench::{Bench, PATIENCE, Quiet, give_up, job, plugins, until};
use crate::hostile::{EXECUTED, PLANNED, VALIDATED, VERIFIED, payload, tight};

/// A lease that somebody ends.
#[derive(Debug, Default)]
struct Lease {
    is_over: AtomicBool,
    looks_after: AtomicUsize,
}

impl Lease {
    /// Cancels what does not end before the next tick, and returns once the host took note: at its second look it has drawn
    /// the conclusion from its first.
    fn cancel(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        until("the host takes note", || self.looks_after.load(Ordering::SeqCst) >= 2);
    }
}

impl RunLease for Lease {
    fn may_touch_target(&self) -> Result<(), Error> {
        if !self.is_over.load(Ordering::SeqCst) {
            return Ok(());
        }
        // The plugin's own thread looks too; it draws its own conclusions.
        if thread::current().name() != Some("placet-run") {
            self.looks_after.fetch_add(1, Ordering::SeqCst);
        }
        Err(Error::new(Code::Cancelled, "not any more"))
    }

    fn now(&self) -> Timestamp {
        Timestamp::MIN
    }
}

type Link = Quiet<Lease>;

/// A host whose ticks are made by hand.
struct Ground {
    bench: Bench,
    runner: WasmRunner,
    ticks: Ticks,
    attempts: AtomicU32,
}

impl Ground {
    fn new(limits: RunnerLimits) -> Self {
        let bench = Bench::new();
        let runner = plugins(WasmRunner::builder())
            .target("orders".parse().unwrap(), Arc::new(SqliteTarget::new(bench.path())))
            .limits(limits)
            .build()
            .unwrap();
        let (runner, ticks) = Ticks::of(runner).unwrap();
        Self { bench, runner, ticks, attempts: AtomicU32::new(1) }
    }

    /// Cancels once the call is in its sandbox.
    fn cancel_inside(&self, link: &Link) {
        until("the call is in its sandbox", || self.runner.sandboxes() != 0);
        link.0.is_over.store(true, Ordering::SeqCst);
    }

    /// Begins a call on a thread of its own. `watch` is told when it ends, and makes ticks meanwhile.
    fn beside<T>(
        &self,
        call: impl FnOnce(&Self) + Send,
        watch: impl FnOnce(&Receiver<()>) -> T,
    ) -> T {
        let (ends, ended) = channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                call(self);
                ends.send(()).unwrap();
            });
            watch(&ended)
        })
    }

    /// Whether a call ends without any tick. One that does not is cancelled, so that the test goes on.
    fn ends_by_itself(
        &self,
        patience: Duration,
        link: &Link,
        call: impl FnOnce(&Self) + Send,
    ) -> bool {
        self.beside(call, |ended| {
            let by_itself = ended.recv_timeout(patience).is_ok();
            if !by_itself {
                link.0.is_over.store(true, Ordering::SeqCst);
                for _ in 0..10_000 {
                    self.ticks.tick();
                    let heard = ended.recv_timeout(Duration::from_millis(10));
                    if heard != Err(RecvTimeoutError::Timeout) {
                        return false;
                    }
                }
                give_up("the call");
            }
            by_itself
        })
    }

    /// Calls something that never ends by itself. Once it is cancelled, the next tick ends it.
    fn assert_ends_at_the_next_tick(&self, what: &str, call: impl FnOnce(&Self, &Link) + Send) {
        let link = Link::default();
        let linked = Quiet(Arc::clone(&link.0));
        self.beside(
            move |ground| call(ground, &linked),
            |ended| {
                until("the call is in its sandbox", || self.runner.sandboxes() != 0);
                link.0.cancel();
                assert_eq!(ended.try_recv(), Err(TryRecvError::Empty), "{what}");
                let before = self.ticks.count();
                self.ticks.tick();
                must_end(ended, what);
                assert_eq!(self.ticks.count().checked_sub(before), Some(1));
            },
        );
    }

    fn plan(&self, behaviour: &str) -> (Job, Plan) {
        let mut job = job("unruly", &payload(behaviour));
        // Each is a run of its own: what another one committed is not in its way.
        job.id.attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        let plan = self.runner.plan(&job, &Link::default()).unwrap();
        (job, plan)
    }

    /// The call into a hostile plugin that its name is about.
    fn call(&self, behaviour: &str, planned: Option<&(Job, Plan)>, link: &Link) {
        match (behaviour.split_once(' ').unwrap().0, planned) {
            ("validate", _) => {
                drop(self.runner.validate(&"unruly".parse().unwrap(), &payload(behaviour)));
            }
            ("plan", _) => {
                drop(self.runner.plan(&job("unruly", &payload(behaviour)), link));
            }
            ("do", Some((job, plan))) => drop(self.runner.execute(job, plan, link)),
            ("verify", Some((job, plan))) => drop(self.runner.verify(job, plan, link)),
            other => panic!("{other:?}"),
        }
    }

    fn planned(&self, behaviour: &str) -> Option<(Job, Plan)> {
        let runs = behaviour.starts_with("do ") || behaviour.starts_with("verify ");
        runs.then(|| self.plan(behaviour))
    }
}

fn must_end(ended: &Receiver<()>, what: &str) {
    // Where the call fell over, its own panic says so.
    if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        give_up(what);
    }
}

/// Every hostile behaviour by name.
fn all() -> impl Iterator<Item = &'static str> {
    let all = EXECUTED.iter().map(|&(name, ..)| name);
    let all = all.chain(PLANNED.iter().map(|&(name, _)| name));
    let all = all.chain(VALIDATED.iter().map(|&(name, _)| name));
    all.chain(VERIFIED.iter().map(|&(name, _)| name))
}

#[test]
fn whoever_breaks_the_contract_ends_without_a_tick_or_at_the_first_after_the_stop() {
    let ground = Ground::new(tight());
    let mut spinning = Vec::new();
    for behaviour in all() {
        let planned = ground.planned(behaviour);
        if behaviour == "validate spin" {
            // It is nobody's to cancel, and has ticks of its own: below.
            continue;
        }
        if behaviour.ends_with(" spin") {
            spinning.push(behaviour);
            ground.assert_ends_at_the_next_tick(behaviour, |ground, link| {
                ground.call(behaviour, planned.as_ref(), link);
            });
            continue;
        }
        let link = Link::default();
        let before = ground.ticks.count();
        let by_itself = ground.ends_by_itself(PATIENCE, &link, |ground| {
            ground.call(behaviour, planned.as_ref(), &link);
        });
        assert!(by_itself, "{behaviour} goes on");
        assert_eq!(ground.ticks.count(), before, "{behaviour}");
    }
    assert_eq!(spinning, ["do spin", "plan spin"]);
    // One that spins is told from one that ends.
    let (link, behaviour) = (Link::default(), "plan spin");
    assert!(!ground.ends_by_itself(Duration::from_millis(50), &link, |ground| {
        ground.call(behaviour, None, &link);
    }));
}

#[test]
fn an_endless_validation_ends_at_its_last_tick() {
    let ground = Ground::new(tight());
    let link = Link::default();
    ground.beside(
        |ground| ground.call("validate spin", None, &link),
        |ended| {
            // 200 ms are 20 ticks and the one under way; some may be over before it begins.
            while ended.recv_timeout(Duration::from_millis(20)).is_err() {
                ground.ticks.tick();
                if ground.ticks.count() > 6_000 {
                    give_up("an endless validation");
                }
            }
            assert!(ground.ticks.count() >= 21, "{}", ground.ticks.count());
        },
    );
}

#[test]
fn whoever_is_in_the_host_when_it_is_cancelled_ends_without_a_tick() {
    let mut limits = RunnerLimits::default().with_host_calls_max(u64::MAX);
    limits.host_bytes_max = u64::MAX;
    let ground = Ground::new(limits);
    for behaviour in [
        "plan ask-always",
        "do ask-always",
        "do log-always",
        "do dialect-always",
        "do checkpoint-always",
    ] {
        let planned = ground.planned(behaviour);
        let link = Link::default();
        let linked = Quiet(Arc::clone(&link.0));
        ground.beside(
            move |ground| ground.call(behaviour, planned.as_ref(), &linked),
            |ended| {
                ground.cancel_inside(&link);
                must_end(ended, behaviour);
            },
        );
    }
    assert_eq!(ground.ticks.count(), 0);
}

#[test]
fn a_query_without_end_ends_without_a_tick() {
    let ground = Ground::new(RunnerLimits::default());
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let payload = serde_json::json!({ "behaviour": "plan-write", "sql": endless }).to_string();
    let link = Link::default();
    let linked = Quiet(Arc::clone(&link.0));
    ground.beside(
        move |ground| drop(ground.runner.plan(&job("unruly", &payload), &linked)),
        |ended| {
            ground.cancel_inside(&link);
            must_end(ended, "an endless query");
        },
    );
    assert_eq!(ground.ticks.count(), 0);
    ground.bench.assert_alive();
}
