//! What the sandbox costs: to enter a plugin, to call the host from it, to keep it alive, and how late it ends. Beside a
//! process of its own and beside Extism, in one run and with the same guest.
//! `cargo bench -p placet-benches --bench plugin`
#![expect(clippy::print_stdout, reason = "a bench tells what it measured")]

extern crate alloc;

mod ground; // a host with the measured plugin, and a target that takes the time
mod peers; // the same plugin as a process, and in Extism
mod memory; // what is kept while it runs
mod overrun; // how late it ends
#[expect(redundant_imports, reason = "the plugin has no standard library")]
#[path = "../../../runners/plugins/tests-paced/src/closing.rs"]
mod closing; // what the measured plugin does

use core::time::Duration;
use std::borrow::Cow;
use std::error::Error;

use placet::runner::Runner as _;
use placet::runners::conformance::{Candidate, SqlWorld, pace};
use placet::runners::{CompiledKey, shipped};
use placet_benches::{Link, Spread, print_table, sampled};

use ground::{Ground, PACED, PAYLOAD, job, manifest, sql_only};
use peers::{Extism, by_process};

/// How often each is entered, in turns: so each has its share of whatever else the machine does.
const TURNS: usize = 20;
const CALLS_A_TURN: usize = 500;
const PROCESSES_A_TURN: usize = 10;

/// How many calls to the host one run makes, and how many at either end are compared.
const HOST_CALLS: usize = 20_000;
const HOST_CALLS_COMPARED: usize = 1_000;

const COMPILES: usize = 10;
const LOADS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    if peers::is_child()? {
        return Ok(());
    }
    let mut extism = Extism::start()?;
    made()?;
    entered(&mut extism)?;
    called(&mut extism)?;
    memory::kept(&mut extism)?;
    overrun::ended()?;
    Ok(())
}

fn shown(duration: Duration) -> String {
    format!("{duration:.2?}")
}

fn row(what: &str, samples: Vec<Duration>) -> Vec<String> {
    let spread = Spread::of(samples);
    vec![what.to_owned(), shown(spread.min), shown(spread.p50), shown(spread.p95)]
}

fn median(samples: &[Duration]) -> Duration {
    Spread::of(samples.to_vec()).p50
}

fn ratio(more: Duration, less: Duration) -> String {
    format!("{:.1}x", more.as_secs_f64() / less.as_secs_f64())
}

/// Compiling, and loading what was compiled. Before any other host is there: they share what is compiled.
fn made() -> Result<(), Box<dyn Error>> {
    let sql = shipped::sql();
    let mut rows = Vec::new();
    for (what, component, manifest) in [
        ("the measured plugin", Cow::Borrowed(PACED), manifest("paced")),
        ("the SQL plugin", sql.component, sql.manifest),
    ] {
        let kilobytes = component.len() / 1_000;
        let fresh = || sql_only(component.clone(), manifest.clone());
        let mut compiles = Vec::new();
        for _ in 0..COMPILES {
            let runner = fresh()?.build()?;
            compiles.extend(sampled(1, || runner.warm_up())?);
        }
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("compiled");
        let key = || CompiledKey::from_bytes([7; 32]);
        fresh()?.compiled_in(&path, key()).build()?.warm_up()?;
        let mut loads = Vec::new();
        for _ in 0..LOADS {
            let runner = fresh()?.compiled_in(&path, key()).build()?;
            loads.extend(sampled(1, || runner.warm_up())?);
            assert_eq!(runner.compilations().loaded, 1, "it was not loaded");
        }
        rows.push(row(&format!("{what} ({kilobytes} kB): compile"), compiles));
        rows.push(row(&format!("{what}: load what was compiled, its mark checked"), loads));
    }
    println!("\nto have a plugin ready, once for a process\n");
    print_table(&["step", "min", "p50", "p95"], &rows);
    Ok(())
}

