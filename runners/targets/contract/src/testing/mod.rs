//! What the tests of a driver need: the exam that every driver passes, and drivers that must not pass it.
//!
//! A driver says in [`Examined`] how its dialect writes things. [`examine`] then asks for each promise of the trait's
//! documentation by name, and [`random_dml`] puts back what random scripts changed.

mod examined; // what a driver tells of itself
mod chance; // numbers that a seed repeats
mod exam; // one examination: fresh tables, fresh attempts
mod promises; // the promises of the trait, by name
mod dml; // random scripts, put back
mod broken; // drivers that must not pass

pub use broken::{Broken, Fault};
pub use chance::Chance;
pub use dml::{DmlReport, random_dml};
pub use examined::{Alone, Examined, Words};
pub use promises::{broken_promises, examine};
