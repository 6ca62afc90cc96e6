//! Every call of a session fails, or loses its answer, once: the outcome never says more than the truth, and nothing
//! runs twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use placet_core::error::Code;
use placet_core::runner::{Effect, Job, Outcome, Plan, Runner as _};
use placet_runners::{POINTS, RunnerLimits, SqliteTarget, StepState, WasmRunner};

use crate::bench::{Bench, Link, failure, job, plugins};
use crate::fake::{FAULTS, Fake, Fault, Lie};

const SCRIPT: &str = "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2); INSERT INTO a VALUES (3)";

#[derive(Clone, Copy, Debug)]
enum Way {
    Together,
    Steps,
    /// The second step runs outside a transaction.
    Mixed,
    /// Rows are kept.
    Kept,
}

struct Run {
    fake: Fake,
    runner: WasmRunner,
    job: Job,
    plan: Plan,
}

fn run(way: Way) -> Run {
    let fake = Fake::new();
    fake.world().keeps = matches!(way, Way::Kept);
    let runner = plugins(WasmRunner::builder())
        .target("orders".parse().unwrap(), Arc::new(fake.clone()))
        .build()
        .unwrap();
    let mode = if matches!(way, Way::Steps) { "steps" } else { "transaction" };
    let payload = serde_json::json!({ "sql": SCRIPT, "mode": mode }).to_string();
    let job = job("sql", &payload);
    let mut plan = runner.plan(&job, &Link::default()).unwrap();
    if matches!(way, Way::Mixed) {
        plan.steps.iter_mut().skip(1).take(1).for_each(|step| step.effect = Effect::AtMostOnce);
    }
    fake.world().calls.clear();
    Run { fake, runner, job, plan }
}

/// Whether what is said is the truth.
fn check(run: &Run, said: &Outcome) -> Result<(), String> {
    let truth = run.fake.truth(&run.plan);
    let all: Vec<String> = run.plan.steps.iter().map(|step| step.id.clone()).collect();
    match said {
        Outcome::Succeeded(report) if truth == all => {
            assert_eq!(report.rows_affected.unwrap_or(3), 3);
            Ok(())
        }
        Outcome::Failed(failure) if failure.applied == truth && truth != all => Ok(()),
        // Nobody knows; what is said to have taken effect did.
        Outcome::Unknown(failure) if failure.applied.iter().all(|id| truth.contains(id)) => Ok(()),
        Outcome::Succeeded(_) | Outcome::Failed(_) | Outcome::Unknown(_) => {
            Err(format!("{said:?}, and the truth is {truth:?}"))
        }
    }
}

/// What was said, over all calls and faults: succeeded, failed, unknown.
fn every_call(way: Way) -> (usize, usize, usize) {
    let mut words = Vec::new();
    for number in 0.. {
        for fault in FAULTS {
            let run = run(way);
            run.fake.world().fault = Some((number, fault));
            let link = Link::default();
            let said = run.runner.execute(&run.job, &run.plan, &link);
            let calls = run.fake.world().calls.clone();
            let what = format!("{way:?}, {fault:?} at {number} of {calls:?}");
            check(&run, &said).unwrap_or_else(|why| panic!("{what}: {why}"));
            if calls.len() <= number {
                assert!(matches!(said, Outcome::Succeeded(_)), "{what}: {said:?}");
                let count = |word| words.iter().filter(|said| **said == word).count();
                return (count("succeeded"), count("failed"), count("unknown"));
            }
            let before = run.fake.world().applied.clone();
            let read = run.runner.verify(&run.job, &run.plan, &Link::default());
            check(&run, &read).unwrap_or_else(|why| panic!("{what}, then verify: {why}"));
            let intended = run.fake.world().marks.values().any(|mark| *mark == StepState::Intended);
            assert_eq!(matches!(read, Outcome::Unknown(_)), intended, "{what}: {read:?}");
            assert_eq!(run.fake.world().applied, before, "{what}: to verify changes nothing");
            words.push(match said {
                Outcome::Succeeded(_) => "succeeded",
                Outcome::Failed(_) => "failed",
                Outcome::Unknown(_) => "unknown",
            });
        }
    }
    panic!("the calls of a run have an end")
}

#[test]
fn in_one_transaction_every_fault_ends_in_the_truth() {
    // open, begin, three statements: nothing happened. The commit: failed once, lost twice.
    assert_eq!(every_call(Way::Together), (0, 16, 2));
}

#[test]
fn step_by_step_every_fault_ends_in_the_truth() {
    assert_eq!(every_call(Way::Steps), (0, 24, 6));
}

#[test]
fn with_a_step_outside_transactions_every_fault_ends_in_the_truth() {
    assert_eq!(every_call(Way::Mixed), (0, 19, 11));
}

#[test]
fn with_rows_kept_every_fault_ends_in_the_truth() {
    assert_eq!(every_call(Way::Kept), (0, 25, 2));
}

#[test]
fn a_target_that_lies_about_its_commit_is_caught_by_this_matrix() {
    for way in [Way::Together, Way::Steps, Way::Mixed] {
        let run = run(way);
        run.fake.world().lie = Lie::NotCommitted;
        let said = run.runner.execute(&run.job, &run.plan, &Link::default());
        assert!(check(&run, &said).is_err(), "{way:?}: {said:?}");
    }
}

