//! Reads SQL scripts, and runs none: cuts them into statements, says what each does and how much harm it can
//! do, and finds what an approver should know. What it does not understand is never called harmless.
//!
//! Host and plugin read with the same eyes: this crate links neither, and needs no operating system.
//!
//! ```
//! use placet_sql_review::{Kind, review};
//!
//! let review = review("ALTER TABLE orders ADD paid bool; DELETE FROM orders;", "postgresql");
//! let kinds: Vec<_> = review.steps.iter().map(|step| step.class.kind).collect();
//! assert_eq!(kinds, [Kind::Ddl, Kind::Write]);
//! assert!(review.findings.iter().any(|found| found.code == "sql.exclusive_lock_held"));
//! ```
#![no_std]

extern crate alloc;

mod dialect; // whose SQL it is
mod payload; // what a request asks for
mod settings; // what an environment asks for
mod lexer; // text, cut into tokens
mod blocks; // bodies that hold semicolons
mod split; // a script, cut into statements
mod tokens; // the tokens of one statement
mod depth; // how deep a parser would have to go
mod parse; // one statement, parsed
mod class; // the words for what a statement is
mod classify; // what one statement does
mod touch; // which rows one statement changes
mod finding; // what a reviewer found
mod rules; // what is looked for
mod tune; // findings, tuned by settings and suppressions
mod review; // a whole script

pub use class::{Class, Effect, Kind, Lock, Risk};
pub use classify::{calls_unknown, classify};
pub use depth::is_shallow;
pub use dialect::Dialect;
pub use finding::{Finding, Level};
pub use payload::{Mode, Payload, Revert, Script, Suppression};
pub use review::{Review, Step, review, title};
pub use rules::{RULES, Rule, rows_above_limit};
pub use settings::{Backup, Settings};
pub use split::{Statement, Unended, split};
pub use touch::{Touch, TouchKind, touch};
pub use tune::apply;
