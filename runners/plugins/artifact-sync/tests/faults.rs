//! Every call fails each way once. Whatever happens: nothing is written twice, and no outcome says more than the truth.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use placet_artifact_sync::ArtifactSync;
use placet_plugin_sdk::testing::{FakeHost, Fault, World};
use placet_plugin_sdk::{ChangePlan, Job, Outcome, report};

use crate::jira::{Jira, artifact, executed, executing, job, planned};

type Reality = RefCell<World<Jira>>;
type Runs = fn(&FakeHost<'_, Jira>, &Job, &ChangePlan) -> Outcome;

fn execute(host: &FakeHost<'_, Jira>, job: &Job, plan: &ChangePlan) -> Outcome {
    ArtifactSync::execute(host, job, plan)
}

fn verify(host: &FakeHost<'_, Jira>, job: &Job, plan: &ChangePlan) -> Outcome {
    ArtifactSync::verify(host, job, plan)
}

/// One artifact is there in its first version; its second is to be published, beside two new artifacts.
fn ready() -> (Reality, Job, ChangePlan) {
    let world = World::of(Jira::default());
    let mut first = job(&[artifact(1, 1)]);
    first.id.idempotency_key = "run_0".into();
    executed(&world, &first, &planned(&world, &first));
    let job = job(&[artifact(2, 1), artifact(1, 2), artifact(3, 1)]);
    let plan = planned(&world, &job);
    assert_eq!(plan.steps.len(), 3);
    (world, job, plan)
}

fn is_there(world: &World<Jira>, step: &str) -> bool {
    let wanted = [
        ("a1", "shop/USER_STORY/2", 1),
        ("a2", "shop/USER_STORY/1", 2),
        ("a3", "shop/USER_STORY/3", 1),
    ];
    let (_, id, version) = wanted.into_iter().find(|(name, ..)| *name == step).unwrap();
    let is_it =
        |property: &serde_json::Value| property["id"] == id && property["version"] == version;
    world.server.issues.iter().any(|issue| is_it(issue.property()))
}

fn judge(outcome: &Outcome, world: &Reality) -> Result<&'static str, String> {
    let world = world.borrow();
    let mut names: Vec<_> =
        world.server.issues.iter().map(|issue| issue.property()["id"].to_string()).collect();
    names.sort();
    names.dedup();
    if names.len() < world.server.issues.len() {
        return Err("an artifact has two issues".into());
    }
    if world.server.issues.iter().any(|issue| issue.writes > 2) {
        return Err("an issue was written twice".into());
    }
    if world.forbidden > 0 {
        return Err("it wrote while it may only read".into());
    }
    for step in ["a1", "a2", "a3"] {
        let told = match outcome {
            Outcome::Succeeded(_) => true,
            Outcome::Failed(failure) => failure.applied.iter().any(|id| id == step),
            // Nothing is said of what it does not list.
            Outcome::Unknown(failure) if failure.applied.iter().any(|id| id == step) => true,
            Outcome::Unknown(_) => continue,
        };
        if told != is_there(&world, step) {
            return Err(format!("`{step}` is told wrongly: {outcome:?}"));
        }
    }
    Ok(match outcome {
        Outcome::Succeeded(_) => "succeeded",
        Outcome::Failed(_) => "failed",
        Outcome::Unknown(_) => "unknown",
    })
}

fn survived(
    runs: Runs,
    host: &FakeHost<'_, Jira>,
    job: &Job,
    plan: &ChangePlan,
) -> Option<Outcome> {
    catch_unwind(AssertUnwindSafe(|| runs(host, job, plan))).ok()
}

fn play(runs: Runs) -> Result<usize, String> {
    std::panic::set_hook(Box::new(|info| {
        if !info.to_string().contains("the host died") {
            eprintln!("{info}");
        }
    }));
    let (world, job, plan) = ready();
    let host = executing(&world, &job, &plan);
    let told = runs(&host, &job, &plan);
    if judge(&told, &world)? != "succeeded" || host.left() > 0 {
        return Err(format!("undisturbed it says {told:?}"));
    }
    let found = verify(&FakeHost::reading(&world), &job, &plan);
    if judge(&found, &world)? != "succeeded" {
        return Err(format!("verified undisturbed it says {found:?}"));
    }
    check_verify(&world, &job, &plan, "undisturbed")?;
    let mut cases = 0;
    for call in 0..host.made() {
        for fault in Fault::ALL {
            let (world, job, plan) = ready();
            let case = format!("{fault:?} at call {call}");
            let host = executing(&world, &job, &plan).failing(call, *fault);
            if let Some(outcome) = survived(runs, &host, &job, &plan) {
                judge(&outcome, &world).map_err(|why| format!("{case}: {why}"))?;
                if matches!(outcome, Outcome::Succeeded(_)) && host.left() > 0 {
                    return Err(format!("{case}: a success without every step"));
                }
            }
            cases += 1 + check_verify(&world, &job, &plan, &case)?;
        }
    }
    Ok(cases)
}

