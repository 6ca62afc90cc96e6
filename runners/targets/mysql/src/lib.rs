#![cfg_attr(docsrs, feature(doc_cfg))]
//! MySQL and MariaDB as targets of the SQL runner.

mod target; // a database by its URL
mod points; // labelled points of a run
mod session; // one session
mod marks; // what stands in the target once something was done
mod keep; // rows that are kept before a statement changes them
mod schema; // how objects are made
mod guard; // what a statement may be
mod failure; // what the server says, in our words
mod wire; // the protocol

pub use points::POINTS;
pub use target::MySqlTarget;
