//! The kernel's [`Runner`], over plugins in sandboxes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use placet_core::clock::Clock;
use placet_core::digest::Digest;
use placet_core::error::{Code, Error};
use placet_core::org::Slug;
use placet_core::runner::{Failure, Finding, Job, Outcome, Plan, RunLink, Runner, RunnerInfo};

use crate::asked::Asked;
use crate::builder::Builder;
use crate::call::{self, Ended, Host, Trap};
use crate::called;
use crate::checks::{changed, check_plan, installed, unset};
use crate::compiled::{Compilations, CompiledKey, Source};
use crate::convert::{clean, failure_of, findings_from, job_of, plan_of};
use crate::engine::Sandbox;
use crate::limits::RunnerLimits;
use crate::line::line;
use crate::mode::{Approved, Mode};
use crate::notes;
use crate::planning;
use crate::plugin::Plugin;
use crate::results::{ResultSink, answer_name};
use crate::reviewer::{self, Reviewer};
use crate::state::{Phase, Reach, State};
use crate::target::Target;
use crate::texts::Texts;
use crate::usage::UsageSink;
use crate::verdict;
use crate::version::{Compiled, Guest};
use placet_sql_review::Settings;
use placet_target::StopSignal;

/// Runs plugins. One for a process is enough; it may be called from many threads at once.
///
/// ```
/// use placet_core::error::Code;
/// use placet_core::runner::Runner;
/// use placet_runners::{Grant, WasmRunner, shipped};
///
/// let (sql, grant) = (shipped::sql(), Grant::none().with("sql"));
/// let runner =
///     WasmRunner::builder().plugin("sql".parse()?, sql.component, sql.manifest, grant).build()?;
/// let findings = runner.validate(&"sql".parse()?, r#"{"sql": "SELECT 'open"}"#)?;
/// assert_eq!(findings.first().map(|finding| finding.code.as_str()), Some("sql.unended"));
/// let refused = runner.validate(&"shell".parse()?, "{}").unwrap_err();
/// assert_eq!(refused.code(), Code::UnknownRunner);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
pub struct WasmRunner {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) source: Source,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: RunnerLimits,
    pub(crate) plugins: BTreeMap<Slug, Plugin>,
    pub(crate) targets: BTreeMap<Slug, Target>,
    pub(crate) results: Option<Arc<dyn ResultSink>>,
    pub(crate) reviewers: Arc<[Arc<dyn Reviewer>]>,
    pub(crate) usage: Option<Arc<dyn UsageSink>>,
}

impl WasmRunner {
    /// Begins to collect what it needs.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Compiles every plugin now, instead of when it is first called: about a second for a
    /// megabyte of component, once in a process.
    ///
    /// Fails with [`Code::RunnerFault`] for a component that cannot be compiled.
    pub fn warm_up(&self) -> Result<(), Error> {
        self.plugins
            .values()
            .try_for_each(|plugin| plugin.compiled(&self.sandbox, &self.source).map(drop))
    }

