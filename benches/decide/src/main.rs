//! The time and the memory of a decision, beside the physical limit and beside other engines.
//!
//! `cargo run --release --manifest-path benches/decide/Cargo.toml -- small middle large --write` runs three
//! worlds, prints the table, and writes it into `README.md` with the picture beside it. `--questions 100000` asks so
//! many in a round, `--slow 20000` so many of the other engines, `--alone` leaves those out, `--seed 7` makes other worlds.

mod chance; // repeatable numbers and ids
mod world; // organisations made from a seed
mod rows; // the same as rows of the product
mod packed; // the physical limit
mod peers; // other engines
mod measure; // CPU time, time of single calls, memory
mod figures; // what one world told
mod run; // one world, asked in every way
mod table; // the figures as Markdown
mod plot; // and as a picture

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use figures::Figures;
use run::Counts;
use world::{SIZES, Size};

/// The table in `README.md` stands between these.
const MARKS: [&str; 2] = ["<!-- figures -->\n", "<!-- end of figures -->\n"];

fn number(arguments: &[String], name: &str, usual: usize) -> Result<usize, String> {
    let Some(at) = arguments.iter().position(|word| word == name) else { return Ok(usual) };
    let text = arguments.get(at + 1).ok_or_else(|| format!("{name} takes a number"))?;
    text.parse().map_err(|_| format!("`{text}` after {name} is not a number"))
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("unknown").to_owned()
}

fn work() -> Result<(), String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|word| word == name);
    let mut sizes: Vec<Size> = SIZES.into_iter().filter(|size| has(size.name)).collect();
    if sizes.is_empty() {
        sizes.extend(SIZES);
    }
    let counts = Counts {
        fast: number(&arguments, "--questions", 500_000)?,
        slow: number(&arguments, "--slow", 20_000)?,
        with_peers: !has("--alone"),
    };
    let seed = number(&arguments, "--seed", 1)?;
    let before = load();
    let run = |size| run::run(size, u64::try_from(seed).unwrap_or(1), counts);
    let all: Vec<Figures> = sizes.into_iter().map(run).collect::<Result<_, _>>()?;
    let about = format!(
        "Seed {seed}. Load of the machine (runnable tasks, mean of a minute) before: {before}, after: {}. No two \
         deciders gave different answers.",
        load()
    );
    let table = table::markdown(&all, &about);
    println!("{table}");
    if has("--write") { write(&table, &plot::svg(&all)) } else { Ok(()) }
}

fn write(table: &str, picture: &str) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = folder.join("README.md");
    let text = fs::read_to_string(&readme).map_err(|error| error.to_string())?;
    let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| {
        rest.split_once(MARKS[1])
            .map(|(_, after)| format!("{before}{}{table}{}{after}", MARKS[0], MARKS[1]))
    });
    let text = parts.ok_or("README.md has no marks to write between")?;
    fs::write(readme, text).map_err(|error| error.to_string())?;
    fs::write(folder.join("decide.svg"), picture).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
