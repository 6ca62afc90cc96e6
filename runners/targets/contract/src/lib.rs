#![cfg_attr(docsrs, feature(doc_cfg))]
//! What placet's SQL runner reaches: a small trait that a host can implement over its own pool.
//!
//! The drivers that come with placet stand in crates beside this one: `placet-target-sqlite`,
//! `placet-target-postgres` and `placet-target-mysql`. A driver of your own passes the same exam
//! (the module `testing`, behind the feature of that name).

mod value; // what goes to a database and comes back
mod stop; // tells work under way to stop
mod failure; // why something was not done
mod marks; // what stands in the target once something was done
mod keep; // rows that are kept before a statement changes them
mod session; // one session
mod target; // a database by name
pub mod points; // labelled points of a run
#[cfg(feature = "testing")]
pub mod testing; // the exam that every driver passes

pub use failure::{CommitFailure, SqlFailure};
pub use keep::{Attempt, KEPT_BYTES_MAX, Keepable, Touch, TouchKind};
pub use marks::{Marker, StepMark, StepSeen, StepState};
pub use session::SqlSession;
pub use stop::{StopReason, StopSignal};
pub use target::{Access, SqlTarget};
pub use value::{Origin, SqlRows, SqlValue};
