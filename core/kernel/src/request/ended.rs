//! How a request's run ended: what was recorded, and what the target said of it.

use serde::{Deserialize, Serialize};

use super::batch::Done;
use super::change::Header;
use super::state::{Approved, Executing, State};
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{RunId, UserId};
use crate::org::Slug;
use crate::runner::{Effect, Outcome, Plan};

/// The code of a failure that a person declared, and of which they found something in the target.
pub(crate) const DECLARED_PARTLY_DONE: &str = "reconciled.partly";

/// How a run of this request ended, and what was read of it afterwards.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::{State, Succeeded};
/// use placet_core::testing::Seen;
///
/// let id = office.approved(&gate)?.header.id;
/// let ticket = gate.execute(&office.bo, id)?;
/// let run = ticket.run();
/// let request = gate.drive(ticket, &Seen::default())?;
/// let State::Succeeded(Succeeded { ended, .. }) = request.state else { unreachable!() };
/// assert_eq!((ended.run, ended.attempt), (run, 1));
/// assert!(ended.last_read.is_none());
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Ended {
    /// What was agreed to.
    pub approved: Approved,
    /// The run.
    pub run: RunId,
    /// Which attempt at the revision it was, from 1.
    pub attempt: u32,
    /// The target that it changed, or should have.
    pub target: Slug,
    /// The run's fence. Each run of a request has a greater one than the run before it.
    pub fence: u64,
    /// When it ended, or was declared to have.
    pub ended_at: Timestamp,
    /// What is known of the ending.
    pub outcome: Outcome,
    /// What the target itself said when it was last asked. It may contradict the outcome: look at both.
    pub last_read: Option<Reading>,
    /// The person who said how it ended, where the outcome is their word and nobody else could tell.
    pub declared_by: Option<UserId>,
}

/// What was read in the target about a run.
///
/// ```
/// # let (gate, office) = placet_core::testing::Office::in_memory()?;
/// use placet_core::request::State;
/// use placet_core::runner::Outcome;
/// # use placet_core::testing::Seen;
///
/// # let id = office.approved(&gate)?.header.id;
/// # gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
/// let (request, _) = gate.verify(&office.bo, id)?;
/// let State::Succeeded(done) = request.state else { unreachable!() };
/// let reading = done.ended.last_read;
/// assert!(reading.is_some_and(|read| matches!(read.outcome, Outcome::Succeeded(_))));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// What it said; unknown when it could not tell.
    pub outcome: Outcome,
}

macro_rules! endings {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
        #[non_exhaustive]
        pub struct $name {
            /// How it ended.
            pub ended: Ended,
        }
    )*};
}

endings! {
    /// Done.
    ///
    /// ```
    /// # use placet_core::testing::{Office, Seen};
    /// use placet_core::request::State;
    /// use placet_core::runner::Outcome;
    ///
    /// # let (gate, office) = Office::in_memory()?;
    /// # let id = office.approved(&gate)?.header.id;
    /// let request = gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
    /// let State::Succeeded(done) = request.state else { unreachable!() };
    /// assert!(matches!(done.ended.outcome, Outcome::Succeeded(_)));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    Succeeded;
    /// Known not to have completed. [`Gate::rerun`](crate::gate::Gate::rerun) makes another attempt.
    ///
    /// ```
    /// use placet_core::request::State;
    /// use placet_core::runner::{Failure, Outcome};
    /// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
    /// # let bench = Bench::on(std::sync::Arc::new(MemoryStore::default()))?;
    /// # let (gate, runner) = (Gate::new(bench.parts), bench.runner);
    /// # let office = Office::found(&gate)?;
    /// # let id = office.approved(&gate)?.header.id;
    /// # runner.ends_with(Outcome::Failed(Failure::new("sql.23505", "duplicate key")));
    ///
    /// let request = gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
    /// let State::Failed(failed) = request.state else { unreachable!() };
    /// let Outcome::Failed(failure) = failed.ended.outcome else { unreachable!() };
    /// assert_eq!(failure.code, "sql.23505");
    /// assert!(failure.applied.is_empty(), "nothing took effect");
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    Failed;
    /// Nobody can tell yet.
    ///
    /// ```
    /// use placet_core::request::State;
    /// use placet_core::runner::{Failure, Outcome};
    /// # use placet_core::{gate::Gate, store::MemoryStore, testing::{Bench, Office, Seen}};
    /// # let bench = Bench::on(std::sync::Arc::new(MemoryStore::default()))?;
    /// # let (gate, runner) = (Gate::new(bench.parts), bench.runner);
    /// # let office = Office::found(&gate)?;
    /// # let id = office.approved(&gate)?.header.id;
    /// # runner.ends_with(Outcome::Unknown(Failure::new("timeout", "the line went dead")));
    ///
    /// let request = gate.drive(gate.execute(&office.bo, id)?, &Seen::default())?;
    /// assert!(matches!(request.state, State::Unknown(_)));
    ///
    /// // It is never run again: the target is read instead.
    /// let (request, _) = gate.verify(&office.bo, id)?;
    /// assert!(matches!(request.state, State::Succeeded(_)));
    /// # Ok::<(), placet_core::error::Error>(())
    /// ```
    Unknown;
}

