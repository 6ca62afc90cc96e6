//! What runs a change, seen from the kernel: a plan before, an outcome after, and nothing of how.

mod plan;
mod finding;
mod info;
pub(crate) mod own;
mod outcome;
mod said;

use core::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use finding::{Finding, Level};
pub use info::RunnerInfo;
pub use outcome::{Artifact, Failure, Outcome, Report};
pub use plan::{Effect, Impact, Lock, Plan, Risk, Step};
pub use said::{LogLine, Progress};

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::error::Error;
use crate::id::{RequestId, RunId};
use crate::org::Slug;

/// Runs changes by named runner plugins. Comes in from outside; see the crate `placet-runners`.
///
/// ```
/// use placet_core::digest::Digest;
/// use placet_core::error::Error;
/// use placet_core::org::Slug;
/// use placet_core::runner::{Failure, Finding, Job, Outcome, Plan, Report, RunLink, Runner, RunnerInfo};
/// # use std::sync::Arc;
/// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
/// # use placet_core::runner::{Effect, Impact, Risk, Step};
/// # fn only_step(job: &Job) -> Step {
/// #     let (id, title, kind) = ("1".to_owned(), "send it".to_owned(), "write".to_owned());
/// #     let (body, body_digest, target) = (job.payload.clone(), job.payload_digest, job.target.clone());
/// #     let (risk, effect, estimated_rows, reversible) = (Risk::Low, Effect::AtMostOnce, None, false);
/// #     let impact = Impact::default();
/// #     Step { id, title, body, body_digest, target, kind, risk, effect, estimated_rows, reversible, impact }
/// # }
///
/// #[derive(Debug)]
/// struct Mail;
///
/// impl Runner for Mail {
///     fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
///         Ok(RunnerInfo::new(runner.clone(), "1".to_owned(), Digest::of(b"mail 1")))
///     }
///
///     fn validate(&self, _runner: &Slug, _payload: &str) -> Result<Vec<Finding>, Error> {
///         Ok(Vec::new())
///     }
///
///     fn plan(&self, job: &Job, _link: &dyn RunLink) -> Result<Plan, Error> {
///         Ok(Plan::new(vec![only_step(job)], Vec::new()))
///     }
///
///     fn execute(&self, _job: &Job, _approved: &Plan, link: &dyn RunLink) -> Outcome {
///         if let Err(error) = link.may_touch_target() {
///             return Outcome::Failed(Failure::new(error.code().as_str(), error.to_string()));
///         }
///         // … here the mail is sent …
///         Outcome::Succeeded(Report::default())
///     }
///
///     fn verify(&self, _job: &Job, _approved: &Plan, _link: &dyn RunLink) -> Outcome {
///         Outcome::Unknown(Failure::new("no_trace", "nobody can see whether a mail was sent"))
///     }
/// }
/// # let mut parts = Bench::on(Arc::new(MemoryStore::default()))?.parts;
///
/// parts.runner = Arc::new(Mail);
/// let gate = Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// let request = office.approved(&gate)?.header.id;
/// let ticket = gate.execute(&office.bo, request)?;
/// let ended = gate.drive(ticket, &Seen::default())?;
/// assert_eq!(ended.state.name().as_str(), "SUCCEEDED");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait Runner: Send + Sync + fmt::Debug {
    /// Describes the plugin named `runner`.
    ///
    /// Fails with [`crate::error::Code::UnknownRunner`].
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error>;

    /// Looks at a payload without reaching anything. Findings of level [`Level::Error`] refuse it.
    /// Fails as [`Self::describe`] does, and with `runner_fault` when the plugin breaks its contract.
    fn validate(&self, runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error>;

    /// Looks at settings that somebody wants to give `runner`
    /// ([`SetRunnerSettings`](crate::org::command::SetRunnerSettings)): a JSON object in canonical form, which jobs have
    /// as [`Job::settings`]. Reaches nothing. A runner that says nothing accepts any.
    ///
    /// Fails with [`crate::error::Code::InvalidInput`] and a sentence for what it does not know: a word that was spelled
    /// wrong would else be a rule that does not hold.
    #[expect(unused_variables, reason = "the name tells an implementor what it is")]
    fn check_settings(&self, runner: &Slug, settings: &str) -> Result<(), Error> {
        Ok(())
    }

    /// Looks whether `target` is one that `runner` can be let loose on, as it is configured. Reaches nothing. A workflow
    /// may ask for it before a run begins. A runner that knows its targets only when it reaches them says nothing
    /// against any, and its run tells.
    ///
    /// Fails with [`crate::error::Code::UnknownTarget`], and as [`Self::describe`] does.
    #[expect(unused_variables, reason = "the name tells an implementor what it is")]
    fn check_target(&self, runner: &Slug, target: &Slug) -> Result<(), Error> {
        self.describe(runner).map(drop)
    }

    /// Says what executing `job` would do. Changes nothing.
    /// Fails as [`Self::validate`] does, with `invalid_payload`, and with `unknown_target`.
    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error>;

    /// Does it. Called at most once for one [`JobId`], after the run was recorded durably.
    ///
    /// The answer must be truthful: [`Outcome::Failed`] means known not to have completed, and
    /// whatever cannot be known is [`Outcome::Unknown`].
    fn execute(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome;

    /// Finds out what became of an earlier [`Self::execute`]. Changes nothing.
    fn verify(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome;
}

/// Names one attempt. Unique for (request, revision, attempt).
///
/// ```
/// use placet_core::runner::JobId;
/// # use std::sync::Arc;
/// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
/// # let Bench { runner, parts, .. } = Bench::on(Arc::new(MemoryStore::default()))?;
/// # let gate = Gate::new(parts);
/// # let office = Office::found(&gate)?;
///
/// let request = office.approved(&gate)?.header.id;
/// let ticket = gate.execute(&office.bo, request)?;
/// let (run, fence) = (ticket.run(), ticket.fence());
/// gate.drive(ticket, &Seen::default())?;
/// assert_eq!(runner.entered(), [JobId { request, revision: 1, attempt: 1, fence, run }]);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[expect(clippy::exhaustive_structs, reason = "the marker row in a target has these columns")]
pub struct JobId {
    /// The request.
    pub request: RequestId,
    /// Which revision of it.
    pub revision: u32,
    /// Which attempt at the revision it is, from 1; 0 outside a run (plan).
    pub attempt: u32,
    /// The fence of the lease, from 1; 0 outside a run. Each run of a request has a greater one than the run
    /// before it.
    pub fence: u64,
    /// The run: another one for each attempt. Sent to targets that accept an idempotency key.
    pub run: RunId,
}

/// One job for a runner.
///
/// ```
/// use placet_core::digest::Digest;
/// use placet_core::runner::{Job, JobId, Place, Runner};
/// # use placet_core::{clock::Timestamp, id::{RequestId, RunId}, testing::ScriptedRunner};
/// # let (now, runner) = (Timestamp::MIN, ScriptedRunner::default());
/// # let (request, run) = (RequestId::from_u128(1), RunId::from_u128(0));
///
/// // A test of a runner makes its own job; in a run, the gate does.
/// let payload = r#"{"sql":"DELETE FROM carts"}"#.to_owned();
/// let job = Job {
///     id: JobId { request, revision: 1, attempt: 0, fence: 0, run },
///     runner: "sql".parse()?,
///     target: "orders".parse()?,
///     payload_digest: Digest::of(payload.as_bytes()),
///     payload,
///     place: Place { project: "shop".parse()?, module: "pagos".parse()?, environment: "dev".parse()? },
///     deadline: now.plus_ms(60_000),
///     dry_run: true,
///     settings: "{}".to_owned(),
/// };
/// assert!(runner.validate(&job.runner, &job.payload)?.is_empty());
/// assert_eq!(job.deadline.ms_since(now), 60_000);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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
    /// What the environment says to this runner: a JSON object by the runner's own rules, `{}` where it says nothing.
    pub settings: String,
}

/// Where a job belongs, by codes, for a plugin to read.
///
/// ```
/// use placet_core::runner::Place;
/// let place =
///     Place { project: "shop".parse()?, module: "pagos".parse()?, environment: "prod".parse()? };
/// // A plugin that keeps one schema for each module and environment finds it by code.
/// let schema = format!("{}_{}", place.module, place.environment);
/// assert_eq!(schema, "pagos_prod");
/// # Ok::<(), placet_core::error::Error>(())
/// ```
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

/// What lets a run go on. A look is cheap: one small read of the store.
///
/// ```
/// use placet_core::clock::Timestamp;
/// use placet_core::error::Error;
/// use placet_core::runner::RunLease;
///
/// /// What a test of a runner hands out.
/// #[derive(Debug)]
/// struct Always;
///
/// impl RunLease for Always {
///     fn may_touch_target(&self) -> Result<(), Error> {
///         Ok(())
///     }
///
///     fn now(&self) -> Timestamp {
///         Timestamp::from_micros(0)
///     }
/// }
/// assert!(Always.may_touch_target().is_ok());
/// ```
pub trait RunLease: Send + Sync + fmt::Debug {
    /// Whether this run may still touch its target: its lease holds and nobody stopped it. Every
    /// call that reaches a target asks first.
    ///
    /// Fails with [`crate::error::Code::LeaseLost`], with [`crate::error::Code::Cancelled`] when somebody asked
    /// the run to stop, and as the store does.
    fn may_touch_target(&self) -> Result<(), Error>;

    /// The present instant, by the gate's clock.
    fn now(&self) -> Timestamp;
}

/// What a runner may ask of the kernel while it works, and what it tells.
///
/// ```
/// use placet_core::error::Error;
/// use placet_core::runner::{Progress, RunLink};
/// # use std::sync::{Arc, Mutex};
/// # use placet_core::{clock::Timestamp, runner::{LogLine, RunLease}};
/// # #[derive(Debug)] struct Always;
/// # impl RunLease for Always {
/// #     fn may_touch_target(&self) -> Result<(), Error> { Ok(()) }
/// #     fn now(&self) -> Timestamp { Timestamp::MIN }
/// # }
/// # #[derive(Debug, Default)] struct TestLink(Mutex<Vec<(String, String)>>);
/// # impl RunLink for TestLink {
/// #     fn lease(&self) -> Arc<dyn RunLease> { Arc::new(Always) }
/// #     fn progress(&self, _: Progress) {}
/// #     fn log(&self, _: LogLine) {}
/// #     fn checkpoint(&self, step: &str, state: &str) -> Result<(), Error> {
/// #         Ok(self.0.lock().expect("one thread").push((step.to_owned(), state.to_owned())))
/// #     }
/// #     fn checkpoints(&self) -> Result<Vec<(String, String)>, Error> { Ok(self.0.lock().unwrap().clone()) }
/// # }
/// # let link = TestLink::default();
///
/// /// Part of a runner: asks before it reaches the target, and notes how far it came.
/// fn send(mails: &[&str], link: &dyn RunLink) -> Result<(), Error> {
///     for (done, mail) in (1..).zip(mails) {
///         link.checkpoint("1", mail)?; // durable first: from here on it may have been sent
///         link.may_touch_target()?;
///         // … here the mail is sent …
///         link.progress(Progress { step: "1".to_owned(), done, total: None, note: None });
///     }
///     Ok(())
/// }
/// send(&["ana", "bo"], &link)?;
/// assert_eq!(link.checkpoints()?.last(), Some(&("1".to_owned(), "bo".to_owned())));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
pub trait RunLink: Send + Sync + fmt::Debug {
    /// The lease of this run, to look at from any thread, for as long as anybody likes.
    fn lease(&self) -> Arc<dyn RunLease>;

    /// See [`RunLease::may_touch_target`].
    fn may_touch_target(&self) -> Result<(), Error> {
        self.lease().may_touch_target()
    }

    /// See [`RunLease::now`].
    fn now(&self) -> Timestamp {
        self.lease().now()
    }

    /// Tells how far it is. Never blocks for long.
    fn progress(&self, progress: Progress);

    /// Tells what happens. Never blocks for long.
    fn log(&self, line: LogLine);

    /// Notes `state` for `step`, durable before it returns.
    /// Fails with `wrong_state` outside a run, `lease_lost`, and `too_large` above 64 KiB for a run.
    fn checkpoint(&self, step: &str, state: &str) -> Result<(), Error>;

    /// What was noted for this attempt, in the order of noting.
    fn checkpoints(&self) -> Result<Vec<(String, String)>, Error>;

    /// Where an attempt at any request ran, and at which target: known once it ended and somebody knows how. A runner
    /// puts nothing back that was done elsewhere. The default knows of none.
    #[expect(unused_variables, reason = "the names tell an implementor what they are")]
    fn ran_at(
        &self,
        request: RequestId,
        revision: u32,
        attempt: u32,
    ) -> Result<Option<(Place, Slug)>, Error> {
        Ok(None)
    }
}
