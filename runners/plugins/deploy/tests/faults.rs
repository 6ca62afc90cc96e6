//! Every call fails each way once. Whatever happens: nothing is sent twice, and no outcome says more than the truth.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use placet_deploy::Deploy;
use placet_plugin_sdk::testing::{FakeHost, Fault, World};
use placet_plugin_sdk::{ChangePlan, Job, Outcome};

use crate::products::{Products, TEMPLATES, shipped, two_steps};

type Reality = RefCell<World<Products>>;
type Runs = fn(&FakeHost<'_, Products>, &Job, &ChangePlan) -> Outcome;

fn execute(host: &FakeHost<'_, Products>, job: &Job, plan: &ChangePlan) -> Outcome {
    Deploy::execute(host, job, plan)
}

fn verify(host: &FakeHost<'_, Products>, job: &Job, plan: &ChangePlan) -> Outcome {
    Deploy::verify(host, job, plan)
}

/// What an outcome says against what is. `Ok` holds the word.
fn judge(outcome: &Outcome, world: &Reality, plan: &ChangePlan) -> Result<&'static str, String> {
    let world = world.borrow();
    if world.forbidden > 0 {
        return Err("it wrote while it may only read".into());
    }
    for step in &plan.steps {
        if world.server.times(&step.id) > 1 {
            return Err(format!("`{}` was sent twice", step.id));
        }
    }
    let begun = |id: &str| world.server.times(id) == 1;
    match outcome {
        Outcome::Succeeded(_) => {
            let all = plan.steps.iter().all(|step| begun(&step.id));
            let is_good = all && !world.server.fails && !world.server.is_ill;
            if is_good { Ok("succeeded") } else { Err("that is no success".into()) }
        }
        Outcome::Failed(failure) => {
            if failure.code == "deploy.unhealthy" && !world.server.is_ill {
                return Err("it is well".into());
            }
            for step in &plan.steps {
                if begun(&step.id) != failure.applied.contains(&step.id) {
                    return Err(format!("`{}` is told wrongly: {failure:?}", step.id));
                }
            }
            Ok("failed")
        }
        Outcome::Unknown(_) => Ok("unknown"),
    }
}

/// The outcome, or `None` where the host died.
fn survived(
    runs: Runs,
    host: &FakeHost<'_, Products>,
    job: &Job,
    plan: &ChangePlan,
) -> Option<Outcome> {
    catch_unwind(AssertUnwindSafe(|| runs(host, job, plan))).ok()
}

struct Tally {
    cases: usize,
    told: std::collections::BTreeMap<&'static str, usize>,
}

/// Plays one job with every fault at every call of its execution, and each of these with every fault at every call of
/// the verification after it.
fn play(
    job: &Job,
    ready: &dyn Fn() -> Products,
    [runs, looks]: [Runs; 2],
) -> Result<Tally, String> {
    let plan = Deploy::plan(job).unwrap();
    let clean = World::of(ready());
    let host = FakeHost::writing(&clean);
    let mut tally = Tally { cases: 0, told: Default::default() };
    // Who never says anything says nothing wrong.
    let is_good = !clean.borrow().server.fails && !clean.borrow().server.is_ill;
    let due = if is_good { "succeeded" } else { "failed" };
    let told = judge(&runs(&host, job, &plan), &clean, &plan)?;
    let verified = check_verify(&clean, job, &plan, (looks, "undisturbed"), &mut tally)?;
    if [told, verified] != [due; 2] {
        return Err(format!("undisturbed it says `{told}` and `{verified}`, and is `{due}`"));
    }
    for call in 0..host.made() {
        for fault in Fault::ALL {
            let world = World::of(ready());
            let host = FakeHost::writing(&world).failing(call, *fault);
            let case = format!("{fault:?} at call {call}");
            if let Some(outcome) = survived(runs, &host, job, &plan) {
                let word =
                    judge(&outcome, &world, &plan).map_err(|why| format!("{case}: {why}"))?;
                *tally.told.entry(word).or_default() += 1;
            }
            tally.cases += 1;
            check_verify(&world, job, &plan, (looks, &case), &mut tally)?;
        }
    }
    Ok(tally)
}

/// What is said where nothing disturbs the verification.
fn check_verify(
    after: &Reality,
    job: &Job,
    plan: &ChangePlan,
    (looks, case): (Runs, &str),
    tally: &mut Tally,
) -> Result<&'static str, String> {
    let copy = || {
        let seen = after.borrow();
        let world = World::of(seen.server.clone());
        world.borrow_mut().notes.clone_from(&seen.notes);
        world.borrow_mut().seconds = 24 * 3_600;
        world.borrow_mut().server.settle();
        world
    };
    let world = copy();
    let host = FakeHost::reading(&world);
    let outcome = looks(&host, job, plan);
    let word =
        judge(&outcome, &world, plan).map_err(|why| format!("{case}, then verified: {why}"))?;
    for call in 0..host.made() {
        for fault in Fault::ALL {
            let world = copy();
            let host = FakeHost::reading(&world).failing(call, *fault);
            if let Some(outcome) = survived(looks, &host, job, plan) {
                let told = judge(&outcome, &world, plan);
                told.map_err(|why| format!("{case}, verified with {fault:?} at {call}: {why}"))?;
            }
            tally.cases += 1;
        }
    }
    Ok(word)
}

