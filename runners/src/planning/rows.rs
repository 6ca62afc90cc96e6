//! How many rows each step may touch, where no dry run told.

use placet_core::error::Error;
use placet_core::runner::{Finding, Plan, Step};
use placet_sql_review::Rule;

use super::look::Look;
use crate::mode::{changes_rows, loses_rows};
use crate::review::{finding_from, level_from};
use crate::state::Reach;

/// The most statements whose rows are estimated: each is a question to the database.
const ESTIMATES_MAX: usize = 1_000;

/// Fills in what the database expects, and finds steps that change too many rows, or nobody knows how many.
pub(super) fn estimate(
    look: &mut Look<'_>,
    plan: &mut Plan,
    reach: &Reach,
) -> Result<Vec<Finding>, Error> {
    let open = plan.steps.iter_mut().filter(|step| step.estimated_rows.is_none());
    for step in open.filter(|step| step.kind != "ddl").take(ESTIMATES_MAX) {
        // A statement that the database does not explain says nothing of those after it.
        step.estimated_rows = look.estimate(&step.body)?;
    }
    let rows: Vec<Option<u64>> =
        plan.steps.iter().map(|step| step.estimated_rows.filter(|_| changes_rows(step))).collect();
    let found = placet_sql_review::rows_above_limit(&rows, &reach.settings);
    let found = found.into_iter().map(|found| {
        let step = found.statement.and_then(|number| plan.steps.get(number.checked_sub(1)?));
        finding_from(found, step.map(|step| step.id.clone()))
    });
    Ok(found.chain(untold(plan, reach.settings.rows_max)).collect())
}

/// Where there is a limit, what nobody can count is above it: else one bad statement would switch the limit off.
fn untold(plan: &Plan, rows_max: Option<u64>) -> Option<Finding> {
    let rows_max = rows_max?;
    let is_open =
        |step: &&Step| (changes_rows(step) || loses_rows(step)) && step.estimated_rows.is_none();
    let mut steps = plan.steps.iter().filter(is_open);
    let (first, more) = (steps.next()?, steps.count());
    let rule = Rule::find("sql.rows_above_limit")?;
    let besides = match more {
        0 => String::new(),
        1 => " (nor of 1 step more)".to_owned(),
        _ => format!(" (nor of {more} steps more)"),
    };
    let message = format!(
        "nobody can tell how many rows it changes{besides}, and more than {rows_max} are too many here"
    );
    let finding = Finding::new(level_from(rule.level), rule.code.to_owned(), message);
    let help = "grant a dry run, or write it so that the database can explain it";
    Some(Finding { step: Some(first.id.clone()), help: Some(help.to_owned()), ..finding })
}
