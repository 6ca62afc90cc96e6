//! Where a run ended before its last step did.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::once::Sent;
use crate::{Failure, Outcome, failure};

/// Why a run ended before its last step did.
///
/// ```
/// use placet_plugin_sdk::{Outcome, Stop};
///
/// // The second step failed after it began: both took effect.
/// let stop = Stop::after("deploy.failed", "it ended as `failed`");
/// let Outcome::Failed(failure) = stop.at(Some("s2"), vec!["s1".into()]) else { panic!() };
/// assert_eq!(failure.applied, ["s1", "s2"]);
///
/// // Whether it began is not known: nobody says that it did.
/// let Outcome::Unknown(failure) = Stop::unknown("lost", "no answer").at(Some("s2"), vec![]) else {
///     panic!()
/// };
/// assert!(failure.applied.is_empty());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stop {
    /// Whether it is known how the step ended.
    pub is_known: bool,
    /// Whether the step is known to have had an effect.
    pub has_begun: bool,
    /// A stable code.
    pub code: String,
    /// A sentence.
    pub message: String,
}

impl Stop {
    /// The step had no effect.
    pub fn before(code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_string(), message.into());
        Self { is_known: true, has_begun: false, code, message }
    }

    /// The step had an effect, and that was a failure.
    pub fn after(code: &str, message: impl Into<String>) -> Self {
        Self { has_begun: true, ..Self::before(code, message) }
    }

    /// Nobody can tell.
    pub fn unknown(code: &str, message: impl Into<String>) -> Self {
        Self { is_known: false, ..Self::before(code, message) }
    }

    /// As an outcome: at this step, after these took effect.
    pub fn at(self, step: Option<&str>, mut applied: Vec<String>) -> Outcome {
        applied.extend(step.filter(|_| self.has_begun).map(ToString::to_string));
        let step = step.map(ToString::to_string);
        let failure = Failure { applied, step, ..failure(&self.code, &self.message) };
        if self.is_known { Outcome::Failed(failure) } else { Outcome::Unknown(failure) }
    }
}

impl<T> Sent<T> {
    /// What was accepted, or why the run ends here. What is unknown gets the code `unknown`, which the caller gives.
    ///
    /// # Errors
    ///
    /// Where it was not accepted, or nobody can tell.
    pub fn or_stop(self, unknown: &str) -> Result<T, Stop> {
        match self {
            Self::Accepted(answer) => Ok(answer),
            Self::Refused { code, message } => Err(Stop::before(&code, message)),
            Self::Unknown { message } => Err(Stop::unknown(unknown, message)),
        }
    }
}