fn jobs() -> Vec<(&'static str, Job)> {
    let mut jobs: Vec<_> =
        TEMPLATES.iter().map(|(name, template)| (*name, shipped(name, template))).collect();
    jobs.push(("two steps", two_steps()));
    for (_, job) in &mut jobs {
        let mut settings: serde_json::Value = serde_json::from_str(&job.settings).unwrap();
        let health = settings.pointer_mut("/deployments/shop/health");
        // One look more than can fail: each look is a call, and each call fails each way.
        health
            .and_then(|all| all.as_array_mut())
            .into_iter()
            .flatten()
            .for_each(|health| health["times_max"] = 2.into());
        job.settings = settings.to_string();
    }
    jobs
}

/// The deaths of hosts are panics, which would fill the screen.
fn quietly<T>(play: impl FnOnce() -> T) -> T {
    std::panic::set_hook(Box::new(|info| {
        if !info.to_string().contains("the host died") {
            eprintln!("{info}");
        }
    }));
    play()
}

#[test]
fn every_call_fails_each_way_once() {
    quietly(|| {
        let mut cases = 0;
        for (name, job) in jobs() {
            for (fails, is_ill) in [(false, false), (true, false), (false, true)] {
                let ready = || Products { fails, is_ill, ..Products::new() };
                // Only who asks about health learns that it is ill.
                if is_ill && !["argo-cd", "two steps"].contains(&name) {
                    continue;
                }
                let tally = play(&job, &ready, [execute, verify])
                    .unwrap_or_else(|why| panic!("{name}: {why}"));
                cases += tally.cases;
                println!(
                    "{name} fails={fails} ill={is_ill}: {} cases, executions told {:?}",
                    tally.cases, tally.told
                );
            }
        }
        println!("{cases} cases");
        assert!(cases > 1_000, "{cases}");
    });
}

#[test]
fn a_runner_that_tries_again_is_caught() {
    fn again(host: &FakeHost<'_, Products>, job: &Job, plan: &ChangePlan) -> Outcome {
        match Deploy::execute(host, job, plan) {
            Outcome::Unknown(_) => {
                let mut anew = job.clone();
                anew.id.idempotency_key = "run_again".into();
                Deploy::execute(host, &anew, plan)
            }
            ended => ended,
        }
    }
    quietly(|| {
        for (name, job) in jobs() {
            let why = play(&job, &Products::new, [again, verify]).err().expect(name);
            // Where nothing arrived at first, its second name is one that nobody approved or finds again.
            assert!(why.contains("sent twice") || why.contains("told wrongly"), "{name}: {why}");
        }
    });
}

#[test]
fn a_runner_that_never_says_how_it_ended_is_caught() {
    fn silent(_: &FakeHost<'_, Products>, _: &Job, _: &ChangePlan) -> Outcome {
        Outcome::Unknown(placet_plugin_sdk::failure("deploy.unknown", "who knows"))
    }
    quietly(|| {
        for (name, job) in jobs() {
            for runs in [[silent as Runs, verify], [execute, silent]] {
                let why = play(&job, &Products::new, runs).err().expect(name);
                assert!(why.starts_with("undisturbed"), "{name}: {why}");
            }
        }
    });
}

#[test]
fn a_runner_that_guesses_is_caught() {
    fn hopeful(host: &FakeHost<'_, Products>, job: &Job, plan: &ChangePlan) -> Outcome {
        match Deploy::execute(host, job, plan) {
            Outcome::Unknown(_) => {
                Outcome::Succeeded(placet_plugin_sdk::report("it will be fine", None))
            }
            ended => ended,
        }
    }
    fn gloomy(host: &FakeHost<'_, Products>, job: &Job, plan: &ChangePlan) -> Outcome {
        match Deploy::execute(host, job, plan) {
            Outcome::Unknown(failure) => Outcome::Failed(failure),
            ended => ended,
        }
    }
    quietly(|| {
        for (name, job) in jobs() {
            let why = play(&job, &Products::new, [hopeful, verify]).err();
            assert!(why.is_some_and(|why| why.contains("no success")), "{name}");
            let why = play(&job, &Products::new, [gloomy, verify]).err();
            assert!(why.is_some_and(|why| why.contains("told wrongly")), "{name}");
        }
    });
}
