//! The time and the memory of a decision: `cargo run --release -- small middle large`.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program that measures reads its environment"
)]

mod chance; // repeatable numbers and ids
mod world; // organisations made from a seed
mod rows; // the same as rows of the product
mod packed; // the physical limit
mod peers; // other engines
mod measure; // CPU time, time of single calls, memory
mod figures; // what one world told
mod run; // one world, asked in every way

use std::env;
use std::process::ExitCode;

use run::Counts;
use world::{SIZES, Size};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let sizes: Vec<Size> =
        SIZES.into_iter().filter(|size| arguments.iter().any(|word| word == size.name)).collect();
    let counts = Counts {
        fast: 500_000,
        slow: 20_000,
        with_peers: !arguments.contains(&"--alone".to_owned()),
    };
    for size in sizes {
        if let Err(error) = run::run(size, 1, counts) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
