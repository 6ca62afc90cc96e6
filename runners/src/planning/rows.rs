//! How many rows each step may touch, where no dry run told.

use core::ops::ControlFlow;

use placet_core::error::Error;
use placet_core::runner::{Finding, Plan};

use super::look::Look;
use crate::mode::changes_rows;
use crate::review::finding_from;
use crate::state::Reach;

/// The most statements whose rows are estimated: each is a question to the database.
const ESTIMATES_MAX: usize = 1_000;

/// Fills in what the database expects, and finds steps that change too many rows.
pub(super) fn estimate(
    look: &mut Look<'_>,
    plan: &mut Plan,
    reach: &Reach,
) -> Result<Vec<Finding>, Error> {
    let open = plan.steps.iter_mut().filter(|step| step.estimated_rows.is_none());
    for step in open.filter(|step| step.kind != "ddl").take(ESTIMATES_MAX) {
        match look.estimate(&step.body)? {
            ControlFlow::Continue(rows) => step.estimated_rows = rows,
            // What comes after it may rest on it.
            ControlFlow::Break(()) => break,
        }
    }
    let rows: Vec<Option<u64>> =
        plan.steps.iter().map(|step| step.estimated_rows.filter(|_| changes_rows(step))).collect();
    let found = placet_sql_review::rows_above_limit(&rows, &reach.settings);
    let found = found.into_iter().map(|found| {
        let step = found.statement.and_then(|number| plan.steps.get(number.checked_sub(1)?));
        finding_from(found, step.map(|step| step.id.clone()))
    });
    Ok(found.collect())
}
