//! An exam that any plugin can be run through, with what its author has: a component, a manifest and payloads.
//!
//! It runs the plugin against a [`World`]: a target in memory that keeps a diary, and that fails, loses an answer or
//! dies at the call that the exam names. What is said is compared with what the diary says. A passed exam is no proof
//! that a plugin is harmless: the sandbox is there for that. It shows that its author kept the contract.
//!
//! ```
//! use placet_runners::conformance::{Candidate, SqlWorld, examine};
//! use placet_runners::shipped;
//!
//! let sql = shipped::sql();
//! let candidate = Candidate::new(sql.component, sql.manifest)?;
//! let payload = r#"{"sql": "DELETE FROM orders WHERE id = 1; DELETE FROM orders WHERE id = 2"}"#;
//! let report = examine(&candidate, &[payload], &SqlWorld::new("sqlite"))?;
//! assert!(report.passes(), "{report}");
//! # Ok::<(), placet_core::error::Error>(())
//! ```

mod world; // where a plugin is examined
mod sql; // a database that keeps a diary
mod link; // what a run is told, and when it is cancelled
mod room; // one plugin in one world
mod calm; // while nothing goes wrong
mod storm; // everything that can go wrong, once
mod report; // what came of it
mod pace; // how long it takes

use std::borrow::Cow;

use placet_core::error::Error;
use placet_core::org::Slug;

use crate::compiled::Compiler;
use crate::manifest::{Grant, Manifest};

pub use pace::{Pace, Paced, pace};
pub use report::{Check, ExamReport};
pub use sql::SqlWorld;
pub use world::{Trouble, World};

use room::Room;

/// A plugin that is examined. It is granted what its manifest asks for, and dry runs.
///
/// ```
/// use placet_runners::conformance::Candidate;
/// use placet_runners::{Compiler, shipped};
///
/// let sql = shipped::sql();
/// let candidate = Candidate::new(sql.component, sql.manifest)?;
/// // Compiled by a process of its own, as a host would.
/// let _candidate = candidate.compiler(Compiler::program("placet", ["plugin", "compile"]));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Candidate {
    name: Slug,
    component: Cow<'static, [u8]>,
    manifest: Manifest,
    grant: Grant,
    compiler: Option<Compiler>,
}

impl Candidate {
    /// A component with its manifest.
    ///
    /// Fails with [`Code::InvalidInput`](placet_core::error::Code::InvalidInput) where the manifest's name is none.
    pub fn new(
        component: impl Into<Cow<'static, [u8]>>,
        manifest: Manifest,
    ) -> Result<Self, Error> {
        let grant = manifest.capabilities.iter().fold(Grant::none().with_dry_run(), Grant::with);
        let name = manifest.name.parse()?;
        Ok(Self { name, component: component.into(), manifest, grant, compiler: None })
    }

    /// Who compiles it. The default is this process.
    #[must_use]
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = Some(compiler);
        self
    }

    /// What it is granted, instead of all that it asks for.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grant = grant;
        self
    }
}

/// Examines a plugin with payloads that it must be able to execute. Each payload is tried with every fault.
///
/// Fails where the plugin cannot be installed or compiled: then there is nothing to examine.
///
/// ```
/// use placet_core::error::Code;
/// use placet_runners::Manifest;
/// use placet_runners::conformance::{Candidate, SqlWorld, examine};
///
/// let candidate = Candidate::new(b"meow".as_slice(), Manifest::new("cat", "0.1.0"))?;
/// let error = examine(&candidate, &["{}"], &SqlWorld::new("sqlite")).unwrap_err();
/// assert_eq!(error.code(), Code::RunnerFault);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub fn examine(
    candidate: &Candidate,
    payloads: &[&str],
    world: &dyn World,
) -> Result<ExamReport, Error> {
    let room = Room::new(candidate, world)?;
    let mut report = ExamReport::default();
    calm::describes(&room, &mut report);
    calm::refuses(&room, &mut report);
    if payloads.is_empty() {
        let why = "no payload was handed in, so that nothing was planned and nothing was run";
        report.add("payload.accepted", None, Err(why.to_owned()));
    }
    for (index, payload) in payloads.iter().enumerate() {
        let sample = Some(index.saturating_add(1));
        let Some(plan) = calm::plans(&room, (sample, payload), &mut report) else { continue };
        if calm::runs(&room, (sample, payload), &plan, &mut report) {
            storm::blows(&room, (sample, payload), &plan, &mut report);
        }
    }
    Ok(report)
}