    /// Keeps compiled plugins in `folder`, as [`Builder::compiled_in`] does, for a host that learns later where.
    ///
    /// Fails with [`Code::StoreUnavailable`] for a folder that is not this user's alone.
    ///
    /// ```
    /// # let temporary = tempfile::tempdir().unwrap();
    /// # let folder = temporary.path().join("compiled");
    /// use placet_runners::{CompiledKey, Grant, WasmRunner, shipped};
    ///
    /// let (sql, grant) = (shipped::sql(), Grant::none().with("sql"));
    /// let builder = WasmRunner::builder().plugin("sql".parse()?, sql.component, sql.manifest, grant);
    /// let runner = builder.build()?.with_compiled_in(&folder, CompiledKey::from_bytes([7; 32]))?;
    /// runner.warm_up()?;
    /// assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn with_compiled_in(
        mut self,
        folder: impl AsRef<Path>,
        key: CompiledKey,
    ) -> Result<Self, Error> {
        self.source.keep_in(folder.as_ref(), key)?;
        Ok(self)
    }

    /// Where this host's compiled plugins came from, and which files did not check.
    pub fn compilations(&self) -> Compilations {
        self.source.compilations()
    }

    /// How many sandboxes there are at the moment in this process: one for each call into a plugin that is under way.
    /// Between calls there is none.
    ///
    /// ```
    /// use placet_core::runner::Runner;
    /// use placet_runners::{Grant, WasmRunner, shipped};
    ///
    /// let (sql, grant) = (shipped::sql(), Grant::none().with("sql"));
    /// let runner =
    ///     WasmRunner::builder().plugin("sql".parse()?, sql.component, sql.manifest, grant).build()?;
    /// runner.validate(&"sql".parse()?, r#"{"sql": "SELECT 1"}"#)?;
    /// assert_eq!(runner.sandboxes(), 0);
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn sandboxes(&self) -> usize {
        self.sandbox.count_alive()
    }

    fn plugin(&self, name: &Slug) -> Result<&Plugin, Error> {
        self.plugins.get(name).ok_or_else(|| {
            Error::new(Code::UnknownRunner, format!("there is no runner plugin named `{name}`"))
                .with_help(installed("plugins", &self.plugins))
        })
    }

    fn host<'a>(&'a self, plugin: &'a Plugin, compiled: &'a Compiled) -> Host<'a> {
        Host {
            sandbox: &self.sandbox,
            compiled,
            limits: &self.limits,
            plugin: &plugin.name,
            usage: self.usage.as_deref(),
        }
    }

    fn target(&self, name: &Slug) -> Result<&Target, Error> {
        self.targets.get(name).ok_or_else(|| {
            Error::new(Code::UnknownTarget, format!("there is no target named `{name}`"))
                .with_help(installed("targets", &self.targets))
        })
    }

    fn check_payload(&self, payload: &str) -> Result<(), Error> {
        let most = self.limits.payload_bytes_max;
        if payload.len() > most {
            return Err(Error::new(
                Code::TooLarge,
                format!("the payload is longer than {most} bytes"),
            )
            .with_help("split the change into several requests"));
        }
        Ok(())
    }

    /// One call that reaches its target. `approved` is empty while planning.
    fn reach<T: Send>(
        &self,
        job: &Job,
        (phase, approved): (Phase, Option<(&Plan, Digest)>),
        link: &dyn RunLink,
        work: impl FnOnce(&dyn Guest, &mut wasmtime::Store<State>) -> wasmtime::Result<T> + Send,
    ) -> Result<Ended<T>, Error> {
        let plugin = self.plugin(&job.runner)?;
        let target = self.target(&job.target)?.clone();
        target.check(&job.target, plugin)?;
        self.check_payload(&job.payload)?;
        if Digest::of(job.payload.as_bytes()) != job.payload_digest {
            return Err(changed("the payload is not the one that its digest names"));
        }
        let compiled = plugin.compiled(&self.sandbox, &self.source)?;
        let (wire, supervisor) = line();
        let (asked, settings) = words(job, (phase, plugin.reads_sql()))?;
        let mode = approved.map_or(Mode::Together, |(plan, _)| mode(&target, plan, &asked));
        let steps = approved.iter().flat_map(|(plan, _)| &plan.steps);
        let reach = Reach {
            line: wire,
            lease: link.lease(),
            deadline: job.deadline,
            stop: StopSignal::new(),
            target,
            connections: plugin.manifest.connections.clone(),
            id: job.id,
            plan_digest: approved.map_or(job.payload_digest, |(_, digest)| digest),
            mode,
            approved: steps.map(|step| Approved::of(step, settings.rows_max)).collect(),
            basis: approved.and_then(|(plan, _)| plan.basis),
            asked,
            settings,
            place: (job.place.clone(), job.target.clone()),
            results: self.results.clone(),
            reviewers: Arc::clone(&self.reviewers),
            inverse: None,
            texts: Texts::of_payload(&job.payload),
        };
        let state = State::new(phase, &self.limits, link.now(), Some(reach));
        let supervised = (supervisor, link, job.deadline);
        call::reaching(self.host(plugin, &compiled), state, supervised, work)
    }

    /// A target that is not there is no deploy target; whoever reaches for it is told.
    fn is_deploy(&self, job: &Job) -> bool {
        self.targets.get(&job.target).is_some_and(Target::is_deploy)
    }

    fn connection(&self, job: &Job) -> &str {
        let plugin = self.plugins.get(&job.runner);
        plugin.and_then(|plugin| plugin.manifest.connections.first()).map_or("", String::as_str)
    }

    fn try_execute(
        &self,
        job: &Job,
        approved: &Plan,
        link: &dyn RunLink,
    ) -> Result<Outcome, Error> {
        let digest = check_plan(job, approved)?;
        let is_deploy = self.is_deploy(job);
        if is_deploy {
            // What it sent then is not sent again, whoever entered it twice; and where nobody can tell, it may have been.
            let before = match link.checkpoints() {
                Ok(all) if notes::of_run(&all, job.id.run).is_empty() => None,
                Ok(_) => Some(called::entered_before()),
                Err(error) => Some(failure_of(&error)),
            };
            if let Some(failure) = before {
                return Ok(Outcome::Unknown(failure));
            }
        }
        let (guest_job, guest_plan) =
            (job_of(job, false), plan_of(approved, digest, self.connection(job)));
        let phase = (Phase::Execute, Some((approved, digest)));
        let ended = self.reach(job, phase, link, move |guest, store| {
            guest.execute(store, &guest_job, &guest_plan)
        });
        match ended {
            Ok(ended) if is_deploy => Ok(called::of_execute(ended)),
            Ok(ended) => Ok(verdict::of_execute(ended)),
            // The sandbox's thread fell over, and with it went what it saw. One that never began has another
            // code: nothing of it ran.
            Err(error) if error.code() == Code::Internal => {
                Ok(Outcome::Unknown(failure_of(&error)))
            }
            Err(error) => Err(error),
        }
    }

    fn try_verify(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Result<Outcome, Error> {
        let digest = check_plan(job, approved)?;
        let noted = if self.is_deploy(job) {
            Some(notes::of_run(&link.checkpoints()?, job.id.run))
        } else if Mode::of(approved, &Asked::of_payload(&job.payload)) == Mode::Answers {
            return Ok(Outcome::Failed(unanswered(job, approved)));
        } else {
            None
        };
        let told = noted.as_ref().and_then(|noted| called::by_notes(approved, noted));
        if let Some(outcome) = told {
            return Ok(outcome);
        }
        let (guest_job, guest_plan) =
            (job_of(job, false), plan_of(approved, digest, self.connection(job)));
        let phase = (Phase::Verify, Some((approved, digest)));
        // Before the plugin looks: what is over by then shows.
        let now = link.lease().now();
        let ended = self.reach(job, phase, link, move |guest, store| {
            guest.verify(store, &guest_job, &guest_plan)
        })?;
        Ok(match noted {
            Some(noted) => called::of_verify(ended, approved, (&noted, now)),
            None => verdict::of_verify(ended),
        })
    }
}