impl Ended {
    /// How `run` ended, before anybody looked.
    pub(super) fn of(run: Executing, ended_at: Timestamp, outcome: Outcome) -> Self {
        let Executing { approved, run, attempt, target, fence, .. } = run;
        let (last_read, declared_by) = (None, None);
        Self { approved, run, attempt, target, fence, ended_at, outcome, last_read, declared_by }
    }

    /// Whether a look into the target that told `read` settles how it ended.
    pub(crate) const fn is_resolved_by(&self, read: &Outcome) -> bool {
        matches!(self.outcome, Outcome::Unknown(_)) && !matches!(read, Outcome::Unknown(_))
    }

    /// Notes what was read in the target. It settles an unknown outcome where it can tell; a known one stays, and
    /// so does why one is unknown: a look that could not tell knows less.
    pub(crate) fn read(self, header: &Header, read: Outcome, now: Timestamp) -> State {
        let last_read = Some(Reading { at: now, outcome: read.clone() });
        if self.is_resolved_by(&read) {
            return Self { outcome: read, last_read, ..self }.into_state(header);
        }
        Self { last_read, ..self }.by_outcome()
    }

    /// The state that goes with an outcome that is new. Success at one target of a batch approves the next.
    pub(super) fn into_state(mut self, header: &Header) -> State {
        if matches!(self.outcome, Outcome::Succeeded(_)) {
            let (target, run) = (self.target.clone(), self.run);
            let (at, declared_by) = (self.ended_at, self.declared_by);
            self.approved.done.push(Done { target, run, at, declared_by });
            if self.approved.done.len() < header.targets().count() {
                return self.approved.into();
            }
        }
        self.by_outcome()
    }

    fn by_outcome(self) -> State {
        match self.outcome {
            Outcome::Succeeded(_) => Succeeded { ended: self }.into(),
            Outcome::Failed(_) => Failed { ended: self }.into(),
            Outcome::Unknown(_) => Unknown { ended: self }.into(),
        }
    }
}

impl State {
    /// How the latest run ended, once it did.
    pub(crate) const fn ended(&self) -> Option<&Ended> {
        match self {
            Self::Succeeded(state) => Some(&state.ended),
            Self::Failed(state) => Some(&state.ended),
            Self::Unknown(state) => Some(&state.ended),
            Self::Draft(_)
            | Self::PendingApproval(_)
            | Self::ChangesRequested(_)
            | Self::Approved(_)
            | Self::Rejected(_)
            | Self::Cancelled(_)
            | Self::Executing(_) => None,
        }
    }
}

impl Failed {
    /// Refuses a failure of which something may be left that a second attempt would do twice.
    pub(crate) fn check_undone(&self, header: &Header, plan: &Plan) -> Result<(), Error> {
        let refused = |what: String| {
            let sentence = format!("`{}` cannot be run again: {what}", header.id);
            Error::new(Code::Refused, sentence)
                .with_help("look at the target; draft a new request for what is left to do")
        };
        if let Some(Reading { outcome: Outcome::Succeeded(_), .. }) = &self.ended.last_read {
            return Err(refused("the target says that it was done".to_owned()));
        }
        let Outcome::Failed(failure) = &self.ended.outcome else { return Ok(()) };
        if self.ended.declared_by.is_some() && failure.code == DECLARED_PARTLY_DONE {
            return Err(refused("a person found that some of it took effect".to_owned()));
        }
        let repeats = |id: &String| {
            plan.steps.iter().any(|step| step.id == *id && step.effect == Effect::Idempotent)
        };
        match failure.applied.iter().find(|id| !repeats(id)) {
            None => Ok(()),
            Some(step) => Err(refused(format!("step `{step}` took effect"))),
        }
    }
}

impl Unknown {
    /// Resolves it by the word of a person.
    pub(crate) fn declare(self, header: &Header, by: UserId, outcome: Outcome) -> State {
        Ended { outcome, declared_by: Some(by), ..self.ended }.into_state(header)
    }
}
