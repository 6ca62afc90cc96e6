//! Whoever else looks at a script before people do.

use core::fmt;
use std::sync::Arc;

use placet_core::digest::Digest;
use placet_core::error::Error;
use placet_core::runner::Finding;

use crate::limits::RunnerLimits;

/// Looks at scripts, and adds what it finds to their plans.
///
/// ```
/// use placet_core::runner::{Finding, Level};
/// use placet_runners::Reviewer;
///
/// /// Nobody changes the ledger by hand.
/// #[derive(Debug)]
/// struct Ledger;
///
/// impl Reviewer for Ledger {
///     fn review(&self, _dialect: &str, script: &str) -> Vec<Finding> {
///         let found = script.to_lowercase().contains("ledger");
///         let message = "the ledger is changed through its own service".to_owned();
///         found.then(|| Finding::new(Level::Error, "shop.ledger".to_owned(), message)).into_iter().collect()
///     }
/// }
/// assert_eq!(Ledger.review("sqlite", "DELETE FROM ledger").len(), 1);
/// ```
pub trait Reviewer: Send + Sync + fmt::Debug {
    /// What it finds in `script`. Settings and suppressions apply to it as to the findings of others, by code.
    fn review(&self, dialect: &str, script: &str) -> Vec<Finding>;

    /// What approvals are bound to: another text voids them. The name of its type by default; a reviewer whose rules can
    /// change says here which ones it has.
    fn version(&self) -> String {
        core::any::type_name::<Self>().to_owned()
    }
}

/// The rules of squawk, a linter of migrations for PostgreSQL, as `squawk.ban-drop-column` and its kin. They look at every
/// script for PostgreSQL, and are tuned and switched off by their codes, as all are.
#[cfg(feature = "postgres")]
#[derive(Debug)]
pub(crate) struct Squawk;

#[cfg(feature = "postgres")]
impl Reviewer for Squawk {
    fn review(&self, dialect: &str, script: &str) -> Vec<Finding> {
        if dialect != "postgresql" {
            return Vec::new();
        }
        let found = placet_review_squawk::lint(script).into_iter();
        found.map(|found| crate::review::finding_from(found, None)).collect()
    }

    fn version(&self) -> String {
        format!("squawk {}", placet_review_squawk::VERSION)
    }
}

/// Those that every host has.
pub(crate) fn shipped() -> Vec<Arc<dyn Reviewer>> {
    vec![
        #[cfg(feature = "postgres")]
        Arc::new(Squawk),
    ]
}

/// What decides of a host, beside the plugin, what a plan says: who looks at scripts, and what is read of answers and kept.
pub(crate) fn configuration(
    reviewers: &[Arc<dyn Reviewer>],
    limits: &RunnerLimits,
) -> Result<Digest, Error> {
    let versions: Vec<String> = reviewers.iter().map(|reviewer| reviewer.version()).collect();
    Digest::of_json(&(versions, limits.rows_max, limits.answer_bytes_max, limits.kept_rows_max))
}
