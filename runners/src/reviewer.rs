//! Whoever else looks at a script before people do.

use core::fmt;

use placet_core::runner::Finding;

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
}
