//! What was counted over random scripts.

use core::fmt;
use std::collections::BTreeMap;

use crate::SqlFailure;

/// What was counted over random scripts. See [`random_dml`](super::random_dml).
///
/// ```
/// use placet_target::testing::DmlReport;
///
/// let mut report = DmlReport::default();
/// report.scripts = 1_000;
/// assert_eq!(report.reverted, 0);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DmlReport {
    /// The seed that makes the same scripts again.
    pub seed: u64,
    /// How many scripts there were.
    pub scripts: u64,
    /// Scripts that ran and were put back exactly.
    pub reverted: u64,
    /// Rows that these changed.
    pub rows: u64,
    /// Scripts that were put back around a row that somebody else had changed meanwhile.
    pub around: u64,
    /// Statements of an inverse that changed nothing, because their row was not as the attempt left it.
    pub held: u64,
    /// Scripts that could not be put back, because of a row that somebody else had changed, and of which nothing was.
    pub stood_in_the_way: u64,
    /// Scripts of which it was said beforehand that they cannot be put back, by the reason (names left out).
    pub said_no: BTreeMap<String, u64>,
    /// Scripts that failed while they ran, by the error (names left out). Nothing of them stayed.
    pub refused: BTreeMap<String, u64>,
}

impl DmlReport {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub(super) fn say_no(&mut self, why: &str) {
        count(&mut self.said_no, without_names(why));
    }

    pub(super) fn refuse(&mut self, failure: &SqlFailure) {
        let what = if let SqlFailure::Database { code, .. } = failure {
            code.clone()
        } else {
            without_names(&failure.message())
        };
        count(&mut self.refused, what);
    }
}

fn count(of: &mut BTreeMap<String, u64>, what: String) {
    let number = of.entry(what).or_default();
    *number = number.saturating_add(1);
}

/// Every second part between backticks is a name.
fn without_names(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| if at.checked_rem(2) == Some(1) { "_" } else { part });
    parts.collect::<Vec<_>>().join("")
}

impl fmt::Display for DmlReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, scripts, reverted, rows, around, held, stood_in_the_way, .. } = self;
        write!(f, "seed {seed}: {scripts} scripts, {reverted} put back exactly ({rows} rows), ")?;
        write!(f, "{around} around somebody else's row ({held} statements changed nothing), ")?;
        write!(f, "{stood_in_the_way} not at all because of it")?;
        for (why, number) in &self.said_no {
            write!(f, "; {number} refused beforehand: {why}")?;
        }
        for (why, number) in &self.refused {
            write!(f, "; {number} failed while running: {why}")?;
        }
        Ok(())
    }
}
