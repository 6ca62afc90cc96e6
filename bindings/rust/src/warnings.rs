//! The witnesses of a gate: what they saw is compared at the opening, and heads are handed to them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use placet_core::audit::Witness;
use placet_core::clock::Timestamp;
use placet_core::error::{Code, Error};
use placet_core::gate::{Anchored, Comparison, Gate, Rollback};

/// Something that is wrong and keeps the gate from nothing: a witness that cannot be asked, or one that has seen what
/// this log lacks. See [`Gate::warnings`](crate::Gate::warnings).
///
/// ```
/// use placet::Warning;
/// use placet::error::Code;
///
/// /// What a host's monitor says.
/// fn line(warning: &Warning) -> String {
///     let how_bad = if warning.code == Code::RolledBack { "ALARM" } else { "warning" };
///     let help = warning.help.as_deref().unwrap_or("no help");
///     format!("{how_bad} {}: {} ({help})", warning.at, warning.message)
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Warning {
    /// When it was found, by the gate's clock.
    pub at: Timestamp,
    /// What the witness is called.
    pub witness: String,
    /// What it is, for programs: [`Code::RolledBack`] is the one to wake somebody for.
    pub code: Code,
    /// One sentence, lower case.
    pub message: String,
    /// The next step to take.
    pub help: Option<String>,
    /// The two signed heads, where the log went back.
    pub evidence: Option<Box<Rollback>>,
}

/// What a witness answered to the latest head.
///
/// ```
/// # use std::sync::Arc;
/// # let folder = tempfile::tempdir()?;
/// let witness = placet::witnesses::FileWitness::at(folder.path().join("changes.checkpoint"));
/// let gate = placet::Gate::builder(folder.path().join("gate")).witness(Arc::new(witness)).open()?;
/// for answer in gate.anchor() {
///     answer.result?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct WitnessAnswer {
    /// What the witness is called.
    pub witness: String,
    /// The head that it has taken, or why not.
    pub result: Result<Anchored, Error>,
}

/// One of them.
#[derive(Debug)]
struct Watched {
    witness: Arc<dyn Witness>,
    seen: Mutex<Seen>,
}

/// What was last heard of it.
#[derive(Debug, Default)]
struct Seen {
    /// How many leaves the head has that it took last.
    size: Option<u64>,
    warning: Option<Warning>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Witnesses {
    all: Vec<Watched>,
}

impl Witnesses {
    pub(crate) fn new(witnesses: Vec<Arc<dyn Witness>>) -> Self {
        let watched = |witness| Watched { witness, seen: Mutex::default() };
        Self { all: witnesses.into_iter().map(watched).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Compares the log with what each saw. Nothing is written but hash tiles of the log, and what is wrong becomes a warning; where `refuses`, a
    /// log that went back is an error, and so is one that nobody could be asked about.
    pub(crate) fn look(&self, gate: &Gate, refuses: bool) -> Result<(), Error> {
        let mut silent = None;
        let mut has_answer = self.is_empty();
        for watched in &self.all {
            match watched.compare(gate) {
                Ok(Comparison::RolledBack(found)) if refuses => return Err(found.to_error()),
                Ok(comparison) => {
                    has_answer = true;
                    watched.note(gate, comparison);
                }
                Err(error) => {
                    watched.warn(gate, &error, None);
                    silent = Some(error);
                }
            }
        }
        match silent {
            Some(error) if refuses && !has_answer => Err(error),
            Some(_) | None => Ok(()),
        }
    }

    /// Hands the present head to each; to those that have it already only where `again`.
    pub(crate) fn anchor(&self, gate: &Gate, again: bool) -> Vec<WitnessAnswer> {
        let due = self.all.iter().filter(|watched| again || !watched.has_all(gate));
        due.map(|watched| watched.anchor(gate)).collect()
    }

    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.all.iter().filter_map(|watched| watched.seen().warning.clone()).collect()
    }
}

impl Watched {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        // A number and a warning; neither can be left half done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it took the whole log with the last head. A store that does not tell has more.
    fn has_all(&self, gate: &Gate) -> bool {
        let size = self.seen().size;
        size.is_some_and(|size| gate.wait_for_log(size, 0).is_ok_and(|len| len == size))
    }

    fn compare(&self, gate: &Gate) -> Result<Comparison, Error> {
        self.guarded(|| gate.compare_with(&*self.witness))
    }

    fn anchor(&self, gate: &Gate) -> WitnessAnswer {
        let result = self.guarded(|| gate.anchor(&*self.witness));
        match &result {
            Ok(anchored) => {
                let mut seen = self.seen();
                seen.size = Some(anchored.size);
                seen.warning.take_if(|warning| warning.code != Code::RolledBack);
            }
            Err(error) => {
                // Once more, for the two heads.
                let found = match self.compare(gate) {
                    Ok(Comparison::RolledBack(found)) => Some(found),
                    Ok(Comparison::Unseen | Comparison::Continues { .. }) | Err(_) => None,
                };
                self.warn(gate, error, found);
            }
        }
        WitnessAnswer { witness: self.witness.name().to_owned(), result }
    }

    fn note(&self, gate: &Gate, comparison: Comparison) {
        if let Comparison::RolledBack(found) = comparison {
            self.warn(gate, &found.to_error(), Some(found));
        }
    }

    fn warn(&self, gate: &Gate, error: &Error, evidence: Option<Box<Rollback>>) {
        let mut seen = self.seen();
        seen.size = None;
        // A log that went back stays so until somebody restores it: no later trouble hides that.
        if evidence.is_none() && seen.warning.as_ref().is_some_and(|kept| kept.evidence.is_some()) {
            return;
        }
        seen.warning = Some(Warning {
            at: gate.now(),
            witness: self.witness.name().to_owned(),
            code: error.code(),
            message: error.to_string(),
            help: error.help().map(str::to_owned),
            evidence,
        });
    }

    /// A panic in a host's driver is that witness's trouble and nobody else's.
    fn guarded<T>(&self, ask: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_panic| {
            let sentence = format!("the witness `{}` panicked", self.witness.name());
            Err(Error::new(Code::WitnessUnavailable, sentence)
                .with_help("look at what the driver of this witness panicked about"))
        })
    }
}
