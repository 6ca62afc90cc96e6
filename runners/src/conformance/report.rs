//! What came of an exam.

use core::fmt;

use serde::Serialize;

/// One thing that was looked at.
///
/// ```
/// use placet_runners::conformance::{Candidate, SqlWorld, examine};
/// use placet_runners::shipped;
///
/// let sql = shipped::sql();
/// let candidate = Candidate::new(sql.component, sql.manifest)?;
/// let report = examine(&candidate, &[], &SqlWorld::new("sqlite"))?;
/// let missing = report.checks().iter().find(|check| !check.passed).unwrap();
/// assert_eq!((missing.name, missing.sample), ("payload.accepted", None));
/// # Ok::<(), placet_core::error::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What was looked at, such as `plan.deterministic`.
    pub name: &'static str,
    /// With which payload, from 1; some need none.
    pub sample: Option<usize>,
    /// Whether it is as it must be.
    pub passed: bool,
    /// What was seen: how much was tried where it passed, what is wrong where it did not.
    pub why: String,
}

/// Everything that was looked at.
///
/// ```
/// use placet_runners::conformance::ExamReport;
///
/// // Nothing was looked at, so nothing is known to be right.
/// assert!(!ExamReport::default().passes());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ExamReport {
    checks: Vec<Check>,
}

impl ExamReport {
    /// Every check, in the order in which they were made.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Whether there were checks, and all of them passed.
    pub fn passes(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| check.passed)
    }

    /// Adds what was seen, and says whether it passed.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        sample: Option<usize>,
        seen: Result<String, String>,
    ) -> bool {
        let passed = seen.is_ok();
        let (Ok(why) | Err(why)) = seen;
        self.checks.push(Check { name, sample, passed, why });
        passed
    }
}

impl fmt::Display for ExamReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, sample, passed, why } in &self.checks {
            let word = if *passed { "passed" } else { "FAILED" };
            match sample {
                Some(sample) => writeln!(f, "{word} {name} (payload {sample}): {why}")?,
                None => writeln!(f, "{word} {name}: {why}")?,
            }
        }
        Ok(())
    }
}