fn check_verify(
    after: &Reality,
    job: &Job,
    plan: &ChangePlan,
    case: &str,
) -> Result<usize, String> {
    let copy = |searchable: Option<usize>| {
        let world = World::of(Jira { searchable, ..after.borrow().server.clone() });
        world.borrow_mut().notes.clone_from(&after.borrow().notes);
        world.borrow_mut().seconds = 24 * 3_600;
        world
    };
    let mut cases = 0;
    // With a search that is up to date, and with one that knows the first issue only.
    for searchable in [None, Some(1)] {
        let world = copy(searchable);
        let host = FakeHost::reading(&world);
        let outcome = verify(&host, job, plan);
        judge(&outcome, &world).map_err(|why| format!("{case}, then verified: {why}"))?;
        for call in 0..host.made() {
            for fault in Fault::ALL {
                let world = copy(searchable);
                let host = FakeHost::reading(&world).failing(call, *fault);
                if let Some(outcome) = survived(verify, &host, job, plan) {
                    let told = judge(&outcome, &world);
                    told.map_err(|why| {
                        format!("{case}, verified with {fault:?} at {call}: {why}")
                    })?;
                }
                cases += 1;
            }
        }
    }
    Ok(cases)
}

#[test]
fn every_call_fails_each_way_once() {
    let cases = play(execute).unwrap_or_else(|why| panic!("{why}"));
    println!("{cases} cases");
    assert!(cases > 500, "{cases}");
}

#[test]
fn a_runner_that_guesses_is_caught() {
    fn hopeful(host: &FakeHost<'_, Jira>, job: &Job, plan: &ChangePlan) -> Outcome {
        match ArtifactSync::execute(host, job, plan) {
            Outcome::Unknown(_) => Outcome::Succeeded(report("it will be fine", None)),
            ended => ended,
        }
    }
    fn gloomy(host: &FakeHost<'_, Jira>, job: &Job, plan: &ChangePlan) -> Outcome {
        match ArtifactSync::execute(host, job, plan) {
            Outcome::Unknown(failure) => Outcome::Failed(failure),
            ended => ended,
        }
    }
    for broken in [hopeful as Runs, gloomy] {
        assert!(play(broken).is_err_and(|why| why.contains("told wrongly")));
    }
}

#[test]
fn each_fault_while_planning_changes_nothing() {
    let (world, job, _) = ready();
    let host = FakeHost::reading(&world);
    ArtifactSync::plan(&host, &job).unwrap();
    for call in 0..host.made() {
        for fault in
            Fault::ALL.iter().filter(|fault| !matches!(fault, Fault::KillBefore | Fault::KillAfter))
        {
            let (world, job, _) = ready();
            let host = FakeHost::reading(&world).failing(call, *fault);
            // Where what is there cannot be read, nothing is planned.
            let planned = ArtifactSync::plan(&host, &job);
            let says_enough = planned.as_ref().is_ok_and(|plan| plan.steps.len() == 3);
            assert!(planned.is_err() || says_enough, "{fault:?} at {call}: {planned:?}");
            assert_eq!((world.borrow().server.issues.len(), world.borrow().forbidden), (1, 0));
        }
    }
}

#[test]
fn a_runner_that_tries_again_is_caught() {
    let (world, mut job, plan) = ready();
    world.borrow_mut().server.searchable = Some(1);
    let host = FakeHost::writing(&world).failing(1, Fault::LostAfter);
    let outcome = ArtifactSync::execute(&host, &job, &plan);
    assert_eq!(judge(&outcome, &world), Ok("unknown"));
    // As another run, which does not know what the first one sent; the search does not know it yet either.
    job.id.idempotency_key = "run_again".into();
    let outcome = executed(&world, &job, &plan);
    assert!(judge(&outcome, &world).is_err_and(|why| why.contains("two issues")));
}
