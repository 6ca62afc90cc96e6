//! The promises of the trait, each a check with the sentence that it is about.

mod transactions; // nothing without a commit
mod marks; // the marker of an attempt
mod steps; // steps that are committed one by one, and statements that run alone
mod reading; // queries and their limits
mod schema; // digests of how objects are made
mod own_tables; // what belongs to the host
mod stopping; // work that is told to stop
mod keeping; // rows that are kept

use super::Examined;
use super::exam::{Checked, Exam};

/// A sentence of the contract and the check that it holds.
type Check = (&'static str, fn(&Exam<'_>) -> Checked);

/// Asks a driver for every promise of the trait, on fresh tables each, and says which do not hold and why.
///
/// ```
/// use placet_target::testing::{Examined, broken_promises};
///
/// /// A test that says all of what is wrong, and not the first of it.
/// fn check(driver: &dyn Examined) {
///     let broken = broken_promises(driver);
///     assert!(broken.is_empty(), "{broken:#?}");
/// }
/// ```
///
/// There is a driver to check at [`Examined`].
pub fn broken_promises(of: &dyn Examined) -> Vec<String> {
    let parts = [
        transactions::CHECKS,
        marks::CHECKS,
        steps::CHECKS,
        reading::CHECKS,
        schema::CHECKS,
        own_tables::CHECKS,
        stopping::CHECKS,
        keeping::CHECKS,
    ];
    let exam = Exam { of };
    let mut broken = Vec::new();
    for (sentence, check) in parts.into_iter().flatten() {
        exam.fresh();
        if let Err(why) = check(&exam) {
            broken.push(format!("{sentence}: {why}"));
        }
    }
    broken
}

/// Examines a driver.
///
/// ```no_run
/// # use placet_target::testing::Examined;
/// # fn driver() -> Box<dyn Examined> { unreachable!() }
/// placet_target::testing::examine(&*driver());
/// ```
///
/// # Panics
///
/// With every sentence of the contract that does not hold.
pub fn examine(of: &dyn Examined) {
    let broken = broken_promises(of);
    assert!(broken.is_empty(), "the target breaks its contract:\n{}", broken.join("\n"));
}
