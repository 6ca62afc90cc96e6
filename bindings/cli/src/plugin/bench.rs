//! How long does it take?

use std::path::PathBuf;

use clap::Args;
use placet::error::Error;
use placet::runners::conformance::{SqlWorld, pace};
use serde_json::json;

use super::Component;
use crate::console::{Answer, json_of};
use crate::files;
use crate::ground::Ground;
use crate::text::Text;

/// Measure a plugin: until it is ready, and what each call takes in a fresh sandbox, with the planning against a
/// database in memory. What it says depends on this machine and on what else runs on it.
#[derive(Args, Debug)]
pub(crate) struct Bench {
    #[command(flatten)]
    component: Component,
    /// A file with a payload as JSON; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    payload: PathBuf,
    /// How often each call is made.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rounds: u32,
}

impl Bench {
    pub(crate) fn run(self, _ground: &Ground) -> Result<Answer, Error> {
        let payload = files::text(&self.payload)?;
        let candidate = self.component.candidate()?;
        let rounds = usize::try_from(self.rounds).unwrap_or(usize::MAX);
        let pace = pace(&candidate, &payload, rounds, &SqlWorld::new("sqlite"))?;
        let mut text = Text::default();
        text.field("component", format_args!("{} bytes", pace.component_bytes));
        text.field("ready after", format_args!("{} (read, compiled, linked)", told(pace.ready_ns)));
        let rows: Vec<Vec<String>> = pace
            .parts
            .iter()
            .map(|part| {
                let (p50, p95, max) = (told(part.p50_ns), told(part.p95_ns), told(part.max_ns));
                vec![part.what.to_owned(), part.rounds.to_string(), p50, p95, max]
            })
            .collect();
        text.table(&["call", "rounds", "p50", "p95", "longest"], &rows);
        Ok(Answer::ok(text, json!({"pace": json_of(&pace)?})))
    }
}

/// Nanoseconds as a person reads them.
fn told(ns: u64) -> String {
    let (unit, of) = match ns {
        0..1_000_000 => ("µs", 1_000_u64),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let tenths = ns.saturating_mul(10).checked_div(of).unwrap_or_default();
    let whole = tenths.checked_div(10).unwrap_or_default();
    let rest = tenths.checked_rem(10).unwrap_or_default();
    format!("{whole}.{rest} {unit}")
}