// What payload and environment say to the host. Only those of SQL plugins are in its words.
fn words(job: &Job, (phase, reads_sql): (Phase, bool)) -> Result<(Asked, Settings), Error> {
    if !reads_sql {
        return Ok((Asked::default(), Settings::default()));
    }
    let settings = match (phase, Settings::from_json(&job.settings)) {
        (_, Ok(settings)) => settings,
        // What stands in the target does not depend on them.
        (Phase::Verify, Err(_)) => Settings::default(),
        (_, Err(why)) => return Err(unset(&why)),
    };
    Ok((Asked::of_payload(&job.payload), settings))
}

fn mode(target: &Target, plan: &Plan, asked: &Asked) -> Mode {
    if target.is_deploy() { Mode::Calls } else { Mode::of(plan, asked) }
}

// Nobody heard whether its answers were kept, so that each is named: one may be there, and another attempt has
// names of its own.
fn unanswered(job: &Job, approved: &Plan) -> Failure {
    let why =
        "the run only read: nothing was changed, and nobody heard whether its answers were kept";
    let numbers = (1..).zip(&approved.steps);
    let names: Vec<String> = numbers.map(|(number, _)| answer_name(&job.id, number)).collect();
    let details = Some(serde_json::json!({ "may_be_kept": names }).to_string());
    Failure { details, ..Failure::new("not_answered", why) }
}

