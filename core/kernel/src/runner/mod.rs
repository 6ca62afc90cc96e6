//! What runs a change, seen from the kernel: a plan before, an outcome after, and nothing of how.

mod plan;
mod outcome;

use core::fmt;

use serde::{Deserialize, Serialize};

pub use outcome::{Artifact, Failure, Outcome, Report};
pub use plan::{Effect, Finding, Level, Plan, Risk, Step};

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::Error;
use crate::id::{RequestId, RunId};
use crate::org::Slug;

/// Runs changes by named runner plugins. Comes in from outside; see the crate `placet-runners`.
pub trait Runner: Send + Sync + fmt::Debug {
    /// Describes the plugin named `runner`.
    ///
    /// Fails with [`crate::error::Code::UnknownRunner`].
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error>;

    /// Looks at a payload without reaching anything. Findings of level [`Level::Error`] refuse it.
    fn validate(&self, runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error>;

    /// Says what executing `job` would do. Changes nothing.
    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error>;

    /// Does it. Called at most once for one [`JobId`], after the run was recorded durably.
    ///
    /// The answer must be truthful: [`Outcome::Failed`] means known not to have completed, and
    /// whatever cannot be known is [`Outcome::Unknown`].
    fn execute(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome;

    /// Finds out what became of an earlier [`Self::execute`]. Changes nothing.
    fn verify(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome;
}

/// What a plugin says of itself, and what the host knows of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunnerInfo {
    /// The name it is installed under.
    pub name: Slug,
    /// Its own version.
    pub version: String,
    /// What people see.
    pub title: String,
    /// The digest of the component that would run. Approvals bind to it.
    pub digest: Digest,
    /// JSON Schema (2020-12) of the payload.
    pub payload_schema: String,
    /// What it may reach: the capabilities that are linked for it.
    pub capabilities: Vec<String>,
}

impl RunnerInfo {
    /// A description from its required parts, for drivers.
    pub const fn new(name: Slug, version: String, digest: Digest) -> Self {
        Self {
            name,
            version,
            title: String::new(),
            digest,
            payload_schema: String::new(),
            capabilities: Vec::new(),
        }
    }
}

/// Names one attempt. Unique for (request, revision, attempt).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "the marker row in a target has these columns")]
pub struct JobId {
    /// The request.
    pub request: RequestId,
    /// Which revision of it.
    pub revision: u32,
    /// 1 for the first run of this revision, 2 for the next. 0 outside a run (plan).
    pub attempt: u32,
    /// The fence of the lease. A later holder has a greater one.
    pub fence: u64,
    /// The run. Sent to targets that accept an idempotency key.
    pub run: RunId,
}

/// One job for a runner.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a runner must look at every part")]
pub struct Job {
    /// Which attempt this is.
    pub id: JobId,
    /// The name of the runner plugin.
    pub runner: Slug,
    /// The name of the target. The host binds it to an address and a credential.
    pub target: Slug,
    /// The payload: JSON by the plugin's own schema.
    pub payload: String,
    /// The digest of `payload`.
    pub payload_digest: Digest,
    /// The codes of project, module and environment.
    pub place: Place,
    /// When it must have ended.
    pub deadline: Timestamp,
    /// Whether planning may try the statements in a transaction that is always rolled back. It takes
    /// locks on the target while it lasts, so it is off where criticality is highest.
    pub dry_run: bool,
}

/// Where a job belongs, by codes, for a plugin to read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the three levels of the organisation")]
pub struct Place {
    /// The project's code.
    pub project: Slug,
    /// The module's code.
    pub module: Slug,
    /// The environment's code.
    pub environment: Slug,
}

/// What a runner may ask of the kernel while it works, and what it tells.
pub trait RunLink: Send + Sync + fmt::Debug {
    /// Whether this run may still touch its target: its lease holds and nobody cancelled it. Every
    /// call that reaches a target asks first.
    fn may_touch_target(&self) -> Result<(), Error>;

    /// Tells how far it is. Never blocks for long.
    fn progress(&self, progress: Progress);

    /// Tells what happens. Never blocks for long.
    fn log(&self, line: LogLine);

    /// Notes `state` for `step`, durable before it returns.
    fn checkpoint(&self, step: &str, state: &str) -> Result<(), Error>;

    /// What was noted for this attempt, in the order of noting.
    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error>;

    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// How far a run is.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct Progress {
    /// The id of the step.
    pub step: String,
    /// How much of it is done, in the step's own unit.
    pub done: u64,
    /// How much there is, where known.
    pub total: Option<u64>,
    /// A few words.
    pub note: Option<String>,
}

/// One line of a run's log.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "mirrors the plugin interface")]
pub struct LogLine {
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The message, without control characters.
    pub message: String,
    /// Named values.
    pub fields: Vec<(String, String)>,
}
