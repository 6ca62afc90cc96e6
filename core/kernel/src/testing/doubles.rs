//! Stand-ins for what a gate takes from outside, under the test's control.

use core::fmt;
use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::plugin::ScriptedPlugin;
use crate::authz::{Authorizer, Facts, PolicyHit, Question, Verdict};
use crate::clock::{Clock, Timestamp};
use crate::digest::Digest;
use crate::entropy::Entropy;
use crate::error::{Code, Error};
use crate::id::Ids;
use crate::org::Slug;
use crate::runner::{
    Effect, Finding, Impact, Job, Level, Outcome, Plan, Progress, Report, Risk, RunLink, Runner,
    RunnerInfo, Step,
};

/// A clock that stands still until the test moves it.
///
/// ```
/// use placet_core::clock::Clock;
/// use placet_core::testing::ManualClock;
/// let noon = "2026-02-07T12:00:00Z".parse()?;
/// let clock = ManualClock::at(noon);
/// clock.advance_ms(1_500);
/// assert_eq!(clock.now().ms_since(noon), 1_500);
/// clock.set(noon);
/// assert_eq!(clock.now(), noon);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
    steady_ms: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self { micros: AtomicI64::new(now.as_micros()), steady_ms: AtomicU64::new(0) }
    }

    /// Moves the clock forward by `ms` milliseconds.
    pub fn advance_ms(&self, ms: u64) {
        self.set(self.now().plus_ms(ms));
        self.steady_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets the wall clock, backwards too, and leaves the steady one.
    pub fn set(&self, now: Timestamp) {
        self.micros.store(now.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }

    fn steady_ms(&self) -> u64 {
        self.steady_ms.load(Ordering::SeqCst)
    }
}

/// Ids that count up, so that a run can be repeated.
///
/// ```
/// use placet_core::id::{Ids, UserId};
/// use placet_core::testing::CountingIds;
/// let (first, second) = (CountingIds::default(), CountingIds::default());
/// assert_eq!(UserId::from_u128(first.next()), UserId::from_u128(second.next()));
/// assert_ne!(first.next(), first.next());
/// ```
#[derive(Debug, Default)]
pub struct CountingIds {
    last: AtomicU64,
}

impl Ids for CountingIds {
    fn next(&self) -> u128 {
        u128::from(self.last.fetch_add(1, Ordering::SeqCst)).saturating_add(1)
    }
}

/// Bytes that only look random, so that a run can be repeated. Never outside tests.
///
/// ```
/// use placet_core::entropy::Entropy;
/// use placet_core::testing::CountingEntropy;
/// let (first, again) = (CountingEntropy::default(), CountingEntropy::default());
/// let (mut salt, mut same) = ([0; 16], [0; 16]);
/// first.fill(&mut salt)?;
/// again.fill(&mut same)?;
/// assert_eq!(salt, same);
/// first.fill(&mut salt)?;
/// assert_ne!(salt, same);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct CountingEntropy {
    last: AtomicU64,
}

impl Entropy for CountingEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let count = self.last.fetch_add(1, Ordering::SeqCst);
        let digest = Digest::of(&count.to_be_bytes());
        for (byte, from) in bytes.iter_mut().zip(digest.as_bytes().iter().cycle()) {
            *byte = *from;
        }
        Ok(())
    }
}

/// A policy engine that agrees with whatever the index says, or breaks on demand.
///
/// ```
/// use placet_core::authz::{Action, Scope};
/// use placet_core::error::Code;
/// # use std::sync::Arc;
/// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
/// # let bench = Bench::on(Arc::new(MemoryStore::default()))?;
/// # let gate = Gate::new(bench.parts);
/// # let office = Office::found(&gate)?;
/// # let shop = Scope::project(office.project);
///
/// let approves = || gate.authorize(office.bo.user(), &Action::APPROVE, shop).is_allowed();
/// assert!(approves());
/// bench.authorizer.answer_with(Err(Code::Internal));
/// assert!(!approves()); // who cannot decide lets nobody in
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Debug)]
pub struct ScriptedAuthorizer {
    verdict: Mutex<Result<Verdict, Code>>,
}

impl ScriptedAuthorizer {
    /// Agrees with every yes of the index.
    pub fn agreeing() -> Self {
        let hit = PolicyHit::new("scripted".to_owned(), "scripted:1".to_owned());
        Self { verdict: Mutex::new(Ok(Verdict::new(vec![hit], Vec::new(), Vec::new()))) }
    }

