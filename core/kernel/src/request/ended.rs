//! How a request's run ended: what was recorded, and what the target said of it.

use serde::{Deserialize, Serialize};

use super::state::{Approved, State};
use crate::clock::Timestamp;
use crate::id::{RunId, UserId};
use crate::runner::Outcome;

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
    /// 1: a request runs once, and there is no second attempt yet.
    pub attempt: u32,
    /// The run's fence: 1, as long as a request runs once.
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
    /// Known not to have completed.
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
    /// How the run of (id, attempt, fence) ended, before anybody looked.
    pub(super) const fn new(
        approved: Approved,
        (run, attempt, fence): (RunId, u32, u64),
        ended_at: Timestamp,
        outcome: Outcome,
    ) -> Self {
        Self {
            approved,
            run,
            attempt,
            fence,
            ended_at,
            outcome,
            last_read: None,
            declared_by: None,
        }
    }

    /// Whether a look into the target that told `read` settles how it ended.
    pub(crate) const fn is_resolved_by(&self, read: &Outcome) -> bool {
        matches!(self.outcome, Outcome::Unknown(_)) && !matches!(read, Outcome::Unknown(_))
    }

    /// Notes what was read in the target. It settles an unknown outcome where it can tell; a known one stays, and
    /// so does why one is unknown: a look that could not tell knows less.
    pub(crate) fn read(self, read: Outcome, now: Timestamp) -> State {
        let last_read = Some(Reading { at: now, outcome: read.clone() });
        let outcome = if self.is_resolved_by(&read) { read } else { self.outcome };
        Self { outcome, last_read, ..self }.into_state()
    }

    /// The state that goes with the outcome.
    pub(super) fn into_state(self) -> State {
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

impl Unknown {
    /// Resolves it by the word of a person.
    pub(crate) fn declare(self, by: UserId, outcome: Outcome) -> State {
        Ended { outcome, declared_by: Some(by), ..self.ended }.into_state()
    }
}
