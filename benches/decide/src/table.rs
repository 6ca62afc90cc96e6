//! The figures as Markdown.

use std::fmt::Write as _;

use crate::figures::{self, Engine, Figures};
use crate::measure::Spread;

fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1_000.0 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn engine_row(world: &Figures, engine: &Engine) -> String {
    let limit = world.ratio(engine.name, figures::PACKED);
    let (load, heap) = engine.built.map_or_else(
        || ("".to_owned(), "".to_owned()),
        |(seconds, bytes)| (format!("{seconds:.2} s"), format!("{:.1} MB", bytes as f64 / 1e6)),
    );
    format!(
        "| {} | {} | {} | {limit:.1}x | {:.1} | {load} | {heap} |",
        engine.name,
        grouped(engine.questions),
        time(engine.mean_ns),
        engine.allocations,
    )
}

fn world(figures: &Figures, out: &mut String) -> std::fmt::Result {
    let size = figures.size;
    let (users, projects) = (grouped(size.users as usize), grouped(size.projects as usize));
    writeln!(out, "### {}: {users} users, {projects} projects\n", size.name)?;
    let rows = grouped(figures.rows);
    writeln!(
        out,
        "{rows} memberships and grants; {:.1} % of the answers are a yes.\n",
        figures.yes_percent
    )?;
    writeln!(
        out,
        "| decider | questions a round | CPU time, mean | to the limit | allocations | load, CPU | heap |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for engine in &figures.engines {
        writeln!(out, "{}", engine_row(figures, engine))?;
    }
    let said = figures.heap_by_itself as f64 / 1e6;
    writeln!(out, "\n`Index::heap_bytes` says {said:.1} MB.")?;
    writeln!(
        out,
        "\n| the index, single calls on the wall | mean | p50 | p99 |\n|---|---|---|---|"
    )?;
    for (name, Spread { mean, p50, p99, .. }) in &figures.spreads {
        writeln!(out, "| {name} | {} | {} | {} |", time(*mean), time(*p50), time(*p99))?;
    }
    writeln!(out)
}

/// What was aimed at, for the largest world that was run.
fn targets(of: &Figures, out: &mut String) -> std::fmt::Result {
    writeln!(out, "### Targets, for the world `{}`\n", of.size.name)?;
    writeln!(out, "| what | target | reached | |\n|---|---|---|---|")?;
    let mut line = |what: &str, target: &str, reached: String, is_met: bool| {
        writeln!(
            out,
            "| {what} | {target} | {reached} | {} |",
            if is_met { "met" } else { "missed" }
        )
    };
    let mean = |name| of.engine(name).map_or(f64::NAN, |engine| engine.mean_ns);
    let ratio = of.ratio(figures::HANDLES, figures::PACKED);
    line(
        "`can_at` with handles, to the limit",
        "at most 2x",
        format!("{ratio:.1}x"),
        ratio <= 2.0,
    )?;
    let text = mean(figures::TEXTS);
    line("`can`, ids as text", "at most 1 µs", time(text), text <= 1e3)?;
    let allocations = [figures::HANDLES, figures::IDS]
        .iter()
        .filter_map(|name| of.engine(name))
        .fold(0.0_f64, |most, engine| most.max(engine.allocations));
    line(
        "allocations of `can_at` and `can`",
        "0",
        format!("{allocations:.1}"),
        allocations == 0.0,
    )?;
    if let Some((seconds, bytes)) = of.engine(figures::HANDLES).and_then(|engine| engine.built) {
        let megabytes = bytes as f64 / 1e6;
        line("heap", "at most 250 MB", format!("{megabytes:.0} MB"), megabytes <= 250.0)?;
        line("load", "at most 2 CPU seconds", format!("{seconds:.2} s"), seconds <= 2.0)?;
    }
    for peer in [figures::CEDAR, figures::CASBIN, figures::REGORUS] {
        if of.engine(peer).is_some() {
            let ratio = of.ratio(peer, figures::HANDLES);
            let what = format!("{peer}, to `can_at` with handles");
            line(&what, "at least 40x", format!("{ratio:.0}x"), ratio >= 40.0)?;
        }
    }
    for (raw, what) in [
        (figures::CEDAR, "`authorize`, to raw Cedar with the slice made before"),
        (figures::CEDAR_WHOLE, "`authorize`, to raw Cedar that makes the slice"),
    ] {
        if of.engine(raw).is_some() {
            let ratio = of.ratio(figures::DECIDE, raw);
            line(what, "at most 1.3x", format!("{ratio:.2}x"), ratio <= 1.3)?;
        }
    }
    let why = of.spread(figures::EXPLAIN);
    line("explanation, CPU time, mean", "at most 1 µs", time(why.cpu), why.cpu <= 1e3)?;
    let who = of.spread(figures::WHO);
    line("who can, p99", "at most 50 µs", time(who.p99), who.p99 <= 50e3)?;
    let places = of.spread(figures::WHERE);
    line("where can they, p99", "at most 2 µs", time(places.p99), places.p99 <= 2e3)?;
    let change = of.spread(figures::CHANGE);
    line(
        "a membership changes and is seen, p99",
        "at most 1 ms",
        time(change.p99),
        change.p99 <= 1e6,
    )?;
    writeln!(out)
}

/// All of it.
pub(crate) fn markdown(all: &[Figures], about: &str) -> String {
    let mut out = format!("{about}\n\n");
    let mut write = || {
        if let Some(largest) = all.last() {
            targets(largest, &mut out)?;
        }
        all.iter().rev().try_for_each(|figures| world(figures, &mut out))
    };
    write().expect("a text takes all that is written to it");
    out
}
