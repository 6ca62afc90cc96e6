#![cfg_attr(docsrs, feature(doc_cfg))]
//! Runs placet's plugins.
//!
//! A plugin is a WebAssembly component for the package `placet:runner@0.1.0` (folder `wit`). It gets a
//! fresh sandbox for every call, reaches only what its imports, its manifest and the operator's grant all
//! name, and never holds a credential. What became of a run is judged by what the host itself saw, not by
//! what the plugin says.
//!
//! ```
//! use std::sync::Arc;
//! use placet_core::error::Code;
//! use placet_core::runner::Runner;
//! use placet_runners::{Grant, SqliteTarget, WasmRunner, shipped};
//!
//! let sql = shipped::sql();
//! let runner = WasmRunner::builder()
//!     .plugin("sql".parse()?, sql.component, sql.manifest, Grant::none().with("sql").with_dry_run())
//!     .target("orders".parse()?, Arc::new(SqliteTarget::new("/srv/orders.db")))
//!     .build()?;
//! assert_eq!(runner.describe(&"shell".parse()?).unwrap_err().code(), Code::UnknownRunner);
//! # Ok::<(), placet_core::error::Error>(())
//! ```

mod limits; // how much a plugin may use
mod manifest; // what a plugin asks for, and what it is granted
mod signed; // who vouches for a plugin
mod bindings; // the plugin interface, generated
mod notes; // what the host notes of calls
mod target; // a database, or endpoints and commands
mod plugin; // a component: its imports, compiled once
mod usage; // how much of its limits a call used
mod version; // the versions of the interface that this host speaks
mod compiled; // where compiled components come from
mod engine; // the sandbox's settings and its tick
mod asked; // what a payload asks the host for
mod mode; // how an approved plan is executed
mod texts; // the texts of a payload
mod state; // what the host keeps for one call
mod ledger; // what the host saw
mod results; // where answers of queries go
mod review; // between the words of the review and ours
mod reviewer; // who else looks at scripts
mod planning; // what the host adds to a plan
mod line; // from the sandbox's thread to the kernel's link
mod points; // labelled points of a run
mod link; // what a plugin may call
mod convert; // values between kernel and plugin
mod verdict; // how a run ended
mod called; // how a run of calls to other systems ended
mod checks; // what is looked at before a plugin is called
mod call; // one call into a plugin
mod builder; // what a host needs
mod runner; // the kernel's seam
pub mod shipped; // plugins that come with placet
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance; // an exam for plugins
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing; // ticks by hand

pub use builder::Builder;
pub use compiled::{Compilations, CompiledKey, Compiler, compile};
pub use limits::RunnerLimits;
pub use manifest::{Grant, Manifest};
pub use placet_target::{
    Access, Attempt, CommitFailure, Keepable, Marker, Origin, SqlFailure, SqlRows, SqlSession,
    SqlTarget, SqlValue, StepMark, StepSeen, StepState, StopReason, StopSignal, Touch, TouchKind,
};
/// Named endpoints and commands.
pub use placet_target_deploy as deploy;
#[cfg(feature = "mysql")]
#[cfg_attr(docsrs, doc(cfg(feature = "mysql")))]
pub use placet_target_mysql::MySqlTarget;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use placet_target_postgres::{PostgresTarget, Tls, TlsMode, TlsRoots};
pub use placet_target_sqlite::SqliteTarget;
pub use points::POINTS;
pub use results::{FolderResults, ResultSink, ResultWriter};
pub use reviewer::Reviewer;
pub use runner::WasmRunner;
pub use signed::Trusted;
pub use usage::{Share, Usage, UsageSink};
