//! What the benches share: a stopwatch, spreads, and parts that measure themselves.

mod stopwatch;
mod timed;

pub use stopwatch::{Spread, Stopwatch, print_table};
pub use timed::{TimedAuthorizer, TimedRunner, TimedStore, TimedTarget};