    /// Answers with `verdict` from now on; an `Err` is a policy engine that fails.
    pub fn answer_with(&self, verdict: Result<Verdict, Code>) {
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = verdict;
    }
}

impl Authorizer for ScriptedAuthorizer {
    fn decide(&self, _question: &Question, _facts: &Facts) -> Result<Verdict, Error> {
        let verdict = self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone();
        verdict.map_err(|code| Error::new(code, "the scripted policy engine fails"))
    }

    fn policy_set_digest(&self) -> Digest {
        Digest::of(b"scripted")
    }
}

/// Something that happens in the middle of a run, on the thread that runs it.
type Meanwhile = Box<dyn FnOnce() + Send>;
type Reshape = Box<dyn Fn(&Job, &mut Plan) + Send>;

/// A runner that does what the test says and counts how often it ran.
///
/// The payload `"refuse"` is refused, the payload `"warn"` gets a plan with a finding of level error, `"look"` one
/// with a warning, `"risky"` one of high risk, and any other a plan of one harmless step.
///
/// ```
/// use placet_core::runner::{Failure, Outcome};
/// # use std::sync::Arc;
/// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
/// # let Bench { runner, parts, .. } = Bench::on(Arc::new(MemoryStore::default()))?;
/// # let gate = Gate::new(parts);
/// # let office = Office::found(&gate)?;
/// # let request = office.approved(&gate)?.header.id;
///
/// runner.ends_with(Outcome::Failed(Failure::new("sql.42601", "syntax error")));
/// let ended = gate.drive(gate.execute(&office.bo, request)?, &Seen::default())?;
/// assert_eq!(ended.state.name().as_str(), "FAILED");
/// assert_eq!(runner.entered().len(), 1);
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Default)]
pub struct ScriptedRunner {
    pub(super) plugin: Mutex<ScriptedPlugin>,
    endings: Mutex<VecDeque<Outcome>>,
    truths: Mutex<VecDeque<Outcome>>,
    entered: Mutex<Vec<crate::runner::JobId>>,
    meanwhile: Mutex<Option<Meanwhile>>,
    notes: Mutex<Option<String>>,
    lost_targets: Mutex<BTreeSet<String>>,
    late: Mutex<Option<Outcome>>,
    reshape: Mutex<Option<Reshape>>,
}

impl fmt::Debug for ScriptedRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedRunner")
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ScriptedRunner {
    /// The next run ends like this. Without a script, runs succeed.
    pub fn ends_with(&self, outcome: Outcome) {
        locked(&self.endings).push_back(outcome);
    }

    /// Whatever runs to come were told to end like is forgotten: they succeed.
    pub fn ends_well(&self) {
        locked(&self.endings).clear();
    }

    /// The next verification reads this. Without a script, it reads success.
    pub fn reads(&self, outcome: Outcome) {
        locked(&self.truths).push_back(outcome);
    }

    /// What was scripted for verifications to come is forgotten: they read success.
    pub fn forgets_readings(&self) {
        locked(&self.truths).clear();
    }

    /// The next run that finds its lease lost says this all the same, as one does that was at its COMMIT by then.
    pub fn says_late(&self, outcome: Outcome) {
        *locked(&self.late) = Some(outcome);
    }

    /// In the middle of the next run, this happens.
    pub fn meanwhile(&self, happens: impl FnOnce() + Send + 'static) {
        *locked(&self.meanwhile) = Some(Box::new(happens));
    }

    /// Every run from now on notes this for its later self.
    pub fn notes(&self, text: &str) {
        *locked(&self.notes) = Some(text.to_owned());
    }

    /// From now on it does not know the target of that name.
    pub fn loses_target(&self, target: &str) {
        locked(&self.lost_targets).insert(target.to_owned());
    }

    /// It knows every target again.
    pub fn finds_targets(&self) {
        locked(&self.lost_targets).clear();
    }

    /// Lets `reshape` have every plan from here on before it is answered: its steps, its findings.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use placet_core::{gate::Gate, runner::{Finding, Level}, store::MemoryStore, testing::{Bench, Office}};
    /// # let bench = Bench::on(Arc::new(MemoryStore::default()))?;
    /// # let gate = Gate::new(bench.parts.clone());
    /// # let office = Office::found(&gate)?;
    /// bench.runner.plans_as(|job, plan| {
    ///     let message = format!("nobody has looked at {}", job.target);
    ///     let unread = Finding::new(Level::Warning, "scripted.unread".to_owned(), message);
    ///     plan.findings.push(Finding { needs_person: true, ..unread });
    /// });
    /// let id = gate.draft(&office.ana, &office.request(office.change("1")?))?.header.id;
    /// assert!(gate.plan(&office.ana, id)?.needs_person());
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    pub fn plans_as(&self, reshape: impl Fn(&Job, &mut Plan) + Send + 'static) {
        *locked(&self.reshape) = Some(Box::new(reshape));
    }

    /// The attempts that were run, in order.
    pub fn entered(&self) -> Vec<crate::runner::JobId> {
        locked(&self.entered).clone()
    }
}

