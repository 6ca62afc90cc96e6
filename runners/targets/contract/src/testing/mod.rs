//! What the tests of a driver need: the exam that every driver passes, and drivers that must not pass it.
//!
//! A driver says in [`Examined`] how it is reached, and in [`Spoken`] how its dialect writes things. [`examine`] then asks for each promise of the trait's
//! documentation by name, and [`random_dml`] puts back what random scripts changed.

mod patience; // what a test waits for, and what it leaves out
mod spoken; // how a database wants things written
mod dialects; // the dialects that come with placet
mod examined; // what a driver tells of itself
mod chance; // numbers that a seed repeats
mod exam; // one examination: fresh tables, fresh attempts
mod promises; // the promises of the trait, by name
mod dml; // random scripts, put back
mod broken; // drivers that must not pass

pub use broken::{Broken, Fault};
pub use chance::Chance;
pub use dialects::{MARIADB, Mariadb, POSTGRESQL, Postgresql, SQLITE, Sqlite};
pub use dml::{DmlReport, DmlRows, DmlScripts, random_dml};
pub use examined::Examined;
pub use patience::{skip, until};
pub use promises::{broken_promises, examine};
pub use spoken::{Alone, Spoken, Words};
