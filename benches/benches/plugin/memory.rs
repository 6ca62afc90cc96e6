//! What is kept while a plugin is in the middle of a call.

use std::error::Error;
use std::fs;
use std::thread;

use placet::runner::Runner as _;
use placet_benches::{Link, print_table};

use crate::ground::{Ground, PAYLOAD, job};
use crate::peers::{Extism, Stayed};

/// How many live at one moment.
const LIVE: usize = 64;
const PROCESSES: usize = 16;

const MEETING: &str = r#"{"orders": [3, 5, 8], "call": "open", "times": 1}"#;

/// The kilobytes that the line of `file` called `name` tells.
fn kilobytes(file: &str, name: &str) -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[expect(clippy::print_stdout, reason = "a bench tells what it measured")]
pub(crate) fn kept(extism: &mut Option<Extism>) -> Result<(), Box<dyn Error>> {
    if !cfg!(target_os = "linux") {
        println!("\nWITHOUT MEMORY: only Linux tells what a process has");
        return Ok(());
    }
    let each = |kilobytes: u64, of: usize| {
        let of = u64::try_from(of).unwrap_or(u64::MAX);
        format!("{} kB", kilobytes.checked_div(of).unwrap_or(0))
    };
    let mut rows =
        vec![vec![format!("placet: {LIVE} at once, each with its thread"), each(ours()?, LIVE)]];
    if let Some(extism) = extism {
        let held = extism.number("live", LIVE)?;
        rows.push(vec![format!("Extism: {LIVE} at once, on one thread"), each(held, LIVE)]);
    }
    let processes =
        (0..PROCESSES).map(|_| Stayed::start(PAYLOAD)).collect::<Result<Vec<_>, _>>()?;
    let mut own = 0_u64;
    for process in &processes {
        let file = format!("/proc/{}/smaps_rollup", process.child.id());
        for name in ["Private_Dirty:", "Private_Clean:"] {
            own = own.saturating_add(kilobytes(&file, name)?);
        }
    }
    rows.push(vec![
        format!("a process of its own: what {PROCESSES} share with nobody"),
        each(own, PROCESSES),
    ]);
    println!("\nresident memory of one that lives\n");
    print_table(&["one", "memory"], &rows);
    Ok(())
}

/// What many calls keep that are in their sandboxes at one moment.
fn ours() -> Result<u64, Box<dyn Error>> {
    let ground = Ground::new()?;
    let job = job(MEETING)?;
    // What is made once is there.
    ground.runner.plan(&job, &Link::default())?;
    ground.target.shut();
    let resident = || kilobytes("/proc/self/status", "VmRSS:").map_err(|why| why.to_string());
    let before = resident()?;
    let during = thread::scope(|scope| {
        for _ in 0..LIVE {
            // What it plans is looked at elsewhere.
            scope.spawn(|| drop(ground.runner.plan(&job, &Link::default())));
        }
        ground.target.let_in(LIVE, || {
            assert_eq!(ground.runner.sandboxes(), LIVE, "not all of them live");
            resident()
        })
    })?;
    Ok(during.saturating_sub(before))
}