#[test]
fn a_target_that_cannot_tell_leaves_it_unknown() {
    let run = run(Way::Steps);
    run.fake.world().fault = Some((4, Fault::LostAfter));
    let _said = run.runner.execute(&run.job, &run.plan, &Link::default());
    run.fake.world().tells_steps = false;
    let read = run.runner.verify(&run.job, &run.plan, &Link::default());
    assert!(matches!(read, Outcome::Unknown(_)), "{read:?}");
}

#[test]
fn whoever_is_late_never_makes_an_earlier_answer_wrong() {
    for way in [Way::Together, Way::Steps, Way::Mixed] {
        let mut unknown = Vec::new();
        for look in 1.. {
            let run = Arc::new(run(way));
            let link = Link::default();
            let (asked, said) = (Arc::clone(&run), Arc::new(Mutex::new(None)));
            let heard = Arc::clone(&said);
            // Between this look and what follows it, the lease passes on and somebody verifies.
            link.lease.lose_after(look, move || {
                let read = asked.runner.verify(&asked.job, &asked.plan, &Link::default());
                *heard.lock().unwrap() = Some(read);
            });
            let late = run.runner.execute(&run.job, &run.plan, &link);
            let Some(read) = said.lock().unwrap().take() else {
                assert!(matches!(late, Outcome::Succeeded(_)), "{way:?}: {late:?}");
                break;
            };
            let what = format!("{way:?}, look {look}: verified {read:?}, late {late:?}");
            check(&run, &read).unwrap_or_else(|why| panic!("{what}: {why}"));
            check(&run, &late).unwrap_or_else(|why| panic!("{what}: {why}"));
            unknown.push(matches!(read, Outcome::Unknown(_)));
        }
        // Before it began, and while it held what a verification needs.
        assert!(unknown.contains(&true) && unknown.contains(&false), "{way:?}: {unknown:?}");
    }
}

#[test]
fn a_run_that_is_cancelled_between_two_steps_says_which_took_effect() {
    let run = run(Way::Steps);
    let link = Link::default();
    let lease = Arc::clone(&link.lease);
    // The connection; for the first step: begin, open, execute, commit; then the second begins.
    link.lease.lose_after(6, move || {
        *lease.cancelled.lock().unwrap() = Some(Code::Cancelled);
    });
    let (word, failed) = failure(run.runner.execute(&run.job, &run.plan, &link));
    assert_eq!((word, failed.code.as_str()), ("failed", "cancelled"));
    assert_eq!(failed.applied, ["s1"]);
    assert_eq!(run.fake.truth(&run.plan), ["s1"]);
}

#[test]
fn every_point_of_the_host_is_reached() {
    static REACHED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    placet_target::points::listen(|label| {
        let _new = REACHED.lock().unwrap().insert(label);
    });
    for way in [Way::Together, Way::Mixed] {
        let run = run(way);
        let outcome = run.runner.execute(&run.job, &run.plan, &Link::default());
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    }
    let bench = Bench::new();
    let outcome = bench.run("SELECT id FROM orders");
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    let reached = REACHED.lock().unwrap().clone();
    // Calls to other systems have points of their own, which SQL does not pass.
    let of_sql = POINTS.iter().filter(|label| !label.starts_with("host.call."));
    let missed: Vec<_> = of_sql.filter(|label| !reached.contains(**label)).collect();
    assert_eq!(missed, Vec::<&&str>::new());
}

#[test]
fn whoever_is_late_on_a_file_makes_no_earlier_answer_wrong() {
    for mode in ["transaction", "steps"] {
        let mut unknown = Vec::new();
        for look in 1.. {
            let impatient = |path| SqliteTarget::new(path).with_lock_wait_ms(25);
            let bench = Arc::new(Bench::with(RunnerLimits::default(), impatient));
            let script = "INSERT INTO orders VALUES (8, 'a'); INSERT INTO orders VALUES (9, 'b')";
            let job = job("sql", &serde_json::json!({ "sql": script, "mode": mode }).to_string());
            let plan = bench.runner.plan(&job, &bench.link).unwrap();
            let (link, said) = (Link::default(), Arc::new(Mutex::new(None)));
            let (asked, heard, read) =
                (Arc::clone(&bench), Arc::clone(&said), (job.clone(), plan.clone()));
            link.lease.lose_after(look, move || {
                let answer = asked.runner.verify(&read.0, &read.1, &Link::default());
                *heard.lock().unwrap() = Some(answer);
            });
            let late = bench.runner.execute(&job, &plan, &link);
            let Some(read) = said.lock().unwrap().take() else { break };
            let rows = bench.number("SELECT count(*) FROM orders WHERE id > 7");
            for answer in [&read, &late] {
                let told = match answer {
                    Outcome::Succeeded(_) => Some(2),
                    Outcome::Failed(failure) => Some(failure.applied.len()),
                    Outcome::Unknown(_) => None,
                };
                let is_true = told.is_none_or(|told| i64::try_from(told).unwrap() == rows);
                assert!(is_true, "{mode}, look {look}: {rows} rows, {answer:?}");
            }
            unknown.push(matches!(read, Outcome::Unknown(_)));
        }
        assert!(unknown.contains(&true) && unknown.contains(&false), "{mode}: {unknown:?}");
    }
}
