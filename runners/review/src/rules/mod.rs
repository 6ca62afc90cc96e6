//! What is looked for.

mod registry; // the rules, as data
mod look; // one statement, as the rules see it
mod rows; // what happens to rows
mod shape; // what happens to tables
mod locks; // who has to wait
mod whole; // the script as a whole
mod outside; // what leaves the transaction or the database
mod hidden; // what does not look as it reads

pub use registry::{RULES, Rule};
pub use rows::rows_above_limit;

pub(crate) use hidden::hidden;
pub(crate) use look::Look;
pub(crate) use whole::Whole;

use alloc::vec::Vec;

use crate::finding::Finding;

/// Everything that is found in one statement.
pub(crate) fn find(look: &Look<'_>, whole: &Whole, found: &mut Vec<Finding>) {
    rows::find(look, found);
    shape::find(look, found);
    locks::find(look, whole, found);
    outside::find(look, found);
}