/// A fresh sandbox for one call.
fn entered(extism: &mut Option<Extism>) -> Result<(), Box<dyn Error>> {
    let ground = Ground::new()?;
    let (link, job) = (Link::default(), job(PAYLOAD)?);
    let expected = closing::plan(PAYLOAD).map_or(0, |steps| steps.len());
    assert_eq!(ground.runner.validate(&ground.name, PAYLOAD)?.len(), expected, "other steps");
    let [mut cold, mut whole, mut processes] = [const { Vec::new() }; 3];
    let [mut bare, mut timed] = [const { Vec::new() }; 2];
    for _ in 0..TURNS {
        cold.extend(sampled(CALLS_A_TURN, || ground.runner.validate(&ground.name, PAYLOAD))?);
        whole.extend(sampled(CALLS_A_TURN, || ground.runner.plan(&job, &link))?);
        if let Some(extism) = extism {
            bare.extend(extism.ask("bare", CALLS_A_TURN)?);
            timed.extend(extism.ask("timed", CALLS_A_TURN)?);
        }
        processes.extend(sampled(PROCESSES_A_TURN, || by_process(PAYLOAD))?);
    }
    let candidate = Candidate::new(PACED, manifest("paced"))?;
    let paced = pace(&candidate, PAYLOAD, CALLS_A_TURN * TURNS, &SqlWorld::new("sqlite"))?;
    let empty = paced.parts.iter().find(|part| part.what == "instantiate");
    println!("\none call into a fresh sandbox: {expected} steps planned, in turns on one thread\n");
    let ours = median(&cold);
    let mut rows = Vec::new();
    if let Some(empty) = empty {
        let [p50, p95] = [empty.p50_ns, empty.p95_ns].map(Duration::from_nanos);
        let what = "placet: fresh store, instance, drop".to_owned();
        rows.push(vec![what, String::new(), shown(p50), shown(p95), ratio(p50, ours)]);
    }
    let mut add = |what: &str, samples: Vec<Duration>| {
        let mut line = row(what, samples.clone());
        line.push(ratio(median(&samples), ours));
        rows.push(line);
    };
    add("placet: fresh store, instance, first call, drop", cold);
    add("placet: a whole plan, on a thread of its own, with what the host adds", whole);
    if extism.is_some() {
        add("Extism: from its compiled form, call, drop; no limit of time", bare.clone());
        add("Extism: the same, with a limit of time", timed);
    }
    add("a process of its own: start, payload in, plan out, end", processes);
    print_table(&["one call", "min", "p50", "p95", "to placet"], &rows);
    println!("\ntarget: at most 80 µs; reached: {}", shown(ours));
    if extism.is_some() {
        let ahead = ratio(median(&bare), ours);
        println!("target: at least 2x ahead of Extism's; reached: {ahead}");
    }
    Ok(())
}

/// From the plugin to the host and back.
fn called(extism: &mut Option<Extism>) -> Result<(), Box<dyn Error>> {
    let ground = Ground::new()?;
    let mut rows = Vec::new();
    for (call, what) in [
        ("open", "placet: `open` by name, and its handle dropped"),
        ("dialect", "placet: `dialect` of an open connection"),
        ("query", "placet: `query` without an answer, and its handle dropped"),
    ] {
        rows.push(calls(what, &ground.host_calls(call, HOST_CALLS)?));
    }
    if let Some(extism) = extism {
        let took = extism.ask("host", HOST_CALLS)?;
        rows.push(calls("Extism: a function with a name, looked up among those granted", &took));
    }
    println!("\n{HOST_CALLS} calls to the host in one run, taking the time of each included\n");
    let compared = HOST_CALLS_COMPARED;
    let heads = [
        "one call".to_owned(),
        "p50".to_owned(),
        "p95".to_owned(),
        format!("p50 of the first {compared}"),
        format!("of the last {compared}"),
        "last to first".to_owned(),
    ];
    print_table(&heads.each_ref().map(String::as_str), &rows);
    println!("\ntarget: at most 1 µs, and the same at the end as at the beginning");
    Ok(())
}

fn calls(what: &str, took: &[Duration]) -> Vec<String> {
    let all = Spread::of(took.to_vec());
    let first = median(took.get(..HOST_CALLS_COMPARED).unwrap_or(took));
    let end = took.len().saturating_sub(HOST_CALLS_COMPARED);
    let last = median(took.get(end..).unwrap_or(took));
    let spread = [all.p50, all.p95, first, last].map(shown);
    let mut line = vec![what.to_owned()];
    line.extend(spread);
    line.push(ratio(last, first));
    line
}
