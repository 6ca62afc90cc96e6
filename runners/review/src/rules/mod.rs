//! What is looked for.

mod registry; // the rules, as data
mod rows; // how many rows

pub use registry::{RULES, Rule};
pub use rows::rows_above_limit;
