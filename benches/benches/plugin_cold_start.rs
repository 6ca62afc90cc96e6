//! What it costs to enter a plugin: compiling it once, then a fresh store, instance, first call and drop
//! for every call. `cargo bench -p placet-benches --bench plugin_cold_start`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time and tells what it measured"
)]

use std::error::Error;
use std::time::Instant;

use placet::org::Slug;
use placet::runner::Runner as _;
use placet::runners::{Grant, WasmRunner, shipped};
use placet_benches::{Spread, print_table};

const CALLS: usize = 10_000;
const COMPILES: usize = 10;

fn runner() -> Result<WasmRunner, Box<dyn Error>> {
    let sql = shipped::sql();
    let grant = Grant::none().with("sql");
    let builder = WasmRunner::builder();
    Ok(builder.plugin("sql".parse()?, sql.component, sql.manifest, grant).build()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut compiles = Vec::new();
    for _ in 0..COMPILES {
        let fresh = runner()?;
        let begun = Instant::now();
        fresh.warm_up()?;
        compiles.push(begun.elapsed());
    }
    let name: Slug = "sql".parse()?;
    let runner = runner()?;
    runner.warm_up()?;
    // The smallest call there is: a payload that is refused at its first byte.
    let mut calls = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let begun = Instant::now();
        let findings = runner.validate(&name, "0")?;
        calls.push(begun.elapsed());
        drop(findings);
    }
    let mut reviews = Vec::with_capacity(CALLS);
    let payload = r#"{"sql":"UPDATE orders SET cents = 1 WHERE id = 2"}"#;
    for _ in 0..CALLS {
        let begun = Instant::now();
        let findings = runner.validate(&name, payload)?;
        reviews.push(begun.elapsed());
        drop(findings);
    }
    println!("\nentering the SQL plugin, {CALLS} calls on one thread\n");
    let row = |what: &str, samples| {
        let spread = Spread::of(samples);
        let show = |duration| format!("{duration:.1?}");
        vec![what.to_owned(), show(spread.min), show(spread.p50), show(spread.p95)]
    };
    print_table(
        &["step", "min", "p50", "p95"],
        &[
            row("compile, once for a process", compiles),
            row("fresh store, instance, first call, drop", calls),
            row("the same, reviewing one statement", reviews),
        ],
    );
    Ok(())
}