// What the plugin planned, or why it did not: what the host saw says more than the plugin's words.
fn planned<T>(ended: Ended<Result<T, String>>) -> Result<T, Error> {
    let Ended { answer, ledger } = ended;
    let why = match answer {
        Ok(Ok(plan)) => return Ok(plan),
        Ok(Err(why)) => why,
        Err(trap) => return Err(trap.into_error()),
    };
    match (ledger.stopped, ledger.unavailable) {
        (Some(reason), _) => Err(Trap::stopped(reason).into_error()),
        (None, Some(unavailable)) => Err(unavailable),
        (None, None) => Err(Error::new(Code::InvalidPayload, clean(&why))
            .with_help("correct the payload, or ask whoever looks after the target")),
    }
}

impl Runner for WasmRunner {
    fn check_settings(&self, runner: &Slug, settings: &str) -> Result<(), Error> {
        if !self.plugin(runner)?.reads_sql() {
            // The plugin's own: its plan says what is wrong with them.
            return Ok(());
        }
        Settings::from_json(settings).map(drop).map_err(|why| unset(&why))
    }

    fn check_target(&self, runner: &Slug, target: &Slug) -> Result<(), Error> {
        self.target(target)?.check(target, self.plugin(runner)?)
    }

    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        let plugin = self.plugin(runner)?;
        if let Some(info) = plugin.info.get() {
            return Ok(info.clone());
        }
        let compiled = plugin.compiled(&self.sandbox, &self.source)?;
        let host = self.host(plugin, &compiled);
        let said = call::pure(host, self.clock.now(), |guest, store| guest.describe(store))?;
        let mut info = plugin.described(said)?;
        if plugin.reads_sql() {
            info.configuration = Some(reviewer::configuration(&self.reviewers, &self.limits)?);
        }
        Ok(plugin.info.get_or_init(|| info).clone())
    }

    fn validate(&self, runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error> {
        let plugin = self.plugin(runner)?;
        self.check_payload(payload)?;
        let compiled = plugin.compiled(&self.sandbox, &self.source)?;
        let host = self.host(plugin, &compiled);
        let found =
            call::pure(host, self.clock.now(), |guest, store| guest.validate(store, payload))?;
        Ok(findings_from(&found))
    }

    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error> {
        let plugin = self.plugin(&job.runner)?;
        let dry_run = job.dry_run && plugin.grant.allows_dry_run();
        let (guest_job, target) = (job_of(job, dry_run), &job.target);
        let ended =
            self.reach(job, (Phase::Plan { dry_run }, None), link, move |guest, store| {
                let said = guest.plan(&mut *store, &guest_job)?;
                Ok(said.map(|plan| planning::complete(store.data_mut(), plan, target)))
            })?;
        planned(ended)?
    }

    fn execute(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        // What stops it before the plugin starts has changed nothing.
        self.try_execute(job, approved, link)
            .unwrap_or_else(|error| Outcome::Failed(failure_of(&error)))
    }

    fn verify(&self, job: &Job, approved: &Plan, link: &dyn RunLink) -> Outcome {
        // Not being able to look leaves it as open as it was.
        self.try_verify(job, approved, link)
            .unwrap_or_else(|error| Outcome::Unknown(failure_of(&error)))
    }
}
