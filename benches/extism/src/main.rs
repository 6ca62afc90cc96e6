//! The same plugin in Extism. Asked on standard input, line by line, by the bench `plugin`; answers a line for each.
//!
//! `plan PAYLOAD`: how many steps it has. `bare N` and `timed N`: the nanoseconds of each of N cold calls, without and
//! with a limit of time. `host N`: those of N calls to the host in one run. `live N`: the kilobytes that N plugins keep.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::time::{Duration, Instant};

use extism::{CompiledPlugin, Manifest, PTR, Plugin, PluginBuilder, UserData, Wasm, host_fn};

const PAYLOAD: &str = r#"{"orders": [3, 5, 8]}"#;

static GUEST: &[u8] = include_bytes!("../guest.wasm");

/// What a plugin may open, and when it did.
#[derive(Debug, Default)]
struct Granted {
    names: BTreeSet<String>,
    stamps: Vec<Instant>,
}

host_fn!(open(granted: Granted; name: String) -> String {
    let granted = granted.get()?;
    let mut granted = granted.lock().map_err(|_| extism::Error::msg("poisoned"))?;
    granted.stamps.push(Instant::now());
    if granted.names.contains(&name) { Ok("1".to_owned()) } else { Err(extism::Error::msg("denied")) }
});

/// The plugin, compiled. What it may open is kept in what comes with it.
fn compiled(limit: Option<Duration>) -> Result<(CompiledPlugin, UserData<Granted>), extism::Error> {
    // 256 MiB, as the host of placet gives a plugin.
    let manifest = Manifest::new([Wasm::data(GUEST)]).with_memory_max(4_096);
    let manifest = match limit {
        Some(limit) => manifest.with_timeout(limit),
        None => manifest,
    };
    let names = ["target", "other"].map(str::to_owned).into();
    let granted = UserData::new(Granted { names, stamps: Vec::new() });
    let builder = PluginBuilder::new(manifest).with_cache_disabled().with_function(
        "open",
        [PTR],
        [PTR],
        granted.clone(),
        open,
    );
    Ok((builder.compile()?, granted))
}

fn plan(compiled: &CompiledPlugin, payload: &str) -> Result<String, extism::Error> {
    Plugin::new_from_compiled(compiled)?.call::<&str, String>("plan", payload)
}

/// The nanoseconds of each cold call: a fresh plugin, one call, drop.
fn cold(compiled: &CompiledPlugin, rounds: usize) -> Result<Vec<u128>, extism::Error> {
    let mut took = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let begun = Instant::now();
        black_box(plan(compiled, PAYLOAD)?);
        took.push(begun.elapsed().as_nanos());
    }
    Ok(took)
}

/// The nanoseconds of each call to the host, in one run.
fn host(rounds: usize) -> Result<Vec<u128>, Box<dyn Error>> {
    let (compiled, granted) = compiled(Some(Duration::from_secs(60)))?;
    let asked = rounds.saturating_add(1).to_string();
    let stamps = || -> Result<Vec<Instant>, Box<dyn Error>> {
        let granted = granted.get()?;
        let mut granted = granted.lock().map_err(|_| "poisoned")?;
        Ok(std::mem::replace(&mut granted.stamps, Vec::with_capacity(rounds + 1)))
    };
    // One run before, so that what is made once is there.
    for _ in 0..2 {
        drop(stamps()?);
        let said: String = Plugin::new_from_compiled(&compiled)?.call("call", &asked)?;
        black_box(said);
    }
    let stamps = stamps()?;
    let pairs = stamps.iter().zip(stamps.iter().skip(1));
    Ok(pairs.map(|(from, to)| to.duration_since(*from).as_nanos()).collect())
}

fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The kilobytes that so many plugins keep, each after one call.
fn live(compiled: &CompiledPlugin, count: usize) -> Result<u64, Box<dyn Error>> {
    plan(compiled, PAYLOAD)?;
    let before = resident()?;
    let mut plugins = Vec::with_capacity(count);
    for _ in 0..count {
        let mut plugin = Plugin::new_from_compiled(compiled)?;
        black_box(plugin.call::<&str, String>("plan", PAYLOAD)?);
        plugins.push(plugin);
    }
    let kept = resident()?.saturating_sub(before);
    drop(plugins);
    Ok(kept)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (bare, _) = compiled(None)?;
    let (timed, _) = compiled(Some(Duration::from_secs(5)))?;
    let joined = |took: Vec<u128>| {
        let nanos: Vec<String> = took.iter().map(u128::to_string).collect();
        nanos.join(" ")
    };
    for line in stdin().lock().lines() {
        let line = line?;
        let (what, with) = line.split_once(' ').ok_or("say what, and how often")?;
        let said = match what {
            "plan" => plan(&bare, with)?.matches(r#""id""#).count().to_string(),
            "bare" => joined(cold(&bare, with.parse()?)?),
            "timed" => joined(cold(&timed, with.parse()?)?),
            "host" => joined(host(with.parse()?)?),
            "live" => live(&timed, with.parse()?)?.to_string(),
            other => return Err(format!("there is no `{other}`").into()),
        };
        writeln!(stdout(), "{said}")?;
    }
    Ok(())
}
