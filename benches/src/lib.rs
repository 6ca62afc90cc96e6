//! What the benches share: a stopwatch, spreads, and parts that measure themselves.

mod link;
mod stopwatch;
mod timed;

pub use link::Link;
pub use stopwatch::{Spread, Stopwatch, print_table, sampled};
pub use timed::{TimedAuthorizer, TimedRunner, TimedStore, TimedTarget};
