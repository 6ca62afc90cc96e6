//! A whole product in one thread: nodes, a disk, a target, people and every fault, from one seed.
//!
//! `PLACET_SEEDS=20000` says how many seeds are tried, `PLACET_SEED=7` tries that one alone.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::tests_outside_test_module,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::excessive_nesting,
    clippy::needless_pass_by_value,
    reason = "this whole file is a test"
)]

mod dice; // chance, from one seed
mod disk; // the store, and how it fails
mod target; // the database that is changed
mod runner; // the plugin, and how it fails
mod base; // who sits where
mod sim; // the nodes, and what people were told
mod people; // what happens, step by step
mod checks; // what must hold

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sim::{Sim, Variant};

/// How many steps one seed takes, those inside runs aside.
const STEPS: u32 = 140;

/// What is counted beside the faults: how often a runner was entered.
const RUNS: &str = "runs";

/// How many seeds are tried where nobody says otherwise: the long run is `.ci/test`'s, in a release build.
const SEEDS: u64 = 100;

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs one seed. Returns the faults by kind, or what was violated and how it came to it.
fn run(seed: u64, variant: Variant) -> Result<BTreeMap<&'static str, u64>, String> {
    let sim = Sim::new(seed, variant);
    for _ in 0..STEPS {
        sim.step();
        if !sim.told().violations.is_empty() {
            break;
        }
    }
    if sim.told().violations.is_empty() {
        sim.settle();
    }
    let told = sim.told();
    if let Some(first) = told.violations.first() {
        return Err(format!("{first}\n{}", told.steps.join("\n")));
    }
    let mut counted = sim.machine.counted();
    counted.insert(RUNS, told.entered.len() as u64);
    Ok(counted)
}

#[test]
fn no_promise_breaks_whatever_fails() {
    let one = environment("PLACET_SEED");
    let (first, seeds) =
        one.map_or_else(|| (0, environment("PLACET_SEEDS").unwrap_or(SEEDS)), |seed| (seed, 1));
    let next = AtomicU64::new(first);
    let faults: Mutex<BTreeMap<&'static str, u64>> = Mutex::default();
    let failed: Mutex<Option<(u64, String)>> = Mutex::default();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while failed.lock().unwrap().is_none() {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + seeds {
                        return;
                    }
                    match run(seed, Variant::Sound) {
                        Ok(counted) => {
                            let mut faults = faults.lock().unwrap();
                            for (kind, count) in counted {
                                *faults.entry(kind).or_default() += count;
                            }
                        }
                        Err(story) => *failed.lock().unwrap() = Some((seed, story)),
                    }
                }
            });
        }
    });
    let failure = failed.lock().unwrap().take();
    if let Some((seed, story)) = failure {
        panic!(
            "SEED={seed}\n{story}\nagain: PLACET_SEED={seed} cargo test -p placet-core --all-features --test simulator"
        );
    }
    let mut faults = faults.lock().unwrap();
    let runs = faults.remove(RUNS).unwrap_or_default();
    let all: u64 = faults.values().sum();
    eprintln!("{seeds} seeds, {runs} runs, {all} faults: {faults:?}");
    assert!(runs >= seeds || one.is_some(), "{runs} runs in {seeds} seeds are too few");
    assert!(all >= seeds * 20 || one.is_some(), "{all} faults in {seeds} seeds are too few");
}

/// The checks are checked: with a part of the product taken out, some seed shows it soon.
#[test]
fn each_broken_variant_is_caught() {
    for (variant, promise) in [
        (Variant::NoLeaseCheck, "P3"),
        (Variant::MarkerOutside, "P3"),
        (Variant::SyncSkipped, "P1"),
    ] {
        let caught = (0..2_000).find_map(|seed| Some((seed, run(seed, variant).err()?)));
        let (seed, story) = caught.unwrap_or_else(|| panic!("{variant:?} was not caught"));
        let first = story.lines().next().unwrap();
        assert!(first.starts_with(promise), "{variant:?} at {seed}: {first}");
        eprintln!("{variant:?} is caught at seed {seed}: {first}");
    }
}

#[test]
fn a_seed_makes_the_same_run_every_time() {
    let steps = |seed| {
        let sim = Sim::new(seed, Variant::Sound);
        for _ in 0..STEPS {
            sim.step();
        }
        let told = sim.told();
        told.steps.clone()
    };
    for seed in 0..5 {
        assert_eq!(steps(seed), steps(seed));
    }
}