impl Runner for ScriptedRunner {
    fn describe(&self, runner: &Slug) -> Result<RunnerInfo, Error> {
        if runner.as_str() != "sql" {
            return Err(Error::new(Code::UnknownRunner, format!("there is no runner `{runner}`"))
                .with_help("name `sql`"));
        }
        Ok(locked(&self.plugin).describe(runner))
    }

    fn validate(&self, runner: &Slug, payload: &str) -> Result<Vec<Finding>, Error> {
        self.describe(runner)?;
        Ok(if payload == "\"refuse\"" {
            let (code, message) = ("scripted.refuse".to_owned(), "the script says no".to_owned());
            vec![Finding { line: Some(1), ..Finding::new(Level::Error, code, message) }]
        } else {
            Vec::new()
        })
    }

    fn check_settings(&self, _runner: &Slug, settings: &str) -> Result<(), Error> {
        if settings.contains("refuse") {
            return Err(Error::new(Code::InvalidInput, "the script knows no `refuse`")
                .with_help("write other settings"));
        }
        Ok(())
    }

    fn check_target(&self, runner: &Slug, target: &Slug) -> Result<(), Error> {
        self.describe(runner)?;
        if locked(&self.lost_targets).contains(target.as_str()) {
            return Err(Error::new(
                Code::UnknownTarget,
                format!("there is no target named `{target}`"),
            )
            .with_help("let the test find its targets again"));
        }
        Ok(())
    }

    fn plan(&self, job: &Job, link: &dyn RunLink) -> Result<Plan, Error> {
        link.may_touch_target()?;
        let body_digest = job.payload_digest;
        let step = Step {
            id: "1".to_owned(),
            title: "the only step".to_owned(),
            body: job.payload.clone(),
            body_digest,
            target: job.target.clone(),
            kind: "write".to_owned(),
            risk: if job.payload == "\"risky\"" { Risk::High } else { Risk::Low },
            effect: Effect::Transactional,
            estimated_rows: Some(1),
            reversible: true,
            impact: Impact::default(),
        };
        let finding = |level, code: &str| {
            Finding::new(level, code.to_owned(), "the script found something".to_owned())
        };
        let findings = match job.payload.as_str() {
            "\"warn\"" => vec![finding(Level::Error, "scripted.warn")],
            "\"look\"" => vec![finding(Level::Warning, "scripted.look")],
            _ => Vec::new(),
        };
        let mut plan = Plan::new(vec![step], findings);
        if let Some(reshape) = &*locked(&self.reshape) {
            reshape(job, &mut plan);
        }
        Ok(plan)
    }

    fn execute(&self, job: &Job, _approved: &Plan, link: &dyn RunLink) -> Outcome {
        locked(&self.entered).push(job.id);
        let meanwhile = locked(&self.meanwhile).take();
        if let Some(happens) = meanwhile {
            happens();
        }
        let (step, done) = ("1".to_owned(), 1);
        if let Some(text) = locked(&self.notes).clone()
            && let Err(error) = link.checkpoint(&step, &text)
        {
            let code = error.code().as_str();
            return Outcome::Failed(crate::runner::Failure::new(code, error.to_string()));
        }
        link.progress(Progress { step, done, total: Some(1), note: None });
        if let Err(error) = link.may_touch_target() {
            let code = error.code().as_str();
            let undone = Outcome::Failed(crate::runner::Failure::new(code, error.to_string()));
            return locked(&self.late).take().unwrap_or(undone);
        }
        locked(&self.endings).pop_front().unwrap_or_else(|| Outcome::Succeeded(Report::default()))
    }

    fn verify(&self, _job: &Job, _approved: &Plan, _link: &dyn RunLink) -> Outcome {
        locked(&self.truths).pop_front().unwrap_or_else(|| Outcome::Succeeded(Report::default()))
    }
}
